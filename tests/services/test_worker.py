"""The worker: whatever is due is taken up, one bad action stops nobody, and it knows when it is idle."""

import asyncio
import logging
from functools import partial

import anyio
import msgspec
import pytest

from interlock.adapters.memory import Fault, Faults
from interlock.domain.action import Action, State
from interlock.domain.asking import wait_call
from interlock.domain.call import Answer, Call, Landed
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.contract import InProcess, Reversal
from interlock.domain.ids import ContractName, Digest, Person
from interlock.embedded import Embedded
from interlock.services.plane import ControlPlane
from interlock.testing.world import World, contract
from interlock.worker import Worker

pytestmark = pytest.mark.anyio

RUN = ("thing.put", "run")


async def run(world: World, process: ControlPlane | None = None, *, slots: int = 4) -> int:
    """A worker until it is idle; not being idle within seconds is a failure."""
    with anyio.fail_after(5):
        return await Worker(process or world.plane, slots=slots).run(until_idle=True)


async def until(world: World, action: Action, state: State) -> None:
    """Wait until the action is in that state; seconds are too long."""
    with anyio.fail_after(5):
        while (await world.action(action)).state != state:
            await world.store.changed(timeout_ms=10)


@pytest.mark.proves("worker.drives")
async def test_it_drives_everything_that_is_due() -> None:
    """Fifty cleared actions and two workers: each is run once."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    waiting = [await world.propose(task, n=n, here=False) for n in range(50)]

    driven = await asyncio.gather(run(world), run(world, world.another("w2")))

    assert sum(driven) == 50
    assert world.effectors.calls[RUN] == 50
    assert {(await world.action(each)).state for each in waiting} == {"done"}


@pytest.mark.proves("worker.poison")
async def test_one_action_that_cannot_be_driven_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """An action whose driving fails is said in the log and left; all others are driven."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    poison = await world.propose(task, n=1, here=False)
    others = [await world.propose(task, n=n, here=False) for n in range(2, 9)]

    await world.store.commit(Change(puts=(msgspec.structs.replace(poison, contract_digest=Digest("gone")),)))
    with caplog.at_level(logging.WARNING, "interlock.worker"):
        await run(world)

    assert {(await world.action(each)).state for each in others} == {"done"}
    assert (await world.action(poison)).state == "ready"
    assert "there is no contract `gone`" in caplog.text


@pytest.mark.proves("worker.store")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_a_store_that_is_not_sure_does_not_end_it(fault: Fault) -> None:
    """A claim or an outcome that may or may not have been stored: the worker goes on, and the effect is there once."""
    for nth in range(1, 4):
        world = World(faults=Faults())
        await world.apply(contract())
        action = await world.propose(await world.task(), here=False)
        world.store.faults.at[world.store.faults.writes + nth] = fault

        await run(world)
        world.clock.advance(60_000)
        await run(world)

        assert (await world.action(action)).state == "done"


@pytest.mark.proves("worker.idle")
async def test_an_undo_that_waits_for_a_person_does_not_keep_it_busy() -> None:
    """Until idle ends although a held undo is on its way; approved, the next run finishes it."""
    world = World()
    back = Reversal(contract=ContractName("thing.take"), arguments={"n": "$args.n"}, approver="lead")
    await world.apply(contract(reversal=back))
    action = await world.propose(await world.task())
    await world.plane.compensation.undo("action", action.id, by="rita", why="wrong")
    await run(world)
    (undo,) = [each for each in await world.actions() if each.undoes]
    assert undo.state == "held"

    await world.plane.approvals.approve(undo.id, Person("ria"))
    await run(world)

    assert (await world.action(action)).state == "undone"
    assert [each.state for each in await world.plane.compensation.requests()] == ["done"]


@pytest.mark.proves("worker.fair")
async def test_a_long_undo_keeps_nobody_waiting() -> None:
    """While an undo's tool takes its time, other due work is claimed and done."""
    world = World()
    await world.apply(contract())
    task, other = await world.task(), await world.task()
    undone = await world.propose(task)
    began, release = asyncio.Event(), asyncio.Event()

    async def slow(arguments: dict[str, JsonValue], call: Call) -> Answer:
        began.set()
        await release.wait()
        return Landed(arguments)

    world.effectors.on("thing.take", "run", slow)
    await world.plane.compensation.undo("action", undone.id, by="rita", why="wrong")
    async with anyio.create_task_group() as group:
        group.start_soon(Worker(world.plane).run)
        await began.wait()
        waiting = await world.propose(other, n=5, here=False)
        await until(world, waiting, "done")
        release.set()
        await until(world, undone, "undone")
        group.cancel_scope.cancel()


@pytest.mark.proves("worker.places")
async def test_what_cannot_run_here_is_left_to_who_can() -> None:
    """A process that cannot reach a tool leaves the action ready, and waiting for it there gives its end from elsewhere."""
    world = World()
    await world.apply(contract())
    far = world.another("far")
    world.effectors.reachable = False
    action = await world.propose_on(far, await world.task())
    assert action.state == "ready"

    call = partial(wait_call, action.id, None, 60_000)
    shown = await world.identity(far).still(world.agent, call)
    waiting = asyncio.create_task(Embedded(far).wait(action.id, shown, timeout_ms=60_000))
    await asyncio.sleep(0)
    await world.work()

    assert (await asyncio.wait_for(waiting, 3)).state == "done"


@pytest.mark.proves("worker.places")
async def test_what_lives_in_one_process_is_claimed_by_no_other() -> None:
    """A function of one process is left alone by every other worker, and run by the one that made it."""
    world = World()
    await world.apply(contract(target=InProcess(name="cell")))
    action = await world.propose(await world.task(), here=False)
    assert action.place == "cell"

    await world.work(world.another("w2"))
    assert (await world.action(action)).state == "ready"
    (claimed,) = await world.plane.execution.claim(places=("", "cell"))
    assert (await world.plane.execution.drive(claimed)).state == "done"
