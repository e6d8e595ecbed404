"""What initiators may lend and what a task is given, through the whole gate: at the proposal, while it waits, at dispatch."""

from typing import Any

import msgspec
import pytest

from interlock.adapters.memory import Fault, Faults
from interlock.domain import disclosure, dsse
from interlock.domain.canonical import JsonValue
from interlock.domain.control import Control
from interlock.domain.erasure import stripped
from interlock.domain.errors import NotAllowed, StoreError, WorkspaceError
from interlock.domain.grant import NOTHING, Grant, read_grant
from interlock.domain.ids import Person
from interlock.domain.publishing import Publishing
from interlock.domain.rights import Rights
from interlock.domain.selector import Selector
from interlock.services.plane import ControlPlane
from interlock.testing.world import World, contract, permit
from tests.services.shop import ASK, above_ten

pytestmark = pytest.mark.anyio

RITA, RIA = Person("rita"), Person("ria")
TOUCHING = contract(touches={"thing": "$args.n"})


def upto(most: int) -> Grant:
    """`thing.put` of at most so much."""
    return read_grant({"tools": {"thing.put": {"n": {"constraint_type": "range", "min": 0, "max": most}}}})


def lending(most: int) -> Rights:
    """Reviewers may lend so much, and customers one."""
    return Rights(roles={"reviewer": upto(most)}, initiators={"customer:*": upto(1)})


async def world_with(rights: Rights | None, *, faults: Faults | None = None, **changes: Any) -> World:
    """A world in which what puts more than ten waits for a person."""
    world = World(faults=faults)
    await world.apply(TOUCHING, rules=(permit(), (ASK, above_ten)), rights=rights, **changes)
    return world


async def changed(world: World, rights: Rights | None, plane: ControlPlane | None = None) -> None:
    """Bring other rights into force."""
    await (plane or world.plane).registry.apply(world.definition(rights=rights), by="test")


@pytest.mark.proves("rights.bounded")
@pytest.mark.parametrize(
    ("initiator", "n", "state"),
    [
        ("user:ana", 5, "done"),
        ("user:ana", 6, "refused"),
        ("ana", 6, "refused"),
        ("customer:c-1", 1, "done"),
        ("customer:c-1", 2, "refused"),
        ("user:mallory", 1, "refused"),
        ("system:nightly", 1, "refused"),
        ("role:reviewer", 1, "refused"),
    ],
)
async def test_nobody_lends_what_they_lack(initiator: str, n: int, state: str) -> None:
    """By a task of their own as by one inside it; and a name, a kind or a system that is not named lends nothing."""
    world = await world_with(lending(5))
    task = await world.task(initiator)
    inside = await world.task("", parent=task)

    actions = [await world.propose(each, n=n) for each in (task, inside)]

    assert [each.state for each in actions] == [state, state]
    assert all(state == "done" or each.reasons[0] == "interlock.rights" for each in actions)
    assert (await world.reserved(), world.effectors.calls.total()) == (0, 2 if state == "done" else 0)


@pytest.mark.proves("rights.bounded")
@pytest.mark.parametrize("initiator", ["user:ANA", "Ana", " user: ana "])
async def test_no_spelling_of_a_name_falls_to_what_is_said_of_the_kind(initiator: str) -> None:
    """Neither by a name of its own nor by the roles that the name holds."""
    anybody = Grant(tools={"thing.put": {}})
    for rights in (
        Rights(initiators={"user:ana": NOTHING, "user:*": anybody}),
        Rights(initiators={"user:*": anybody}, roles={next(iter(World().people[Person("ana")])): NOTHING}),
    ):
        world = await world_with(rights)
        assert (await world.propose(await world.task(initiator), n=1)).state == "refused"


async def test_the_reason_says_who_and_what_and_no_argument() -> None:
    """A person understands it, and it repeats nothing that the call brought."""
    world = await world_with(lending(5))

    over = await world.propose(await world.task("user:ana"), n=987_654)
    nobody = await world.propose(await world.task("user:eve"), n=1)

    assert over.reasons[1] == (
        "`user:ana` may not lend that: `n` of `thing.put` must be a whole number at least 0 and at most 5"
    )
    assert nobody.reasons[1] == "`user:eve` may lend nothing: rights.yaml gives them no rights"


async def test_without_rights_whatever_the_agent_may() -> None:
    """Nothing is said of them, and nothing is refused for them."""
    world = await world_with(None)

    assert (await world.propose(await world.task("user:anybody"), n=9)).state == "done"


@pytest.mark.proves("rights.at_once")
@pytest.mark.parametrize("other", [False, True])
async def test_a_right_that_is_taken_back(*, other: bool) -> None:
    """The next proposal is refused, in every process, also of one that has not heard of it."""
    world = await world_with(lending(5))
    elsewhere = world.another("w2")
    task = await world.task("user:ana")
    assert (await world.propose_on(elsewhere, task, n=5)).state == "done"

    await changed(world, lending(4))

    assert (await world.propose_on(elsewhere if other else world.plane, task, n=5)).state == "refused"


