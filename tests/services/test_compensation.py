"""Step 10: undoing, in reverse order, each undo an action of its own, nothing passed over in silence."""

import asyncio

import pytest

from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Blind, Contract, Keyed, Lookup, NoReversal, PythonTarget, Reversal
from interlock.domain.control import StopScope
from interlock.domain.duration import DAY
from interlock.domain.errors import IllegalMove, NotAllowed, NotFound
from interlock.domain.ids import ContractName, Person, UnwindId
from interlock.domain.policy import Policy
from interlock.domain.unwind import Unwind, UnwindScope
from interlock.services.plane import ControlPlane
from interlock.testing.parts import Crash, CrashAt, Target
from interlock.testing.world import World, contract, permit

pytestmark = pytest.mark.anyio

RUN, TAKEN = ("thing.put", "run"), ("thing.take", "run")
RITA = Person("rita")


async def finish(world: World, process: ControlPlane | None = None, rounds: int = 8) -> None:
    """Let a worker run until everything that settles by itself has settled."""
    for _ in range(rounds):
        await world.work(process)
        world.clock.advance(1_500)


async def request(world: World) -> Unwind:
    """The newest undo request."""
    return (await world.plane.compensation.requests())[0]


def taken(world: World) -> list[JsonValue]:
    """Make the undo note in which order it was called."""
    order: list[JsonValue] = []

    def take(arguments: dict[str, JsonValue], call: Call) -> Answer:
        order.append(arguments["n"])
        return Landed(arguments)

    world.effectors.on("thing.take", "run", take)
    return order


@pytest.mark.parametrize("scope", ["task", "release"])
@pytest.mark.proves("undo.reverse_order", "undo.scope_closed")
async def test_everything_in_a_scope_is_undone_in_reverse_order(scope: UnwindScope) -> None:
    """A task or a whole release is closed first, what waits is voided, and what was done is undone last first."""
    world = World()
    await world.apply(contract())
    order = taken(world)
    tasks = [await world.task(), await world.task()] if scope == "release" else [await world.task()]
    done = [await world.propose(tasks[n % len(tasks)], n=n) for n in range(5)]
    waiting = await world.propose(tasks[0], n=9, here=False)

    target = tasks[0].id if scope == "task" else tasks[0].release
    await world.plane.compensation.undo(scope, target, by="rita", why="wrong")
    assert (await world.propose(tasks[0])).state == "refused"
    await finish(world)

    assert order == [4, 3, 2, 1, 0]
    assert {(await world.action(each)).state for each in done} == {"undone"}
    assert (await world.action(waiting)).state == "voided"
    now = await request(world)
    assert (now.state, now.undone, now.remaining) == ("done", 5, 0)
    assert await world.reserved() == 0


@pytest.mark.proves("undo.gated")
async def test_each_undo_is_an_action_with_its_own_evidence() -> None:
    """The undo has its own id, decision and entries, names what it undoes, and is named by it."""
    world = World()
    await world.apply(contract())
    done = await world.propose(await world.task(), n=7)
    await world.plane.compensation.undo("action", done.id, by="rita", why="wrong")
    await finish(world)

    undone = await world.action(done)
    (undo,) = [each for each in await world.actions() if each.undoes == done.id]
    assert (undone.state, undone.undone_by) == ("undone", undo.id)
    assert (undo.state, undo.contract, undo.arguments) == ("done", "thing.take", {"n": 7})
    assert undo.decision is not None
    assert [each.phase for each in await world.store.entries_of(undo.id)] == ["decided", "dispatching", "outcome"]
    assert [each.phase for each in await world.store.entries_of(done.id)][-2:] == ["compensation", "compensation"]


