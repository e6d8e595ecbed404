"""The threat table points to tests that exist, and leaves no threat out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (T\d+) .*\| (.*) \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs/explanation/threat-model.md").read_text(encoding="utf-8"))


def test_every_threat_has_a_row() -> None:
    """T1 to the last, which is T18 at least, each once, in order."""
    assert len(ROWS) >= 18
    assert [name for name, _ in ROWS] == [f"T{n}" for n in range(1, len(ROWS) + 1)]


@pytest.mark.parametrize(("threat", "tests"), ROWS)
def test_every_row_points_to_tests_that_exist(threat: str, tests: str) -> None:
    """Each file is there, and defines the test it is named with."""
    named = re.findall(r"`([^`]+)`", tests)

    assert named
    for each in named:
        file, _, test = each.partition("::")
        assert (ROOT / file).is_file(), f"{threat}: {file}"
        assert not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{threat}: {each}"
