"""What an agent cannot settle by itself, put before people, and what comes of it."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from interlock.domain.action import Action
from interlock.domain.approval import BY_DEFAULT
from interlock.domain.exception_case import RAISE, Resolution
from interlock.domain.proposal import Proposal
from interlock.domain.task import Task
from interlock.sdk.outcomes import plain_result
from interlock.sdk.proposing import Said, proposal_of


class Raising(NamedTuple):
    """One exception, as an agent raises it."""

    kind: str
    summary: str
    options: Sequence[str]
    about: str
    said: Said


def raised(task: Task, raising: Raising) -> Proposal:
    """The proposal that it is."""
    given: dict[str, object] = {
        "kind": raising.kind,
        "summary": raising.summary,
        "options": list(raising.options),
        "about": raising.about,
    }
    return proposal_of(task, RAISE, (), given, raising.said)


def resolution_of(action: Action) -> Resolution | None:
    """What came of a raised exception, or None where nobody said anything, or it was turned down."""
    if action.state == "expired":
        by_default = [each.removeprefix(BY_DEFAULT) for each in action.reasons if each.startswith(BY_DEFAULT)]
        return Resolution(how="default", answer=by_default[0]) if by_default else None
    if action.state != "done":
        return None
    said = plain_result(action)
    # Of a result that was withheld there is none.
    return msgspec.convert(said, Resolution) if isinstance(said, dict) else None
