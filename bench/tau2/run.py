"""All tasks of the benchmark through the gate, compared, undone, and the rules broken: `python -m bench.tau2`.

For each of the 114 tasks: every recorded call is proposed on a fresh state of the shop; each answer is compared with the
recorded one and the whole database with what a direct run leaves; then the whole task is undone through the gate and the
database compared, byte for byte, with the file it was loaded from. Then each hard rule of the written policy is broken,
and the table says which policy refused it. Last, everything the release did and nobody undid is undone as a cohort.
"""

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
from bench.tau2.play import PERSON, Answered, Setting, because, play, prepared, violate
from bench.tau2.store import Shop
from bench.tau2.violations import Violation, violations

WHY = "the benchmark puts everything back"


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was broken: what came of it, the policies that refused it, and how many writes led up to it."""

    violation: Violation
    outcome: str
    because: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """By the rule that is meant, and by no other."""
        return self.outcome == "Denied" and self.because == (self.violation.policy,)


class Report(msgspec.Struct, kw_only=True):
    """What was seen, counted. Times are CPU seconds of this process."""

    tasks: int = 0
    equal: int = 0
    undone: int = 0
    restored: int = 0
    answers: list[Answered] = []
    broken: list[Broken] = []
    cohort_undone: int = 0
    """How many of everything the release ever did stand undone in the end."""
    cohort_restored: int = 0
    direct_s: float = 0.0
    gated_s: float = 0.0
    undo_s: float = 0.0

    def count(self, outcome: str, *, writes: bool) -> int:
        """How many recorded writes, or reads, came out so."""
        return sum(each.outcome == outcome and each.call.writes == writes for each in self.answers)

    @property
    def led_up(self) -> int:
        """How many writes led up to the violations."""
        return sum(len(each.violation.first) for each in self.broken)

    @property
    def strange(self) -> list[Answered]:
        """Calls that did not end as the benchmark recorded."""
        return [each for each in self.answers if not each.as_recorded]

    @property
    def good(self) -> bool:
        """Everything the benchmark must show."""
        return (
            not self.strange
            and self.equal == self.restored == self.tasks
            and self.undone == self.count("Done", writes=True)
            and all(each.refused for each in self.broken)
            and self.cohort_undone == self.undone + self.led_up
            and self.cohort_restored == len(self.broken)
        )


def measure(folder: Path, cases: tuple[data.Case, ...], console: Console) -> Report:
    """Play `cases` and break every rule, in `folder`."""
    report = Report()
    yardstick = Shop(folder / "direct.sqlite")
    yardstick.load(data.document())
    setting = prepared(folder)
    releases: set[str] = set()
    with interlock.open(setting.workspace, apply=True) as lock:
        for case in track(cases, "tasks", console=console, transient=True):
            releases.add(_play(report, lock, setting, yardstick, case))
        (release,) = releases
        _break(report, lock, setting, release)
    yardstick.close()
    return report


def _play(report: Report, lock: interlock.Client, setting: Setting, yardstick: Shop, case: data.Case) -> str:
    """Play, compare, undo, compare. Gives the release that acted."""
    began = time.process_time()
    direct.play(yardstick, case)
    report.direct_s += time.process_time() - began
    began = time.process_time()
    played = play(lock, case)
    report.gated_s += time.process_time() - began
    report.tasks += 1
    report.answers += played.answers
    report.equal += setting.shop.dump(case.state_key) == yardstick.dump(case.state_key)
    began = time.process_time()
    report.undone += lock.person(PERSON).undo(task=played.task_id, why=WHY).undone
    report.undo_s += time.process_time() - began
    report.restored += setting.shop.dump(case.state_key) == data.document_text()
    return played.release


def _break(report: Report, lock: interlock.Client, setting: Setting, release: str) -> None:
    state_keys: list[str] = []
    for place, violation in enumerate(violations()):
        state_keys.append(f"violation/{place}")
        outcome = violate(lock, violation, state_keys[-1])
        seen = Broken(violation=violation, outcome=type(outcome).__name__, because=because(outcome))
        report.broken.append(seen)
    report.cohort_undone = report.undone + lock.person(PERSON).undo(release=release, why=WHY).undone
    report.cohort_restored = sum(setting.shop.dump(key) == data.document_text() for key in state_keys)


def show(report: Report, console: Console) -> None:
    """The tables."""
    rows = {
        "tasks": report.tasks,
        "calls, writes among them": f"{len(report.answers)}, {sum(each.call.writes for each in report.answers)}",
        "writes done": report.count("Done", writes=True),
        "writes refused by policy": report.count("Denied", writes=True),
        "writes failed": report.count("Failed", writes=True),
        "reads done": report.count("Done", writes=False),
        "reads failed, as recorded": report.count("Failed", writes=False),
        "calls that did not end as recorded": len(report.strange),
        "databases equal to a direct run": f"{report.equal} of {report.tasks}",
        "writes undone, in reverse": report.undone,
        "databases as before, byte for byte": f"{report.restored} of {report.tasks}",
        "CPU of the direct run": f"{report.direct_s:.2f} s",
        "CPU of the gated run": f"{report.gated_s:.2f} s, {report.gated_s / report.direct_s:.1f} times the direct one",
        "CPU of undoing": f"{report.undo_s:.2f} s",
    }
    table = Table("", "", title="The retail benchmark through the gate", show_header=False)
    for name, value in rows.items():
        table.add_row(name, str(value))
    console.print(table)
    refused = Table("call", "recorded as", "refused by", title="Recorded calls that a policy refused")
    for each in report.answers:
        if each.because:
            refused.add_row(each.call.function, each.call.answer, ", ".join(each.because))
    console.print(refused)
    for each in report.strange:
        console.print(f"[red]not as recorded[/red]: {each.call.function} {each.call.arguments}: {each.said}")
    rules = Table("broken by", "came out", "refused by", title="Every hard rule, broken")
    for broken in report.broken:
        by = ", ".join(broken.because)
        told = by if broken.refused else f"[red]{by or 'nothing'}[/red], not {broken.violation.policy}"
        rules.add_row(broken.violation.function, broken.outcome, told)
    console.print(rules)
    console.print(
        f"{report.led_up} writes led up to them. With the release's whole cohort {report.cohort_undone} stand undone; "
        f"{report.cohort_restored} of {len(report.broken)} databases as before, byte for byte."
    )


def main() -> int:
    """Play, show, and say by the exit code whether all was as it should be."""
    console = Console(width=max(Console().width, 110))
    reason = data.missing()
    if reason is not None:
        console.print(f"skipped: {reason}")
        return 0
    with TemporaryDirectory() as folder:
        report = measure(Path(folder), data.cases(), console)
    show(report, console)
    outcomes = Counter(each.outcome for each in report.answers)
    console.print("[green]all as it should be[/green]" if report.good else f"[red]not as it should be[/red] {outcomes}")
    return 0 if report.good else 1
