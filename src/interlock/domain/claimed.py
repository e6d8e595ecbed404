"""A call that is handed out to the program whose own tool it is, and the program's word on what came of it."""

from typing import Annotated, Literal

import msgspec

from interlock.domain.action import Action
from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.ids import WorkerId

_Why = Annotated[str, msgspec.Meta(max_length=2_000)]


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """An action as it stands after a program asked to make its call, or said what came of it."""

    action: Action
    call: Call | None = None
    """What the program is to call now, once, with the action's arguments; None: nothing."""
    timeout_ms: int = 0
    """How long that may take."""
    lease_ms: int = 0
    """How long after it asked its word on it counts at most: a call that cannot end by then is not begun."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one call, as the program that made it says."""

    fence: int
    """Of which call."""
    came: Literal["landed", "nothing", "unsure"]
    result: JsonValue = None
    """Of one that landed."""
    why: _Why = ""
    """Of any other."""

    @property
    def answer(self) -> Answer:
        """As a tool's answer."""
        if self.came == "landed":
            return Landed(self.result)
        return Nothing(self.why) if self.came == "nothing" else Unsure(self.why)


def report_of(fence: int, answer: Answer) -> Report:
    """`answer` to the call of that fence, as it is told."""
    match answer:
        case Landed(result=result):
            return Report(fence=fence, came="landed", result=result)
        case Nothing(why=why):
            return Report(fence=fence, came="nothing", why=why[:2_000])
        case Unsure(why=why):
            return Report(fence=fence, came="unsure", why=why[:2_000])


def holder_of(instance: str, claim: str) -> WorkerId:
    """Who holds the lease of a call that an instance claimed: that instance, by that very claim and no other of its own."""
    return WorkerId(f"program:{instance}:{claim}")
