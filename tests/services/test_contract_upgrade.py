"""A waiting action and a contract that changes under it."""

import contextlib
from typing import Any

import pytest

from interlock.domain.errors import StaleView
from interlock.domain.ids import Person
from interlock.domain.policy import Policy
from interlock.testing.world import World, contract, permit

pytestmark = pytest.mark.anyio

ASK = Policy(id="ask", effect="forbid", owner="pia", verdict="require_approval", approver="reviewer", reason="ask")


async def held_then_applied(**changes: Any) -> str:
    """Hold an action, bring a changed version of its contract into force, approve, work: the state it ends in."""
    world = World()
    rules = (permit(), (ASK, lambda _: True))
    await world.apply(contract(), rules=rules)
    action = await world.propose(await world.task())
    await world.apply(contract(**changes), rules=rules)
    with contextlib.suppress(StaleView):
        # The bundle is another one too: the first word finds that the action was decided again.
        await world.plane.approvals.approve(action.id, Person("rita"))
    if (await world.action(action)).state == "held":
        await world.plane.approvals.approve(action.id, Person("rita"))
    await world.work()
    return (await world.action(action)).state


@pytest.mark.proves("approval.survives_upgrade")
async def test_other_words_change_nothing() -> None:
    """An action that waits outlives a new description, version or owner of its contract."""
    assert await held_then_applied(description="said better", version="2", owner="others") == "done"


@pytest.mark.proves("gate.contract_changed")
async def test_another_risk_is_another_promise() -> None:
    """An action of a contract whose risk changed is not run under policies that know only the new one."""
    assert await held_then_applied(risk="critical") == "denied"
