"""What counts once: spent together with the state it belongs to, in whatever process, until it could not count any more."""

import asyncio

from interlock.domain.action import Action
from interlock.domain.change import Change
from interlock.domain.errors import Conflict
from interlock.domain.ids import Digest
from interlock.domain.presented import KEPT_MS, SPENT, Spent
from interlock.testing.conformance.making import NOON, action, fact
from interlock.testing.conformance.world import Promise, World, expect, refused


def once(number: int, at: int = NOON) -> Spent:
    """Something made at `at`."""
    return Spent(Digest(f"{number:064x}"), at + KEPT_MS)


async def once_in_whatever_process(world: World) -> None:
    """Of many changes that spend the same at once, through two handles, one holds; the others store and record nothing."""
    here, there = await world.open(), await world.open()
    rivals = [action() for _ in range(20)]
    changes = (Change(puts=(each,), facts=(fact(each),), spent=(once(1),)) for each in rivals)

    results = await asyncio.gather(
        *((here, there)[n % 2].commit(change) for n, change in enumerate(changes)), return_exceptions=True
    )

    expect(results.count(()) == 1, "one held")
    expect({each.kind for each in results if isinstance(each, Conflict)} == {SPENT}, "and the others say why")
    stored = [each for each in rivals if await there.get(Action, each.id) is not None]
    expect(len(stored) == 1, "one action is stored")
    expect([each.action for each in await here.entries(0, 50)] == [stored[0].id], "and recorded")
    expect(await there.spent((once(1),)) and await here.spent((once(1),)), "and both know it")


async def what_was_not_stored_was_not_spent(world: World) -> None:
    """A change that fails for another reason has spent nothing."""
    store = await world.open()
    taken = action()
    await store.commit(Change(puts=(taken,)))

    async with refused(Conflict) as caught:
        await store.commit(Change(puts=(taken,), spent=(once(1),)))

    expect(caught[0].kind == Action.kind, "it was the action")
    expect(not await store.spent((once(1),)), "nothing was spent")
    await store.commit(Change(puts=(action(),), spent=(once(1),)))


async def what_cannot_count_any_more_is_forgotten(world: World) -> None:
    """What was spent so long ago that it could not count is forgotten, and what could is not."""
    store = await world.open()
    late = NOON + KEPT_MS
    for number, at in ((1, NOON), (2, NOON + 1), (3, late + 1)):
        await store.commit(Change(puts=(action(),), spent=(once(number, at),)))

    left = [await store.spent((once(number, at),)) for number, at in ((1, NOON), (2, NOON + 1), (3, late + 1))]

    expect(left == [False, True, True], f"the first alone is forgotten: {left}")


PROMISES: tuple[Promise, ...] = (
    once_in_whatever_process,
    what_was_not_stored_was_not_spent,
    what_cannot_count_any_more_is_forgotten,
)
