"""Adding facts to the log: what every store does in the same way, whatever it keeps the rows in.

1. `Appender.draft()` begins at the head as the store holds it inside its transaction.
2. `Draft.seal(fact)` signs a leaf at the next index, behind the one before it in this process's stream.
3. `Draft.finish()` gives the rows of one group: entries, tiles that became full, and one signed checkpoint.
4. The store writes them in the transaction of the state they belong to and commits.
5. `Appender.committed(rows)` moves head and stream on. Without it the next draft begins where this one began, so that
   a transaction that failed leaves no gap.

Only full tiles are rows, with their root beside them: the partial one at the end of a level follows from the leaf
hashes, or from the roots of the tiles below it. Nothing stored is ever changed.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from interlock.domain.errors import IntegrityError, KeyFileError
from interlock.domain.evidence import Entry, Fact, Position
from interlock.domain.keyring import Held, in_force
from interlock.domain.merkle import HASH_BYTES, Frontier, root_of
from interlock.domain.note import parse_checkpoint, parse_note
from interlock.domain.statement import key_said
from interlock.domain.tiles import WIDTH, cut
from interlock.ports.sealer import Sealer

ROTATED: Final = "rotated"


class Head(msgspec.Struct, frozen=True):
    """All that is needed to append: the right edge of the tree, and the partial tile of each level, lowest first."""

    frontier: Frontier = Frontier()
    edges: tuple[bytes, ...] = ()

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return self.frontier.size


class FullTile(NamedTuple):
    """A tile that will not change any more. `root` is its one hash in the level above."""

    level: int
    n: int
    hashes: bytes
    root: bytes


class Rows(NamedTuple):
    """What one transaction adds to the log, and the head after it."""

    entries: list[Entry]
    tiles: list[FullTile]
    checkpoint: str
    head: Head


def head_of(edges: Sequence[bytes]) -> Head:
    """The head of a log, from the hashes of the partial tile of each level, lowest first.

    The roots a tree splits into, largest first, are those of its partial tiles, from the highest level down.
    """
    size = 0
    peaks: tuple[bytes, ...] = ()
    for level, edge in enumerate(edges):
        part = Frontier().append(cut(edge))
        size += part.size * WIDTH**level
        peaks = part.peaks + peaks
    return Head(Frontier(size=size, peaks=peaks), tuple(edges))


def extended(head: Head, leaf_hashes: Sequence[bytes]) -> tuple[Head, list[FullTile]]:
    """The head after `leaf_hashes`, and the tiles that became full on the way."""
    edges = list(head.edges)
    full: list[FullTile] = []
    for size, added in enumerate(leaf_hashes, start=head.size + 1):
        level, n, node = 0, size // WIDTH, added
        while True:
            if level == len(edges):
                edges.append(b"")
            edges[level] += node
            if len(edges[level]) < WIDTH * HASH_BYTES:
                break
            # A full tile is one hash of the level above, which may fill that one.
            node = root_of(cut(edges[level]))
            full.append(FullTile(level, n - 1, edges[level], node))
            edges[level] = b""
            level, n = level + 1, n // WIDTH
    return Head(head.frontier.append(leaf_hashes), tuple(edges)), full


def confirm(head: Head, checkpoint: str | None) -> None:
    """Raise IntegrityError unless the stored rows lead to the root that the stored checkpoint is about."""
    if checkpoint is None:
        if head.size:
            raise IntegrityError("the log has entries and no checkpoint")
        return
    stated = parse_checkpoint(parse_note(checkpoint.encode()).text)
    if (stated.size, stated.root) != (head.size, head.frontier.root()):
        raise IntegrityError(f"the log's rows do not lead to its checkpoint of {stated.size} entries")


class Appender:
    """This process's pen: the log's head as last seen, and how far its own stream has come. Not for two threads."""

    def __init__(self, sealer: Sealer) -> None:
        self.sealer = sealer
        self.head = Head()
        self.seq = 0
        self.prev = ""
        self._spent = ""

    def follow(self, began_with: str | None, leaves: Iterable[bytes]) -> None:
        """Hear of the key the log began with, if that is news, and of entries about keys since the head.

        Raises KeyFileError unless the keys in force after them are the sealer's. Asked again, it answers again.
        """
        sealer = self.sealer
        said = [each for each in map(key_said, leaves) if each is not None]
        now = in_force(Held(began_with or sealer.log_key, sealer.gate_key, sealer.identity_key), said)
        ours = Held(sealer.log_key, sealer.gate_key, sealer.identity_key)
        for role, theirs, mine in zip(Held._fields, now, ours, strict=True):
            if theirs != mine and mine is not None:
                raise KeyFileError(
                    f"the {role}'s key is `{theirs}`, and this process holds `{mine}`",
                    next_step="if the keys were rotated, start this process again; `interlock keys status` says how "
                    "log and key folder stand",
                )

    def seen(self, head: Head) -> None:
        """The store's head is this one: others appended."""
        self.head = head

    def resume(self, seq: int, prev: str) -> None:
        """This stream stands after its entry `seq`, whose leaf hash is `prev`: read again when a commit was unsure."""
        self.seq, self.prev = seq, prev

    def draft(self) -> "Draft":
        """Begin a group at the head. Raises KeyFileError once this process has handed its key over."""
        if self._spent:
            raise KeyFileError(self._spent, next_step="start this process again")
        return Draft(self)

    def committed(self, rows: Rows) -> None:
        """`rows` are durable: go on behind them."""
        last = rows.entries[-1]
        self.head = rows.head
        self.seq, self.prev = last.seq, last.leaf_hash.hex()
        if last.phase == ROTATED:
            self._spent = "this process has handed its key over"


