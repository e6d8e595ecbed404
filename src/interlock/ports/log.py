"""The evidence log, as it is read. It is written only by `Store.commit`, in the transaction of the state it belongs to."""

from typing import Protocol

from interlock.domain.evidence import Entry
from interlock.domain.ids import ActionId


class Log(Protocol):
    """Entries, tiles and the signed head."""

    async def head(self) -> str | None:
        """The latest checkpoint as a signed note, or None while the log is empty."""
        ...

    async def checkpoint_at(self, size: int) -> str | None:
        """The checkpoint signed at exactly `size` entries, or None."""
        ...

    async def checkpoints(self, start: int, stop: int) -> list[tuple[int, str]]:
        """The checkpoints signed over more than `start` and at most `stop` entries, each behind its size, in order."""
        ...

    async def entries(self, start: int, stop: int) -> list[Entry]:
        """Entries `start` to `stop` - 1, in order; fewer if they are missing."""
        ...

    async def entries_of(self, action: ActionId) -> list[Entry]:
        """Every entry of one action, in order."""
        ...

    async def marked(self, *phases: str) -> list[Entry]:
        """Every entry of these phases, in order; of those in `MARKED` without reading the others."""
        ...

    async def tile(self, level: int, index: int, width: int) -> bytes | None:
        """The first `width` hashes of a tile (C2SP tlog-tiles), or None if it is missing."""
        ...
