"""Saving: by compare-and-set on a revision, whole or not at all."""

import asyncio

import msgspec

from interlock.domain.action import Action
from interlock.domain.budget import Draw
from interlock.domain.bundle import Bundle
from interlock.domain.change import Change, Unchanged, given
from interlock.domain.control import Control
from interlock.domain.errors import BudgetExceeded, Conflict, ContractError, StoreError
from interlock.domain.evidence import Fact
from interlock.domain.record import Record
from interlock.domain.task import Task
from interlock.ports.store import ActionQuery
from interlock.testing.conformance.making import action, budget, fact, task
from interlock.testing.conformance.world import Promise, World, expect, refused


async def what_is_saved_comes_back(world: World) -> None:
    """A record comes back equal to what was saved, at revision one more, from any handle; what is not there is None."""
    here, there = await world.open(), await world.open()
    first, second = task(), action()
    await here.commit(Change(puts=(first, second)))

    expect(await there.get(Task, first.key) == first.saved(), "the task comes back as saved")
    expect(await there.get(Action, second.key) == second.saved(), "the action comes back as saved")
    expect(await there.get(Task, second.key) is None, "kinds do not mix")
    expect(await there.get(Action, "nobody") is None, "nothing is None")


async def revision_0_means_not_yet(world: World) -> None:
    """A new record is refused where one of its kind and key exists, whatever it holds."""
    store = await world.open()
    for new in (task(), action()):
        await store.commit(Change(puts=(new,)))
        async with refused(Conflict) as caught:
            await store.commit(Change(puts=(new,)))
        expect((caught[0].kind, caught[0].key) == (new.kind, new.key), "the conflict names the record")
        expect(await store.get(type(new), new.key) == new.saved(), "the first stands")


async def only_the_revision_read_is_replaced(world: World) -> None:
    """A record is replaced only at the revision it carries: neither an older, nor a newer, nor where there is none."""
    store = await world.open()
    for new in (task(), action()):
        await store.commit(Change(puts=(new,)))
        await store.commit(Change(puts=(new.saved(),)))
        for revision in (1, 3):
            async with refused(Conflict):
                await store.commit(Change(puts=(msgspec.structs.replace(new, revision=revision),)))
        stored = await store.get(type(new), new.key)
        expect(stored is not None and stored.revision == 2, "it is at the second revision")
    async with refused(Conflict):
        await store.commit(Change(puts=(task(revision=1),)))
    async with refused(Conflict):
        await store.commit(Change(puts=(action(revision=1),)))


async def one_of_many_wins(world: World) -> None:
    """Of many who save what they all read at one revision, through two handles, exactly one succeeds."""
    here, there = await world.open(), await world.open()
    new = task()
    await here.commit(Change(puts=(new,)))
    mine = [msgspec.structs.replace(new.saved(), purpose=f"writer {n}") for n in range(20)]

    results = await asyncio.gather(
        *((here, there)[n % 2].commit(Change(puts=(each,))) for n, each in enumerate(mine)), return_exceptions=True
    )

    expect(sum(result == () for result in results) == 1, "one wins")
    expect(sum(isinstance(result, Conflict) for result in results) == 19, "all others learn of it")
    winner = mine[results.index(())]
    expect(await here.get(Task, new.key) == winner.saved(), "the winner's is what is stored")


async def all_or_nothing(world: World) -> None:
    """Where one record, condition or draw of a change does not fit, none of it is stored, and no fact of it is recorded."""
    store = await world.open()
    old, small = task(), budget(1)
    await store.commit(Change(puts=(old, small)))
    new, other = task(), action()
    reserve = Draw(budget=small.key, move="reserve", amount=1)
    for broken, kind in (
        (Change(puts=(new, other, old)), Conflict),
        (Change(puts=(new, other), given=(Unchanged("task", old.key, 7),)), Conflict),
        (Change(puts=(new, other), draws=(reserve, reserve)), BudgetExceeded),
        (Change(puts=(new, other), draws=(reserve, Draw(budget="x/calls", move="reserve", amount=1))), Conflict),
    ):
        async with refused(kind):
            await store.commit(msgspec.structs.replace(broken, facts=(fact(other),)))

        expect(await store.get(Task, new.key) is None, "the task was not stored")
        expect(await store.get(Action, other.key) is None, "the action was not stored")
        expect(await store.get(type(small), small.key) == small.saved(), "the budget was not drawn")
        expect(await store.head() is None, "nothing was recorded")


