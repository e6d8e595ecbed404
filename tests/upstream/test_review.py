"""`interlock server review` at a keyboard: what is said yes to is accepted, and nothing else."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.cli.shell import Shell
from tests.upstream.reaching import HERE
from tests.workspaces import forget, workspace

PATIENCE_S = 20
# The terminal becomes the one that Ctrl-C is typed at; then it is the program as it is installed.
BEGIN = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
CTRL_C, CTRL_D = b"\x03", b"\x04"


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A workspace whose server says other things of two tools than what was accepted."""
    folder = tmp_path_factory.mktemp("review")
    place = workspace(folder)
    shell = Shell(place)
    program = folder / "kit_server.py"
    shutil.copy(HERE / "kit_server.py", program)
    place.write("servers/kit.yaml", f"stdio: {{command: [{sys.executable}, {program}]}}\nowner: lead\n")
    assert shell("server", "pin", "kit", "--yes").code == 0
    text = program.read_text()
    program.write_text(text.replace("Add two numbers.", "Add.").replace("Write a line down.", "Write it. \\x1b[2J"))
    yield shell
    forget(place)


def review(shell: Shell, *typed: bytes) -> tuple[int, str]:
    """Type each of these when it is asked for. What is seen, and the exit code."""
    ours, theirs = pty.openpty()
    words = [
        sys.executable,
        "-c",
        BEGIN,
        "-m",
        "interlock",
        "-w",
        str(shell.place.folder),
        "--as",
        "rita",
        "server",
        "review",
        "kit",
    ]
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        seen, left, until = b"", list(typed), time.monotonic() + PATIENCE_S
        asked = 0
        while time.monotonic() < until and select.select([ours], [], [], until - time.monotonic())[0]:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # Linux says so when the other side is closed
                break
            seen += part
            if left and seen.count(b"[y/N]") > asked:
                asked += 1
                os.write(ours, left.pop(0))
        os.close(ours)
        code = process.wait(PATIENCE_S)
    return code, seen.decode(errors="replace")


def differs(shell: Shell) -> list[str]:
    """The tools that are not as they were accepted."""
    found = shell("server", "diff", "kit", "--json")
    return [each["tool"] for each in found.json()["changes"]]


@pytest.mark.proves("upstream.reviewed")
@pytest.mark.parametrize(
    "typed",
    [
        pytest.param((b"y\n", CTRL_C), id="yes, interrupted"),
        pytest.param((b"y\n", CTRL_D), id="yes, end of input", marks=pytest.mark.slow),
        pytest.param((b"what\n", b"n\n", b"\n"), id="not understood, no, no word", marks=pytest.mark.slow),
    ],
)
def test_nothing_is_accepted_that_nobody_agreed_to(changed: Shell, typed: tuple[bytes, ...]) -> None:
    """No, no word, Ctrl-C and the end of input accept nothing, not even what was said yes to before; what hides in a description
    is seen and moves no cursor."""
    before = (changed.place.folder / "servers/kit.pinned.json").read_bytes()
    code, seen = review(changed, *typed)

    assert code == 6
    assert "nothing was accepted" in seen
    assert "Traceback" not in seen
    assert "\x1b[2J" not in seen
    assert (changed.place.folder / "servers/kit.pinned.json").read_bytes() == before


@pytest.mark.proves("upstream.reviewed")
def test_what_was_said_yes_to_is_accepted(changed: Shell) -> None:
    """One yes and one no accept one tool."""
    pins = changed.place.folder / "servers/kit.pinned.json"
    before = pins.read_bytes()
    code, seen = review(changed, b"n\n", b"y\n")

    assert code == 0, seen
    assert "accepted\x1b[0m note" in seen
    assert differs(changed) == ["add"]
    pins.write_bytes(before)


@pytest.mark.slow
def test_a_review_asks_about_what_differs_and_nothing_else(changed: Shell) -> None:
    """What is accepted already is not asked about; where nothing differs nothing is asked."""
    pins = changed.place.folder / "servers/kit.pinned.json"
    before = pins.read_bytes()
    assert changed("server", "accept", "kit", "note").code == 0
    assert review(changed, b"y\n")[1].count("[y/N]") == 1
    code, seen = review(changed)

    assert (code, seen.count("[y/N]")) == (0, 0)
    assert "says what was accepted" in seen
    pins.write_bytes(before)


def test_without_a_keyboard_it_says_what_to_do(changed: Shell) -> None:
    """Where nobody can be asked it is not guessed what they would say."""
    found = changed("server", "review", "kit")
    assert found.code == 2
    assert "interlock server accept kit TOOL" in found.err


@pytest.mark.proves("upstream.drift_accepted")
def test_what_cannot_be_written_down_is_not_accepted(changed: Shell) -> None:
    """Where the log cannot be written, the file of what was accepted stays as it was."""
    pins = changed.place.folder / "servers/kit.pinned.json"
    key = changed.place.folder / ".interlock/keys/gate.key"
    before = pins.read_bytes()
    aside = key.rename(key.with_suffix(".aside"))
    try:
        found = changed("server", "accept", "kit", "note")
    finally:
        aside.rename(key)

    assert found.code not in (0, 6)
    assert "gate" in found.err
    assert pins.read_bytes() == before
