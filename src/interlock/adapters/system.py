"""The wall clock and the identifiers of this machine."""

import secrets
import time

import anyio
import uuid_utils


class SystemClock:
    """The operating system's clock."""

    def now(self) -> int:
        """UTC ms."""
        return time.time_ns() // 1_000_000

    async def sleep(self, ms: int) -> None:
        """Let `ms` pass."""
        await anyio.sleep(max(ms, 0) / 1000)


class SystemIds:
    """UUIDv7 from this machine's clock, and randomness from its generator."""

    def new(self) -> str:
        """A UUIDv7 in its canonical text. Those of one process sort in the order they were made."""
        return str(uuid_utils.uuid7())

    def nonce(self) -> str:
        """128 random bits, hexadecimal."""
        return secrets.token_hex(16)
