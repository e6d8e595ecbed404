"""argon2id (RFC 9106) with the parameters below, in threads and two at a time.

64 MiB, 3 passes, 4 lanes: the second recommended option of RFC 9106 section 4. What was made with others is still read, and
told to be stale, so that the next sign-in makes it anew. Loaded by its name, see `passwords_later`.
"""

from typing import Final

import anyio
import anyio.to_thread
from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from interlock.ports.passwords import Told

PASSES: Final = 3
MEMORY_KIB: Final = 64 * 1024
LANES: Final = 4
MOST_AT_ONCE: Final = 2
"""Each takes `MEMORY_KIB`: whoever sends thousands waits, and does not fill the memory."""


class Argon2Passwords:
    """See `Passwords`."""

    def __init__(self, *, passes: int = PASSES, memory_kib: int = MEMORY_KIB, lanes: int = LANES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID)
        self._room = anyio.CapacityLimiter(MOST_AT_ONCE)
        self._nobody = ""

    async def kept(self, password: str) -> str:
        """See `Passwords.kept`."""
        return await anyio.to_thread.run_sync(self._hasher.hash, password, limiter=self._room)

    async def told(self, password: str, kept: str) -> Told:
        """See `Passwords.told`."""
        if not self._nobody:
            self._nobody = await self.kept("the password of nobody")
        found = await anyio.to_thread.run_sync(self._told, password, kept or self._nobody, limiter=self._room)
        return found if kept else "wrong"

    def _told(self, password: str, kept: str) -> Told:
        try:
            self._hasher.verify(kept, password)
        except (Argon2Error, InvalidHashError):
            return "wrong"
        return "stale" if self._hasher.check_needs_rehash(kept) else "right"
