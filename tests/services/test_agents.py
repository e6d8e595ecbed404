"""Whether an agent may act: who may say so, what it means for what is new, waits, runs and was done, and what a crash leaves."""

import asyncio
import contextlib

import anyio
import msgspec
import pytest

from interlock.adapters.memory import Fault, Faults
from interlock.domain.action import Action, State
from interlock.domain.agent import Agent, Owners
from interlock.domain.agent_state import MOVES, RETIRE_WITHIN_MS, AgentState, AgentWords, Move
from interlock.domain.call import Answer, Call, Landed
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import PythonTarget, TwoPhase
from interlock.domain.control import Control
from interlock.domain.duration import DAY
from interlock.domain.errors import IllegalMove, NotAllowed, NotFound, StoreError
from interlock.domain.ids import AgentName, Person
from interlock.domain.publishing import Publishing
from interlock.domain.task import Task
from interlock.services.agents import Moved
from interlock.services.plane import ControlPlane
from interlock.testing.world import World, contract, permit
from interlock.worker import Worker
from tests.services.shop import ASK, above_ten

pytestmark = pytest.mark.anyio

AG = AgentName("ag")
RITA, RIA, ANA, OLE, EVE = (Person(each) for each in ("rita", "ria", "ana", "ole", "eve"))
OWNERS = Owners(decision="rita", policy="lead", data="data", engineering="ana")


async def installed(*, faults: Faults | None = None) -> World:
    """A world in which what puts more than ten waits for a person; rita decides on `ag`, ole is an operator."""
    world = World(faults=faults)
    world.people |= {OLE: ("operator",), EVE: ("visitor",), Person("dot"): ("data",)}
    await world.apply(contract(), rules=(permit(), (ASK, above_ten)), owners=OWNERS)
    return world


async def say(world: World, move: Move, by: Person = RITA, plane: ControlPlane | None = None) -> Moved:
    """`by` says it of the agent."""
    return await (plane or world.plane).agents.move(AG, move, by=by, why="because")


async def brought(world: World, state: AgentState) -> None:
    """Bring the agent into a state."""
    if state == "suspended":
        await say(world, "suspend")
    if state == "retired":
        await say(world, "retire")
        await say(world, "retire", ANA)


async def state_of(world: World) -> AgentState:
    """How the agent stands in the store."""
    control = await world.store.get(Control, "control")
    assert control is not None
    return control.state_of(AG)


async def ended(world: World, action: Action) -> State:
    """How an action stands after some rounds of a worker."""
    for _ in range(3):
        await world.work()
        world.clock.advance(2_000)
    return (await world.action(action)).state


async def verified(world: World) -> list[str]:
    """The phases of what the log says of the standing orders, in order."""
    return [each.phase for each in await world.store.entries(0, 10_000) if not each.action]


# -- what each state means ---------------------------------------------------------------------------------------------


@pytest.mark.proves("registry.states")
@pytest.mark.parametrize(("state", "becomes"), [("active", "done"), ("suspended", "refused"), ("retired", "refused")])
async def test_what_is_new(state: AgentState, becomes: State) -> None:
    """What an agent proposes is decided as ever, or refused with the state it is in; and no task is opened for it."""
    world = await installed()
    task = await world.task()
    await brought(world, state)

    action = await world.propose(task, n=1)

    assert action.state == becomes
    if state == "active":
        return
    assert f"agent `ag` is {state}" in action.reasons
    with pytest.raises(NotAllowed, match=f"is {state}"):
        await world.task()


@pytest.mark.proves("registry.states")
@pytest.mark.parametrize(("state", "becomes"), [("active", "done"), ("suspended", "ready"), ("retired", "voided")])
async def test_what_is_about_to_run(state: AgentState, becomes: State) -> None:
    """What nobody has begun runs, waits as long as the agent is suspended, or is voided with what it reserved."""
    world = await installed()
    action = await world.propose(await world.task(), n=1, here=False)
    await brought(world, state)

    assert await ended(world, action) == becomes
    if state == "suspended":
        await say(world, "activate")
        assert await ended(world, action) == "done"
    assert await world.reserved() == 0


