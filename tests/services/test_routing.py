"""What happens to a question that nobody answers: reminded, gone on, late or over, each exactly once, in whatever process."""

import contextlib
from typing import Literal

import msgspec
import pytest

from interlock.adapters.memory import Fault, Faults
from interlock.domain.action import Action
from interlock.domain.approval import Hold
from interlock.domain.change import Change
from interlock.domain.deadline import Overdue, Terms
from interlock.domain.duration import DAY, HOUR, MINUTE
from interlock.domain.errors import IllegalMove, IntegrityError, NotAllowed, StoreError
from interlock.domain.ids import Person
from interlock.domain.on_call import DAYS, Rota, Shift
from interlock.domain.policy import Policy
from interlock.domain.routing import Routing
from interlock.domain.trails import latest_states
from interlock.testing.world import World, contract, permit
from tests.services.test_approvals import ask

pytestmark = pytest.mark.anyio

RITA, RIA, BO, ANA = Person("rita"), Person("ria"), Person("bo"), Person("ana")


async def world_with(
    *, escalate: tuple[str, ...] = ("boss",), overdue: Overdue | Literal[""] = "", faults: Faults | None = None
) -> World:
    """A world in which whatever is above ten asks a lead for half an hour, and then others."""
    world = World(faults=faults)
    world.people = {RITA: ("reviewer",), RIA: ("reviewer", "lead"), BO: ("boss",), ANA: ("boss", "lead")}
    policy, holds = ask(10, role="lead")
    terms = Terms(within_ms=30 * MINUTE, escalate=escalate, overdue=overdue)
    asking: Policy = msgspec.structs.replace(policy, terms=terms)
    await world.apply(contract(), rules=(permit(), (asking, holds)), budgets={"EUR": 100})
    return world


async def held(world: World, lasts_ms: int | None = None) -> Action:
    """One held action."""
    action = await world.propose(await world.task(lasts_ms=lasts_ms), n=50)
    assert action.state == "held"
    return action


async def phases(world: World, action: Action) -> list[str]:
    """What the log says of it, in order."""
    return [entry.phase for entry in await world.store.entries(0, 10_000) if entry.action == action.id]


def hold_of(action: Action) -> Hold:
    """What it is held for."""
    assert action.hold is not None
    return action.hold


@pytest.mark.proves("routing.walked")
async def test_each_step_comes_once_and_in_time_whoever_looks() -> None:
    """Two processes look all the time: reminded, reminded, gone on, reminded, reminded, over; each recorded once."""
    world = await world_with()
    action, other = await held(world), world.another("w2")
    for _ in range(61):
        await world.work()
        await world.work(other)
        world.clock.advance(MINUTE)
    await world.work(other)

    told = ["decided", "reminded", "reminded", "escalated", "reminded", "reminded", "expired"]
    assert await phases(world, action) == told
    after = await world.action(action)
    assert (after.state, after.entries, after.due_at) == ("expired", len(told), None)
    assert await world.reserved() == 0


@pytest.mark.proves("routing.walked")
async def test_what_was_slept_through_is_made_good_at_once() -> None:
    """Nothing ran for fifty minutes: it goes on to whom it should have, once, and nobody is reminded four times over."""
    world = await world_with()
    action = await held(world)
    world.clock.advance(50 * MINUTE)
    await world.work()

    assert await phases(world, action) == ["decided", "escalated"]
    assert hold_of(await world.action(action)).walked == 4
    world.clock.advance(DAY)
    await world.work()
    assert await phases(world, action) == ["decided", "escalated", "expired"]


@pytest.mark.proves("routing.widens")
async def test_who_comes_later_may_answer_from_then_on_and_not_before() -> None:
    """The next in the chain is refused until it is asked; then its word is enough, on what the first was shown."""
    world = await world_with()
    action = await held(world)
    with pytest.raises(NotAllowed, match="not asked here"):
        await world.plane.approvals.approve(action.id, BO)
    world.clock.advance(30 * MINUTE)
    await world.work()
    ready = await world.plane.approvals.approve(action.id, BO, view=hold_of(action).view)

    assert ready.state == "ready"
    await world.work()
    assert (await world.action(action)).state == "done"
    trails = latest_states(await world.store.entries(0, 10_000))
    assert (trails[action.id].state, trails[action.id].entries) == ("done", (await world.action(action)).entries)


@pytest.mark.proves("routing.widens")
async def test_going_on_takes_no_rule_away() -> None:
    """Whoever asked for it cannot answer as the next in the chain either, and the first who was asked still can."""
    world = await world_with()
    action = await held(world)
    world.clock.advance(30 * MINUTE)
    await world.work()

    with pytest.raises(NotAllowed, match="asked for this"):
        await world.plane.approvals.approve(action.id, ANA)
    assert (await world.plane.approvals.approve(action.id, RIA)).state == "ready"


