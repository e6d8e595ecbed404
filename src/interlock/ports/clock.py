"""Time and chance: the only doors through which they come in."""

from typing import Protocol


class Clock(Protocol):
    """The wall clock of this installation."""

    def now(self) -> int:
        """UTC ms. May be off by the installation's skew, never by more."""
        ...

    async def sleep(self, ms: int) -> None:
        """Let `ms` pass, and others go on meanwhile."""
        ...


class Ids(Protocol):
    """Fresh identifiers."""

    def new(self) -> str:
        """A UUIDv7: unique, and sorting by the time it was made."""
        ...

    def nonce(self) -> str:
        """128 random bits, hexadecimal, from the system's generator."""
        ...