@pytest.mark.proves("rights.at_once")
async def test_what_is_about_to_run_when_a_right_is_taken_back() -> None:
    """It was allowed and nobody has begun it: it is denied at dispatch, and what it reserved goes back."""
    world = await world_with(lending(5))
    action = await world.propose(await world.task("user:ana"), n=5, here=False)
    assert action.state == "ready"

    await changed(world, lending(4))
    await world.work()

    ended = await world.action(action)
    assert (ended.state, await world.reserved(), world.effectors.calls.total()) == ("denied", 0, 0)
    assert "`user:ana` may not lend that" in ended.reasons[0]
    assert ended.decision is not None
    assert ended.decision.because == ("interlock.rights",)
    [told] = [each for each in await world.store.entries_of(action.id) if each.phase == "decided"][-1:]
    assert b'"status":"not-evaluated"' in dsse.parse(told.leaf).payload


@pytest.mark.proves("rights.at_once")
async def test_what_waits_for_a_person_when_a_right_is_taken_back() -> None:
    """With the word of that person it is denied, and never runs."""
    world = await world_with(lending(50))
    action = await world.propose(await world.task("user:ana"), n=50)
    assert action.state == "held"

    await changed(world, lending(40))
    await world.plane.approvals.approve(action.id, RITA)
    for _ in range(3):
        await world.work()
        world.clock.advance(2_000)

    assert (await world.action(action)).state == "denied"
    assert not world.effectors.calls


@pytest.mark.proves("rights.at_once")
async def test_roles_are_those_that_are_held_now() -> None:
    """Whoever loses a role loses what it may lend, whatever tasks are open."""
    world = await world_with(lending(5))
    task = await world.task("user:ana")

    people = {**world.people, Person("ana"): ("visitor",)}
    await world.plane.registry.apply(world.definition(people=people), by="test")

    assert (await world.propose(task, n=1)).reasons[
        1
    ] == "`user:ana` may lend nothing: rights.yaml gives them no rights"


@pytest.mark.proves("rights.bounded")
async def test_undoing_takes_nobodys_rights() -> None:
    """People ask for undos: what was done for somebody can be taken back when this one may lend nothing any more."""
    world = await world_with(lending(5))
    action = await world.propose(await world.task("user:ana"), n=5)

    await changed(world, Rights())
    await world.plane.compensation.undo("action", action.id, by=RITA, why="no")
    for _ in range(4):
        await world.work()

    assert (await world.action(action)).undone_by is not None


@pytest.mark.proves("rights.published")
async def test_rights_are_published_like_all_else() -> None:
    """Where publishing takes two, one alone changes no rights; with the other they are in force, and it is said what changed."""
    world = await world_with(lending(5), publishing=Publishing(persons=2))
    task = await world.task("user:ana")

    applied = await world.plane.publisher.publish(world.definition(rights=lending(9)), by="rita")
    assert applied.publication is not None
    before = (await world.propose(task, n=9)).state
    found = await world.plane.consenting.accept(applied.publication, RIA)

    assert (before, found.changes) == ("refused", ("rights `role:reviewer` changed",))
    assert (await world.propose(task, n=9)).state == "done"


@pytest.mark.proves("rights.published")
async def test_other_rights_are_another_proposal() -> None:
    """Nobody agrees to rights that were not shown: what is proposed with others is something else."""
    world = await world_with(lending(5), publishing=Publishing(persons=2))

    first, again, other = [
        await world.plane.publisher.publish(world.definition(rights=each), by="rita")
        for each in (lending(9), lending(9), lending(8))
    ]

    assert first.publication == again.publication != other.publication


@pytest.mark.proves("rights.published")
async def test_taking_rights_away_altogether_asks_the_owner_of_what_is_grave() -> None:
    """Without rights everybody lends everything: that loosens it, like more of them does."""
    world = World()
    grave = contract(risk="high", owner="lead")
    rule = Publishing(owners=True)
    await world.apply(grave, rights=lending(5), publishing=rule)

    for loose in (None, lending(6)):
        applied = await world.plane.publisher.publish(world.definition(rights=loose), by="rita")
        assert applied.waits_for == "the owner of thing.put (lead)"
    assert (await world.plane.publisher.publish(world.definition(rights=lending(4)), by="rita")).changed


