"""Actions as agent audit records (draft-gilda-audit-agent-audit-record), judged by the reader of agent-evidence-vectors."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from interlock.adapters.cose import CoseReceipts
from interlock.domain import dsse
from interlock.domain.account import told, within
from interlock.domain.action import Action
from interlock.domain.audit_record import PREDICATE, AuditRecord
from interlock.domain.call import Nothing, Unsure
from interlock.domain.canonical import encode
from interlock.domain.contract import Blind
from interlock.domain.ids import Person
from interlock.testing.world import World, contract, permit
from tests.foreign.decisions import Object, asks, denies
from tests.foreign.programs import ask, brought

pytestmark = [pytest.mark.anyio, pytest.mark.proves("audit.records")]
RITA = Person("rita")


def _judged(world: World, *envelopes: bytes) -> list[list[str]]:
    """What the reader says of each: its verdict, and why."""
    given = {
        "predicateType": PREDICATE,
        "key": world.keys.log.verifier.public.hex(),
        "envelopes": [each.decode() for each in envelopes],
    }
    packages = brought("vectors/agent_evidence_vectors").parent
    script = Path(__file__).with_name("record_check.py")
    answer = ask(sys.executable, "-I", script, packages, given=json.dumps(given).encode())
    assert answer.code == 0, answer.err
    return [json.loads(line) for line in answer.out.splitlines()]


async def _record(world: World, action: Action) -> bytes:
    """The record of an action, out of its entries."""
    record: AuditRecord | None = None
    for entry in await world.store.entries_of(action.id):
        said = told(entry.index, entry.leaf)
        assert said is not None
        if record is None:
            record = AuditRecord(said, entry.leaf)
        else:
            record.take(said, entry.leaf)
    assert record is not None
    return record.payload("test/log", world.clock.now())


async def _done(world: World) -> Action:
    await world.apply(contract())
    return await world.propose(await world.task())


async def _denied(world: World) -> Action:
    await world.apply(contract(), rules=(permit(), denies("no")))
    return await world.propose(await world.task())


async def _refused(world: World) -> Action:
    await world.apply(contract())
    return await world.propose(await world.task(), "thing.unknown")


async def _held(world: World) -> Action:
    await world.apply(contract(), rules=(permit(), asks("reviewer")))
    return await world.propose(await world.task())


async def _approved(world: World) -> Action:
    action = await _held(world)
    await world.plane.approvals.approve(action.id, RITA)
    await world.work()
    return action


async def _rejected(world: World) -> Action:
    action = await _held(world)
    await world.plane.approvals.reject(action.id, RITA, note="no")
    return action


async def _modified(world: World) -> Action:
    action = await _held(world)
    await world.plane.approvals.modify(action.id, RITA, {"n": 7})
    await world.work()
    return action


async def _failed(world: World) -> Action:
    world.effectors.say("thing.put", "run", Nothing("no"))
    return await _done(world)


async def _unknown(world: World) -> Action:
    world.effectors.say("thing.put", "run", Unsure("?"))
    await world.apply(contract(idempotency=Blind()))
    return await world.propose(await world.task())


async def _unasked(world: World) -> Action:
    await world.apply(contract())
    task = await world.task()
    world.policies.forget("b1")
    return await world.propose_on(world.another("w2"), task)


async def _expired(world: World) -> Action:
    await world.apply(contract())
    action = await world.propose(await world.task(lasts_ms=10), here=False)
    world.clock.advance(10)
    await world.work()
    return action


LIVES = [_done, _denied, _refused, _held, _approved, _rejected, _modified, _failed, _unknown, _unasked, _expired]
SAID = {
    "_done": ("done", "permit", "occurred", "agree"),
    "_denied": ("denied", "deny", "none", "agree"),
    "_refused": ("refused", "deny", "none", "agree"),
    "_held": ("held", "deny", "none", "agree"),
    "_approved": ("done", "permit-with-conditions", "occurred", "agree"),
    "_rejected": ("rejected", "deny", "none", "agree"),
    "_modified": ("done", "permit-with-conditions", "occurred", "agree"),
    "_failed": ("failed", "permit", "none", "not-exercised"),
    "_unknown": ("unknown", "permit", "unknown", "indeterminate"),
    "_unasked": ("denied", "deny", "none", "agree"),
    "_expired": ("expired", "permit", "none", "not-exercised"),
}


@pytest.mark.parametrize("life", LIVES)
async def test_a_record_of_any_life_is_valid(life: Callable[[World], Any]) -> None:
    """However an action went, its record is valid to others, and says what the entries say of decision and effect."""
    world = World()
    action = await life(world)
    payload = await _record(world, action)
    predicate: Object = msgspec.json.decode(payload)["predicate"]
    state = (await world.action(action)).state
    entries = [told(each.index, each.leaf) for each in await world.store.entries_of(action.id)]
    ours = [within(each.predicate, "agreement") for each in entries if each is not None]

    found = (state, predicate["decision"]["reported"], predicate["effect"]["observed"], predicate["agreement"])
    assert found == SAID[life.__name__]
    assert [each for each in ours if each][-1:] in ([], [predicate["agreement"]])
    assert _judged(world, CoseReceipts(world.keys.log).envelope(payload)) == [["valid"]]


def _set(*steps: str, to: object) -> Callable[[Object], None]:
    def change(predicate: Object) -> None:
        place: Any = predicate
        for step in steps[:-1]:
            place = place[int(step) if step.isdigit() else step]
        place[steps[-1]] = to

    return change


CHANGES: dict[str, tuple[Callable[[Object], None], str]] = {
    "the effect denied": (_set("effect", "observed", to="none"), "effect-observed-underivable"),
    "the effect unwritten": (_set("effect", "writes", to=[]), "write-chain-broken"),
    "another agreement": (_set("agreement", to="not-exercised"), "agreement-underivable"),
    "another decision": (_set("decision", "reported", to="deny"), "agreement-underivable"),
    "other arguments": (_set("resource", "argumentsDigest", to="0" * 64), "request-digest-mismatch"),
    "another tool": (_set("resource", "id", to="thing.other"), "request-digest-mismatch"),
    "another state before": (_set("effect", "interval", "beforeRoot", to="0" * 64), "write-chain-broken"),
    "another state after": (_set("effect", "interval", "afterRoot", to="0" * 64), "subject-after-root-mismatch"),
    "a stronger claim": (_set("tier", to="authoritative"), "tier-overclaim-vantage"),
    "a stale policy": (
        _set("evaluation", "inputs", "0", "lastResult", to="2020-01-01T00:00:00Z"),
        "evaluation-inconsistent",
    ),
}


async def test_what_was_worked_on_is_named() -> None:
    """Each change of a record is found by the reader under its name, though it is signed again with the log's key."""
    world = World()
    payload = await _record(world, await _done(world))
    receipts = CoseReceipts(world.keys.log)
    worked: list[bytes] = []
    for change, _ in CHANGES.values():
        said: Object = msgspec.json.decode(payload)
        change(said["predicate"])
        worked.append(receipts.envelope(encode(said)))

    found = _judged(world, *worked)

    assert dict(zip(CHANGES, found, strict=True)) == {name: ["malformed", code] for name, (_, code) in CHANGES.items()}


async def test_only_the_logs_key_signs_records() -> None:
    """Signed with the gate's key, or with one byte of the payload changed, it is no record of this log."""
    world = World()
    payload = await _record(world, await _done(world))
    gates = CoseReceipts(world.keys.gate).envelope(payload)
    good = dsse.parse(CoseReceipts(world.keys.log).envelope(payload))
    other = dsse.encode(msgspec.structs.replace(good, payload=payload.replace(b"occurred", b"occurreD")))

    assert _judged(world, gates, other) == [["malformed", "signature-invalid"]] * 2
