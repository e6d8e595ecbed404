"""Reading the log into what is derived from it, some entries at a time.

A crash between two steps loses nothing but time. What an erasure covers is told in the step that reads of it. What read
another log than this one (a backup was restored, a file exchanged) is cleared and made again.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import anyio

from interlock.domain.account import told, within
from interlock.domain.erasure import numbers_in
from interlock.domain.errors import IntegrityError
from interlock.domain.evidence import Entry
from interlock.domain.ids import ActionId
from interlock.domain.note import parse_checkpoint, parse_note
from interlock.ports.derived import Derived, Reached
from interlock.ports.log import Log

STEP: Final = 2_000
"""Entries of one step."""
SMALL_STEP: Final = 100
"""Entries of one step where others are served meanwhile: they wait for no longer than these take."""
LITTLE: Final = 200
"""So many entries are read on at once by whoever asks: they take some milliseconds. More are left to whoever keeps it warm."""
ERASED: Final = "erased"
Progress = Callable[[int, int], None]


class Taker(Protocol):
    """Takes entries of the log into what is derived, and forgets the actions `erased`, all at once: see `Index.take`."""

    def __call__(
        self, entries: Sequence[Entry], *, given: Reached, now: Reached, erased: Sequence[ActionId]
    ) -> Awaitable[bool]:
        """False, and nothing taken, where another process was faster."""
        ...


async def size_of(log: Log) -> int:
    """How many entries the log has."""
    note = await log.head()
    return parse_checkpoint(parse_note(note.encode()).text).size if note is not None else 0


async def caught_up(
    log: Log, derived: Derived, take: Taker, progress: Progress | None = None, *, gently: bool = False
) -> int:
    """Bring `derived` to the log's head, and give the size of the log there. `gently`: in small steps, with as long a rest after
    each as it took. Raises StoreError, and IntegrityError where an entry is missing."""
    size = await size_of(log)
    reached = await derived.reached()
    if not await _same(log, reached, size):
        await derived.clear()
        reached = await derived.reached()
    while reached.next < size:
        began = anyio.current_time()
        reached = await _step(log, derived, take, reached, min(reached.next + (SMALL_STEP if gently else STEP), size))
        if progress is not None:
            progress(reached.next, size)
        if gently:
            await anyio.sleep(anyio.current_time() - began)
    return size


async def nearly_caught_up(log: Log, derived: Derived, take: Taker) -> tuple[int, int]:
    """Read on where there is little to read. Gives how many entries were read, and how many are left."""
    size, reached = await size_of(log), (await derived.reached()).next
    if 0 < size - reached <= LITTLE:
        reached = await caught_up(log, derived, take)
    return reached, max(size - reached, 0)


async def _same(log: Log, reached: Reached, size: int) -> bool:
    """Whether what was read is the beginning of this log."""
    if not reached.next:
        return True
    if reached.next > size:
        return False
    last = await log.entries(reached.next - 1, reached.next)
    return bool(last) and last[0].leaf_hash == reached.leaf


async def _step(log: Log, derived: Derived, take: Taker, given: Reached, stop: int) -> Reached:
    entries = await log.entries(given.next, stop)
    for place, entry in zip(range(given.next, stop), [*entries, None], strict=False):
        if entry is None or entry.index != place:
            raise IntegrityError(f"entry {place} of the log is missing", next_step="`interlock verify` says more")
    erased = [each for entry in entries if entry.phase == ERASED for each in await _covered(log, entry)]
    now = Reached(entries[-1].index + 1, entries[-1].leaf_hash)
    taken = await take(entries, given=given, now=now, erased=erased)
    return now if taken else await derived.reached()


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
