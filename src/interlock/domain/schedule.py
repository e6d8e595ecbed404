"""What happens to a question that nobody answers, worked out when it is asked, so that it is part of what people agree to."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from interlock.domain.deadline import LEAST_APART, PARKED, REMIND, Overdue, Passing, Step, Terms
from interlock.domain.policy import Requirement


class Schedule(NamedTuple):
    """Until when words count, UTC ms, and what happens before."""

    expires_at: int
    steps: tuple[Step, ...] = ()
    default: str = ""
    """What an exception is answered where nobody has by then."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What bounds every question of an action."""

    now: int
    within_ms: int
    """How long people have where the policy that asks does not say."""
    until: int | None
    """When whatever is agreed comes too late, UTC ms: the end of the task. None: an undo, which outlives its task."""
    remind: tuple[int, ...] = REMIND
    overdue: Overdue = "deny"
    """What silence means where no policy that asks says."""


def planned(requirements: Iterable[Requirement], frame: Frame, passing: Passing) -> Schedule:
    """The schedule of a question. Where several policies ask, the strictest holds: the earliest end, and it stays open beyond
    that only where every one of them says so; nor is anything said for people unless all of them say the same."""
    asked = tuple(requirements)
    ladders = [_ladder(need, frame, passing) for need in asked]
    end = min((until for until, _ in ladders), default=frame.now + frame.within_ms)
    last = frame.now + PARKED if frame.until is None else frame.until
    parks = bool(asked) and all((need.terms.overdue or frame.overdue) == "park" for need in asked) and end < last
    if frame.until is not None:
        end = min(end, frame.until)
    steps = {step for _, ladder in ladders for step in ladder if step.at < end}
    in_order = sorted(steps, key=lambda step: (step.at, step.what, step.policy, step.role))
    if parks:
        return Schedule(last, (*in_order, Step(at=end, what="overdue")))
    defaults = {need.terms.default for need in asked}
    return Schedule(end, tuple(in_order), defaults.pop() if len(defaults) == 1 else "")


def _ladder(need: Requirement, frame: Frame, passing: Passing) -> tuple[int, list[Step]]:
    """When the last role in the chain of `need` has had its time, and what happens until then."""
    terms, begun, steps = need.terms, frame.now, list[Step]()
    within = terms.within_ms or frame.within_ms
    for place, role in enumerate((need.role, *terms.escalate)):
        if place:
            steps.append(Step(at=begun, what="escalate", role=role, policy=need.policy))
        ends = _after(terms, role, begun, within, passing)
        for share in frame.remind:
            at = _after(terms, role, begun, within * share // 1000, passing)
            if at - begun >= LEAST_APART and ends - at >= LEAST_APART:
                steps.append(Step(at=at, what="remind", role=role, policy=need.policy))
        begun = ends
    return begun, steps


def _after(terms: Terms, role: str, begun: int, within: int, passing: Passing) -> int:
    return passing(role, begun, within) if terms.on_call else begun + within
