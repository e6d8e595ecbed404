"""People's words: single-use, bound to exactly what was shown, and never making anything looser."""

import asyncio

import msgspec
import pytest

from interlock.domain.action import Action
from interlock.domain.budget import Budget
from interlock.domain.contract import Cost, NoReversal
from interlock.domain.duration import DAY
from interlock.domain.errors import (
    BudgetExceeded,
    ContractError,
    IllegalMove,
    InterlockError,
    NotAllowed,
    NotFound,
    StaleView,
)
from interlock.domain.ids import ActionId, Digest, Person
from interlock.domain.policy import Policy
from interlock.domain.question import Question
from interlock.testing.parts import Predicate
from interlock.testing.world import World, contract, permit

pytestmark = pytest.mark.anyio

RITA, RIA, ANA, LENA = Person("rita"), Person("ria"), Person("ana"), Person("lena")
RUN = ("thing.put", "run")


def ask(above: int, role: str = "reviewer", quorum: int = 1) -> tuple[Policy, Predicate]:
    """Above `above`, people in `role` must agree."""

    def holds(question: Question) -> bool:
        n = question.arguments["n"]
        return isinstance(n, int) and n > above

    policy = Policy(
        id=f"ask.{role}.{above}",
        effect="forbid",
        owner="pia",
        verdict="require_approval",
        approver=role,
        quorum=quorum,
        reason=f"above {above}",
    )
    return policy, holds


def deny(above: int) -> tuple[Policy, Predicate]:
    """Above `above` it is denied."""
    policy, holds = ask(above)
    return msgspec.structs.replace(policy, id=f"deny.{above}", verdict="deny"), holds


async def held(world: World, *rules: tuple[Policy, Predicate], n: int = 50, cost: Cost | None = None) -> Action:
    """One held action."""
    await world.apply(contract(cost=cost), rules=(permit(), *(rules or (ask(10),))), budgets={"EUR": 100})
    action = await world.propose(await world.task(), key="k", n=n)
    assert action.state == "held"
    return action


# -- yes and no ------------------------------------------------------------------------------------------------


@pytest.mark.proves("approval.executes_once")
async def test_a_yes_runs_it_once_wherever_it_was_asked() -> None:
    """Approved while nobody runs, it is executed once by a process that comes later, and cannot be approved again."""
    world = World()
    action = await held(world)

    ready = await world.plane.approvals.approve(action.id, RITA, view=action.hold.view if action.hold else None)
    assert (ready.state, world.effectors.calls[RUN]) == ("ready", 0)
    with pytest.raises(IllegalMove):
        await world.plane.approvals.approve(action.id, RIA)
    await world.work(world.another("w2"))
    await world.work()

    assert ((await world.action(action)).state, world.effectors.calls[RUN]) == ("done", 1)


@pytest.mark.proves("approval.rejects")
async def test_a_no_ends_it() -> None:
    """One no of anybody who was asked ends it for good."""
    world = World()
    action = await held(world, ask(10, quorum=2))
    await world.plane.approvals.approve(action.id, RITA)

    rejected = await world.plane.approvals.reject(action.id, RIA, note="too much")

    assert (rejected.state, rejected.reasons) == ("rejected", ("too much",))
    with pytest.raises(IllegalMove):
        await world.plane.approvals.approve(action.id, RITA)
    assert await world.reserved() == 0


@pytest.mark.proves("approval.entitled")
@pytest.mark.parametrize(
    ("person", "word"),
    [("ana", "asked for this"), ("nobody", "not among"), ("lena", "is not asked here")],
    ids=["initiator", "stranger", "other role"],
)
async def test_who_may_not_speak(person: str, word: str) -> None:
    """The initiator, a stranger and somebody in another role can neither approve, reject nor modify."""
    world = World()
    world.people[LENA] = ("cleaner",)
    action = await held(world)

    for speak in (
        world.plane.approvals.approve(action.id, Person(person)),
        world.plane.approvals.reject(action.id, Person(person), note="no"),
        world.plane.approvals.modify(action.id, Person(person), {"n": 11}),
    ):
        with pytest.raises(NotAllowed, match=word):
            await speak
    assert await world.action(action) == action


@pytest.mark.proves("approval.quorum")
async def test_a_quorum_is_different_people() -> None:
    """Two must agree: one person twice is one, and everybody of both policies is heard."""
    world = World()
    action = await held(world, ask(10, quorum=2), ask(20, role="lead"))

    assert (await world.plane.approvals.approve(action.id, RITA)).state == "held"
    with pytest.raises(NotAllowed, match="already"):
        await world.plane.approvals.approve(action.id, RITA)
    assert (await world.plane.approvals.approve(action.id, RIA)).state == "ready"


