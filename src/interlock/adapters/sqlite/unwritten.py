"""In the writer's place, where somebody only looks: an auditor has the file and the public keys, and no private ones."""

from interlock.adapters.sqlite.saving import Work
from interlock.domain.errors import StoreReadOnly


class Unwritten:
    """Refuses every write."""

    async def do(self, work: Work, *, flushed: bool = False) -> object:
        """Raise StoreReadOnly."""
        del work, flushed
        raise StoreReadOnly("the store was opened to be looked at", next_step="open it with its keys to write")

    async def close(self) -> None:
        """There is nothing to finish."""
