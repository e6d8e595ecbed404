"""Asking people: what is bound into the question."""

from interlock.domain.action import Action
from interlock.domain.approval import Hold, hold
from interlock.domain.canonical import digest
from interlock.domain.contract import Contract
from interlock.domain.ids import Digest
from interlock.domain.policy import Decision
from interlock.domain.view import view_of


def held(action: Action, contract: Contract, decision: Decision, expires_at: int) -> Hold:
    """What people are asked about `action`, bound to everything it is about, view included."""
    return hold(
        action=action.digest,
        contract=contract.digest,
        release=action.release,
        bundle=decision.bundle,
        requirements=decision.requirements,
        expires_at=expires_at,
        view=Digest(digest(view_of(action, contract, decision))),
    )
