"""What a fact about an action says in the open, from the action as it now is.

Only what became so with this very move: what the action carries on from before was said by an earlier entry.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from interlock.domain.action import Action, State
from interlock.domain.agent import Agent
from interlock.domain.approval import Hold, open_requirements
from interlock.domain.bounds import BOUNDS
from interlock.domain.canonical import JsonValue, digest
from interlock.domain.change import Unchanged
from interlock.domain.contract import Contract, Reversal
from interlock.domain.control import Control
from interlock.domain.evidence import Phase, at
from interlock.domain.policy import Decision
from interlock.domain.predicate import (
    ActionBody,
    Agreement,
    Asked,
    Attempt,
    Behaviour,
    Decided,
    Effect,
    Evaluation,
    Given,
    Held,
    HoldStep,
    Input,
    Observed,
    Origin,
    Place,
    Resource,
    Sure,
    Undo,
    Word,
    agreement,
)
from interlock.domain.presented import Caller
from interlock.domain.record import plain
from interlock.domain.release import Release
from interlock.domain.task import Task
from interlock.domain.whose import DOES_NOT_ASSERT, OURS

_UNTOUCHED: Final[frozenset[State]] = frozenset({"refused", "denied", "shadowed", "rejected", "expired", "voided"})
"""States in which nothing happened, since nobody was asked to do it: at most it was reserved, and released."""
_UNMOVED: Final[frozenset[Phase]] = frozenset(
    {
        "approved",
        "reminded",
        "escalated",
        "overdue",
        "shown",
        "asked",
        "answered",
        "delegated",
        "prepared",
        "dispatching",
    }
)
"""Phases that leave the reasons as they were told before."""
_OBSERVED: Final[dict[State, Observed]] = {"done": "occurred", "failed": "none"}
_UNDOING: Final[dict[State, Literal["running", "run", "failed"]]] = {
    "undoing": "running",
    "undone": "run",
    "undo_failed": "failed",
}


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """What only the first fact of an action says: the request, and what stood around it."""

    request: str
    received_at: int
    task: Task
    behaviour: Behaviour
    proposed: dict[str, JsonValue]
    """The arguments as they were asked for, before they were bound to the contract."""
    caller: Caller | None = None
    """Who made the request, as it was proven."""


def behaviour_of(release: Release, agent: Agent) -> Behaviour:
    """What `agent` was at `release`, each part by its digest."""
    tools = digest(plain(release.contracts))
    return Behaviour(
        id=release.agent,
        release=release.digest,
        model=agent.behaviour.model,
        components={**release.components, "policy": release.bundle, "tools": tools},
    )


def first_said(action: Action, contract: Contract | None, beginning: Beginning | None, body: ActionBody) -> ActionBody:
    """`body` with what an action's first fact says once for all of them."""
    behaviour = Behaviour(id=action.agent, release=action.release) if beginning is None else beginning.behaviour
    task = None if beginning is None else beginning.task
    caller = action.caller
    return msgspec.structs.replace(
        body,
        instance="" if caller is None else caller.instance,
        credential="" if caller is None else caller.credential,
        attested="" if caller is None else caller.attested,
        proof="" if caller is None else caller.proof,
        token="" if caller is None else caller.token,
        request_id="" if beginning is None else beginning.request,
        task_id=action.task,
        delegation=[*task.ancestors, task.id] if task is not None and task.parent is not None else [],
        agent=behaviour,
        resource=Resource(kind="tool", id=action.contract, schema_digest=action.contract_digest),
        data_classes={} if contract is None else contract.data_classes,
        confidence=None if action.confidence is None else Sure(per_mille=action.confidence, said_by="agent"),
        traceparent=action.traceparent,
        does_not_assert=list(DOES_NOT_ASSERT),
    )


def said_of(
    action: Action, phase: Phase, now: int, contract: Contract | None, leaning: Sequence[Unchanged]
) -> ActionBody:
    """What any fact says: the state it led to, and what became so with it."""
    decision = action.decision if decides(action, phase) else None
    codes = [each for each in action.reasons if each.startswith(OURS)] if explains(action, phase) else []
    effect = _effect(action, phase, now)
    return ActionBody(
        state=action.state,
        action_digest=action.digest if action.entries == 1 or phase == "modified" else "",
        decision=None if decision is None else _decided(action, decision, now, leaning),
        reason_codes=codes,
        hold=_held(action.hold) if action.hold is not None and _asks(action, phase) else None,
        walked=action.hold.walked if action.hold is not None and routes(phase) else None,
        approvals=[_word(action.hold)] if action.hold is not None and speaks(phase) else [],
        attempt=_attempt(action) if phase == "dispatching" else None,
        effect=effect,
        output=_given(action, phase),
        source=_source(action, phase),
        agreement=_agreement(action, effect),
        compensation=_undo(action, phase, contract),
    )


def heard(action: Action, phase: Phase, now: int) -> ActionBody:
    """What is said of an action that somebody else holds: what was observed, and nothing more."""
    effect = _effect(action, phase, now)
    return ActionBody(
        state=action.state,
        effect=effect,
        output=_given(action, phase),
        source=_source(action, phase),
        agreement=_agreement(action, effect),
    )


def decides(action: Action, phase: Phase) -> bool:
    """Whether this is where the decision that `action` carries was made."""
    if phase == "dispatching":
        return action.attempt <= 1
    return action.entries == 1 or phase in ("refused", "decided", "modified")


