"""A program that stands by is the program."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.standby import stands_by

HELD_S = 60
HELD = f"import time\nprint('told', flush=True)\ntime.sleep({HELD_S})\n"
"""A module of tools whose loading takes long."""


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (("check",), {}),
        (("--json", "actions"), {"INTERLOCK_WORKSPACE": "nowhere"}),
        (("actions", "--as", "wörd \N{RIGHT-TO-LEFT OVERRIDE}"), {"COLUMNS": "40"}),
    ],
)
def test_it_says_what_a_program_that_is_begun_says(
    words: tuple[str, ...], environment: dict[str, str], tmp_path: Path
) -> None:
    """Its output, its errors and its code are those of the installed program, in any folder and environment."""
    said = [
        subprocess.run(
            [*begun, *words], capture_output=True, check=False, cwd=tmp_path, env={**os.environ, **environment}
        )
        for begun in ([Path(sys.executable).with_name("interlock")], [stands_by() / "interlock"])
    ]

    assert said[0].args != said[1].args
    assert [(each.returncode, each.stdout, each.stderr) for each in said[:1]] == [
        (each.returncode, each.stdout, each.stderr) for each in said[1:]
    ]


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_when_its_caller_is_ended(sign: signal.Signals, tmp_path: Path) -> None:
    """A caller that is asked to end passes it on; one that is killed takes the process along."""
    program = stands_by() / "interlock"
    subprocess.run([program, "init"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "notes.py").write_text(HELD)
    began = time.monotonic()
    with subprocess.Popen([program, "apply"], cwd=tmp_path, stdout=subprocess.PIPE) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == b"told\n"
        caller.send_signal(sign)
        rest = caller.stdout.read()  # until the process itself is gone, too

    assert (rest, caller.returncode) == (b"", -sign)
    assert time.monotonic() - began < HELD_S
