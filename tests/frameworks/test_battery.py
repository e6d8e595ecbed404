"""No test of the battery is left out, and the table of the reference is what it says."""

import re
from pathlib import Path

from tests.frameworks.facts import FRAMEWORKS, locked

HERE = Path(__file__).parent
GROUPS = {"governed", "hostile", "once", "pause", "retries", "steps"}
"""Those that `test_adapters.py` runs."""
ONE = re.compile(
    r"^    @pytest\.mark\.(\w+)\n(?:    @pytest(?:.*\n(?!    def))*.*\n)?    def (test_\w+)\(", re.MULTILINE
)


def test_every_test_is_in_a_group_that_is_run() -> None:
    """Each test of the battery, and each that a framework has besides, is marked as one of the groups."""
    assert set(re.findall(r'passes\((?:name|"\w+"), "(\w+)"\)', (HERE / "test_adapters.py").read_text())) == GROUPS
    for file in (*HERE.glob("battery_*.py"), *(HERE / name / f"in_{name}.py" for name in FRAMEWORKS)):
        text = file.read_text(encoding="utf-8")
        marked = {name for group, name in ONE.findall(text) if group in GROUPS}
        assert marked == set(re.findall(r"^    def (test_\w+)\(", text, re.MULTILINE)), file


def test_every_test_of_model_calls_is_run() -> None:
    """What is asked by OpenAI's client is named in the file that runs it."""
    inside = (HERE / "openai" / "in_openai.py").read_text(encoding="utf-8")
    outside = (HERE / "test_openai.py").read_text(encoding="utf-8")
    assert [each for each in re.findall(r"def (test_\w+)", inside) if each not in outside] == []


def test_what_a_framework_cannot_is_asked_of_the_others() -> None:
    """Facts name tests of the battery; of each of those there is a framework that can."""
    tests = {name for file in HERE.glob("battery_*.py") for _, name in ONE.findall(file.read_text(encoding="utf-8"))}
    for each in FRAMEWORKS.values():
        assert tests >= {*each.cannot, *each.ends}, each.title
    assert all(any(test not in each.cannot for each in FRAMEWORKS.values()) for test in tests)


def test_versions_are_those_of_the_locks() -> None:
    """Each page of a framework names the version that its environment is locked to."""
    for name, each in FRAMEWORKS.items():
        page = (HERE.parents[1] / "docs" / "how-to" / each.page).read_text(encoding="utf-8")
        assert re.search(rf"\b{re.escape('.'.join(locked(name).split('.')[:2]))}\b", page), (name, locked(name))
