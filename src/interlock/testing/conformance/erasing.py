"""Erasing: what is private goes, with the records it was in, and what the log shows stays."""

import msgspec

from interlock.adapters.keys import verify
from interlock.domain.access_facts import What, access_fact
from interlock.domain.action import Action, Outcome
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change, Unchanged
from interlock.domain.erasing import LegalHold, Part, hold_fact, placed
from interlock.domain.erasure import erased
from interlock.domain.errors import Conflict
from interlock.domain.evidence import Fact, Phase, Verification
from interlock.domain.ids import Digest, ErasureId, HoldId, Person
from interlock.domain.login import Login, handle_of
from interlock.domain.recording import recorded
from interlock.domain.task import Task
from interlock.ports.store import ActionQuery
from interlock.services.verifying import verify_all
from interlock.testing.conformance.audit import audited, predicate
from interlock.testing.conformance.making import NOON, action, fact, task
from interlock.testing.conformance.world import Both, Promise, World, expect, refused


def part(*records: Action | Task, number: int = 1) -> Part:
    """A part of an erasure that erases `records`, as they are stored."""
    return Part(
        erasure=ErasureId("e-1"),
        number=number,
        basis="request",
        records=tuple(Unchanged(each.kind, each.key, each.revision) for each in records),
        consents=2,
        observed_at=NOON + 5,
        private={"by": "ria"},
    )


def about_hold(hold: LegalHold, phase: Phase) -> Fact:
    """A fact about a hold, naming whom it holds."""
    return hold_fact(hold, phase, "rita", NOON)


def about_task(work: Task, phase: Phase) -> Fact:
    """A fact about a task, naming its initiator."""
    return Fact(
        phase=phase,
        subject="task",
        subject_id=work.id,
        subject_digest=Digest("d" * 64),
        observed_at=NOON,
        body={"state": "open"},
        private={"initiator": work.initiator},
    )


async def verified(store: Both, world: World) -> Verification:
    """What verification finds in store and log."""
    return await verify_all(store, store, world.keys.log.verifier, (world.keys.gate.verifier,), verify)


async def done(store: Both, **changes: object) -> Action:
    """An action that was decided and is done, with an entry for each."""
    begun, first = recorded(action(**{"state": "dispatching", "due_at": None} | changes), "dispatching", NOON)
    await store.commit(Change(puts=(begun,), facts=(first,)))
    outcome = Outcome(result={"was": 1700}, observed_at=NOON)
    after, second = recorded(begun.saved().after("succeed", outcome=outcome), "outcome", NOON)
    await store.commit(Change(puts=(after,), facts=(second,)))
    return after.saved()


async def what_is_erased_is_gone(world: World) -> None:
    """Of an erased action and task everything private is gone, in every process; the rest, and all others, are as before."""
    here, there = await world.open(), await world.open()
    gone, kept = await done(here, initiator="user:ana"), await done(there)
    work = task()
    await here.commit(Change(puts=(work,), facts=(about_task(work, "opened"),)))
    index = await here.erase(part(gone, work.saved()))
    await here.scrub()

    for store in (here, there, await world.open()):
        expect(await store.get(Action, gone.id) == erased(gone, 0).saved(), "the action is stripped")
        expect(await store.get(Task, work.id) == erased(work.saved(), 0).saved(), "the task is stripped")
        expect(await store.get(Action, kept.id) == kept, "another is not")
        shown = {entry.index: len(entry.disclosures) for entry in await store.entries(0, index)}
        expect(
            [index for index, count in shown.items() if not count]
            == [entry.index for entry in await store.entries(0, index) if entry.action != kept.id],
            "their clear texts are gone, and no others",
        )
        found = await verified(store, world)
        expect(found.findings == (), f"the log verifies: {found.findings}")
        expect(found.erased == 3, "and it is known which clear texts were erased")
    said = predicate((await here.entries(index, index + 1))[0])
    expect((said["phase"], said["covers"], said["actions"]) == ("erased", "0-1,4", 1), "an entry says which")
    expect("ana" not in str(said) and "ria" not in str(said), "and names nobody")
    await audited(here, world.keys)


