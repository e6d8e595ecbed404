"""Claiming work: one claimer each, for as long as the lease runs."""

import asyncio

import msgspec

from interlock.domain.action import Action
from interlock.domain.change import Change
from interlock.domain.errors import Conflict
from interlock.domain.ids import ActionId, WorkerId
from interlock.ports.store import Claim
from interlock.testing.conformance.making import NOON, action
from interlock.testing.conformance.world import Promise, World, expect, refused

LEASE = 1000


def _claim(
    owner: str = "ada", now: int = NOON, places: tuple[str, ...] = ("",), only: ActionId | None = None, limit: int = 16
) -> Claim:
    return Claim(owner=WorkerId(owner), now=now, lease_ms=LEASE, places=places, only=only, limit=limit)


async def a_claim_is_a_lease(world: World) -> None:
    """What is claimed comes back as stored: owner, end of the lease, a higher fence and revision; no fact is recorded."""
    store = await world.open()
    new = action()
    await store.commit(Change(puts=(new,)))

    (taken,) = await store.claim(_claim())

    expect(await store.get(Action, new.key) == taken, "it is as stored")
    expect((taken.owner, taken.lease_until, taken.due_at) == ("ada", NOON + LEASE, NOON + LEASE), "the lease is hers")
    expect((taken.fence, taken.revision) == (1, 2), "fence and revision rose")
    expect(await store.head() is None, "a lease is not a fact")


async def each_goes_to_one(world: World) -> None:
    """However many claim at once, through two handles, each due action goes to exactly one of them."""
    here, there = await world.open(), await world.open()
    made = [action() for _ in range(40)]
    await here.commit(Change(puts=tuple(made)))

    taken = await asyncio.gather(*((here, there)[n % 2].claim(_claim(owner=f"worker-{n}", limit=5)) for n in range(16)))

    ids = [each.id for batch in taken for each in batch]
    expect(sorted(ids) == sorted(each.id for each in made), "each once, and all")
    expect(all(each.owner == f"worker-{n}" for n, batch in enumerate(taken) for each in batch), "each its own")
    expect(max(map(len, taken)) <= 5, "no more than asked for")


async def a_running_lease_is_respected(world: World) -> None:
    """Nobody gets what is under a lease until it has run out; then the fence is higher and the old owner cannot save."""
    store = await world.open()
    await store.commit(Change(puts=(action(),)))
    (first,) = await store.claim(_claim("ada"))

    expect(await store.claim(_claim("bob", now=NOON + LEASE - 1)) == [], "the lease still runs")
    expect(await store.claim(_claim("ada", now=NOON + LEASE - 1)) == [], "for its owner, too")
    (second,) = await store.claim(_claim("bob", now=NOON + LEASE))
    expect((second.owner, second.fence) == ("bob", first.fence + 1), "a later lease has a higher fence")
    async with refused(Conflict):
        await store.commit(Change(puts=(first,)))


async def a_lease_holds_though_it_is_due(world: World) -> None:
    """An action whose `due_at` has come is not claimed while a lease on it runs."""
    store = await world.open()
    await store.commit(Change(puts=(action(owner="ada", lease_until=NOON + 10, due_at=NOON),)))

    expect(await store.claim(_claim("bob", now=NOON + 9)) == [], "the lease runs")
    expect(len(await store.claim(_claim("bob", now=NOON + 10))) == 1, "and then does not")


async def only_what_is_due(world: World) -> None:
    """What is due later or never is not claimed; of what is due the longest due comes first."""
    store = await world.open()
    late, early, middle = action(due_at=NOON), action(due_at=NOON - 20), action(due_at=NOON - 10)
    await store.commit(
        Change(puts=(late, action(due_at=NOON + 1), early, action(due_at=None), action(due_at=NOON + 9), middle))
    )

    expect([each.id for each in await store.claim(_claim(limit=2))] == [early.id, middle.id], "the two longest due")
    expect([each.id for each in await store.claim(_claim())] == [late.id], "then the last")
    expect(await store.claim(_claim()) == [], "then none")


async def only_where_it_can_run(world: World) -> None:
    """An action bound to a place is claimed only by who serves that place; the places of one claim are one queue."""
    store = await world.open()
    anywhere, here, there = action(due_at=NOON - 1), action(place="p1", due_at=NOON - 2), action(place="p2")
    await store.commit(Change(puts=(anywhere, here, there)))

    expect(await store.claim(_claim(places=("p3",))) == [], "nobody else's")
    taken = await store.claim(_claim(places=("", "p1")))
    expect([each.id for each in taken] == [here.id, anywhere.id], "ours and anybody's, the longest due first")
    expect([each.id for each in await store.claim(_claim(places=("p2",)))] == [there.id], "theirs")


async def silence_and_death_are_found_out_anywhere(world: World) -> None:
    """Where no call of its tool is what is next, an action is claimed in any place: while people are asked, and under a lease
    that ran out in a call. What is next for it then is bound to its place again."""
    store = await world.open()
    asked, begun = action(place="p1", state="held"), action(place="p1", state="dispatching", lease_until=NOON)
    await store.commit(Change(puts=(asked, begun)))

    expect(await store.next_due_at(("",)) == NOON, "due anywhere")
    found = await store.claim(_claim())
    expect({each.id for each in found} == {asked.id, begun.id}, "both")
    free = [msgspec.structs.replace(each, state="unknown", owner=None, lease_until=None, due_at=NOON) for each in found]
    await store.commit(Change(puts=tuple(free)))
    expect(await store.next_due_at(("",)) is None, "nobody's but who serves that place")
    expect({each.id for each in await store.claim(_claim(places=("p1",)))} == {asked.id, begun.id}, "theirs")


async def only_the_one_asked_for(world: World) -> None:
    """A claim on one action takes that one or none: not where it is not due, not here, or leased."""
    store = await world.open()
    wanted, other, later, elsewhere = action(), action(), action(due_at=NOON + 1), action(place="p1")
    await store.commit(Change(puts=(wanted, other, later, elsewhere)))

    expect([each.id for each in await store.claim(_claim(only=wanted.id))] == [wanted.id], "the one")
    for nothing in (wanted.id, later.id, elsewhere.id, ActionId("nobody")):
        expect(await store.claim(_claim(only=nothing)) == [], "none")
    expect([each.id for each in await store.claim(_claim())] == [other.id], "the others were left alone")


async def letting_go_is_saving(world: World) -> None:
    """Who gives a lease back makes it claimable at once, and the fence still rises."""
    store = await world.open()
    await store.commit(Change(puts=(action(),)))
    (taken,) = await store.claim(_claim("ada"))
    await store.commit(Change(puts=(msgspec.structs.replace(taken, owner=None, lease_until=None, due_at=NOON),)))

    (again,) = await store.claim(_claim("bob"))

    expect((again.owner, again.fence) == ("bob", 2), "the next lease is another")


PROMISES: tuple[Promise, ...] = (
    a_claim_is_a_lease,
    each_goes_to_one,
    a_running_lease_is_respected,
    a_lease_holds_though_it_is_due,
    only_what_is_due,
    only_where_it_can_run,
    silence_and_death_are_found_out_anywhere,
    only_the_one_asked_for,
    letting_go_is_saving,
)
