"""The log as files: C2SP tlog-tiles, https://c2sp.org/tlog-tiles.

A tile holds up to 256 neighbouring tree hashes of one level, and each full tile is one hash of the level above it, so
tile level L stands for tree level 8 * L. An entry bundle holds up to 256 entries, each behind its length as a
big-endian uint16. Full tiles and bundles never change; only the last one of a level is partial, and grows.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import msgspec

from interlock.domain.merkle import HASH_BYTES, HashAt, root_of

WIDTH: Final = 256
LEVELS_PER_TILE: Final = 8
MAX_TILE_LEVEL: Final = 63
MAX_LEAF_BYTES: Final = 60_000
"""The longest entry. The format could carry 65,535 bytes; the rest is kept for wrappers that later forms may need."""

_LENGTH_BYTES: Final = 2


class TileError(ValueError):
    """Bytes are not the tile or bundle they are said to be, or there is no such tile."""


class TileId(msgspec.Struct, frozen=True, kw_only=True):
    """Names one tile: `level` 0 to 63, `n` its place within the level, `width` its number of hashes, 1 to 256."""

    level: int
    n: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        """Refuse a name that no tile of any log has."""
        if not 0 <= self.level <= MAX_TILE_LEVEL or self.n < 0 or not 1 <= self.width <= WIDTH:
            raise TileError(f"there is no tile {self.n} of width {self.width} at level {self.level}")

    def path(self) -> str:
        """Give the path of the tile, such as `tile/0/x001/x234/067.p/5`."""
        return f"tile/{self.level}/{_numbered(self.n, self.width)}"


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """A tile with its hashes, 32 bytes each, left to right."""

    id: TileId
    hashes: bytes

    def __post_init__(self) -> None:
        """Refuse hashes that do not have the length the name promises."""
        if len(self.hashes) != self.id.width * HASH_BYTES:
            raise TileError(f"{self.id.path()} is {self.id.width * HASH_BYTES} bytes long, not {len(self.hashes)}")


ReadTile: TypeAlias = Callable[[TileId], bytes]
"""Gives the bytes of exactly that tile; whatever it raises for an absent one passes through."""


def entries_path(n: int, width: int = WIDTH) -> str:
    """Give the path of bundle `n`, such as `tile/entries/x001/x234/067`, with a suffix when it is not full."""
    if n < 0 or not 1 <= width <= WIDTH:
        raise TileError(f"there is no bundle {n} of width {width}")
    return f"tile/entries/{_numbered(n, width)}"


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Write 1 to 256 entries of at most 60,000 bytes each into one bundle."""
    if not 1 <= len(entries) <= WIDTH:
        raise TileError(f"a bundle holds 1 to {WIDTH} entries, not {len(entries)}")
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_LEAF_BYTES:
            raise TileError(f"an entry of {len(entry)} bytes is longer than {MAX_LEAF_BYTES}")
        parts += (len(entry).to_bytes(_LENGTH_BYTES, "big"), entry)
    return b"".join(parts)


def decode_bundle(data: bytes) -> tuple[bytes, ...]:
    """Read a bundle back into its entries, or raise TileError; a bundle has one byte form only."""
    entries: list[bytes] = []
    place = 0
    while place < len(data):
        start = place + _LENGTH_BYTES
        length = int.from_bytes(data[place:start], "big")
        place = start + length
        if place > len(data):
            raise TileError(f"entry {len(entries)} of the bundle is cut off")
        if length > MAX_LEAF_BYTES:
            raise TileError(f"entry {len(entries)} of the bundle is longer than {MAX_LEAF_BYTES} bytes")
        entries.append(data[start:place])
    if not 1 <= len(entries) <= WIDTH:
        raise TileError(f"a bundle holds 1 to {WIDTH} entries, not {len(entries)}")
    return tuple(entries)


def tiles_of(size: int) -> tuple[TileId, ...]:
    """Name every tile of a log of `size` entries, level by level, left to right."""
    ids: list[TileId] = []
    count, level = size, 0
    while count > 0:
        full, rest = divmod(count, WIDTH)
        ids += (TileId(level=level, n=n) for n in range(full))
        if rest:
            ids.append(TileId(level=level, n=full, width=rest))
        count, level = full, level + 1
    return tuple(ids)


def grow(size: int, leaf_hashes: Sequence[bytes], read: ReadTile) -> tuple[Tile, ...]:
    """Give every tile that is new or wider once `leaf_hashes` are appended to a log of `size` entries.

    `read` is asked for the partial tile that ends each level which grows, by its name in the log of `size` entries.
    Each tile that becomes full is hashed once; nothing to its left is read.
    """
    changed: list[Tile] = []
    count, added, level = size, list(leaf_hashes), 0
    while added:
        n, had = divmod(count, WIDTH)
        hashes = b"".join(added)
        if len(hashes) != len(added) * HASH_BYTES:
            raise TileError(f"every leaf hash is {HASH_BYTES} bytes long")
        if had:
            before = TileId(level=level, n=n, width=had)
            hashes = Tile(id=before, hashes=read(before)).hashes + hashes
        parents: list[bytes] = []
        for start in range(0, len(hashes), WIDTH * HASH_BYTES):
            part = hashes[start : start + WIDTH * HASH_BYTES]
            width = len(part) // HASH_BYTES
            changed.append(Tile(id=TileId(level=level, n=n, width=width), hashes=part))
            if width == WIDTH:
                parents.append(root_of(cut(part)))
            n += 1
        count, added, level = count // WIDTH, parents, level + 1
    return tuple(changed)


def hash_from_tiles(size: int, read: ReadTile) -> HashAt:
    """Give the function that proofs ask for the node (level, index) of a log of `size` entries, read from its tiles.

    Only complete nodes exist: others raise TileError. Each tile is read once and kept: make one such function a proof,
    or a small set of proofs, and let it go.
    """
    kept: dict[TileId, bytes] = {}

    def hash_at(level: int, index: int) -> bytes:
        if level < 0 or index < 0 or (index + 1) << level > size:
            raise TileError(f"a log of size {size} has no complete node {index} at level {level}")
        tile_level, height = divmod(level, LEVELS_PER_TILE)
        n, place = divmod(index << height, WIDTH)
        width = min(WIDTH, (size >> tile_level * LEVELS_PER_TILE) - n * WIDTH)
        needed = TileId(level=tile_level, n=n, width=width)
        if needed not in kept:
            kept[needed] = Tile(id=needed, hashes=read(needed)).hashes
        return root_of(cut(kept[needed][place * HASH_BYTES : (place + (1 << height)) * HASH_BYTES]))

    return hash_at


def _numbered(n: int, width: int) -> str:
    """Write `n` in groups of three digits, all but the last marked, so that no file stands where a folder must."""
    digits = str(n)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    suffix = "" if width == WIDTH else f".p/{width}"
    return "/".join([*("x" + group for group in groups[:-1]), groups[-1]]) + suffix


def cut(hashes: bytes) -> list[bytes]:
    """The single hashes of a tile."""
    return [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]
