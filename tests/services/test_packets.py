"""What the packet of an action says: each thing once, each with whose word it is, and nothing that the format does not know."""

import hashlib
from collections.abc import Mapping
from typing import Any, get_args

import msgspec
import pytest

from interlock.adapters.keys import fresh
from interlock.adapters.sealer import Handover, LogSealer
from interlock.adapters.system import SystemIds
from interlock.domain.action import Action
from interlock.domain.anchoring import anchored
from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue, encode
from interlock.domain.change import Change
from interlock.domain.contract import Blind, Contract, Cost, Facts, NoReversal, PythonTarget
from interlock.domain.control import Control
from interlock.domain.erasing import Erasure, LegalHold, Part, erased_fact, erasure_fact, hold_fact
from interlock.domain.errors import ContractError, NotAllowed
from interlock.domain.evidence import Position, Subject, at
from interlock.domain.ids import ErasureId, HoldId, Person, StreamId, WorkerId
from interlock.domain.key_facts import introduction, retirement, rotation
from interlock.domain.note import parse_note
from interlock.domain.predicate import agreement
from interlock.domain.proceedings import BODIES
from interlock.domain.proposal import Proposal
from interlock.domain.question import Question
from interlock.domain.record import plain
from interlock.domain.recording import control_fact
from interlock.domain.release import Release
from interlock.domain.run_facts import Run, run_closed, run_opened
from interlock.domain.task import Opening
from interlock.embedded import Embedded
from interlock.testing.world import World, contract, permit
from tests.services.packets import predicate_of, told
from tests.services.test_approvals import ask, deny

pytestmark = pytest.mark.anyio

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
RITA = Person("rita")
ROOM = {"type": "integer", "minimum": 0}
PUT = contract(
    input_schema={
        "type": "object",
        "properties": {"n": ROOM, "unit": {"type": "string", "default": "EUR"}},
        "required": ["n"],
        "additionalProperties": False,
    },
    cost=Cost(amount="$args.n", unit="EUR"),
    data_classes={"n": "financial"},
    facts=Facts(source=PythonTarget(target="world:facts"), schema={"type": "object"}),
)


async def ready(used: Contract = PUT, *rules: Any) -> World:
    """A world with the contract in force, asking a reviewer above 10, and 100 EUR."""
    world = World()
    world.effectors.say(used.name, "facts", Landed({"stock": 7}))
    await world.apply(used, rules=(permit(), ask(10), *rules), budgets={"EUR": 100})
    return world


async def begun(world: World, n: int = 3, **said: Any) -> Action:
    """One action of a task within a task, with everything said that can be said of it."""
    above = await world.task()
    opening = Opening(
        agent=world.agent, purpose="mend it", initiator="user:ana", parent=above, plan="look, then put it right"
    )
    proposal = Proposal(
        task=await world.plane.tasks.open(opening),
        contract=PUT.name,
        arguments={"n": n},
        justification="it is broken",
        confidence=900,
        traceparent=TRACE,
        kpi={"margin_minor": -250},
        request="01a1fdd7-46cc-77d9-b5e3-12fa2b3ecb09",
    )
    return await Embedded(world.plane).propose(msgspec.structs.replace(proposal, **said))


async def packet(world: World, action: Action) -> list[dict[str, Any]]:
    """What the entries of an action say, each held against the types of the format page and its schema."""
    return [predicate_of(entry.leaf) for entry in await world.store.entries_of(action.id)]


async def clear(world: World, action: Action) -> list[dict[str, Any]]:
    """The clear texts beside them."""
    return [told(entry) for entry in await world.store.entries_of(action.id)]


