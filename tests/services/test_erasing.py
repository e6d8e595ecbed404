"""Erasing a person or a class: two persons' word, what is left and why, and what nobody can do with what is gone."""

from base64 import urlsafe_b64decode
from typing import Any

import anyio
import anyio.lowlevel
import msgspec
import pytest

from interlock.adapters.keys import verify
from interlock.adapters.memory import Fault, Faults
from interlock.domain import dsse, erasure_scope
from interlock.domain.action import Action
from interlock.domain.agent_key import AgentKey
from interlock.domain.agent_state import AgentWords
from interlock.domain.api_key import ApiKey
from interlock.domain.change import Change, Unchanged
from interlock.domain.contract import Contract
from interlock.domain.control import Control
from interlock.domain.duration import DAY, HOUR
from interlock.domain.erasing import Erasure, LegalHold, Part, speaks_of
from interlock.domain.erasure_scope import Scope, scope_key
from interlock.domain.errors import (
    ContractError,
    IllegalMove,
    IntegrityError,
    InterlockError,
    KeyReused,
    NotAllowed,
    NotFound,
    StoreError,
)
from interlock.domain.ids import AgentName, ErasureId, HoldId, Person
from interlock.domain.login import Login, handle_of
from interlock.domain.statement import shred_said
from interlock.domain.task import Task
from interlock.services.erasing import Erasing, Target
from interlock.services.verifying import verify_all
from interlock.testing.conformance.audit import predicate
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio

ANA = Target(subject="user:ana")
RITA, RIA = Person("rita"), Person("ria")
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "who": {"type": "string"}},
    "required": ["n"],
    "additionalProperties": False,
}


def about_customers(name: str = "thing.put", **changes: object) -> Contract:
    """A contract whose data is about a customer, and of a class."""
    return contract(
        name, input_schema=SCHEMA, subject={"customer": "$args.who"}, data_classes={"who": "contact"}, **changes
    )


def erasing(world: World, *, keeps_ms: int = 30 * DAY) -> Erasing:
    """The service, with a time for which the class `contact` is kept."""
    return Erasing(
        store=world.store,
        orders=world.plane.orders,
        clock=world.clock,
        ids=world.ids,
        retention={"contact": keeps_ms},
    )


async def erase(world: World, target: Target) -> Erasure:
    """Propose and agree."""
    service = erasing(world)
    made = await service.propose(target, RITA, why="asked in writing")
    return await service.accept(made.id, RIA)


async def findings(world: World) -> list[str]:
    """What is wrong with store and log."""
    keys = world.keys
    found = await verify_all(world.store, world.store, keys.log.verifier, (keys.gate.verifier,), verify)
    return [f"{each.place}: {each.problem}" for each in found.findings]


async def said(world: World) -> list[bytes]:
    """Every clear text of every entry."""
    texts = [each for entry in await world.store.entries(0, 999) for each in entry.disclosures]
    return [urlsafe_b64decode(each + "=" * (-len(each) % 4)) for each in texts]


async def left(world: World) -> list[Action]:
    """The actions of which anything private is left."""
    return [each for each in await world.actions() if not each.withheld]


@pytest.mark.proves("erasure.two_persons")
async def test_it_takes_two_persons() -> None:
    """Nobody unknown proposes or agrees, nobody agrees to an own proposal, and a proposal alone erases nothing."""
    world = World()
    await world.apply(contract())
    await world.propose(await world.task())
    service = erasing(world)

    with pytest.raises(NotAllowed):
        await service.propose(ANA, Person("eve"), why="x")
    with pytest.raises(ContractError, match="why"):
        await service.propose(ANA, RITA, why="")
    made = await service.propose(ANA, RITA, why="asked in writing")
    for person in (RITA, Person("eve")):
        with pytest.raises(NotAllowed):
            await service.accept(made.id, person)
    assert len(await left(world)) == 1
    done = await service.accept(made.id, RIA)

    assert (done.state, done.withheld, done.subject, done.proposed_by) == ("erased", "erased", "", "")
    assert await left(world) == []
    with pytest.raises(IllegalMove):
        await service.accept(made.id, RIA)
    assert await findings(world) == []


