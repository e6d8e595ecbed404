"""What is normal of an agent: learned from what it did, in force as everything else is, flagged as it is decided."""

import asyncio
from typing import Any

import msgspec
import pytest

from interlock.domain.action import Action
from interlock.domain.agent import Agent
from interlock.domain.baseline import LEAST_ACTIONS, Baseline, Unusual
from interlock.domain.change import Change
from interlock.domain.contract import Cost
from interlock.domain.control import Control
from interlock.domain.duration import DAY, HOUR
from interlock.domain.errors import NotAllowed, NotFound
from interlock.domain.ids import AgentName, ContractName, Person
from interlock.domain.ownership import Side, Worded, loosened
from interlock.domain.policy import Policy
from interlock.domain.publishing import Publishing
from interlock.domain.question import Question
from interlock.domain.task import Task
from interlock.services.plane import ControlPlane
from interlock.services.publishing import Applied
from interlock.testing.parts import Predicate
from interlock.testing.world import World, contract, permit
from tests.services.packets import predicate_of

pytestmark = pytest.mark.anyio

AG = AgentName("ag")
RITA, RIA = Person("rita"), Person("ria")
PUT = contract(touches={"box": "$args.n"}, cost=Cost(unit="EUR", amount="$args.n"))
OTHER = contract("thing.other", touches={"customer": "$args.n"})
ASK: tuple[Policy, Predicate] = (
    Policy(id="ask", effect="forbid", owner="pia", verdict="require_approval", approver="lead"),
    lambda question: bool(question.around.unusual),
)


async def installed(*rules: tuple[Policy, Predicate], publishing: Publishing | None = None) -> World:
    """A world in which `ag` has used `thing.put` a hundred times, for one EUR each."""
    world = World()
    await world.apply(PUT, OTHER, rules=(permit(), *rules), publishing=publishing)
    await act(world, LEAST_ACTIONS)
    return world


async def act(world: World, times: int, name: str = "thing.put") -> None:
    """Use a contract so often, in tasks that ask for the same ten times each."""
    for left in range(times, 0, -10):
        task = await world.task()
        for _ in range(min(left, 10)):
            assert (await world.propose(task, name)).state == "done"


async def learn(world: World, plane: ControlPlane | None = None, by: str = "rita") -> Applied:
    """Put all that `ag` did in force as normal."""
    return await (plane or world.plane).baselines.learn(AG, since_at=0, by=by)


async def in_force(world: World) -> str | None:
    """The digest of what is normal of `ag`, as stored."""
    control = await world.store.get(Control, "control")
    assert control is not None
    return control.baselines.get(AG)


def unusual(action: Action) -> tuple[Unusual, ...]:
    """In what it departed."""
    assert action.asked is not None
    return action.asked.unusual


async def said(world: World, action: Action) -> list[Any]:
    """What the entries of an action say was unusual, read strictly."""
    entries = await world.store.entries_of(action.id)
    told = [predicate_of(each.leaf).get("decision", {}).get("unusual") for each in entries]
    return [each for each in told if each is not None]


@pytest.mark.proves("baseline.flags")
async def test_what_departs_is_flagged_as_it_is_decided() -> None:
    """Before anything was put in force nothing is; then another contract, which touches another kind of record, and far more
    money are: with the action, in its entry, and for policies."""
    world = await installed()
    task = await world.task()
    strange = await world.propose(task, "thing.other", n=1)
    assert (unusual(strange), await said(world, strange)) == ((), [])

    world = await installed(ASK)
    assert (await learn(world)).changed
    task = await world.task()
    found = [await world.propose(task, n=2), await world.propose(task, n=3), await world.propose(task, "thing.other")]

    assert [unusual(each) for each in found] == [(), ("amount",), ("contract", "record")]
    assert [each.state for each in found] == ["done", "held", "held"]
    assert [await said(world, each) for each in found] == [[], [["amount"]], [["contract", "record"]]]