@pytest.mark.proves("evidence.packet_complete")
async def test_an_action_that_runs_at_once_is_told_whole() -> None:
    """Request, behaviour part by part, delegation, decision with what it leaned on, effect and way back: in two entries."""
    world = await ready()
    action = await begun(world)
    release = await world.store.get(Release, action.release)
    tasks = [each.id for each in reversed(await world.tasks())]
    assert release is not None

    intent, outcome = await packet(world, action)

    assert (intent["phase"], intent["state"], intent["requestId"]) == (
        "dispatching",
        "dispatching",
        "01a1fdd7-46cc-77d9-b5e3-12fa2b3ecb09",
    )
    assert intent["times"]["receivedAt"] == intent["attempt"]["at"] == "2026-01-01T00:00:00.000Z"
    assert (intent["taskId"], intent["delegation"]) == (action.task, tasks)
    assert intent["agent"]["id"] == "ag"
    assert intent["agent"]["components"] == {
        **release.components,
        "policy": release.bundle,
        "tools": hashlib.sha256(encode(plain(release.contracts))).hexdigest(),
    }
    assert intent["resource"] == {"kind": "tool", "id": "thing.put", "schemaDigest": PUT.digest}
    assert (intent["dataClasses"], intent["traceparent"]) == ({"n": "financial"}, TRACE)
    decision = intent["decision"]
    assert (decision["reported"], decision["policies"], decision["stage"]) == ("allow", ["permit.all"], "partial")
    leaned = {each["input"]: each for each in decision["evaluation"]["inputs"]}
    assert leaned["orders"] == {"input": "orders", "revision": 1, "ageMs": 0}
    assert leaned["task"] == {"input": "task", "revision": 1, "ageMs": 0}
    assert leaned["facts"]["lastResult"] == "2026-01-01T00:00:00.000Z"
    assert leaned["budget"]["ageMs"] == 0
    assert intent["compensation"] == {"hook": "thing.take", "withinMs": 2_592_000_000, "state": "none"}
    assert outcome["effect"] == {"observed": "occurred", "by": "tool", "at": "2026-01-01T00:00:00.000Z"}
    assert outcome["agreement"] == "agree"
    assert outcome["compensation"] == {"state": "armed", "deadline": "2026-01-31T00:00:00.000Z"}


@pytest.mark.proves("evidence.packet_complete")
async def test_what_may_be_private_stands_behind_commitments() -> None:
    """Arguments before and after binding, plan, justification, figures, facts and budgets are clear texts, and in no leaf."""
    world = await ready()
    action = await begun(world)

    intent, outcome = await clear(world, action)

    assert intent["askedArgs"] == {"n": 3}
    assert intent["toolArgs"] == {"n": 3, "unit": "EUR"}
    assert (intent["initiator"], intent["purpose"], intent["planSummary"]) == (
        "user:ana",
        "mend it",
        "look, then put it right",
    )
    assert (intent["justification"], intent["kpi"], intent["facts"]) == (
        "it is broken",
        {"margin_minor": -250},
        {"stock": 7},
    )
    budgets = {(each["scope"], each["unit"]): each for each in intent["budget"]}
    assert budgets["tenant", "EUR"] == {"scope": "tenant", "unit": "EUR", "limit": 100, "reserved": 3, "spent": 0}
    assert (f"task:{action.task}", "calls") in budgets
    assert outcome["toolResult"] == {"n": 3, "unit": "EUR"}
    for entry in await world.store.entries_of(action.id):
        assert b"mend it" not in entry.leaf


@pytest.mark.proves("evidence.said_once")
async def test_nothing_is_said_twice() -> None:
    """What an entry said, a later one of the action does not say again; only its state, its place and its time."""
    world = await ready()
    action = await begun(world, n=50)
    await world.plane.approvals.approve(action.id, RITA)
    await world.work()

    said = await packet(world, action)

    assert [each["phase"] for each in said] == ["decided", "approved", "dispatching", "outcome"]
    own = {"state", "phase", "recordId", "stream", "times", "actionId", "actionSeq", "commitments", "fieldEvidence"}
    fields = [each.keys() - own for each in said]
    assert fields[1] == {"approvals"}
    assert fields[2] == {"attempt", "decision"}, "policy is asked once more right before"
    assert fields[3] == {"effect", "agreement", "compensation"}
    names = [name for each in said for name in each.get("commitments", {}) if name != "alg"]
    assert sorted(names) == sorted(set(names))


