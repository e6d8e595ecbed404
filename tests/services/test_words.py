"""What goes with a word: the target typed, the reason, what was shown, how fast, and what changed meanwhile."""

from typing import Any

import pytest

from interlock.adapters.memory import Faults
from interlock.domain.action import Action
from interlock.domain.call import Landed
from interlock.domain.canonical import digest
from interlock.domain.changing import Changing
from interlock.domain.contract import Facts, NoReversal, PythonTarget
from interlock.domain.duration import HOUR, MINUTE, SECOND
from interlock.domain.errors import ContractError, IllegalMove, NotAllowed, StaleView, StoreError, TooFast
from interlock.domain.ids import Person
from interlock.domain.pace import KEPT, Attention, Pace, Ruled, must_not_hurry, warning
from interlock.domain.routing import Routing
from interlock.testing.world import World, contract, permit
from tests.services.packets import predicate_of, told
from tests.services.test_approvals import ANA, RIA, RITA, ask, held

pytestmark = pytest.mark.anyio

CRITICAL = contract(
    "thing.wipe",
    risk="critical",
    reversal=NoReversal(why="gone"),
    touches={"thing": "$args.what"},
    input_schema={
        "type": "object",
        "properties": {"n": {"type": "integer"}, "what": {"type": "string"}},
        "required": ["n", "what"],
        "additionalProperties": False,
    },
)


async def said(world: World, action: Action, phase: str) -> list[dict[str, Any]]:
    """What entries of that phase say of the action, with the clear texts beside them."""
    entries = await world.store.entries(0, 10_000)
    return [
        predicate_of(each.leaf) | told(each) for each in entries if each.action == action.id and each.phase == phase
    ]


async def critical(world: World) -> Action:
    """A held action of critical risk, about `prod`."""
    await world.apply(CRITICAL, rules=(permit(), ask(10)))
    action = await world.propose(await world.task(), "thing.wipe", n=50, what="prod")
    assert action.state == "held"
    return action


# -- the target ------------------------------------------------------------------------------------------------


@pytest.mark.proves("approval.target")
@pytest.mark.parametrize("typed", [None, "", "Prod", "prod ", "pro", "thing.wipe", "\ud800"])
async def test_critical_risk_is_agreed_to_by_typing_what_it_is_about(typed: str | None) -> None:
    """Nothing but the very value of the target counts, for a yes and for a change; a no needs none."""
    world = World()
    action = await critical(world)

    for speak in (
        world.plane.approvals.approve(action.id, RITA, target=typed),
        world.plane.approvals.modify(action.id, RITA, {"n": 40}, target=typed),
    ):
        with pytest.raises(NotAllowed, match="`what`"):
            await speak
    assert await world.action(action) == action

    assert (await world.plane.approvals.approve(action.id, RITA, target="prod")).state == "ready"


async def test_who_changes_the_target_types_the_new_one() -> None:
    """A modification is agreed to by the target it will have."""
    world = World()
    action = await critical(world)

    with pytest.raises(NotAllowed):
        await world.plane.approvals.modify(action.id, RITA, {"what": "test"}, target="prod")
    after = await world.plane.approvals.modify(action.id, RITA, {"what": "test"}, target="test")

    assert (after.state, after.arguments["what"]) == ("ready", "test")


async def test_the_dossier_says_what_is_to_be_typed() -> None:
    """Of critical risk it names the argument and its value, and of any other nothing."""
    world = World()
    seen = await world.plane.dossiers.of((await critical(world)).id, RITA)
    other = World()

    assert (seen.target_name, seen.target) == ("what", "prod")
    assert (await other.plane.dossiers.of((await held(other)).id, RITA)).target == ""


@pytest.mark.parametrize("note", ["", "  \n"])
async def test_a_no_without_a_reason_is_none(note: str) -> None:
    """The agent is told why, so somebody has to say it."""
    world = World()
    action = await held(world)
    with pytest.raises(ContractError, match="says why"):
        await world.plane.approvals.reject(action.id, RITA, note=note)
    assert await world.action(action) == action