@pytest.mark.proves("registry.states")
@pytest.mark.parametrize(("state", "becomes"), [("active", "done"), ("suspended", "ready"), ("retired", "voided")])
async def test_what_waits_for_a_person(state: AgentState, becomes: State) -> None:
    """It can be agreed to while the agent is suspended, and runs once that is over; retired, it is voided for all."""
    world = await installed()
    action = await world.propose(await world.task(), n=11)
    assert action.state == "held"
    await brought(world, state)

    if state == "retired":
        with pytest.raises(IllegalMove):
            await world.plane.approvals.approve(action.id, RIA)
    else:
        await world.plane.approvals.approve(action.id, RIA)
    assert await ended(world, action) == becomes
    if state == "suspended":
        await say(world, "activate")
        assert await ended(world, action) == "done"


@pytest.mark.proves("registry.states")
@pytest.mark.parametrize("state", ["active", "suspended", "retired"])
async def test_what_was_done_can_be_undone(state: AgentState) -> None:
    """In every state: people ask for undos, not the agent."""
    world = await installed()
    action = await world.propose(await world.task(), n=1)
    await brought(world, state)

    request = await world.plane.compensation.undo("action", action.id, by="rita", why="w")
    request = await world.plane.compensation.advance(request)

    assert (request.state, (await world.action(action)).state) == ("done", "undone")


# -- who may -----------------------------------------------------------------------------------------------------------


@pytest.mark.proves("registry.who")
@pytest.mark.parametrize("person", [RITA, RIA, ANA, OLE, EVE, Person("dot"), Person("nobody")])
async def test_who_may_suspend_and_who_may_let_act_again(person: Person) -> None:
    """Any owner, as person or by role, and any operator may suspend; only the decision owner may end that."""
    world = await installed()

    may: dict[Move, set[Person]] = {"suspend": {RITA, RIA, ANA, OLE, Person("dot")}, "activate": {RITA}}
    for move, able in may.items():
        if move == "activate":
            await brought(world, "suspended")
        if person in able:
            assert (await say(world, move, person)).changed
        else:
            with pytest.raises(NotAllowed):
                await say(world, move, person)


@pytest.mark.proves("registry.who")
@pytest.mark.parametrize(("first", "second"), [(RITA, EVE), (EVE, RITA)])
async def test_it_takes_two_to_retire_and_one_of_them_decides(first: Person, second: Person) -> None:
    """In either order, and twice the same person is one; until then it acts as before."""
    world = await installed()

    one = await say(world, "retire", first)
    again = await say(world, "retire", first)
    assert (one.changed, bool(one.waits_for), again.changed, await state_of(world)) == (False, True, False, "active")
    assert (await world.propose(await world.task(), n=1)).state == "done"
    both = await say(world, "retire", second)

    assert (both.changed, both.state, await state_of(world)) == (True, "retired", "retired")
    for move in ("suspend", "activate"):
        with pytest.raises(IllegalMove, match="for good"):
            await say(world, move)
    assert not (await say(world, "retire", second)).changed


@pytest.mark.proves("registry.who")
async def test_two_who_do_not_decide_retire_nobody() -> None:
    """Without the decision owner it goes on waiting for exactly that word."""
    world = await installed()

    await say(world, "retire", EVE)
    found = await say(world, "retire", ANA)

    assert (found.changed, found.waits_for) == (False, "its decision owner, `rita`")
    assert await state_of(world) == "active"


@pytest.mark.proves("registry.who")
async def test_a_first_word_lapses() -> None:
    """After a week, when the agent was suspended since, and when whoever said it is nobody any more."""
    world = await installed()
    await say(world, "retire", EVE)
    world.clock.advance(RETIRE_WITHIN_MS + 1)
    assert (await say(world, "retire")).waits_for == "one other person"

    await say(world, "suspend", OLE)
    assert (await say(world, "retire", EVE)).waits_for == "its decision owner, `rita`"
    del world.people[EVE]
    await world.plane.registry.apply(world.definition(people=dict(world.people)), by="test")
    assert (await say(world, "retire")).waits_for == "one other person"
    assert await state_of(world) == "suspended"


async def test_only_of_an_agent_in_force() -> None:
    """A name that is none is told with the one that may be meant."""
    world = await installed()
    with pytest.raises(NotFound, match="`agg`") as told:
        await world.plane.agents.move(AgentName("agg"), "suspend", by=RITA, why="w")
    assert "`ag`" in told.value.next_step


def test_nothing_leads_out_of_retired() -> None:
    """The table of moves ends there."""
    assert {state for state, _ in MOVES} == {"active", "suspended"}


