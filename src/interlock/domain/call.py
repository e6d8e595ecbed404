"""What a tool is told with each call, and the three things that can come back."""

from typing import Any

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.ids import ActionId, TaskId


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at one action, as the tool sees it."""

    action_id: ActionId
    idempotency_key: str
    """Stable over every attempt at this action."""
    attempt: int = 1
    fence: int = 0
    """Rises with every lease: a target that keeps the highest one it saw can refuse a zombie."""
    deadline_at: int = 0
    """UTC ms after which the answer will not be waited for."""
    precondition: dict[str, JsonValue] | None = None
    """The facts the decision was made on: what a `conditional` target must still find."""
    prepared: JsonValue = None
    """What `prepare` returned, in the second phase."""
    task: TaskId = TaskId("")
    """The task it is part of."""
    traceparent: str = ""
    """W3C Trace Context of the action, where it has one."""


class Landed(msgspec.Struct, frozen=True):
    """It happened, with this result: JSON, or, where a tool's own code says so, anything that becomes JSON."""

    result: Any = None


class Nothing(msgspec.Struct, frozen=True):
    """It certainly did not happen."""

    why: str


class Unsure(msgspec.Struct, frozen=True):
    """It may or may not have happened."""

    why: str


Answer = Landed | Nothing | Unsure
