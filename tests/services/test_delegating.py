"""Handing on a task over the real gate: who may act in it, within what, and by which tokens it was opened."""

import contextlib
from typing import Any

import anyio
import msgspec
import pytest

from interlock.adapters.memory.faults import Fault, Faults
from interlock.domain.action import Action
from interlock.domain.asking import begin_call, resume_call
from interlock.domain.budget import Budget
from interlock.domain.errors import BudgetExceeded, ContractError, KeyReused, NotAllowed, StoreError
from interlock.domain.family import Family
from interlock.domain.grant import anything_with, read_grant
from interlock.domain.handover import Opened, Work, read_handover
from interlock.domain.ids import TaskId
from interlock.domain.policy import Policy
from interlock.domain.presented import Presented
from interlock.domain.question import Question
from interlock.domain.rights import Rights
from interlock.domain.selector import Selector
from interlock.domain.spiffe import plane_id
from interlock.domain.task import Opening, Task, task_key
from interlock.embedded import Embedded
from interlock.sdk.handing import Tokens
from interlock.testing.conformance.audit import audited, predicate
from interlock.testing.world import World, contract
from tests.domain.delegations import altered, parts
from tests.services.handing import DOMAIN, PUT, Program, chain_of, ready, with_chain

pytestmark = pytest.mark.anyio


def refused(action: Action) -> str:
    """Why it was refused, by code."""
    assert action.state == "refused", action
    return action.reasons[0].removeprefix("interlock.")


async def lent() -> tuple[World, Program, Program, Task, Tokens, str]:
    """A task that one program handed to another: as the other has it."""
    world, parent, child, task = await ready()
    text = await parent.hand(task, child)
    inner, tokens = await child.connection.accepted(text)
    return world, parent, child, inner, tokens, text


@pytest.mark.proves("lend.within")
async def test_whoever_was_handed_a_task_acts_within_what_was_handed_on() -> None:
    """A value beyond what the text says, and another tool, are refused with what was given; the rest is done."""
    _, _, child, task, tokens, _ = await lent()

    done = await child.propose(task, tokens, n=5)
    over = await child.propose(task, tokens, n=6)
    other = await child.propose(task, tokens, "thing.drop", n=1)

    assert done.state == "done"
    assert (refused(over), refused(other)) == ("task", "task")
    assert (
        over.reasons[1]
        == "the task was not given that: `n` of `thing.put` must be a whole number at least 0 and at most 5"
    )


@pytest.mark.proves("lend.evidence")
async def test_the_log_says_by_which_tokens_and_to_which_key() -> None:
    """The entry that opens the task names each token and the key that held it; each action of it, the last token."""
    world, parent, child, task, tokens, text = await lent()
    action = await child.propose(task, tokens)

    chain = read_handover(text)[1]
    said = [predicate(each) for each in await audited(world.store, world.keys)]
    opened = next(each for each in said if each["phase"] == "opened" and "tokens" in each)
    acted = next(each for each in said if each.get("actionId") == action.id)
    assert opened["tokens"] == [
        {"id": chain.tokens[0].jti, "holder": parent.key.thumbprint},
        {"id": chain.tokens[1].jti, "holder": child.key.thumbprint},
    ]
    assert (acted["token"], acted["instance"]) == (chain.leaf.jti, child.key.thumbprint)


@pytest.mark.proves("lend.holder")
async def test_nobody_else_acts_in_it_and_nobody_without_its_tokens() -> None:
    """Without the chain, with another's key, and as whoever handed it on, a call is refused, and says why."""
    world, parent, child, task, _, text = await lent()
    thief = Program(world, "thief")
    chain = chain_of(text)
    leaf = read_handover(text)[1].leaf.jti

    bare = await child.propose(task)
    stolen = await thief.present(task, chain, token=leaf)
    theirs = await thief.present(task, chain, token=leaf, key=child.key)
    above = await parent.propose(task, Tokens(parent.plane, parent.identity, task, chain[:1]))
    swapped = await child.present(task, chain, token="another")  # noqa: S106 it is the id of one
    other = await child.present(await world.task(), chain, token=leaf)

    again = altered(chain[1], parent.key.signing, jti="another")
    signed_again = await child.present(task, (chain[0], again), token="another")  # noqa: S106 it is the id of one
    with pytest.raises(NotAllowed, match="another instance"):
        await Tokens(thief.plane, thief.identity, task).held()

    assert refused(signed_again) == "token_task"
    assert [refused(each) for each in (bare, stolen, theirs, above, swapped, other)] == [
        "token_missing",
        "token_holder",
        "token_holder",
        "token_task",
        "proof_other",
        "token_task",
    ]


