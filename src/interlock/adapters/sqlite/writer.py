"""Who writes when: what waits becomes one transaction, so that many share one sync.

A unit of work is queued and, once the event loop has let everybody who can queue another, looked at. Several, or one
that would have to wait for anybody, are the writing thread's: it takes all there are, up to GROUP, again and again.
One alone with nobody in the way is done at once in the caller's thread. It would only wait for the other one, and two
changes of thread cost a fifth of everything an action costs the store (measured: 200 of 970 microseconds).
"""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from queue import SimpleQueue
from typing import Final

from interlock.adapters.sqlite.pen import Pen, Unit
from interlock.adapters.sqlite.saving import Work
from interlock.domain.errors import StoreError

GROUP: Final = 128
"""The most units in one transaction: other processes wait for no longer than these take (about 20 ms)."""


class Waiting(Unit):
    """A unit somebody waits for."""

    __slots__ = ("future", "loop")

    def __init__(self, work: Work, *, flushed: bool) -> None:
        super().__init__(work, flushed=flushed)
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[object] = self.loop.create_future()

    def answer(self) -> None:
        """Tell them. In their own event loop."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Writer:
    """The queue and the thread of one pen."""

    def __init__(self, pen: Pen, name: str) -> None:
        self._pen = pen
        self._held = threading.Lock()
        """Who has it may use the pen."""
        self._queue: deque[Waiting] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._entrance = threading.Lock()
        """Guards the two below, and that nobody enters the queue once it is closed."""
        self._to_be_looked_at = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"write {name}", daemon=True)
        self._thread.start()

    async def do(self, work: Work, *, flushed: bool = False) -> object:
        """Have `work` done and made durable, and give its result, or raise why it was not. See `Unit` for `flushed`."""
        unit = Waiting(work, flushed=flushed)
        with self._entrance:
            if self._closed:
                raise StoreError("the store is closed")
            self._queue.append(unit)
            if not self._to_be_looked_at:
                self._to_be_looked_at = True
                unit.loop.call_soon(self._look)
        return await unit.future

    async def close(self) -> None:
        """Finish what was begun and close the pen. Idempotent."""
        with self._entrance:
            self._closed = True
        self._bell.put(None)
        await asyncio.to_thread(self._thread.join)

    def _look(self) -> None:
        """Do what is queued if it is one that can be done at once; else it is the thread's."""
        with self._entrance:
            self._to_be_looked_at = False
        if len(self._queue) != 1 or not self._held.acquire(blocking=False):
            self._bell.put(None)
            return
        try:
            self._one_here()
            if self._queue or self._pen.crowded:
                self._bell.put(None)
        finally:
            self._held.release()

    def _one_here(self) -> None:
        unit = self._queue.popleft()
        if unit.loop is not asyncio.get_running_loop():
            self._queue.appendleft(unit)
            return
        begun = True
        try:
            begun = self._pen.write((unit,), wait=False)
        finally:
            if begun:
                unit.answer()
            else:
                self._queue.appendleft(unit)

    def _run(self) -> None:
        """Write groups until closed. An error that nobody foresaw ends it too: then the gate stays closed."""
        begun: list[Waiting] = []
        try:
            while True:
                self._bell.get()
                with self._held:
                    while self._queue:
                        begun = [self._queue.popleft() for _ in range(min(len(self._queue), GROUP))]
                        self._pen.write(begun)
                        _answer(begun)
                        begun = []
                    if self._pen.crowded:
                        self._pen.tidy()
                if self._closed and not self._queue:
                    with self._held:
                        self._pen.end()
                    break
        finally:
            with self._entrance:
                self._closed = True
            left = [*self._queue]
            for unit in left:
                unit.error = StoreError("the store is closed")
            _answer([*begun, *left])
            self._pen.close()


def _answer(units: Iterable[Waiting]) -> None:
    """Hand out results and errors, with one call for each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}
    for unit in units:
        loops.setdefault(unit.loop, []).append(unit)
    for loop, theirs in loops.items():
        with suppress(RuntimeError):  # its loop has ended: nobody waits any more
            loop.call_soon_threadsafe(_tell, theirs)


def _tell(units: list[Waiting]) -> None:
    for unit in units:
        unit.answer()