async def a_key_that_was_used_stays_used(world: World) -> None:
    """An erased action is still found by its idempotency key, and nobody else can take it; repeats no longer count it."""
    store = await world.open()
    gone = await done(store)
    await store.erase(part(gone))

    found = await store.by_idempotency_key(gone.agent, gone.idempotency_key)
    expect(found is not None and (found.id, found.withheld) == (gone.id, "erased"), "it is found, and says so")
    async with refused(Conflict):
        await store.commit(Change(puts=(action(idempotency_key=gone.idempotency_key),)))
    expect(await store.count(ActionQuery(task=gone.task, fingerprint=gone.fingerprint)) == 0, "no fingerprint is left")
    expect(await store.actions(ActionQuery(task=gone.task)) == [found], "it is listed")


async def what_moved_is_not_erased(world: World) -> None:
    """When any record is not as it was read, nothing of the part is erased and nothing is recorded."""
    store = await world.open()
    one, other = await done(store), await done(store)
    undone, said = recorded(other.after("undo"), "compensation", NOON)
    await store.commit(Change(puts=(undone,), facts=(said,)))
    size = len(await store.entries(0, 99))

    async with refused(Conflict):
        await store.erase(part(one, other))
    expect(await store.get(Action, one.id) == one, "the other is as it was")
    expect(len(await store.entries(0, 99)) == size, "nothing was recorded")
    expect((await verified(store, world)).findings == (), "and all verifies")


async def what_comes_late_commits_to_nothing(world: World) -> None:
    """A fact about something erased that comes later, from whichever process, says nothing private; about all else it does."""
    here, there = await world.open(), await world.open()
    gone, kept, work = await done(here), await done(here), task()
    await here.commit(Change(puts=(work,)))
    await here.erase(part(gone, work.saved()))
    size = len(await here.entries(0, 99))
    body: dict[str, JsonValue] = {"state": "done", "fieldEvidence": {"target-reported": ["toolResult"]}}
    private: dict[str, JsonValue] = {"late": True, "toolResult": "Carla"}
    facts = [fact(each, 0, phase="outcome", body=body, private=private) for each in (gone, kept)]
    closed = about_task(work, "closed")
    await there.commit(Change(facts=(*facts, closed)))

    for store in (here, there, await world.open()):
        said = [each for each in await store.entries(size, 99) if each.phase in ("outcome", "closed")]
        expect([len(each.disclosures) for each in said] == [0, 2, 0], "nothing private of what was erased")
        first, second, third = (predicate(each) for each in said)
        expect("commitments" not in first and "commitments" not in third, "nothing is committed to")
        expect((first["withheld"], third["withheld"]) == ("erased", "erased"), "and the entry says why")
        expect("fieldEvidence" not in first and "withheld" not in second, "it speaks of no field that is not there")
        expect(await store.late() == [], "nothing is left for a next erasure")
        expect((await verified(store, world)).findings == (), "and all verifies")
    await audited(here, world.keys)


async def twice_is_once(world: World) -> None:
    """What is erased can be erased again with another erasure: nothing is left to go, and all verifies."""
    store = await world.open()
    gone = await done(store)
    await store.erase(part(gone))
    again = await store.get(Action, gone.id)
    expect(again is not None, "it is there")
    if again is not None:
        await store.erase(part(again, number=2))

    expect((await verified(store, world)).findings == (), "all verifies")


async def a_hold_is_heeded_to_the_last(world: World) -> None:
    """A part that was put together before a hold was placed, or lifted, erases nothing."""
    store = await world.open()
    one = await done(store)
    hold = LegalHold(id=HoldId("h-1"), subject="user:ana", why="a suit", placed_by="ria", placed_at=NOON)
    await store.commit(Change(puts=(hold,)))

    for heeded in (0, 2):
        async with refused(Conflict):
            await store.erase(msgspec.structs.replace(part(one), holds=heeded))
    expect(await store.get(Action, one.id) == one, "it is as it was")
    await store.erase(msgspec.structs.replace(part(one), holds=placed([hold.saved()])))
    expect((await verified(store, world)).erased == 2, "with the hold that was heeded it is erased")