@pytest.mark.proves("erasure.two_persons")
async def test_a_withdrawn_proposal_erases_nothing() -> None:
    """What was taken back can be agreed to no more, and what never was proposed is not found."""
    world = World()
    await world.apply(contract())
    await world.propose(await world.task())
    service = erasing(world)
    made = await service.propose(ANA, RITA, why="asked in writing")
    await service.withdraw(made.id, RIA)

    for move in (service.accept, service.withdraw):
        with pytest.raises(IllegalMove):
            await move(made.id, RIA)
    with pytest.raises(NotFound):
        await service.accept(ErasureId("nothing"), RIA)
    assert len(await left(world)) == 1


@pytest.mark.proves("erasure.two_persons")
async def test_nothing_is_not_erased_and_the_same_is_proposed_once() -> None:
    """Of whom there is nothing nothing can be proposed, and what is proposed and open is not proposed again."""
    world = World()
    await world.apply(contract())
    await world.propose(await world.task())
    service = erasing(world)

    for subject in ("ana", "user:anna"):
        assert (await service.plan(Target(subject=subject))).nothing
        with pytest.raises(NotFound, match="nothing here is about") as told:
            await service.propose(Target(subject=subject), RITA, why="x")
        assert "user:" in told.value.next_step
    made = await service.propose(ANA, RITA, why="x")
    with pytest.raises(IllegalMove, match=made.id):
        await service.propose(ANA, RIA, why="y")
    await service.withdraw(made.id, RIA)
    for move in (service.accept, service.withdraw):
        with pytest.raises(IllegalMove) as refused:
            await move(made.id, RIA)
        assert "erase --list" in refused.value.next_step
    await service.propose(ANA, RIA, why="y")