async def test_a_text_is_good_for_nobody_but_whom_it_was_meant_for() -> None:
    """Another process is told so before anything is asked; and asking all the same, it is refused."""
    world, _, child, _, _, text = await lent()
    thief = Program(world, "thief")
    with pytest.raises(NotAllowed, match="handed to another process"):
        await thief.connection.accepted(text)
    thief.identity._jwk = child.identity._jwk
    with pytest.raises(NotAllowed, match="another key than that"):
        await thief.connection.accepted(text)
    for broken in ("", "interlock-task:", "interlock-task:e30", "x" * 200_000, text[:-9], text + "é"):
        with pytest.raises((ContractError, NotAllowed)):
            await child.connection.accepted(broken)


@pytest.mark.proves("lend.offline")
async def test_what_is_derived_without_asking_is_opened_when_it_first_comes() -> None:
    """Nothing is stored until it is accepted; then the task is there with what was said of it, once, however often it comes."""
    world, parent, child, task = await ready()
    text = await parent.hand(task, child, opened=False, budgets={"calls": 3}, purpose="the cellar")
    before = len(await world.tasks())

    inner, tokens = await child.connection.accepted(text)
    again, _ = await child.connection.accepted(text)

    assert (before, len(await world.tasks())) == (1, 2)
    assert again == inner
    assert (inner.purpose, inner.initiator, inner.parent, inner.budgets) == (
        "the cellar",
        "user:ana",
        task.id,
        {"calls": 3},
    )
    assert (await child.propose(inner, tokens)).state == "done"
    held = await world.store.get(Budget, task_key(task.id, "calls"))
    assert held is not None
    assert held.reserved == 3
    assert task.id in (found.task for found in await world.store.all(Family))


async def test_a_task_is_handed_on_further_without_asking() -> None:
    """A chain of three of which nobody has heard opens both tasks in their order, each narrower; a fourth is refused."""
    world, parent, child, task = await ready()
    third = Program(world, "third")
    text = await parent.hand(task, child, opened=False)
    handover, chain = read_handover(text)
    inner = msgspec.structs.replace(task, id=chain.leaf.task, delegated=None)
    tokens = Tokens(child.plane, child.identity, inner, handover.chain)
    further = await child.hand(
        inner, third, {"thing.put": {"n": [1, 2]}}, tokens=tokens, opened=False, purpose="a part of the part"
    )
    merged, _ = read_handover(further)
    whole = msgspec.structs.replace(merged, works=(None, handover.works[1], merged.works[2])).text

    leaf, its = await third.connection.accepted(whole)

    assert [each.depth for each in sorted(await world.tasks(), key=lambda each: each.depth)] == [0, 1, 2]
    assert leaf.delegated is not None
    assert (leaf.delegated.depth, leaf.delegated.further) == (2, 0)
    assert (await third.propose(leaf, its, n=2)).state == "done"
    assert refused(await third.propose(leaf, its, n=3)) == "task"
    with pytest.raises(NotAllowed, match="handed on any further"):
        await third.hand(leaf, parent, {"thing.put": {"n": 1}}, tokens=its)


@pytest.mark.proves("lend.narrower")
async def test_no_more_is_handed_on_than_there_is() -> None:
    """More of an argument, another tool, more of a budget and a longer life than the task has are not even signed."""
    world, parent, child, task = await ready()
    third = Program(world, "third")
    text = await parent.hand(task, child, budgets={"calls": 4})
    inner, tokens = await child.connection.accepted(text)

    wider: tuple[Any, ...] = ({"thing.put": {"n": 6}}, {"thing.put": {}}, {"thing.drop": {"n": 1}})
    for tools in wider:
        with pytest.raises(NotAllowed, match="grants more"):
            await child.hand(inner, third, tools, tokens=tokens)
    with pytest.raises(NotAllowed, match=r"draw more `calls` than one before it: 5, not 4"):
        await child.hand(inner, third, {"thing.put": {"n": 1}}, tokens=tokens, budgets={"calls": 5})
    await child.propose(inner, tokens, n=1)
    with pytest.raises(BudgetExceeded):
        await child.hand(inner, third, {"thing.put": {"n": 1}}, tokens=tokens, budgets={"calls": 4})
    with pytest.raises(ContractError, match="the invitation is of `ag`, not of `other`") as mistaken:
        await child.hand(inner, third, {"thing.put": {"n": 1}}, tokens=tokens, agent="other")
    assert "client.invitation('other')" in mistaken.value.next_step
    late = await child.hand(inner, third, {"thing.put": {"n": 1}}, tokens=tokens, lasts_ms=10**12)
    assert (await third.connection.accepted(late))[0].expires_at <= inner.expires_at


