"""A program killed with SIGKILL inside tools that only it has, and a worker that knows nothing of them in another process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from interlock.bootstrap.connecting import connect
from interlock.domain.action import Action
from interlock.ports.store import ActionQuery
from interlock.worker import Worker
from tests.cli.shell import Shell
from tests.workspaces import AGENT, Place, forget, workspace

FINDING = """\
from pathlib import Path

import interlock


def find(call: interlock.Call) -> interlock.Landed | None:
    lines = (Path(__file__).parent / "own.txt").read_text().splitlines()
    return interlock.Landed(7) if any(call.idempotency_key in line for line in lines) else None
"""
PROGRAM = """\
import json, os, signal, sys, threading
from pathlib import Path

import finding
import interlock

HERE = Path(__file__).parent
TOGETHER = threading.Barrier(3, action=lambda: os.kill(os.getpid(), signal.SIGKILL))


def own(name, **said):
    @interlock.tool(
        name=name, effect="write", risk="low", timeout_ms=1_000, **said,
        reversal=interlock.Reversal(contract="box.take", arguments={"n": 1}),
    )
    def tool(n: int, call: interlock.Call) -> int:
        with (HERE / "own.txt").open("a") as file:
            file.write(f"{call.idempotency_key} {call.attempt}\\n")
        if sys.argv[1] == "dies":
            TOGETHER.wait()
        return 7

    return tool


TOOLS = [
    own("own.keyed", idempotency=interlock.Keyed(retention_ms=interlock.HOUR)),
    own("own.blind"),
    own("own.asked", idempotency=interlock.Lookup(quarantine_ms=0), lookup=finding.find),
]
SAID = {}


def proposed(tool):
    outcome = task.propose(tool, n=1, idempotency_key=tool.contract.name)
    if isinstance(outcome, interlock.Unknown):
        outcome = outcome.ticket.wait(timeout_ms=200)
    SAID[tool.contract.name] = type(outcome).__name__


with interlock.open(HERE, tools=TOOLS) as client, client.task("solo", purpose="test") as task:
    task.propose("box.look", word="x")  # whatever is slow the first time
    if sys.argv[1] == "dies":
        threads = [threading.Thread(target=proposed, args=(each,)) for each in TOOLS]
        [each.start() for each in threads]
        [each.join() for each in threads]
    [proposed(each) for each in TOOLS]
    print(json.dumps(SAID))
"""


def program(place: Place, role: str) -> subprocess.CompletedProcess[str]:
    """It, to its end."""
    return subprocess.run(
        [sys.executable, "program.py", role], cwd=place.folder, capture_output=True, text=True, timeout=60, check=False
    )


async def worked(folder: Path) -> dict[str, Action]:
    """How everything stands once a worker of this process has nothing left to do, by contract."""
    plane = connect(folder)
    try:
        ends = time.monotonic() + 20
        while True:
            await Worker(plane).run(until_idle=True)
            found: dict[str, Action] = {each.contract: each for each in await plane.means.store.actions(ActionQuery())}
            found.pop("box.look")
            if all(each.state != "dispatching" and (each.due_at is None or each.place) for each in found.values()):
                return found
            assert time.monotonic() < ends, found
            await anyio.sleep(0.05)
    finally:
        await plane.close()


@pytest.mark.proves("execution.left_behind")
def test_a_program_that_was_killed_in_its_own_tools(tmp_path: Path) -> None:
    """A worker of another process finds what can be asked and says of the rest that nobody knows; the program that comes back
    repeats the keyed one alone, under its key; and both verifiers find every step of it."""
    place = workspace(tmp_path)
    place.change("interlock.yaml", lambda text: text.replace("lease_margin: 1s", "lease_margin: 300ms"))
    place.write(
        "agents/solo.yaml",
        AGENT.format(name="solo", stage="partial", capabilities="box.look, own.keyed, own.blind, own.asked"),
    )
    place.write("finding.py", FINDING)
    place.write("program.py", PROGRAM)
    died = program(place, "dies")
    assert died.returncode == -signal.SIGKILL, died.stderr
    left = anyio.run(worked, tmp_path)
    back = program(place, "returns")

    assert {name: each.state for name, each in left.items()} == {
        "own.keyed": "unknown",
        "own.blind": "unknown",
        "own.asked": "done",
    }
    assert json.loads(back.stdout) == {"own.keyed": "Done", "own.blind": "Unknown", "own.asked": "Done"}, back.stderr
    assert sorted((tmp_path / "own.txt").read_text().split("\n")) == [
        "", "own.asked 1", "own.blind 1", "own.keyed 1", "own.keyed 2",
    ]  # fmt: skip
    shell = Shell(place)
    assert shell("verify").code == 0
    assert shell("audit", "export", str(tmp_path / "made")).code == 0
    assert (
        shell("audit", "verify", str(tmp_path / "made"), "--key", str(tmp_path / ".interlock/keys/log.pub")).code == 0
    )
    forget(place)