@pytest.mark.proves("erasure.agreed_is_erased")
async def test_what_two_agreed_to_is_what_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came after the proposal is left and named, whatever it is; both entries name what was agreed to by one digest."""
    monkeypatch.setattr(erasure_scope, "NAMES", 2)
    world = World()
    await world.apply(contract())
    service, task = erasing(world), await world.task()
    before = [await world.propose(task, n=n) for n in range(5)]
    made = await service.propose(ANA, RITA, why="asked in writing")
    late = [await world.propose(task, n=n) for n in (5, 6)]
    await world.plane.tasks.close(task)

    due = await service.due(made.id)
    assert ({each.key for each in due.goes}, set(due.since)) == (
        {each.id for each in before},
        {task.id, *(each.id for each in late)},
    )
    done = await service.accept(made.id, RIA)
    assert (made.covers, done.covers) == ({"action": 5}, {"action": 5})
    assert {each.id for each in await left(world)} == {each.id for each in late}
    assert [each.withheld for each in await world.tasks()] == [""]
    told = [predicate(each) for each in await world.store.entries(0, 999) if each.phase in ("proposed", "accepted")]
    assert [(each["actions"], each["scope"]) for each in told] == [(5, made.scope)] * 2
    await erase(world, ANA)
    assert (await left(world), [each.withheld for each in await world.tasks()]) == ([], ["erased"])
    assert await findings(world) == []


@pytest.mark.proves("erasure.agreed_is_erased")
async def test_of_what_is_held_or_was_altered_since_nothing_goes() -> None:
    """Where a hold came after the proposal, nobody agrees to nothing: it stays open, and goes when the hold is lifted. What it
    covers cannot be made more or less in the store; and one that an earlier version proposed covers nothing."""
    world = World()
    await world.apply(contract())
    service, task = erasing(world), await world.task()
    await world.propose(task)
    made = await service.propose(ANA, RITA, why="asked in writing")
    other = await world.propose(task, n=2)
    await world.plane.tasks.close(task)
    hold = await service.place(LegalHold(id=HoldId(""), subject="user:ana", why="x", placed_by="", placed_at=0), RITA)
    with pytest.raises(IllegalMove, match="nothing of what was proposed may go now: 3 held"):
        await service.accept(made.id, RIA)
    await service.lift(hold.id, RIA)
    scope = await world.store.get(Scope, scope_key(made.id, 1))
    assert scope is not None
    more = msgspec.structs.replace(scope, names=(*scope.names, (Action.kind, other.id)))
    await world.store.commit(Change(puts=(more,)))
    with pytest.raises(IntegrityError, match="not what was proposed"):
        await service.accept(made.id, RIA)
    await world.store.commit(Change(puts=(msgspec.structs.replace(scope, revision=2),)))

    unfixed = msgspec.structs.replace(made, id=ErasureId("earlier"), revision=0, scope="")
    await world.store.commit(Change(puts=(unfixed,)))
    with pytest.raises(IllegalMove, match="an earlier version"):
        await service.accept(unfixed.id, RIA)
    assert len(await left(world)) == 2
    await service.accept(made.id, RIA)
    assert [each.id for each in await left(world)] == [other.id]


@pytest.mark.proves("erasure.subject")
async def test_whose_data_it_is() -> None:
    """An action is about whom its contract names, or else the initiator; a task is about its initiator. Others stay."""
    world = World()
    await world.apply(about_customers(), contract("thing.note"))
    ana, bo = await world.task("user:ana"), await world.task("user:bo")
    named = await world.propose(ana, n=1, who="c-17")
    of_bo = await world.propose(bo, n=2, who="c-17")
    other = await world.propose(ana, n=3, who="c-18")
    plain = await world.propose(ana, "thing.note", n=4)
    nobody = await world.propose(ana, n=5)
    for task in (ana, bo):
        await world.plane.tasks.close(task)

    plan = await erasing(world).plan(Target(subject="customer:c-17"))
    assert {each.key for each in plan.actions} == {named.id, of_bo.id}
    assert (plan.tasks, plan.unsettled, plan.named, plan.reversible) == ((), (), 0, 2)
    await erase(world, Target(subject="customer:c-17"))
    assert {each.id for each in await left(world)} == {other.id, plain.id, nobody.id}
    plan = await erasing(world).plan(ANA)
    assert ({each.key for each in plan.actions}, plan.named) == ({plain.id, nobody.id}, 1)
    await erase(world, ANA)

    assert [each.id for each in await left(world)] == [other.id]
    tasks = {each.id: each for each in await world.tasks()}
    assert (tasks[ana.id].withheld, tasks[ana.id].initiator, tasks[bo.id].withheld) == ("erased", "", "")
    assert await findings(world) == []


@pytest.mark.proves("erasure.subject")
async def test_an_undo_is_about_whom_it_undoes() -> None:
    """An undo whose own contract names nobody goes with the action it undoes, and stays with it."""
    world = World()
    await world.apply(about_customers())
    ana = await world.task()
    done = await world.propose(ana, n=1, who="c-17")
    request = await world.plane.compensation.undo("action", done.id, by=RITA, why="c-17 asked for it by telephone")
    await world.work()
    (undo,) = (each for each in await world.actions() if each.undoes == done.id)

    plan = await erasing(world).plan(Target(subject="customer:c-17"))
    assert {each.key for each in plan.actions} == {done.id, undo.id}
    assert [each.key for each in plan.beside] == [request.id]
    await erase(world, Target(subject="customer:c-17"))

    assert await left(world) == []
    (told,) = await world.plane.compensation.requests()
    assert (told.state, told.by, told.why, told.withheld) == ("done", "", "", "erased")
    assert await findings(world) == []


@pytest.mark.proves("erasure.crash")
async def test_two_carry_it_out_at_once() -> None:
    """A worker that goes on with an erasure while the one who agreed carries it out: each is recorded once."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    for n in range(3):
        await world.propose(task, n=n)
    await world.plane.tasks.close(task)
    service = erasing(world)
    made = await service.propose(ANA, RITA, why="asked in writing")

    async def others() -> None:
        while (await service.get(made.id)).state != "erased":
            await service.resume()
            await anyio.lowlevel.checkpoint()

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(others)
            group.start_soon(others)
            done = await service.accept(made.id, RIA)

    parts = [each.part for each in map(shred_said, [one.leaf for one in await world.store.marked("erased")]) if each]
    assert (len(parts), parts) == (2, sorted(set(parts)))
    assert done.state == "erased"
    assert await left(world) == []
    assert await findings(world) == []


