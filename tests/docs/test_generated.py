"""What the documentation draws from the code is what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from interlock.domain import errors
from interlock.domain.action import MEANING, MOVES, NEW
from interlock.domain.steps import STEPS
from scripts.errors import tree
from scripts.generate import DRAWINGS, ROOT, drawn, names, pages, stale

SECTIONS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in pages()}


@pytest.mark.parametrize("name", SECTIONS)
def test_drawn_sections_are_current(name: str) -> None:
    """A section that is drawn from code says what it would say if it were drawn now; else run `make docs`."""
    assert drawn(SECTIONS[name]) == SECTIONS[name]


def test_every_drawing_is_shown() -> None:
    """Nothing is drawn that no page shows."""
    assert set(DRAWINGS) == {name for text in SECTIONS.values() for name in names(text)}


def test_markers_are_well_formed() -> None:
    """Every marker belongs to a section: one that is misspelt or left open would never be drawn again."""
    for page, text in SECTIONS.items():
        opened = len(re.findall(r"<!-- *drawn", text))
        closed = len(re.findall(r"<!-- */ *drawn", text))
        assert opened == closed == len(names(text)), page


def test_a_stale_section_is_noticed(tmp_path: Path) -> None:
    """A section that was changed by hand is found, and nothing outside of it is touched."""
    page = tmp_path / "page.md"
    before, after = "words before\n\n<!-- drawn: births -->\n", "<!-- /drawn -->\n\nwords after\n"
    page.write_text(f"{before}old\n{after}")

    [(found, text)] = list(stale(tmp_path))

    assert found == page
    assert text == f"{before}{DRAWINGS['births']()}\n{after}"
    page.write_text(text)
    assert list(stale(tmp_path)) == []


def test_the_check_needs_no_test_runner() -> None:
    """`python -m scripts.generate --check` succeeds on a repository whose pages are current."""
    run = subprocess.run(
        [sys.executable, "-m", "scripts.generate", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr


def test_the_life_is_drawn_whole() -> None:
    """The picture has every state and every move of the table, the tables every state and step with its words."""
    picture = DRAWINGS["life"]()

    for state, moves in MOVES.items():
        for move, target in moves.items():
            line = next(
                line for line in picture.splitlines() if f"{'[*]' if state == NEW else state} --> {target}:" in line
            )
            assert move.replace("_", " ") in line
    assert all(f"`{state}` | {words}" in DRAWINGS["states"]() for state, words in MEANING.items())
    assert all(f"`{step.name}` | {step.leaves}" in DRAWINGS["steps"]() for step in STEPS)


def test_the_brief_picture_keeps_the_promise() -> None:
    """In the picture on the first page nothing leads to the untouched ends once the world may have been touched."""
    lines = DRAWINGS["life-in-brief"]().splitlines()
    into = {line.split()[0] for line in lines if line.endswith("--> untouched")}

    assert into == {"[*]", "held", "ready"}


def test_errors_are_drawn_as_they_are() -> None:
    """The tree at the top of `errors.py` names every error below the one whose fault it is, and codes are unique."""
    groups = dict(
        zip(("yours", "operator", "ours"), re.split("Yours|Operators|Ours", errors.__doc__ or "")[1:], strict=True)
    )
    kinds = list(tree(errors.InterlockError))

    for kind in kinds:
        assert re.search(rf"\b{kind.__name__}\b", groups[kind.fault]), kind.__name__
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(f"`{kind.code}`" in DRAWINGS["errors"]() for kind in kinds)