@pytest.mark.proves("baseline.people")
async def test_two_persons_say_what_is_normal_where_two_publish() -> None:
    """One proposes and it is as before; with the other's yes it is in force in every process, and the log says which. To have
    nothing as normal again takes the same two, and nobody unknown is one of them."""
    world = await installed(publishing=Publishing(persons=2))
    other = world.another("w2")
    await other.orders.refresh()

    with pytest.raises(NotAllowed):
        await learn(world, by="nobody")
    first, again = await learn(world), await learn(world)
    assert (first.changed, first.waits_for, again.proposed_before) == (False, "1 more person", "rita")
    assert await in_force(world) is None
    assert first.publication is not None
    with pytest.raises(NotAllowed):
        await world.plane.consenting.accept(first.publication, RITA)
    publication = await world.plane.consenting.accept(first.publication, RIA)

    assert publication.changes == ("baseline `ag` added",)
    assert unusual(await world.propose_on(other, await world.task(), "thing.other")) == ("contract", "record")
    entries = [predicate_of(each.leaf) for each in await world.store.entries(0, 10_000) if not each.action]
    assert [each["baselines"] for each in entries if each.get("baselines")] == [{"ag": await in_force(world)}] * 3

    taken = await world.plane.baselines.forget(AG, by="ria")
    assert taken.publication is not None
    await world.plane.consenting.accept(taken.publication, RITA)
    assert await in_force(world) is None
    assert unusual(await world.propose(await world.task(), "thing.other")) == ()
    with pytest.raises(NotFound):
        await world.plane.baselines.forget(AG, by="ria")


@pytest.mark.proves("baseline.stays")
async def test_it_stays_until_another_is_learned_or_the_agent_goes() -> None:
    """Whatever else is published; an agent that is taken out and comes back has to be learned again."""
    world = await installed()
    await learn(world)
    first = await in_force(world)
    [agent] = world.definition().agents

    assert not (await world.plane.registry.apply(world.definition(), by="test")).changed
    changed = world.definition(agents=(msgspec.structs.replace(agent, purpose="another"),))
    await world.plane.registry.apply(changed, by="test")
    assert await in_force(world) == first is not None
    await act(world, LEAST_ACTIONS, "thing.other")
    await learn(world)
    assert await in_force(world) != first
    assert unusual(await world.propose(await world.task(), "thing.other")) == ()

    await world.plane.registry.apply(world.definition(agents=()), by="test")
    assert await in_force(world) is None
    await world.plane.registry.apply(world.definition(), by="test")
    assert await in_force(world) is None


@pytest.mark.proves("baseline.enough")
async def test_of_too_little_nothing_is_flagged() -> None:
    """Ninety-nine actions say nothing about contracts; whoever looks is told so, and what a hundred would say."""
    world = World()
    await world.apply(PUT, OTHER)
    with pytest.raises(NotFound, match="did nothing"):
        await learn(world)
    await act(world, LEAST_ACTIONS - 1)
    await learn(world)

    assert unusual(await world.propose(await world.task(), "thing.other")) == ()
    looked = await world.plane.baselines.look(AG, since_at=0)
    assert looked.in_force is not None
    assert looked.in_force.unready()["contract"] == "99 of 100 actions"
    assert looked.learned.unready().keys() == {"hour", "rate"}


@pytest.mark.proves("baseline.let_through")
async def test_what_was_kept_back_and_what_people_undid_is_not_learned() -> None:
    """A contract that was only ever denied, held or refused is new all the same; an undo is no work of the agent's."""
    no: tuple[Policy, Predicate] = (
        Policy(id="no", effect="forbid", owner="pia", verdict="deny"),
        lambda question: question.contract == "thing.other",
    )
    world = await installed(no)
    task = await world.task()
    for _ in range(10):
        assert (await world.propose(task, "thing.other")).state == "denied"
    await world.propose(task, n="no number")
    done = await world.propose(task)
    await world.plane.compensation.advance(await world.plane.compensation.undo("action", done.id, by="rita", why="w"))

    looked = await world.plane.baselines.look(AG, since_at=0)
    assert looked.learned.contracts == {"thing.put": LEAST_ACTIONS + 1}
    assert (looked.learned.busiest, looked.backtest.actions) == (LEAST_ACTIONS + 11, 46)


async def paced(world: World) -> Task:
    """Let `ag` act once in each of twenty hours, and make that normal."""
    for _ in range(20):
        world.clock.advance(HOUR)
        await world.propose(await world.task())
    await world.plane.baselines.learn(AG, since_at=world.clock.now() - 19 * HOUR, by="rita")
    world.clock.advance(HOUR)
    return await world.task()


