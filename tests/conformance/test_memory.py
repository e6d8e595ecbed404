"""The store in memory: the faults it can be told to have."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import pytest

from interlock.adapters.keys import Keys, fresh
from interlock.adapters.memory import Fault, Faults, MemoryStore
from interlock.adapters.sealer import Author, LogSealer
from interlock.adapters.system import SystemClock, SystemIds
from interlock.domain.action import Action
from interlock.domain.budget import Budget, Draw
from interlock.domain.change import Change
from interlock.domain.errors import Conflict, StoreUnsure
from interlock.domain.ids import StreamId, Tenant, WorkerId
from interlock.ports.store import Claim
from interlock.testing.conformance.audit import audited
from interlock.testing.conformance.making import NOON, action, budget, fact

KEYS = Keys(log=fresh("log.example"), gate=fresh("log.example/gate"))
IDS = SystemIds()
FAULTS: tuple[Fault, ...] = ("stored", "not stored")


def store_with(faults: Faults) -> MemoryStore:
    """A store that fails as told."""
    return MemoryStore(Tenant("default"), LogSealer(KEYS, StreamId("run-1"), IDS), faults)


PURSE = budget(10)
FIRST, SECOND = action(idempotency_key="one"), action(idempotency_key="two")
RESERVE = (Draw(budget=PURSE.key, move="reserve", amount=1),)


async def story(store: MemoryStore) -> None:
    """Four writes, each repeated once if the store was unsure of it, as a careful caller would."""

    async def firmly(write: Callable[[], Awaitable[object]]) -> None:
        try:
            await write()
        except StoreUnsure:
            with suppress(Conflict):
                await write()

    await firmly(partial(store.commit, Change(puts=(PURSE,))))
    for each in (FIRST, SECOND):
        await firmly(partial(store.commit, Change(puts=(each,), draws=RESERVE, facts=(fact(each),))))
    await firmly(partial(store.claim, Claim(owner=WorkerId("ada"), now=NOON, lease_ms=1000)))


def writes() -> int:
    """How many writes the story has when nothing fails."""
    faults = Faults()
    asyncio.run(story(store_with(faults)))
    return faults.writes


def test_the_story_is_four_writes() -> None:
    """Every commit is a write, and so is a claim that takes something; one that takes nothing is none."""

    async def idle(store: MemoryStore) -> None:
        assert await store.claim(Claim(owner=WorkerId("ada"), now=NOON, lease_ms=1000)) == []

    faults = Faults()
    asyncio.run(idle(store_with(faults)))

    assert faults.writes == 0
    assert writes() == 4


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("write", range(1, 5))
def test_every_write_fails_both_ways(write: int, fault: Fault) -> None:
    """Whichever write fails, stored or not, a caller that reads and repeats comes out with the same truth."""
    store = store_with(Faults({write: fault}))

    async def run() -> None:
        await story(store)
        purse = await store.get(Budget, PURSE.key)
        assert purse is not None
        assert purse.reserved == 2
        for each in (FIRST, SECOND):
            stored = await store.get(Action, each.id)
            assert stored is not None
            assert (stored.owner, stored.fence) == ("ada", 1)
        assert [entry.action for entry in await audited(store, KEYS)] == [FIRST.id, SECOND.id]

    asyncio.run(run())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_stores_all_or_nothing(fault: Fault) -> None:
    """A write that fails was stored whole, with its fact, or not at all; the next process finds it so."""
    store = store_with(Faults({1: fault}))

    async def run() -> None:
        with pytest.raises(StoreUnsure):
            await store.commit(Change(puts=(FIRST,), facts=(fact(FIRST),)))
        after = store.again(LogSealer(KEYS, StreamId("run-2"), IDS))
        there = await after.get(Action, FIRST.id) is not None
        assert there == (fault == "stored")
        assert len(await audited(after, KEYS)) == int(there)
        await after.commit(Change(puts=(SECOND,), facts=(fact(SECOND),)))
        assert len(await audited(store, KEYS)) == int(there) + 1

    asyncio.run(run())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_the_end_ends_the_stream_or_leaves_it_open(fault: Fault) -> None:
    """When the write that closes a stream fails, closing goes on all the same: the end was stored, or it never was."""
    sealer = LogSealer(KEYS, StreamId("run-1"), IDS, author=Author(WorkerId("w"), SystemClock()))
    store = MemoryStore(Tenant("default"), sealer, Faults({2: fault}))

    async def run() -> None:
        await store.commit(Change(puts=(FIRST,), facts=(fact(FIRST),)))
        await store.close()
        after = store.again(LogSealer(KEYS, StreamId("run-2"), IDS))
        ended = ["closed"] if fault == "stored" else []
        assert [entry.phase for entry in await audited(after, KEYS)] == ["opened", "decided", *ended]

    asyncio.run(run())


def test_what_is_read_is_a_copy() -> None:
    """Whoever changes what was read, or what was saved, changes nothing in the store."""
    store = store_with(Faults())
    new = action()

    async def run() -> None:
        await store.commit(Change(puts=(new,)))
        read = await store.get(Action, new.id)
        assert read is not None
        read.arguments["sku"] = "changed"
        new.arguments["sku"] = "changed"
        again = await store.get(Action, new.id)
        assert again is not None
        assert again.arguments["sku"] == "A-1"

    asyncio.run(run())