# -- what stays, and what is said --------------------------------------------------------------------------------------


@pytest.mark.proves("registry.stays")
@pytest.mark.parametrize("state", ["suspended", "retired"])
async def test_a_state_outlives_the_file(state: AgentState) -> None:
    """An agent that is taken out and comes back, as it was or as another version, is in the state it was left in; and
    nothing of a state is part of what people agreed to publish."""
    world = await installed()
    await brought(world, state)
    [agent] = world.definition().agents

    applied = await world.plane.registry.apply(world.definition(), by="test")
    assert not applied.changed
    await world.plane.registry.apply(world.definition(agents=()), by="test")
    assert await state_of(world) == state
    other = msgspec.structs.replace(agent, purpose="another")
    await world.plane.registry.apply(world.definition(agents=(other,)), by="test")

    assert await state_of(world) == state
    with pytest.raises(NotAllowed):
        await world.task()


@pytest.mark.proves("registry.stays")
async def test_two_publish_another_version_while_it_is_suspended() -> None:
    """What was proposed before it was suspended is agreed to afterwards: the other version is in force, and suspended; let act
    again, it acts as that version."""
    world = await installed()
    await world.plane.registry.apply(world.definition(publishing=Publishing(persons=2)), by="test")
    [agent] = world.definition().agents
    changed = msgspec.structs.replace(agent, purpose="another")
    definition = world.definition(publishing=Publishing(persons=2), agents=(changed,))
    proposed = await world.plane.publisher.publish(definition, by="rita")
    assert proposed.publication is not None

    await say(world, "suspend", OLE)
    after = await world.plane.consenting.accept(proposed.publication, RIA)

    assert (after.state, await state_of(world)) == ("published", "suspended")
    assert (await world.plane.agents.get(AG)).agent.purpose == "another"
    with pytest.raises(NotAllowed):
        await world.task()
    await say(world, "activate")
    assert (await world.propose(await world.task(), n=1)).state == "done"


@pytest.mark.proves("registry.states", "two_phase.abort")
@pytest.mark.parametrize(("move", "becomes"), [("suspend", "done"), ("retire", "voided")])
async def test_what_a_tool_has_reserved_when_its_agent_may_act_no_more(move: Move, becomes: State) -> None:
    """Suspended, it stays reserved and is committed once the agent may act again; retired, it is released. The tool is called
    for nothing else meanwhile."""
    world = World()
    phases = TwoPhase(prepare=PythonTarget(target="world:ask"), abort=PythonTarget(target="world:drop"))
    await world.apply(contract(two_phase=phases))
    other = world.another("w2")

    async def between(arguments: dict[str, JsonValue], call: Call) -> Answer:
        del arguments, call
        for person in (RITA, ANA)[: 1 if move == "suspend" else 2]:
            await say(world, move, person, other)
        return Landed("token")

    world.effectors.on("thing.put", "prepare", between)
    action = await world.propose(await world.task(), n=1)

    assert await ended(world, action) == ("prepared" if move == "suspend" else becomes)
    assert world.effectors.calls["thing.put", "run"] == 0
    if move == "suspend":
        await say(world, "activate")
        assert await ended(world, action) == becomes
    calls = world.effectors.calls
    assert (calls["thing.put", "prepare"], calls["thing.put", "abort"]) == (1, int(move == "retire"))
    assert await world.reserved() == 0


@pytest.mark.proves("registry.told")
async def test_every_change_is_in_the_log_and_says_who_and_why() -> None:
    """The entry says which agent and version and the state since; the words stand beside the orders, to be erased."""
    world = await installed()
    before = len(await verified(world))

    await say(world, "suspend", OLE)
    assert not (await say(world, "suspend", OLE)).changed
    await say(world, "activate")
    await brought(world, "retired")

    assert (await verified(world))[before:] == ["suspended", "activated", "retiring", "ended"]
    words = await world.store.all(AgentWords)
    assert [(each.move, each.state, each.by) for each in reversed(words)] == [
        ("suspend", "suspended", "ole"),
        ("activate", "active", "rita"),
        ("retire", "active", "rita"),
        ("retire", "retired", "ana"),
    ]


# -- crashes, faults, races --------------------------------------------------------------------------------------------


