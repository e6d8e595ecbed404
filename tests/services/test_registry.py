"""What is in force: brought in whole or not at all, braked at once, every change on record."""

import asyncio

import msgspec
import pytest

from interlock.domain.budget import Budget
from interlock.domain.contract import Cost
from interlock.domain.control import Control, StopScope
from interlock.domain.errors import ContractError, NotAllowed, NotFound, PolicyError, WorkspaceError
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio


async def control(world: World) -> Control:
    """The standing orders as stored."""
    found = await world.store.get(Control, "control")
    assert found is not None
    return found


@pytest.mark.proves("registry.whole")
async def test_what_cannot_be_applied_changes_nothing() -> None:
    """A policy, contract or name that is wrong leaves everything in force as it was."""
    world = World()
    await world.apply(contract())
    before, size = await control(world), len(await world.store.entries(0, 1000))
    wrong = [
        (PolicyError, world.definition(policies={"unknown": ""})),
        (WorkspaceError, world.definition(contracts=(contract(), contract(version="2")))),
        (ContractError, world.definition(contracts=(msgspec.structs.replace(contract(), timeout_ms=0),))),
    ]
    for error, definition in wrong:
        with pytest.raises(error):
            await world.plane.registry.apply(definition, by="test")

    assert await control(world) == before
    assert len(await world.store.entries(0, 1000)) == size


@pytest.mark.proves("registry.whole")
async def test_applying_the_same_again_writes_nothing() -> None:
    """Only a change is a change."""
    world = World()
    await world.apply(contract())
    before = await control(world)

    applied = await world.plane.registry.apply(world.definition(), by="test")

    assert not applied.changed
    assert await control(world) == before


@pytest.mark.proves("registry.race")
async def test_two_who_apply_at_once_both_succeed() -> None:
    """Each in its whole; the last one is in force, and both are on record."""
    world = World()
    await world.apply(contract())
    one, two = world.definition(budgets={"EUR": 1}), world.definition(budgets={"EUR": 2})
    planes = [world.plane, world.another("w2")]

    await asyncio.gather(*(each.registry.apply(what, by="x") for each, what in zip(planes, (one, two), strict=True)))

    budget = await world.store.get(Budget, "tenant/EUR")
    assert budget is not None
    assert budget.limit in (1, 2)
    assert [entry.phase for entry in await world.store.entries(0, 1000)].count("applied") == 3


@pytest.mark.proves("budget.limit_lowered")
async def test_a_limit_below_what_is_spent_only_refuses() -> None:
    """Lowering a limit takes nothing back: what is reserved ends as it would, and nothing new fits."""
    world = World()
    await world.apply(contract(cost=Cost(unit="EUR", amount="$args.n")), budgets={"EUR": 100})
    task = await world.task()
    waiting = await world.propose(task, n=60, here=False)
    await world.plane.registry.apply(world.definition(budgets={"EUR": 10}), by="test")

    assert (await world.propose(task, n=1)).state == "refused"
    await world.work()
    assert (await world.action(waiting)).state == "done"
    budget = await world.store.get(Budget, "tenant/EUR")
    assert budget is not None
    assert (budget.limit, budget.reserved, budget.spent) == (10, 0, 60)


@pytest.mark.parametrize(
    ("scope", "name"), [("all", "ag"), ("agent", "agg"), ("contract", "thing.puts"), ("release", "ag@123")]
)
@pytest.mark.proves("registry.stop_exists")
async def test_a_brake_on_what_is_not_there_is_an_error(scope: StopScope, name: str) -> None:
    """A misspelt brake says so instead of looking like one that holds."""
    world = World()
    await world.apply(contract())

    with pytest.raises(NotFound):
        await world.plane.braking.stop(scope, name, by="rita", why="halt")


@pytest.mark.proves("registry.recorded")
async def test_every_change_of_the_orders_is_a_fact() -> None:
    """Applying, braking and resuming are each one entry; resuming what is not braked is none, and says what is."""
    world = World()
    await world.apply(contract())
    await world.plane.braking.stop("agent", "ag", by="rita", why="halt")
    await world.plane.braking.resume("agent", "ag", by="rita")
    for stopped, words in ((False, "nothing is stopped"), (True, "what is stopped: `all`")):
        if stopped:
            await world.plane.braking.stop("all", by="rita", why="halt")
        with pytest.raises(NotFound, match="`agent:ag` is not stopped") as caught:
            await world.plane.braking.resume("agent", "ag", by="rita")
        assert caught.value.next_step == words

    assert [entry.phase for entry in await world.store.entries(0, 1000)] == [
        "applied",
        "stopped",
        "resumed",
        "stopped",
    ]


@pytest.mark.proves("registry.recorded")
async def test_ten_brakes_at_once_all_hold() -> None:
    """Concurrent brakes of two processes are all kept, and of two on one scope the first."""
    world = World()
    names = [f"thing.put{n}" for n in range(5)]
    await world.apply(contract(), *(contract(name) for name in names))
    planes = [world.plane, world.another("w2")]

    await asyncio.gather(
        *(planes[n % 2].braking.stop("contract", names[n // 2], by=f"p{n}", why="halt") for n in range(10))
    )

    assert sorted(stop.name for stop in (await control(world)).stops) == names


@pytest.mark.proves("registry.stop_exists")
async def test_who_pulls_a_brake_is_not_asked_for_and_who_lifts_it_is() -> None:
    """Anybody stops; only somebody who is among the people resumes, where the workspace names any."""
    world = World()
    await world.apply(contract())
    await world.plane.braking.stop("agent", "ag", by="stranger", why="")

    with pytest.raises(NotAllowed, match="not among the people"):
        await world.plane.braking.resume("agent", "ag", by="stranger")
    (brake,) = await world.plane.braking.brakes()
    assert (brake.words, brake.by, brake.why) == ("agent:ag", "stranger", "by stranger")
    await world.plane.braking.resume("agent", "ag", by="rita")
    assert await world.plane.braking.brakes() == []


async def test_where_nobody_is_named_any_name_will_do() -> None:
    """A workspace without people can be stopped, resumed and undone under the name that the program gives."""
    world = World()
    world.people.clear()
    await world.apply(contract())
    done = await world.propose(await world.task())
    await world.plane.braking.stop("all", by="me", why="")
    await world.plane.braking.resume("all", by="me")

    request = await world.plane.compensation.undo("action", done.id, by="me", why="")

    assert request.by == "me"
