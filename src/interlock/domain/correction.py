"""What people made of what agents asked for: what was asked, what was decided and why, and what came of it.

Made from the actions as they are stored, so that what is erased of them is in no later export. Read as training data, a
correction is one reviewer's judgement on one request: it holds what the agent said and what the person said, unfiltered.
"""

import msgspec

from interlock.domain.action import Action, State
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.diff import Row, between
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest
from interlock.domain.precedent import Ruling, ruling_of


class Correction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision of people."""

    action: ActionId
    agent: AgentName
    release: Digest
    contract: ContractName
    version: str
    requested: dict[str, JsonValue]
    """The arguments as the agent asked for them."""
    decided: dict[str, JsonValue]
    """Those that were decided on."""
    difference: tuple[Row, ...] = ()
    justification: str = ""
    confidence: int | None = None
    asked_by: tuple[str, ...] = ()
    """The policies that asked."""
    verdict: Ruling
    note: str = ""
    """Of whoever spoke last."""
    roles: tuple[str, ...] = ()
    questions: tuple[tuple[str, str], ...] = ()
    """What was asked of the agent, and what it answered."""
    decided_at: int
    waited_ms: int
    state: State
    """What came of it: `done`, `failed`, or taken back later."""
    error: str = ""


def correction_of(action: Action, contract: Contract) -> Correction | None:
    """What people made of `action`; None where they did not decide on it, or everything private of it is gone."""
    ruled = ruling_of(action)
    hold = action.hold
    if ruled is None or hold is None:
        return None
    requested = action.arguments if hold.requested is None else hold.requested
    return Correction(
        action=action.id,
        agent=action.agent,
        release=action.release,
        contract=action.contract,
        version=contract.version,
        requested=requested,
        decided=action.arguments,
        difference=between(contract, requested, action.arguments),
        justification=action.justification,
        confidence=action.confidence,
        asked_by=() if action.decision is None else action.decision.because,
        verdict=ruled[0],
        note=hold.words[-1].note if hold.words else "",
        roles=tuple(sorted({role for word in hold.words for role in word.roles})),
        questions=tuple((each.text, each.answer) for each in hold.questions),
        decided_at=ruled[1],
        waited_ms=max(ruled[1] - action.proposed_at, 0),
        state=action.state,
        error=action.outcome.error if action.outcome is not None else "",
    )


def teaches(correction: Correction) -> bool:
    """Whether there is more in it than that the agent was right: a change, a no, silence, a note or a question."""
    return correction.verdict != "approved" or bool(correction.note or correction.questions)