@pytest.mark.proves("erasure.subject")
async def test_the_words_beside_it_go() -> None:
    """With a person's data go the holds on it that were lifted, and the proposals to erase it that were withdrawn: they name
    the person. What stands, and what names others, stays."""
    world = World()
    await world.apply(contract())
    service = erasing(world)
    task = await world.task()
    done = await world.propose(task)
    await world.plane.tasks.close(task)
    blank = LegalHold(id=HoldId(""), why="a suit", placed_by="", placed_at=0)
    holds = [
        await service.place(msgspec.structs.replace(blank, **names), RITA)
        for names in ({"subject": "user:ana"}, {"action": done.id}, {"subject": "user:bo"}, {"data_class": "contact"})
    ]
    for hold in holds:
        await service.lift(hold.id, RIA)
    withdrawn = [await service.propose(Target(subject=f"user:{name}"), RITA, why="x") for name in ("ana", "bo")]
    for each in withdrawn:
        await service.withdraw(each.id, RIA)

    assert len((await service.plan(ANA)).beside) == 3
    await erase(world, ANA)

    assert {each.id: each.withheld for each in await service.holds()} == {
        each.id: "erased" if each in holds[:2] else "" for each in holds
    }
    assert not [each for each in await said(world) if b"user:ana" in each or done.id.encode() in each]
    told = {each.id: each for each in await service.erasures()}
    assert [(told[each.id].state, told[each.id].subject) for each in withdrawn] == [
        ("withdrawn", ""),
        ("withdrawn", "user:bo"),
    ]
    assert await findings(world) == []


@pytest.mark.proves("erasure.words_beside")
async def test_words_that_speak_of_a_person_go_wherever_they_stand() -> None:
    """What people wrote beside something else and names the person goes too, once nobody needs it: a lifted hold, a request to
    undo, a withdrawn proposal. The words of a hold that stands stay, and are counted."""
    world = World()
    await world.apply(about_customers(), contract("thing.note"))
    service = erasing(world)
    ana, bo = await world.task("user:ana"), await world.task("user:bo")
    await world.propose(ana, "thing.note", n=1)
    of_bo = await world.propose(bo, "thing.note", n=2)
    await world.plane.compensation.undo("action", of_bo.id, by=RITA, why="Ana asked for it")
    await world.work()
    for task in (ana, bo):
        await world.plane.tasks.close(task)
    blank = LegalHold(id=HoldId(""), why="Ana sues", placed_by="", placed_at=0)
    lifted, stands, other = [
        await service.place(msgspec.structs.replace(blank, data_class="contact", why=why), RITA)
        for why in ("Ana sues", "ana's suit", "a suit of somebody else")
    ]
    for hold in (lifted, other):
        await service.lift(hold.id, RIA)
    withdrawn = await service.propose(Target(subject="user:bo"), RITA, why="ana asked")
    await service.withdraw(withdrawn.id, RIA)

    plan = await service.plan(ANA)
    assert ({each.kind for each in plan.beside}, len(plan.beside)) == ({"unwind", "legal_hold", "erasure"}, 3)
    assert plan.held == {stands.id: 1}
    await erase(world, ANA)

    assert [each.id for each in await service.holds() if each.withheld] == [lifted.id]
    assert b"Ana" not in b"".join(await said(world))
    assert [each for each in await said(world) if b"ana's suit" in each]
    assert await findings(world) == []


