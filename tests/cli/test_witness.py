"""`interlock witness` as the process it is: made, served, killed and served again."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from interlock.adapters.keys import fresh
from interlock.cli.app import app
from tests.services.test_witness import FORK, LOG, TRUE


@contextmanager
def served(folder: Path, *, kill: bool = False) -> Iterator[str]:
    """The witness in a process of its own, at its address; in the end it is stopped, or killed."""
    words = [sys.executable, "-m", "interlock", "witness", "serve", str(folder), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.send_signal(signal.SIGKILL if kill else signal.SIGINT)
            process.wait(20)


def _post(address: str, data: bytes) -> httpx.Response:
    return httpx.post(f"{address}add-checkpoint", content=data, timeout=20)


@pytest.mark.proves("witness.durable", "witness.evidence")
def test_a_killed_witness_goes_on_where_it_was(tmp_path: Path) -> None:
    """After a kill the witness, served again, refuses the fork and cosigns what continues; `show` lists both."""
    folder = tmp_path / "w"
    run = CliRunner()
    made = run.invoke(
        app, ["--json", "witness", "init", str(folder), "--name", "w.example/w1", "--log", LOG.verifier.vkey()]
    )
    assert made.exit_code == 0
    with served(folder, kill=True) as address:
        assert _post(address, TRUE.ask(0, 5)).status_code == 200
    with served(folder) as address:
        assert _post(address, FORK.ask(0, 5)).status_code == 409
        assert _post(address, TRUE.ask(5, 9)).status_code == 200
        assert httpx.get(address).text.strip() == json.loads(made.stdout)["vkey"]

    shown = json.loads(
        run.invoke(app, ["--json", "witness", "show", str(folder), "--evidence", str(tmp_path / "e")]).stdout
    )
    assert [(each["origin"], each["size"], each["evidence"]) for each in shown["logs"]] == [(LOG.verifier.name, 9, 1)]
    pair = (str(tmp_path / "e" / "0000-note.txt"), str(tmp_path / "e" / "0000-beside.txt"))
    assert run.invoke(app, ["log", "fork", *pair, "--key", LOG.verifier.vkey()]).exit_code == 4
    assert run.invoke(app, ["log", "fork", pair[0], pair[0], "--key", LOG.verifier.vkey()]).exit_code == 0
    assert run.invoke(app, ["log", "fork", *pair, "--key", "nonsense"]).exit_code == 2
    assert (tmp_path / "e" / "0000-note.txt").read_bytes() == FORK.note(5).encode()
    assert (tmp_path / "e" / "0000-beside.txt").read_bytes() == TRUE.note(5).encode()


def test_mistakes_are_said_in_words(tmp_path: Path) -> None:
    """What is no key of a log, no witness, or a witness already is refused with an exit code and a next step."""
    run, folder = CliRunner(), tmp_path / "w"
    assert run.invoke(app, ["witness", "init", str(folder), "--name", "w", "--log", "nonsense"]).exit_code == 2
    assert run.invoke(app, ["witness", "show", str(folder)]).exit_code == 3
    assert run.invoke(app, ["witness", "serve", str(folder)]).exit_code == 3
    assert run.invoke(app, ["witness", "init", str(folder), "--name", "w"]).exit_code == 0
    assert run.invoke(app, ["witness", "init", str(folder), "--name", "w"]).exit_code == 3
    assert run.invoke(app, ["witness", "trust", str(folder), LOG.verifier.vkey()]).exit_code == 0
    assert LOG.verifier.name in run.invoke(app, ["witness", "show", str(folder)]).stdout
    assert run.invoke(app, ["witness", "distrust", str(folder), LOG.verifier.vkey()]).exit_code == 0
    assert run.invoke(app, ["witness", "distrust", str(folder), LOG.verifier.vkey()]).exit_code == 1
    assert run.invoke(app, ["witness", "distrust", str(folder), "nonsense"]).exit_code == 2
    assert LOG.verifier.name not in run.invoke(app, ["witness", "show", str(folder)]).stdout


def test_a_gate_is_no_log_and_a_folder_without_a_witness_is_said(tmp_path: Path) -> None:
    """The key of a gate is refused by `init` and `trust`; a folder in which there is no witness is named, and none is made."""
    folder, run = tmp_path / "w", CliRunner()
    gate = fresh("default.interlock/log/gate").verifier.vkey()
    refused = run.invoke(app, ["witness", "init", str(folder), "--name", "w.example/w", "--log", gate])
    assert (refused.exit_code, "log.pub" in refused.stderr, folder.exists()) == (2, True, False)
    assert run.invoke(app, ["witness", "init", str(folder), "--name", "w.example/w"]).exit_code == 0
    assert run.invoke(app, ["witness", "trust", str(folder), gate]).exit_code == 2

    log = fresh("default.interlock/log").verifier.vkey()
    for words in (("show",), ("serve",), ("trust", log), ("distrust", log)):
        said = run.invoke(app, ["witness", words[0], str(tmp_path / "none"), *words[1:]])
        assert (said.exit_code, "there is no witness in" in said.stderr) == (3, True), words
    assert not (tmp_path / "none").exists()
