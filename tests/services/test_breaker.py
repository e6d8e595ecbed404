"""Circuit breakers: counted by all processes together, one probe among them, pauses that grow."""

import asyncio
import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interlock.adapters.memory import Faults
from interlock.adapters.memory.faults import Fault
from interlock.domain.breaker import (
    LONGEST_MS,
    PAUSE_MS,
    THRESHOLD,
    Breaker,
    answered,
    probing,
    target_of,
    unclear,
)
from interlock.domain.call import Answer, Call, Landed, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Blind, HttpTarget, InProcess, PythonTarget
from interlock.domain.control import Control
from interlock.domain.errors import InterlockError
from interlock.domain.ids import ActionId, ContractName
from interlock.domain.task import Task
from interlock.services.plane import ControlPlane
from interlock.testing.world import World, contract
from tests.services.packets import predicate_of

pytestmark = pytest.mark.anyio
RUN = ("thing.put", "run")
PUT = ContractName("thing.put")


async def broken(*more: str, faults: Faults | None = None) -> tuple[World, Task]:
    """A world whose tool gives no clear answer."""
    world = World(faults=faults)
    tools = [contract(name, idempotency=Blind()) for name in ("thing.put", *more)]
    await world.apply(*tools)
    for each in tools:
        world.effectors.say(each.name, "run", Unsure("no answer"))
    return world, await world.task()


async def fail(world: World, task: Task, times: int, *processes: ControlPlane, name: str = "thing.put") -> list[str]:
    """So many proposals, by one process after the other."""
    some = processes or (world.plane,)
    return [
        (await world.propose_on(some[n % len(some)], task, name, n=1000 * world.clock.now() + n)).state
        for n in range(times)
    ]


async def row(world: World, key: str = "contract:thing.put") -> Breaker:
    """A breaker as it is stored."""
    found = await world.store.get(Breaker, key)
    assert found is not None
    return found


@pytest.mark.proves("breaker.shared")
async def test_processes_count_together() -> None:
    """Unclear answers of two processes add up, a clear one of either begins anew, and both heed what either opened."""
    world, task = await broken()
    two = (world.plane, world.another("w2"))
    assert await fail(world, task, THRESHOLD - 1, *two) == ["unknown"] * (THRESHOLD - 1)
    world.effectors.say("thing.put", "run", Landed({}))
    assert (await world.propose_on(two[1], task, n=7)).state == "done"
    assert (await row(world)).failures == 0

    world.effectors.say("thing.put", "run", Unsure("no answer"))
    world.clock.advance(1)
    states = await fail(world, task, THRESHOLD + 2, *two)
    assert states == ["unknown"] * THRESHOLD + ["refused"] * 2


@pytest.mark.proves("breaker.probe")
async def test_exactly_one_of_many_processes_probes() -> None:
    """After the pause, of eight calls by four processes at once one is let through; its clear answer closes it for all."""
    world, task = await broken()
    await fail(world, task, THRESHOLD)
    assert [each.half_open for each in await world.plane.braking.brakes()] == [False]
    world.clock.advance(PAUSE_MS)
    assert [each.half_open for each in await world.plane.braking.brakes()] == [True]
    calls, go = world.effectors.calls[RUN], asyncio.Event()

    async def slow(arguments: dict[str, JsonValue], call: Call) -> Answer:
        await go.wait()
        return Landed(arguments)

    world.effectors.on("thing.put", "run", slow)
    four = [world.another(f"w{n}") for n in range(4)]
    doing = [asyncio.create_task(world.propose_on(four[n % 4], task, n=5_000 + n)) for n in range(8)]
    for _ in range(200):
        await asyncio.sleep(0)
    assert world.effectors.calls[RUN] == calls + 1
    go.set()
    states = sorted([(await each).state for each in doing])

    assert states == ["done"] + ["refused"] * 7
    assert (await world.plane.braking.brakes(), (await row(world)).until_at) == ([], None)
    said = [predicate_of(entry.leaf) for entry in await world.store.entries(0, 10_000)]
    assert [each["phase"] for each in said if each["phase"] in ("stopped", "resumed")] == ["stopped", "resumed"]


@pytest.mark.proves("breaker.probe")
async def test_a_probe_that_fails_opens_it_for_twice_as_long_and_one_that_died_is_replaced() -> None:
    """Each failed probe doubles the pause; a probe whose process died lets another through when its time is over."""
    world, task = await broken()
    await fail(world, task, THRESHOLD)
    world.clock.advance(PAUSE_MS)
    assert await fail(world, task, 2) == ["unknown", "refused"]
    assert (await row(world)).pause_ms == 2 * PAUSE_MS
    world.clock.advance(PAUSE_MS)
    assert await fail(world, task, 1) == ["refused"]
    world.clock.advance(PAUSE_MS)
    inside = asyncio.Event()

    async def never(arguments: dict[str, JsonValue], call: Call) -> Answer:
        inside.set()
        await asyncio.Event().wait()
        return Landed(arguments)

    world.effectors.on("thing.put", "run", never)
    dying = asyncio.create_task(world.propose_on(world.another("w2"), task, n=1))
    await inside.wait()
    dying.cancel()
    world.effectors.say("thing.put", "run", Landed({}))
    assert await fail(world, task, 1) == ["refused"]
    world.clock.advance(60_000)
    assert await fail(world, task, 1) == ["done"]
    assert (await row(world)).until_at is None