@pytest.mark.proves("erasure.hold")
async def test_a_held_action_keeps_its_task() -> None:
    """The task of an action that is held stays with it: for whom, and for what purpose, is part of what is held."""
    world = World()
    await world.apply(contract())
    service = erasing(world)
    task = await world.task()
    held = await world.propose(task)
    await world.plane.tasks.close(task)
    hold = await service.place(LegalHold(id=HoldId(""), action=held.id, why="a suit", placed_by="", placed_at=0), RITA)
    with pytest.raises(IllegalMove, match="2 held"):
        await erase(world, ANA)

    (kept,) = await world.tasks()
    assert (kept.initiator, [each.id for each in await left(world)]) == ("user:ana", [held.id])
    assert (await service.plan(ANA)).held == {hold.id: 2}


@pytest.mark.proves("erasure.unsettled_stays")
async def test_what_somebody_still_needs_is_left_and_named() -> None:
    """What waits or is in flight, and an open task, is left and named; when it is settled it can be erased."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    done, waits = await world.propose(task), await world.propose(task, here=False, n=2)

    plan = await erasing(world).plan(ANA)
    assert ([each.key for each in plan.actions], set(plan.unsettled)) == ([done.id], {waits.id, task.id})
    assert list(plan.tasks_open) == [task.id]
    await erase(world, ANA)
    await world.work()
    await world.plane.tasks.close(task)
    assert (await world.action(waits)).state == "done"
    await erase(world, ANA)

    assert await left(world) == []
    assert await findings(world) == []


@pytest.mark.proves("erasure.hold")
@pytest.mark.parametrize("names", ["subject", "data_class", "action"])
async def test_what_is_held_is_not_erased(names: str) -> None:
    """While a hold names it, by subject, class or id, it stays and is counted; once the hold is lifted it goes."""
    world = World()
    await world.apply(about_customers())
    task = await world.task()
    held, free = await world.propose(task, n=1, who="c-1"), await world.propose(task, n=2, who="c-2")
    service = erasing(world)
    wanted = {"subject": "customer:c-1", "data_class": "contact", "action": held.id}[names]
    blank = LegalHold(id=HoldId(""), why="a suit", placed_by="", placed_at=0)
    hold = await service.place(msgspec.structs.replace(blank, **{names: wanted}), RITA)
    for subject in ("customer:c-1", "customer:c-2"):
        if subject == "customer:c-1" or names == "data_class":
            with pytest.raises(IllegalMove, match="may go now: 1 held"):
                await erase(world, Target(subject=subject))
        else:
            await erase(world, Target(subject=subject))
    assert len(await service.erasures()) == (names != "data_class")
    kept = {each.id for each in await left(world)}
    plan = await service.plan(Target(subject="customer:c-1"))
    await service.lift(hold.id, RIA)

    assert kept == ({held.id, free.id} if names == "data_class" else {held.id})
    assert (plan.actions, plan.held) == ((), {hold.id: 1})
    with pytest.raises(IllegalMove):
        await service.lift(hold.id, RIA)
    for nothing in (blank, msgspec.structs.replace(blank, subject="x", why=""), LegalHold(**_both(blank))):
        with pytest.raises(ContractError):
            await service.place(nothing, RITA)
    await erase(world, Target(subject="customer:c-1"))
    assert held.id not in {each.id for each in await left(world)}


def _both(blank: LegalHold) -> dict[str, Any]:
    return {name: getattr(blank, name) for name in blank.__struct_fields__} | {"subject": "x", "data_class": "y"}


@pytest.mark.proves("erasure.retention")
async def test_a_class_goes_when_its_time_is_over() -> None:
    """Of a class goes what ended longer ago than its time, whoever it is about; a class without a time is refused."""
    world = World()
    await world.apply(about_customers(), contract("thing.note"))
    task = await world.task(lasts_ms=HOUR)
    old, plain = await world.propose(task, n=1, who="c-1"), await world.propose(task, "thing.note", n=2)
    world.clock.advance(31 * DAY)
    young = await world.propose(await world.task(), n=3, who="c-1")

    done = await erase(world, Target(data_class="contact"))

    assert {each.id for each in await left(world)} == {plain.id, young.id}
    assert (await world.action(old)).withheld == "erased"
    assert done.basis == "retention"
    for target in (Target(data_class="other"), Target(), Target(subject="x", data_class="contact")):
        with pytest.raises(ContractError):
            await erasing(world).plan(target)


@pytest.mark.proves("erasure.scheduled")
async def test_the_schedule_proposes_and_two_agree() -> None:
    """What is over its time is proposed once, however many look, and erased when two persons agreed; with nothing over, with
    everything held, or right after a proposal was taken back, nothing is."""
    world = World()
    await world.apply(about_customers())
    service = erasing(world)
    old = await world.propose(await world.task(lasts_ms=HOUR), n=1, who="c-1")
    assert await service.schedule() == []
    with pytest.raises(NotFound, match="is over its time"):
        await service.propose(Target(data_class="contact"), RITA, why="x")
    world.clock.advance(31 * DAY)
    blank = LegalHold(id=HoldId(""), data_class="contact", why="a suit", placed_by="", placed_at=0)
    hold = await service.place(blank, RITA)
    assert await service.schedule() == []
    await service.lift(hold.id, RITA)

    made: list[Erasure] = []

    async def look() -> None:
        made.extend(await erasing(world).schedule())

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(look)
    (proposal,) = made
    assert (proposal.scheduled, proposal.proposed_by, proposal.state) == (True, "", "open")
    await service.withdraw(proposal.id, RITA)
    assert await service.schedule() == []
    world.clock.advance(2 * DAY)
    (proposal,) = await service.schedule()
    assert await service.schedule() == []
    first = await service.accept(proposal.id, RITA)
    assert (first.state, (await world.action(old)).withheld) == ("open", "")
    with pytest.raises(NotAllowed):
        await service.accept(proposal.id, RITA)
    done = await service.accept(proposal.id, RIA)

    assert (done.state, done.basis, (await world.action(old)).withheld) == ("erased", "retention", "erased")
    assert await service.schedule() == []
    assert await findings(world) == []


@pytest.mark.proves("erasure.scheduled")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_a_schedule_that_was_cut_short(fault: Fault) -> None:
    """Where the write of its proposal fails, stored or not, the next look leaves exactly one."""
    faults = Faults()
    world = World(faults=faults)
    await world.apply(about_customers())
    await world.propose(await world.task(lasts_ms=HOUR), n=1, who="c-1")
    world.clock.advance(31 * DAY)
    faults.at[faults.writes + 1] = fault
    try:
        await erasing(world).schedule()
    except StoreError:
        assert fault == "not stored"
    await erasing(world).schedule()

    assert [each.state for each in await erasing(world).erasures()] == ["open"]


@pytest.mark.proves("erasure.key_stays_used")
async def test_a_repeat_of_what_was_erased_is_refused() -> None:
    """The same key again, with the same arguments, executes nothing and gives nothing back: the answer is gone."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    first = await world.propose(task, key="order-17")
    await erase(world, ANA)

    with pytest.raises(KeyReused, match="not executed again"):
        await world.propose(task, key="order-17")
    assert [each.id for each in await world.actions()] == [first.id]


