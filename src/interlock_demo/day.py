"""A day at Halden & Daughters: the demo that `interlock demo` and `make demo` run.

Everything in it is real: the agents act through the SDK, the worker and the payment service are processes that are killed
with SIGKILL, people speak through the command line. Only the agents' wishes are scripted, and the same every day.
"""

import argparse
import tempfile
import time
from pathlib import Path

import interlock
from interlock_demo.chapters.brake import cohort_stopped
from interlock_demo.chapters.forgetting import forgotten
from interlock_demo.chapters.morning import open_for_business
from interlock_demo.chapters.outage import power_cut
from interlock_demo.chapters.people import decide
from interlock_demo.chapters.release import bad_release
from interlock_demo.chapters.rules import stricter_rule
from interlock_demo.chapters.team import shared_budget
from interlock_demo.door import kept
from interlock_demo.program import CommandFailed, WorkerProcess
from interlock_demo.queue import queue_of
from interlock_demo.report import evening
from interlock_demo.served import NotServed
from interlock_demo.setting import Setting, set_up
from interlock_demo.telling import StoryBroken, Teller, many
from interlock_demo.world.process import PaymentProcess

NUMBER = 7
"""The shop is the same for the same number."""

WORK = {
    "assistant": ("where a way back exists", "reservations, orders, charges"),
    "claims": ("inside policy", "hands out cases, and holds what may be spent on them"),
    "pricing": ("inside policy", "prices, from stock and sales"),
    "replenishment": ("inside policy", "orders from suppliers"),
    "support": ("inside policy", "returns, refunds, credit, exchanges, mail"),
}
"""What is told of each agent; the whole of it stands in its agent file."""


def run(keep: Path | None = None) -> int:
    """Tell the day. 0 when every promise was kept, 1 when one was broken, 2 when `keep` is in use.

    With `keep` everything is left in that folder, which must be new or empty.
    """
    tell = Teller()
    if keep is not None and keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        tell.line("no", f"`{keep}` is not an empty folder", "the demo overwrites nothing")
        return 2
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        return _tell_all(tell, keep.resolve(), kept=True)
    with tempfile.TemporaryDirectory(prefix="interlock-demo-") as folder:
        return _tell_all(tell, Path(folder), kept=False)


def main(argv: list[str] | None = None) -> int:
    """The same as a program of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--keep", type=Path, help="leave the shop, its log and its workspace in this folder")
    options = parser.parse_args(argv)
    return run(options.keep)


def _tell_all(tell: Teller, folder: Path, *, kept: bool) -> int:
    started = time.monotonic()
    tell.title(
        "A day at Halden & Daughters, a shop run by agents",
        "240 products, 320 customers, 480 orders. Four agents set prices, order stock, settle returns and sell; "
        "a fifth hands out work. None of them can touch anything except through Interlock.",
    )
    try:
        broken = _day(tell, folder)
    except (CommandFailed, NotServed, StoryBroken, interlock.InterlockError) as error:
        broken = [str(error)]
    code = verdict(tell, broken, f"{time.monotonic() - started:.0f} s")
    if kept:
        tell.line("note", f"everything is in {folder}")
        tell.line("note", f"look around: . {folder}/env; interlock actions; interlock show ID; interlock packet ID")
    return code


def verdict(tell: Teller, broken: list[str], took: str) -> int:
    """Say how the day ended, and give the exit code: 0 only when nothing was broken."""
    tell.chapter("19:00", "Closed")
    for each in broken:
        tell.line("no", each)
    if broken:
        tell.line("no", f"{many(len(broken), 'promise')} broken, after {took}")
        return 1
    tell.line("yes", f"every promise was kept, in {took}")
    return 0


def _day(tell: Teller, folder: Path) -> list[str]:
    """The chapters in order. Gives the promises that were broken, in words."""
    with (
        set_up(folder, NUMBER) as morning,
        PaymentProcess(morning.place) as payments,
        WorkerProcess(morning.program) as worker,
        kept(morning.program, morning.door),
    ):
        setting = morning
        _introduce(tell, setting)
        queue = queue_of(setting.place, NUMBER)
        with interlock.open(setting.workspace) as lock:
            tallies = open_for_business(tell, setting, lock, queue)
            agreed = decide(tell, setting, lock, tallies.noted("held"))
            power_cut(tell, setting, lock, payments, worker, agreed)
            setting = stricter_rule(tell, setting)
            original_prices = bad_release(tell, setting, lock, queue)
            lent = shared_budget(tell, setting, lock)
            quiet = cohort_stopped(tell, setting)
        worker.kill()
        forgotten(tell, setting)
        return evening(tell, setting, original_prices, lent=[lent], quiet=quiet)


def _introduce(tell: Teller, setting: Setting) -> None:
    rows = [(label, *WORK[agent]) for agent, label in sorted(setting.releases.items())]
    tell.table(("release", "may act", "works on"), rows)


if __name__ == "__main__":
    raise SystemExit(main())
