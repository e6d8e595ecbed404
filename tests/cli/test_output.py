"""Whatever happens the program says it in one shape and ends with the code it documents, never with a traceback."""

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from interlock.cli.app import global_first
from interlock.cli.output import Exit
from tests.cli.shell import PATIENCE_S, Shell, program
from tests.workspaces import forget, workspace

STORE = ".interlock/interlock.db"
KEYS = ".interlock/keys"

TEST = """\
- name: {name}
  agent: ag
  contract: box.look
  args: {{word: x}}
  expect: {{verdict: allow}}
"""

MISTAKES: tuple[tuple[str, tuple[str, ...], Exit], ...] = (
    ("no command", (), Exit.USAGE),
    ("an unknown command", ("frobnicate",), Exit.USAGE),
    ("an unknown option", ("actions", "--colour"), Exit.USAGE),
    ("too few words", ("approve",), Exit.USAGE),
    ("no number", ("actions", "--limit", "many"), Exit.USAGE),
    ("a number too small", ("actions", "--limit", "0"), Exit.USAGE),
    ("an option without its word", ("actions", "--as"), Exit.USAGE),
    ("an unknown state", ("actions", "--state", "happy"), Exit.YOURS),
    ("an unknown action", ("show", "ffffffffffff"), Exit.YOURS),
    ("an unknown agent", ("run", "box.put", "--agent", "nobody"), Exit.YOURS),
    ("an unknown contract", ("run", "box.burn", "--agent", "ag"), Exit.YOURS),
    ("no JSON", ("run", "box.put", "--agent", "ag", "--args", "{"), Exit.USAGE),
    ("no object", ("run", "box.put", "--agent", "ag", "--args", "[1]"), Exit.USAGE),
    ("half a character", ("run", "box.look", "--agent", "ag", "--args", '{"word": "\\ud800"}'), Exit.USAGE),
    ("deep JSON", ("run", "box.put", "--agent", "ag", "--args", "[" * 100_000), Exit.USAGE),
    ("a huge number", ("run", "box.put", "--agent", "ag", "--args", '{"n": 1e400}'), Exit.USAGE),
    ("an unknown task", ("undo", "task:ffff", "--as", "rita"), Exit.YOURS),
    ("an unknown request", ("retry", "ffff", "--as", "rita"), Exit.YOURS),
    ("an undo for an empty reason", ("undo", "ffffffffffff", "--as", "rita", "--why", ""), Exit.USAGE),
    ("a brake for a blank reason", ("stop", "agent:ag", "--as", "rita", "--why", " "), Exit.USAGE),
    ("an edition for an empty reason", ("apply", "--why", ""), Exit.USAGE),
    ("another engine for an empty reason", ("policy", "engine", "cedarpy", "--as", "rita", "--why", ""), Exit.USAGE),
    ("a brake on nothing in particular", ("stop", "ag", "--as", "rita"), Exit.YOURS),
    ("no packet", ("verify", "--packet", "interlock.yaml"), Exit.YOURS),
    ("no such packet", ("verify", "--packet", "missing"), Exit.YOURS),
    ("a folder for a packet", ("verify", "--packet", "."), Exit.YOURS),
    ("no such checkpoint", ("verify", "--retained", "missing"), Exit.USAGE),
    ("a packet into nowhere", ("verify", "--keep", "missing/there"), Exit.OPERATOR),
    ("no workspace", ("-w", "/nowhere", "actions"), Exit.YOURS),
    ("a file for a workspace", ("-w", "interlock.yaml", "actions"), Exit.YOURS),
    ("init in a file", ("init", "interlock.yaml/below"), Exit.OPERATOR),
    ("init with a bad name", ("init", "new", "--name", "two words"), Exit.YOURS),
)


@pytest.mark.proves("cli.one_json_value")
@pytest.mark.parametrize(("what", "words", "code"), MISTAKES, ids=[each[0] for each in MISTAKES])
def test_a_mistake_is_said_and_no_traceback(shell: Shell, what: str, words: tuple[str, ...], code: Exit) -> None:
    """With `--json` one value on standard output and nothing else, from the real program; in words something is said, too."""
    del what
    coded = program(*words, "--json", folder=shell.place.folder)
    # Paths of `init` are relative to where one stands.
    plain = program(*words, folder=shell.place.folder) if words[:1] == ("init",) else shell(*words)

    assert (coded.code, plain.code) == (code, code)
    value = json.loads(coded.out)
    assert value.keys() == {"error"} or value["state"] == "refused"
    assert "Traceback" not in coded.err + plain.err + plain.out
    assert plain.err or plain.out


