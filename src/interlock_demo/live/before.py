"""What was before anybody looked: a morning in a few seconds, people's words on what was held, and what went wrong.

So the console has figures and cases to compare with, something unknown to settle, and a drill on record.
"""

from concurrent.futures import ThreadPoolExecutor

import interlock
from interlock_demo.agents.tally import Note, Tally
from interlock_demo.live.pace import Pace, Work
from interlock_demo.setting import Setting
from interlock_demo.telling import Teller, many
from interlock_demo.world.payments import Faults
from interlock_demo.world.process import PaymentProcess

PIECES = 120
CASES = 16
"""How many of the day's dear cases the morning takes."""
AT_ONCE = 4
DECIDERS = {
    "refunds.issue": "omar",
    "mail.send": "ines",
    "replenishment.order_stock": "ruth",
    "pricing.set_price": "paula",
}
"""Who speaks on what in the morning: somebody with the role that is asked."""


def morning(tell: Teller, setting: Setting, lock: interlock.Client, payments: PaymentProcess, pace: Pace) -> None:
    """Let it be as if the shop had been open for hours."""
    work = [pace.next() for _ in range(PIECES)]
    work += [case for case in (pace.dear() for _ in range(CASES)) if case is not None]
    held = _worked(work)
    mail = next((note for note in held if note.contract == "mail.send"), None)
    decided = [note for note in held if note is not mail]
    for count, note in enumerate(decided):
        _speak(lock, note, refused=count % 7 == 6)
    if mail is not None:
        _lost(setting, lock, payments, mail)
    setting.program.json("stop", "tag:web", "--drill", "--why", "every morning", person="sam")
    tell.line(
        "yes", f"{many(len(work), 'task')} this morning", f"{len(decided)} of what they asked for decided by people"
    )


def _worked(work: list[Work]) -> list[Note]:
    """Do all of it, several at a time; what is held of it."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tallies = list(pool.map(_tallied, work))
    return [note for tally in tallies for note in tally.noted("held")]


def _tallied(work: Work) -> Tally:
    tally = Tally()
    work.step(tally)
    return tally


def _speak(lock: interlock.Client, note: Note, *, refused: bool) -> None:
    person = lock.person(DECIDERS[note.contract])
    hold = person.action(note.action_id).hold
    view = None if hold is None else hold.view
    if refused:
        person.reject(note.action_id, note="the parcel came back used", view=view)
    else:
        person.approve(note.action_id, note="the case is in order", view=view)


def _lost(setting: Setting, lock: interlock.Client, payments: PaymentProcess, mail: Note) -> None:
    """A mail goes out, and the service dies before it says so: it may or may not have happened, until somebody looks."""
    setting.program.json("work", "--until-idle")
    payments.misbehave(Faults(crash_after_effects=1))
    _speak(lock, mail, refused=False)
    setting.program.json("work", "--until-idle")
    payments.wait()
    payments.start()