@pytest.mark.proves("approval.single_use")
async def test_ten_people_at_once_are_each_heard_once() -> None:
    """Concurrent words from two processes are all counted; the quorum is met by exactly so many, the rest are too late."""
    world = World()
    for number in range(10):
        world.people[Person(f"p{number}")] = ("reviewer",)
    action = await held(world, ask(10, quorum=4))
    planes = [world.plane, world.another("w2")]

    async def one(number: int) -> str:
        try:
            return (await planes[number % 2].approvals.approve(action.id, Person(f"p{number}"))).state
        except IllegalMove:
            return "late"

    said = await asyncio.gather(*(one(number) for number in range(10)))

    assert sorted(said) == ["held"] * 3 + ["late"] * 6 + ["ready"]
    ready = await world.action(action)
    assert ready.hold is not None
    assert len({word.person for word in ready.hold.approvals}) == 4


@pytest.mark.proves("approval.expires")
async def test_silence_is_a_no() -> None:
    """When the time is over the action expires, whether a worker looks or a person comes too late."""
    world = World()
    first = await held(world)
    world.clock.advance(DAY)

    with pytest.raises(IllegalMove, match="expired"):
        await world.plane.approvals.approve(first.id, RITA)
    await world.work()

    assert (await world.action(first)).state == "expired"
    assert await world.reserved() == 0


@pytest.mark.proves("approval.expires")
async def test_a_yes_that_nobody_acted_on_in_time_expires_too() -> None:
    """An approval is bound to its expiry: a worker that comes after it does not run the action, though its task goes on."""
    world = World()
    await world.apply(contract(), rules=(permit(), ask(10)), approvals_within_ms=100)
    action = await world.propose(await world.task(), n=50)
    await world.plane.approvals.approve(action.id, RITA)
    world.clock.advance(100)

    await world.work()

    assert (await world.action(action)).state == "expired"


async def test_an_action_that_is_not_there_cannot_be_approved() -> None:
    """The error says so."""
    world = World()
    await held(world)

    with pytest.raises(NotFound):
        await world.plane.approvals.approve(ActionId("nothing"), RITA)


# -- bound to what was shown -----------------------------------------------------------------------------------


@pytest.mark.proves("approval.bound")
async def test_a_word_on_another_view_does_not_count() -> None:
    """Whoever was shown something else is told so, and nothing is counted."""
    world = World()
    action = await held(world)
    old = action.hold.view if action.hold else None
    await world.apply(contract(), rules=(permit(), ask(10, quorum=2)), bundle="b2")
    with pytest.raises(StaleView, match="decided again"):
        await world.plane.approvals.approve(action.id, RITA, view=old)

    now = await world.action(action)
    assert now.hold is not None
    assert (now.state, now.hold.approvals, now.hold.requirements[0].quorum) == ("held", (), 2)
    with pytest.raises(StaleView, match="no longer"):
        await world.plane.approvals.approve(action.id, RITA, view=Digest("0" * 64))


@pytest.mark.proves("approval.bound")
async def test_a_bundle_that_now_denies_ends_what_is_held() -> None:
    """The policies changed to a no while it was held: the yes comes too late."""
    world = World()
    action = await held(world)
    await world.apply(contract(), rules=(permit(), deny(10)), bundle="b2")

    with pytest.raises(StaleView):
        await world.plane.approvals.approve(action.id, RITA)
    assert (await world.action(action)).state == "denied"
    assert await world.reserved() == 0


@pytest.mark.proves("approval.bound")
async def test_a_bundle_that_asks_for_more_after_the_yes_asks_again() -> None:
    """What a new bundle asks beyond what was agreed to is asked of people, all of it at once, and then it runs."""
    world = World()
    action = await held(world)
    await world.plane.approvals.approve(action.id, RITA)
    await world.apply(contract(), rules=(permit(), ask(10), ask(20, role="lead")), bundle="b2")

    await world.work()
    again = await world.action(action)
    assert again.hold is not None
    assert (again.state, again.hold.approvals) == ("held", ())
    await world.plane.approvals.approve(action.id, RITA)
    await world.plane.approvals.approve(action.id, RIA)
    await world.work()

    assert ((await world.action(action)).state, world.effectors.calls[RUN]) == ("done", 1)


@pytest.mark.proves("approval.bound")
async def test_a_new_bundle_never_asks_for_less_of_what_is_held() -> None:
    """A bundle that no longer asks for anything does not free what was held under one that did."""
    world = World()
    action = await held(world)
    await world.apply(contract(), bundle="b2")

    with pytest.raises(StaleView):
        await world.plane.approvals.approve(action.id, RITA)
    assert (await world.action(action)).state == "held"
    assert (await world.plane.approvals.approve(action.id, RITA)).state == "ready"


@pytest.mark.proves("approval.bound")
async def test_a_word_never_lands_on_what_changed_while_it_was_given() -> None:
    """One person modifies while another approves without naming a view: whoever is second is told, not counted."""
    world = World()
    action = await held(world, ask(10, quorum=2))
    other = world.another("w2")

    said = await asyncio.gather(
        world.plane.approvals.modify(action.id, RITA, {"n": 99}),
        other.approvals.approve(action.id, RIA),
        return_exceptions=True,
    )

    now = await world.action(action)
    assert now.hold is not None
    stale = [each for each in said if isinstance(each, StaleView)]
    if now.arguments["n"] == 99 and not stale:
        # The approval came first and was voided by the modification, or the modification was refused.
        assert [word.person for word in now.hold.approvals] == [RITA]
    for word in now.hold.approvals:
        assert word.binding == now.hold.binding