class Draft:
    """What one transaction is about to add. Facts sealed after `mark()` can be taken back to it."""

    def __init__(self, appender: Appender) -> None:
        self._appender = appender
        self._entries: list[Entry] = []

    def mark(self) -> int:
        """A place to come back to."""
        return len(self._entries)

    def back(self, mark: int) -> None:
        """Forget what was sealed since `mark`."""
        del self._entries[mark:]

    def last(self) -> int:
        """The index of what was sealed last."""
        return self._entries[-1].index

    def seal(self, facts: Iterable[Fact]) -> None:
        """Sign `facts` in order. Raises what `Sealer.seal` raises."""
        appender = self._appender
        for fact in facts:
            if not self._entries:
                self._begin(appender, fact.observed_at)
            self._seal(fact)

    def end(self) -> None:
        """Sign that this process's stream ends here, unless it recorded nothing."""
        appender = self._appender
        if appender.seq and not self._entries:
            last = appender.sealer.closing(appender.seq + 1)
            if last is not None:
                self._seal(last)

    def _begin(self, appender: Appender, at: int) -> None:
        """A new log begins with its keys, a new stream with its run."""
        first = None if appender.head.size else appender.sealer.introduction(at)
        if first is not None:
            self._seal(first)
        opening = None if appender.seq else appender.sealer.opening(at)
        if opening is not None:
            self._seal(opening)

    def _seal(self, fact: Fact) -> None:
        appender = self._appender
        if self._entries and self._entries[-1].phase == ROTATED:
            # The entries after it are the new key's, and it must be the last under its checkpoint.
            raise KeyFileError("the keys have just been rotated", next_step="start this process again")
        if self._entries:
            before = self._entries[-1]
            seq, prev = before.seq + 1, before.leaf_hash.hex()
        else:
            seq, prev = appender.seq + 1, appender.prev
        position = Position(stream=appender.sealer.stream, seq=seq, prev=prev)
        self._entries.append(appender.sealer.seal(fact, appender.head.size + len(self._entries), position))

    def finish(self) -> Rows | None:
        """The rows to write, with one checkpoint over them; None when nothing was sealed."""
        if not self._entries:
            return None
        head, tiles = extended(self._appender.head, [entry.leaf_hash for entry in self._entries])
        checkpoint = self._appender.sealer.checkpoint(head.size, head.frontier.root())
        return Rows(self._entries, tiles, checkpoint, head)
