"""Showing the log to others: its files, on a shelf they can read.

1. What the shelf shows is read, then the log's head: the log must continue what is shown.
2. The tiles of what is new are read from the log, and their root is computed: it must be the head's. Nothing was put yet.
3. Bundle by bundle the entries are read, held against those tiles, and put, with every tile that becomes full; then the
   tiles at the right edge that are not full.
4. The checkpoint is put last, in the place of exactly the one that was read in step 1. Who was overtaken begins again.
5. What became superfluous is taken away: partial tiles whose full one is there now, as the format allows.

A crash before step 4 leaves the old checkpoint and all it covers; what was put beyond it is put again, and is the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from interlock.domain.errors import Conflict, IntegrityError, NotAllowed, NotFound
from interlock.domain.evidence import Entry
from interlock.domain.log_files import CHECKPOINT, BundleId, edge_of, frontier_of, partial_folder
from interlock.domain.merkle import HASH_BYTES, Frontier, leaf_hash, root_of
from interlock.domain.note import MAX_NOTE_BYTES, Checkpoint, NoteError, parse_checkpoint, parse_note
from interlock.domain.tiles import WIDTH, TileError, TileId, cut, encode_bundle, grow
from interlock.ports.log import Log
from interlock.ports.shelf import Shelf

OpenNote = Callable[[str], Checkpoint]
"""Gives the checkpoint of a signed note, or raises NoteError."""
Progress = Callable[[int, int], None]
"""Told how many entries of how many were put."""

_ELSEWHERE: Final = "publish into an empty folder, and compare the two"


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a shelf shows now."""

    place: str
    origin: str
    size: int
    root: str
    """Hexadecimal."""
    before: int
    """The size that was shown before, 0 where there was nothing."""
    files: int
    """How many were put."""
    bytes: int
    """How many bytes these have."""


def unverified(note: str) -> Checkpoint:
    """The checkpoint of a note, whoever signed it. Raises NoteError."""
    try:
        return parse_checkpoint(parse_note(note.encode()).text)
    except UnicodeEncodeError:
        raise NoteError("the note is not text") from None


def opened_as(note: str, opened: OpenNote, what: str = "the log's checkpoint") -> Checkpoint:
    """The checkpoint of `note`, which is `what`, or IntegrityError."""
    try:
        return opened(note)
    except (NoteError, UnicodeEncodeError) as error:
        raise IntegrityError(f"{what} cannot be used: {error}") from None


async def publish_log(
    log: Log,
    shelf: Shelf,
    *,
    opened: OpenNote = unverified,
    note: str | None = None,
    progress: Progress | None = None,
) -> Shown:
    """Put what `shelf` lacks of the log's files, so that it shows the log up to its head.

    With `note`, a checkpoint of this log such as one with cosignatures, it shows the log up to that. `opened` says whom
    the head must be signed by. Raises NotFound where the log is empty, IntegrityError where log, head and shelf do not
    belong together, of which nothing is shown then, and what the shelf raises.
    """
    while True:
        # In this order: what is shown was a head before, so the head read after it is no older.
        given = await shelf.read(CHECKPOINT, limit=MAX_NOTE_BYTES)
        head = note if note is not None else await log.head()
        if head is None:
            raise NotFound("the log is empty: there is nothing to show", next_step="bring something into force first")
        try:
            attempt = _Showing(log, shelf, given, opened_as(head, opened), head, progress)
            attempt.must_continue(asked=note is not None)
            return await attempt.go_on()
        except Conflict:
            continue


