"""Waking whoever waits for a commit, by anybody.

Our own commits wake at once. Those of other processes are seen by asking the store for its version every few
milliseconds, once for all waiters of an event loop and only while somebody waits.

A commit between a waiter's last look and its call must not be slept through, so each asyncio task's last seen version
is kept. Of a task that never waited before we cannot know what it saw: it is told "perhaps" after 50 ms at most.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

POLL_MS: Final = 5
CALM_POLL_MS: Final = 50
CALM: Final = 0.02
"""We look again after this share of the time for which nothing has changed, within the two bounds above: who waited for
a minute is woken 50 ms later at most, and an idle worker costs half a percent of a core (measured)."""
PERHAPS_MS: Final = 50


class Changes:
    """Who waits, in which event loop. `version` gives a number that differs after every commit."""

    def __init__(self, version: Callable[[], int], *, alone: bool = False) -> None:
        self._version = version
        self._alone = alone
        self._rooms: dict[asyncio.AbstractEventLoop, _Room] = {}

    async def wait(self, timeout_ms: int) -> bool:
        """Wait for a commit, at most `timeout_ms`. True if there may have been one."""
        loop = asyncio.get_running_loop()
        room = self._rooms.get(loop)
        if room is None:
            # Rooms of loops that have ended would otherwise be kept for ever.
            self._rooms = {each: kept for each, kept in self._rooms.items() if not each.is_closed()}
            room = self._rooms[loop] = _Room(loop, self._version, alone=self._alone)
        return await room.wait(timeout_ms)

    def notify(self) -> None:
        """Somebody in this process committed. From any thread."""
        for loop, room in list(self._rooms.items()):
            if room.waiting and not loop.is_closed():
                loop.call_soon_threadsafe(room.look)

    def close(self) -> None:
        """Let everybody go; nobody asks for the version any more."""
        for loop, room in list(self._rooms.items()):
            room.closed = True
            if not loop.is_closed():
                loop.call_soon_threadsafe(room.empty)


class _Room:
    """The waiters of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, version: Callable[[], int], *, alone: bool) -> None:
        self.waiting: dict[asyncio.Future[bool], int] = {}
        self.closed = False
        self._seen: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()
        self._loop = loop
        self._version = version
        self._alone = alone
        self._next: asyncio.TimerHandle | None = None
        self._changed_at = loop.time()

    async def wait(self, timeout_ms: int) -> bool:
        """As `Changes.wait`, in this loop."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can wait")
        now = self._version()
        seen = self._seen.get(task)
        if seen is not None and seen != now:
            self._seen[task] = now
            return True
        future: asyncio.Future[bool] = self._loop.create_future()
        self.waiting[future] = now
        patience = timeout_ms if seen is not None else min(timeout_ms, PERHAPS_MS)
        timeout = self._loop.call_later(patience / 1000, _answer, future, seen is None)
        self._keep_looking()
        try:
            return await future
        finally:
            timeout.cancel()
            del self.waiting[future]
            moved = future.done() and not future.cancelled() and future.result() and not self.closed
            self._seen[task] = self._version() if moved else now

    def look(self) -> None:
        """Wake those for whom something changed."""
        if self.closed:
            return
        version = self._version()
        for future, seen in self.waiting.items():
            if seen != version:
                self._changed_at = self._loop.time()
                _answer(future, True)

    def empty(self) -> None:
        """Wake everybody: there is nothing to wait for any more."""
        if self._next is not None:
            self._next.cancel()
        for future in self.waiting:
            _answer(future, True)

    def _keep_looking(self) -> None:
        if self._next is None and not self._alone:
            self._next = self._loop.call_later(POLL_MS / 1000, self._poll)

    def _poll(self) -> None:
        self._next = None
        self.look()
        if self.waiting:
            calm = self._loop.time() - self._changed_at
            self._next = self._loop.call_later(min(max(calm * CALM, POLL_MS / 1000), CALM_POLL_MS / 1000), self._poll)


def _answer(future: asyncio.Future[bool], changed: bool) -> None:
    if not future.done():
        future.set_result(changed)
