"""What each framework allows, from what the battery asks of it and what it cannot: two tables of the reference."""

import re
from pathlib import Path

from tests.frameworks.facts import FRAMEWORKS, Framework, locked

_BATTERY = Path(__file__).parent.parent / "tests" / "frameworks"
_TEST = re.compile(r"^    def test_(\w+)\(", re.MULTILINE)
_TIDIED = ("test_a_name_that_the_model_made_up_runs_nothing", "test_arguments_that_fit_no_contract_touch_nothing")
_ABOVE = {
    "battery_governed.py": "Nothing reaches a tool but through the gate",
    "battery_pausing.py": "The framework's pause is ours",
    "battery_once.py": "Whatever ends or repeats a run",
    "battery_hostile.py": "Whatever a model says, and whoever else is at work",
}


def frameworks() -> str:
    """A line each: how it is put under the gate, how it is run, and what becomes of a run that pauses or dies."""
    lines = [
        "| framework | tested in | one line | run by | pause | a killed run |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, each in FRAMEWORKS.items():
        ways = ", ".join(f"`{way}`" for way in each.ways)
        killed = "is resumed" if each.resumes else "is made anew, under a name"
        cells = (
            f"[{each.title}](../how-to/{each.page})",
            locked(name),
            f"`{each.line}`",
            ways,
            each.pause or "none: `wait` or `tell`",
            killed,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def battery() -> str:
    """A line a test of the battery, a column a framework, and below what is not so, and why."""
    notes: list[str] = []
    columns = [each.title.split(",")[0].removesuffix(" Agents SDK") for each in FRAMEWORKS.values()]
    lines = [f"| what holds | {' | '.join(columns)} |", f"| --- |{' --- |' * len(columns)}"]
    for file, title in _ABOVE.items():
        lines.append(f"| **{title}** |{' |' * len(columns)}")
        for test in _TEST.findall((_BATTERY / file).read_text(encoding="utf-8")):
            cells = [_cell(f"test_{test}", each, notes) for each in FRAMEWORKS.values()]
            lines.append(f"| {test.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"{number}. {note}" for number, note in enumerate(notes, 1))])


def _cell(test: str, framework: Framework, notes: list[str]) -> str:
    cannot, ends = framework.cannot.get(test), framework.ends.get(test)
    if test == "test_a_pause_is_not_pretended" and framework.pause:
        return ""
    tidied = framework.tidies if test in _TIDIED else ""
    if not (cannot or ends or tidied):
        return "yes"
    note = f"Nothing runs, but the agent does not go on: {ends}." if ends else f"{framework.title}: {cannot or tidied}."
    if note not in notes:
        notes.append(note)
    number = notes.index(note) + 1
    return f"no ({number})" if cannot else f"yes ({number})"