@pytest.mark.proves("lend.forged")
async def test_nobody_is_made_a_delegator_who_never_was() -> None:
    """A holder's key that no credential was given to, an invitation of another agent or key, and words that are not the token's
    open nothing."""
    world, parent, child, task = await ready()
    text = await parent.hand(task, child, opened=False)
    handover, _ = read_handover(text)
    work = handover.works[1]
    assert work is not None

    async def opens(work: Work, *, signed: bool) -> str:
        leaf = handover.chain[1]
        if signed:
            leaf = altered(leaf, parent.key.signing, work=work.digest)
        asked = msgspec.structs.replace(handover, chain=(handover.chain[0], leaf), works=(None, work))
        with pytest.raises(NotAllowed) as caught:
            await child.connection.accepted(asked.text)
        return caught.value.detail

    other = msgspec.structs.replace(work, purpose="whatever I like")
    assert "does not say what the task is about" in await opens(other, signed=False)
    mine = msgspec.structs.replace(work, to=await parent.invitation())
    assert "another instance" in await opens(mine, signed=True)
    assert "not one of Interlock's" in await opens(msgspec.structs.replace(work, to="x"), signed=True)
    assert len(await world.tasks()) == 1


async def test_a_token_opens_no_task_that_is_there() -> None:
    """A holder who names another's task in a token gets into none: neither its own agent's nor one that was handed on."""
    world, parent, child, task = await ready()
    victim = await world.task()
    theirs, _ = await child.connection.accepted(await parent.hand(task, child))
    thief = Program(world, "thief")
    text = await parent.hand(task, thief, opened=False)

    for wanted in (victim, theirs, task):
        leaf = altered(chain_of(text)[1], parent.key.signing, task=wanted.id)
        with pytest.raises(NotAllowed, match="of another task"):
            await thief.connection.accepted(with_chain(text, (chain_of(text)[0], leaf)))
        jti = parts(leaf)[1]["jti"]
        assert refused(await thief.present(wanted, (chain_of(text)[0], leaf), token=jti)) in (
            "token_task",
            "token_holder",
        )


@pytest.mark.proves("lend.renewed")
async def test_whoever_holds_a_task_has_its_token_renewed() -> None:
    """Past two thirds of its 15 minutes, and past all of them, the next call shows a new one; the task ends when it ends."""
    world, _, child, task, tokens, _ = await lent()
    first = (await tokens.shown()).token
    world.clock.advance(11 * 60_000)
    second = await child.propose(task, tokens)
    world.clock.advance(40 * 60_000)
    third = await child.propose(task, tokens)
    assert second.caller is not None
    assert third.caller is not None
    assert len({first, second.caller.token, third.caller.token}) == 3
    assert (second.state, third.state) == ("done", "done")
    assert refused(await child.propose(task, tokens, n=6)) == "task"

    world.clock.advance(task.expires_at - world.clock.now())
    assert refused(await child.propose(task, tokens)) in ("limit", "token_expired")


async def test_a_task_inside_one_that_was_handed_on_is_no_way_around_it() -> None:
    """What its holder opens inside needs the same tokens, admits no more, and is handed on no wider."""
    world, parent, child, task, tokens, _ = await lent()
    inside = await world.task(parent=task)
    third = Program(world, "third")

    assert (await child.propose(inside, tokens)).state == "done"
    assert refused(await child.propose(inside, tokens, n=6)) == "task"
    assert refused(await child.propose(inside)) == "token_missing"
    assert refused(await parent.propose(inside)) == "token_missing"
    with pytest.raises(NotAllowed, match="no more than the one around it"):
        await world.task(parent=task, tools=anything_with(["thing.drop"]))
    with pytest.raises(NotAllowed, match="grants more"):
        await child.hand(inside, third, {"thing.put": {"n": 6}})
    text = await child.hand(inside, third, {"thing.put": {"n": 2}})
    deepest, its = await third.connection.accepted(text)
    assert (await third.propose(deepest, its, n=2)).state == "done"


