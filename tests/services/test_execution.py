"""Steps 7 to 9: what may be repeated, what must be asked, what is left to a person, by idempotency class."""

import asyncio

import pytest

from interlock.domain.action import Action
from interlock.domain.breaker import PAUSE_MS, THRESHOLD
from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Blind, Conditional, Contract, Facts, Keyed, Lookup, PythonTarget, TwoPhase
from interlock.domain.duration import DAY, MINUTE
from interlock.domain.errors import Conflict, EffectorError
from interlock.domain.ids import ContractName, Person
from interlock.domain.policy import Policy
from interlock.domain.proposal import Proposal
from interlock.domain.settlement import MAX_ATTEMPTS
from interlock.ports.store import ActionQuery
from interlock.services.calling import NEVER_CALLED
from interlock.services.plane import ControlPlane
from interlock.testing.parts import Crash, CrashAt, Target
from interlock.testing.world import TIMING, World, contract, permit
from tests.services.packets import predicate_of

pytestmark = pytest.mark.anyio

RUN = ("thing.put", "run")
ASK = PythonTarget(target="world:ask")

CLASSES: dict[str, Contract] = {
    "keyed": contract(idempotency=Keyed()),
    "keyed, askable": contract(idempotency=Keyed(), lookup=ASK),
    "conditional": contract(idempotency=Conditional()),
    "conditional, askable": contract(idempotency=Conditional(), lookup=ASK),
    "lookup": contract(idempotency=Lookup(quarantine_ms=700), lookup=ASK),
    "blind": contract(idempotency=Blind()),
    "blind, askable": contract(idempotency=Blind(), lookup=ASK),
    "read": contract(effect="read", reversal=None, idempotency=Blind()),
}

# What becomes of one action whose first call goes as the column says and every later one well: state, effects.
# fmt: off
TABLE: dict[str, dict[str, tuple[str, int]]] = {
    #                        well         nothing        before          after
    "keyed":                {"well": ("done", 1), "nothing": ("failed", 0), "before": ("done", 1),    "after": ("done", 1)},
    "keyed, askable":       {"well": ("done", 1), "nothing": ("failed", 0), "before": ("done", 1),    "after": ("done", 1)},
    "conditional":          {"well": ("done", 1), "nothing": ("failed", 0), "before": ("done", 1),    "after": ("unknown", 1)},
    "conditional, askable": {"well": ("done", 1), "nothing": ("failed", 0), "before": ("done", 1),    "after": ("done", 1)},
    "lookup":               {"well": ("done", 1), "nothing": ("failed", 0), "before": ("done", 1),    "after": ("done", 1)},
    "blind":                {"well": ("done", 1), "nothing": ("failed", 0), "before": ("unknown", 0), "after": ("unknown", 1)},
    "blind, askable":       {"well": ("done", 1), "nothing": ("failed", 0), "before": ("failed", 0),  "after": ("done", 1)},
    "read":                 {"well": ("done", 1), "nothing": ("failed", 0), "before": ("done", 1),    "after": ("done", 2)},
}
# fmt: on


async def finish(world: World, process: ControlPlane | None = None, rounds: int = 12) -> None:
    """Let a worker run until everything that settles by itself has settled."""
    for _ in range(rounds):
        await world.work(process)
        world.clock.advance(1_500)


@pytest.mark.parametrize("way", ["well", "nothing", "before", "after"])
@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.proves("execution.by_class")
async def test_one_bad_call_of_each_class(name: str, way: str) -> None:
    """However the first call goes wrong, the end says what happened, and the effect is there once or not at all."""
    world = World()
    await world.apply(CLASSES[name])
    target = Target(world.effectors, CLASSES[name])
    target.fail(way)

    action = await world.propose(await world.task())
    await finish(world)

    assert ((await world.action(action)).state, target.effects.total()) == TABLE[name][way]


def lost(arguments: dict[str, JsonValue], call: Call) -> Answer:
    """A target whose code cannot be found."""
    del arguments, call
    raise EffectorError("`world` cannot be imported")


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.proves("execution.by_class")
async def test_a_tool_that_was_never_found_did_nothing(name: str) -> None:
    """On a first attempt a tool that cannot be imported is failed, at once and as our own word, whatever its class."""
    world = World()
    await world.apply(CLASSES[name], budgets={"calls": 10})
    world.effectors.on("thing.put", "run", lost)

    action = await world.propose(await world.task())

    assert (action.state, action.attempt) == ("failed", 1)
    assert action.outcome is not None
    assert (action.outcome.error, action.outcome.note) == ("`world` cannot be imported", NEVER_CALLED)
    assert (await world.reserved(), await world.spent()) == (0, 0)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.proves("execution.by_class", "execution.crash")