@pytest.mark.proves("breaker.shared")
async def test_a_target_opens_when_several_of_its_contracts_fail() -> None:
    """A contract that fails alone stops alone; two that fail on one target stop the target, and with it a third."""
    world, task = await broken("thing.post", "thing.look")
    for n in range(THRESHOLD):
        await world.propose(task, ("thing.put", "thing.post")[n % 2], n=n)

    brakes = await world.plane.braking.brakes()
    assert [each.words for each in brakes] == ["target:world"]
    assert (await world.propose(task, "thing.look", n=1)).state == "refused"
    await world.plane.braking.resume("target", "world", by="rita")
    assert (await row(world, "target:world")).failures == 0
    world.effectors.say("thing.look", "run", Landed({}))
    assert (await world.propose(task, "thing.look", n=2)).state == "done"


@pytest.mark.proves("breaker.shared")
async def test_a_person_closes_what_is_open_and_undos_pass() -> None:
    """Lifting the brake of a breaker closes it, its count too: the next unclear answer is the first."""
    world, task = await broken()
    await fail(world, task, THRESHOLD)
    (brake,) = await world.plane.braking.brakes()
    assert (brake.by, brake.stop.breaker) == ("interlock.breaker", True)
    await world.plane.braking.resume("contract", "thing.put", by="rita")
    world.clock.advance(1)
    assert await fail(world, task, 2) == ["unknown", "unknown"]
    control = await world.store.get(Control, "control")
    assert control is not None
    assert control.stops == ()


@pytest.mark.parametrize("way", ["not stored", "stored"])
@pytest.mark.proves("breaker.shared")
async def test_an_answer_is_counted_with_its_record_or_not_at_all(way: Fault) -> None:
    """The write that records an answer fails: it was counted exactly if it was recorded."""
    faults = Faults()
    world, task = await broken(faults=faults)
    faults.at[faults.writes + 2] = way
    with contextlib.suppress(InterlockError):
        await fail(world, task, 1)

    recorded = [each for each in await world.actions() if each.state == "unknown"]
    found = await world.store.get(Breaker, "contract:thing.put")
    assert (0 if found is None else found.failures) == len(recorded)


@given(
    st.lists(
        st.tuples(st.sampled_from(["well", "badly", "ask"]), st.integers(0, 3), st.integers(0, 90_000)), max_size=60
    )
)
@example(
    [
        *[("badly", 0, 0)] * THRESHOLD,
        ("well", 1, 0),
        ("badly", 1, 0),
        ("ask", 1, PAUSE_MS),
        ("badly", 2, 0),
        ("well", 2, 0),
    ]
)
@pytest.mark.proves("breaker.probe")
def test_whatever_happens_one_probe_at_a_time(steps: list[tuple[str, int, int]]) -> None:
    """Closed it stops nothing; open it lets nobody through before its time, and one at a time after it, whoever asks when."""
    now, breaker = 0, Breaker(scope="contract", name="thing.put")
    for what, who, later in steps:
        now, action = now + later, ActionId(str(who))
        before = breaker
        if what == "well":
            breaker = answered(breaker, action)
        elif what == "badly":
            breaker = unclear(breaker, action, PUT, now)
        else:
            after = probing(breaker, action, now, 10_000)
            if before.until_at is None:
                assert after == before
            elif after is not None:
                assert now >= before.until_at
                assert before.probe in (None, action) or now >= before.probe_until
                breaker = after
        assert breaker.pause_ms <= LONGEST_MS
        assert breaker.failures <= THRESHOLD
        if before.until_at is not None and before.probe != action and what != "ask":
            assert breaker == before, "only the probe's answer moves what is open"


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (HttpTarget(url="https://user:pw@pay.example:8443/v1/{id}"), "pay.example:8443"),
        (PythonTarget(target="shop.tools:refund"), "shop.tools"),
        (InProcess(name="thing.put"), ""),
    ],
)
@pytest.mark.proves("breaker.shared")
def test_what_a_contract_shares_with_others(target: HttpTarget | PythonTarget | InProcess, name: str) -> None:
    """A host without whoever signs in, a module; nothing where only one process has it."""
    assert target_of(contract(target=target)) == name
