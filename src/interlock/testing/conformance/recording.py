"""Recording: facts enter the log in the transaction of the state they belong to, and the log only grows."""

import asyncio

from interlock.adapters.keys import Keys, fresh
from interlock.adapters.sealer import Author
from interlock.adapters.system import SystemClock
from interlock.domain.action import Action
from interlock.domain.change import Change
from interlock.domain.errors import Conflict, InterlockError, KeyFileError
from interlock.domain.ids import WorkerId
from interlock.domain.tiles import WIDTH
from interlock.testing.conformance.audit import audited, predicate
from interlock.testing.conformance.making import action, fact
from interlock.testing.conformance.world import Promise, World, expect, refused


async def a_fact_is_an_entry(world: World) -> None:
    """The facts of a change are entries in their order, with what opens their commitments, under one checkpoint."""
    here, there = await world.open(), await world.open()
    expect(await here.head() is None, "the log begins empty")
    about = action()
    facts = (fact(about), fact(about, 2, phase="dispatching", private={}), fact(about, 3, action=None, phase="opened"))
    await here.commit(Change(puts=(about,), facts=facts))

    entries = await audited(there, world.keys)

    expect([entry.phase for entry in entries] == ["decided", "dispatching", "opened"], "in their order")
    expect([len(entry.disclosures) for entry in entries] == [2, 0, 2], "with their disclosures")
    expect([predicate(entry).get("actionSeq") for entry in entries] == [1, 2, None], "as they were stated")
    expect(await there.checkpoint_at(2) is None, "under one checkpoint")


async def state_and_entry_are_one(world: World) -> None:
    """After many racing changes an action is stored if and only if its fact is recorded, once."""
    here, there = await world.open(), await world.open()
    rivals = [action(idempotency_key=f"key-{n % 7}") for n in range(40)]

    results = await asyncio.gather(
        *((here, there)[n % 2].commit(Change(puts=(each,), facts=(fact(each),))) for n, each in enumerate(rivals)),
        return_exceptions=True,
    )

    stored = {each.id for each, result in zip(rivals, results, strict=True) if result == ()}
    expect(sum(isinstance(result, Conflict) for result in results) == 33, "all but seven lost")
    expect({each.id for each in rivals if await here.get(Action, each.id)} == stored, "what was answered is stored")
    recorded = [entry.action for entry in await audited(here, world.keys)]
    expect(sorted(str(each) for each in recorded) == sorted(stored), "what is stored is recorded, once")


async def a_fact_that_cannot_be_recorded_stores_nothing(world: World) -> None:
    """When a fact cannot be signed, the state it belongs to is not stored; what is made beside it is."""
    store = await world.open()
    bad, good = action(), action()
    unspeakable = fact(bad, body={"text": "x" * 70_000})

    results = await asyncio.gather(
        store.commit(Change(puts=(bad,), facts=(fact(bad), unspeakable))),
        store.commit(Change(puts=(good,), facts=(fact(good),))),
        return_exceptions=True,
    )

    expect(isinstance(results[0], InterlockError) and results[1] == (), "one fails, one is stored")
    expect(await store.get(Action, bad.id) is None, "no state without its entry")
    expect([entry.action for entry in await audited(store, world.keys)] == [good.id], "no entry without its state")


async def processes_share_one_log(world: World) -> None:
    """Two processes append by turns and at once: one log, two gapless streams, and each sees the other's entries."""
    here, there = await world.open(), await world.open()
    for _ in range(3):
        for store in (here, there):
            await store.commit(Change(facts=(fact(action()),)))
    await asyncio.gather(*((here, there)[n % 2].commit(Change(facts=(fact(action()),))) for n in range(30)))

    entries = await audited(here, world.keys)

    expect(len(entries) == 36, "all are there")
    expect(len({entry.stream for entry in entries}) == 2, "in two streams")
    expect(await there.head() == await here.head(), "both see one head")


async def a_long_log_keeps_its_tiles(world: World) -> None:
    """Past full tiles of two levels every partial and full tile is right, also for a handle opened afterwards."""
    here, other = await world.open(), await world.open()
    about = action()
    await here.commit(Change(facts=tuple(fact(about, n) for n in range(WIDTH - 1))))
    for store in (other, here, other):
        await store.commit(Change(facts=(fact(about),)))
    await other.commit(Change(facts=tuple(fact(about, n) for n in range(3 * WIDTH))))
    await here.commit(Change(facts=(fact(about),)))
    late = await world.open()
    await late.commit(Change(facts=(fact(about),)))

    expect(len(await audited(here, world.keys)) == 4 * WIDTH + 4, "all are there")
    expect(await late.tile(0, 9, 1) is None and await late.tile(5, 0, 1) is None, "there are no other tiles")


async def one_action_is_one_story(world: World) -> None:
    """The entries of an action are found by its id, in order, and nobody else's; ranges give what there is."""
    store = await world.open()
    mine, other = action(), action()
    for n in range(3):
        await store.commit(Change(facts=(fact(mine, n + 1), fact(other, n + 1))))

    story = await store.entries_of(mine.id)

    expect([entry.index for entry in story] == [0, 2, 4], "in order")
    expect(story == [entry for entry in await store.entries(0, 6) if entry.action == mine.id], "as in the log")
    expect([entry.index for entry in await store.entries(4, 9)] == [4, 5], "fewer where there are fewer")
    expect(await store.entries(9, 12) == [] and await store.entries_of(action().id) == [], "none where there are none")


async def another_key_is_refused(world: World) -> None:
    """A log that began with one key takes nothing from a process that holds another, whenever that one was opened."""
    wrong = Keys(log=fresh("log.example"), gate=world.keys.gate)
    early, store = await world.open(wrong), await world.open()
    await store.commit(Change(facts=(fact(action()),)))

    late = action()
    async with refused(KeyFileError):
        await early.commit(Change(puts=(late,), facts=(fact(late),)))
    async with refused(KeyFileError):
        await world.open(wrong)
    expect(await store.get(Action, late.id) is None, "nothing was stored")
    expect(len(await audited(store, world.keys)) == 1, "nothing was recorded")


async def a_run_is_told(world: World) -> None:
    """A stream begins with its run when it first records, ends with a count when it is closed, and is told of only then."""
    author = Author(WorkerId("host:1:ab"), SystemClock())
    here, there, idle = [await world.open(author=author) for _ in range(3)]
    expect(await here.head() is None, "opening records nothing")
    for each in (here, there, here):
        await each.commit(Change(facts=(fact(action()),)))
    await here.close()
    await here.close()
    await idle.close()

    entries = await audited(there, world.keys)

    mine = [predicate(entry) for entry in entries if entry.stream == entries[0].stream]
    expect([each["phase"] for each in mine] == ["opened", "decided", "decided", "closed"], "the whole run is told")
    expect(mine[-1]["entries"] == 4 == mine[-1]["stream"]["seq"], "with how much it recorded")
    expect("host" not in str(mine[0]), "the machine's name is private")
    others = [entry.phase for entry in entries if entry.stream != entries[0].stream]
    expect(others == ["opened", "decided"], "who still records has not ended, and who recorded nothing is not told of")


PROMISES: tuple[Promise, ...] = (
    a_fact_is_an_entry,
    state_and_entry_are_one,
    a_fact_that_cannot_be_recorded_stores_nothing,
    processes_share_one_log,
    a_long_log_keeps_its_tiles,
    one_action_is_one_story,
    another_key_is_refused,
    a_run_is_told,
)
