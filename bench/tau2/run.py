"""`python -m bench.tau2.run`: all tasks of the benchmark through the gate, compared, undone, and the rules broken.

For each of the 114 tasks: every recorded call is proposed on a fresh state of the shop, each answer is compared with the
recorded one, the whole database with what a direct run leaves; then the whole task is undone through the gate and the
database compared, byte for byte, with the file it was loaded from. Then each hard rule of the written policy is broken
once, and the table says which policy refused it. Exit code 1 if anything is not as it should be.
"""

import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from rich.console import Console
from rich.progress import track
from rich.table import Table

import interlock
from bench.tau2 import data, direct
from bench.tau2.play import Answered, play, prepared, undo, violate
from bench.tau2.store import Shop
from bench.tau2.violations import violations


class Report(msgspec.Struct, kw_only=True):
    """What was seen, counted."""

    tasks: int = 0
    calls: int = 0
    writes: int = 0
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    refusals: list[Answered] = msgspec.field(default_factory=list)
    not_as_recorded: list[Answered] = msgspec.field(default_factory=list)
    undone: int = 0
    equal: int = 0
    restored: int = 0
    gated_s: float = 0.0
    undo_s: float = 0.0
    direct_s: float = 0.0
    rules: list[tuple[str, str, str]] = msgspec.field(default_factory=list)

    @property
    def good(self) -> bool:
        """Everything the benchmark must show."""
        return (
            not self.not_as_recorded
            and self.equal == self.restored == self.tasks
            and self.undone == self.outcomes["done"]
            and all(meant == refused for _, meant, refused in self.rules)
        )


def measure(folder: Path, console: Console) -> Report:
    """Play everything in `folder`."""
    report = Report()
    yardstick = Shop(folder / "direct.sqlite")
    yardstick.load(data.document())
    workspace, shop = prepared(folder)
    with interlock.open(workspace) as lock:
        for case in track(data.cases(), "tasks", console=console, transient=True):
            _one(report, lock, shop, yardstick, case)
        for place, violation in enumerate(violations()):
            state_key = f"violation/{place}"
            outcome = violate(lock, violation, state_key)
            because = ", ".join(outcome.because) if isinstance(outcome, interlock.Denied) else type(outcome).__name__
            report.rules.append((violation.function, violation.policy, because))
    return report


def _one(report: Report, lock: interlock.Client, shop: Shop, yardstick: Shop, case: data.Case) -> None:
    began = time.process_time()
    direct.play(yardstick, case)
    report.direct_s += time.process_time() - began
    began = time.process_time()
    played = play(lock, case)
    report.gated_s += time.process_time() - began
    report.tasks += 1
    report.calls += len(played.answers)
    report.writes += sum(answer.call.writes for answer in played.answers)
    report.outcomes.update(answer.outcome for answer in played.answers if answer.call.writes)
    report.outcomes.update(f"read {answer.outcome}" for answer in played.answers if not answer.call.writes)
    report.refusals.extend(answer for answer in played.answers if answer.because)
    report.not_as_recorded.extend(answer for answer in played.answers if not answer.as_recorded)
    report.equal += shop.dump(case.state_key) == yardstick.dump(case.state_key)
    began = time.process_time()
    report.undone += undo(lock, played.task_id)
    report.undo_s += time.process_time() - began
    report.restored += shop.dump(case.state_key) == data.document_text()


def show(report: Report, console: Console) -> None:
    """The tables."""
    table = Table("", "", title="tau2 retail through the gate", show_header=False)
    out = report.outcomes
    rows = {
        "tasks": report.tasks,
        "calls (writes)": f"{report.calls} ({report.writes})",
        "writes done": out["done"],
        "writes refused by policy": out["denied"],
        "writes failed": out["failed"],
        "reads done / failed as recorded": f"{out['read done']} / {out['read failed']}",
        "answers not as recorded": len(report.not_as_recorded),
        "final databases equal to a direct run": f"{report.equal} of {report.tasks}",
        "writes undone, in reverse": report.undone,
        "databases byte for byte as before": f"{report.restored} of {report.tasks}",
        "CPU: direct, gated, undone (s)": f"{report.direct_s:.2f}, {report.gated_s:.2f}, {report.undo_s:.2f}",
        "CPU of a gated call, ms": f"{1000 * report.gated_s / report.calls:.2f}",
        "gated to direct": f"{report.gated_s / report.direct_s:.1f}",
    }
    for name, value in rows.items():
        table.add_row(name, str(value))
    console.print(table)
    for answer in report.refusals:
        console.print(f"refused: {answer.call.function}, recorded as {answer.call.answer!r}, by {', '.join(answer.because)}")
    for answer in report.not_as_recorded:
        console.print(f"[red]not as recorded[/]: {answer.call.function} {answer.call.arguments}: {answer.outcome} {answer.said}")
    rules = Table("broken by", "the rule", "refused by", title="Every hard rule, broken once")
    for function, meant, refused in report.rules:
        rules.add_row(function, meant, refused if refused == meant else f"[red]{refused}[/]")
    console.print(rules)


def main() -> int:
    """Play, show, and say by the exit code whether all was as it should be."""
    console = Console()
    reason = data.missing()
    if reason is not None:
        console.print(f"skipped: {reason}")
        return 0
    with TemporaryDirectory() as folder:
        report = measure(Path(folder), console)
    show(report, console)
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
