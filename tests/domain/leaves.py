"""Logs of any size, made quickly: plain leaves under a real checkpoint; and a reader of a log's files, as anybody has."""

from pathlib import Path

from interlock.adapters.keys import fresh, verify
from interlock.domain.evidence import Entry
from interlock.domain.ids import ActionId, StreamId
from interlock.domain.log_files import CHECKPOINT, BundleId
from interlock.domain.merkle import leaf_hash, root_of
from interlock.domain.note import Checkpoint, Signature, SignedNote, open_checkpoint, parse_note
from interlock.domain.tiles import WIDTH, Tile, cut, decode_bundle, tiles_of

KEY = fresh("test/log")


def signed(size: int, root: bytes, origin: str = "test/log") -> str:
    """A checkpoint."""
    text = Checkpoint(origin=origin, size=size, root=root).body()
    by = Signature(name=KEY.verifier.name, key_id=KEY.verifier.key_id(), signature=KEY.sign(text))
    return SignedNote(text=text, signatures=(by,)).encode().decode()


class Leaves:
    """The port `Log` over leaves that mean nothing. `lies` stand in the place of entries, behind the tree."""

    def __init__(self, size: int, *, word: str = "leaf") -> None:
        self.word = word
        self.lies: dict[int, bytes] = {}
        self.hashes: list[bytes] = []
        self.grow(size)

    def grow(self, size: int) -> None:
        """Append up to `size`, and sign."""
        self.hashes += (leaf_hash(self.leaf(n)) for n in range(len(self.hashes), size))
        self.levels = [self.hashes]
        while len(self.levels[-1]) >= WIDTH:
            below = self.levels[-1]
            self.levels.append([root_of(below[n : n + WIDTH]) for n in range(0, len(below) - WIDTH + 1, WIDTH)])
        self.root = root_of(self.hashes)
        self.note: str | None = signed(size, self.root) if size else None

    def leaf(self, n: int) -> bytes:
        """One leaf."""
        return self.lies[n] if n in self.lies else f"{self.word} {n}".encode()

    async def head(self) -> str | None:
        """See `Log.head`."""
        return self.note

    async def checkpoint_at(self, size: int) -> str | None:
        """See `Log.checkpoint_at`."""
        return self.note if size == len(self.hashes) else None

    async def checkpoints(self, start: int, stop: int) -> list[tuple[int, str]]:
        """See `Log.checkpoints`: it was signed once, at its end."""
        del start, stop
        return []

    async def entries(self, start: int, stop: int) -> list[Entry]:
        """See `Log.entries`."""
        return [
            Entry(
                index=n,
                leaf=self.leaf(n),
                leaf_hash=self.hashes[n],
                stream=StreamId("s"),
                seq=1,
                action=None,
                phase="x",
            )
            for n in range(start, min(stop, len(self.hashes)))
        ]

    async def entries_of(self, action: ActionId) -> list[Entry]:
        """See `Log.entries_of`; these leaves are of no action."""
        del action
        return []

    async def marked(self, *phases: str) -> list[Entry]:
        """See `Log.marked`; none of these leaves says anything of keys."""
        del phases
        return []

    async def tile(self, level: int, index: int, width: int) -> bytes | None:
        """See `Log.tile`."""
        if level >= len(self.levels):
            return None
        hashes = self.levels[level][index * WIDTH : index * WIDTH + width]
        return b"".join(hashes) if len(hashes) == width else None


def audited(folder: Path) -> Checkpoint | None:
    """The checkpoint a folder shows, once every file it needs was read and leads to its root; None where there is none."""
    if not (folder / CHECKPOINT).exists():
        return None
    note = parse_note((folder / CHECKPOINT).read_bytes())
    shown = open_checkpoint(note, KEY.verifier, verify)
    by_level: dict[int, list[bytes]] = {}
    for tile in tiles_of(shown.size):
        by_level.setdefault(tile.level, []).extend(cut(Tile(id=tile, hashes=_read(folder, tile.path())).hashes))
    leaves: list[bytes] = []
    for tile in tiles_of(shown.size):
        if tile.level == 0:
            leaves += map(leaf_hash, decode_bundle(_read(folder, BundleId(n=tile.n, width=tile.width).path())))
    assert leaves == by_level.get(0, [])
    assert root_of(leaves) == shown.root
    for level in range(1, len(by_level)):
        below = by_level[level - 1]
        full = [root_of(below[n : n + WIDTH]) for n in range(0, len(below) - WIDTH + 1, WIDTH)]
        assert by_level[level] == full
    return shown


def _read(folder: Path, path: str) -> bytes:
    """A file; the full one where the partial one was taken away, as the format has it."""
    if (folder / path).exists():
        return (folder / path).read_bytes()
    full, _, width = path.partition(".p/")
    if "entries" in path:
        entries = decode_bundle((folder / full).read_bytes())[: int(width)]
        return b"".join(len(each).to_bytes(2, "big") + each for each in entries)
    return (folder / full).read_bytes()[: int(width) * 32]