class _Showing:
    """One attempt."""

    def __init__(
        self, log: Log, shelf: Shelf, given: bytes | None, now: Checkpoint, head: str, progress: Progress | None
    ) -> None:
        self._log, self._shelf, self._progress = log, shelf, progress
        self._given, self._now, self._head = given, now, head.encode()
        self._before = None if given is None else opened_as(_text(given), unverified, f"`{shelf.place}/{CHECKPOINT}`")
        self._roots: list[bytes] = []
        self._files = self._bytes = 0

    def must_continue(self, *, asked: bool) -> None:
        """The shelf shows this log, and no more of it than there is. `asked`: somebody chose what to show."""
        if self._before is None:
            return
        if self._before.origin != self._now.origin:
            raise IntegrityError(
                f"`{self._shelf.place}` shows the log `{self._before.origin}`, not `{self._now.origin}`",
                next_step="publish into a folder of its own",
            )
        if self._before.size > self._now.size:
            said = f"`{self._shelf.place}` shows {self._before.size} entries already, more than {self._now.size}"
            if asked:
                raise NotAllowed(said, next_step="show a newer checkpoint")
            raise IntegrityError(
                f"{said}: the end of the log is missing",
                next_step="find out what was lost before anything is recorded; restore a newer backup",
            )

    async def go_on(self) -> Shown:
        """Steps 2 to 5. Conflict where somebody was faster."""
        shown = self._before.size if self._before is not None else 0
        edges = await self._confirm(shown)
        if self._now.size > shown:
            await self._put_all(shown, edges)
        if self._given != self._head and self._worth(shown):
            await self._shelf.swap(CHECKPOINT, self._head, given=self._given)
            self._files, self._bytes = self._files + 1, self._bytes + len(self._head)
        await self._tidy(shown)
        return Shown(
            place=self._shelf.place,
            origin=self._now.origin,
            size=self._now.size,
            root=self._now.root.hex(),
            before=shown,
            files=self._files,
            bytes=self._bytes,
        )

    def _worth(self, shown: int) -> bool:
        """Of two notes on one size the one with more signatures stays: witnesses add theirs."""
        if self._given is None or shown < self._now.size:
            return True
        return _signatures(self._head) > _signatures(self._given)

    async def _confirm(self, shown: int) -> dict[TileId, bytes]:
        """Step 2. Gives the edge of the log as the shelf has it, up to the last full bundle it shows."""
        begun = shown // WIDTH
        edges = {tile: await self._edge(tile) for tile in edge_of(begun * WIDTH)}
        # A tree over the roots of full tiles is the upper part of the tree itself.
        above = Frontier(size=begun, peaks=frontier_of(edges).peaks)
        last: Sequence[bytes] = ()
        for n in range(begun, -(-self._now.size // WIDTH)):
            width = min(WIDTH, self._now.size - n * WIDTH)
            hashes = await self._tile(TileId(level=0, n=n, width=width))
            if n == begun:
                self._same_past(above, hashes, shown)
            self._roots.append(root_of(hashes))
            if width == WIDTH:
                above = above.append((self._roots[-1],))
            else:
                last = hashes
        if not self._roots:
            self._same_past(above, (), shown)
        if _joined(above, last).root() != self._now.root:
            raise IntegrityError(
                f"the log's tiles do not lead to the root of its checkpoint of {self._now.size} entries, or not from "
                f"what `{self._shelf.place}` shows",
                next_step=f"`interlock verify` names the first thing that is wrong; if it finds nothing, {_ELSEWHERE}",
            )
        return edges

    def _same_past(self, above: Frontier, hashes: Sequence[bytes], shown: int) -> None:
        """What is shown must be the beginning of the log."""
        part = _joined(above, hashes[: shown - above.size * WIDTH])
        if self._before is not None and part.root() != self._before.root:
            raise IntegrityError(
                f"the log does not continue the {shown} entries that `{self._shelf.place}` shows",
                next_step=f"one of the two was changed: keep both, {_ELSEWHERE}, and with any checkpoint that was kept",
            )

    async def _put_all(self, shown: int, edges: dict[TileId, bytes]) -> None:
        """Step 3."""
        known = {tile.level: (tile, hashes) for tile, hashes in edges.items()}
        first = shown // WIDTH
        for n, root in enumerate(self._roots, first):
            start, width = n * WIDTH, min(WIDTH, self._now.size - n * WIDTH)
            entries = await self._log.entries(start, start + width)
            leaves = [leaf_hash(each.leaf) for each in entries]
            _must_be_whole(entries, start, width, leaves, root)
            await self._put(BundleId(n=n, width=width).path(), _bundle(entries))
            for tile in grow(start, leaves, lambda asked: known[asked.level][1]):
                if tile.id.width == WIDTH:
                    await self._put(tile.id.path(), tile.hashes)
                known[tile.id.level] = (tile.id, tile.hashes)
            if self._progress is not None:
                self._progress(start + width, self._now.size)
        await self._put_edge(known)

    async def _put_edge(self, known: Mapping[int, tuple[TileId, bytes]]) -> None:
        for wanted in edge_of(self._now.size):
            tile, hashes = known[wanted.level]
            if tile != wanted:
                raise IntegrityError(f"{wanted.path()} was not computed")
            await self._put(tile.path(), hashes)

    async def _put(self, name: str, data: bytes) -> None:
        if await self._shelf.put(name, data):
            self._files, self._bytes = self._files + 1, self._bytes + len(data)

    async def _tidy(self, shown: int) -> None:
        """Step 5."""
        if self._now.size == shown:
            return
        for edge in edge_of(shown):
            if self._now.size >> 8 * edge.level >= (edge.n + 1) * WIDTH:
                await self._shelf.clear(partial_folder(edge))
                if edge.level == 0:
                    await self._shelf.clear(partial_folder(BundleId(n=edge.n)))

    async def _tile(self, tile: TileId) -> list[bytes]:
        found = await self._log.tile(tile.level, tile.n, tile.width)
        if found is None or len(found) != tile.width * HASH_BYTES:
            raise IntegrityError(f"{tile.path()} of the log is missing")
        return cut(found)

    async def _edge(self, tile: TileId) -> bytes:
        found = await self._shelf.read(tile.path(), limit=tile.width * HASH_BYTES)
        if found is None or len(found) != tile.width * HASH_BYTES:
            raise IntegrityError(
                f"`{tile.path()}` in `{self._shelf.place}` is missing or cut short",
                next_step="its checkpoint needs it: publish into an empty folder",
            )
        return found


def _joined(above: Frontier, hashes: Sequence[bytes]) -> Frontier:
    """The tree over the full tiles whose roots `above` stands on, and the leaves after them."""
    part = Frontier().append(hashes)
    return Frontier(size=above.size * WIDTH + part.size, peaks=above.peaks + part.peaks)


def _must_be_whole(entries: Sequence[Entry], start: int, width: int, leaves: Sequence[bytes], root: bytes) -> None:
    """The entries are those that the tree holds."""
    if [each.index for each in entries] != list(range(start, start + width)) or root_of(leaves) != root:
        raise IntegrityError(
            f"of the entries {start} to {start + width - 1} the log's tree holds others",
            next_step="stop writing, and let `interlock verify` name the first",
        )


def _bundle(entries: Sequence[Entry]) -> bytes:
    try:
        return encode_bundle([each.leaf for each in entries])
    except TileError as error:
        raise IntegrityError(f"entries from {entries[0].index} cannot be shown: {error}") from None


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _signatures(note: bytes) -> int:
    return len(parse_note(note).signatures)