@pytest.mark.proves("baseline.pace")
async def test_a_process_flags_what_it_alone_decided_too_fast() -> None:
    """Twice the busiest hour is let pass, the next is flagged until the hour is over; what was refused unasked does not count,
    and what other processes did only whoever looks is told."""
    world = await installed()
    task, other = await paced(world), world.another("w2")

    await world.propose(task, n="no number")
    found = [unusual(await world.propose(task)) for _ in range(3)]
    beside = [unusual(await world.propose_on(other, task)) for _ in range(2)]
    assert (found, beside) == ([(), (), ("rate",)], [(), ()])
    began = world.clock.now() // HOUR * HOUR
    assert (await world.plane.baselines.look(AG, since_at=began)).rushes == {began: 5}

    world.clock.advance(HOUR)
    assert unusual(await world.propose(await world.task())) == ()


@pytest.mark.proves("baseline.first")
async def test_what_was_unusual_when_it_was_proposed_stays_so() -> None:
    """Agreed to in the middle of the night, what was usual is not flagged for that; and learned anew meanwhile, what was
    unusual is asked about as it was."""
    at_night: list[Question] = []

    def seen(question: Question) -> bool:
        at_night.append(question)
        return True

    lead = Policy(id="lead", effect="forbid", owner="pia", verdict="require_approval", approver="lead")
    world = World()
    await world.apply(PUT, OTHER, rules=(permit(), (lead, seen)))
    control = (await world.plane.orders.refresh()).control
    days = Baseline(
        agent=AG, since_at=0, until_at=1, contracts={ContractName("thing.other"): 500}, days=30, hours=(1, *([0] * 23))
    )
    await world.store.commit(_put(days, control))
    await world.plane.orders.refresh()
    task = await world.task()
    action = await world.propose(task)
    assert (action.state, unusual(action)) == ("held", ("contract", "record"))

    world.clock.advance(12 * HOUR)
    await world.plane.baselines.forget(AG, by="rita")
    await world.plane.approvals.approve(action.id, RIA)
    await world.work()
    assert (await world.action(action)).state == "done"
    assert at_night[-1].around.unusual == ("contract", "record")


def _put(baseline: Baseline, control: Control) -> Change:
    return Change(puts=(baseline, msgspec.structs.replace(control, baselines={AG: baseline.digest})))


async def test_whoever_learns_while_others_decide() -> None:
    """Two learn and four propose at once: each decision leans on what was in force in that very commit."""
    world = await installed()
    planes = [world.another(f"p{n}") for n in range(4)]
    for plane in planes:
        await plane.orders.refresh()

    async def proposing(process: ControlPlane) -> list[Action]:
        task = await world.task()
        return [await world.propose_on(process, task, "thing.other") for _ in range(10)]

    found, _, _ = await asyncio.gather(
        asyncio.gather(*(proposing(each) for each in planes)),
        learn(world, world.another("a")),
        learn(world, world.another("b")),
    )

    moments = [predicate_of(each.leaf) for each in await world.store.entries(0, 10_000)]
    since = next(place for place, each in enumerate(moments) if each.get("baselines"))
    first = {each["actionId"]: place for place, each in reversed([*enumerate(moments)]) if each.get("actionId")}
    actions = [each for some in found for each in some]
    assert len(actions) == 40
    assert all(bool(unusual(each)) == (first[each.id] > since) for each in actions)


@pytest.mark.proves("baseline.owners")
def test_another_baseline_loosens_what_a_policy_asks_of_the_unusual() -> None:
    """Where a policy on a grave contract looks at what is unusual its owner agrees; where none looks nobody need."""

    def side(baseline: Baseline | None, *, looks: bool) -> Side:
        policy = Worded(text="-", policy=permit()[0], contracts=frozenset({PUT.name}), unusual=looks)
        return Side(
            agents={AG: Agent(name=AG, purpose="test", capabilities=(PUT.name,))},
            contracts={PUT.name: contract(risk="high")},
            policies={"all": policy},
            people={},
            publishing=Publishing(owners=True),
            baselines={} if baseline is None else {AG: baseline},
        )

    one = Baseline(agent=AG, since_at=0, until_at=DAY)
    assert loosened(side(None, looks=True), side(one, looks=True)) == {
        "thing.put": ("policy `all` looks at what is unusual, and the baseline of `ag` is another",)
    }
    assert loosened(side(one, looks=True), side(one.saved(), looks=True)) == {}
    assert loosened(side(None, looks=False), side(one, looks=False)) == {}