async def test_what_was_erased_cannot_be_undone() -> None:
    """Undoing an erased action is refused in words: its arguments are gone."""
    world = World()
    await world.apply(contract())
    done = await world.propose(await world.task())
    await erase(world, ANA)

    with pytest.raises(IllegalMove, match="it was erased"):
        await world.plane.compensation.undo("action", done.id, by=RITA, why="x")

    assert await world.plane.compensation.requests() == []
    assert (await world.action(done)).state == "done"


@pytest.mark.proves("erasure.crash")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_an_erasure_cut_short_is_gone_on_with(fault: Fault) -> None:
    """Whatever write of it fails, stored or not, what was agreed to is carried out when it is gone on with."""
    writes = 0
    for at in range(1, 9):
        faults = Faults()
        world = World(faults=faults)
        await world.apply(contract())
        task = await world.task()
        for n in range(3):
            await world.propose(task, n=n)
        await world.plane.tasks.close(task)
        service = erasing(world)
        made = await service.propose(ANA, RITA, why="asked in writing")
        faults.at[faults.writes + at] = fault
        try:
            await service.accept(made.id, RIA)
        except StoreError:
            writes += 1
        if (await service.get(made.id)).state == "open":
            await service.accept(made.id, RIA)
        await service.resume()

        assert (await service.get(made.id)).state == "erased"
        assert await left(world) == []
        assert await findings(world) == []
    assert writes >= 2


