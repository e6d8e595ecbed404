"""Budgets of an hour, a day, a release; of records and of time; and what is noticed before a limit is reached."""

from typing import Any, cast

import pytest

from interlock.adapters.memory import Fault
from interlock.domain import disclosure
from interlock.domain.budget import Budget
from interlock.domain.contract import Cost
from interlock.domain.duration import DAY, HOUR
from interlock.domain.errors import StoreError
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio

PAID = contract(cost=Cost(unit="EUR", amount="$args.n"))
LISTED: dict[str, Any] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "orders": {"type": "array", "items": {"type": "string"}}},
    "required": ["n"],
    "additionalProperties": False,
}


async def left(world: World, key: str) -> int | None:
    """What is left of a budget, if there is one."""
    found = await world.store.get(Budget, key)
    return None if found is None else found.left


async def noticed(world: World) -> list[tuple[str, int]]:
    """What the log says was noticed: unit and share."""
    found = list[tuple[str, int]]()
    for entry in await world.store.entries(0, 1000):
        for text in entry.disclosures:
            said = disclosure.parse(text)
            if said.name == "budget":
                told = cast(list[dict[str, Any]], said.value)
                found += [(each["unit"], each["noticed"]) for each in told if "noticed" in each]
    return found


@pytest.mark.proves("budget.renews")
async def test_a_budget_of_an_hour_refuses_with_when_it_renews_and_then_fills_up() -> None:
    """What was not spent in one hour is no more in the next; what is of the day counts through all of them."""
    world = World()  # its clock begins at midnight, UTC
    await world.apply(PAID, agent_budgets={"EUR per hour": 5, "EUR per day": 12})
    task = await world.task(lasts_ms=DAY)

    first, over = await world.propose(task, n=4), await world.propose(task, n=2)
    world.clock.advance(HOUR)
    second = [(await world.propose(task, n=each)).state for each in (5, 1)]
    world.clock.advance(HOUR)
    third = await world.propose(task, n=4)

    assert (first.state, over.state, second) == ("done", "refused", ["done", "refused"])
    assert over.reasons[1] == (
        "the budget of 5 EUR per hour for agent:ag has 1 left, 2 is needed; it renews at 2026-01-01T01:00:00.000Z"
    )
    assert "EUR per day for agent:ag has 3 left" in third.reasons[1]
    assert await left(world, "agent:ag/EUR per day 2026-01-01") == 3


@pytest.mark.proves("budget.renews")
async def test_what_was_reserved_in_one_hour_is_settled_there() -> None:
    """An action that ends after its hour takes nothing of the next."""
    world = World()
    await world.apply(PAID, agent_budgets={"EUR per hour": 5})
    task = await world.task(lasts_ms=DAY)

    ready = await world.propose(task, n=3, here=False)
    world.clock.advance(HOUR)
    await world.work()

    hours = {each.since: (each.reserved, each.spent) for each in await world.store.all(Budget) if each.since}
    assert (ready.state, (await world.action(ready)).state) == ("ready", "done")
    assert hours == {"2026-01-01T00": (0, 3)}


@pytest.mark.proves("budget.release")
async def test_each_release_has_its_own() -> None:
    """A new release begins with all of it; the old one's task goes on with what is left of the old."""
    world = World()
    await world.apply(PAID, agent_budgets={"EUR per release": 5})
    old = await world.task()
    await world.propose(old, n=4)
    await world.apply(PAID, agent_budgets={"EUR per release": 5}, bundle="b2")
    new = await world.task()

    states = [(await world.propose(task, n=2)).state for task in (old, new)]

    assert states == ["refused", "done"]


@pytest.mark.proves("budget.noticed")
async def test_what_is_nearly_used_up_is_noticed_once() -> None:
    """The action that reaches the share says so in its entry; the next ones do not, those of the next hour do again."""
    world = World()
    await world.apply(PAID, agent_budgets={"EUR per hour": 10}, agent_soft={"EUR per hour": 800})
    task = await world.task(lasts_ms=DAY)

    for n in (7, 1, 1):
        await world.propose(task, n=n)
    once = await noticed(world)
    world.clock.advance(HOUR)
    await world.propose(task, n=9)

    assert once == [("EUR per hour", 800)]
    assert await noticed(world) == [*once, ("EUR per hour", 800)]


@pytest.mark.proves("budget.records")
async def test_records_are_counted_by_kind_from_what_a_contract_touches() -> None:
    """Of a list each record once; what touches none draws nothing."""
    world = World()
    touching = contract(
        "thing.send", input_schema=LISTED, touches={"order": "$args.orders"}, reversal=None, effect="read"
    )
    await world.apply(contract(), touching, agent_budgets={"records:order": 3})
    task = await world.task()

    states = [
        (await world.propose(task, "thing.send", n=1, orders=["a", "b", "a"])).state,
        (await world.propose(task, "thing.send", n=2, orders=["c", "d"])).state,
        (await world.propose(task, "thing.send", n=3, orders=["c"])).state,
        (await world.propose(task, "thing.send", n=4)).state,
        (await world.propose(task)).state,
    ]

    assert states == ["done", "refused", "done", "done", "done"]
    assert await left(world, "agent:ag/records:order") == 0


@pytest.mark.proves("budget.time")
async def test_time_is_reserved_by_the_timeout_and_spent_by_what_it_took() -> None:
    """Also by what failed; what would not fit before its timeout is not begun."""
    world = World()
    await world.apply(contract(timeout_ms=500), agent_budgets={"wall_ms": 1000})
    task = await world.task()

    await world.propose(task, n=1, here=False)
    held = await left(world, "agent:ag/wall_ms")
    await world.work()

    assert held == 500
    assert await left(world, "agent:ag/wall_ms") == 1000
    assert (await world.propose(task, n=2)).state == "done"


@pytest.mark.proves("budget.renews")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_a_window_whose_first_write_fails_is_there_once_or_not_at_all(fault: Fault) -> None:
    """What the decision reserved and the window it made are stored together, or neither is."""
    world = World()
    await world.apply(PAID, agent_budgets={"EUR per day": 5})
    task = await world.task()
    world.store.faults.at[world.store.faults.writes + 1] = fault

    try:
        await world.propose(task, n=3, here=False)
    except StoreError:
        assert fault == "not stored"

    assert await left(world, "agent:ag/EUR per day 2026-01-01") == (2 if fault == "stored" else None)