async def test_a_tool_that_is_lost_before_a_repeat_proves_nothing(name: str) -> None:
    """What died around its first call is not said to have failed because the second cannot find the tool."""
    world = World(steps=CrashAt("execute.called"))
    await world.apply(CLASSES[name])
    target = Target(world.effectors, CLASSES[name])
    with pytest.raises(Crash):
        await world.propose(await world.task())
    assert target.effects.total() == 1
    (action,) = await world.store.actions(ActionQuery())
    world.effectors.on("thing.put", "run", lost)

    world.clock.advance(60_000)
    await finish(world, world.another("calm"))

    after = await world.action(action)
    assert after.state != "failed" or not CLASSES[name].acts
    assert after.outcome is None or after.outcome.note != NEVER_CALLED


@pytest.mark.proves("two_phase.abort")
async def test_a_reservation_whose_tool_was_never_found_failed() -> None:
    """A two-phase tool that cannot be imported reserved nothing: there is nothing to release."""
    world = World()
    await world.apply(contract(two_phase=TwoPhase(prepare=ASK, abort=ASK)))
    world.effectors.on("thing.put", "prepare", lost)

    action = await world.propose(await world.task())
    await world.work()

    after = await world.action(action)
    assert (after.state, world.effectors.calls["thing.put", "abort"]) == ("failed", 0)
    assert after.outcome is not None
    assert after.outcome.note == NEVER_CALLED


@pytest.mark.parametrize("step", ["propose.recorded", "execute.called"])
@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.proves("execution.by_class", "execution.crash")
async def test_a_process_that_dies_around_the_call(name: str, step: str) -> None:
    """Dead before or after the call: another process settles it exactly as an answer that never came."""
    world = World(steps=CrashAt(step))
    await world.apply(CLASSES[name])
    target = Target(world.effectors, CLASSES[name])

    with pytest.raises(Crash):
        await world.propose(await world.task(), key="k")
    survivor = world.another("w2")
    await finish(world, survivor)

    action = await world.store.by_idempotency_key(world.agent, "k")
    assert action is not None
    way = "before" if step == "propose.recorded" else "after"
    assert (action.state, target.effects.total()) == TABLE[name][way]


@pytest.mark.proves("execution.blind_once")
async def test_a_blind_call_is_made_once() -> None:
    """A blind action is attempted once; ambiguous, it is unknown until somebody says what happened."""
    world = World()
    await world.apply(CLASSES["blind"])
    target = Target(world.effectors, CLASSES["blind"])
    target.fail("after")

    action = await world.propose(await world.task())
    await finish(world)
    assert world.effectors.calls[RUN] == 1
    assert (await world.action(action)).state == "unknown"

    settled = await world.plane.settling.settle(action.id, Person("rita"), "done", result={"n": 1}, note="saw it")
    assert settled.state == "done"
    assert settled.outcome is not None
    assert settled.outcome.by == "person"


@pytest.mark.proves("execution.quarantine")
async def test_a_no_counts_only_when_nothing_can_land_any_more() -> None:
    """The lookup is not even asked before timeout, lease, skew and quarantine are over; then a no permits one more call."""
    world = World()
    thing = CLASSES["lookup"]
    await world.apply(thing)
    target = Target(world.effectors, thing)
    target.fail("before")
    action = await world.propose(await world.task())
    quiet = world.clock.now() + thing.timeout_ms + TIMING.lease(thing) + TIMING.skew_ms + 700

    while world.clock.now() < quiet:
        await world.work()
        assert (world.effectors.calls["thing.put", "lookup"], world.effectors.calls[RUN]) == (0, 1)
        world.clock.advance(50)
    await world.work()

    assert (await world.action(action)).state == "done"
    assert (world.effectors.calls["thing.put", "lookup"], world.effectors.calls[RUN]) == (1, 2)


