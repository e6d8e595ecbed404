"""An index over the log, by which actions are found."""

from collections.abc import Sequence
from typing import Protocol

from interlock.domain.card import Card, Question
from interlock.domain.ids import ActionId
from interlock.ports.derived import Derived, Reached


class Index(Derived, Protocol):
    """Of words and the actions they are said of."""

    async def take(
        self, cards: Sequence[Card], *, given: Reached, now: Reached, erased: Sequence[ActionId] = ()
    ) -> bool:
        """Add the cards of the entries between `given` and `now`, and no longer find the actions `erased` by persons and records,
        of which nothing stays; all at once. False, and nothing added, where the index is not (any more) at `given`: another
        process was faster."""
        ...

    async def find(self, question: Question, reached: int = 0) -> list[ActionId]:
        """The actions that are meant, those that began last first. Raises Conflict where fewer than `reached` entries are
        read: another process began again with nothing."""
        ...