# -- what was shown --------------------------------------------------------------------------------------------


@pytest.mark.proves("approval.shown")
async def test_a_word_names_exactly_what_was_shown_and_the_log_has_it() -> None:
    """The digest with the word is that of the dossier which the entry `shown` holds; the same is recorded once."""
    world = World()
    action = await held(world)

    seen = await world.plane.dossiers.open(action.id, RITA)
    again = await world.plane.dossiers.open(action.id, RITA)
    world.clock.advance(90 * SECOND)
    ready = await world.plane.approvals.approve(action.id, RITA, view=seen.view)

    assert again.shown == seen.shown
    assert ready.hold is not None
    (word,) = ready.hold.approvals
    assert (word.shown, word.looked_ms) == (seen.shown, 90 * SECOND)
    (shown,), (approved,) = await said(world, action, "shown"), await said(world, action, "approved")
    assert shown["viewer"] == "rita"
    assert digest({"dossier": shown["dossier"], "nonce": action.nonce}) == seen.shown
    assert approved["approvals"][0]["shown"] == seen.shown
    assert shown["dossier"]["line"] == "thing.put: n 50"


async def test_looking_without_being_asked_leaves_no_trace() -> None:
    """The initiator, a stranger and `of` write nothing."""
    world = World()
    action = await held(world)

    for who in (ANA, Person("stranger")):
        await world.plane.dossiers.open(action.id, who)
    await world.plane.dossiers.of(action.id, RITA)

    assert await world.action(action) == action


@pytest.mark.proves("approval.changed")
async def test_a_change_under_the_reviewer_is_no_yes() -> None:
    """The fact under a declared change is another by the time of the yes: refused, held again as it is now, with a new view;
    the yes to that is good."""
    world = World()
    world.effectors.say("thing.put", "facts", Landed({"was": 7}), Landed({"was": 8}))
    facts = Facts(
        source=PythonTarget(target="world:facts"), schema={"type": "object", "properties": {"was": {"type": "integer"}}}
    )
    declared = contract(facts=facts, changes={"n": Changing(before="$facts.was", after="$args.n")})
    await world.apply(declared, rules=(permit(), ask(10)))
    action = await world.propose(await world.task(), n=50)
    seen = await world.plane.dossiers.open(action.id, RITA)

    with pytest.raises(StaleView, match="not what it was"):
        await world.plane.approvals.approve(action.id, RITA, view=seen.view)
    with pytest.raises(StaleView):
        await world.plane.approvals.approve(action.id, RITA, view=seen.view)
    fresh = await world.plane.dossiers.open(action.id, RITA)

    assert [row.before for row in (*seen.changes, *fresh.changes)] == [7, 8]
    assert fresh.view != seen.view
    assert (await world.plane.approvals.approve(action.id, RITA, view=fresh.view)).state == "ready"


# -- a change is weighed and told ------------------------------------------------------------------------------


async def test_a_modification_is_weighed_before_and_told_after() -> None:
    """The form learns what policy would say and what differs from the request; afterwards the dossier tells it."""
    world = World()
    action = await held(world, ask(10, quorum=2))

    weighed = await world.plane.approvals.weigh(action.id, RITA, {"n": 5})
    assert (weighed.verdict, [row.difference for row in weighed.difference]) == ("allow", ["-45 (-90 %)"])
    assert await world.action(action) == action
    with pytest.raises(ContractError):
        await world.plane.approvals.weigh(action.id, RITA, {"n": "five"})
    await world.plane.approvals.modify(action.id, RITA, {"n": 40})
    await world.plane.approvals.modify(action.id, RIA, {"n": 30})

    seen = await world.plane.dossiers.of(action.id, RITA)

    assert [(row.before, row.after) for row in seen.modified] == [(50, 30)]


# -- how fast --------------------------------------------------------------------------------------------------