def test_words_that_are_no_text_are_refused(shell: Shell) -> None:
    """An argument that is not UTF-8 is a usage error, wherever it stands."""
    for words in ((b"show", b"a\xff"), (b"run", b"box.look", b"--agent", b"ag", b"--args", b'{"word": "\xe9"}')):
        said = program(*words, b"--json", folder=shell.place.folder)
        assert (said.code, said.json()["error"]["code"]) == (Exit.USAGE, "usage")
    named = program("actions", folder=shell.place.folder, env={"INTERLOCK_PERSON": os.fsdecode(b"\xff")})
    assert named.code == Exit.USAGE


Damage = Callable[[Path], None]


def _locked(folder: Path) -> None:
    connection = apsw.Connection(str(folder / STORE))
    connection.execute("BEGIN EXCLUSIVE")
    HELD.append(connection)


HELD: list[apsw.Connection] = []


def _newer(folder: Path) -> None:
    connection = apsw.Connection(str(folder / STORE))
    connection.pragma("user_version", 999)
    connection.close()


def _corrupt(folder: Path) -> None:
    (folder / STORE).write_bytes(b"this is no database" * 400)


def _exchanged(folder: Path) -> None:
    other = folder / "other"
    program("init", str(other), folder=folder)
    shutil.rmtree(folder / KEYS)
    (other / KEYS).rename(folder / KEYS)


TROUBLE: tuple[tuple[str, Damage, str], ...] = (
    ("no keys", lambda folder: shutil.rmtree(folder / KEYS), "key"),
    ("half the keys", lambda folder: (folder / KEYS / "log.key").unlink(), "key"),
    ("open keys", lambda folder: (folder / KEYS / "log.key").chmod(0o644), "key"),
    ("other keys", _exchanged, "key"),
    ("a newer store", _newer, "store_too_new"),
    ("a store that is none", _corrupt, "store_corrupt"),
    ("a locked store", _locked, "store_busy"),
    ("a store in a file", lambda folder: _moved(folder, "interlock.yaml/store.db"), "store"),
)


def _moved(folder: Path, store: str) -> None:
    with (folder / "interlock.yaml").open("a") as file:
        file.write(f"store: {store}\n")


@pytest.mark.proves("cli.trouble_is_named")
@pytest.mark.parametrize(("what", "damage", "code"), TROUBLE, ids=[each[0] for each in TROUBLE])
def test_trouble_of_the_installation_is_named(shell: Shell, what: str, damage: Damage, code: str) -> None:
    """Keys, store and disk: the operator is told which and what to do, nothing runs, and the exit code is theirs."""
    del what
    damage(shell.place.folder)
    said = program("run", "box.put", "--agent", "ag", "--args", '{"n": 1}', "--json", folder=shell.place.folder)
    while HELD:
        HELD.pop().close()

    assert (said.code, "Traceback" in said.err) == (Exit.OPERATOR, False), said
    error = said.json()["error"]
    assert error["code"].startswith(code)
    assert error["next"]
    assert shell.place.effects() == []


