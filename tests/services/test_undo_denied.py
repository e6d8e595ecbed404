"""An undo that policy denies is told of by store and log in the same words."""

import pytest

from interlock.adapters.keys import verify
from interlock.domain.policy import Policy
from interlock.services.verifying import verify_all
from interlock.testing.world import World, contract, permit


@pytest.mark.anyio
@pytest.mark.proves("evidence.store_agrees")
async def test_a_denied_undo_is_told_once() -> None:
    """After an undo was denied the original is `undo_failed`, in the store and in the log."""
    world = World()
    no_undo = Policy(id="no-undo", effect="forbid", owner="pia", reason="not now")
    await world.apply(contract(), rules=(permit(), (no_undo, lambda question: question.around.undo)))
    action = await world.propose(await world.task())

    request = await world.plane.compensation.undo("action", action.id, by="rita", why="a test")
    request = await world.plane.compensation.advance(request)
    found = await verify_all(world.store, world.store, world.keys.log.verifier, (world.keys.gate.verifier,), verify)

    assert request.state == "blocked"
    assert (await world.action(action)).state == "undo_failed"
    assert found.findings == ()
