"""A waiting action and a contract that changes under it."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from interlock.domain.contract import Cost
from interlock.domain.errors import StaleView
from interlock.domain.ids import Person
from interlock.domain.policy import Policy
from interlock.domain.question import Question
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


def secret(asked: Question) -> bool:
    """Whether an argument is of that data class."""
    return "secret" in asked.data


def poor(asked: Question) -> bool:
    """Whether less is left than it should be."""
    return asked.around.budget.get("EUR", 1_000) < 1_000


DENY = Policy(id="no", effect="forbid", owner="pia", verdict="deny", reason="no")


@pytest.mark.parametrize(
    ("changes", "forbidden"),
    [
        ({"data_classes": {"n": "secret"}}, secret),
        ({"cost": Cost(unit="EUR", amount=5)}, poor),
    ],
)
@pytest.mark.proves("gate.contract_changed")
async def test_what_policies_read_of_a_contract_is_its_promise(
    changes: dict[str, Any], forbidden: Callable[[Question], bool]
) -> None:
    """A task that was open before its contract named a data class, or a cost, does not pass the policies about that."""
    world = World()
    rules = (permit(), (DENY, forbidden))
    await world.apply(contract(), rules=rules, budgets={"EUR": 500})
    open_before = await world.task()
    assert (await world.propose(open_before)).state == "done"

    await world.apply(contract(**changes), rules=rules, budgets={"EUR": 500})

    assert (await world.propose(open_before)).state == "denied"
    assert (await world.propose(await world.task())).state == "denied"