@pytest.mark.proves("execution.quarantine")
async def test_a_late_landing_inside_the_quarantine_is_found() -> None:
    """A first attempt that lands after its process died, but before nothing can land any more, is not doubled."""
    world = World()
    thing = CLASSES["lookup"]
    await world.apply(thing)
    target = Target(world.effectors, thing)
    target.fail("before")
    action = await world.propose(await world.task(), key="k")

    await world.work()
    world.clock.advance(thing.timeout_ms + TIMING.lease(thing) - 1)
    await world.work()
    target.effects["k"] += 1
    target.results["k"] = {"n": 1}
    await finish(world)

    assert ((await world.action(action)).state, target.effects["k"]) == ("done", 1)


@pytest.mark.proves("execution.retention")
async def test_a_key_is_not_trusted_for_longer_than_it_is_kept() -> None:
    """A keyed action is repeated within the target's retention and never after: then it is unknown."""
    world = World()
    thing = contract(idempotency=Keyed(retention_ms=MINUTE))
    await world.apply(thing)
    target = Target(world.effectors, thing)
    target.fail("after")
    steps = CrashAt("execute.called")
    with pytest.raises(Crash):
        await world.propose_on(world.another("w0", steps), await world.task(), key="k")
    world.clock.advance(MINUTE)
    await finish(world)

    action = await world.store.by_idempotency_key(world.agent, "k")
    assert action is not None
    assert (action.state, world.effectors.calls[RUN]) == ("unknown", 1)


@pytest.mark.proves("execution.retention")
async def test_a_process_that_oversleeps_its_backoff_does_not_repeat_too_late() -> None:
    """Stopped between two attempts until the key is forgotten, it settles anew instead of calling again."""
    world = World()
    thing = contract(idempotency=Keyed(retention_ms=MINUTE))
    await world.apply(thing)
    target = Target(world.effectors, thing)
    target.fail("after")
    world.clock.oversleeps = MINUTE

    action = await world.propose(await world.task())
    await finish(world)

    assert ((await world.action(action)).state, world.effectors.calls[RUN]) == ("unknown", 1)


@pytest.mark.proves("execution.attempts")
@pytest.mark.parametrize(("name", "state"), [("keyed", "unknown"), ("read", "failed")])
async def test_attempts_are_counted(name: str, state: str) -> None:
    """After five ambiguous attempts no machine tries again; a read, which has nothing to lose, has failed."""
    world = World()
    await world.apply(CLASSES[name])
    world.effectors.say("thing.put", "run", Unsure("no answer"))
    task = await world.task()

    action = await world.propose(task)
    for _ in range(40):
        await world.work()
        world.clock.advance(PAUSE_MS)

    assert (await world.action(action)).state == state
    assert world.effectors.calls[RUN] == MAX_ATTEMPTS


@pytest.mark.proves("execution.refusal_of_a_repeat")
async def test_a_refused_repeat_says_nothing_of_the_first_attempt() -> None:
    """The first attempt landed without an answer, the repeat never reached the target: that is not `failed`."""
    world = World()
    await world.apply(CLASSES["keyed"])
    target = Target(world.effectors, CLASSES["keyed"])
    target.fail("after", "nothing")

    action = await world.propose(await world.task())
    await finish(world)

    assert ((await world.action(action)).state, target.effects.total()) == ("done", 1)


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [(Nothing("not prepared"), Unsure("?"), "unknown"), (Landed({"n": 1}), Unsure("?"), "done")],
    ids=["nothing", "landed"],
)
@pytest.mark.proves("execution.late_answer")
async def test_a_late_answer_speaks_for_its_own_attempt(first: Answer, second: Answer, state: str) -> None:
    """A first attempt that answers after others were made settles an unknown if it landed, and does not if it did not."""
    world = World()
    await world.apply(CLASSES["keyed"])
    resume, began = asyncio.Event(), asyncio.Event()

    async def slow(arguments: dict[str, JsonValue], call: Call) -> Answer:
        if call.attempt > 1:
            return second
        began.set()
        await resume.wait()
        return first

    world.effectors.on("thing.put", "run", slow)
    task = await world.task()
    zombie = asyncio.create_task(world.propose(task, key="k"))
    await began.wait()
    survivor = world.another("w2")
    for _ in range(40):
        world.clock.advance(PAUSE_MS)
        await world.work(survivor)
    assert (await only(world)).state == "unknown"
    resume.set()
    action = await zombie

    assert (action.state, (await world.action(action)).state) == (state, state)
    assert "outcome" in [entry.phase for entry in await world.store.entries_of(action.id)]


