"""Entries as records of draft-sharif-agent-audit-trail: JSON Lines, each holding the SHA-256 of the one before.

https://datatracker.ietf.org/doc/draft-sharif-agent-audit-trail/ : twelve fields each record must have, for programs that
read that format. It is a view. A chain of hashes in a file proves neither its end nor who wrote it: the tree beside it does,
and each record names the entry it was made from.
"""

from hashlib import sha256
from typing import Final

from interlock.domain.account import Told, within
from interlock.domain.canonical import JsonValue, encode

FIRST: Final = "0" * 64
"""What stands for the hash of a record before the first."""
_TYPES: Final = {
    "decided": "decision",
    "approved": "decision",
    "rejected": "decision",
    "modified": "decision",
    "dispatching": "tool_call",
    "outcome": "tool_response",
    "settled": "tool_response",
    "compensation": "tool_call",
    "refused": "error",
}
_OUTCOMES: Final = {
    "done": "success",
    "undone": "success",
    "failed": "failure",
    "undo_failed": "failure",
    "unknown": "timeout",
    "expired": "timeout",
    "denied": "denied",
    "refused": "denied",
    "rejected": "denied",
    "shadowed": "denied",
    "held": "escalated",
}
_BEFORE: Final = frozenset({"decided", "approved", "rejected", "modified", "prepared", "dispatching", "refused"})


class Chain:
    """Makes the records of one file, in the order of the log."""

    def __init__(self) -> None:
        self._previous = FIRST
        self._last: dict[str, str] = {}
        self._who: dict[str, Told] = {}
        """The first entry of each action: only that one says who acts, as what, in which task and by which contract."""

    def record(self, told: Told) -> bytes:
        """The line for one entry of an action."""
        record_id = str(within(told.predicate, "recordId"))
        said = self._who.setdefault(told.action, told).predicate
        agent = str(within(said, "agent", "id")) or "unsaid"
        release = str(within(said, "agent", "release"))[:12] or "unsaid"
        state = "held" if told.state == "held" else told.state
        value: dict[str, JsonValue] = {
            "record_id": record_id,
            "timestamp": told.at,
            "agent_id": f"urn:interlock:agent:{agent}",
            # A version must read like one of software: the release is its build.
            "agent_version": f"0.0.0+{release}",
            "session_id": str(within(said, "taskId")) or told.action,
            "action_type": "escalation" if state == "held" else _TYPES.get(told.phase, "lifecycle"),
            "action_detail": {
                "action": told.action,
                "contract": str(within(said, "resource", "id")),
                "entry": told.entry,
                "phase": told.phase,
                "state": told.state,
            },
            "outcome": _OUTCOMES.get(state, "success"),
            # The program that opened the task said which agent it is; nobody proved it.
            "trust_level": "L1",
            "parent_record_id": self._last.get(told.action),
            "prev_hash": self._previous,
            "record_phase": "pre_execution" if told.phase in _BEFORE else "post_execution",
        }
        data = encode(value)
        self._previous = sha256(data).hexdigest()
        self._last[told.action] = record_id
        return data + b"\n"
