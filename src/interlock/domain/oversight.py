"""How far an agent may act by itself: rules of ours that no policy file can loosen.

- shadow: what would have happened is recorded; nothing that acts is touched. Reads pass, or there would be nothing to record.
- assisted: everything above low risk waits for a person.
- partial: acts inside policy.
- bounded: acts alone, and only where a reversal exists; nobody is expected to be watching, so the rest is denied, not held.
- An agent that is less sure than its contract asks does not act by itself; one that does not say so is not sure at all.
- An exception is for people: it asks somebody, whatever policies permit.
- In every stage: what cannot be undone is never executed unattended, and what the agent's file asks a role for asks it.
- An escalation needs somebody who answers for the agent: with an owner who is nobody any more it is denied.

An undo is exempt: it runs on the word of the person or policy that asked for it, with the approver its reversal names.
"""

import msgspec

from interlock.domain.agent import Stage
from interlock.domain.contract import Contract
from interlock.domain.exception_case import RAISE, RULE
from interlock.domain.policy import VERDICTS, Decision, Requirement, Verdict
from interlock.domain.sureness import WHOLE, Sureness

REVIEWER = "reviewer"
"""The role asked when one of our own rules, not a policy, wants a person."""


def oversee(
    decision: Decision,
    contract: Contract,
    stage: Stage,
    *,
    approver: str = "",
    unanswered: str = "",
    confidence: int | None = WHOLE,
) -> Decision:
    """`decision`, tightened by how sure the agent is (`confidence`, per mille), by the stage, by irreversibility, by the role
    `approver` that the agent's file asks, and by its owners where some are `unanswered`. Never loosened."""
    if decision.verdict != "deny" and contract.confidence is not None:
        decision = _sure(decision, contract.confidence, confidence or 0)
    if contract.name == RAISE and decision.verdict != "deny":
        decision = _ask(decision, RULE, "an exception is for people to settle")
    if decision.verdict == "escalate" and unanswered:
        reason = f"nobody takes the escalation: {unanswered}"
        decision = _raise(decision, "deny", "interlock.owner", reason)
    if decision.verdict == "deny":
        return decision
    decision = _staged(decision, contract, stage)
    if approver and decision.verdict != "deny":
        return _ask(decision, "interlock.agent.approvals", f"its agent's file asks {approver}", role=approver)
    return decision


def _sure(decision: Decision, wanted: Sureness, confidence: int) -> Decision:
    """Asked in words that say what there is and what it takes: an agent may be told its own word."""
    if confidence >= wanted.act or decision.verdict == "shadow":
        return decision
    says = f"it is {confidence / 10:g}% sure, and acts by itself from {wanted.act / 10:g}% on"
    if confidence >= wanted.ask:
        return _ask(decision, "interlock.confidence", says)
    if wanted.below == "deny":
        return _raise(decision, "deny", "interlock.confidence", f"{says}; below {wanted.ask / 10:g}% not at all")
    if decision.verdict == "escalate":
        return decision
    says = f"{says}; below {wanted.ask / 10:g}% people take over"
    asked = _ask(decision, "interlock.confidence", says)
    if asked is decision:
        because = (*decision.because, "interlock.confidence")
        asked = msgspec.structs.replace(decision, because=because, reasons=(*decision.reasons, says))
    return msgspec.structs.replace(asked, verdict="escalate")


def _staged(decision: Decision, contract: Contract, stage: Stage) -> Decision:
    if not contract.acts:
        return decision
    if stage == "shadow" and decision.verdict != "shadow":
        return _raise(decision, "shadow", "interlock.stage.shadow", "the agent is in shadow")
    if stage == "bounded" and contract.irreversible:
        return _raise(decision, "deny", "interlock.stage.bounded", "bounded agents act only where a reversal exists")
    if stage == "assisted" and contract.risk != "low":
        return _ask(decision, "interlock.stage.assisted", f"an assisted agent asks before {contract.risk} risk")
    if contract.irreversible:
        return _ask(decision, "interlock.irreversible", "what cannot be undone is not done unattended")
    return decision


def oversee_undo(decision: Decision, approver: str | None) -> Decision:
    """`decision` on an undo: the reversal's own approver is asked, where it names one."""
    if approver is None or decision.verdict == "deny":
        return decision
    return _ask(decision, "interlock.reversal", f"undoing this needs {approver}", role=approver)


def _raise(decision: Decision, verdict: Verdict, rule: str, reason: str) -> Decision:
    if VERDICTS.index(verdict) <= VERDICTS.index(decision.verdict):
        return decision
    denied = verdict == "deny"
    return msgspec.structs.replace(
        decision,
        verdict=verdict,
        because=(rule,),
        reasons=(reason,),
        requirements=() if denied else decision.requirements,
        obligations=() if denied else decision.obligations,
        would_be=decision.verdict if verdict == "shadow" else None,
    )


def _ask(decision: Decision, rule: str, reason: str, role: str | None = None) -> Decision:
    """Make sure that a person is asked. Where a policy already asks, it has chosen whom, and a rule that wants any
    reviewer (`role` None) adds nothing; a rule that names a role of its own always does. An escalation stays one."""
    asking = decision.verdict in ("require_approval", "escalate")
    if decision.verdict == "shadow" or (asking and decision.requirements and role is None):
        return decision
    return msgspec.structs.replace(
        decision,
        verdict=decision.verdict if asking else "require_approval",
        because=(*decision.because, rule) if asking else (rule,),
        reasons=(*decision.reasons, reason),
        requirements=(*decision.requirements, Requirement(role=role or REVIEWER, quorum=1, policy=rule)),
    )
