"""What an agent puts before people when it cannot settle it by itself. Name it under `modules` in interlock.yaml, and
`exception.raise` among the capabilities of the agents that may.

    answer = escalate("conflicting_information", "the order and the invoice disagree", options=["order", "invoice"])

Raised in a task it waits for a person, whom the policies name by its kind; the result is what they say.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from interlock.domain.contract import Keyed
from interlock.domain.exception_case import PATTERN, RAISE
from interlock.sdk.tool import tool

Kind = Annotated[str, msgspec.Meta(pattern=PATTERN, max_length=120)]
Summary = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
Option = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Options = Annotated[Sequence[Option], msgspec.Meta(max_length=10)]
About = Annotated[str, msgspec.Meta(max_length=200)]
Answer = Annotated[str, msgspec.Meta(max_length=2_000)]


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said to it."""

    how: Literal["chosen", "instructed", "closed"]
    """`chosen`: one of the options. `instructed`: something else. `closed`: nothing more is to be done."""
    answer: str
    """The option or the instruction; empty where it was closed."""


@tool(name=RAISE, effect="read", risk="low", idempotency=Keyed(), touches="nothing")
def escalate(kind: Kind, summary: Summary, options: Options = (), about: About = "", answer: Answer = "") -> Resolution:
    """Put something before people that the agent cannot settle by itself."""
    del kind, summary, about
    if not answer:
        return Resolution(how="closed", answer="")
    return Resolution(how="chosen" if answer in options else "instructed", answer=answer)