@pytest.mark.parametrize("name", ["keyed", "conditional, askable", "lookup", "blind", "blind, askable"])
@pytest.mark.proves("execution.zombie")
async def test_a_process_stopped_inside_the_call_and_woken_too_late(name: str) -> None:
    """Another process took over while the first was stopped after its effect: one effect, and both agree in the end."""
    world = World()
    thing = CLASSES[name]
    await world.apply(thing)
    target = Target(world.effectors, thing)
    resume, began = asyncio.Event(), asyncio.Event()

    async def stopped(arguments: dict[str, JsonValue], call: Call) -> Answer:
        answer = target.run(arguments, call)
        if call.attempt == 1:
            began.set()
            await resume.wait()
        return answer

    world.effectors.on("thing.put", "run", stopped)
    task = await world.task()
    zombie = asyncio.create_task(world.propose(task, key="k"))
    await began.wait()
    world.clock.advance(MINUTE)
    await finish(world, world.another("w2"))
    resume.set()
    action = await zombie
    await finish(world)

    assert ((await world.action(action)).state, target.effects["k"]) == ("done", 1)
    assert await world.reserved() == 0


@pytest.mark.proves("execution.lease")
async def test_a_lease_shorter_than_the_timeout_starts_no_call() -> None:
    """A process that was stopped between intent and call, so long that its lease cannot cover the call, does not call."""
    world = World()
    await world.apply(CLASSES["keyed"])
    asked = Proposal(task=await world.task(), contract=ContractName("thing.put"), arguments={"n": 1})
    action = await world.plane.gate.propose(asked)

    world.clock.advance(TIMING.lease_margin_ms)
    assert await world.plane.execution.drive(action) == action
    assert not world.effectors.calls

    world.clock.advance(CLASSES["keyed"].timeout_ms)
    await world.work(world.another("w2"))
    assert ((await world.action(action)).state, world.effectors.calls[RUN]) == ("done", 1)


@pytest.mark.proves("execution.postcondition")
@pytest.mark.parametrize(
    ("said", "state", "verified"),
    [(Landed(True), "done", True), (Landed(False), "unknown", False), (Unsure("?"), "done", None)],
    ids=["holds", "does not", "cannot be told"],
)
async def test_the_postcondition(said: Answer, state: str, verified: bool | None) -> None:
    """A postcondition that does not hold leaves it unknown for a person; one that cannot be asked verifies nothing."""
    world = World()
    await world.apply(contract(postcondition=PythonTarget(target="world:check")))
    world.effectors.say("thing.put", "postcondition", said)

    action = await world.propose(await world.task())

    assert action.outcome is not None
    assert (action.state, action.outcome.verified, action.outcome.result) == (state, verified, {"n": 1})
    await finish(world)
    assert world.effectors.calls[RUN] == 1


@pytest.mark.proves("execution.output")
async def test_a_result_that_breaks_its_promise_is_kept_and_said() -> None:
    """A result that does not fit the contract's output schema is recorded as it is, and as not verified."""
    world = World()
    await world.apply(contract(output_schema={"type": "object", "required": ["id"]}))

    action = await world.propose(await world.task())

    assert action.outcome is not None
    assert (action.state, action.outcome.verified) == ("done", False)
    assert "/id" in action.outcome.note


@pytest.mark.proves("execution.output")
@pytest.mark.parametrize("result", [0.5, "x" * 2_000_000, "\u0000", {"é": [None]}], ids=["float", "long", "nul", "key"])
async def test_any_result_can_be_recorded(result: JsonValue) -> None:
    """Whatever a tool returns that JSON can write, what happened is recorded."""
    world = World()
    await world.apply(contract())
    world.effectors.say("thing.put", "run", Landed(result))

    assert (await world.propose(await world.task())).state == "done"


# -- the breaker -----------------------------------------------------------------------------------------------


@pytest.mark.proves("execution.breaker")
async def test_the_breaker_opens_tries_again_and_closes() -> None:
    """Ten unclear answers in a row stop the contract for all processes, on record; after the pause one call is the trial."""
    world = World()
    await world.apply(contract(idempotency=Blind()), contract("thing.other"), runtime=None)
    world.effectors.say("thing.put", "run", Unsure("no answer"))
    task, other = await world.task(), world.another("w2")
    before = len(await world.store.entries(0, 10_000))

    states = [(await world.propose(task, n=n)).state for n in range(THRESHOLD + 1)]
    assert states == ["unknown"] * THRESHOLD + ["refused"]
    assert (await world.propose_on(other, task, n=77)).state == "refused"
    assert (await world.propose(task, "thing.other")).state == "done"
    assert "stopped" in [entry.phase for entry in (await world.store.entries(before, 10_000))]

    world.clock.advance(PAUSE_MS)
    assert [(await world.propose(task, n=n)).state for n in (90, 91)] == ["unknown", "refused"]

    world.clock.advance(2 * PAUSE_MS)
    world.effectors.say("thing.put", "run", Landed({}))
    assert [(await world.propose(task, n=n)).state for n in (95, 96)] == ["done", "done"]


