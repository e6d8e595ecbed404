"""A log in memory that a test can do anything to, written by the real sealer."""

from collections.abc import Iterable
from typing import Any

import msgspec

from interlock.adapters.keys import Keys, fresh
from interlock.adapters.sealer import LogSealer
from interlock.adapters.system import SystemIds
from interlock.domain.erasing import Part, erased_fact
from interlock.domain.evidence import Entry, Fact, Phase, Position
from interlock.domain.ids import ActionId, Digest, ErasureId, StreamId
from interlock.domain.merkle import root_of
from interlock.domain.tiles import WIDTH

KEYS = Keys(log=fresh("test/log"), gate=fresh("test/log/gate"))
LIFE: tuple[tuple[Phase, str], ...] = (
    ("decided", "held"),
    ("approved", "ready"),
    ("dispatching", "dispatching"),
    ("outcome", "done"),
    ("compensation", "undoing"),
    ("compensation", "undo_failed"),
)
"""What an action goes through; the last two again and again."""


class OpenLog:
    """The port, over lists that may be changed. Tiles are those of `tiled`, so that leaves can be changed behind them."""

    def __init__(self, keys: Keys = KEYS) -> None:
        self.keys = keys
        self.rows: list[Entry] = []
        self.tiled: list[bytes] = []
        self.note: str | None = None
        self.sealers: dict[str, LogSealer] = {}
        self.places: dict[str, tuple[int, str]] = {}
        self.seqs: dict[str, int] = {}
        self.missing_tiles: set[tuple[int, int]] = set()
        self.wrong_above = False

    def add(self, action: str | None, stream: str = "run-1", *, numbered: bool = True, **private: Any) -> Entry:
        """Append one fact of `action` (of a task, if None) in `stream`, as a store would."""
        sealer = self.sealers.setdefault(stream, LogSealer(self.keys, StreamId(stream), SystemIds()))
        seq = 0
        if action is not None and numbered:
            seq = self.seqs[action] = self.seqs.get(action, 0) + 1
        phase, state = LIFE[seq - 1 if seq <= len(LIFE) else 4 + (seq - 5) % 2]
        fact = Fact(
            phase=phase,
            subject="task" if action is None else "action",
            subject_id=action or "t-1",
            subject_digest=Digest("d" * 64),
            observed_at=1_800_000_000_000,
            body={"state": state},
            private=private,
            action=None if action is None else ActionId(action),
            seq=seq,
        )
        number, prev = self.places.get(stream, (0, ""))
        entry = sealer.seal(fact, len(self.rows), Position(stream=StreamId(stream), seq=number + 1, prev=prev))
        self.places[stream] = (number + 1, entry.leaf_hash.hex())
        self.rows.append(entry)
        return entry

    def erase(self, covers: str) -> Entry:
        """Append an entry that says that these entries' clear texts were erased, in the first stream."""
        part = Part(
            erasure=ErasureId("e-1"), number=1, basis="request", records=(), consents=2, observed_at=1_800_000_000_000
        )
        fact = erased_fact(part, keys={}, covers=covers, actions=0)
        number, prev = self.places["run-0"]
        position = Position(stream=StreamId("run-0"), seq=number + 1, prev=prev)
        entry = self.sealers["run-0"].seal(fact, len(self.rows), position)
        self.places["run-0"] = (number + 1, entry.leaf_hash.hex())
        self.rows.append(entry)
        return entry

    def close(self) -> "OpenLog":
        """Sign the head over what there is."""
        self.tiled = [entry.leaf_hash for entry in self.rows]
        self.note = LogSealer(self.keys, StreamId("any"), SystemIds()).checkpoint(len(self.rows), root_of(self.tiled))
        return self

    def change(self, index: int, **changes: Any) -> None:
        """Change one row in place."""
        self.rows[index] = msgspec.structs.replace(self.rows[index], **changes)

    def renumber(self, rows: Iterable[Entry]) -> None:
        """Put other rows in the place of all, numbered from 0."""
        self.rows = [msgspec.structs.replace(row, index=index) for index, row in enumerate(rows)]

    async def head(self) -> str | None:
        """See `Log.head`."""
        return self.note

    async def checkpoint_at(self, size: int) -> str | None:
        """See `Log.checkpoint_at`."""
        return self.note if size == len(self.rows) else None

    async def checkpoints(self, start: int, stop: int) -> list[tuple[int, str]]:
        """See `Log.checkpoints`: it was signed once, at its end."""
        del start, stop
        return []

    async def entries(self, start: int, stop: int) -> list[Entry]:
        """See `Log.entries`."""
        return [row for row in self.rows if start <= row.index < stop]

    async def entries_of(self, action: ActionId) -> list[Entry]:
        """See `Log.entries_of`."""
        return [row for row in self.rows if row.action == action]

    async def marked(self, *phases: str) -> list[Entry]:
        """See `Log.marked`."""
        return [row for row in self.rows if row.phase in phases]

    async def tile(self, level: int, index: int, width: int) -> bytes | None:
        """See `Log.tile`."""
        hashes = self.tiled
        for _ in range(level):
            hashes = [root_of(hashes[n : n + WIDTH]) for n in range(0, len(hashes) - WIDTH + 1, WIDTH)]
        if level and self.wrong_above:
            hashes = [bytes(32) for _ in hashes]
        found = hashes[index * WIDTH : index * WIDTH + width]
        return b"".join(found) if len(found) == width and (level, index) not in self.missing_tiles else None


def filled(size: int, *, actions: int = 5, streams: int = 3) -> OpenLog:
    """A closed log of `size` entries about `actions` actions and a task, from `streams` processes."""
    log = OpenLog()
    for n in range(size):
        action = None if n % 11 == 10 else f"a-{n % actions}"
        log.add(action, f"run-{n % streams}", toolArgs={"n": n}, initiator="user:ana")
    return log.close()