async def waiting(world: World) -> list[Action]:
    """One that waits for a person, and two that nobody has begun."""
    task = await world.task()
    return [await world.propose(task, n=11)] + [await world.propose(task, n=n, here=False) for n in (1, 2)]


@pytest.mark.proves("registry.crash")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_each_write_of_a_retirement_that_fails(fault: Fault) -> None:
    """Whichever write fails, and whether or not it was stored: it is retired or it is not; if it is, nothing of it runs,
    and the worker of another process voids what waits."""
    for nth in range(1, 6):
        world = await installed(faults=Faults())
        actions = await waiting(world)
        await say(world, "retire")
        world.store.faults.at[world.store.faults.writes + nth] = fault
        with contextlib.suppress(StoreError):
            await say(world, "retire", ANA)
        retired = await state_of(world) == "retired"
        assert retired or (nth, fault) == (1, "not stored")

        with anyio.fail_after(20):
            await Worker(world.another("survivor")).run(until_idle=True)

        states = [(await world.action(each)).state for each in actions]
        assert states == (["voided"] * 3 if retired else ["held", "done", "done"])
        assert await world.reserved() == (0 if retired else 1)


@pytest.mark.proves("registry.crash")
async def test_what_a_dead_process_left_waiting_is_agreed_to_by_nobody() -> None:
    """It died between retiring and voiding: whoever comes to approve is told, and the action is voided by that; whoever comes
    to run what is ready voids it instead."""
    world = await installed(faults=Faults())
    action, *ready = await waiting(world)
    await say(world, "retire")
    world.store.faults.at[world.store.faults.writes + 2] = "not stored"
    with pytest.raises(StoreError):
        await say(world, "retire", ANA)
    assert ((await world.action(action)).state, await state_of(world)) == ("held", "retired")

    with pytest.raises(IllegalMove, match="retired"):
        await world.plane.approvals.approve(action.id, RIA)
    assert (await world.action(action)).state == "voided"
    assert [await ended(world, each) for each in ready] == ["voided", "voided"]


@pytest.mark.proves("registry.suspended_at_once")
async def test_nothing_is_done_after_a_suspension_returned() -> None:
    """Four processes propose while a fifth suspends: what ends well was decided before; what comes after is refused."""
    world = await installed()
    planes = [world.another(f"p{n}") for n in range(4)]
    task = await world.task()
    late: list[Action] = []
    over = asyncio.Event()

    async def proposing(process: ControlPlane, task: Task) -> None:
        for n in range(40):
            began_after = over.is_set()
            action = await world.propose_on(process, task, n=1, key=f"{id(process)}:{n}")
            if began_after:
                late.append(action)
            await asyncio.sleep(0)

    async def suspending() -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        await say(world, "suspend", plane=world.another("fifth"))
        over.set()

    await asyncio.gather(suspending(), *(proposing(each, task) for each in planes))

    assert late
    assert {each.state for each in late} == {"refused"}
    assert {each.state for each in await world.actions()} == {"done", "refused"}


@pytest.mark.proves("registry.suspended_at_once")
async def test_two_first_words_at_once_are_two_words() -> None:
    """Two people who ask for it in the same moment have agreed with each other: it is retired once."""
    for _ in range(5):
        world = await installed()
        found = await asyncio.gather(
            say(world, "retire", RITA, world.another("a")), say(world, "retire", EVE, world.another("b"))
        )
        assert sorted(each.changed for each in found) == [False, True]
        assert await state_of(world) == "retired"


async def test_the_registry_says_how_each_agent_stands() -> None:
    """With its release, what was said last while it matters, owners who are gone, and every version it ever had."""
    world = await installed()
    await say(world, "retire", EVE)
    found = await world.plane.agents.get(AG)
    assert found.words is not None
    assert (found.state, found.words.by, found.absent) == ("active", "eve", {})

    del world.people[Person("dot")]
    [agent] = world.definition().agents
    other = msgspec.structs.replace(agent, purpose="another")
    await world.plane.registry.apply(world.definition(agents=(other,), people=dict(world.people)), by="test")
    world.clock.advance(8 * DAY)
    (listed,) = await world.plane.agents.all()
    versions: list[Agent] = await world.plane.agents.versions(AG)

    assert (listed.words, listed.absent, listed.agent.purpose) == (None, {"data": "data"}, "another")
    assert [each.purpose for each in versions] == ["another", "test"]