# -- before dispatch, once more --------------------------------------------------------------------------------


@pytest.mark.proves("dispatch.checked_again")
async def test_what_was_cleared_is_decided_again_before_it_runs() -> None:
    """A bundle that denies, published after an action was cleared and before it ran, denies it."""
    world = World()
    await world.apply(contract())
    action = await world.propose(await world.task(), here=False)
    deny = Policy(id="no", effect="forbid", owner="pia", verdict="deny", reason="not any more")
    await world.apply(contract(), rules=(permit(), (deny, lambda _: True)), bundle="b2")

    await world.work()

    assert (await world.action(action)).state == "denied"
    assert not world.effectors.calls


@pytest.mark.proves("dispatch.checked_again")
async def test_what_waits_in_a_closed_task_goes_on_waiting() -> None:
    """Closing a task stops new actions only: what was cleared in it still runs, what its undo voided does not."""
    world = World()
    await world.apply(contract())
    closed, undone = await world.task(), await world.task()
    kept, voided = await world.propose(closed, here=False), await world.propose(undone, here=False)

    await world.plane.tasks.close(closed)
    await world.plane.compensation.undo("task", undone.id, by="rita", why="wrong")
    await finish(world)

    assert [(await world.action(each)).state for each in (kept, voided)] == ["done", "voided"]


@pytest.mark.proves("dispatch.checked_again")
async def test_what_waits_in_an_expired_task_expires() -> None:
    """A cleared action whose task's time is over does not run."""
    world = World()
    await world.apply(contract())
    action = await world.propose(await world.task(lasts_ms=10), here=False)

    world.clock.advance(10)
    await world.work()

    assert (await world.action(action)).state == "expired"


@pytest.mark.proves("dispatch.checked_again")
async def test_a_first_effect_after_a_no_is_checked_like_any_first_effect() -> None:
    """The lookup said that nothing happened; meanwhile policy changed its mind: it is not tried again."""
    world = World()
    await world.apply(CLASSES["lookup"])
    target = Target(world.effectors, CLASSES["lookup"])
    target.fail("before")
    action = await world.propose(await world.task())
    deny = Policy(id="no", effect="forbid", owner="pia", verdict="deny", reason="not any more")
    await world.apply(CLASSES["lookup"], rules=(permit(), (deny, lambda _: True)), bundle="b2")

    await finish(world)

    assert ((await world.action(action)).state, target.effects.total()) == ("failed", 0)
    assert await world.reserved() == 0


@pytest.mark.proves("dispatch.orders_change")
async def test_orders_that_change_during_dispatch_cost_nothing() -> None:
    """A change of the standing orders between the check and the intent is noticed, and the check made again at once."""
    world = World()
    facts = Facts(source=PythonTarget(target="world:facts"), schema={})
    await world.apply(contract(facts=facts), contract("thing.other"))
    action = await world.propose(await world.task(), here=False)
    calm = world.another("w2")

    async def meddle(arguments: dict[str, JsonValue], call: Call) -> Answer:
        if world.effectors.calls["thing.put", "facts"] == 2:
            await calm.braking.stop("contract", "thing.other", by="rita", why="something else")
        return Landed({})

    world.effectors.on("thing.put", "facts", meddle)
    await world.work()

    assert ((await world.action(action)).state, world.effectors.calls[RUN]) == ("done", 1)
    assert world.effectors.calls["thing.put", "facts"] == 3


# -- two phases ------------------------------------------------------------------------------------------------

PHASES = TwoPhase(prepare=PythonTarget(target="world:prepare"), abort=PythonTarget(target="world:abort"))


def roles(world: World) -> dict[str, int]:
    """How often each role was called."""
    return {role: count for (_, role), count in world.effectors.calls.items()}


