"""Asking people: what is bound into the question, and whether what they agreed to is still what is stored."""

from interlock.domain.action import Action
from interlock.domain.approval import Hold, hold
from interlock.domain.binding import action_digest
from interlock.domain.contract import Contract
from interlock.domain.errors import IntegrityError
from interlock.domain.policy import Decision
from interlock.domain.view import view_digest, view_of


def held(action: Action, contract: Contract, decision: Decision, expires_at: int) -> Hold:
    """What people are asked about `action`, bound to everything it is about, view included."""
    return hold(
        action=action.digest,
        contract=contract.digest,
        release=action.release,
        bundle=decision.bundle,
        requirements=decision.requirements,
        expires_at=expires_at,
        view=view_digest(view_of(action, contract, decision), action.nonce),
    )


def intact(action: Action, contract: Contract) -> None:
    """Return if what is stored of `action` is what was decided and shown, else IntegrityError.

    Somebody who can write the store could put other arguments under a person's word, or the word under other terms. A
    digest that the row carries along is no proof by itself: it is computed again from what would be executed.
    """
    asked, decision = action.hold, action.decision
    if action_digest(contract, action.arguments, action.nonce) != action.digest:
        raise altered(action, "its arguments are not those that were decided upon")
    if asked is None or decision is None:
        return
    again = hold(
        action=action.digest,
        contract=contract.digest,
        release=action.release,
        bundle=decision.bundle,
        requirements=asked.requirements,
        expires_at=asked.expires_at,
        view=asked.view,
    )
    if again.binding != asked.binding:
        raise altered(action, "what people were asked is not what is stored of it")


def altered(action: Action, what: str) -> IntegrityError:
    """What is raised instead of running something that nobody decided."""
    return IntegrityError(
        f"action {action.id} was altered in the store: {what}",
        next_step="nothing was run; find out who can write the store, and look at the proof with `interlock packet`",
        kind=Action.kind,
        key=action.id,
    )
