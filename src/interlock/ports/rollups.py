"""Figures read from the log: what there was of each kind by hour and by day, and what people ruled on."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from interlock.domain.course import Ruling, Sighting
from interlock.domain.ids import ActionId, ContractName
from interlock.ports.derived import Derived, Reached

Grain = Literal["hour", "day"]
Series = Literal["all", "agent", "contract", "release"]
"""By what figures are kept apart: not at all, or by one thing at a time."""


class Tallied(NamedTuple):
    """How many of one kind."""

    group: str
    """The beginning of the hour or day in UTC ms as text, or the name of the agent, contract or release."""
    what: str
    """A mark: see `domain.course.marks`."""
    n: int


class Ruled(NamedTuple):
    """How many actions that people were asked about were alike in all of this."""

    agent: str
    contract: str
    policies: tuple[str, ...]
    """For which they were asked."""
    ruling: Ruling
    modified: bool
    error: bool
    """Approved, and it went wrong or was taken back."""
    in_vain: bool
    waited: int | None
    """The class of how long they were asked; None while they are."""
    n: int


class Spoken(NamedTuple):
    """How many words of one person were alike in all of this."""

    person: str
    """Empty: it is none of those asked about."""
    verdict: str
    """`approve`, `reject` or `modify`."""
    error: bool
    waited: int
    """The class of how long it was from the question to the word."""
    n: int
    known_bad: bool = False
    """They were on items that were known to be bad."""


class Rollups(Derived, Protocol):
    """In a file of its own; persons stand in it as keyed digests."""

    async def take(
        self, seen: Sequence[Sighting], *, given: Reached, now: Reached, erased: Sequence[ActionId] = ()
    ) -> bool:
        """Add what the entries between `given` and `now` say, and no longer say who spoke on the actions `erased`, all at once.
        False, and nothing added, where it is not (any more) at `given`: another process was faster."""
        ...

    async def tallied(
        self, grain: Grain, series: Series, *, since_at: int, until_at: int, by_time: bool = False
    ) -> list[Tallied]:
        """Sums over whole hours or days that begin in the span: by name, or by time over all names."""
        ...

    async def ruled(self, *, since_at: int, until_at: int) -> list[Ruled]:
        """Of the actions that people began to be asked about on days (UTC) that begin in the span."""
        ...

    async def spoken(self, people: Sequence[str], *, since_at: int, until_at: int) -> list[Spoken]:
        """Of the words that were said on days (UTC) that begin in the span."""
        ...

    async def near(self, contract: ContractName, limit: int) -> list[ActionId]:
        """Actions of `contract` that people approved, rejected or let expire, the last ones first."""
        ...