@pytest.mark.proves("routing.widens")
async def test_other_arguments_are_asked_of_the_same_circle_within_the_same_time() -> None:
    """Whoever the question went on to may put other arguments, and one who was asked first still answers; no time is won."""
    world = await world_with()
    first, second = await held(world), await held(world)
    world.clock.advance(30 * MINUTE)
    await world.work()
    by_boss = await world.plane.approvals.modify(first.id, BO, {"n": 20})
    by_lead = await world.plane.approvals.modify(second.id, RIA, {"n": 30})

    assert (by_boss.state, by_lead.state) == ("ready", "ready")
    assert hold_of(by_boss).expires_at == hold_of(first).expires_at
    assert hold_of(by_boss).steps == hold_of(first).steps
    assert hold_of(by_boss).walked == 3
    await world.work()
    assert (await world.action(first)).state == "done"
    trails = latest_states(await world.store.entries(0, 10_000))
    assert trails[first.id].state == "done"


@pytest.mark.proves("routing.widens")
async def test_a_chain_that_was_changed_in_the_store_lets_nobody_answer() -> None:
    """Whom a question goes on to is bound into it: another chain under it is found before a word on it counts."""
    world = await world_with()
    action = await held(world)
    hold = hold_of(action)
    steps = tuple(
        msgspec.structs.replace(step, role="lead" if step.role == "boss" else step.role) for step in hold.steps
    )
    changed = msgspec.structs.replace(hold, steps=steps)
    await world.store.commit(Change(puts=(msgspec.structs.replace(action, hold=changed),)))

    with pytest.raises(IntegrityError, match="altered"):
        await world.plane.approvals.approve(action.id, RIA)


@pytest.mark.proves("routing.overdue")
async def test_what_is_parked_stays_open_and_is_late() -> None:
    """With `park` nothing is over when the time is: it is marked, its budget stays reserved, and a yes still counts."""
    world = await world_with(escalate=(), overdue="park")
    action, late = await held(world, lasts_ms=10 * HOUR), await held(world, lasts_ms=10 * HOUR)
    world.clock.advance(HOUR)
    await world.work()

    assert hold_of(await world.action(action)).overdue
    assert (await phases(world, action))[-1] == "overdue"
    assert (await world.plane.approvals.approve(action.id, RIA)).state == "ready"
    world.clock.advance(9 * HOUR)
    await world.work()
    assert (await world.action(late)).state == "expired"
    with pytest.raises(IllegalMove):
        await world.plane.approvals.approve(late.id, RIA)


async def test_hours_on_call_are_those_that_are_in_force() -> None:
    """A deadline on call passes in the hours of the role that is asked, as the rota in force says them."""
    world = World()
    world.people |= {RIA: ("reviewer", "lead")}
    begins = (world.clock.now() // MINUTE + 120) % 1440  # on call for an hour a day, from two hours from now on
    rota = Rota(shifts=(Shift(days=DAYS, begins=begins, ends=(begins + 60) % 1440),))
    policy, holds = ask(10, role="lead")
    asking = msgspec.structs.replace(policy, terms=Terms(within_ms=30 * MINUTE, on_call=True))
    await world.apply(contract(), rules=(permit(), (asking, holds)), routing=Routing(on_call={"lead": rota}))
    action = await held(world, lasts_ms=DAY)

    left = hold_of(action).expires_at - world.clock.now()
    assert 149 * MINUTE <= left <= 150 * MINUTE


@pytest.mark.parametrize("fault", ["stored", "not stored"])
@pytest.mark.proves("routing.walked")
async def test_a_step_whose_write_fails_is_taken_once(fault: Fault) -> None:
    """Stored or not, whichever write fails: the next who looks goes on from what is there."""
    for nth in (1, 2):
        world = await world_with()
        action = await held(world)
        world.clock.advance(30 * MINUTE)
        world.store.faults.at[world.store.faults.writes + nth] = fault
        with contextlib.suppress(StoreError):
            await world.work()
        world.clock.advance(MINUTE)
        await world.work(world.another("survivor"))

        assert (nth, await phases(world, action)) == (nth, ["decided", "escalated"])


async def test_a_yes_and_a_step_at_the_same_time_are_both_kept() -> None:
    """A person answers while a worker holds what is due: the word counts, and the question is not asked of others."""
    world = await world_with()
    action = await held(world)
    world.clock.advance(30 * MINUTE)
    [claimed] = await world.plane.execution.claim(places=("",), limit=1)
    ready = await world.plane.approvals.approve(action.id, RIA)
    after = await world.plane.execution.drive(claimed)

    assert (ready.state, after.state) == ("ready", "ready")
    assert await phases(world, action) == ["decided", "approved"]
