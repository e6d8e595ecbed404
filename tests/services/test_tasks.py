"""Opening and closing tasks."""

import pytest

from interlock.domain.agent import Runtime
from interlock.domain.duration import DAY, HOUR
from interlock.domain.errors import NotAllowed, NotFound
from interlock.domain.ids import AgentName
from interlock.domain.task import Opening
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio


@pytest.mark.proves("task.bounds")
async def test_a_task_lasts_no_longer_than_its_agent_allows() -> None:
    """The lifetime asked for is cut to the agent's; nothing asked is the agent's; zero is zero."""
    world = World()
    await world.apply(contract(), runtime=Runtime(max_task_ms=HOUR))

    lasts = [(await world.task(lasts_ms=ms)).expires_at - world.clock.now() for ms in (None, 5, DAY, 0)]

    assert lasts == [HOUR, 5, HOUR, 0]


@pytest.mark.proves("task.narrows")
async def test_a_sub_task_is_never_wider() -> None:
    """It ends with its parent at the latest, inherits what is prohibited, and goes one deeper."""
    world = World()
    await world.apply(contract())
    parent = await world.task(lasts_ms=HOUR, prohibited=("thing.put",))

    child = await world.task(parent=parent, lasts_ms=DAY, prohibited=("thing.other",))

    assert (child.expires_at, child.depth, child.parent) == (parent.expires_at, 1, parent.id)
    assert child.prohibited == ("thing.put", "thing.other")


@pytest.mark.proves("task.narrows")
async def test_a_task_that_is_not_open_has_no_sub_tasks() -> None:
    """Neither a closed nor a closing task can be worked on through a task below it."""
    world = World()
    await world.apply(contract())
    closed, closing = await world.task(), await world.task()
    await world.plane.tasks.close(closed)
    await world.plane.compensation.undo("task", closing.id, by="rita", why="wrong")

    for parent in (closed, closing):
        with pytest.raises(NotAllowed):
            await world.task(parent=parent)


async def test_closing_twice_is_once() -> None:
    """The second closing changes nothing and records nothing."""
    world = World()
    await world.apply(contract())
    task = await world.task()

    first, size = await world.plane.tasks.close(task), len(await world.store.entries(0, 1000))
    second = await world.plane.tasks.close(task)

    assert first == second
    assert first.state == "closed"
    assert len(await world.store.entries(0, 1000)) == size


async def test_only_an_agent_in_force_has_tasks() -> None:
    """An unknown agent has none."""
    world = World()
    await world.apply(contract())

    with pytest.raises(NotFound):
        await world.plane.tasks.open(Opening(agent=AgentName("other"), purpose="test", initiator="user:ana"))


@pytest.mark.proves("task.release")
async def test_a_task_keeps_the_release_it_was_opened_under() -> None:
    """A task opened before an apply belongs to the old release, one opened after it to the new."""
    world = World()
    await world.apply(contract())
    before = await world.task()
    await world.apply(contract(), runtime=Runtime(max_depth=2))
    after = await world.task()

    assert before.release != after.release
    assert (await world.propose(before)).release == before.release