async def the_words_of_a_hold_go(world: World) -> None:
    """With a hold that was lifted go the clear texts of every entry about it: whom it named, why, and by whom."""
    here, there = await world.open(), await world.open()
    hold = LegalHold(id=HoldId("h-1"), subject="user:ana", why="a suit", placed_by="rita", placed_at=NOON)
    await here.commit(Change(puts=(hold,), facts=(about_hold(hold, "placed"),)))
    lifted = msgspec.structs.replace(hold.saved(), lifted_by="ria", lifted_at=NOON)
    await there.commit(Change(puts=(lifted,), facts=(about_hold(lifted, "lifted"),)))
    gone = lifted.saved()
    said = [each.index for each in await here.entries(0, 99) if each.phase in ("placed", "lifted")]
    records = (Unchanged(LegalHold.kind, gone.id, gone.revision),)
    index = await here.erase(msgspec.structs.replace(part(), records=records))
    await here.scrub()

    for store in (here, there, await world.open()):
        shown = {entry.index: entry.disclosures for entry in await store.entries(0, index)}
        expect(len(said) == 2 and all(shown[each] == () for each in said), "their clear texts are gone")
        expect((await verified(store, world)).erased == 2, "and the log says which")
    expect(predicate((await here.entries(index, index + 1))[0])["covers"] != "", "which entries it covers is said")
    await there.commit(Change(facts=(about_hold(gone, "lifted"),)))
    expect((await here.entries(index + 1, 99))[-1].disclosures == (), "what comes late about it says nothing private")
    expect((await verified(here, world)).findings == (), "and all verifies")
    await audited(here, world.keys)


async def what_goes_with_a_record_it_is_not_about(world: World) -> None:
    """With the record of how somebody signs in go the clear texts of entries that are about a session of theirs, whoever wrote
    them; what comes late says nothing private, and what is written with a new record of theirs does."""
    here, there = await world.open(), await world.open()
    login = Login(handle=handle_of("ana"), person=Person("ana"), made_at=NOON)
    await here.commit(Change(puts=(login,), facts=(_signed("signed_in", "s-1"),)))
    await there.commit(Change(facts=(_signed("signed_out", "s-1"), _signed("signed_in", "s-2", person="ben"))))
    gone = login.saved()
    index = await here.erase(
        msgspec.structs.replace(part(), records=(Unchanged(Login.kind, gone.handle, gone.revision),))
    )
    await here.scrub()

    entries = {each.phase: each for each in await here.entries(0, index) if each.phase.startswith("signed")}
    expect(entries["signed_out"].disclosures == (), "her clear texts are gone, of the entry of another process too")
    expect(len(entries["signed_in"].disclosures) == 2, "those of somebody else stay")
    await there.commit(Change(facts=(_signed("revoked", "s-1"),)))
    expect((await here.entries(index + 1, 99))[-1].disclosures == (), "what comes late says nothing private")
    again = msgspec.structs.replace(login, revision=gone.revision + 1)
    await there.commit(Change(puts=(again,), facts=(_signed("offered", "l-1"),)))
    expect(len((await here.entries(index + 2, 99))[-1].disclosures) == 2, "what comes with a new record does")
    expect((await here.get(Login, again.handle)) == again.saved(), "which can be read")
    expect((await verified(here, world)).findings == (), "and all verifies")
    await audited(here, world.keys)


def _signed(phase: Phase, name: str, *, person: str = "ana") -> Fact:
    """That something was done about how somebody signs in."""
    what: What = "link" if name.startswith("l") else "session"
    way = "oidc" if phase == "signed_in" else ""
    return access_fact(phase, what, name, person=person, by="ria", now=NOON, way=way)


PROMISES: tuple[Promise, ...] = (
    what_is_erased_is_gone,
    a_key_that_was_used_stays_used,
    what_moved_is_not_erased,
    what_comes_late_commits_to_nothing,
    twice_is_once,
    a_hold_is_heeded_to_the_last,
    the_words_of_a_hold_go,
    what_goes_with_a_record_it_is_not_about,
)