async def test_the_entries_name_nobody() -> None:
    """No entry about an erasure or a hold says whom it is about, by whom it was asked for, or why, but behind commitments,
    and those of the erasure itself go with it."""
    world = World()
    await world.apply(contract())
    await world.propose(await world.task())
    await erase(world, ANA)

    said = [each for each in await world.store.entries(0, 999) if b"" in each.leaf and each.phase in _PHASES]
    about = [each for each in said if each.action is None]
    assert [each.phase for each in about if each.phase != "applied"][-3:] == ["accepted", "erased", "erased"]
    assert all(not each.disclosures for each in about if each.phase in ("proposed", "accepted"))


_PHASES = ("proposed", "accepted", "erased")


async def test_a_part_that_names_what_moved_changes_nothing() -> None:
    """A part is carried out whole or not at all."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    action = await world.propose(task)
    stale = Part(
        erasure=ErasureId("e"),
        number=1,
        basis="request",
        records=(Unchanged(Task.kind, task.id, 99), Unchanged(Action.kind, action.id, action.revision)),
        consents=2,
        observed_at=1,
    )

    with pytest.raises(InterlockError, match="is at revision"):
        await world.store.erase(stale)
    assert [each.id for each in await left(world)] == [action.id]
    await world.store.commit(Change())


@pytest.mark.proves("erasure.brakes")
async def test_words_of_a_brake_that_name_the_person_go_and_the_brake_stands() -> None:
    """Why a brake was pulled stands beside the orders: it goes with the person it names, and what it stops stays stopped."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    braking = world.plane.braking
    await braking.stop("contract", "thing.put", by="rita", why="Ana called: it wrote to her twice")
    await braking.stop("agent", "ag", by="rita", why="a banana")
    before = await world.propose(task)
    assert before.reasons[1].startswith("stopped: Ana called")

    await erase(world, ANA)

    found = {each.words: (each.why, each.by) for each in await braking.brakes()}
    assert found == {"contract:thing.put": ("", ""), "agent:ag": ("a banana", "rita")}
    await braking.resume("agent", "ag", by="rita")
    after = await world.propose(task)
    assert (after.state, after.reasons[1]) == ("refused", "stopped: contract thing.put")
    control = await world.store.get(Control, "control")
    assert control is not None
    assert [(each.why, each.by) for each in control.stops] == [("", "")]
    assert await findings(world) == []


@pytest.mark.proves("erasure.agents")
async def test_words_about_an_agent_that_name_the_person_go_and_its_state_stands() -> None:
    """Why it was suspended goes with whom it names, from the record and from the entry; suspended it stays, words that name
    nobody stay, and a first word to retire that went has to be said again."""
    world = World()
    await world.apply(contract())
    agents, name = world.plane.agents, AgentName("ag")
    await agents.move(name, "suspend", by=RITA, why="a banana")
    await agents.move(name, "activate", by=RITA, why="it was none")
    await agents.move(name, "retire", by=RIA, why="Ana wants it gone")
    assert (await agents.get(name)).words is not None
    await agents.move(name, "suspend", by=Person("ana"), why="it wrote to me twice")

    await erase(world, ANA)

    words = await world.store.all(AgentWords)
    assert [(each.move, each.state, each.why, each.by, each.withheld) for each in words] == [
        ("suspend", "suspended", "", "", "erased"),
        ("retire", "active", "", "", "erased"),
        ("activate", "active", "it was none", "rita", ""),
        ("suspend", "suspended", "a banana", "rita", ""),
    ]
    assert not [each for each in await said(world) if b"wants it gone" in each or b"wrote to me" in each]
    assert (await agents.get(name)).state == "suspended"
    assert (await agents.move(name, "retire", by=RITA, why="so it is")).waits_for == "one other person"
    assert await findings(world) == []


