"""However an action comes to its end, what its tool gave back is filtered before anybody gets it, and the evidence says so."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
import pytest

from interlock.adapters.memory.faults import Fault, Faults
from interlock.domain.action import Action
from interlock.domain.call import Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Blind, Contract, Facts, Lookup, NoReversal, PythonTarget, Reversal, TwoPhase
from interlock.domain.duration import MINUTE
from interlock.domain.errors import StoreError
from interlock.domain.filtering import committed, published
from interlock.domain.ids import Person
from interlock.domain.output import Output, Taken
from interlock.ports.effector import Role
from interlock.sdk.outcomes import plain_result
from interlock.testing.parts import Crash, CrashAt
from interlock.testing.world import World, contract, permit
from tests.services.packets import predicate_of, told
from tests.services.shop import ASK, above_ten
from tests.services.test_erasing import findings

pytestmark = pytest.mark.anyio

SECRET = "AKIA" + "IOSFODNN7EXAMPLE"
RAW: dict[str, JsonValue] = {"note": f"the key is {SECRET}", "n": 3}
CLEAN = {"note": "the key is [masked: aws-key]", "n": 3}
RESULT = {"type": "object", "properties": {"note": {"type": "string"}, "n": {"type": "integer"}}}
RITA = Person("rita")
PUT = contract(output_schema=RESULT)


async def world_of(used: Contract, **more: Any) -> World:
    """A world in which the tool gives back a secret, and people are asked above ten."""
    world = World(**more)
    await world.apply(used, rules=(permit(), (ASK, above_ten)))
    world.effectors.say(used.name, "run", Landed(RAW))
    return world


async def at_once(world: World) -> Action:
    """Proposed and run in the caller's process."""
    return await world.propose(await world.task())


async def by_a_worker(world: World) -> Action:
    """Proposed in one process, run in another."""
    action = await world.propose(await world.task(), here=False)
    await world.work(world.another("w2"))
    return action


async def approved(world: World) -> Action:
    """Held, agreed to, and run by a worker."""
    action = await world.propose(await world.task(), n=50)
    await world.plane.approvals.approve(action.id, RITA)
    await world.work()
    return action


async def modified(world: World) -> Action:
    """Held, changed by a person, and run."""
    action = await world.propose(await world.task(), n=50)
    await world.plane.approvals.modify(action.id, RITA, {"n": 5})
    await world.work()
    return action


async def looked_up(world: World) -> Action:
    """Unsure at first, then the lookup finds it."""
    world.effectors.say("thing.put", "run", Unsure("no answer"))
    world.effectors.say("thing.put", "lookup", Landed(RAW))
    action = await world.propose(await world.task())
    for _ in range(9):
        await world.work()
        world.clock.advance(MINUTE)
    return action


async def settled(world: World) -> Action:
    """Unknown, until a person says what came of it."""
    world.effectors.say("thing.put", "run", Unsure("no answer"))
    action = await world.propose(await world.task())
    await world.plane.settling.settle(action.id, RITA, "done", result=RAW, note="looked")
    return action


async def in_two_phases(world: World) -> Action:
    """Prepared, then committed."""
    world.effectors.say("thing.put", "prepare", Landed({"token": SECRET}))
    return await at_once(world)


async def doubted(world: World) -> Action:
    """The postcondition does not hold: it is unknown, with a result."""
    world.effectors.say("thing.put", "postcondition", Landed(False))
    return await at_once(world)


PHASES = TwoPhase(prepare=PythonTarget(target="w:p"), abort=PythonTarget(target="w:a"))
TARGET = PythonTarget(target="w:x")
WAYS: dict[str, tuple[Callable[[World], Awaitable[Action]], Contract]] = {
    "at once": (at_once, PUT),
    "by a worker": (by_a_worker, PUT),
    "approved": (approved, PUT),
    "modified": (modified, PUT),
    "looked up": (looked_up, contract(output_schema=RESULT, idempotency=Lookup(), lookup=TARGET)),
    "settled": (settled, contract(output_schema=RESULT, idempotency=Blind())),
    "in two phases": (in_two_phases, contract(output_schema=RESULT, two_phase=PHASES)),
    "doubted": (doubted, contract(output_schema=RESULT, postcondition=TARGET)),
}


async def everything_of(world: World, action: Action) -> str:
    """All that the store and the log hold of an action, and what is shown of it."""
    stored = await world.action(action)
    entries = await world.store.entries_of(action.id)
    said = [predicate_of(each.leaf) for each in entries] + [told(each) for each in entries]
    return repr((msgspec.to_builtins(msgspec.structs.replace(stored, prepared=None)), said))


@pytest.mark.proves("output.everywhere", "output.nowhere")
@pytest.mark.parametrize("way", WAYS)
async def test_no_way_leads_around_it(way: str) -> None:
    """Whoever ran it, and whoever said what came of it: the result is the filtered one, in store, log and hand."""
    run, used = WAYS[way]
    world = await world_of(used)

    action = await world.action(await run(world))

    assert action.outcome is not None
    assert plain_result(action) == action.outcome.result == CLEAN
    assert action.outcome.redaction is not None
    assert action.outcome.redaction.taken == (Taken(path="/note", kind="aws-key"),)
    assert SECRET not in await everything_of(world, action)
    assert await findings(world) == []


@pytest.mark.proves("output.everywhere")
async def test_a_repeat_is_given_what_the_first_was() -> None:
    """The same key, here or in another process: the same filtered result, and the tool is not called again."""
    world = await world_of(PUT)
    task = await world.task()
    first = await world.propose(task, key="k")
    calls = world.effectors.calls.total()

    for process in (world.plane, world.another("w2")):
        again = await world.propose_on(process, task, key="k")
        assert (again.id, plain_result(again)) == (first.id, CLEAN)
    assert world.effectors.calls.total() == calls