@pytest.mark.proves("evidence.whose_word")
async def test_every_field_has_its_witness() -> None:
    """For each field that is not our own observation an entry names whose word it is; the rest is ours."""
    world = await ready()
    action = await begun(world, n=50)
    await world.plane.approvals.modify(action.id, RITA, {"n": 20})
    await world.work()

    decided, modified, _, outcome = [each.get("fieldEvidence", {}) for each in await packet(world, action)]

    assert set(decided["agent-asserted"]) == {
        *("confidence", "traceparent", "toolArgs", "askedArgs"),
        *("idempotencyKey", "justification", "kpi"),
    }
    assert set(decided["initiator-asserted"]) == {"initiator", "purpose", "planSummary"}
    assert decided["target-reported"] == ["facts"]
    assert set(modified["approver-asserted"]) == {"approvals", "approvers", "toolArgs"}
    assert outcome == {"target-reported": ["effect", "toolResult"]}


async def test_a_modified_action_tells_both_arguments() -> None:
    """Who modified it is told with the new arguments and what they reserve; the first entry keeps those asked for."""
    world = await ready()
    action = await begun(world, n=50)
    await world.plane.approvals.modify(action.id, RITA, {"n": 20})
    first, modified = await packet(world, action)
    before, after = await clear(world, action)

    assert (before["toolArgs"]["n"], after["toolArgs"]["n"]) == (50, 20)
    assert first["actionDigest"] != modified["actionDigest"]
    assert (first["hold"]["view"], modified["hold"]["view"]) == (
        action.hold and action.hold.view,
        modified["hold"]["view"],
    )
    assert modified["approvals"][0]["binding"] == modified["hold"]["binding"]
    assert {each["reserved"] for each in after["budget"] if each["unit"] == "EUR"} == {20}
    assert after["approvers"] == [["rita", ""]]


ENDS: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "denied": ({"n": 95}, "none", "agree"),
    "refused": ({"n": -1}, "none", "agree"),
    "held, then nobody answers": ({"n": 50}, "none", "agree"),
    "nothing happened": ({"n": 4}, "none", "not-exercised"),
    "nobody knows": ({"n": 5}, "unknown", "indeterminate"),
}


@pytest.mark.proves("evidence.agreement_follows")
@pytest.mark.parametrize("name", ENDS)
async def test_agreement_follows_from_decision_and_effect(name: str) -> None:
    """Every end of an action says what was observed, and whether that is what was decided."""
    arguments, observed, agrees = ENDS[name]
    world = await ready(msgspec.structs.replace(PUT, idempotency=Blind()), deny(90))
    answers: dict[int, Answer] = {4: Nothing("not today"), 5: Unsure("the line is dead")}
    world.effectors.say("thing.put", "run", answers.get(arguments["n"], Landed({})))
    action = await begun(world, **arguments) if arguments["n"] >= 0 else await begun(world, arguments=arguments)
    world.clock.advance(10 * 86_400_000)
    await world.work()

    last = (await packet(world, action))[-1]

    assert (last["effect"]["observed"], last["agreement"]) == (observed, agrees)
    asked = world.effectors.calls["thing.put", "run"]
    assert last["effect"]["by"] == ("tool" if asked else "gate"), "what never left the gate is the gate's own word"


async def test_facts_age_while_it_is_decided() -> None:
    """How old the facts were is counted from when they were read to when the decision was written down."""
    world = await ready()
    read_at = world.clock.now() + 40

    def slowly(arguments: dict[str, JsonValue], call: Call) -> Answer:
        del arguments, call
        world.clock.advance(40)
        return Landed({"stock": 7})

    def patiently(question: Question) -> bool:
        del question
        world.clock.advance(25)
        return True

    world.effectors.on("thing.put", "facts", slowly)
    await world.apply(PUT, rules=((permit()[0], patiently),), budgets={"EUR": 100}, bundle="b2")
    action = await begun(world)

    intent = (await packet(world, action))[0]

    leaned = {each["input"]: each for each in intent["decision"]["evaluation"]["inputs"]}
    assert leaned["facts"] == {"input": "facts", "lastResult": at(read_at), "ageMs": 25}
    assert intent["times"]["receivedAt"] < intent["times"]["observedAt"]


