"""How a move of an action becomes a fact: what goes into the leaf, and what stays beside it behind a commitment.

In the leaf: names of agents, contracts and policies, digests, times, verdicts. Behind commitments: arguments, facts,
results, the words and names of people, keys chosen by callers; anything that may be personal or secret.
"""

import msgspec

from interlock.domain.action import Action
from interlock.domain.approval import Approval
from interlock.domain.canonical import JsonValue
from interlock.domain.control import Control
from interlock.domain.evidence import Fact, Phase, at
from interlock.domain.policy import Decision
from interlock.domain.record import digest_of

DOES_NOT_ASSERT: list[JsonValue] = ["that the arguments are true", "that the target told the truth"]

OURS = "interlock."
"""Reasons that begin so are codes of our own rules. All others are sentences, which may name a person."""


def recorded(action: Action, phase: Phase, now: int) -> tuple[Action, Fact]:
    """`action` as it now is, counted one fact further, and that fact."""
    after = msgspec.structs.replace(action, entries=action.entries + 1)
    return after, _fact(after, phase, now, after.entries, {})


def overheard(action: Action, phase: Phase, now: int, private: dict[str, JsonValue]) -> Fact:
    """A fact about an action that somebody else now holds: recorded beside its numbered facts, changing nothing."""
    return _fact(action, phase, now, 0, private)


def _fact(action: Action, phase: Phase, now: int, seq: int, private: dict[str, JsonValue]) -> Fact:
    return Fact(
        phase=phase,
        subject="action",
        subject_id=action.id,
        subject_digest=action.digest,
        observed_at=now,
        body=_body(action, phase),
        private=_private(action, phase) | private,
        action=action.id,
        seq=seq,
    )


def _body(action: Action, phase: Phase) -> dict[str, JsonValue]:
    body: dict[str, JsonValue] = {
        "state": action.state,
        "taskId": action.task,
        "agent": {"id": action.agent, "release": action.release},
        "resource": {"kind": "tool", "id": action.contract, "schemaDigest": action.contract_digest},
        "actionDigest": action.digest,
        "doesNotAssert": DOES_NOT_ASSERT,
    }
    if action.confidence is not None:
        body["confidence"] = {"perMille": action.confidence, "saidBy": "agent"}
    if action.traceparent:
        body["traceparent"] = action.traceparent
    codes: list[JsonValue] = [reason for reason in action.reasons if reason.startswith(OURS)]
    if codes:
        body["reasonCodes"] = codes
    if action.decision is not None:
        body["decision"] = _decision(action.decision)
    if action.hold is not None:
        body["hold"] = {
            "binding": action.hold.binding,
            "view": action.hold.view,
            "expiresAt": at(action.hold.expires_at),
            "requirements": [
                {"role": need.role, "quorum": need.quorum, "policy": need.policy} for need in action.hold.requirements
            ],
        }
        body["approvals"] = [_approval(word) for word in action.hold.approvals]
    if phase == "dispatching":
        body["attempt"] = {"number": action.attempt, "fence": action.fence}
    if action.outcome is not None and phase in ("outcome", "settled"):
        body["effect"] = {
            "observed": {"done": "occurred", "failed": "none"}.get(action.state, "unknown"),
            "by": action.outcome.by,
            "at": at(action.outcome.observed_at),
            "verified": action.outcome.verified,
        }
    if action.undoes is not None:
        body["compensation"] = {"undoes": action.undoes, "attempt": action.undo_attempt}
    elif action.undone_by is not None:
        body["compensation"] = {"undoneBy": action.undone_by}
    return body


def _decision(decision: Decision) -> dict[str, JsonValue]:
    said: dict[str, JsonValue] = {
        "reported": decision.verdict,
        "policyDigest": decision.bundle,
        "policies": list(decision.because),
        "at": at(decision.decided_at),
    }
    if decision.would_be is not None:
        said["wouldBe"] = decision.would_be
    if decision.obligations:
        said["obligations"] = list(decision.obligations)
    if decision.candidates:
        said["candidates"] = list(decision.candidates)
    if decision.failing:
        said["failing"] = list(decision.failing)
    return said


def _approval(word: Approval) -> JsonValue:
    return {
        "verdict": word.verdict,
        "binding": word.binding,
        "roles": list(word.roles),
        "decidedAt": at(word.decided_at),
    }


def _private(action: Action, phase: Phase) -> dict[str, JsonValue]:
    """What this phase adds to what the log already holds: nothing private is committed to twice without need."""
    private: dict[str, JsonValue] = {}
    if action.entries <= 1 or phase in ("decided", "modified"):
        private["toolArgs"] = action.arguments
        private["nonce"] = action.nonce
        private["initiator"] = action.initiator
        private["idempotencyKey"] = action.idempotency_key
        if action.justification:
            private["justification"] = action.justification
        if action.facts:
            private["facts"] = action.facts
        if action.asked is not None and action.asked.parsed:
            private["parsed"] = action.asked.parsed
    if sentences := [reason for reason in action.reasons if not reason.startswith(OURS)]:
        private["reasons"] = list[JsonValue](sentences)
    if action.hold is not None and phase in ("approved", "rejected", "modified"):
        private["approvers"] = [[word.person, word.note] for word in action.hold.approvals]
    if action.outcome is not None and phase in ("outcome", "settled"):
        private["toolResult"] = action.outcome.result
        if action.outcome.error:
            private["error"] = action.outcome.error
        if action.outcome.note:
            private["note"] = action.outcome.note
    return private


def control_fact(after: Control, phase: Phase, body: dict[str, JsonValue], by: str, now: int) -> Fact:
    """The fact that the standing orders, about to be saved as `after`, were changed by `by`."""
    return Fact(
        phase=phase,
        subject="control",
        subject_id="control",
        subject_digest=digest_of(after),
        observed_at=now,
        body={"epoch": after.revision + 1, "bundle": after.bundle, **body},
        private={"by": by},
    )
