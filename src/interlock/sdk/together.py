"""One attempt for all who want the same thing at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


class _Attempt(Generic[R]):
    """One that is under way, and the loop it is made on."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.over = asyncio.Event()
        self.found: list[R] = []


class Together(Generic[K, R]):
    """Lets the first who asks for something find it, and gives it to whoever asked meanwhile."""

    def __init__(self) -> None:
        self._under_way: dict[K, _Attempt[R]] = {}

    async def one(self, wanted: K, work: Callable[[], Awaitable[R]]) -> R:
        """What `work` gives, made here or by who is at it already. Where that fails, or is cancelled, each tries for itself: what
        went wrong was theirs."""
        attempt = self._under_way.get(wanted)
        # One of a loop that ended before it did will never be over.
        if attempt is not None and attempt.loop is asyncio.get_running_loop():
            await attempt.over.wait()
            return attempt.found[0] if attempt.found else await work()
        attempt = self._under_way[wanted] = _Attempt()
        try:
            found = await work()
            attempt.found.append(found)
            return found
        finally:
            if self._under_way.get(wanted) is attempt:
                del self._under_way[wanted]
            attempt.over.set()