def explains(action: Action, phase: Phase) -> bool:
    """Whether the reasons that `action` carries are why it came to this."""
    return action.entries == 1 or phase not in _UNMOVED


def speaks(phase: Phase) -> bool:
    """Whether it is a person's word."""
    return phase in ("approved", "rejected", "modified")


def routes(phase: Phase) -> bool:
    """Whether it is a step of what happens while nobody answers."""
    return phase in ("reminded", "escalated", "overdue")


def _asks(action: Action, phase: Phase) -> bool:
    return phase in ("decided", "modified") and action.state in ("held", "ready")


def _decided(action: Action, decision: Decision, now: int, leaning: Sequence[Unchanged]) -> Decided:
    # What is checked again before dispatch leaves what is kept around the first decision as it was.
    around = action.asked if action.asked is not None and action.asked.asked_at == decision.decided_at else None
    inputs = [
        Input(input="orders" if each.kind == Control.kind else "task", revision=each.revision, age_ms=0)
        for each in leaning
        if each.kind in (Control.kind, Task.kind)
    ]
    if decision.facts_at:
        inputs.append(Input(input="facts", last_result=at(decision.facts_at), age_ms=max(now - decision.facts_at, 0)))
    if around is not None and around.budget:
        age_ms = max(now - around.asked_at, 0)
        inputs.append(Input(input="budget", last_result=at(around.asked_at), age_ms=age_ms))
    status: Literal["evaluated", "not-evaluated"] = (
        "not-evaluated" if {"interlock.error", *BOUNDS}.intersection(decision.because) else "evaluated"
    )
    return Decided(
        reported=decision.verdict,
        policy_digest=decision.bundle,
        policies=list(decision.because),
        at=at(decision.decided_at),
        stage="" if around is None else around.stage,
        unusual=[] if around is None else list(around.unusual),
        would_be=decision.would_be or "",
        obligations=list(decision.obligations),
        candidates=list(decision.candidates),
        failing=list(decision.failing),
        evaluation=Evaluation(status=status, inputs=inputs),
    )


def _held(hold: Hold) -> Held:
    return Held(
        binding=hold.binding,
        view=hold.view,
        expires_at=at(hold.expires_at),
        requirements=[
            Asked(role=need.role, quorum=need.quorum, policy=need.policy, delegate=list(need.terms.delegate))
            for need in hold.requirements
        ],
        steps=[HoldStep(at=at(each.at), what=each.what, role=each.role, policy=each.policy) for each in hold.steps],
        walked=hold.walked,
    )


def _word(hold: Hold) -> Word:
    """The one spoken last, which the fact is about."""
    word = hold.approvals[-1]
    return Word(
        verdict=word.verdict,
        binding=word.binding,
        roles=list(word.roles),
        glass=word.glass,
        lent=list(word.lent),
        decided_at=at(word.decided_at),
        shown=word.shown,
    )


def _attempt(action: Action) -> Attempt:
    begun = "" if action.dispatched_at is None else at(action.dispatched_at)
    return Attempt(number=action.attempt, fence=action.fence, at=begun)


def _effect(action: Action, phase: Phase, now: int) -> Effect | None:
    said = action.outcome
    if action.state in _UNTOUCHED and said is None:
        return Effect(observed="none", by="gate", at=at(now))
    if said is None or phase not in ("outcome", "settled"):
        return None
    observed = _OBSERVED.get(action.state, "unknown")
    return Effect(observed=observed, by=said.by, at=at(said.observed_at), verified=said.verified)


def _given(action: Action, phase: Phase) -> Given | None:
    redaction = None if action.outcome is None else action.outcome.redaction
    if redaction is None or phase not in ("outcome", "settled"):
        return None
    return Given(
        before=redaction.before,
        after=redaction.after,
        taken=[Place(path=each.path, kind=each.kind, places=each.places) for each in redaction.taken],
        withheld=redaction.withheld,
    )


def _source(action: Action, phase: Phase) -> Origin | None:
    said = None if action.outcome is None else action.outcome.source
    if said is None or phase not in ("outcome", "settled"):
        return None
    return Origin(kind=said.kind, name=said.name, trusted=said.trusted)


def _agreement(action: Action, effect: Effect | None) -> Agreement | None:
    return None if effect is None else agreement(permitted=permitted(action), observed=effect.observed)


def permitted(action: Action) -> bool:
    """Whether what was decided let it happen, people's words included."""
    if action.decision is None:
        return False
    if action.decision.verdict in ("allow", "oblige"):
        return True
    asks = action.decision.verdict in ("require_approval", "escalate")
    return asks and action.hold is not None and not open_requirements(action.hold, initiator=action.initiator)


def _undo(action: Action, phase: Phase, contract: Contract | None) -> Undo | None:
    first = action.entries == 1
    if action.undoes is not None:
        return Undo(undoes=action.undoes, attempt=action.undo_attempt) if first else None
    if phase == "compensation":
        return Undo(state=_UNDOING[action.state], ref=action.undone_by or "", attempt=action.undo_attempt)
    if contract is None or not contract.acts:
        return None
    way = contract.reversal if isinstance(contract.reversal, Reversal) else None
    if first:
        return (
            Undo(state="impossible") if way is None else Undo(hook=way.contract, within_ms=way.within_ms, state="none")
        )
    if way is not None and action.state == "done" and action.ended_at is not None:
        return Undo(state="armed", deadline=at(action.ended_at + way.within_ms))
    return None