@pytest.mark.proves("lend.failures")
async def test_a_failure_in_another_process_reaches_whoever_handed_it_on() -> None:
    """What ends the task there by an error is told where the task around it is left; so is one whose time is over."""
    world, parent, child, task = await ready()
    one, _ = await child.connection.accepted(await parent.hand(task, child, budgets={"calls": 4}))
    two, _ = await child.connection.accepted(await parent.hand(task, child, budgets={"calls": 4}, lasts_ms=60_000))
    await child.connection.closed(one, "OSError")
    world.clock.advance(61_000)
    await world.plane.tasks.tend()

    told = await parent.connection.failures(task)
    assert {(each.task, each.why) for each in told} == {(one.id, "OSError"), (two.id, "TimeOver")}
    held = await world.store.get(Budget, task_key(task.id, "calls"))
    assert held is not None
    assert held.reserved == 0


async def test_a_proof_opens_and_renews_once() -> None:
    """What showed who asks for a token, or has a task opened, shows it once."""
    _, parent, child, task = await ready()
    seen: list[tuple[Any, ...]] = []

    class Listening(Embedded):
        """The control plane, with somebody on the line."""

        async def token(self, task: TaskId, presented: Presented) -> str:
            seen.append((super().token, task, presented))
            return await super().token(task, presented)

        async def open_chain(self, asked: Opened, presented: Presented) -> Task:
            seen.append((super().open_chain, asked, presented))
            return await super().open_chain(asked, presented)

    await parent.hand(task, child, tokens=Tokens(Listening(parent.process), parent.identity, task))

    assert len(seen) == 2
    for call, about, presented in seen:
        with pytest.raises(NotAllowed, match="used before"):
            await call(about, presented)


@pytest.mark.parametrize("fault", ["not stored", "stored"])
async def test_a_store_that_fails_while_a_task_is_opened_opens_it_once(fault: Fault) -> None:
    """Wherever the store fails, stored or not, accepting the text again gives the one task that it opens."""
    for write in (1, 2):
        faults = Faults()
        world = World(proven=True, faults=faults)
        await world.apply(PUT)
        parent, child = Program(world, "parent"), Program(world, "child")
        text = await parent.hand(await world.task(), child, opened=False)
        faults.at[faults.writes + write] = fault

        with contextlib.suppress(StoreError):
            await child.connection.accepted(text)
        inner, tokens = await child.connection.accepted(text)

        assert (await child.propose(inner, tokens)).state == "done"
        said = [predicate(each) for each in await audited(world.store, world.keys)]
        assert sum(1 for each in said if each["phase"] == "opened" and "tokens" in each) == 1


async def test_of_two_who_open_it_at_once_one_does() -> None:
    """The holder's two threads, and whoever handed it on, get one task, opened by one entry."""
    world, parent, child, task = await ready()
    text = await parent.hand(task, child, opened=False)
    found: list[Task] = []

    async def accept() -> None:
        found.append((await child.connection.accepted(text))[0])

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(accept)

    assert len({each.id for each in found}) == 1
    said = [predicate(each) for each in await audited(world.store, world.keys)]
    assert sum(1 for each in said if each["phase"] == "opened" and "tokens" in each) == 1


async def test_policies_see_how_often_a_task_was_handed_on() -> None:
    """0 of a task of its own, 1 of one that was handed on and of what is opened in it, and one more with every hand."""
    world, parent, child, task = await ready()
    seen: list[int] = []

    def looked(asked: Question) -> bool:
        seen.append(asked.around.lent)
        return True

    await world.apply(PUT, rules=((Policy(id="look", effect="permit", owner="pia"), looked),), bundle="b2")
    inner, tokens = await child.connection.accepted(await parent.hand(task, child))
    for each, shown in ((task, None), (inner, tokens), (await world.task(parent=inner), tokens)):
        seen.clear()
        await child.propose(each, shown)
        assert set(seen) == {0 if each is task else 1}


