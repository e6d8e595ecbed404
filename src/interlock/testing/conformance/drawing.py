"""Drawing on budgets: exact, however many draw."""

import asyncio

import msgspec

from interlock.domain.budget import Budget, Draw
from interlock.domain.change import Change, given
from interlock.domain.errors import BudgetExceeded, Conflict
from interlock.domain.notice import Notice
from interlock.testing.conformance.making import NOON, action, budget, fact, task
from interlock.testing.conformance.world import Both, Promise, World, expect, refused


async def never_more_than_the_limit(world: World) -> None:
    """However many reserve at once, through two handles, exactly the limit is reserved and the rest is refused."""
    here, there = await world.open(), await world.open()
    wide, narrow = budget(1000), budget(7, scope="agent:pricing")
    await here.commit(Change(puts=(wide, narrow)))
    draws = tuple(Draw(budget=each.key, move="reserve", amount=2) for each in (wide, narrow))

    results = await asyncio.gather(
        *((here, there)[n % 2].commit(Change(puts=(action(),), draws=draws)) for n in range(20)),
        return_exceptions=True,
    )

    expect(results.count(()) == 3, "three times two fit into seven")
    full = [result for result in results if isinstance(result, BudgetExceeded)]
    expect(len(full) == 17, "the others are told that it does not fit")
    expect({each.left for each in full} == {1}, "and what is left")
    for each in (wide, narrow):
        stored = await here.get(Budget, each.key)
        expect(stored is not None and stored.reserved == 6, "what did not fit in one was taken from neither")


async def every_draw_counts(world: World) -> None:
    """Reserving, spending and releasing add up when done many at a time, through two handles."""
    here, there = await world.open(), await world.open()
    purse = budget(1000)
    await here.commit(Change(puts=(purse,)))

    async def use(n: int) -> None:
        store = (here, there)[n % 2]
        await store.commit(Change(draws=(Draw(budget=purse.key, move="reserve", amount=3),)))
        move = Draw(budget=purse.key, move="spend" if n % 3 else "release", amount=3)
        await store.commit(Change(draws=(move,)))

    await asyncio.gather(*map(use, range(30)))

    stored = await here.get(Budget, purse.key)
    expect(stored is not None and (stored.reserved, stored.spent) == (0, 60), "twenty spent three each")


async def a_draw_is_a_new_revision(world: World) -> None:
    """Whoever read a budget before a draw cannot save over it."""
    store = await world.open()
    purse = budget(10)
    await store.commit(Change(puts=(purse,)))
    await store.commit(Change(draws=(Draw(budget=purse.key, move="reserve", amount=1),)))

    async with refused(Conflict):
        await store.commit(Change(puts=(purse.saved(),)))


async def draws_at_the_same_time_count(world: World) -> None:
    """Also among changes made together, a draw before a save of its budget, or before a condition on it, is seen."""
    store = await world.open()
    purse = budget(10)
    await store.commit(Change(puts=(purse,)))
    draw = Change(draws=(Draw(budget=purse.key, move="reserve", amount=1),))
    for late in (Change(puts=(purse.saved(),)), Change(given=(given(purse.saved()),), puts=(task(),))):
        results = await asyncio.gather(store.commit(draw), store.commit(late), return_exceptions=True)

        expect([type(result) for result in results] == [tuple, Conflict], "the draw came first")
    stored = await store.get(Budget, purse.key)
    expect(stored is not None and stored.reserved == 2, "both draws count")


async def a_window_is_made_by_whoever_draws_first(world: World) -> None:
    """Of a limit for every day each day has its own budget, made once, whoever draws first; a limit changed counts at once."""
    here, there = await world.open(), await world.open()
    says = Budget(scope="tenant", unit="calls", per="day", limit=5, soft=800)
    await here.commit(Change(puts=(says,)))
    today, tomorrow = (f"{says.key} 2026-11-{day}" for day in (22, 23))

    async def reserve(store: Both, key: str) -> None:
        await store.commit(Change(puts=(action(),), draws=(Draw(budget=key, move="reserve", amount=1),)))

    results = await asyncio.gather(*(reserve((here, there)[n % 2], today) for n in range(8)), return_exceptions=True)
    await reserve(there, tomorrow)

    expect(results.count(None) == 5, "five fit into the day")
    told = {each.renews_at for each in results if isinstance(each, BudgetExceeded)}
    expect(told == {1_795_392_000_000}, "who is refused is told when the next day begins")
    found = [await here.get(Budget, key) for key in (today, tomorrow)]
    expect([each and (each.reserved, each.noticed) for each in found] == [(5, True), (1, False)], "each has its own")
    stored = await there.get(Budget, says.key)
    expect(stored is not None and stored.reserved == 0, "nothing is drawn on what says how much")
    await there.commit(Change(puts=(Budget(scope="tenant", unit="calls", per="day", limit=6, revision=1),)))
    await reserve(here, today)
    async with refused(Conflict):
        await reserve(here, "tenant/EUR per day 2026-11-22")


async def a_soft_share_is_told_once(world: World) -> None:
    """However many draw at once, the change that reaches the share gives and stores one notice, which names it; a limit that is
    changed is noticed anew. What was spent beyond what was reserved counts, and reaches it as well."""
    here, there = await world.open(), await world.open()
    purse = msgspec.structs.replace(budget(10), soft=500)
    await here.commit(Change(puts=(purse,)))
    drawing = [action() for _ in range(8)]
    draws = (Draw(budget=purse.key, move="reserve", amount=1),)

    made = await asyncio.gather(
        *(
            (here, there)[n % 2].commit(Change(puts=(each,), draws=draws, facts=(fact(each),)))
            for n, each in enumerate(drawing)
        )
    )

    told = [each for notices in made for each in notices]
    expect(
        [(each.scope, each.unit, each.limit, each.used) for each in told] == [("tenant", "calls", 10, 5)],
        "once, at half",
    )
    (which,) = (n for n, notices in enumerate(made) if notices)
    expect(told[0].by == f"action:{drawing[which].id}", "by whom it was reached")
    expect([each.saved() for each in told] == await there.all(Notice), "it is stored with the rest")

    raised = await there.get(Budget, purse.key)
    expect(raised is not None and raised.noticed, "the budget says so, too")
    if raised is not None:
        await there.commit(Change(puts=(msgspec.structs.replace(raised, limit=20, noticed=False),)))
    late, again = action(proposed_at=NOON + 1), (Draw(budget=purse.key, move="exceed", amount=2),)
    later = msgspec.structs.replace(fact(late), observed_at=NOON + 1)
    made_then = await here.commit(Change(puts=(late,), draws=again, facts=(later,)))
    expect([each.used for each in made_then] == [10], "of the new limit it is told again")
    expect(len(await there.all(Notice)) == 2, "and both are kept")


async def no_budget_is_no_money(world: World) -> None:
    """A draw on a budget that does not exist is a conflict, and stores nothing."""
    store = await world.open()
    new = task()
    async with refused(Conflict) as caught:
        await store.commit(Change(puts=(new,), draws=(Draw(budget="tenant/EUR", move="reserve", amount=1),)))

    expect((caught[0].kind, caught[0].key) == ("budget", "tenant/EUR"), "the conflict names the budget")
    expect(await store.get(type(new), new.key) is None, "nothing was stored")


PROMISES: tuple[Promise, ...] = (
    never_more_than_the_limit,
    every_draw_counts,
    a_draw_is_a_new_revision,
    draws_at_the_same_time_count,
    a_window_is_made_by_whoever_draws_first,
    a_soft_share_is_told_once,
    no_budget_is_no_money,
)
