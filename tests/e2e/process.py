"""The processes that are killed and those that come after them. `python -m tests.e2e.process ROLE FOLDER ...`.

Roles: `agent CONTRACT N [STEP NTH]` proposes one action and drives it. `undo ACTION [STEP NTH]` undoes it. `approve ACTION`
gives rita's word. `work [STEP NTH]` works until nothing more will ever fall due. Each prints one JSON line at the end, if it
lives that long.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import anyio

from interlock.domain.action import Action
from interlock.domain.ids import ActionId, AgentName, ContractName, Person
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening
from interlock.embedded import Embedded
from interlock.ports.store import ActionQuery
from interlock.services.plane import ControlPlane
from interlock.worker import Worker
from tests.e2e.kit import Deadly, connect, definition, identity_of

PATIENCE_S = 20


async def agent(plane: ControlPlane, contract: str, n: int) -> object:
    """Propose one action under a fixed key, so that coming back finds it again."""
    await plane.registry.apply(definition(), by="e2e")
    embedded = Embedded(plane)
    task = await plane.tasks.open(Opening(agent=AgentName("ag"), purpose="e2e", initiator="user:ana"))
    proposal = Proposal(
        task=task,
        contract=ContractName(contract),
        arguments={"name": "x", "n": n},
        idempotency_key=f"once:{contract}:{n}",
    )
    action = await embedded.propose(await identity_of(plane).presented(proposal))
    return {"id": action.id, "state": action.state, "task": task.id}


async def undo(plane: ControlPlane, action: str) -> object:
    """Ask for one action to be undone, and go as far as this process gets."""
    request = await plane.compensation.undo("action", action, by="rita", why="e2e")
    request = await plane.compensation.advance(request)
    return {"state": request.state}


async def approve(plane: ControlPlane, action: str) -> object:
    """Rita's yes."""
    after = await plane.approvals.approve(ActionId(action), Person("rita"))
    return {"state": after.state}


async def work(plane: ControlPlane) -> object:
    """Work until nothing is left that a machine will ever do."""
    with anyio.fail_after(PATIENCE_S):
        while True:
            await Worker(plane).run(until_idle=True)
            actions = await plane.means.store.actions(ActionQuery(limit=100))
            if all(each.due_at is None for each in actions if each.state != "held"):
                return {"states": {each.id: each.state for each in actions}}
            await anyio.sleep(0.05)


async def state(plane: ControlPlane, action: str) -> object:
    """How an action stands."""
    found = await plane.means.store.get(Action, action)
    return None if found is None else {"state": found.state}


async def main(role: str, folder: Path, words: list[str]) -> None:
    """Run one role; with a step and a count at the end, die there."""
    arity = {"agent": 2, "undo": 1, "approve": 1, "work": 0}[role]
    own, deadly = words[:arity], words[arity:]
    sign = signal.SIGSTOP if os.environ.get("STOP") else signal.SIGKILL
    steps = Deadly(deadly[0], int(deadly[1]), sign) if deadly else None
    plane = connect(folder, worker=f"{role}-{os.getpid()}", steps=steps)
    match role:
        case "agent":
            said = await agent(plane, own[0], int(own[1]))
        case "undo":
            said = await undo(plane, own[0])
        case "approve":
            said = await approve(plane, own[0])
        case _:
            said = await work(plane)
    await plane.means.store.close()
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
