"""Growing the log: its head and its full tiles follow from the leaf hashes alone, in whatever portions they came."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.appending import Head, confirm, extended, head_of
from interlock.domain.errors import IntegrityError
from interlock.domain.merkle import Frontier, root_of
from interlock.domain.note import Checkpoint, Signature, SignedNote
from interlock.domain.tiles import WIDTH, Tile, TileId, cut, grow

LEAVES = [sha256(str(n).encode()).digest() for n in range(WIDTH * WIDTH + 2 * WIDTH + 5)]


def tiles_after(leaf_hashes: list[bytes]) -> dict[tuple[int, int], Tile]:
    """Every tile of the log, by the domain's own definition, made in one go."""
    return {(tile.id.level, tile.id.n): tile for tile in grow(0, leaf_hashes, lambda _: b"")}


@given(st.integers(0, 3 * WIDTH), st.lists(st.integers(1, 400), max_size=6))
def test_portions_do_not_matter(start: int, portions: list[int]) -> None:
    """Appended in any portions, the head is that of one go, and each full tile is given once, with its own root."""
    head, full = extended(Head(), LEAVES[:start])
    for portion in portions:
        head, more = extended(head, LEAVES[head.size : head.size + portion])
        full += more

    size = start + sum(portions)
    tiles = tiles_after(LEAVES[:size])
    assert head.frontier == Frontier().append(LEAVES[:size])
    assert {(tile.level, tile.n): tile.hashes for tile in full} == {
        place: tile.hashes for place, tile in tiles.items() if tile.id.width == WIDTH
    }
    assert len({(tile.level, tile.n) for tile in full}) == len(full)
    assert all(tile.root == root_of(cut(tile.hashes)) for tile in full)
    for level, edge in enumerate(head.edges):
        partial = next((tile for tile in tiles.values() if tile.id.level == level and tile.id.width < WIDTH), None)
        assert edge == (partial.hashes if partial else b"")


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, len(LEAVES)])
def test_the_head_follows_from_the_edges(size: int) -> None:
    """The last tile of each level is all that is needed to go on appending."""
    tiles = tiles_after(LEAVES[:size])
    edges: list[bytes] = []
    count, level = size, 0
    while count:
        count, width = divmod(count, WIDTH)
        edges.append(tiles[level, count].hashes if width else b"")
        level += 1

    head = head_of(edges)

    assert head.size == size
    assert head.frontier == Frontier().append(LEAVES[:size])
    if size < len(LEAVES):
        assert extended(head, LEAVES[size : size + 1])[0].frontier == Frontier().append(LEAVES[: size + 1])


def test_rows_that_lead_elsewhere_are_noticed() -> None:
    """A log is not continued when its rows do not lead to the size and the root that its checkpoint states."""
    head = extended(Head(), LEAVES[:300])[0]

    def note(size: int, root: bytes) -> str:
        body = Checkpoint(origin="log.example", size=size, root=root).body()
        line = Signature(name="log.example", key_id=b"1234", signature=b"5")
        return SignedNote(text=body, signatures=(line,)).encode().decode()

    confirm(head, note(300, head.frontier.root()))
    confirm(Head(), None)
    for wrong in (note(300, LEAVES[0]), note(299, head.frontier.root()), None):
        with pytest.raises(IntegrityError):
            confirm(head, wrong)


def test_tile_ids_agree() -> None:
    """A full tile's place is the one by which the log's format names it."""
    _, full = extended(Head(), LEAVES)

    assert {TileId(level=tile.level, n=tile.n).path() for tile in full} == {
        tile.id.path() for tile in tiles_after(LEAVES).values() if tile.id.width == WIDTH
    }
