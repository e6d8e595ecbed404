"""A call that was listened to, made again by another process."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from interlock.domain.ids import AgentName, ContractName
from interlock.domain.presented import Presented
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.embedded import Embedded
from interlock.ports.store import ActionQuery
from tests.e2e.kit import connect, definition, identity_of

pytestmark = pytest.mark.anyio
AGAIN = """
import asyncio, sys
from pathlib import Path
import msgspec
from interlock.domain.presented import Presented
from interlock.domain.proposal import Proposal
from interlock.domain.task import Task
from tests.e2e.kit import connect

async def main() -> None:
    folder = Path(sys.argv[1])
    heard = msgspec.json.decode((folder / "heard").read_bytes(), type=Presented)
    task = msgspec.json.decode((folder / "task").read_bytes(), type=Task)
    plane = connect(folder, worker="thief")
    proposal = Proposal(task=task, contract="keyed.add", arguments={"name": "x", "n": 1}, presented=heard, here=False)
    action = await plane.gate.propose(proposal)
    print(action.state, action.reasons[0] if action.reasons else "")
    await plane.means.store.close()

asyncio.run(main())
"""


async def test_a_call_is_not_made_again_by_another_process(tmp_path: Path) -> None:
    """What one process presented is refused to another, and to one that comes after both have ended."""
    plane = connect(tmp_path, worker="w1")
    await plane.registry.apply(definition(), by="e2e")
    embedded = Embedded(plane)
    task: Task = await embedded.open_task(Opening(agent=AgentName("ag"), purpose="e2e", initiator="user:ana"))
    contract = ContractName("keyed.add")
    proposal = Proposal(task=task, contract=contract, arguments={"name": "x", "n": 1}, here=False)
    proposal = await identity_of(plane).presented(proposal)
    assert isinstance(proposal.presented, Presented)
    first = await embedded.propose(proposal)
    (tmp_path / "heard").write_bytes(msgspec.json.encode(proposal.presented))
    (tmp_path / "task").write_bytes(msgspec.json.encode(task))

    said = [again(tmp_path)]
    await plane.means.store.close()
    said.append(again(tmp_path))

    assert first.state == "ready"
    assert said == ["refused interlock.proof_replayed"] * 2
    after = connect(tmp_path, worker="w2")
    assert len(await after.means.store.actions(ActionQuery(states=("ready",)))) == 1
    await after.means.store.close()


def again(folder: Path) -> str:
    """The same call, made by a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, str(folder)], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()
