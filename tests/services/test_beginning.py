"""Whose a task is: the instance that opened it acts in it, and another only once it has taken it over, on record."""

import msgspec
import pytest

from interlock.adapters.memory import Faults
from interlock.domain.asking import begin_call, resume_call, token_call
from interlock.domain.errors import NotAllowed, NotFound, StoreError
from interlock.domain.ids import AgentName, ContractName, TaskId
from interlock.domain.presented import REFUSALS
from interlock.domain.proposal import Proposal
from interlock.domain.spiffe import plane_id
from interlock.domain.task import Opening, Task
from interlock.sdk.identity import Identity
from interlock.testing.conformance.audit import audited, predicate
from interlock.testing.world import World, contract
from tests.services.test_admission import refused

pytestmark = pytest.mark.anyio

PLANE = plane_id("t.interlock.internal")


async def ready(faults: Faults | None = None) -> World:
    """A world whose gate asks who calls."""
    world = World(proven=True, faults=faults)
    await world.apply(contract())
    return world


async def opened(world: World, identity: Identity, parent: Task | None = None) -> Task:
    """A task that `identity` opens."""
    opening = Opening(agent=world.agent, purpose="test", initiator="user:ana", parent=parent)
    shown = await identity.shown(world.agent, begin_call(opening, PLANE))
    return await world.plane.beginnings.open(opening, shown)


async def resumed(world: World, identity: Identity, task: Task, agent: str = "ag") -> Task:
    """`identity` takes the task over."""
    shown = await identity.shown(AgentName(agent), resume_call(task.id, PLANE))
    return await world.plane.beginnings.resume(task.id, AgentName(agent), shown)


async def acts(world: World, identity: Identity, task: Task) -> str:
    """What becomes of a call in it: nothing, or the code."""
    wanted = Proposal(task=task, contract=ContractName("thing.put"), arguments={"n": 1})
    action = await world.plane.gate.propose(await identity.presented(wanted))
    return "" if action.state == "dispatching" else refused(action)


@pytest.mark.proves("identity.own_task")
async def test_a_task_is_its_instance_s_alone() -> None:
    """Another instance of the same agent may neither act in it, nor open one inside it, nor have a token of it."""
    world = await ready()
    one, other = world.identity(), world.identity()
    task = await opened(world, one)

    assert task.instance == one.thumbprint
    assert await acts(world, one, task) == ""
    assert await acts(world, one, await opened(world, one, task)) == ""
    assert await acts(world, other, task) == "task_instance"
    with pytest.raises(NotAllowed, match=REFUSALS["task_instance"].words):
        await opened(world, other, task)
    shown = await other.shown(world.agent, token_call(task.id, PLANE))
    with pytest.raises(NotAllowed, match=REFUSALS["task_instance"].words):
        await world.plane.delegating.token(task.id, shown)


@pytest.mark.proves("identity.own_task")
async def test_a_task_is_taken_over_on_record() -> None:
    """Whoever takes it over acts in it from then on, and the one before no more; the log says both instances."""
    world = await ready()
    one, other = world.identity(), world.identity()
    task = await opened(world, one)

    again = await resumed(world, other, task)

    assert await acts(world, other, again) == ""
    assert await acts(world, one, again) == "task_instance"
    # Also while the one before holds what it read when the task still was its own.
    assert await acts(world, one, task) == "task_instance"
    told = [each for each in map(predicate, await audited(world.store, world.keys)) if "depth" in each]
    assert [(each["phase"], each["instance"]) for each in told] == [
        ("opened", one.thumbprint),
        ("resumed", other.thumbprint),
    ]


async def test_what_is_not_taken_over() -> None:
    """A task of another agent, one that is closed, over, or of another release, and one that nobody knows."""
    world = await ready()
    one, other = world.identity(), world.identity()
    task, closed = await opened(world, one), await opened(world, one)
    await world.plane.tasks.close(closed)

    with pytest.raises(NotAllowed, match="closed"):
        await resumed(world, other, closed)
    with pytest.raises(NotFound):
        await resumed(world, other, msgspec.structs.replace(task, id=TaskId("none")))
    await world.apply(contract(risk="medium"), bundle="b2")
    with pytest.raises(NotAllowed, match="another release"):
        await resumed(world, other, task)
    late = await opened(world, one)
    world.clock.advance(late.expires_at - world.clock.now())
    with pytest.raises(NotAllowed, match="over"):
        await resumed(world, other, late)


async def test_a_proof_opens_one_task() -> None:
    """What was shown to open a task, or to take one over, opens no other and takes none over again."""
    world = await ready()
    one = world.identity()
    opening = Opening(agent=world.agent, purpose="test", initiator="user:ana")
    shown = await one.shown(world.agent, begin_call(opening, PLANE))
    task = await world.plane.beginnings.open(opening, shown)
    taking = await one.shown(world.agent, resume_call(task.id, PLANE))
    await world.plane.beginnings.resume(task.id, world.agent, taking)

    with pytest.raises(NotAllowed, match=REFUSALS["proof_replayed"].words):
        await world.plane.beginnings.open(opening, shown)
    with pytest.raises(NotAllowed, match=REFUSALS["proof_replayed"].words):
        await world.plane.beginnings.resume(task.id, world.agent, taking)
    for other in (
        msgspec.structs.replace(opening, initiator="user:eve"),
        msgspec.structs.replace(opening, parent=task),
    ):
        fresh = await one.shown(world.agent, begin_call(opening, PLANE))
        with pytest.raises(NotAllowed, match=REFUSALS["proof_other"].words):
            await world.plane.beginnings.open(other, fresh)
    assert len(await world.tasks()) == 1


@pytest.mark.parametrize("fault", ["not stored", "stored"])
async def test_an_opening_that_fails_is_whole_or_not_there(fault: str) -> None:
    """Where the commit fails there is no task, and where only its answer is lost there is one, bound to who opened it."""
    faults = Faults()
    world = await ready(faults)
    one = world.identity()
    faults.at[faults.writes + 1] = "not stored" if fault == "not stored" else "stored"

    if fault == "stored":
        assert (await opened(world, one)).instance == one.thumbprint
    else:
        with pytest.raises(StoreError, match="nothing was stored"):
            await opened(world, one)

    assert len(await world.tasks()) == (1 if fault == "stored" else 0)
