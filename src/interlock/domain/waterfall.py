"""When what happened in a task: each action as stretches of time on one axis, from what it was waiting for at each moment."""

from typing import Literal

import msgspec

from interlock.domain.action import ENDS, Action
from interlock.domain.use import Use

Stage = Literal["person", "worker", "running", "undo", "model"]
"""What went on: `person`: people were asked; `worker`: nobody had taken it up yet; `running`: it may have touched the world;
`undo`: it was being taken back; `model`: a model was asked."""

WORDS: dict[Stage, str] = {
    "person": "waiting for a person",
    "worker": "waiting for a worker",
    "running": "running",
    "undo": "being undone",
    "model": "asking a model",
}


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of time, UTC ms. Of what goes on still the end is now."""

    stage: Stage
    start: int
    end: int


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a waterfall."""

    kind: Literal["task", "action", "use"]
    id: str
    name: str
    state: str
    depth: int
    """How many tasks it stands in, from the one that is looked at."""
    start: int
    end: int
    stretches: tuple[Stretch, ...] = ()


def stretches_of(action: Action, now: int) -> tuple[Stretch, ...]:
    """What `action` was waiting for, in order; stretches of no time are left out."""
    over = action.state in ENDS or action.state == "done"
    end = action.ended_at if action.ended_at is not None else now
    at, found = action.proposed_at, list[Stretch]()

    def until(stage: Stage, stop: int) -> None:
        nonlocal at
        if stop > at:
            found.append(Stretch(stage=stage, start=at, end=stop))
            at = stop

    if action.hold is not None:
        until("person", _agreed_at(action, end))
    if action.first_dispatched_at is not None:
        until("worker", action.first_dispatched_at)
        until("running", end)
    elif action.state != "held":
        until("worker", end)
    if not over and action.state in ("undoing", "undo_failed"):
        until("undo", now)
    return tuple(found)


def bar_of(action: Action, depth: int, now: int) -> Bar:
    """An action's line."""
    parts = stretches_of(action, now)
    end = parts[-1].end if parts else action.ended_at or action.proposed_at
    return Bar(
        kind="action",
        id=action.id,
        name=action.contract,
        state=action.state,
        depth=depth,
        start=action.proposed_at,
        end=max(end, action.proposed_at),
        stretches=parts,
    )


def use_bar(use: Use, depth: int, now: int) -> Bar:
    """The line of a use of a model."""
    end = max(use.ended_at if use.ended_at is not None else now, use.begun_at)
    part = Stretch(stage="model", start=use.begun_at, end=end)
    return Bar(
        kind="use",
        id=use.id,
        name=use.model if use.route is None else f"{use.model} by {use.route.provider}",
        state=use.state,
        depth=depth,
        start=use.begun_at,
        end=end,
        stretches=(part,),
    )


def _agreed_at(action: Action, end: int) -> int:
    """When people had decided: the last word that counted, or whatever ended their being asked."""
    hold = action.hold
    if hold is None:
        return action.proposed_at
    if action.state == "held" or (action.first_dispatched_at is None and action.state != "ready"):
        return end
    return max((each.decided_at for each in hold.approvals), default=action.first_dispatched_at or end)