@pytest.mark.proves("undo.blocks")
async def test_a_failed_undo_blocks_the_ones_before_it_until_a_person_retries() -> None:
    """What failed to be undone blocks everything earlier and says so; retried with success, the rest follows."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    first, second = await world.propose(task, n=1), await world.propose(task, n=2)
    world.effectors.say("thing.take", "run", Nothing("locked"), Nothing("still locked"), Landed(None))
    await world.plane.compensation.undo("task", task.id, by="rita", why="wrong")

    for _ in range(2):
        await finish(world)
        blocked = await request(world)
        assert (blocked.state, blocked.blocked_by) == ("blocked", second.id)
        assert (await world.action(second)).state == "undo_failed"
        assert (await world.action(first)).state == "done"
        await world.plane.compensation.retry(blocked.id, by="rita")
    await finish(world)

    assert [(await world.action(each)).state for each in (first, second)] == ["undone", "undone"]
    assert (await request(world)).state == "done"
    assert (await world.action(second)).undo_attempt == 3
    with pytest.raises(IllegalMove):
        await world.plane.compensation.retry((await request(world)).id, by="rita")


@pytest.mark.proves("undo.blocks")
async def test_an_unknown_undo_blocks_until_it_is_settled() -> None:
    """An undo that may have happened is settled by a person first; then the rest goes on."""
    world = World()
    take = contract("thing.take", idempotency=Blind(), reversal=NoReversal(why="an undo"))
    await world.apply(contract(), take)
    task = await world.task()
    first, second = await world.propose(task, n=1), await world.propose(task, n=2)
    world.effectors.say("thing.take", "run", Unsure("?"), Landed(None))
    await world.plane.compensation.undo("task", task.id, by="rita", why="wrong")
    await finish(world)
    blocked = await request(world)
    assert (blocked.state, blocked.blocked_by) == ("blocked", second.id)
    (undo,) = [each for each in await world.actions() if each.undoes == second.id]

    await world.plane.settling.settle(undo.id, RITA, "done", note="it is gone")
    assert (await world.action(second)).state == "undone"
    await world.plane.compensation.retry(blocked.id, by="rita")
    await finish(world)

    assert (await world.action(first)).state == "undone"
    assert world.effectors.calls[TAKEN] == 2


@pytest.mark.proves("undo.blocks")
@pytest.mark.parametrize("why", ["cannot be undone", "window", "leads nowhere", "does not fit"])
async def test_what_cannot_be_undone_blocks_and_says_why(why: str) -> None:
    """No reversal, a window that is over, a result that lacks what the undo needs, or breaks its contract."""
    cases: dict[str, Contract] = {
        "cannot be undone": contract(reversal=NoReversal(why="it was eaten"), effect="external"),
        "window": contract(
            reversal=Reversal(contract=ContractName("thing.take"), arguments={"n": "$args.n"}, within_ms=1)
        ),
        "leads nowhere": contract(
            reversal=Reversal(contract=ContractName("thing.take"), arguments={"n": "$result.id"})
        ),
        "does not fit": contract(reversal=Reversal(contract=ContractName("thing.take"), arguments={"n": "none"})),
    }
    world = World()
    await world.apply(cases[why])
    action = await world.propose(await world.task())
    if action.state == "held":
        await world.plane.approvals.approve(action.id, RITA)
        await finish(world)
    world.clock.advance(10)
    await world.plane.compensation.undo("action", action.id, by="rita", why="wrong")
    await finish(world)

    now = await request(world)
    assert (now.state, now.blocked_by) == ("blocked", action.id)
    said = {"window": "is over", "does not fit": "/n"}.get(why, why)
    assert said in now.blocked_why
    assert (await world.action(action)).state == "done"


@pytest.mark.proves("undo.window")
async def test_a_retry_after_the_window_is_refused() -> None:
    """The window in which an action can be undone holds for retries too."""
    world = World()
    back = Reversal(contract=ContractName("thing.take"), arguments={"n": "$args.n"}, within_ms=DAY)
    await world.apply(contract(reversal=back))
    action = await world.propose(await world.task())
    world.effectors.say("thing.take", "run", Nothing("locked"))
    await world.plane.compensation.undo("action", action.id, by="rita", why="wrong")
    await finish(world)
    world.clock.advance(DAY)

    with pytest.raises(IllegalMove, match="window"):
        await world.plane.compensation.retry((await request(world)).id, by="rita")
    assert world.effectors.calls[TAKEN] == 1


@pytest.mark.proves("undo.denied")
async def test_an_undo_that_policy_denies_or_a_person_rejects_is_visible() -> None:
    """Denied or rejected, the original says that its undo failed, and the request is blocked."""
    world = World()
    back = Reversal(contract=ContractName("thing.take"), arguments={"n": "$args.n"}, approver="lead")
    deny = Policy(id="no", effect="forbid", owner="pia", verdict="deny", reason="never this one")
    await world.apply(
        contract(reversal=back), rules=(permit(), (deny, lambda asked: asked.around.undo and asked.arguments["n"] == 1))
    )
    task = await world.task()
    denied, rejected = await world.propose(task, n=1), await world.propose(task, n=2)

    await world.plane.compensation.undo("action", denied.id, by="rita", why="wrong")
    await world.plane.compensation.undo("action", rejected.id, by="rita", why="wrong")
    await finish(world)
    (undo,) = [each for each in await world.actions() if each.undoes == rejected.id]
    assert (undo.state, (await world.action(rejected)).state) == ("held", "undoing")
    await world.plane.approvals.reject(undo.id, Person("ria"), note="no")
    await finish(world)

    assert [(await world.action(each)).state for each in (denied, rejected)] == ["undo_failed", "undo_failed"]
    assert {each.state for each in await world.plane.compensation.requests()} == {"blocked"}
    assert world.effectors.calls[TAKEN] == 0


@pytest.mark.proves("undo.approver")
async def test_the_reversals_own_approver_is_asked() -> None:
    """An undo whose reversal names an approver waits for that role; approved, it is counted as undone."""
    world = World()
    back = Reversal(contract=ContractName("thing.take"), arguments={"n": "$args.n"}, approver="lead")
    await world.apply(contract(reversal=back))
    action = await world.propose(await world.task())
    await world.plane.compensation.undo("action", action.id, by="rita", why="wrong")
    await finish(world)
    (undo,) = [each for each in await world.actions() if each.undoes]

    await world.plane.approvals.approve(undo.id, Person("ria"))
    await finish(world)

    now = await request(world)
    assert ((await world.action(action)).state, now.state, now.undone) == ("undone", "done", 1)


@pytest.mark.proves("undo.in_flight")
@pytest.mark.parametrize("scope", ["task", "release"])
@pytest.mark.parametrize("stopped", [False, True], ids=["", "stopped before"])
async def test_what_is_in_flight_is_undone_when_it_lands(scope: UnwindScope, stopped: bool) -> None:
    """An action whose process died in the call is settled by its key although its scope is closed, and then undone. A brake
    that a person pulled beside that holds the repeat, and so the undo, until it is lifted."""
    world = World()
    await world.apply(contract(idempotency=Keyed()))
    target = Target(world.effectors, contract(idempotency=Keyed()))
    task = await world.task()
    with pytest.raises(Crash):
        await world.propose_on(world.another("w0", CrashAt("execute.called")), task, key="k")
    if stopped:
        await world.plane.braking.stop("release", task.release, by="rita", why="odd")

    await world.plane.compensation.undo(scope, task.id if scope == "task" else task.release, by="rita", why="wrong")
    await world.work()
    assert (await request(world)).state == "running"
    await finish(world)
    if stopped and scope == "task":
        assert (await request(world)).state == "running"
        assert world.effectors.calls[RUN] == 1
        await world.plane.braking.resume("release", task.release, by="rita")
        await finish(world)

    action = await world.store.by_idempotency_key(world.agent, "k")
    assert action is not None
    assert (action.state, target.effects["k"], world.effectors.calls[TAKEN]) == ("undone", 1, 1)
    assert (await request(world)).state == "done"


@pytest.mark.proves("undo.in_flight")
async def test_what_a_machine_will_settle_is_waited_for_and_not_begun_anew() -> None:
    """An unknown action with a lookup is asked while its task is being undone; a no ends it, without another attempt."""
    world = World()
    thing = contract(idempotency=Lookup(), lookup=PythonTarget(target="world:ask"))
    await world.apply(thing)
    target = Target(world.effectors, thing)
    target.fail("before")
    task = await world.task()
    action = await world.propose(task)
    await world.plane.compensation.undo("task", task.id, by="rita", why="wrong")
    await finish(world)

    assert ((await world.action(action)).state, target.effects.total()) == ("failed", 0)
    assert (await request(world)).state == "done"


@pytest.mark.proves("undo.reverse_order")
async def test_the_order_is_that_of_the_effects_not_of_their_settling() -> None:
    """An early action that a person settled late is still undone after the later ones."""
    world = World()
    await world.apply(contract(idempotency=Blind()))
    order = taken(world)
    task = await world.task()
    world.effectors.say("thing.put", "run", Unsure("?"), Landed(None))
    early = await world.propose(task, n=1)
    world.clock.advance(10)
    await world.propose(task, n=2)
    world.clock.advance(10)
    await world.plane.settling.settle(early.id, RITA, "done", note="looked")

    await world.plane.compensation.undo("task", task.id, by="rita", why="wrong")
    await finish(world)

    assert order == [2, 1]


@pytest.mark.proves("undo.once")
async def test_two_requests_at_once_are_one() -> None:
    """Asked for twice, from two processes at the same time, a scope is undone once."""
    for scope in ("action", "task", "release"):
        world = World()
        await world.apply(contract())
        task = await world.task()
        action = await world.propose(task)
        name = {"action": action.id, "task": task.id, "release": task.release}[scope]
        planes = [world.plane, world.another("w2")]

        found = await asyncio.gather(*(each.compensation.undo(scope, name, by="rita", why="wrong") for each in planes))
        await asyncio.gather(*(each.compensation.advance(found[0]) for each in planes))
        await finish(world)

        assert found[0].id == found[1].id
        assert ((await world.action(action)).state, world.effectors.calls[TAKEN]) == ("undone", 1)


@pytest.mark.proves("undo.not_of_an_undo")
async def test_an_undo_is_not_undone() -> None:
    """An undo would be done again outside of budgets and stages: it is proposed anew instead."""
    world = World()
    take = contract("thing.take", reversal=Reversal(contract=ContractName("thing.put"), arguments={"n": "$args.n"}))
    await world.apply(contract(), take)
    action = await world.propose(await world.task())
    await world.plane.compensation.undo("action", action.id, by="rita", why="wrong")
    await finish(world)
    (undo,) = [each for each in await world.actions() if each.undoes]

    with pytest.raises(IllegalMove, match="itself an undo"):
        await world.plane.compensation.undo("action", undo.id, by="rita", why="back")


@pytest.mark.proves("undo.key")
async def test_an_agent_cannot_take_the_key_of_its_own_undo() -> None:
    """Whatever keys an agent uses, its actions can be undone."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    action = await world.propose(task)
    await world.propose(task, key=f"undo:{action.id}:1")

    await world.plane.compensation.undo("action", action.id, by="rita", why="wrong")
    await asyncio.wait_for(finish(world), 5)

    assert (await world.action(action)).state == "undone"


