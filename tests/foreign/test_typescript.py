"""The program in TypeScript that the documentation shows: checked by its compiler, run by node, against a real server."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import interlock
from tests.docs.blocks import blocks
from tests.foreign.programs import ask, brought, program

PAGE = Path(__file__).parents[2] / "docs/how-to/use-it-from-any-language.md"
STRICT = (
    *("--strict", "--noUncheckedIndexedAccess", "--noUnusedLocals", "--noUnusedParameters"),
    *("--target", "es2022", "--module", "nodenext", "--types", "node"),
)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, str]]:
    """`interlock serve` over a workspace that was just begun: its address, and what a program is recognised by."""
    cli = (sys.executable, "-m", "interlock")
    subprocess.run([*cli, "init", str(folder)], check=True, capture_output=True)
    with (folder / "interlock.yaml").open("a") as file:
        file.write("identity: {attest: [local, bootstrap]}\n")
    subprocess.run([*cli, "-w", str(folder), "apply"], check=True, capture_output=True)
    token = subprocess.run(
        [*cli, "-w", str(folder), "identity", "token", "keeper", "--as", "ana"],
        check=True,
        capture_output=True,
        text=True,
    )
    with subprocess.Popen(
        [*cli, "-w", str(folder), "--json", "serve", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        address = next(line.split('"')[3] for line in server.stdout if '"address"' in line)
        yield address, token.stdout.splitlines()[0]
        server.terminate()


@pytest.mark.proves("remote.any_language")
def test_the_example_is_sound_and_acts(tmp_path: Path) -> None:
    """It has 60 lines at most, no compiler's complaint, and no package but what its types are described by; it enrols,
    proposes, waits while a person decides, and closes, and its effect is done once."""
    (text,) = [each.text for each in blocks(PAGE.read_text()) if each.language == "typescript"]
    packages = brought("node/node_modules/typescript").parent
    (tmp_path / "code").mkdir()
    (tmp_path / "code/agent.ts").write_text(text)
    (tmp_path / "code/package.json").write_text('{"type": "module"}')
    shutil.copytree(packages / "@types", tmp_path / "code/node_modules/@types")
    shutil.copytree(packages / "undici-types", tmp_path / "code/node_modules/undici-types")
    checked = ask(program("node"), packages / "typescript/bin/tsc", *STRICT, "agent.ts", cwd=tmp_path / "code")

    assert len(text.splitlines()) <= 60
    assert checked.code == 0, checked.out

    with serving(tmp_path / "team") as (address, secret):
        running = subprocess.Popen(
            [program("node"), "agent.js", address, secret],
            cwd=tmp_path / "code",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stdout is not None
        action, state = running.stdout.readline().split()
        with interlock.open(tmp_path / "team") as client:
            client.person("ana").approve(action)
        said, wrong = running.communicate(timeout=60)
        with interlock.open(tmp_path / "team") as client:
            after = client.person("ana").action(action)

    assert state == "held"
    assert said.split()[:2] == [action, "done"], wrong
    assert "Buy gold" in said
    assert (after.state, after.idempotency_key, after.attempt) == ("done", "gold-8", 1)