def test_a_reader_that_goes_away_is_no_error(shell: Shell) -> None:
    """`interlock actions | head -1` ends well, in words and in JSON, however much was to come."""
    for n in range(3):
        shell.proposed(n)
    for more in ("", " --json"):
        pipe = f"{sys.executable} -m interlock actions{more} | true"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", pipe],
            cwd=shell.place.folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        closed = subprocess.run(
            ["bash", "-c", f"{sys.executable} -m interlock actions{more} >&-"],
            cwd=shell.place.folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert "Traceback" not in closed.stderr


@pytest.mark.parametrize("json_too", [False, True])
def test_ctrl_c_ends_a_worker_well(shell: Shell, json_too: bool) -> None:
    """A worker that is interrupted, in a tool that takes long, ends at once, with 0, and says what it did."""
    waiting = shell.json("run", "box.put", "--agent", "ag", "--args", '{"n": 500, "wait_ms": 10000}', code=Exit.WAITING)
    shell("approve", waiting["id"], "--as", "rita")
    words = [sys.executable, "-m", "interlock", "work", *(["--json"] if json_too else [])]
    worker = subprocess.Popen(words, cwd=shell.place.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + PATIENCE_S
    while shell.state(waiting["id"]) != "dispatching":
        assert time.monotonic() < until
        time.sleep(0.02)
    worker.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, err = worker.communicate(timeout=PATIENCE_S)

    assert (worker.returncode, err) == (0, "")
    assert time.monotonic() - began < 5
    assert json.loads(out)["driven"] in (0, 1) if json_too else "stopped" in out


def test_ctrl_c_while_waiting_says_so(shell: Shell) -> None:
    """`run --wait` that is interrupted ends with 130 and, for programs, one JSON value."""
    words = ["run", "box.put", "--agent", "ag", "--args", '{"n": 500}', "--wait", "60s", "--json"]
    waiting = subprocess.Popen(
        [sys.executable, "-m", "interlock", *words],
        cwd=shell.place.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + PATIENCE_S
    while not shell.json("actions"):
        assert time.monotonic() < until
        time.sleep(0.02)
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate(timeout=PATIENCE_S)

    assert (waiting.returncode, json.loads(out)["error"]["code"], err) == (Exit.INTERRUPTED, "interrupted", "")


LOADING = """
import os, signal, sys
from importlib.abc import MetaPathFinder

class Impatient(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Impatient())
sys.argv = ["interlock", *{words}]
from interlock.cli import main
main()
"""
"""The program, and Ctrl-C at the moment when it loads a certain module."""


@pytest.mark.parametrize(
    "module", ["interlock.cli.app", "typer", "interlock.bootstrap.connecting", "interlock.cli.system"]
)
@pytest.mark.parametrize("words", [("check",), ("policy", "test"), ("check", "--json")])
def test_ctrl_c_while_it_is_loaded_says_so(shell: Shell, module: str, words: tuple[str, ...]) -> None:
    """Whoever is quicker than the program's own imports reads what every other reads, and no traceback."""
    code = LOADING.format(module=module, words=list(words))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=shell.place.folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip

    assert done.returncode == Exit.INTERRUPTED
    if "--json" in words:
        assert (json.loads(done.stdout)["error"]["code"], done.stderr) == ("interrupted", "")
    else:
        assert done.stdout == ""
        assert done.stderr.splitlines()[0] == "error stopped by Ctrl-C"
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("check",), ("apply",), ("policy", "test"), ("check", "--json")])
def test_ctrl_c_while_tools_are_loaded_says_so(shell: Shell, words: tuple[str, ...]) -> None:
    """Ctrl-C while somebody's own modules are imported ends every command alike, and nothing was done."""
    shell.place.change(f"{shell.place.module}.py", lambda text: text + "\nimport os, signal\nos.kill(os.getpid(), 2)\n")
    said = program(*words, folder=shell.place.folder)

    assert (said.code, "Traceback" in said.err) == (Exit.INTERRUPTED, False)
    assert "stopped" in said.out + said.err


def test_a_narrow_terminal_keeps_what_is_copied(shell: Shell) -> None:
    """At 80 columns no line is longer, and ids, times and states are not broken."""
    action = shell.proposed(500)
    for words in (["actions"], ["show", action], ["show", "box.put"], ["retry"]):
        text = _on_a_terminal([sys.executable, "-m", "interlock", *words], shell.place.folder)
        lines = text.splitlines()
        assert max(len(line) for line in lines) <= 80, words
        assert words[-1] in ("box.put", "retry") or action[-12:] in text


def _on_a_terminal(words: list[str], folder: Path) -> str:
    """What a program prints on a terminal of 80 columns, without colours."""
    main, side = pty.openpty()
    env = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    started = subprocess.Popen(words, cwd=folder, stdin=side, stdout=side, stderr=side, env=env)
    os.close(side)
    read = bytearray()
    with contextlib.suppress(OSError):  # how a terminal says that its last program has gone
        while piece := os.read(main, 65536):
            read += piece
    os.close(main)
    assert started.wait(PATIENCE_S) == 0
    return read.decode()


PICTURES = ":fire: :100: [bold]b[/bold]"
"""Words that rich makes pictures and colours of, unless it is told not to."""


def test_words_are_shown_as_they_are(shell: Shell) -> None:
    """Whatever somebody else wrote, every command prints it letter by letter: `:100:` is no picture, `[bold]` no colour."""
    place, quoted = shell.place, json.dumps(PICTURES)
    held = shell.proposed(500, "--purpose", PICTURES)
    shell("reject", held, "--note", PICTURES, "--as", "rita")
    place.change("interlock.yaml", lambda text: text + "publishing: {persons: 2}\n")
    shell("apply")
    place.change("policies/all.cedar", lambda text: text.replace('"more than a hundred"', quoted))
    place.write("policies/tests/t.yaml", TEST.format(name=quoted))
    proposed = shell.json("apply", "--why", PICTURES, "--as", "rita", code=Exit.WAITING)["publication"]
    place.write("policies/tests/u.yaml", TEST.format(name=quoted).replace("verdict: allow", "verdict: deny"))
    look = shell.json("run", "box.look", "--agent", "ag", "--args", json.dumps({"word": PICTURES}))["id"]
    commands: tuple[tuple[str, ...], ...] = (
        ("show", held),
        ("show", look),
        ("packet", look),
        ("packet", held),
        ("actions",),
        ("policy", "test"),
        ("policy", "review", proposed),
        ("policy", "explain", look),
        ("policy", "try", "box.look", "--agent", "ag", "--args", json.dumps({"word": PICTURES})),
        ("policy", "accept", proposed, "--as", PICTURES),
        ("run", PICTURES, "--agent", "ag"),
        ("show", PICTURES),
        ("actions", "--state", PICTURES),
        ("policy", "try", "box.look", "--agent", PICTURES),
        ("policy", "new", PICTURES),
    )
    for words in commands:
        said = shell(*words)
        assert PICTURES in said.out + said.err, (words, said)


def test_a_place_is_shown_as_it_is(shell: Shell) -> None:
    """The line 100 of a file is no picture of a hundred."""
    lines = "\n" * 94
    shell.place.change("policies/all.cedar", lambda text: f"{text}{lines}permit(principal, action, resource) oops;")
    place = next(line for line in shell("check").out.splitlines() if "error" in line).partition(" ")[0]

    assert place.startswith("policies/all.cedar:100:"), place
    for words in (("check",), ("policy", "lint"), ("policy", "test"), ("apply",)):
        said = shell(*words)
        assert place.removeprefix("policies/").rstrip(":") in said.out + said.err, (words, said)


def test_completion_knows_the_commands(shell: Shell) -> None:
    """A shell that asks is told the commands that begin so."""
    asked = {"_INTERLOCK_COMPLETE": "complete_bash", "COMP_WORDS": "interlock ap", "COMP_CWORD": "1"}
    said = program(folder=shell.place.folder, env=asked)

    assert sorted(said.out.split()) == ["apply", "approvals", "approve"]


def test_global_options_may_stand_anywhere() -> None:
    """They are moved to the front, with their word; after `--`, and inside other words, nothing is."""
    for given, meant in (
        ("approve a --as ana --json", "--as ana --json approve a"),
        ("show -w there a", "-w there show a"),
        ("--as=ana stop all", "--as=ana stop all"),
        ("show -- --json", "show -- --json"),
        ("approve a --as", "--as"),
        ("approve a --as --json", "--json --as"),
    ):
        assert global_first(given.split()) == meant.split()


@pytest.mark.proves("cli.exit_codes")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("verify", "--max-age", "1h"), Exit.USAGE),
        (("verify", "--max-age", "3600"), Exit.USAGE),
        (("verify", "--packet", "people.yaml", "--retained", "people.yaml"), Exit.USAGE),
        (("verify", "--policy", "people.yaml"), Exit.USAGE),
        (("verify", "--packet", "people.yaml"), Exit.YOURS),
        (("log", "check", "people.yaml"), Exit.YOURS),
        (("audit", "verify", "people.yaml"), Exit.YOURS),
        (("verify", "--keep", "no/where"), Exit.OPERATOR),
        (("log", "head", "--out", "no/where"), Exit.OPERATOR),
        (("log", "publish", "/proc/none/x"), Exit.OPERATOR),
        (("audit", "export", "/proc/none/x"), Exit.OPERATOR),
    ],
)
def test_a_mistake_of_one_kind_has_one_code(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: Exit
) -> None:
    """What cannot be read as what it must be, what is brought wrongly, and what cannot be written: each the same everywhere."""
    monkeypatch.chdir(shell.place.folder)

    assert shell(*words).code == code


@pytest.mark.proves("cli.exit_codes")
def test_no_store_is_one_code_whoever_needs_it(tmp_path: Path) -> None:
    """Also where keys are to be replaced or retired: 3, and nothing is changed."""
    place = workspace(tmp_path)
    shell = Shell(place)
    by = ("--as", "rita", "--why", "x")
    for words in (
        ("actions",),
        ("tasks",),
        ("keys", "rotate", *by),
        ("keys", "retire", "k", "--compromised", "--since", "1", *by),
    ):
        assert shell.json(*words, code=3)["error"]["code"] == "store_missing", words
    forget(place)
