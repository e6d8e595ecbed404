"""What is read from the log and kept beside it. It is derived: whoever loses it makes it again from the log."""

from typing import Protocol

import msgspec


class Reached(msgspec.Struct, frozen=True):
    """How far it has read: `next` is the first entry it has not, `leaf` the hash of the one before."""

    next: int = 0
    leaf: bytes = b""


class Derived(Protocol):
    """Every method raises StoreError where it cannot be read or written; then it may be cleared and made again."""

    async def reached(self) -> Reached:
        """How far it has read."""
        ...

    async def clear(self) -> None:
        """Begin again with nothing, also where what was there is damaged."""
        ...

    async def close(self) -> None:
        """Let go of it. Idempotent."""
        ...
