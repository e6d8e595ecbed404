"""A call that was listened to, made again by another process."""

import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import msgspec
import pytest

from interlock.domain.asking import settle_call
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.presented import REFUSALS, Presented
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.domain.use import MODEL_USE, Asked, TokenCount
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
    task: Task = await plane.tasks.open(Opening(agent=AgentName("ag"), purpose="e2e", initiator="user:ana"))
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


SETTLES = """
import asyncio, sys
from pathlib import Path
import msgspec
from interlock.domain.errors import NotAllowed
from interlock.domain.presented import Presented
from interlock.domain.use import TokenCount
from interlock.embedded import Embedded
from tests.e2e.dying import dies
from tests.e2e.kit import connect

async def main() -> None:
    folder, use, when = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    heard = msgspec.json.decode((folder / "heard").read_bytes(), type=Presented)
    plane = connect(folder, worker="another")
    if when:
        dies(plane.means.store, when, 1)
    try:
        print((await Embedded(plane).settle_use(use, heard, TokenCount(input=1, output=1))).state)
    except NotAllowed as error:
        print(error.detail)
    await plane.means.store.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("when", ["within", "after"])
async def test_what_was_settled_before_a_kill_is_not_settled_again(tmp_path: Path, when: str) -> None:
    """Killed within the commit nothing is settled and the proof still counts, once; right after it both are spent."""
    plane = connect(tmp_path, worker="w1")
    await plane.registry.apply(definition(), by="e2e")
    identity = identity_of(plane)
    task = await plane.tasks.open(Opening(agent=AgentName("ag"), purpose="e2e", initiator="user:ana"))
    asked = Asked(model="m", tokens=TokenCount(input=5, output=5))
    use = await plane.uses.begin(
        await identity.presented(Proposal(task=task, contract=MODEL_USE, arguments=asked.arguments))
    )
    shown = await identity.still(task.agent, partial(settle_call, use.id, TokenCount(input=1, output=1)))
    (tmp_path / "heard").write_bytes(msgspec.json.encode(shown))
    await plane.means.store.close()

    killed = settles(tmp_path, use.id, when)
    said = [settles(tmp_path, use.id, "").stdout.strip() for _ in range(1 if when == "after" else 2)]

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert said[:-1] == ([] if when == "after" else ["settled"])
    assert said[-1] == REFUSALS["proof_replayed"].words
    after = connect(tmp_path, worker="w2")
    assert (await after.uses.of(use.id)).state == "settled"
    await after.means.store.close()


def settles(folder: Path, use: str, when: str) -> subprocess.CompletedProcess[str]:
    """A process that says what the use took, as it was heard; killed at its commit, or not."""
    words = [sys.executable, "-c", SETTLES, str(folder), use, when]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
