"""What an agent puts before people when it cannot settle it by itself. Name it under `modules` in interlock.yaml, and
`exception.raise` among the capabilities of the agents that may.

    answer = task.escalate("conflicting_information", "the order and the invoice disagree", options=["order", "invoice"])

It waits for a person, whom the policies name by its kind; the result is what they say. This is the tool behind that; called by
itself in a task it raises `Held`, for programs that go on with something else meanwhile.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from interlock.domain.contract import Keyed
from interlock.domain.exception_case import PATTERN, RAISE, Resolution
from interlock.sdk.tool import tool

__all__ = ["Resolution", "escalate"]

Kind = Annotated[str, msgspec.Meta(pattern=PATTERN, max_length=120)]
Summary = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
Option = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Options = Annotated[Sequence[Option], msgspec.Meta(max_length=10)]
About = Annotated[str, msgspec.Meta(max_length=200)]
Answer = Annotated[str, msgspec.Meta(max_length=2_000)]


@tool(name=RAISE, effect="read", risk="low", idempotency=Keyed(), touches="nothing")
def escalate(kind: Kind, summary: Summary, options: Options = (), about: About = "", answer: Answer = "") -> Resolution:
    """Put something before people that the agent cannot settle by itself."""
    del kind, summary, about
    if not answer:
        return Resolution(how="closed", answer="")
    return Resolution(how="chosen" if answer in options else "instructed", answer=answer)
