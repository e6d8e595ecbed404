"""Asking people: what is bound into the question, and whether what they agreed to is still what is stored."""

from interlock.domain.action import Action
from interlock.domain.approval import Hold, hold
from interlock.domain.binding import action_digest
from interlock.domain.contract import Contract
from interlock.domain.errors import IntegrityError
from interlock.domain.exception_case import RAISE
from interlock.domain.policy import Decision
from interlock.domain.schedule import Frame, Schedule, planned
from interlock.domain.task import Task
from interlock.domain.view import view_digest, view_of
from interlock.services.orders import Orders
from interlock.services.zones import passing


def held(
    action: Action, contract: Contract, decision: Decision, expires_at: int, schedule: Schedule | None = None
) -> Hold:
    """What people are asked about `action`, bound to everything it is about, view included. Without a schedule the question is
    one that `action` is held for already: it has the time it had, and has come as far."""
    before = action.hold if schedule is None else None
    came = Schedule(expires_at) if before is None else Schedule(expires_at, before.steps, before.default)
    if schedule is not None:
        # Only of an exception can silence be an answer: of anything else it would be a yes.
        came = schedule if contract.name == RAISE else schedule._replace(default="")
    return hold(
        action=action.digest,
        contract=contract.digest,
        release=action.release,
        bundle=decision.bundle,
        requirements=decision.requirements,
        expires_at=expires_at,
        view=view_digest(view_of(action, contract, decision), action.nonce),
        steps=came.steps,
        walked=0 if before is None else before.walked,
        default=came.default,
    )


def asked(
    action: Action, contract: Contract, decision: Decision, orders: Orders, *, now: int, within_ms: int, task: Task
) -> Hold:
    """What people are asked anew from `now` on, with everything that happens while they do not answer."""
    routing = orders.control.routing
    frame = Frame(
        now=now,
        within_ms=within_ms,
        until=task.expires_at if action.undoes is None else None,
        remind=routing.remind,
        overdue=routing.overdue,
    )
    schedule = planned(decision.requirements, frame, passing(routing.on_call))
    return held(action, contract, decision, schedule.expires_at, schedule)


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
        steps=asked.steps,
        default=asked.default,
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
