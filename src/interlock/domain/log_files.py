"""The log's files: what each is named, and which a log of some size has.

These are the paths of C2SP tlog-tiles (https://c2sp.org/tlog-tiles), the same under a folder, in an archive and behind a
server: `checkpoint`, `tile/<level>/<n>`, `tile/entries/<n>`, and `.p/<width>` behind what is not full.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from interlock.domain.merkle import Frontier
from interlock.domain.tiles import MAX_TILE_LEVEL, WIDTH, TileError, TileId, cut, entries_path

CHECKPOINT: Final = "checkpoint"

_MOST: Final = 2**55
"""No log has so many bundles: their entries could not be counted in 64 bits."""

_PATH: Final = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<groups>(?:x[0-9]{3}/){0,6})(?P<last>[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
)


class BundleId(msgspec.Struct, frozen=True, kw_only=True):
    """Names one bundle of entries: `n` its place, `width` its number of entries, 1 to 256."""

    n: int
    width: int = WIDTH

    def path(self) -> str:
        """The path of the bundle, such as `tile/entries/x001/234.p/5`."""
        return entries_path(self.n, self.width)


def named_by(path: str) -> TileId | BundleId | None:
    """The tile or bundle that `path` names, or None. A tile has one path: nothing but exactly it names it."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    n = int(found["groups"].replace("x", "").replace("/", "") + found["last"])
    width = int(found["width"] or WIDTH)
    if n >= _MOST:
        return None
    try:
        tile: TileId | BundleId = (
            BundleId(n=n, width=width)
            if found["level"] == "entries"
            else TileId(level=int(found["level"]), n=n, width=width)
        )
        return tile if tile.path() == path else None
    except TileError:
        return None


def partial_folder(file: TileId | BundleId) -> str:
    """The folder in which the narrower forms of a file stand."""
    return f"{msgspec.structs.replace(file, width=WIDTH).path()}.p"


def edge_of(size: int) -> Iterator[TileId]:
    """The tile that ends each level of a log of `size` entries and is not full, lowest level first.

    Where the last one of a level is full it has none; level 0 to the highest that has any hash.
    """
    count = size
    for level in range(MAX_TILE_LEVEL + 1):
        n, width = divmod(count, WIDTH)
        if width:
            yield TileId(level=level, n=n, width=width)
        if not n:
            return
        count = n


def frontier_of(edges: dict[TileId, bytes]) -> Frontier:
    """The right edge of the tree whose tiles that are not full have these hashes, as `edge_of` names them.

    The roots a tree splits into, largest first, are those of its partial tiles, from the highest level down.
    """
    size = 0
    peaks: tuple[bytes, ...] = ()
    for tile in sorted(edges, key=lambda each: each.level):
        part = Frontier().append(cut(edges[tile]))
        size += part.size * WIDTH**tile.level
        peaks = part.peaks + peaks
    return Frontier(size=size, peaks=peaks)
