"""A task with everything inside it: the tree in the order in which it is read, and what each action waited for."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.action import Action, State
from interlock.domain.approval import Approval
from interlock.domain.contract import Contract
from interlock.domain.duration import MINUTE
from interlock.domain.errors import NotFound
from interlock.domain.ids import AgentName, Digest, Person, TaskId
from interlock.domain.policy import Policy
from interlock.domain.task import Opening
from interlock.domain.waterfall import stretches_of
from interlock.services.task_trees import tree_of
from interlock.testing.parts import Predicate
from interlock.testing.world import World, contract, permit

ASK: tuple[Policy, Predicate] = (
    Policy(id="ask", effect="forbid", owner="pia", verdict="require_approval", approver="reviewer"),
    lambda question: bool(question.arguments["n"] == 7),
)


async def in_force(*more: Contract) -> World:
    """A world in which seven takes a person."""
    world = World()
    await world.apply(contract(), *more, rules=(permit(), ASK))
    return world


@pytest.mark.anyio
async def test_a_tree_of_tasks() -> None:
    """Each task stands after the one it is in, with its actions, and deeper by one; the axis holds all of it."""
    world = await in_force()
    root = await world.task()
    inner = await world.plane.tasks.open(Opening(agent=AgentName("ag"), purpose="inner", parent=root))
    await world.propose(root, n=1, here=False)
    await world.propose(inner, n=2, here=False)

    tree = await tree_of(world.plane, root.id)
    below = await tree_of(world.plane, inner.id)

    assert [(bar.kind, bar.depth) for bar in tree.bars] == [("task", 0), ("action", 0), ("task", 1), ("action", 1)]
    assert [each.task.id for each in tree.tasks] == [root.id, inner.id]
    assert all(tree.start <= bar.start <= bar.end <= tree.end for bar in tree.bars)
    assert [each.id for each in below.around] == [root.id]
    assert not tree.cut


@pytest.mark.anyio
async def test_waiting_for_a_person_is_told_apart() -> None:
    """An action that people are asked about waits for them, and from their word on for a worker."""
    world = await in_force()
    action = await world.propose(await world.task(), n=7, here=False)
    world.clock.advance(5 * MINUTE)
    asked = stretches_of(action, world.clock.now())
    said = await world.plane.approvals.approve(action.id, Person("rita"))
    world.clock.advance(MINUTE)

    assert [(each.stage, each.end - each.start) for each in asked] == [("person", 5 * MINUTE)]
    assert [(each.stage, each.end - each.start) for each in stretches_of(said, world.clock.now())] == [
        ("person", 5 * MINUTE),
        ("worker", MINUTE),
    ]


@pytest.mark.anyio
async def test_no_such_task() -> None:
    """A task that never was is not an empty tree."""
    world = await in_force()

    with pytest.raises(NotFound):
        await tree_of(world.plane, TaskId("nothing"))


MOMENTS = st.integers(0, 1_000)


@pytest.mark.proves("console.task_times")
@given(
    state=st.sampled_from(get_args(State)),
    times=st.lists(MOMENTS, min_size=4, max_size=4).map(sorted),
    held=st.booleans(),
    dispatched=st.booleans(),
    ended=st.booleans(),
)
def test_stretches_follow_each_other(state: State, times: list[int], held: bool, dispatched: bool, ended: bool) -> None:
    """Whatever the state, stretches begin where the one before ended, go forward, and lie between proposal and now."""
    proposed, said, began, end = times
    word = Approval(person=Person("rita"), roles=(), verdict="approve", binding=Digest(""), decided_at=said)
    action = msgspec.convert(
        {
            "id": "a", "task": "t", "agent": "ag", "release": "", "contract": "c", "contract_digest": "",
            "arguments": {}, "nonce": "", "digest": "", "idempotency_key": "", "proposed_at": proposed, "state": state,
            "first_dispatched_at": began if dispatched else None, "ended_at": end if ended else None,
            "hold": {
                "requirements": [], "expires_at": 2_000, "view": "", "binding": "",
                "approvals": [msgspec.to_builtins(word)],
            } if held else None,
        },
        Action,
    )  # fmt: skip

    found = stretches_of(action, 1_000)

    at = proposed
    for each in found:
        assert each.start == at < each.end <= 1_000
        at = each.end
