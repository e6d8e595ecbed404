"""Reading the log into what is derived from it, some entries at a time.

A crash between two steps loses nothing but time. What an erasure covers is told in the step that reads of it. What read
another log than this one (a backup was restored, a file exchanged) is cleared and made again.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

import anyio

from interlock.domain.account import told, within
from interlock.domain.erasure import numbers_in
from interlock.domain.errors import IndexDamaged, IntegrityError
from interlock.domain.evidence import Entry
from interlock.domain.ids import ActionId
from interlock.ports.derived import Derived, Reached
from interlock.ports.log import Log
from interlock.services.showing import opened_as, unverified

_log = logging.getLogger("interlock.following")
D = TypeVar("D", bound=Derived)
T = TypeVar("T")

STEP: Final = 2_000
"""Entries of one step."""
SMALL_STEP: Final = 100
"""Entries of one step where others are served meanwhile: they wait for no longer than these take."""
LITTLE: Final = 200
"""So many entries are read on at once by whoever asks: they take some milliseconds. More are left to whoever keeps it warm."""
ERASED: Final = "erased"
Progress = Callable[[int, int], None]


async def size_of(log: Log) -> int:
    """How many entries the log has, as its last checkpoint says. Raises IntegrityError where that cannot be read."""
    note = await log.head()
    return 0 if note is None else opened_as(note, unverified).size


class Following(ABC, Generic[D]):
    """What is derived from the log: opened when it is first needed, read on to the log's head, and asked. Subclasses say what
    becomes of entries. What is found damaged is begun again with nothing, once: it is no evidence."""

    def __init__(self, log: Log, opens: Callable[[], D]) -> None:
        self._log = log
        self._open = opens
        self._opened: D | None = None

    @property
    def derived(self) -> D:
        """What is asked. Opened when it is first needed: most who have a control plane ask nothing of it."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    async def catch_up(self, progress: Progress | None = None, *, gently: bool = False) -> int:
        """Read on to the log's head, and give the size of the log there. `gently`, where others are served meanwhile: in small
        steps, with as long a rest after each as it took. Raises StoreError, and IntegrityError where an entry is missing."""
        return await self._sound(lambda: self._read_on(progress, SMALL_STEP if gently else STEP, rests=gently))

    async def close(self) -> None:
        """Let go of it, if it was opened. Idempotent."""
        if self._opened is not None:
            await self._opened.close()

    # -- for those who derive -----------------------------------------------------------------------------------------

    @abstractmethod
    async def _take(
        self, entries: Sequence[Entry], *, given: Reached, now: Reached, erased: Sequence[ActionId]
    ) -> bool:
        """Take entries into what is derived, and forget the actions `erased`, all at once: see `Index.take`. False, and nothing
        taken, where another process was faster."""

    async def _sound(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work`, which asks what is derived; where that is damaged, begin it again and do it once more."""
        try:
            return await work()
        except IndexDamaged as error:
            _log.warning("what is read from the log is made again: %s", error.detail)
            await self.derived.clear()
            return await work()

    async def _read_a_little(self, most: int = LITTLE) -> tuple[int, int]:
        """Read on where there is at most so much to read. Gives how many entries were read, and how many are left."""
        size, reached = await size_of(self._log), (await self.derived.reached()).next
        if 0 < size - reached <= most:
            reached = await self._read_on(None, STEP)
        return reached, max(size - reached, 0)

    # -- parts --------------------------------------------------------------------------------------------------------

    async def _read_on(self, progress: Progress | None, step: int, *, rests: bool = False) -> int:
        size = await size_of(self._log)
        reached = await self.derived.reached()
        if not await _same(self._log, reached, size):
            await self.derived.clear()
            reached = await self.derived.reached()
        while reached.next < size:
            began = anyio.current_time()
            reached = await self._step(reached, min(reached.next + step, size))
            if progress is not None:
                progress(reached.next, size)
            if rests:
                await anyio.sleep(anyio.current_time() - began)
        return size

    async def _step(self, given: Reached, stop: int) -> Reached:
        entries = await self._log.entries(given.next, stop)
        for place, entry in zip(range(given.next, stop), [*entries, None], strict=False):
            if entry is None or entry.index != place:
                raise IntegrityError(f"entry {place} of the log is missing", next_step="`interlock verify` says more")
        erased = [each for entry in entries if entry.phase == ERASED for each in await _covered(self._log, entry)]
        now = Reached(entries[-1].index + 1, entries[-1].leaf_hash)
        taken = await self._take(entries, given=given, now=now, erased=erased)
        return now if taken else await self.derived.reached()


async def _same(log: Log, reached: Reached, size: int) -> bool:
    """Whether what was read is the beginning of this log."""
    if not reached.next:
        return True
    if reached.next > size:
        return False
    last = await log.entries(reached.next - 1, reached.next)
    return bool(last) and last[0].leaf_hash == reached.leaf


async def _covered(log: Log, entry: Entry) -> list[ActionId]:
    """The actions of the entries that an erasure covers."""
    said = told(entry.index, entry.leaf)
    covers = str(within(said.predicate, "covers")) if said is not None else ""
    try:
        indexes = numbers_in(covers, entry.index)
    except ValueError:
        return []  # verifying names it
    found = [await log.entries(each, each + 1) for each in indexes]
    return [each.action for some in found for each in some if each.action is not None]
