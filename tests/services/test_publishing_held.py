"""What waits for a person while other policies are published."""

import msgspec
import pytest

from interlock.domain.action import Action
from interlock.domain.call import Answer, Call, Landed
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Facts, PythonTarget
from interlock.domain.control import Control
from interlock.domain.errors import StaleView
from interlock.domain.ids import Person
from interlock.domain.policy import Policy
from interlock.domain.publishing import Publishing
from interlock.testing.parts import Predicate
from interlock.testing.world import World, contract, permit

pytestmark = pytest.mark.anyio

RITA, RIA = Person("rita"), Person("ria")
RUN = ("thing.put", "run")


def forbid(name: str, verdict: str, role: str = "") -> tuple[Policy, Predicate]:
    """A policy on everything."""
    said = {"id": name, "effect": "forbid", "owner": "pia", "verdict": verdict, "approver": role, "reason": name}
    return msgspec.convert(said, Policy), lambda _: True


ASK = forbid("ask", "require_approval", "reviewer")
LEAD = forbid("lead", "require_approval", "lead")
DENY = forbid("no", "deny")
FACTS = Facts(source=PythonTarget(target="world:facts"), schema={"type": "object"})


async def held() -> tuple[World, Action]:
    """Something that waits for a reviewer, where publishing takes two."""
    world = World()
    await world.apply(contract(facts=FACTS), rules=(permit(), ASK), publishing=Publishing(persons=2))
    action = await world.propose(await world.task(), n=50)
    assert action.state == "held"
    return world, action


async def bundle(world: World) -> str:
    """The bundle in force."""
    found = await world.store.get(Control, "control")
    assert found is not None
    return found.bundle


async def publish(world: World, *rules: tuple[Policy, Predicate], name: str = "b2") -> None:
    """Have two people put other policies in force, in a process of their own."""
    process = world.another("publisher")
    wanted = world.definition(policies=world.policies.register(name, permit(), *rules))
    applied = await process.publisher.publish(wanted, by="rita")
    assert applied.publication is not None
    await process.consenting.accept(applied.publication, RIA)


@pytest.mark.proves("publish.held", "approval.bound")
async def test_new_policies_deny_what_is_held() -> None:
    """A yes to it counts no more: it is denied, and says under which policies."""
    world, action = await held()
    await publish(world, DENY)

    with pytest.raises(StaleView):
        await world.plane.approvals.approve(action.id, RITA)

    now = await world.action(action)
    assert now.decision is not None
    assert (now.state, now.decision.because, now.decision.bundle) == ("denied", ("no",), await bundle(world))


@pytest.mark.proves("publish.held", "approval.bound")
async def test_new_policies_ask_others_about_what_is_held() -> None:
    """The reviewer's yes is void, and the lead is asked."""
    world, action = await held()
    await publish(world, LEAD)

    with pytest.raises(StaleView):
        await world.plane.approvals.approve(action.id, RITA)
    now = await world.action(action)
    assert now.hold is not None
    assert [need.role for need in now.hold.requirements] == ["lead"]
    assert (await world.plane.approvals.approve(action.id, RIA)).state == "ready"
    await world.work()
    assert ((await world.action(action)).state, world.effectors.calls[RUN]) == ("done", 1)


@pytest.mark.parametrize(
    ("rule", "state"), [(DENY, "denied"), (LEAD, "held"), (ASK, "done")], ids=["no", "lead", "same"]
)
@pytest.mark.proves("publish.held", "approval.bound")
async def test_a_yes_given_before_is_decided_again_at_dispatch(rule: tuple[Policy, Predicate], state: str) -> None:
    """What was agreed to and not begun is put to the policies now in force: denied, asked anew, or run."""
    world, action = await held()
    assert (await world.plane.approvals.approve(action.id, RITA)).state == "ready"
    await publish(world, rule)

    await world.work()

    now = await world.action(action)
    assert now.decision is not None
    assert (now.state, now.decision.bundle) == (state, await bundle(world))
    assert world.effectors.calls[RUN] == (1 if state == "done" else 0)


@pytest.mark.parametrize("first", [DENY, ASK], ids=["no", "yes"])
@pytest.mark.proves("publish.swap")
async def test_a_decision_that_is_overtaken_is_made_again(first: tuple[Policy, Predicate]) -> None:
    """Others are published between a worker's question and its answer, whatever that is: what is recorded was decided under
    those in force when it was."""
    world, action = await held()
    assert (await world.plane.approvals.approve(action.id, RITA)).state == "ready"
    await publish(world, first)
    overtaken: list[str] = []

    async def facts(arguments: dict[str, JsonValue], call: Call) -> Answer:
        if not overtaken:
            overtaken.append(call.action_id)
            await publish(world, LEAD, name="b3")
        return Landed({"n": arguments["n"]})

    world.effectors.on("thing.put", "facts", facts)
    await world.work()

    now = await world.action(action)
    assert now.decision is not None
    assert (overtaken, now.state, now.decision.bundle) == ([action.id], "held", await bundle(world))


@pytest.mark.proves("publish.swap")
async def test_a_no_to_what_is_held_that_is_overtaken_is_made_again() -> None:
    """The same where a person's yes has it decided again."""
    world, action = await held()
    await publish(world, DENY)
    overtaken: list[str] = []

    async def facts(arguments: dict[str, JsonValue], call: Call) -> Answer:
        if not overtaken:
            overtaken.append(call.action_id)
            await publish(world, LEAD, name="b3")
        return Landed({"n": arguments["n"]})

    world.effectors.on("thing.put", "facts", facts)
    with pytest.raises(StaleView):
        await world.plane.approvals.approve(action.id, RITA)

    now = await world.action(action)
    assert now.decision is not None
    assert (overtaken, now.state, now.decision.bundle) == ([action.id], "held", await bundle(world))


@pytest.mark.proves("publish.swap", "gate.capabilities")
async def test_a_capability_that_is_taken_away_is_gone_for_open_tasks() -> None:
    """Neither a task that was open before, nor what waits in it and is agreed to afterwards, may use it any more."""
    world = World()
    await world.apply(contract(facts=FACTS), contract("thing.mild"), rules=(permit(), ASK))
    task = await world.task()
    waiting = await world.propose(task)
    agent = world.definition().agents[0]
    less = msgspec.structs.replace(agent, capabilities=("thing.mild",))
    await world.plane.registry.apply(world.definition(agents=(less,)), by="rita")

    assert (await world.propose(task)).state == "denied"
    assert (await world.propose(task, "thing.mild")).state == "held"
    await world.plane.approvals.approve(waiting.id, RITA)
    await world.work()
    assert ((await world.action(waiting)).state, world.effectors.calls[RUN]) == ("denied", 0)
