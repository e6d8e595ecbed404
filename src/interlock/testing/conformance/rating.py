"""Rates: as many calls in any span as there may be, however many processes make them."""

import asyncio

from interlock.domain.action import Action
from interlock.domain.change import Change
from interlock.domain.duration import MINUTE
from interlock.domain.errors import Conflict, RateExceeded
from interlock.domain.rate import Count, Rate, Recent
from interlock.testing.conformance.making import NOON, action, fact
from interlock.testing.conformance.world import Promise, World, expect, refused

WEB, ALL = Rate(calls=7, per_ms=MINUTE), Rate(calls=40, per_ms=MINUTE)


def count(at: int, scope: str = "tag:web", rate: Rate = WEB) -> Count:
    """A call at `at`."""
    return Count(scope=scope, rate=rate, at=at)


async def never_more_than_the_rate(world: World) -> None:
    """However many call at once, through two handles, exactly so many hold; the others store, count and record nothing."""
    here, there = await world.open(), await world.open()
    made = [action() for _ in range(30)]
    changes = [
        Change(puts=(each,), facts=(fact(each),), counts=(count(NOON + n), count(NOON + n, "tenant", ALL)))
        for n, each in enumerate(made)
    ]

    results = await asyncio.gather(
        *((here, there)[n % 2].commit(change) for n, change in enumerate(changes)), return_exceptions=True
    )

    expect(results.count(()) == WEB.calls, f"seven of thirty: {results.count(())}")
    over = [each for each in results if isinstance(each, RateExceeded)]
    expect(len(over) == len(made) - WEB.calls, "the others are told")
    expect({(each.scope, each.calls) for each in over} == {("tag:web", WEB.calls)}, "of which limit")
    stored = [each for each in made if await there.get(Action, each.id) is not None]
    expect(len(stored) == len(await here.entries(0, 100)) == WEB.calls, "nothing of them is stored")
    wide = await here.get(Recent, "tenant")
    expect(wide is not None and sum(each.calls for each in wide.stretches) == WEB.calls, "nor counted anywhere else")


async def room_comes_back(world: World) -> None:
    """A call leaves the span exactly when it is as long ago as the span lasts, for whichever handle asks."""
    here, there = await world.open(), await world.open()
    for n in range(WEB.calls):
        await here.commit(Change(puts=(action(),), counts=(count(NOON + n),)))

    async with refused(RateExceeded) as caught:
        await there.commit(Change(puts=(action(),), counts=(count(NOON + MINUTE - 1),)))
    expect(caught[0].again_at == NOON + MINUTE, "it says when")
    await there.commit(Change(puts=(action(),), counts=(count(NOON + MINUTE),)))
    async with refused(RateExceeded):
        await here.commit(Change(puts=(action(),), counts=(count(NOON + MINUTE),)))


async def what_was_not_stored_was_not_counted(world: World) -> None:
    """A change that fails for another reason counts no call, in a group with others or alone."""
    store = await world.open()
    taken = action()
    await store.commit(Change(puts=(taken,)))

    results = await asyncio.gather(
        *(store.commit(Change(puts=(taken,), counts=(count(NOON),))) for _ in range(5)),
        *(store.commit(Change(puts=(action(),), counts=(count(NOON),))) for _ in range(WEB.calls)),
        return_exceptions=True,
    )

    expect(sum(isinstance(each, Conflict) for each in results) == 5, "five failed")
    expect(results.count(()) == WEB.calls, f"and took the room of none: {results}")


async def what_cannot_count_is_left_out(world: World) -> None:
    """However many calls there were, what is kept of them stays small."""
    store = await world.open()
    often = Rate(calls=1_000, per_ms=2_000)
    for n in range(50):
        await store.commit(Change(puts=(action(),), counts=(count(NOON + n * 100, rate=often),)))

    found = await store.get(Recent, "tag:web")

    expect(found is not None and len(found.stretches) <= 18, "some stretches")
    expect(found is not None and sum(each.calls for each in found.stretches) >= 20, "of the last two seconds")


PROMISES: tuple[Promise, ...] = (
    never_more_than_the_rate,
    room_comes_back,
    what_was_not_stored_was_not_counted,
    what_cannot_count_is_left_out,
)