def test_agreement_is_a_table() -> None:
    """Six cells, as the draft on agent audit records derives them."""
    cells = {(yes, seen): agreement(permitted=yes, observed=seen) for yes in (True, False) for seen in _SEEN}

    assert cells == {
        (True, "occurred"): "agree",
        (True, "none"): "not-exercised",
        (True, "unknown"): "indeterminate",
        (False, "occurred"): "disagree",
        (False, "none"): "agree",
        (False, "unknown"): "indeterminate",
    }


_SEEN: Any = ("occurred", "none", "unknown")


async def test_the_way_back_is_followed_to_its_end() -> None:
    """The hook is named first, armed with a deadline when it is done, then running and run, with the undo's own id."""
    world = await ready()
    action = await begun(world)
    request = await world.plane.compensation.undo("action", action.id, by="rita", why="wrong")
    await world.work()
    await world.plane.compensation.advance(request)
    undone = await world.action(action)
    undo = await world.store.get(Action, undone.undone_by or "")
    assert undo is not None

    ways = [each["compensation"] for each in await packet(world, action) if "compensation" in each]
    first, *rest = await packet(world, undo)

    assert [each["state"] for each in ways] == ["none", "armed", "running", "run"]
    assert {each["ref"] for each in ways[2:]} == {undo.id}
    assert first["compensation"] == {"undoes": action.id, "attempt": 1}
    assert first["requestId"] == request.id
    assert "agent-asserted" not in first["fieldEvidence"], "the gate derived what it is called with"
    assert not any("compensation" in each for each in rest)


async def test_what_cannot_be_undone_says_so() -> None:
    """A contract without a reversal is told as impossible to undo; a read has nothing to undo."""
    world = await ready(msgspec.structs.replace(PUT, reversal=NoReversal(why="it is mail")))
    action = await begun(world)

    assert (await packet(world, action))[0]["compensation"] == {"state": "impossible"}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("kpi", {"margin": 1.5}),
        ("kpi", {"margin": True}),
        ("kpi", {"margin": 2**53}),
        ("kpi", {"a name": 1}),
        ("kpi", {f"f{n}": n for n in range(33)}),
        ("kpi", ["margin"]),
        ("traceparent", "ana@example.com"),
        ("traceparent", TRACE + "\n"),
        ("request", "\ud800"),
    ],
)
async def test_words_that_have_no_place_in_a_leaf_are_refused(word: str, value: Any) -> None:
    """Figures are whole and plainly named, and a trace context is one: nothing else can come into the log by these doors."""
    world = await ready()
    before = await world.store.head()

    with pytest.raises(ContractError, match=word):
        await begun(world, **{word: value})

    assert len(await world.store.entries(0, 100)) == 3, "only the orders and two tasks"
    assert before != await world.store.head()


def test_every_kind_of_entry_has_a_type() -> None:
    """Whatever an entry may be about, the format page says what it says: a new subject needs its type in `BODIES`."""
    assert set(BODIES) == set(get_args(Subject))


@pytest.mark.parametrize("role", ["gate", "log"])
def test_entries_about_keys_are_what_the_format_says(role: Any) -> None:
    """How a log begins with its keys, replaces one and retires it is told as the page says."""
    keys, new = World().keys, fresh(f"test/{role}")
    old = (keys.gate if role == "gate" else keys.log).verifier
    sealer = Handover(keys, role, new, StreamId("s"), SystemIds())
    facts = (
        introduction(keys.log.verifier, keys.gate.verifier, 0),
        rotation("test", role, old, new.verifier, 0, {}),
        retirement("test", role, old.vkey(), 3, 0, {"by": "rita"}),
    )

    said = [predicate_of(sealer.seal(fact, 0, Position(stream=StreamId("s"), seq=1, prev="")).leaf) for fact in facts]

    assert [each["phase"] for each in said] == ["introduced", "rotated", "retired"]
    assert said[1]["endorsement"] != said[1]["possession"]