# -- modify ----------------------------------------------------------------------------------------------------


@pytest.mark.proves("approval.modify")
async def test_modify_runs_what_the_person_said() -> None:
    """The modified arguments are decided again, the person's own yes counts, and exactly they are executed."""
    world = World()
    action = await held(world)

    modified = await world.plane.approvals.modify(action.id, RITA, {"n": 12}, note="less")
    await world.work()

    assert modified.state == "ready"
    done = await world.action(action)
    assert done.outcome is not None
    assert (done.state, done.outcome.result) == ("done", {"n": 12})
    assert (modified.digest, modified.nonce) != (action.digest, action.nonce)
    assert "modified" in [entry.phase for entry in await world.store.entries_of(action.id)]


@pytest.mark.proves("approval.modify")
async def test_modify_voids_the_words_of_others_and_asks_them_again() -> None:
    """Words about other arguments do not count on the new ones."""
    world = World()
    action = await held(world, ask(10, quorum=2))
    await world.plane.approvals.approve(action.id, RITA)

    modified = await world.plane.approvals.modify(action.id, RIA, {"n": 60})

    assert modified.hold is not None
    assert (modified.state, [word.person for word in modified.hold.approvals]) == ("held", [RIA])
    assert (await world.plane.approvals.approve(action.id, RITA)).state == "ready"


@pytest.mark.proves("approval.modify")
async def test_modify_never_loosens() -> None:
    """Arguments that do not fit, that policy denies, or that need somebody else: refused, or held for them."""
    world = World()
    action = await held(world, ask(10), ask(70, role="lead"), deny(90))

    with pytest.raises(ContractError, match="/n"):
        await world.plane.approvals.modify(action.id, RITA, {"n": -1})
    with pytest.raises(ContractError, match="/other"):
        await world.plane.approvals.modify(action.id, RITA, {"other": 1})
    with pytest.raises(NotAllowed, match="above 90"):
        await world.plane.approvals.modify(action.id, RITA, {"n": 95})
    assert await world.action(action) == action

    assert (await world.plane.approvals.modify(action.id, RITA, {"n": 80})).state == "held"
    await world.work()
    assert not world.effectors.calls


@pytest.mark.proves("approval.modify")
async def test_modify_keeps_what_cannot_be_undone_attended() -> None:
    """Modified below what any policy asks for, the irreversible is still done on a person's word only."""
    world = World()
    await world.apply(contract(reversal=NoReversal(why="gone")))
    action = await world.propose(await world.task(), n=50)

    modified = await world.plane.approvals.modify(action.id, RITA, {"n": 1})

    assert modified.decision is not None
    assert "interlock.irreversible" in [need.policy for need in modified.decision.requirements]


@pytest.mark.proves("approval.modify", "budget.exact")
async def test_modify_reserves_what_the_new_arguments_cost() -> None:
    """More is reserved in the same transaction or the modification is refused; less gives the rest back."""
    world = World()
    action = await held(world, ask(10, quorum=2), cost=Cost(unit="EUR", amount="$args.n"))

    async def money() -> tuple[int, int]:
        budget = await world.store.get(Budget, "tenant/EUR")
        assert budget is not None
        return budget.reserved, budget.spent

    with pytest.raises(BudgetExceeded):
        await world.plane.approvals.modify(action.id, RITA, {"n": 101})
    assert await money() == (50, 0)
    await world.plane.approvals.modify(action.id, RITA, {"n": 100})
    assert await money() == (100, 0)
    await world.plane.approvals.modify(action.id, RIA, {"n": 20})
    assert await money() == (20, 0)
    await world.plane.approvals.approve(action.id, RITA)
    await world.work()
    assert await money() == (0, 20)


@pytest.mark.proves("approval.modify", "gate.same_key")
async def test_a_modified_action_still_answers_to_its_key() -> None:
    """The agent's repeat, with what it asked for, gets the modified action's answer."""
    world = World()
    action = await held(world)
    await world.plane.approvals.modify(action.id, RITA, {"n": 12})
    await world.work()
    (task,) = await world.tasks()

    again = await world.propose(task, key="k", n=50)

    assert (again.id, again.state, again.arguments) == (action.id, "done", {"n": 12})


async def test_errors_are_ours() -> None:
    """Whatever two people do at the same moment, neither sees anything but a typed error of the product."""
    world = World()
    action = await held(world, ask(10, quorum=3))
    words = [
        world.plane.approvals.approve(action.id, RITA),
        world.another("w2").approvals.reject(action.id, RIA, note="no"),
        world.another("w3").approvals.modify(action.id, RIA, {"n": 30}),
        world.another("w4").approvals.modify(action.id, RITA, {"n": 31}),
    ]

    for said in await asyncio.gather(*words, return_exceptions=True):
        assert isinstance(said, Action | InterlockError)
        assert getattr(said, "code", "") != "conflict"
