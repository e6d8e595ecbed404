"""How a move of an action becomes a fact: what goes into the leaf, and what stays beside it behind a commitment.

In the leaf: names of agents, contracts and policies, digests, times, verdicts. Behind commitments: arguments, facts,
results, amounts, the words and names of people, keys chosen by callers; anything that may be personal or secret.

The first fact of an action says who acts, for whom and as what; each later one only what became so since.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, cast

import msgspec

from interlock.domain.action import Action, Outcome
from interlock.domain.budget import Budget, Draw
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Unchanged
from interlock.domain.contract import Contract
from interlock.domain.control import Control
from interlock.domain.erasing import LegalHold
from interlock.domain.evidence import Fact, Phase, Subject, at, urn_of
from interlock.domain.predicate import ActionBody
from interlock.domain.record import digest_of
from interlock.domain.stating import Beginning, explains, first_said, heard, said_of, speaks
from interlock.domain.whose import OURS, SAID_BY, Grade


def recorded(
    action: Action,
    phase: Phase,
    now: int,
    *,
    contract: Contract | None = None,
    beginning: Beginning | None = None,
    leaning: Sequence[Unchanged] = (),
    beside: dict[str, JsonValue] | None = None,
    opens: str = "",
) -> tuple[Action, Fact]:
    """`action` as it now is, counted one fact further, and that fact, with what is said `beside` it behind commitments. `opens`
    is what opens the mark of an item known to be bad.

    `leaning` are the conditions it is written under: a decision told in it held while they did.
    """
    after = msgspec.structs.replace(action, entries=action.entries + 1)
    body = said_of(after, phase, now, contract, leaning)
    if opens:
        body = msgspec.structs.replace(body, opens=opens)
    private = _private(after, phase) | (beside or {})
    times: dict[str, int] = {}
    if after.entries == 1:
        body = first_said(after, contract, beginning, body)
    if beginning is not None:
        private |= _asked_for(after, beginning)
        times["receivedAt"] = beginning.received_at
    return after, _fact(after, phase, now, after.entries, body, private, times)


def overheard(action: Action, phase: Phase, now: int, private: dict[str, JsonValue]) -> Fact:
    """A fact about an action that somebody else now holds: recorded beside its numbered facts, changing nothing."""
    return _fact(action, phase, now, 0, heard(action, phase, now), _private(action, phase) | private, {})


_KINDS: Final[Mapping[Subject, str]] = {"hold": LegalHold.kind}
"""The kinds of records of which entries speak by another word."""


def about_of(fact: Fact) -> tuple[str, str]:
    """Kind and key of the record that `fact` is about, or goes with."""
    if fact.under is not None:
        return fact.under
    if fact.action is not None:
        return Action.kind, fact.action
    return _KINDS.get(fact.subject, fact.subject), fact.subject_id


def named_in_entries(kind: str, key: str) -> str:
    """What entries call the record of this kind and key."""
    words = {its: subject for subject, its in _KINDS.items()}
    return urn_of(words.get(kind, kind), key)


def heeds_erasure(fact: Fact) -> bool:
    """Whether nothing private may be said with `fact` once what it is about is erased. Only who agreed to an erasure is
    told with its last entry, which is written as its own record goes."""
    return fact.subject != "erasure"


def unsaid(fact: Fact) -> Fact:
    """`fact` about what was erased meanwhile: what it says in the open, and nothing behind commitments.

    A clear text that nobody may ever read is not written in the first place: the erasure that should have taken it is over.
    """
    body = fact.body | {"withheld": "erased"}
    evidence = cast("dict[str, list[str]]", body.pop("fieldEvidence", {}))
    open_only = {grade: [name for name in names if name in body] for grade, names in evidence.items()}
    kept = {grade: names for grade, names in open_only.items() if names}
    if kept:
        body["fieldEvidence"] = cast(JsonValue, kept)
    return msgspec.structs.replace(fact, body=body, private={})


def with_budgets(
    facts: Sequence[Fact], draws: Iterable[Draw], budgets: Iterable[Budget], noticed: Collection[str]
) -> tuple[Fact, ...]:
    """`facts` of a change that reserved, its first one telling how `budgets` stand after that, and of which of them the share was
    reached from which on that is noticed."""
    reserved = {draw.budget for draw in draws if draw.move == "reserve"}
    told: list[JsonValue] = [
        {
            "scope": each.scope,
            "unit": each.written,
            "limit": each.limit,
            "reserved": each.reserved,
            "spent": each.spent,
            **({} if each.renews_at is None else {"renewsAt": at(each.renews_at)}),
            **({"noticed": each.soft} if each.key in noticed else {}),
        }
        for each in budgets
        if each.key in reserved
    ]
    if not told or not facts:
        return tuple(facts)
    first = msgspec.structs.replace(facts[0], private={**facts[0].private, "budget": told})
    return (first, *facts[1:])


def _fact(
    action: Action,
    phase: Phase,
    now: int,
    seq: int,
    body: ActionBody,
    private: dict[str, JsonValue],
    times: dict[str, int],
) -> Fact:
    said = cast(dict[str, JsonValue], msgspec.to_builtins(body))
    evidence = _evidence(action, phase, (*said, *private))
    if evidence:
        said["fieldEvidence"] = cast(JsonValue, evidence)
    return Fact(
        phase=phase,
        subject="action",
        subject_id=action.id,
        subject_digest=action.digest,
        observed_at=now,
        times=times,
        body=said,
        private=private,
        action=action.id,
        seq=seq,
    )


def _evidence(action: Action, phase: Phase, names: Collection[str]) -> dict[Grade, list[str]]:
    """Whose word each of `names` is, where it is not our own observation."""
    evidence: dict[Grade, list[str]] = {}
    for name in names:
        if name in SAID_BY and not (name == "effect" and action.outcome is None):
            evidence.setdefault(SAID_BY[name], []).append(name)
    if action.outcome is not None and action.outcome.by == "person":
        # Beside an outcome of ours a note is ours; beside a person's it is theirs.
        evidence["person-asserted"] = evidence.pop("target-reported", []) + ["note"] * ("note" in names)
    if action.undoes is not None:
        # We derived what an undo is called with, from what the action it undoes was given and gave.
        evidence.pop("agent-asserted", None)
    elif phase == "modified" and "toolArgs" in evidence.get("agent-asserted", ()):
        evidence["agent-asserted"].remove("toolArgs")
        evidence["approver-asserted"].append("toolArgs")
    return {grade: said for grade, said in evidence.items() if said}


def _asked_for(action: Action, beginning: Beginning) -> dict[str, JsonValue]:
    """What the request says of itself and of the work it is part of."""
    task = beginning.task
    private: dict[str, JsonValue] = {}
    if beginning.proposed != action.arguments:
        private["askedArgs"] = beginning.proposed
    if task.purpose:
        private["purpose"] = task.purpose
    if task.plan:
        private["planSummary"] = task.plan
    return private


def _private(action: Action, phase: Phase) -> dict[str, JsonValue]:
    """What this phase adds to what the log already holds: nothing private is committed to twice without need."""
    private: dict[str, JsonValue] = {}
    first = action.entries == 1
    if first:
        private["initiator"] = action.initiator
        private["idempotencyKey"] = action.idempotency_key
        if action.justification:
            private["justification"] = action.justification
        if action.kpi:
            private["kpi"] = dict[str, JsonValue](action.kpi)
    if first or phase == "modified":
        private["toolArgs"] = action.arguments
        private["nonce"] = action.nonce
    if first or phase in ("decided", "modified"):
        if action.facts:
            private["facts"] = action.facts
        if action.asked is not None and action.asked.parsed:
            private["parsed"] = action.asked.parsed
    if explains(action, phase):
        sentences = [reason for reason in action.reasons if not reason.startswith(OURS)]
        if sentences:
            private["reasons"] = list[JsonValue](sentences)
    if action.hold is not None and speaks(phase):
        word = action.hold.approvals[-1]
        private["approvers"] = [[word.person, word.note]]
    if action.outcome is not None and phase in ("outcome", "settled"):
        private |= _came(action.outcome)
    return private


def _came(outcome: Outcome) -> dict[str, JsonValue]:
    """What came of it, as the agent got it. What the tool gave before that is in no entry; only a digest of it is."""
    private: dict[str, JsonValue] = {"toolResult": outcome.result}
    if outcome.redaction is not None:
        private["outputSalt"] = outcome.redaction.salt
    if outcome.error:
        private["error"] = outcome.error
    if outcome.note:
        private["note"] = outcome.note
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