def test_entries_about_runs_anchors_erasures_and_holds_are_what_the_format_says() -> None:
    """What the services of these things record, with every field there can be, is told as the page says."""
    keys = World().keys
    sealer = LogSealer(keys, StreamId("s"), SystemIds())
    run = Run(stream=StreamId("s"), worker=WorkerId("host:1:ab"), gate=keys.gate.verifier.vkey())
    erasure = Erasure(
        id=ErasureId("e"), basis="retention", data_class="personal", why="over", proposed_by="rita", proposed_at=0
    )
    part = Part(erasure=erasure.id, number=1, basis="request", records=(), consents=2, observed_at=0)
    held = LegalHold(id=HoldId("h"), subject="customer:c-17", why="a suit", placed_by="rita", placed_at=0)
    facts = (
        run_opened(run, 0),
        run_closed(run, 9, 0),
        anchored(parse_note(sealer.checkpoint(1, bytes(32)).encode()), 1, b"token", 0),
        erasure_fact(erasure, "proposed", "rita", 0),
        erased_fact(part, keys={"ab": "0-3"}, covers="1-2", actions=2, restored=True),
        hold_fact(held, "placed", "rita", 0),
    )

    for fact in facts:
        entry = sealer.seal(fact, 0, Position(stream=StreamId("s"), seq=1, prev=""))
        assert predicate_of(entry.leaf)["phase"] == fact.phase


@pytest.mark.proves("evidence.whose_word")
async def test_words_of_people_about_other_things_are_theirs() -> None:
    """Entries about tasks, undoing, brakes, holds and erasures name whose words they commit to; a rule of ours is our own."""
    world = await ready()
    done = await begun(world)
    await world.plane.compensation.undo("task", done.task, by="rita", why="wrong")
    await world.plane.braking.stop("contract", "thing.put", by="rita", why="enough")
    with pytest.raises(NotAllowed, match="rules of the gate"):
        await world.plane.braking.stop("all", by="interlock.breaker", why="a person who calls themselves so")
    erasure = Erasure(id=ErasureId("e"), basis="request", subject="c:1", why="asked", proposed_by="rita", proposed_at=0)
    held = LegalHold(id=HoldId("h"), subject="c:1", why="a suit", placed_by="rita", placed_at=0)
    pulled = control_fact(Control(), "stopped", {}, "interlock.breaker", 0)
    await world.store.commit(
        Change(facts=(erasure_fact(erasure, "proposed", "rita", 0), hold_fact(held, "placed", "rita", 0), pulled))
    )

    said = [predicate_of(each.leaf) for each in await world.store.entries(0, 99) if each.action is None]
    whose = {each["phase"]: each.get("fieldEvidence", {}) for each in said}

    assert whose["opened"] == {"initiator-asserted": ["purpose", "initiator", "planSummary"]}
    assert whose["compensation"] == {"person-asserted": ["by", "why"]}
    assert whose["proposed"] == {"person-asserted": ["by", "why", "subject"]}
    assert whose["placed"] == {"person-asserted": ["by", "why", "names"]}
    assert whose["applied"] == {"person-asserted": ["by"]}
    assert [each.get("fieldEvidence") for each in said if each["phase"] == "stopped"] == [whose["applied"], None]


async def test_every_entry_is_what_the_format_says() -> None:
    """Entries about tasks, orders, undo requests and publications hold against types and schema, too."""
    world = await ready()
    action = await begun(world, n=50)
    await world.plane.approvals.reject(action.id, RITA, note="no")
    done = await begun(world)
    await world.plane.compensation.undo("task", done.task, by="rita", why="wrong")
    await world.work()
    await world.plane.braking.stop("contract", "thing.put", by="rita", why="enough")

    entries = await world.store.entries(0, 1000)

    kinds = {predicate_of(entry.leaf)["phase"] for entry in entries}
    assert {"applied", "opened", "rejected", "outcome", "compensation", "stopped", "closed"} <= kinds