@pytest.mark.proves("two_phase.order")
async def test_two_phases_prepare_then_commit() -> None:
    """It is prepared, then committed with what preparing gave, each once."""
    world = World()
    await world.apply(contract(two_phase=PHASES))
    world.effectors.say("thing.put", "prepare", Landed("token"))
    seen: list[JsonValue] = []

    def commit(arguments: dict[str, JsonValue], call: Call) -> Answer:
        seen.append(call.prepared)
        return Landed(arguments)

    world.effectors.on("thing.put", "run", commit)
    action = await world.propose(await world.task())
    await world.work()

    assert (await world.action(action)).state == "done"
    assert seen == ["token"]
    assert roles(world) == {"prepare": 1, "run": 1}


@pytest.mark.parametrize("how", ["brake", "task undone", "policy", "expired"])
@pytest.mark.proves("two_phase.abort")
async def test_what_may_no_longer_run_between_the_phases_is_released(how: str) -> None:
    """Brake, undo, policy and time are asked again between the phases; what was reserved is released, nothing is done."""
    world = World()
    await world.apply(contract(two_phase=PHASES))
    task = await world.task(lasts_ms=DAY)
    calm = world.another("w2")
    deny = Policy(id="no", effect="forbid", owner="pia", verdict="deny", reason="not any more")

    async def between(arguments: dict[str, JsonValue], call: Call) -> Answer:
        if how == "brake":
            await calm.braking.stop("all", by="rita", why="halt")
        elif how == "task undone":
            await calm.compensation.undo("task", task.id, by="rita", why="wrong")
        elif how == "policy":
            await world.apply(contract(two_phase=PHASES), rules=(permit(), (deny, lambda _: True)), bundle="b2")
        else:
            world.clock.advance(DAY)
        return Landed("token")

    world.effectors.on("thing.put", "prepare", between)
    action = await world.propose(task)
    await finish(world)

    assert (await world.action(action)).state == "voided"
    assert roles(world) == {"prepare": 1, "abort": 1}
    assert await world.reserved() == 0
    said = [predicate_of(entry.leaf) for entry in await world.store.entries_of(action.id)]
    assert said[-1]["effect"]["by"] == "gate", "it was never asked for, and nobody else's word is quoted"
    assert "effect" not in said[-1].get("fieldEvidence", {}).get("target-reported", [])


@pytest.mark.proves("two_phase.abort")
async def test_a_refused_repeat_of_prepare_releases_what_the_first_reserved() -> None:
    """A prepare that may have been made before and is now refused is aborted: the first may have taken the last piece."""
    world = World()
    await world.apply(contract(two_phase=PHASES))
    world.effectors.say("thing.put", "prepare", Unsure("?"), Nothing("none left"))

    action = await world.propose(await world.task())
    await finish(world)

    assert (await world.action(action)).state == "voided"
    assert roles(world) == {"prepare": 2, "abort": 1}


@pytest.mark.proves("two_phase.abort")
async def test_a_first_prepare_that_is_refused_has_failed() -> None:
    """Nothing was reserved, so nothing is released."""
    world = World()
    await world.apply(contract(two_phase=PHASES))
    world.effectors.say("thing.put", "prepare", Nothing("none left"))

    action = await world.propose(await world.task())
    await finish(world)

    assert (await world.action(action)).state == "failed"
    assert roles(world) == {"prepare": 1}


@pytest.mark.proves("two_phase.abort")
async def test_a_prepare_that_never_answers_is_given_up_and_an_abort_is_not() -> None:
    """After some attempts at preparing it is released; releasing is tried until it is answered."""
    world = World()
    await world.apply(contract(two_phase=PHASES))
    world.effectors.say("thing.put", "prepare", Unsure("?"))
    world.effectors.say("thing.put", "abort", *([Unsure("?")] * 6), Landed(None))

    action = await world.propose(await world.task())
    await finish(world, rounds=30)

    assert (await world.action(action)).state == "voided"
    assert roles(world)["abort"] == 7
    assert RUN not in world.effectors.calls


async def only(world: World) -> Action:
    """The one action there is."""
    (action,) = await world.actions()
    return action


async def test_an_old_copy_of_what_moved_on_is_no_forgery() -> None:
    """Who goes on with a copy of an action that somebody else has finished hears of a conflict, not of a store that was
    altered; nothing runs again."""
    world = World()
    await world.apply(contract())
    action = await world.propose(await world.task(), here=False)
    (old,) = await world.plane.execution.claim(places=("",), limit=1)
    await world.plane.execution.drive(old)

    with pytest.raises(Conflict, match="moved on"):
        await world.plane.execution._dispatch._unaltered(old, contract())
    assert (await world.action(action)).state == "done"
