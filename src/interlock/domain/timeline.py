"""What happened to an action so far, and what is to come, in the order in which it does."""

from typing import Final, Literal

import msgspec

from interlock.domain.action import MEANING, Action
from interlock.domain.approval import Hold
from interlock.domain.task import Task


class Moment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the timeline."""

    at: int
    what: Literal[
        "task", "proposed", "decided", "again", "held", "asked", "answered", "delegated", "approve", "reject", "deadline",
        "dispatched", "ended", "remind", "escalate", "overdue",
    ]  # fmt: skip
    words: str
    who: str = ""


def timeline_of(action: Action, task: Task | None) -> tuple[Moment, ...]:
    """The moments of `action`, the first being that its task was opened."""
    found: list[Moment] = []
    if task is not None:
        found.append(Moment(at=task.opened_at, what="task", words="the task was opened", who=task.initiator))
    found.append(Moment(at=action.proposed_at, what="proposed", words="proposed", who=action.agent))
    if action.hold is not None:
        said = [*_spoken(action.hold), *_routed(action.hold)]
        found += [*_decided(action, min((each.at for each in said), default=None)), *said]
        if action.state == "held":
            found.append(Moment(at=action.hold.expires_at, what="deadline", words="the time to decide is over"))
    else:
        found += _decided(action, None)
    if action.first_dispatched_at is not None:
        found.append(Moment(at=action.first_dispatched_at, what="dispatched", words="it began to touch the world"))
    ended, settled = action.ended_at, action.outcome is not None and action.outcome.by == "person"
    if ended is None and action.state == "unknown" and action.outcome is not None and action.outcome.observed_at:
        ended = action.outcome.observed_at
    if ended is not None:
        words = "a person looked, and said what became of it" if settled else f"it is {action.state}"
        found.append(Moment(at=ended, what="ended", words=f"{words}: {MEANING[action.state]}"))
    return tuple(sorted(found, key=lambda each: each.at))


def _decided(action: Action, spoken_at: int | None) -> list[Moment]:
    """When policy was asked. What is kept is its last answer: where people had spoken before that, it was asked twice."""
    if action.decision is None:
        return []
    at, verdict = action.decision.decided_at, action.decision.verdict
    if spoken_at is None or spoken_at >= at:
        return [Moment(at=at, what="decided", words=f"policy said: {verdict.replace('_', ' ')}")]
    passed = action.state != "held" and verdict in ("require_approval", "escalate")
    again = "what people said is enough" if passed else verdict.replace("_", " ")
    return [
        Moment(at=action.proposed_at, what="decided", words="policy said: people must agree"),
        Moment(at=at, what="again", words=f"policy was asked again: {again}"),
    ]


def _routed(asked: Hold) -> list[Moment]:
    """What came to pass while nobody answered."""
    words = {"remind": "was reminded", "escalate": "may answer as well", "overdue": "overdue, and still open"}
    return [
        Moment(at=each.at, what=each.what, words=words[each.what], who=each.role)
        for each in asked.steps[: asked.walked]
    ]


def _spoken(asked: Hold) -> list[Moment]:
    found = [
        Moment(at=word.decided_at, what=word.verdict, words=_SAID[word.verdict], who=word.person)
        for word in asked.approvals
    ]
    for query in asked.questions:
        found.append(
            Moment(at=query.asked_at, what="asked", words=f"question {query.number} to the agent", who=query.person)
        )
        if query.answered_at is not None:
            found.append(Moment(at=query.answered_at, what="answered", words=f"question {query.number} was answered"))
    for each in asked.handings:
        found.append(Moment(at=each.at, what="delegated", words=f"handed to {each.to}", who=each.by))
        if each.back_at is not None:
            found.append(Moment(at=each.back_at, what="delegated", words=f"taken back from {each.to}", who=each.by))
    return found


_SAID: Final = {"approve": "agreed", "reject": "said no"}