@pytest.mark.proves("approval.pace")
async def test_who_decides_faster_than_anybody_reads_has_to_wait() -> None:
    """Past the workspace's limit a yes is refused until there is room again, in every process; a no never is."""
    world = World()
    process = world.another("w2")
    asked = Routing(attention=Attention(most=2, per_ms=HOUR))
    await world.apply(contract(), rules=(permit(), ask(10)), routing=asked)
    task = await world.task()
    actions = [await world.propose(task, n=n) for n in range(20, 25)]
    for action in actions[:2]:
        await process.approvals.approve(action.id, RITA)
        world.clock.advance(MINUTE)

    with pytest.raises(TooFast, match="agreed to 2 in 1h") as refused:
        await world.another("w3").approvals.approve(actions[2].id, RITA)
    assert ("go on in 58m" in refused.value.next_step, refused.value.after_s) == (True, 58 * 60)
    assert (await process.approvals.reject(actions[3].id, RITA, note="no")).state == "rejected"
    assert (await process.approvals.approve(actions[4].id, RIA)).state == "ready"
    world.clock.advance(58 * MINUTE)

    assert (await process.approvals.approve(actions[2].id, RITA)).state == "ready"


def test_who_agrees_with_everything_at_a_glance_is_told_so() -> None:
    """Fifty words, hardly a look, hardly a no: that is said; with looks, with some noes, or with fewer words nothing is."""
    asked = Attention(look_ms=5 * SECOND)
    glances = [Ruled(n, agreed=True, looked_ms=SECOND) for n in range(KEPT)]

    assert "100.0 % were a yes, after 1s" in warning(glances, asked)
    assert warning(glances[:20], asked) != ""
    assert warning(glances[:19], asked) == ""
    assert warning([Ruled(each.at, agreed=True, looked_ms=MINUTE) for each in glances], asked) == ""
    assert warning([Ruled(each.at, agreed=each.at > 1, looked_ms=SECOND) for each in glances], asked) == ""
    assert warning([Ruled(each.at, agreed=True) for each in glances], asked) == ""


def test_the_pace_is_kept_for_as_long_as_the_limit_looks_back() -> None:
    """What the limit counts is never dropped, and what it does not is."""
    asked = Attention(most=100, per_ms=HOUR)
    pace = Pace(person=RITA)
    for n in range(120):
        pace = pace.further(Ruled(n * MINUTE // 2, agreed=True), asked)

    assert len(pace.words) >= 100
    with pytest.raises(NotAllowed):
        must_not_hurry(pace, asked, 120 * MINUTE // 2)


# -- faults ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [False, True])
async def test_a_store_that_fails_while_looking_or_speaking_leaves_all_or_nothing(stored: bool) -> None:
    """Whether the store failed before or after it stored: each is there whole, or not at all, and can be repeated."""
    faults = Faults()
    world = World(faults=faults)
    action = await held(world)
    for speak in (
        lambda: world.plane.dossiers.open(action.id, RITA),
        lambda: world.plane.inquiring.ask(action.id, RITA, "why?"),
        lambda: world.plane.inquiring.delegate(action.id, RITA, RIA),
        lambda: world.plane.inquiring.take_back(action.id, RITA),
    ):
        before = (await world.action(action)).revision
        faults.at[faults.writes + 1] = "stored" if stored else "not stored"
        try:
            await speak()
        except StoreError:
            assert (await world.action(action)).revision == before
            await speak()
        assert (await world.action(action)).revision == before + 1


async def test_what_is_over_can_be_spoken_of_no_more() -> None:
    """No question, answer or handing after the end."""
    world = World()
    action = await held(world)
    await world.plane.approvals.reject(action.id, RITA, note="no")

    for speak in (
        world.plane.inquiring.ask(action.id, RIA, "why?"),
        world.plane.inquiring.delegate(action.id, RIA, RITA),
        world.plane.inquiring.take_back(action.id, RIA),
    ):
        with pytest.raises(IllegalMove):
            await speak
