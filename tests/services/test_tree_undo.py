"""Undoing a task undoes everything inside it, of whatever agent, in the reverse order of the effects of all."""

from collections.abc import Awaitable, Callable

import msgspec
import pytest

from interlock.adapters.memory import Fault
from interlock.domain.budget import Budget
from interlock.domain.call import Answer, Call, Landed
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Keyed
from interlock.domain.errors import InterlockError
from interlock.domain.ids import AgentName
from interlock.domain.task import Opening, Task
from interlock.domain.unwind import Unwind
from interlock.testing.parts import Crash, CrashAt
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio


async def crew() -> tuple[World, list[JsonValue]]:
    """A world with a second agent, and the order in which undos are called."""
    world = World()
    await world.apply(contract(idempotency=Keyed()))
    (ag,) = world.definition().agents
    other = msgspec.structs.replace(ag, name=AgentName("hand"))
    await world.plane.registry.apply(world.definition(agents=(ag, other)), by="test")
    order: list[JsonValue] = []

    def take(arguments: dict[str, JsonValue], call: Call) -> Answer:
        order.append(arguments["n"])
        return Landed(arguments)

    world.effectors.on("thing.take", "run", take)
    return world, order


async def tree(world: World) -> tuple[Task, Task, Task, Task]:
    """A supervisor's task, one of another agent inside it, one inside that, and one of the other agent that stands apart."""
    root = await world.task(budgets={"calls": 50})
    child = await world.plane.tasks.open(opening(root))
    return root, child, await world.plane.tasks.open(opening(child, 3)), await world.plane.tasks.open(opening(None))


def opening(parent: Task | None, calls: int = 9) -> Opening:
    """A task of the other agent."""
    return Opening(
        agent=AgentName("hand"), purpose="part", initiator="user:ana", parent=parent, budgets={"calls": calls}
    )


async def finish(world: World) -> Unwind:
    """Let a worker run until everything that settles by itself has settled."""
    for _ in range(8):
        await world.work()
        await world.plane.tasks.tend()
        world.clock.advance(1_500)
    return (await world.plane.compensation.requests())[0]


@pytest.mark.proves("undo.tree", "undo.reverse_order", "undo.scope_closed")
async def test_a_tree_is_undone_last_effect_first_across_its_tasks() -> None:
    """Also of tasks in it that were closed long ago; what waits anywhere in it is voided, and what is beside it stands."""
    world, order = await crew()
    root, child, grandchild, beside = await tree(world)
    for n, task in enumerate((root, child, grandchild, root, child, beside)):
        await world.propose(task, n=n)
    waits = [await world.propose(task, n=9, here=False) for task in (root, child)]
    await world.plane.tasks.close(child)

    await world.plane.compensation.undo("task", root.id, by="rita", why="wrong")
    refused = [(await world.propose(task)).state for task in (root, child, grandchild)]
    now = await finish(world)

    assert refused == ["refused"] * 3
    assert order == [4, 3, 2, 1, 0]
    assert (now.state, now.undone, now.remaining) == ("done", 5, 0)
    assert {(await world.action(each)).state for each in waits} == {"voided"}
    assert {each.state for each in await world.tasks() if each.id != beside.id} == {"closed"}
    assert (await world.propose(beside, n=7)).state == "done"
    calls = await world.store.get(Budget, f"task:{root.id}/calls")
    assert calls is not None
    assert (calls.reserved, calls.spent) == (0, 5)


@pytest.mark.proves("undo.tree")
async def test_part_of_a_tree_is_undone_alone() -> None:
    """Undoing a task inside another leaves what is around it, which may go on; the whole can be undone after."""
    world, order = await crew()
    root, child, grandchild, _ = await tree(world)
    for n, task in enumerate((root, child, grandchild)):
        await world.propose(task, n=n)

    await world.plane.compensation.undo("task", child.id, by="rita", why="wrong")
    part = await finish(world)
    more = await world.propose(root, n=8)
    await world.plane.compensation.undo("task", root.id, by="rita", why="all of it")
    whole = await finish(world)

    assert (part.undone, more.state, whole.undone) == (2, "done", 2)
    assert order == [2, 1, 8, 0]


@pytest.mark.proves("undo.tree", "undo.in_flight")
async def test_what_is_in_flight_inside_is_undone_when_it_lands() -> None:
    """A child whose process died in its call is settled by its key, and undone before what came before it."""
    world, order = await crew()
    root, child, _, _ = await tree(world)
    await world.propose(root, n=1)
    with pytest.raises(Crash):
        await world.propose_on(world.another("w0", CrashAt("execute.called")), child, key="k", n=2)

    await world.plane.compensation.undo("task", root.id, by="rita", why="wrong")
    await world.work()
    early = list(order)
    now = await finish(world)

    assert early == []
    assert order == [2, 1]
    assert (now.state, now.undone) == ("done", 2)


STEPS = ("undo.asked", "undo.proposed", "propose.recorded", "execute.called", "outcome.recorded")


@pytest.mark.proves("undo.tree")
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("nth", [1, 2])
async def test_whoever_dies_on_the_way_is_followed_by_another(step: str, nth: int) -> None:
    """After any step, in the undo of any task of the tree, a worker finishes it: each once, in the same order."""
    world, order = await crew()
    root, child, grandchild, _ = await tree(world)
    for n, task in enumerate((root, child, grandchild)):
        await world.propose(task, n=n)
    dying = world.another("w0", CrashAt(step, nth if step != "undo.asked" else 1))

    with pytest.raises(Crash):
        await dying.compensation.advance(await dying.compensation.undo("task", root.id, by="rita", why="wrong"))
    now = await finish(world)

    assert list(dict.fromkeys(order)) == [2, 1, 0]
    assert (now.state, now.undone) == ("done", 3)
    assert {each.state for each in await world.actions() if each.undoes is None} == {"undone"}


@pytest.mark.proves("undo.tree")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
@pytest.mark.parametrize("write", range(1, 9))
async def test_a_write_that_fails_is_made_up_for(fault: Fault, write: int) -> None:
    """Whichever write of it fails: asked for again and worked on, the tree is undone once, in order."""
    world, order = await crew()
    root, child, _, _ = await tree(world)
    for n, task in enumerate((root, child)):
        await world.propose(task, n=n)
    world.store.faults.at[world.store.faults.writes + write] = fault

    async def tried(work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except InterlockError:
            await work()

    await tried(lambda: world.plane.compensation.undo("task", root.id, by="rita", why="wrong"))
    for _ in range(8):
        await tried(world.work)
        world.clock.advance(1_500)

    assert list(dict.fromkeys(order)) == [1, 0]
    assert (await world.plane.compensation.requests())[0].undone == 2
    assert (await world.propose(child, n=3)).state == "refused"
