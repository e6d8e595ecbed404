"""What an agent cannot settle goes to people, whatever policies permit; what they say is what it gets."""

import contextlib

import msgspec
import pytest

import interlock.exceptions
from interlock.adapters.memory import Fault, Faults
from interlock.domain.action import Action
from interlock.domain.change import Change
from interlock.domain.deadline import Terms
from interlock.domain.duration import HOUR, MINUTE
from interlock.domain.errors import IntegrityError, NotAllowed, StoreError
from interlock.domain.ids import Person
from interlock.domain.policy import Policy
from interlock.testing.parts import Predicate
from interlock.testing.world import World, contract, permit
from tests.services.test_approvals import ask, deny

pytestmark = pytest.mark.anyio

RITA, ANA = Person("rita"), Person("ana")
CONTRACT = interlock.exceptions.escalate.contract


async def raised(world: World, kind: str = "out_of_scope", **arguments: object) -> Action:
    """One exception."""
    given = {"kind": kind, "summary": "what now?", "options": ["stop", "go on"], **arguments}
    return await world.propose(await world.task(), CONTRACT.name, **given)  # type: ignore[arg-type]  # plain JSON


async def world_of() -> World:
    """A world in which everything is permitted, in one whose agents may raise exceptions."""
    world = World()
    await world.apply(CONTRACT, contract(), rules=(permit(),))
    return world


@pytest.mark.proves("exception.asks")
async def test_an_exception_always_waits_for_a_person() -> None:
    """No policy asks anybody: it asks a reviewer all the same, and not whoever it is for."""
    world = await world_of()
    action = await raised(world)

    assert (action.state, action.asks) == ("held", ("reviewer",))
    with pytest.raises(NotAllowed):
        await world.plane.approvals.modify(action.id, ANA, {"answer": "stop"})


@pytest.mark.proves("exception.answer")
async def test_what_an_agent_answers_itself_is_refused() -> None:
    """An answer that came with the question would become a person's by a yes."""
    world = await world_of()
    action = await raised(world, answer="go on")

    assert action.state == "refused"


async def test_a_kind_that_is_misspelt_is_refused_and_a_new_one_is_taken() -> None:
    """What is not declared has to say so."""
    world = await world_of()

    assert (await raised(world, "out_of_scop")).state == "refused"
    assert (await raised(world, "other:the printer smells")).state == "held"


async def test_what_policies_deny_is_denied() -> None:
    """Our rule asks; it grants nothing."""
    world = World()
    policy, _ = deny(0)
    await world.apply(CONTRACT, rules=(permit(), (policy, lambda _question: True)))

    assert (await raised(world)).state == "denied"


async def test_those_that_wait_are_listed_with_all_there_is_to_know() -> None:
    """And the kinds, new ones among them, alike ones together; what was refused was never raised."""
    world = await world_of()
    first = await raised(world)
    await raised(world, "other:Odd smell")
    await raised(world, "other:odd smell!")
    await raised(world, "nothing known")
    [waiting, *_] = (await world.plane.exceptions.waiting()).rows
    kinds = await world.plane.exceptions.kinds()

    assert (waiting.action, waiting.kind, waiting.options) == (first.id, "out_of_scope", ("stop", "go on"))
    assert waiting.roles == ("reviewer",)
    assert kinds.declared == {"out_of_scope": 1}
    assert [(each.count, len(each.also)) for each in kinds.new] == [(2, 1)]


@pytest.mark.parametrize(("answer", "how"), [("stop", "chosen"), ("ask the bank first", "instructed"), ("", "closed")])
def test_what_a_person_says_is_what_comes_back(answer: str, how: str) -> None:
    """One of the options, an instruction, or nothing more."""
    said = interlock.exceptions.escalate.function("out_of_scope", "what now?", ["stop", "go on"], "", answer)

    assert (said.how, said.answer) == (how, answer)


def asking(default: str, *, over: str = "reviewer") -> tuple[Policy, Predicate]:
    """A policy that asks somebody for half an hour, and says what silence is."""
    policy, _ = ask(0, role=over)
    terms = Terms(within_ms=30 * MINUTE, default=default)
    return msgspec.structs.replace(policy, terms=terms), lambda _question: True


async def silent(*rules: tuple[Policy, Predicate], faults: Faults | None = None) -> World:
    """A world in which these ask about everything."""
    world = World(faults=faults)
    world.people = {**world.people, Person("bo"): ("boss",)}
    await world.apply(CONTRACT, contract(), rules=(permit(), *rules))
    return world


@pytest.mark.parametrize("fault", ["stored", "not stored", None])
@pytest.mark.proves("exception.default")
async def test_silence_is_answered_by_default_once(fault: Fault | None) -> None:
    """Whether the write of it fails, stored or not: one worker or the next ends it, once, with what the policy says."""
    for nth in (1, 2):
        world = await silent(asking("go on"))
        action = await raised(world)
        world.clock.advance(30 * MINUTE)
        if fault is not None:
            world.store.faults.at[world.store.faults.writes + nth] = fault
        with contextlib.suppress(StoreError):
            await world.work()
        world.clock.advance(MINUTE)
        await world.work(world.another("survivor"))
        after = await world.store.get(Action, action.id)
        said = [entry.phase for entry in await world.store.entries(0, 10_000) if entry.action == action.id]

        assert after is not None
        assert (after.state, after.reasons) == (
            "expired",
            ("nobody answered in time", "by default the answer is: go on"),
        )
        assert said == ["decided", "expired"]


@pytest.mark.proves("exception.default")
async def test_silence_is_a_yes_to_nothing() -> None:
    """Of an action a default lets nothing happen, and where two policies ask and say different things nothing is said."""
    world = await silent(asking("go on"))
    action = await world.propose(await world.task(), n=5)
    other = await silent(asking("go on"), asking("stop", over="boss"))
    asked = await raised(other)
    for each in (world, other):
        each.clock.advance(HOUR)
        await each.work()
    ended = [await each.store.get(Action, name.id) for each, name in ((world, action), (other, asked))]

    assert [(each.state, each.reasons) for each in ended if each] == [("expired", ("nobody answered in time",))] * 2


async def test_a_default_put_into_the_store_is_found_out() -> None:
    """It is part of what people agree to: an answer to a question with another is refused."""
    world = await silent(asking("go on"))
    action = await raised(world)
    assert action.hold is not None
    await world.store.commit(
        Change(puts=(msgspec.structs.replace(action, hold=msgspec.structs.replace(action.hold, default="pay")),))
    )

    with pytest.raises(IntegrityError):
        await world.plane.approvals.approve(action.id, RITA)


@pytest.mark.proves("exception.measured")
async def test_an_answer_is_no_change_of_what_was_asked_for() -> None:
    """Exceptions are counted among the reasons why people are asked; an answer is a yes as it was asked for, not a correction, in
    all figures and in those of whoever gave it."""
    world = await world_of()
    first, second = await raised(world), await raised(world, "other:odd smell")
    await world.plane.exceptions.answer(first.id, RITA, "stop")
    await world.plane.exceptions.answer(second.id, RITA, "")
    await world.work()
    world.clock.advance(HOUR)
    figures = world.plane.figures
    await figures.catch_up()
    overview = await figures.overview(24 * HOUR)
    rows = [(await figures.measures(by, 24 * HOUR)).rows[0] for by in ("all", "reviewer")]
    unchanged = [next(each for each in row.figures if each.name == "approved_unchanged") for row in rows]

    assert overview.asks["interlock.exception"] == 2
    assert [(each.value, each.of) for each in unchanged] == [(1000, 2), (1000, 2)]
