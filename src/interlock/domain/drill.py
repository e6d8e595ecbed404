"""A drill: a brake pulled for real to see how long stopping takes, and lifted again."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import msgspec

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.control import Stop
from interlock.domain.ids import BrakeId
from interlock.domain.record import Record

DrillState = Literal["running", "done", "late", "cut short"]
"""`late`: something was in flight still when its time was over. `cut short`: whoever ran it died, or somebody else lifted
its brake first."""


class Drill(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One drill and what it measured. Why, and by whom, stands in the words of its brake."""

    kind: ClassVar[str] = "drill"

    id: BrakeId
    """Its brake's `words`."""
    stop: Stop
    state: DrillState = "running"
    pulled_at: int | None = None
    """When the brake was durable, as its commit came back."""
    began_ms: int = 0
    """From then to the last intent in its scope: 0 where none was written afterwards, as none can be."""
    ended_ms: int | None = None
    """From then to the end of the last call in its scope; None while one is still under way."""
    in_flight: int = 0
    """Calls that were under way when it was pulled."""
    unanswered: int = 0
    """Those of them whose lease ran out without an answer: the process that made them is gone, or its tool is late."""
    still: int = 0
    """Those still under way at the end."""
    waiting: int = 0
    """What was cleared and held back."""
    lifted_at: int | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return self.id


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """How one call stands that was under way when the brake was pulled."""

    began_at: int
    ended_at: int | None
    """None: it is under way still."""
    answered: bool


def seen(before: Action, now_stored: Action | None, now: int) -> Seen:
    """What became of the call under way in `before`, by how its action is stored now."""
    began = before.dispatched_at or 0
    after = now_stored if now_stored is not None else before
    if after.owner is not None and after.fence == before.fence and after.state == before.state:
        over = after.lease_until is None or now >= after.lease_until
        return Seen(began_at=began, ended_at=(after.lease_until or now) if over else None, answered=not over)
    said = after.outcome.observed_at if after.outcome is not None else 0
    return Seen(began_at=began, ended_at=said or after.ended_at or now, answered=True)


def measured(drill: Drill, calls: Sequence[Seen], waiting: int, now: int) -> Drill:
    """`drill` at its end, by what became of every call that was under way."""
    pulled = drill.pulled_at if drill.pulled_at is not None else drill.stop.since_at
    still = sum(each.ended_at is None for each in calls)
    last = max((each.ended_at for each in calls if each.ended_at is not None), default=pulled)
    return msgspec.structs.replace(
        drill,
        state="late" if still else "done",
        began_ms=max(max((each.began_at for each in calls), default=0) - pulled, 0),
        ended_ms=None if still else max(last - pulled, 0),
        in_flight=len(calls),
        unanswered=sum(each.ended_at is not None and not each.answered for each in calls),
        still=still,
        waiting=waiting,
        lifted_at=now,
    )


def told_of(drill: Drill) -> dict[str, JsonValue]:
    """What the entry about its end says of it."""
    ended: dict[str, JsonValue] = {} if drill.ended_ms is None else {"endedMs": drill.ended_ms}
    return {
        "state": drill.state,
        "beganMs": drill.began_ms,
        **ended,
        "inFlight": drill.in_flight,
        "unanswered": drill.unanswered,
        "still": drill.still,
        "waiting": drill.waiting,
    }