async def one_failure_is_its_own(world: World) -> None:
    """Changes made at the same time do not fail with one that conflicts among them."""
    store = await world.open()
    old = task()
    await store.commit(Change(puts=(old,)))
    good = [action() for _ in range(10)]
    changes = [Change(puts=(each,), facts=(fact(each),)) for each in good]
    bad = action()
    changes.insert(5, Change(puts=(bad, old), facts=(fact(bad),)))

    results = await asyncio.gather(*map(store.commit, changes), return_exceptions=True)

    expect([type(result) for result in results].count(Conflict) == 1, "one conflicts")
    expect(results.count(()) == 10, "all others are stored")
    expect(await store.get(Action, bad.key) is None, "the one is not")
    expect(len(await store.entries(0, 100)) == 10, "nor is its fact")


async def a_failure_leaves_no_trace(world: World) -> None:
    """What a change did before it failed, among others made at the same time, is not remembered anywhere."""
    store = await world.open()
    old = task()
    await store.commit(Change(puts=(old,)))
    first, second = (action(release="6" * 64, task="task-6") for _ in range(2))
    purse = budget(5)
    reserve = Draw(budget=purse.key, move="reserve", amount=1)
    for failing in (
        Change(puts=(first, old)),
        Change(puts=(purse,), draws=(reserve,), given=(Unchanged("task", old.key, 1),), facts=(_unspeakable(first),)),
    ):
        results = await asyncio.gather(
            store.commit(Change(puts=(task(),))), store.commit(failing), return_exceptions=True
        )
        expect([result == () for result in results] == [True, False], "one is stored, one is not")

    await store.commit(Change(puts=(second,)))
    expect(
        await store.actions(ActionQuery(release=second.release)) == [second.saved()], "the next is found by its release"
    )
    async with refused(Conflict):
        await store.commit(Change(draws=(reserve,)))
    await store.commit(Change(puts=(purse,), draws=(reserve,)))
    stored = await store.get(type(purse), purse.key)
    expect(stored is not None and stored.reserved == 1, "the budget begins anew")


def _unspeakable(about: Action) -> Fact:
    """A fact that no sealer can sign."""
    return fact(about, body={"text": "x" * 70_000})


async def conditions_hold_or_nothing_does(world: World) -> None:
    """A change that leans on a record commits only while that is at the revision it was read at; 0 means not there."""
    here, there = await world.open(), await world.open()
    control, other = Control(), action()
    absent = Unchanged("control", "control", 0)
    await here.commit(Change(puts=(task(),), given=(absent,)))
    await here.commit(Change(puts=(control, other), given=(absent,)))
    read = control.saved()
    late = task()
    for writer in (here, there):
        await here.commit(Change(puts=(task(),), given=(given(read), given(other.saved()))))
        await writer.commit(Change(puts=(read,)))
        async with refused(Conflict):
            await here.commit(Change(puts=(late,), given=(given(read),)))
        read = read.saved()
    read = control.saved()
    for condition in (given(read), absent, Unchanged("action", other.key, 2), Unchanged("action", "nobody", 1)):
        async with refused(Conflict) as caught:
            await here.commit(Change(puts=(late,), given=(condition,)))
        expect((caught[0].kind, caught[0].key) == (condition.kind, condition.key), "the conflict names what changed")
    expect(await here.get(Task, late.key) is None, "nothing was stored")


async def a_condition_closes_a_race(world: World) -> None:
    """Two changes, each made on the condition that the other's record is unchanged, cannot both be stored."""
    here, there = await world.open(), await world.open()
    for _ in range(10):
        one, two = task(), task()
        await here.commit(Change(puts=(one, two)))

        results = await asyncio.gather(
            here.commit(Change(puts=(one.saved(),), given=(given(two.saved()),))),
            there.commit(Change(puts=(two.saved(),), given=(given(one.saved()),))),
            return_exceptions=True,
        )

        expect(results.count(()) == 1, "one of them is stored")


