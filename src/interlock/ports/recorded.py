"""What was decided, read again."""

from typing import Protocol

from interlock.domain.ids import ActionId
from interlock.domain.whatif import Decided


class Recorded(Protocol):
    """The actions there were, as much of each as is needed to ask the policies again."""

    async def decided(self, *, since_at: int, before: ActionId | None, limit: int) -> list[Decided]:
        """Up to `limit` actions proposed at `since_at` or later, newest id first, with ids that sort before `before`.

        An empty page is the end. Raises StoreError when the store cannot answer.
        """
        ...
