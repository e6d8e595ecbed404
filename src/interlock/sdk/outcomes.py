"""What came of a proposed action, as the agent's code sees it.

`Done` carries the tool's result. All others are exceptions, so that calling a tool gives its result or says why not; and they
are values, so that `propose` can give them to a `match`.
"""

from typing import ClassVar, TypeAlias, assert_never

import msgspec

from interlock.domain.action import Action, State
from interlock.domain.approval import Query
from interlock.domain.brakes import BEGINS
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import Fault, InterlockError
from interlock.domain.ids import ActionId
from interlock.domain.output import Taken, in_words
from interlock.domain.policy import Verdict
from interlock.domain.presented import REFUSALS
from interlock.sdk.ticket import Ticket


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The effect happened, once, and this is what the tool returned.

    `verified` is what the contract's postcondition said (None: it has none); `note` says if the result is not what the
    contract promises.
    """

    action_id: ActionId
    result: object
    verified: bool | None = None
    note: str = ""
    reasons: tuple[str, ...] = ()
    masked: int = 0
    """In how many places something was taken of the result before it came here: secrets, and what the contract says."""
    taken: tuple[Taken, ...] = ()
    """What was taken where, never what it was."""
    withheld: bool = False
    """Whether nothing of the result may be had; a tool that is simply called raises `Withheld` then."""
    task: str = ""
    """The task it was done in."""


_NEXT: dict[str, str] = {
    "interlock.arguments": "mend the arguments: `interlock show CONTRACT` says what it takes",
    "interlock.capability": "name the contract under `capabilities` in the agent's file, then `interlock apply`",
    "interlock.contract-changed": "bring this code's contract into force with `interlock apply`, or run the code that is in "
    "force; then open another task",
    "interlock.limit": "nothing in this task; what the agent may do is in its file",
    "interlock.task": "nothing in this task; open another that is given what it takes (`tools=`, `data=`)",
    "interlock.revoked": "nothing in this task: what was revoked stays so; have the work given out anew, in another task",
    "interlock.rights": "ask somebody who may lend it to be the one it is for, or say so in rights.yaml, then `interlock apply`",
    "interlock.budget": "raise the budget in the workspace, or wait until something reserved is released",
    "interlock.rate": "wait as long as it says, or allow more calls in the workspace",
    "interlock.cost": "mend the contract's cost or the arguments it is read from",
    **{f"interlock.{code}": refusal.next for code, refusal in REFUSALS.items()},
}
"""What can be done about each rule of ours."""

_LIFT = "`interlock brakes` lists what is stopped, `interlock resume WHAT --as NAME` lifts it"

_SAID: dict[State, str] = {"failed": "failed", "expired": "expired"}


def why(action: Action) -> tuple[str, tuple[str, ...]]:
    """The rule of ours that refused `action` (empty where none did), and the reasons in words."""
    if action.state == "refused" and action.reasons and action.reasons[0] in _NEXT:
        return action.reasons[0], action.reasons[1:]
    error = action.outcome.error if action.outcome is not None and action.state in ("failed", "unknown") else ""
    return "", (*action.reasons, *((error,) if error and error not in action.reasons else ()))


def advice(action: Action) -> str:
    """What can be done about the rule of ours that refused `action`; empty where none did."""
    return _NEXT.get(why(action)[0], "")


class NotDone(InterlockError):
    """The tool's effect did not happen, has not happened yet, or may not have happened.

    `state` is the action's, `reasons` are sentences, and `rule` is the rule of ours that refused it, if one did.
    """

    code = "not_done"
    fault: ClassVar[Fault] = "yours"

    def __init__(self, action: Action) -> None:
        rule, reasons = why(action)
        said = "; ".join(reasons) + (f" ({rule})" if rule else "")
        super().__init__(
            f"`{action.contract}` {_SAID.get(action.state, f'is {action.state}')}" + (f": {said}" if said else ""),
            next_step=_LIFT if any(each.startswith(tuple(BEGINS.values())) for each in reasons) else _NEXT.get(rule),
            action=action.id,
            state=action.state,
            reasons=list(reasons),
            **({"rule": rule} if rule else {}),
        )
        self.action_id = action.id
        self.task: str = action.task
        self.state: State = action.state
        self.reasons = reasons
        self.because: tuple[str, ...] = action.decision.because if action.decision is not None else ()
        """The ids of the policies and rules that decided; empty where policy was not asked."""
        self.rule = rule


class Refused(NotDone):
    """The arguments do not fit the contract, or a limit or a budget is reached. Policy was not asked."""

    code = "refused"
    next = "mend the arguments, or ask for another limit"


class Denied(NotDone):
    """Policy or a person said no, nobody answered in time, or it was withdrawn. `state` says which."""

    code = "denied"
    next = "do something else; asking again gives the same answer"


class Shadowed(NotDone):
    """Nothing was touched. `would_be` is what the decision would have been outside shadow."""

    code = "shadowed"
    next = "nothing; the agent is in shadow"

    def __init__(self, action: Action) -> None:
        super().__init__(action)
        self.would_be: Verdict | None = action.decision.would_be if action.decision else None


class Failed(NotDone):
    """The tool says that nothing happened."""

    code = "failed"
    next = "look at the tool's reason"


class _Open(NotDone):
    """It is not over: `ticket` can be waited for."""

    def __init__(self, action: Action, ticket: "Ticket[Outcome]") -> None:
        super().__init__(action)
        self.ticket = ticket


class Held(_Open):
    """People must agree first. `ticket.wait()` gives the outcome when they have."""

    code = "held"
    next = "wait for the ticket, or come back with the same idempotency key"

    def __init__(self, action: Action, ticket: "Ticket[Outcome]") -> None:
        super().__init__(action, ticket)
        self.questions: tuple[Query, ...] = () if action.hold is None else action.hold.questions
        """What reviewers asked about it, answered or not: `task.answer(held, "...")`."""


class Pending(_Open):
    """Cleared, but only a worker can run it, or one is at it."""

    code = "pending"
    next = "start a worker: `interlock work`; then wait for the ticket"


class Unknown(_Open):
    """It may or may not have happened. A lookup or a person settles it; never call again under another key."""

    code = "unknown"
    next = "wait for the ticket, or settle it: `interlock settle ACTION`"


class Withheld(InterlockError):
    """It is done, and its result may not be had: the contract refuses results that hold secrets, or it could not be looked
    through. Calling again would do it again."""

    code = "withheld"
    fault: ClassVar[Fault] = "yours"
    next = "go on without the result; `interlock show ACTION` says what was found in it"

    def __init__(self, done: Done) -> None:
        found = ", ".join(in_words(done.taken))
        super().__init__(f"it is done, and its result is withheld: {found}", action=done.action_id)
        self.action_id = done.action_id
        self.taken = done.taken


Outcome: TypeAlias = Done | Refused | Denied | Shadowed | Failed | Held | Pending | Unknown


def outcome_of(action: Action, ticket: Ticket[Outcome], result: object) -> Outcome:
    """The outcome that `action`'s state means to its caller. `result` is its result as the tool's type."""
    match action.state:
        case "done" | "undoing" | "undone" | "undo_failed":
            said = action.outcome
            redaction = said.redaction if said else None
            return Done(
                action_id=action.id,
                result=result,
                verified=said.verified if said else None,
                note=said.note if said else "",
                masked=redaction.places if redaction else 0,
                taken=redaction.taken if redaction else (),
                withheld=redaction.withheld if redaction else False,
                task=action.task,
            )
        case "refused":
            return Refused(action)
        case "denied" | "rejected" | "expired" | "voided":
            return Denied(action)
        case "shadowed":
            return Shadowed(action)
        case "failed":
            return Failed(action)
        case "held":
            return Held(action, ticket)
        case "unknown":
            return Unknown(action, ticket)
        case "ready" | "preparing" | "prepared" | "aborting" | "dispatching":
            return Pending(action, ticket)
        case _:
            assert_never(action.state)


def plain_result(action: Action) -> JsonValue:
    """What its caller gets of what the tool returned, as JSON."""
    return action.outcome.result if action.outcome is not None else None