@pytest.mark.proves("output.secrets")
@pytest.mark.parametrize("role", ["run", "facts", "prepare"])
async def test_why_a_tool_failed_is_masked(role: str) -> None:
    """An error is read by agents, people and logs, whatever the tool was asked."""
    used = contract(two_phase=PHASES) if role == "prepare" else PUT
    if role == "facts":
        used = msgspec.structs.replace(PUT, facts=Facts(source=TARGET, schema={"type": "object"}))
    world = await world_of(used)
    world.effectors.say("thing.put", cast(Role, role), Nothing(f"cannot log in with {SECRET}"))

    action = await at_once(world)

    assert SECRET not in await everything_of(world, action)
    if role != "facts":
        assert action.outcome is not None
        assert action.outcome.error == "cannot log in with [masked: aws-key]"


@pytest.mark.proves("output.undo")
async def test_an_undo_reads_the_result_as_it_came_and_nobody_else_does() -> None:
    """Only where the reversal reads the result is it kept, out of every entry and of what is printed."""
    take = contract("thing.take", input_schema=STRING, reversal=NoReversal(why="it is an undo"))
    used = contract(
        output_schema=RESULT, reversal=Reversal(contract="thing.take", arguments={"n": 1, "note": "$result.note"})
    )
    world = World()
    await world.apply(used, take)
    world.effectors.say("thing.put", "run", Landed(RAW))
    action = await at_once(world)
    kept = (await world.action(action)).outcome
    assert kept is not None
    assert kept.redaction is not None
    assert kept.redaction.raw == RAW
    assert SECRET not in repr(msgspec.to_builtins(published(action)))

    await world.plane.compensation.undo("action", action.id, by=RITA, why="wrong")
    await world.work()

    [undo] = [each for each in await world.actions() if each.undoes == action.id]
    assert undo.arguments["note"] == RAW["note"]
    said = [predicate_of(each.leaf) for each in await world.store.entries_of(action.id)]
    clear = [told(each) for each in await world.store.entries_of(action.id)]
    assert SECRET not in repr((said, clear))
    assert await findings(world) == []


STRING: dict[str, Any] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["n"],
    "additionalProperties": False,
}


@pytest.mark.proves("output.refused")
async def test_refused_is_done_and_says_nothing() -> None:
    """The effect happened and is recorded; of the result there is nothing but what was found in it."""
    world = await world_of(contract(output_schema=RESULT, output=Output(secrets="refuse")))

    action = await at_once(world)

    assert action.state == "done"
    assert action.outcome is not None
    assert action.outcome.result is None
    assert action.outcome.redaction is not None
    assert action.outcome.redaction.withheld
    assert await findings(world) == []


async def outcome_of(world: World, action: Action) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the last entry of an action says, in the open and beside."""
    last = (await world.store.entries_of(action.id))[-1]
    return predicate_of(last.leaf), told(last)


@pytest.mark.proves("output.told")
async def test_the_entry_says_what_was_taken_and_what_was_before_and_after() -> None:
    """Places and kinds in the open; two digests with a salt, of which the later is of `toolResult`."""
    world = await world_of(PUT)
    action = await at_once(world)
    said, clear = await outcome_of(world, action)

    output = said["output"]
    assert output["taken"] == [{"path": "/note", "kind": "aws-key", "places": 1}]
    assert clear["toolResult"] == CLEAN
    assert output["after"] == committed(clear["toolResult"], clear["outputSalt"])
    assert output["before"] == committed(RAW, clear["outputSalt"])
    assert said["fieldEvidence"] == {"target-reported": ["effect", "toolResult"]}


async def test_an_entry_of_which_nothing_was_taken_is_as_it_was() -> None:
    """No field, no salt: nothing dearer, and old entries and new ones read alike."""
    world = await world_of(PUT)
    world.effectors.say("thing.put", "run", Landed({"note": "all is well", "n": 1}))
    said, clear = await outcome_of(world, await at_once(world))

    assert "output" not in said
    assert "outputSalt" not in clear
    assert "outputSalt" not in said["commitments"]


@pytest.mark.parametrize("fault", ["not stored", "stored"])
async def test_a_write_that_fails_leaves_nothing_unfiltered(fault: Fault) -> None:
    """The outcome is not stored, or it is and nobody hears of it: what is kept and given in the end is filtered."""
    faults = Faults()
    world = await world_of(PUT, faults=faults)
    task = await world.task()
    faults.at[faults.writes + 2] = fault

    with contextlib.suppress(StoreError):
        await world.propose(task, key="k")
    assert faults.writes >= min(faults.at)
    for _ in range(9):
        await world.work()
        world.clock.advance(MINUTE)

    again = await world.propose(task, key="k")
    assert again.state == "done"
    assert plain_result(again) == CLEAN
    assert SECRET not in await everything_of(world, again)


@pytest.mark.parametrize("step", ["execute.called", "execute.verified", "outcome.recorded"])
async def test_a_crash_around_it_leaves_nothing_unfiltered(step: str) -> None:
    """Whatever was known is gone or filtered, and the action goes on to a filtered end."""
    world = await world_of(PUT, steps=CrashAt(step))
    task = await world.task()
    with pytest.raises(Crash):
        await world.propose(task, key="k")
    other = world.another("w2")
    for _ in range(9):
        await world.work(other)
        world.clock.advance(MINUTE)

    again = await world.propose_on(other, task, key="k")
    assert plain_result(again) == CLEAN
    assert SECRET not in await everything_of(world, again)