async def test_rights_bound_what_is_handed_on() -> None:
    """Whoever a task is for lends no more than their rights: nothing beyond is handed on, and what was is bound from then on."""
    world, parent, child, task = await ready()
    inner, tokens = await child.connection.accepted(await parent.hand(task, child))
    up_to_two = read_grant({"tools": {"thing.put": {"n": {"constraint_type": "range", "min": 0, "max": 2}}}})
    await world.plane.registry.apply(world.definition(rights=Rights(initiators={"user:ana": up_to_two})), by="test")

    with pytest.raises(NotAllowed, match="grants more"):
        await parent.hand(task, child)
    assert await parent.hand(task, child, {"thing.put": {"n": [1, 2]}})
    assert (await child.propose(inner, tokens, n=2)).state == "done"
    assert refused(await child.propose(inner, tokens, n=3)) == "rights"


async def test_the_records_of_a_task_are_handed_on_in_part() -> None:
    """What a task may touch it hands on, or less of it; more is not opened."""
    world, parent, child, _ = await ready()
    await world.apply(PUT, contract("thing.drop", touches={"thing": "$args.n"}))
    task = await world.task(data=Selector(records={"thing": ("a", "b")}))
    some, more = Selector(records={"thing": ("a",)}), Selector(records={"thing": ("c",)})

    one, _ = await child.connection.accepted(await parent.hand(task, child, data=some))
    all_, _ = await child.connection.accepted(await parent.hand(task, child))
    with pytest.raises(NotAllowed, match="no more than the one around it"):
        await parent.hand(task, child, data=more)

    assert (one.data, all_.data) == (some, task.data)


async def test_a_token_that_is_shown_grants_what_it_did_when_it_was_given() -> None:
    """Rights that are widened since are for the next token: a call that shows the one of before is held to that."""
    world, parent, _, task = await ready()
    grant = read_grant({"tools": {"thing.put": {"n": {"constraint_type": "range", "min": 0, "max": 2}}}})
    await world.plane.registry.apply(world.definition(rights=Rights(initiators={"user:ana": grant})), by="test")
    tokens = Tokens(parent.plane, parent.identity, task)
    await tokens.held()
    await world.plane.registry.apply(world.definition(rights=None), by="test")

    assert refused(await parent.propose(task, tokens, n=3)) == "task"
    assert (await parent.propose(task, tokens, n=2)).state == "done"
    assert (await parent.propose(task, n=3)).state == "done"


@pytest.mark.proves("lend.forged")
async def test_nobody_says_of_a_task_that_it_was_handed_on_but_its_tokens() -> None:
    """A program that opens a task cannot name tokens by which it came. An id it may name is one that says nothing, and no task's
    that there is."""
    world, parent, child, task = await ready()
    theirs, _ = await child.connection.accepted(await parent.hand(task, child))

    async def opened(name: str) -> Task:
        opening = Opening(
            agent=World.agent, purpose="mine", initiator="user:ana", id=TaskId(name), delegated=theirs.delegated
        )
        shown = await parent.identity.shown(World.agent, begin_call(opening, plane_id(DOMAIN)))
        return await parent.plane.open_task(opening, shown)

    own = world.ids.new()
    found = await opened(own)
    assert (found.delegated, found.id) == (None, own)
    with pytest.raises(ContractError, match="UUID"):
        await opened("mine")
    with pytest.raises(KeyReused):
        await opened(theirs.id)


async def test_what_an_instance_handed_on_is_opened_no_more_once_another_has_its_task() -> None:
    """A text that was signed without asking is refused where the task it is a part of was taken over meanwhile."""
    world, parent, child, _ = await ready()
    opening = Opening(agent=World.agent, purpose="all of it", initiator="user:ana")
    shown = await parent.identity.shown(World.agent, begin_call(opening, plane_id(DOMAIN)))
    task = await parent.plane.open_task(opening, shown)
    text = await parent.hand(task, child, opened=False)
    heir = Program(world, "heir")
    taking = await heir.identity.shown(World.agent, resume_call(task.id, plane_id(DOMAIN)))
    again = await heir.process.beginnings.resume(task.id, World.agent, taking)

    with pytest.raises(NotAllowed, match="another instance"):
        await child.connection.accepted(text)
    inner, tokens = await child.connection.accepted(await heir.hand(again, child))
    assert (await child.propose(inner, tokens)).state == "done"
