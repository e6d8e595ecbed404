"""Drills: pulled for real, measured, recorded, lifted, whatever happens to whoever runs one."""

import asyncio
import contextlib

import msgspec
import pytest

from interlock.adapters.memory import Faults
from interlock.adapters.memory.faults import Fault
from interlock.domain.action import Action
from interlock.domain.call import Answer, Call, Landed
from interlock.domain.canonical import JsonValue
from interlock.domain.control import Control
from interlock.domain.drill import Drill
from interlock.domain.errors import InterlockError, NotAllowed, NotFound
from interlock.testing.world import World, contract
from tests.services.packets import predicate_of

pytestmark = pytest.mark.anyio
RUN = ("thing.put", "run")


async def begun(world: World) -> tuple[asyncio.Event, asyncio.Task[Action]]:
    """An action that is in its call until the event is set."""
    inside, go = asyncio.Event(), asyncio.Event()

    async def slow(arguments: dict[str, JsonValue], call: Call) -> Answer:
        inside.set()
        await go.wait()
        return Landed(arguments)

    world.effectors.on("thing.put", "run", slow)
    task = await world.task()
    doing = asyncio.create_task(world.propose(task))
    await inside.wait()
    return go, doing


async def pulled(world: World) -> None:
    """Return once a brake holds."""
    for _ in range(1_000):
        if await world.plane.braking.brakes():
            return
        await asyncio.sleep(0)
    raise AssertionError("nothing was stopped")


@pytest.mark.proves("drill.measured")
async def test_a_drill_stops_for_real_waits_for_what_is_in_flight_and_lifts() -> None:
    """While it runs nothing new is taken; it ends when the last call in its scope has, says how long that took, and is over."""
    world = World()
    await world.apply(contract(), tags=("web",))
    go, doing = await begun(world)
    drilling = asyncio.create_task(world.another("w2").drills.run("tag", "web", by="rita", why="friday"))
    await pulled(world)
    refused = await world.propose(await world.task())
    world.clock.advance(70)
    go.set()
    done, drill = await doing, await drilling

    assert (refused.state, refused.reasons[-1]) == ("refused", "stopped: friday")
    assert (done.state, world.effectors.calls[RUN]) == ("done", 1)
    assert (drill.state, drill.began_ms, drill.ended_ms, drill.in_flight, drill.still) == ("done", 0, 70, 1, 0)
    assert await world.plane.braking.brakes() == []
    assert (await world.propose(await world.task())).state == "done"
    assert await world.plane.drills.past() == [drill]


@pytest.mark.proves("drill.measured")
async def test_what_a_drill_measured_is_an_entry() -> None:
    """The log has the brake and then the drill, with what was measured; nothing else tells of lifting it."""
    world = World()
    await world.apply(contract())
    before = len(await world.store.entries(0, 1_000))

    await world.plane.drills.run("agent", "ag", by="rita")

    pulled, ended = [predicate_of(entry.leaf) for entry in await world.store.entries(before, 1_000)]
    assert (pulled["phase"], ended["phase"], ended["scope"], ended["name"]) == ("stopped", "drill", "agent", "ag")
    assert (ended["drill"]["state"], ended["drill"]["beganMs"], ended["drill"]["inFlight"]) == ("done", 0, 0)


@pytest.mark.proves("drill.lifted")
async def test_a_drill_that_runs_out_of_time_says_what_is_in_flight_still() -> None:
    """It is late, lifts its brake all the same, and gives no time that it did not see."""
    world = World()
    await world.apply(contract(timeout_ms=100_000))
    go, doing = await begun(world)
    drilling = asyncio.create_task(world.another("w2").drills.run("all", by="rita", within_ms=50))
    await pulled(world)
    world.clock.advance(50)
    drill = await drilling
    go.set()

    assert (drill.state, drill.ended_ms, drill.still) == ("late", None, 1)
    assert await world.plane.braking.brakes() == []
    assert (await doing).state == "done"