@pytest.mark.parametrize(
    ("subject", "text", "speaks"),
    [
        ("customer:c-17", "call C-17 back", True),
        ("customer:c-17", "c-171 and xc-17", False),
        ("customer:17", "17 mails", False),
        ("customer:17", "see customer:17.", True),
        ("user:ana", "banana", False),
        ("", "anything", False),
    ],
)
def test_when_words_speak_of_somebody(subject: str, text: str, speaks: bool) -> None:
    """A subject is found whole, or by its name where that is a word of its own and no mere number."""
    assert speaks_of(subject, text) is speaks


@pytest.mark.proves("erasure.sign_in")
async def test_how_a_person_signs_in_goes_once_they_work_here_no_more() -> None:
    """Login, sessions and keys of who still holds a role are left, and told; of who left they go, from the records and from the
    entries, and the log verifies. Whoever was erased was in: no admin makes them a first link, and no start prints one."""
    world = World()
    world.people = {**world.people, Person("ana"): ("admin",)}
    await world.apply(contract())
    plane = world.plane
    token, _ = await plane.signing_in.offer(Person("ana"), by="ria")
    await plane.signing_in.by_link(token)
    _, key = await plane.api_keys.make(Person("ana"), "nightly", ("see",), by=Person("ana"))
    assert (await erasing(world).plan(ANA)).works_here
    with pytest.raises(IllegalMove, match="holds a role here"):
        await erasing(world).propose(ANA, RITA, why="asked in writing")
    roles = world.people.pop(Person("ana"))
    await world.apply(contract())

    assert (await erase(world, ANA)).covers == {"login": 1, "api_key": 1}

    login = await world.store.get(Login, handle_of("ana"))
    kept = await world.store.get(ApiKey, key.id)
    assert login is not None
    assert (login.withheld, login.sessions, login.person) == ("erased", (), "")
    assert kept is not None
    assert (kept.withheld, kept.person, kept.label) == ("erased", "", "")
    said = [each for each in world.store._truth.entries if b"urn:interlock:access:" in dsse.parse(each.leaf).payload]
    assert len(said) == 3
    assert not any(each.disclosures for each in said)
    assert await findings(world) == []
    world.people[Person("ana")] = roles
    await world.apply(contract())
    with pytest.raises(NotAllowed, match="in already"):
        await plane.accounts.invite(Person("ana"), by=RIA)
    assert (await plane.welcoming.welcome(None, by="interlock.serve")).person is None
    token, _ = await plane.signing_in.offer(Person("ana"), by="ria")
    assert (await plane.signing_in.by_link(token)).person == "ana"
    assert await findings(world) == []


@pytest.mark.proves("erasure.agent_keys")
async def test_a_key_by_which_an_agent_works_for_somebody_goes_with_them() -> None:
    """One that counts is still needed, and named as left; once it is over or revoked it goes, with what its entries said of the
    person, the log verifies, and it lets nobody in."""
    world = World()
    await world.apply(contract())
    _, alive = await world.plane.agent_keys.make(AgentName("ag"), by=RITA, purpose="answer", on_behalf_of="user:ana")
    _, other = await world.plane.agent_keys.make(AgentName("ag"), by=RITA, purpose="answer", on_behalf_of="user:ben")
    plan = await erasing(world).plan(ANA)
    assert (plan.unsettled, plan.beside) == ((alive.id,), ())
    await world.plane.revoking.revoke("key", alive.id, by=RITA, why="")

    assert (await erase(world, ANA)).covers == {"agent_key": 1}

    kept = await world.store.get(AgentKey, alive.id)
    assert kept is not None
    assert (kept.withheld, kept.initiator, kept.purpose, kept.by, kept.digest) == ("erased", "", "", "", "")
    left = await world.store.get(AgentKey, other.id)
    assert left is not None
    assert left.initiator == "user:ben"
    assert [each.id for each in await world.plane.agent_keys.all()] == [other.id]
    assert await findings(world) == []
