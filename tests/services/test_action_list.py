"""Lists of actions: pages neither repeat nor skip, a span of time is one of the store's, and what cannot be is said."""

import pytest

from interlock.domain.errors import ContractError
from interlock.domain.ids import TaskId
from interlock.services.action_list import Sought, listed
from interlock.testing.world import World, contract


async def of_seven() -> tuple[World, TaskId]:
    """Seven actions in one task, and one in another."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    for n in range(7):
        await world.propose(task, n=n, here=n != 3)
        world.clock.advance(1_000)
    await world.propose(await world.task(), n=9)
    return world, task.id


@pytest.mark.anyio
async def test_pages_of_a_list() -> None:
    """Page after page every action comes once, the newest first."""
    world, task = await of_seven()
    found, before = list[str](), ""
    while True:
        page = await listed(world.plane, Sought(task=task), before=before, limit=3)
        found += [str(each.line) for each in page.rows]
        if page.next is None:
            break
        before = page.next

    assert found == [f"thing.put: n {n}" for n in reversed(range(7))]


@pytest.mark.anyio
async def test_what_is_sought_must_fit() -> None:
    """State, agent and time narrow the list."""
    world, task = await of_seven()
    page = await listed(world.plane, Sought(task=task, states=("ready",)))
    since = await listed(world.plane, Sought(since_at=world.clock.now() - 1_500))

    assert [each.line for each in page.rows] == ["thing.put: n 3"]
    assert len(since.rows) == 2
    assert (await listed(world.plane, Sought(agent="other"))).rows == ()


@pytest.mark.anyio
async def test_no_list_looks_at_every_action() -> None:
    """By agent, contract or an end the index over the log is asked, by task and what is open the store; all say the same."""
    world, task = await of_seven()
    for sought, by_the_log in (
        (Sought(), False),
        (Sought(task=task, agent="ag", states=("done",)), False),
        (Sought(agent="ag", states=("ready",)), False),
        (Sought(agent="ag"), True),
        (Sought(contract="thing.put"), True),
        (Sought(states=("done", "ready")), True),
    ):
        page = await listed(world.plane, sought, limit=20)
        assert (page.size is not None) == by_the_log, sought
        fitting = [
            each.id
            for each in reversed(await world.actions())
            if (not sought.states or each.state in sought.states) and (not sought.task or each.task == sought.task)
        ]
        assert [row.action for row in page.rows] == fitting, sought


@pytest.mark.anyio
async def test_what_cannot_be() -> None:
    """A state that there is not, a cursor that is none, and a question for which there is no index are said to be so."""
    world, _ = await of_seven()
    for sought, before in ((Sought(states=("gone",)), ""), (Sought(), "a'b"), (Sought(touching=("x",)), "")):
        with pytest.raises(ContractError):
            await listed(world.plane, sought, before=before)
