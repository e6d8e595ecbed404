"""What a reviewer sees: the whole of it, one for all surfaces."""

import pytest

from interlock.domain.call import Landed
from interlock.domain.changing import Changing
from interlock.domain.contract import Facts, PythonTarget
from interlock.domain.duration import DAY, MINUTE
from interlock.domain.errors import ContractError, NotFound
from interlock.domain.ids import ActionId, Person
from interlock.services.inbox import Inbox
from interlock.testing.world import World, contract, permit
from tests.services.test_approvals import RIA, RITA, ask, held

pytestmark = pytest.mark.anyio


@pytest.mark.proves("approval.dossier")
async def test_a_reviewer_sees_why_what_and_what_they_may_do() -> None:
    """Policies with their reasons, the change, requirements with who has spoken and who can, verbs, timeline and precedents."""
    world = World()
    action = await held(world, ask(10, quorum=2))
    await world.plane.approvals.approve(action.id, RITA, note="fine")

    seen = await world.plane.dossiers.of(action.id, RIA)

    assert action.hold is not None
    assert seen.view == action.hold.view
    assert seen.line == "thing.put: n 50"
    assert [(each.policy, each.reason) for each in seen.policies] == [("ask.reviewer.10", "above 10")]
    (need,) = seen.needs
    assert (need.agreed, need.by, need.able) == (1, (RITA,), (RIA,))
    assert [(each.person, each.note, each.counts) for each in seen.words] == [(RITA, "fine", True)]
    assert seen.may_do("approve")
    assert [each.what for each in seen.timeline] == ["task", "proposed", "decided", "approve", "deadline"]
    assert (seen.undo.possible, seen.undo.words) == (True, "undone by thing.take within 30d")
    assert seen.precedents is not None
    assert seen.precedents.words == "nobody has decided on one of these before"


async def test_who_may_not_is_told_why_and_whom_to_ask() -> None:
    """The initiator, and whoever has spoken, see everything and may do nothing; each verb says why."""
    world = World()
    action = await held(world, ask(10, quorum=2))
    await world.plane.approvals.approve(action.id, RITA)

    ana, rita = [await world.plane.dossiers.of(action.id, Person(name)) for name in ("ana", "rita")]

    assert not any(each.allowed for each in ana.may)
    assert "asked for this" in ana.may[0].why
    assert "already" in rita.may[0].why
    assert "`ria`" in rita.may[0].why


async def test_precedents_are_those_of_the_contract_with_their_outcome() -> None:
    """A decided case of the same contract is a precedent with its ruling; the shown digest changes with it, the view does not."""
    world = World()
    first = await held(world)
    before = await world.plane.dossiers.of(first.id, RITA)
    other = await world.propose(await world.task(), n=52)
    await world.plane.approvals.approve(other.id, RIA)
    await world.work()

    after = await world.plane.dossiers.of(first.id, RITA)

    assert after.precedents is not None
    (case,) = after.precedents.cases
    assert (case.ruling, case.state, case.roles) == ("approved", "done", ("lead", "reviewer"))
    assert before.view == after.view
    assert before.shown != after.shown


async def test_the_change_a_contract_declares_is_part_of_the_view() -> None:
    """Held twice with the same arguments and other facts, the views differ: what will change is bound."""
    world = World()
    world.effectors.say("thing.put", "facts", Landed({"was": 7}))
    facts = Facts(
        source=PythonTarget(target="world:facts"), schema={"type": "object", "properties": {"was": {"type": "integer"}}}
    )
    await world.apply(
        contract(facts=facts, changes={"n": Changing(before="$facts.was", after="$args.n", unit="pieces")}),
        rules=(permit(), ask(10)),
    )
    action = await world.propose(await world.task(), n=50)

    (row,) = (await world.plane.dossiers.of(action.id, RITA)).changes

    assert (row.before_text, row.after_text, row.difference) == ("7 pieces", "50 pieces", "+43 pieces (+614.3 %)")


async def test_nobody_is_told_of_what_is_not_there() -> None:
    """An unknown action is not found."""
    world = World()
    with pytest.raises(NotFound):
        await world.plane.dossiers.of(ActionId("nothing"), RITA)


# -- the list --------------------------------------------------------------------------------------------------


@pytest.mark.proves("approval.inbox")
async def test_the_list_goes_by_deadline_then_risk() -> None:
    """What ends first stands first; of what ends together the more dangerous; pages neither repeat nor skip."""
    world = World()
    await world.apply(
        contract(), contract("thing.burn", risk="high"), rules=(permit(), ask(10)), approvals_within_ms=DAY
    )
    task = await world.task()
    for name in ("thing.put", "thing.burn"):
        for n in (20, 30):
            await world.propose(task, name, n=n)
    world.clock.advance(MINUTE)
    await world.propose(task, n=40)

    pages = [await world.plane.inbox.page(person=RITA, limit=4)]
    while pages[-1].next:
        pages.append(await world.plane.inbox.page(person=RITA, limit=4, cursor=pages[-1].next))

    rows = [row for page in pages for row in page.rows]
    assert [(row.contract, row.line.split()[-1]) for row in rows] == [
        ("thing.burn", "20"),
        ("thing.burn", "30"),
        ("thing.put", "20"),
        ("thing.put", "30"),
        ("thing.put", "40"),
    ]
    assert {page.waiting for page in pages} == {5}
    assert all(row.mine and row.needs == ("reviewer",) for row in rows)


async def test_mine_is_what_i_may_decide_on() -> None:
    """Whoever has spoken, and the initiator, find nothing of theirs; all the rest can still be looked at."""
    world = World()
    action = await held(world, ask(10, quorum=2))
    await world.plane.approvals.approve(action.id, RITA)

    inbox: Inbox = world.plane.inbox
    found = {
        name: len((await inbox.page(person=Person(name), mine=True)).rows) for name in ("rita", "ria", "ana", "nobody")
    }

    assert found == {"rita": 0, "ria": 1, "ana": 0, "nobody": 0}
    assert len((await inbox.page(person=RITA)).rows) == 1


@pytest.mark.parametrize("cursor", ["x", "1.", ".a", "-1.a", "٣.a", "1." + "a" * 200, "1.a'"])
async def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    """Nothing that a client made up is read as a place in the list."""
    world = World()
    with pytest.raises(ContractError, match="no cursor"):
        await world.plane.inbox.page(cursor=cursor)
