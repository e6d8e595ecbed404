"""Undoing many things: which, in which order, and when to stop.

The order is the reverse of the order in which they were done. An undo that failed, is unknown or was refused blocks
everything before it: to undo the earlier step around a later one that still stands may do new harm, so a person is
called instead.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import msgspec

from interlock.domain.action import Action, State
from interlock.domain.canonical import JsonValue, digest
from interlock.domain.contract import Contract, Reversal
from interlock.domain.errors import ContractError
from interlock.domain.filtering import raw_result
from interlock.domain.ids import ActionId, Digest, UnwindId
from interlock.domain.record import Record, Withheld

UnwindScope = Literal["action", "task", "release"]


class Unwind(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A durable request to undo everything in a scope. `done` and `blocked` are as of the last look."""

    kind: ClassVar[str] = "unwind"

    id: UnwindId
    scope: UnwindScope
    target: str
    """An action id, a task id or a release digest."""
    by: str
    why: str
    asked_at: int
    state: Literal["running", "blocked", "done"] = "running"
    blocked_by: ActionId | None = None
    blocked_why: str = ""
    undone: int = 0
    """How many actions of the scope were undone since it was asked."""
    before: int = 0
    """How many had been undone before."""
    remaining: int = 0
    due_at: int | None = None
    withheld: Withheld = ""
    """Why nothing private of it is here."""

    @property
    def key(self) -> str:
        """Its id."""
        return self.id

    @property
    def digest(self) -> Digest:
        """What evidence names as the subject: fixed when it was asked."""
        return Digest(digest({"id": self.id, "scope": self.scope, "target": self.target, "askedAt": self.asked_at}))


OPEN: frozenset[State] = frozenset({"held", "ready"})
"""Not begun: voided rather than undone."""
IN_FLIGHT: frozenset[State] = frozenset({"preparing", "prepared", "aborting", "dispatching"})
"""To be undone when it lands."""


class Undo(msgspec.Struct, frozen=True):
    """Undo this one next."""

    action: Action


class Wait(msgspec.Struct, frozen=True):
    """Something is still in flight, or its undo is."""

    action: Action


class Blocked(msgspec.Struct, frozen=True):
    """A person is needed before anything earlier may be undone."""

    action: Action
    why: str


class Finished(msgspec.Struct, frozen=True):
    """Nothing is left to undo."""


Next = Undo | Wait | Blocked | Finished


def next_undo(actions: Sequence[Action], contracts: Mapping[Digest, Contract], now: int) -> Next:
    """What to do next about `actions`, those of one scope that act and were not undone already. What a machine will still
    settle by itself is waited for; what only a program can that has the tool is not: it may never come back.

    Undos themselves (`undoes` set) must not be among them.
    """
    flying = [
        each
        for each in actions
        if each.state in IN_FLIGHT or (each.state == "unknown" and each.due_at is not None and not each.place)
    ]
    if flying:
        return Wait(flying[0])
    landed = sorted(
        (action for action in actions if action.state in ("done", "undoing", "undo_failed", "unknown")),
        key=lambda action: (_landed_at(action), action.dispatched_at or 0, action.id),
        reverse=True,
    )
    for action in landed:
        contract = contracts[action.contract_digest]
        if not contract.acts:
            continue
        match action.state:
            case "undoing":
                return Wait(action)
            case "unknown":
                return Blocked(action, "it is unknown whether it happened; settle it first")
            case "undo_failed":
                return Blocked(action, "its undo did not succeed")
            case _:
                why = irreversible_now(action, contract, now)
                return Undo(action) if why is None else Blocked(action, why)
    return Finished()


def _landed_at(action: Action) -> int:
    """When it happened, as well as we know. A lookup or a person may say so long afterwards: then when it was begun."""
    said = action.outcome
    if action.state != "unknown" and said is not None and said.by == "tool" and said.observed_at:
        return said.observed_at
    return action.dispatched_at or 0


def irreversible_now(action: Action, contract: Contract, now: int) -> str | None:
    """Why `action` cannot be undone at `now`, or None."""
    if action.withheld:
        return f"everything private of it is {action.withheld}, its arguments too"
    if not isinstance(contract.reversal, Reversal):
        why = contract.reversal.why if contract.reversal is not None else "it has no reversal"
        return f"it cannot be undone: {why}"
    if action.ended_at is not None and now > action.ended_at + contract.reversal.within_ms:
        return "the window in which it could be undone is over"
    return None


def undo_arguments(action: Action, reversal: Reversal) -> dict[str, JsonValue]:
    """The arguments of the undo, derived from what the action was given and what it gave.

    Raises ContractError where a path leads nowhere.
    """
    sources: dict[str, JsonValue] = {
        "$args": dict(action.arguments),
        "$result": raw_result(action.outcome),
    }
    return {name: resolve(value, sources) for name, value in reversal.arguments.items()}


def resolve(value: JsonValue, sources: Mapping[str, JsonValue]) -> JsonValue:
    """`value`, or what the path it spells leads to: `$args.sku`, `$result.was.minor`. `$$x` is the text `$x`."""
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    if value.startswith("$$"):
        return value[1:]
    root, *steps = value.split(".")
    if root not in sources:
        raise ContractError(f"`{value}` begins with neither `$args` nor `$result`")
    found = sources[root]
    for step in steps:
        if not isinstance(found, dict) or step not in found:
            raise ContractError(f"`{value}` leads nowhere: there is no `{step}`")
        found = found[step]
    return found
