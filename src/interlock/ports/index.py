"""An index over the log, by which actions are found. It is derived: whoever loses it makes it again from the log."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from interlock.domain.card import Card, Question
from interlock.domain.ids import ActionId


class Reached(msgspec.Struct, frozen=True):
    """How far the index has read: `next` is the first entry it has not, `leaf` the hash of the one before."""

    next: int = 0
    leaf: bytes = b""


class Index(Protocol):
    """Every method raises StoreError where the index cannot be read or written; then it may be cleared and made again."""

    async def reached(self) -> Reached:
        """How far it has read."""
        ...

    async def take(
        self, cards: Sequence[Card], *, given: Reached, now: Reached, erased: Sequence[ActionId] = ()
    ) -> bool:
        """Add the cards of the entries between `given` and `now`, and `forget` the actions `erased`, all at once. False, and
        nothing added, where the index is not (any more) at `given`: another process was faster."""
        ...

    async def find(self, question: Question, reached: int = 0) -> list[ActionId]:
        """The actions that are meant, those that began last first. Raises Conflict where fewer than `reached` entries are
        read: another process began again with nothing."""
        ...

    async def forget(self, actions: Sequence[ActionId]) -> None:
        """No longer find these by persons and records: nothing of either stays."""
        ...

    async def clear(self) -> None:
        """Begin again with nothing."""
        ...

    async def close(self) -> None:
        """Let go of it. Idempotent."""
        ...
