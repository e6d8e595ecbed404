"""Waiting for a change without asking all the time."""

import asyncio
import time

from interlock.domain.change import Change
from interlock.testing.conformance.making import action, task
from interlock.testing.conformance.world import Both, Promise, World, expect

SOON = 1000
"""Ms within which a commit wakes, on a busy machine."""


async def _settled(store: Both) -> None:
    """The first time a task waits it may be told "perhaps"; the second time there is nothing new."""
    await store.changed(timeout_ms=100)
    while await store.changed(timeout_ms=60):
        pass


async def silence_is_waited_out(world: World) -> None:
    """While nobody commits the wait takes its time and says no."""
    store = await world.open()
    await store.commit(Change(puts=(task(),)))
    await _settled(store)

    began = time.monotonic()
    expect(not await store.changed(timeout_ms=150), "nothing changed")
    expect(time.monotonic() - began >= 0.14, "and it took as long as asked")


async def anybodys_commit_wakes(world: World) -> None:
    """A commit through any handle wakes who waits on each, soon; so does a claim."""
    here, there = await world.open(), await world.open()
    await here.commit(Change(puts=(action(),)))
    for writer in (here, there):
        await asyncio.gather(_settled(here), _settled(there))

        async def wait(store: Both) -> bool:
            await _settled(store)
            return await store.changed(timeout_ms=20 * SOON)

        waiting = [asyncio.create_task(wait(store)) for store in (here, here, there)]
        await asyncio.sleep(0.5)
        began = time.monotonic()
        await writer.commit(Change(puts=(task(),)))

        expect(all(await asyncio.gather(*waiting)), "all were woken")
        expect(time.monotonic() - began < SOON / 1000, "soon")


async def ones_own_commit_wakes_at_once(world: World) -> None:
    """Who waits in the process that commits knows of it no later than who committed."""
    store = await world.open()

    async def wait() -> bool:
        await _settled(store)
        return await store.changed(timeout_ms=20 * SOON)

    for _ in range(3):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.4)
        await store.commit(Change(puts=(task(),)))
        for _ in range(3):
            await asyncio.sleep(0)
        expect(waiting.done() and waiting.result(), "it is known")


async def nothing_is_slept_through(world: World) -> None:
    """A commit between two waits of a task ends the second at once, whoever else was told of it meanwhile."""
    here, there = await world.open(), await world.open()
    await _settled(here)
    await there.commit(Change(puts=(task(),)))
    await asyncio.create_task(_settled(here))

    began = time.monotonic()
    expect(await here.changed(timeout_ms=20 * SOON), "it is told")
    expect(time.monotonic() - began < SOON / 1000, "at once")


async def a_first_wait_is_short(world: World) -> None:
    """A task that never waited before is told soon that something may have changed, for it may have."""
    store = await world.open()

    began = time.monotonic()
    expect(await asyncio.create_task(store.changed(timeout_ms=20 * SOON)), "perhaps")
    expect(time.monotonic() - began < SOON / 1000, "soon")


PROMISES: tuple[Promise, ...] = (
    silence_is_waited_out,
    anybodys_commit_wakes,
    ones_own_commit_wakes_at_once,
    nothing_is_slept_through,
    a_first_wait_is_short,
)