async def test_what_was_undone_before_is_not_counted_again() -> None:
    """A request counts what it undid, not what stood undone when it was asked."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    done = [await world.propose(task, n=n) for n in range(3)]
    await world.plane.compensation.undo("action", done[2].id, by="rita", why="wrong")
    await finish(world)

    asked = await world.plane.compensation.undo("task", task.id, by="rita", why="all wrong")
    await finish(world)

    after = await world.store.get(Unwind, asked.id)
    assert after is not None
    assert (after.state, after.undone) == ("done", 2)


@pytest.mark.proves("undo.asked")
async def test_only_people_ask_for_an_undo() -> None:
    """Somebody who is not among the people of the workspace, or holds no role there, can neither undo nor retry."""
    world = World()
    world.people[Person("noel")] = ()
    await world.apply(contract())
    action = await world.propose(await world.task())

    for who, words in (("stranger", "not among the people"), ("noel", "holds no role")):
        with pytest.raises(NotAllowed, match=words):
            await world.plane.compensation.undo("action", action.id, by=who, why="")
        with pytest.raises(NotAllowed, match=words):
            await world.plane.compensation.retry(UnwindId("any"), by=who)
    assert (await world.action(action)).state == "done"


@pytest.mark.parametrize(("why", "words"), [("", "what it did is undone"), ("odd", "what it did is undone: odd")])
async def test_the_brake_of_an_undone_release_says_what_it_is_for(why: str, words: str) -> None:
    """With a reason or without, whoever is refused afterwards reads a whole sentence."""
    world = World()
    await world.apply(contract())
    task = await world.task()

    await world.plane.compensation.undo("release", task.release, by="rita", why=why)

    (brake,) = await world.plane.braking.brakes()
    assert (brake.words.startswith("release:ag@"), brake.why) == (True, words)
    assert (await world.propose(task)).reasons[-1] == f"stopped: {words}"


@pytest.mark.proves("undo.asked")
async def test_what_cannot_be_asked_for() -> None:
    """There must be such an action, task or release, and an action must have been done."""
    world = World()
    await world.apply(contract())
    failed = await world.propose(await world.task(), n=-1)
    for scope in ("action", "task", "release"):
        with pytest.raises(NotFound):
            await world.plane.compensation.undo(scope, "nothing", by="rita", why="wrong")
    with pytest.raises(IllegalMove):
        await world.plane.compensation.undo("action", failed.id, by="rita", why="wrong")


@pytest.mark.proves("undo.brakes")
async def test_brakes_do_not_hold_undos() -> None:
    """With every brake pulled, what was done is still undone: that is what a brake is pulled for."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    action = await world.propose(task)
    brakes: list[tuple[StopScope, str]] = [("all", ""), ("agent", "ag"), ("contract", "thing.take")]
    for scope, name in brakes:
        await world.plane.braking.stop(scope, name, by="rita", why="halt")

    await world.plane.compensation.undo("task", task.id, by="rita", why="wrong")
    await finish(world)

    assert (await world.action(action)).state == "undone"


@pytest.mark.proves("undo.closed_task")
async def test_a_closed_task_that_is_undone_runs_nothing_more() -> None:
    """What waits in a closed task would still run; once the task is being undone it is voided."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    waiting = await world.propose(task, here=False)
    await world.plane.tasks.close(task)
    await world.plane.compensation.undo("task", task.id, by="rita", why="wrong")
    await finish(world)

    assert (await world.action(waiting)).state == "voided"
