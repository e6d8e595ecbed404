"""No test of the battery is left out."""

import re
from pathlib import Path

from tests.frameworks.promised import GOVERNED, ONCE, PAUSE, STEPS


def test_every_test_of_the_battery_is_run() -> None:
    """Each is named by one of the groups that every framework's file runs."""
    battery = Path(__file__).with_name("battery.py").read_text(encoding="utf-8")

    assert sorted(re.findall(r"def (test_\w+)", battery)) == sorted((*GOVERNED, *ONCE, *PAUSE, *STEPS))


def test_every_test_of_a_framework_is_run() -> None:
    """What a framework's own file has besides is named in the file that runs it."""
    here = Path(__file__).parent
    for inside in sorted(here.glob("*/in_*.py")):
        outside = (here / f"test_{inside.parent.name}.py").read_text(encoding="utf-8")
        left = [
            each for each in re.findall(r"def (test_\w+)", inside.read_text(encoding="utf-8")) if each not in outside
        ]
        assert left == [], inside