@pytest.mark.proves("drill.lifted")
async def test_a_call_nobody_will_answer_is_waited_for_until_its_lease_is_over() -> None:
    """Whoever made the call is gone: until its lease ends it may still be at it, and then it counts as never answered."""
    world = World()
    await world.apply(contract())
    _, doing = await begun(world)
    doing.cancel()
    drilling = asyncio.create_task(world.another("w2").drills.run("all", by="rita"))
    await pulled(world)
    world.clock.advance(5_000)
    drill = await drilling

    assert (drill.state, drill.in_flight, drill.unanswered) == ("done", 1, 1)
    assert drill.ended_ms is not None
    assert drill.ended_ms <= 5_000


@pytest.mark.proves("drill.lifted")
async def test_a_drill_that_died_holds_until_its_lease_is_over_and_is_then_lifted_on_record() -> None:
    """Its brake is seen as a drill's, ends by itself, and a worker takes it away and says that it was cut short."""
    world = World()
    await world.apply(contract())
    drills = world.plane.drills
    dead = await drills._pulled("all", "", by="rita", why="died", within_ms=1_000)
    (brake,) = await world.plane.braking.brakes()
    assert (brake.stop.drill, brake.stop.until_at) == (True, world.clock.now() + 6_000)
    assert await drills.tend() == []

    world.clock.advance(6_000)
    assert await world.plane.braking.brakes() == []
    assert (await world.propose(await world.task())).state == "done"
    (ended,) = await world.another("w2").drills.tend()

    control = await world.store.get(Control, "control")
    assert control is not None
    assert control.stops == ()
    assert (ended.id, ended.state, ended.ended_ms) == (dead.id, "cut short", None)
    assert await drills.tend() == []
    entries = [predicate_of(entry.leaf) for entry in await world.store.entries(0, 1_000)]
    assert [entry["drill"]["state"] for entry in entries if entry["phase"] == "drill"] == ["cut short"]


@pytest.mark.parametrize("way", ["not stored", "stored"])
@pytest.mark.parametrize("write", [1, 2])
@pytest.mark.proves("drill.lifted")
async def test_a_store_that_fails_in_a_drill_leaves_nothing_stopped_for_ever(write: int, way: Fault) -> None:
    """Whichever write of a drill fails, stored or not, in the end no brake stands and at most one drill is on record."""
    faults = Faults()
    world = World(faults=faults)
    await world.apply(contract())
    faults.at[faults.writes + write] = way
    with contextlib.suppress(InterlockError):
        await world.plane.drills.run("all", by="rita")

    world.clock.advance(60_000)
    await world.another("w2").drills.tend()
    control = await world.store.get(Control, "control")
    assert control is not None
    assert control.stops == ()
    assert all(each.state != "running" for each in await world.store.all(Drill))
    assert (await world.propose(await world.task())).state == "done"


@pytest.mark.proves("drill.lifted")
async def test_somebody_else_lifts_the_brake_of_a_drill() -> None:
    """A drill whose brake was resumed meanwhile measured nothing, and lifts nobody else's."""
    world = World()
    await world.apply(contract())
    go, doing = await begun(world)
    drilling = asyncio.create_task(world.another("w2").drills.run("all", by="rita"))
    await pulled(world)
    await world.plane.braking.resume("all", by="rita")
    await world.plane.braking.stop("all", by="ria", why="for good")
    go.set()
    drill, done = await drilling, await doing

    assert (drill.state, done.state) == ("cut short", "done")
    assert [each.why for each in await world.plane.braking.brakes()] == ["for good"]


@pytest.mark.proves("drill.measured")
async def test_a_dry_drill_stops_nothing() -> None:
    """It counts what would be held back; scopes that are not there are errors, as are names that are rules of ours."""
    world = World()
    await world.apply(contract())
    await world.propose(await world.task(), here=False)
    before = len(await world.store.entries(0, 1_000))

    found = await world.plane.drills.dry("agent", "ag")

    assert (found.waiting, len(await world.store.entries(0, 1_000))) == (1, before)
    with pytest.raises(NotFound):
        await world.plane.drills.dry("tag", "web")
    with pytest.raises(NotAllowed):
        await world.plane.drills.run("all", by="interlock.me")
    assert msgspec.json.encode(await world.plane.drills.past()) == b"[]"
