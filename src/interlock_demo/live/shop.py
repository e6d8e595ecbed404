"""`interlock demo --serve`: the shop at work behind the console, until somebody ends it.

The agents work in this process, one piece a second or two; `interlock serve` is a process of its own with the worker in it, and
so is the payment service. What is held waits for whoever opens the link; when they have spoken it is told here.
"""

import signal
import tempfile
import threading
import time
from pathlib import Path

import interlock
from interlock_demo.agents.tally import Note, Tally, said
from interlock_demo.chapters.morning import manner_in_force
from interlock_demo.door import kept
from interlock_demo.live.before import morning
from interlock_demo.live.pace import Pace, Work
from interlock_demo.live.replies import RAISE, reply
from interlock_demo.program import CommandFailed
from interlock_demo.served import NotServed, Served
from interlock_demo.setting import set_up
from interlock_demo.telling import Teller, short
from interlock_demo.world.process import PaymentProcess

NUMBER = 7
OWNER = "hanna"
"""Who opens the console: the shop's owner, who may decide on nearly everything and asked for none of it."""
WAITING = 8
"""So many wait at most before the agents leave alone what people are asked about."""
STEP_S = 1.5
DEAR_EVERY = 5
"""After so many pieces of work comes one that people are asked about, while few wait."""
MISREAD_EVERY = 40
DOUBT_EVERY = 30


def run(keep: Path | None = None, *, port: int = 8600) -> int:
    """Let the shop work until SIGINT or SIGTERM. 0 when it was ended so, 1 when it could not go on, 2 when `keep` is in use."""
    tell = Teller()
    if keep is not None and keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        tell.line("no", f"`{keep}` is not an empty folder", "the demo overwrites nothing")
        return 2
    # Whoever ends us otherwise than by Ctrl-C is to leave no processes behind either.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            return _open(tell, keep.resolve(), port)
        with tempfile.TemporaryDirectory(prefix="interlock-demo-") as folder:
            return _open(tell, Path(folder), port)
    except KeyboardInterrupt:
        tell.line("note", "closed")
        return 0
    except (CommandFailed, NotServed, interlock.InterlockError) as error:
        tell.line("no", str(error))
        return 1


def _open(tell: Teller, folder: Path, port: int) -> int:
    tell.title(
        "Halden & Daughters, a shop run by agents, right now", "Everything below goes through Interlock; you decide."
    )
    with (
        set_up(folder, NUMBER) as setting,
        PaymentProcess(setting.place) as payments,
        kept(setting.program, setting.door) as gateway,
        interlock.open(setting.workspace) as lock,
    ):
        pace = Pace(lock, setting.door, setting.place, manner_in_force(setting), NUMBER)
        morning(tell, setting, lock, payments, pace)
        with Served(setting.program, "serve", "--port", str(port), person=OWNER) as site:
            _greet(tell, site)
            Day(tell, lock, pace).until_ended(site, gateway)
    return 0


def _greet(tell: Teller, site: Served) -> None:
    tell.line("yes", f"the console is at {site.said['address']}")
    tell.console.print()
    tell.console.print(f"  Open this link to sign in as {OWNER}; it is good once, for ten minutes:")
    tell.console.print(f"  [bold]{site.said['link']}[/bold]", soft_wrap=True)
    tell.console.print()
    tell.prose(
        "Look at what waits under Approvals and say yes, no, or something else: the refund is paid once, and told here. "
        "Ask the agent why, and it answers; what it cannot settle itself waits under Exceptions. "
        "Open an action's story and let it be verified. Pull the brake in the header. Ctrl-C ends it all."
    )


class Day:
    """The agents at work, and what people said told."""

    def __init__(self, tell: Teller, lock: interlock.Client, pace: Pace) -> None:
        self._tell = tell
        self._lock = lock
        self._pace = pace
        self._waiting: dict[str, Note] = {}
        self._count = 0

    def until_ended(self, *served: Served) -> None:
        """Work until interrupted. Raises NotServed when the console, or the gateway, ended by itself."""
        ended = threading.Event()
        while not ended.wait(0 if self._count < WAITING else STEP_S):
            for each in served:
                each.must_run()
            self._count += 1
            self._do(self._next())
            self._hear()

    def _next(self) -> Work:
        if len(self._waiting) < WAITING:
            if self._count % MISREAD_EVERY == 2:
                return self._pace.misread()
            if self._count % DOUBT_EVERY == 3:
                return self._pace.doubt()
            if self._count <= WAITING or self._count % DEAR_EVERY == 0:
                return self._pace.dear() or self._pace.next()
        return self._pace.next()

    def _do(self, work: Work) -> None:
        tally = Tally()
        try:
            work.step(tally)
        except interlock.NotDone as answer:
            # A plain call raises what `propose` gives back: whoever pulled the brake is not to end the shop with it.
            self._tell.line("no", f"{work.agent}: {type(answer).__name__.lower()}", "; ".join(said(answer)))
        for note in tally.notes:
            mark = "wait" if note.outcome == "held" else "no"
            self._tell.line(
                mark, f"{work.agent}: {note.contract} {note.outcome}", f"{note.subject}; {'; '.join(note.reasons)}"
            )
            if note.outcome == "held":
                self._waiting[note.action_id] = note
        if done := tally.outcomes["done"]:
            self._tell.line("note", f"{work.agent}: {done} done", time.strftime("%H:%M:%S"))

    def _hear(self) -> None:
        """Tell what became of what waited."""
        desk = self._lock.person(OWNER)
        for name, note in list(self._waiting.items()):
            action = desk.action(name)
            if action.state == "held":
                self._answer(note, action)
            if action.state in ("held", "ready", "dispatching"):
                continue
            del self._waiting[name]
            words = () if action.hold is None else action.hold.approvals
            spoken = ", ".join(f"{word.person}: {word.verdict}" for word in words)
            mark = "yes" if action.state == "done" else "no"
            self._tell.line(mark, f"{note.contract} {short(name)} is {action.state}", f"{note.subject}; {spoken}")
            if note.contract == RAISE and action.state == "done":
                answer = str(action.arguments.get("answer", "")) or "nothing more is to be done"
                self._tell.line("note", f"support goes on with: {answer}")

    def _answer(self, note: Note, action: interlock.Action) -> None:
        """Whoever is asked for a word may ask first: the agent says what it knows."""
        for query in () if action.hold is None else action.hold.questions:
            if query.answered_at is not None or note.task is None:
                continue
            try:
                note.task.answer(note.action_id, reply(note, query.text), question=query.number)
            except interlock.InterlockError as error:
                # Somebody decided meanwhile, or stopped the agent: then nobody waits for it.
                self._tell.line("no", f"a question about {note.contract} was not answered", error.detail)
            else:
                self._tell.line("note", f"{query.person} asked about {note.contract}, and was answered", note.subject)