async def one_action_per_idempotency_key(world: World) -> None:
    """Of many actions proposed by one agent under one key, through two handles, one is stored; other agents are free."""
    here, there = await world.open(), await world.open()
    rivals = [action(idempotency_key="order-7") for _ in range(10)]

    results = await asyncio.gather(
        *((here, there)[n % 2].commit(Change(puts=(each,), facts=(fact(each),))) for n, each in enumerate(rivals)),
        return_exceptions=True,
    )

    expect(results.count(()) == 1, "one is stored")
    lost = [result for result in results if isinstance(result, Conflict)]
    expect({(each.kind, each.key) for each in lost} == {("idempotency_key", "order-7")}, "the others learn which key")
    winner = rivals[results.index(())].saved()
    expect(await there.by_idempotency_key(winner.agent, "order-7") == winner, "it is found by its key")
    expect(await there.by_idempotency_key(winner.agent, "order-8") is None, "and by no other")
    other = action(agent="support", idempotency_key="order-7")
    await there.commit(Change(puts=(other,)))
    expect(await here.by_idempotency_key(other.agent, "order-7") == other.saved(), "another agent's key is another key")


async def versions_are_stored_once(world: World) -> None:
    """What is filed under its own digest is never given a second revision."""
    store = await world.open()
    bundle = Bundle(sources={"a.cedar": "permit(principal, action, resource);"}, schema="{}")
    await store.commit(Change(puts=(bundle,)))

    try:
        await store.commit(Change(puts=(bundle.saved(),)))
    except ValueError:
        expect(await store.get(Bundle, bundle.key) == bundle.saved(), "it is as it was")
    else:
        expect(False, "a second revision should have been refused")


async def what_cannot_be_read_again_is_refused(world: World) -> None:
    """A record that cannot be written, or not be read once it is, fails alone and is not stored; the store goes on."""
    store = await world.open()
    before = task()
    await store.commit(Change(puts=(before,)))
    stored = before.saved()
    wrong: list[tuple[str, Record]] = [
        ("an object that is no JSON", action(arguments={"x": object()})),
        ("a number for a text", msgspec.structs.replace(task(), purpose=5)),
        ("a text that is none", msgspec.structs.replace(task(), purpose="\ud800")),
        ("a text for a number", msgspec.structs.replace(task(), budgets={"calls": "x"})),
        ("a word that is none of the known ones", msgspec.structs.replace(stored, state="nope")),
        ("nothing for a text", msgspec.structs.replace(stored, purpose=None)),
    ]
    for what, record in wrong:
        try:
            await store.commit(Change(puts=(record, task())))
        except ContractError as error:
            expect(record.kind in error.detail, f"{what}: the error says of which kind the record is")
        else:
            expect(False, f"{what} should have been refused")
        found = await store.get(type(record), record.key)
        expect(found == (stored if record.revision else None), f"{what}: it is as it was")
    good = task()
    await store.commit(Change(puts=(good,)))
    expect(await store.get(Task, good.key) == good.saved(), "the next is stored")


async def closed_is_closed(world: World) -> None:
    """A closed store answers nothing, may be closed again, and what was stored is there for the next handle."""
    store = await world.open()
    new = task()
    await store.commit(Change(puts=(new,)))
    await store.close()
    await store.close()

    async with refused(StoreError):
        await store.get(Task, new.key)
    async with refused(StoreError):
        await store.commit(Change(puts=(task(),)))
    expect(await (await world.open()).get(Task, new.key) == new.saved(), "the next finds it")


PROMISES: tuple[Promise, ...] = (
    what_is_saved_comes_back,
    revision_0_means_not_yet,
    only_the_revision_read_is_replaced,
    one_of_many_wins,
    all_or_nothing,
    one_failure_is_its_own,
    a_failure_leaves_no_trace,
    conditions_hold_or_nothing_does,
    a_condition_closes_a_race,
    one_action_per_idempotency_key,
    versions_are_stored_once,
    what_cannot_be_read_again_is_refused,
    closed_is_closed,
)