async def test_roles_whose_rights_cannot_be_said_as_one() -> None:
    """Nobody would know what such a person may lend: it comes into force for nobody."""
    world = await world_with(None)

    def only(n: str, m: str) -> Grant:
        said: dict[str, JsonValue] = {
            name: {"constraint_type": "exact", "value": value} for name, value in (("n", n), ("m", m))
        }
        return read_grant({"tools": {"x": said}})

    wrong = Rights(roles={"reviewer": only("a", "b"), "lead": only("c", "d")})
    with pytest.raises(WorkspaceError, match="the roles of `ria` may each lend `x`"):
        await changed(world, wrong)


@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_each_write_that_fails_while_rights_are_brought_into_force(fault: Fault) -> None:
    """They are in force whole or not at all, and nobody is told otherwise."""
    world = await world_with(lending(5), faults=Faults())
    world.store.faults.at[world.store.faults.writes + 1] = fault

    answered = True
    try:
        await changed(world, lending(9))
    except StoreError:
        answered = False

    assert answered == (fault == "stored")
    assert (await world.propose(await world.task("user:ana"), n=9)).state == ("done" if answered else "refused")


# -- what a task is given ----------------------------------------------------------------------------------------------


@pytest.mark.proves("task.tools")
@pytest.mark.proves("task.data")
async def test_a_task_that_was_given_tools_and_records() -> None:
    """It uses those and no others, from whatever process; and what it asked for beyond is refused with the rule."""
    world = await world_with(None)
    tools = await world.task(tools=upto(3))
    data = await world.task(data=Selector(records={"thing": (2, 3)}))

    found = [
        [(await world.propose_on(each, task, n=n)).state for n in (2, 4)]
        for task in (tools, data)
        for each in (world.plane, world.another("w2"))
    ]
    none = await world.propose(await world.task(tools=NOTHING), n=1)

    assert found == [["done", "refused"]] * 4
    assert (none.reasons[0], none.state) == ("interlock.task", "refused")


@pytest.mark.proves("task.data")
async def test_a_person_cannot_lead_a_task_out_of_what_it_was_given() -> None:
    """Who modifies what waits is held to it: the records were given to the task, not to the arguments."""
    world = await world_with(None)
    action = await world.propose(await world.task(data=Selector(records={"thing": (20,)})), n=20)

    with pytest.raises(NotAllowed, match="touches a `thing` that the task was not given"):
        await world.plane.approvals.modify(action.id, RITA, {"n": 21})

    assert (await world.action(action)).arguments == {"n": 20}


@pytest.mark.proves("task.narrower")
async def test_a_task_inside_another_asks_for_less_or_gets_what_is_around_it() -> None:
    """More is not opened; nothing said is what the one around it was given; and it is for the same initiator."""
    world = await world_with(None)
    outer = await world.task(tools=upto(5), data=Selector(records={"thing": (1, 2, 5)}))

    inside = await world.task("", parent=outer)
    less = await world.task("", parent=inside, tools=upto(2))
    for more in (
        {"tools": upto(6)},
        {"data": Selector(records={"thing": (3,)})},
        {"data": Selector(records={"thing": ("*",)})},
    ):
        with pytest.raises(NotAllowed, match="no more than the one around it"):
            await world.task("", parent=inside, **more)
    with pytest.raises(NotAllowed, match="on behalf of the same one"):
        await world.task("user:boss", parent=outer)

    assert (inside.tools, inside.data, inside.initiator) == (outer.tools, outer.data, "user:ana")
    assert [(await world.propose(less, n=n)).state for n in (1, 2, 5)] == ["done", "done", "refused"]


@pytest.mark.proves("task.given_private")
async def test_what_a_task_was_given_is_nowhere_in_the_open() -> None:
    """No leaf of the log holds it; its commitments do."""
    world = await world_with(None)
    named = "c-1234567"
    tools = read_grant({"tools": {"thing.put": {"n": {"constraint_type": "exact", "value": named}}}})
    task = await world.task(data=Selector(records={"thing": (named,)}), tools=tools)
    await world.propose(task, n=1)

    entries = await world.store.entries(0, 100)
    opened = next(each for each in entries if each.phase == "opened")
    assert all(named.encode() not in each.leaf for each in entries)
    assert sum(named in str(disclosure.parse(text).value) for text in opened.disclosures) == 2


@pytest.mark.proves("task.given_private")
async def test_what_a_task_was_given_goes_with_it() -> None:
    """Nothing of it is left in its record once that is erased."""
    world = await world_with(None)
    task = await world.task(data=Selector(records={"thing": (1,)}), tools=upto(1))

    gone = stripped(task, "erased")

    assert (gone.data, gone.tools, gone.withheld) == (None, None, "erased")


async def test_control_stays_small() -> None:
    """The standing orders name rights by their digest, whatever they say."""
    world = await world_with(lending(5))
    many = Rights(initiators={f"user:u{n}": upto(n) for n in range(500)})
    await changed(world, many)
    control = await world.store.get(Control, "control")

    assert control is not None
    assert control.rights == many.digest
    assert len(msgspec.json.encode(control)) < 2_000
