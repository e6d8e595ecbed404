"""Asking others to sign: witnesses for cosignatures, a time-stamping authority for tokens."""

from typing import Protocol

from interlock.domain.quorum import Witness


class Witnesses(Protocol):
    """The way to witnesses."""

    async def ask(self, witness: Witness, request: bytes) -> tuple[int, bytes]:
        """Status and body of its answer to a C2SP tlog-witness request. Raises WitnessError where there is none."""
        ...


class Stamper(Protocol):
    """The way to one time-stamping authority (RFC 3161)."""

    async def stamp(self, data: bytes) -> bytes:
        """Its token over the SHA-256 of `data`, checked. Raises WitnessError."""
        ...

    def check(self, token: bytes, data: bytes) -> int:
        """The time, UTC ms, that a token states over `data`. Raises NoteError where it is not this authority's."""
        ...
