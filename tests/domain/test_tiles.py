"""The log as tiles and bundles: the paths and shapes of C2SP tlog-tiles, and a log that grows in any number of steps."""

from functools import cache, partial
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.domain.merkle import (
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from interlock.domain.tiles import (
    MAX_LEAF_BYTES,
    WIDTH,
    Tile,
    TileError,
    TileId,
    decode_bundle,
    encode_bundle,
    entries_path,
    grow,
    hash_from_tiles,
    tiles_of,
)

LARGEST = 70_000


@cache
def leaves() -> list[bytes]:
    """Give the leaf hashes of a log that needs three levels of tiles."""
    return [leaf_hash(b"%d" % index) for index in range(LARGEST)]


@cache
def expected_level(level: int) -> list[bytes]:
    """Give every complete hash of one tile level, by the formula of the specification."""
    if level == 0:
        return leaves()
    below = expected_level(level - 1)
    return [root_of(below[i : i + WIDTH]) for i in range(0, len(below) - WIDTH + 1, WIDTH)]


def expected_tile(tile: TileId) -> bytes:
    """Give the bytes a tile must have in the log of `leaves`."""
    start = tile.n * WIDTH
    return b"".join(expected_level(tile.level)[start : start + tile.width])


def refuse(tile: TileId) -> bytes:
    """Stand for a store that must not be asked."""
    pytest.fail(f"{tile.path()} was read")


def read_noting(stored: dict[TileId, bytes], asked: list[TileId], tile: TileId) -> bytes:
    """Read a tile and note that it was asked for."""
    asked.append(tile)
    return stored[tile]


@pytest.mark.proves("log.tiles_are_c2sp")
@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (TileId(level=0, n=0), "tile/0/000"),
        (TileId(level=0, n=5, width=1), "tile/0/005.p/1"),
        (TileId(level=1, n=999, width=255), "tile/1/999.p/255"),
        (TileId(level=0, n=1000), "tile/0/x001/000"),
        (TileId(level=63, n=1_234_067), "tile/63/x001/x234/067"),
        (TileId(level=2, n=1_234_067, width=17), "tile/2/x001/x234/067.p/17"),
        (TileId(level=0, n=10**12), "tile/0/x001/x000/x000/x000/000"),
    ],
)
def test_paths_are_those_of_the_specification(tile: TileId, path: str) -> None:
    """Indexes are written in groups of three digits, all but the last marked with an x, partial ones with a suffix."""
    assert tile.path() == path
    assert entries_path(tile.n, tile.width) == path.replace(f"tile/{tile.level}/", "tile/entries/")


@given(st.sets(st.integers(0, 10**7), min_size=2, max_size=30))
def test_no_path_is_a_folder_of_another(numbers: set[int]) -> None:
    """Every tile can be a file: none stands where another needs a folder."""
    paths = sorted(entries_path(n) for n in numbers)

    assert len(set(paths)) == len(numbers)
    assert not any(other.startswith(path + "/") for path in paths for other in paths)


@pytest.mark.parametrize(("level", "n", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_refuses_names_of_no_tile(level: int, n: int, width: int) -> None:
    """A tile outside the specified ranges cannot be named."""
    with pytest.raises(TileError):
        TileId(level=level, n=n, width=width)


@pytest.mark.parametrize(("n", "width"), [(-1, 1), (0, 0), (0, 257)])
def test_refuses_names_of_no_bundle(n: int, width: int) -> None:
    """A bundle outside the specified ranges cannot be named."""
    with pytest.raises(TileError):
        entries_path(n, width)


def test_a_tile_has_the_width_of_its_name() -> None:
    """Bytes of another length than the name promises are refused."""
    with pytest.raises(TileError):
        Tile(id=TileId(level=0, n=0, width=2), hashes=bytes(32))


@pytest.mark.proves("log.tiles_are_c2sp")
def test_lists_the_tiles_of_the_specified_example() -> None:
    """A log of 70,000 entries has the 276 tiles, four of them partial or alone, that the specification counts."""
    tiles = tiles_of(70_000)

    assert len([each for each in tiles if each.level == 0 and each.width == WIDTH]) == 273
    assert tiles[273:] == (
        TileId(level=0, n=273, width=112),
        TileId(level=1, n=0),
        TileId(level=1, n=1, width=17),
        TileId(level=2, n=0, width=1),
    )
    assert tiles_of(256) == (TileId(level=0, n=0), TileId(level=1, n=0, width=1))
    assert tiles_of(0) == ()


@pytest.mark.proves("log.tiles_are_c2sp")
def test_a_large_log_grown_at_once_is_the_specified_one() -> None:
    """A log written in one step has exactly the specified tiles with the specified hashes, and reads none."""
    grown = grow(0, leaves(), refuse)

    assert {each.id for each in grown} == set(tiles_of(LARGEST))
    assert all(each.hashes == expected_tile(each.id) for each in grown)


@pytest.mark.proves("log.tiles_are_c2sp")
@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([0, 1, 2, 3, 64, 255, 256, 257, 700, 5000]) | st.integers(0, 600), max_size=12))
def test_a_log_grown_in_steps_is_the_specified_one(steps: list[int]) -> None:
    """After each step, what is new or wider is exactly the difference in tiles, and only ending partial ones are read."""
    stored: dict[TileId, bytes] = {}
    size = 0
    for step in steps:
        after = min(size + step, LARGEST)
        before_ids, after_ids = set(tiles_of(size)), set(tiles_of(after))
        asked: list[TileId] = []

        grown = grow(size, leaves()[size:after], partial(read_noting, stored, asked))

        assert {each.id for each in grown} == after_ids - before_ids
        assert set(asked) == before_ids - after_ids
        assert all(each.width < WIDTH for each in asked)
        stored |= {each.id: each.hashes for each in grown}
        size = after
    assert all(stored[each] == expected_tile(each) for each in tiles_of(size))


def test_refuses_a_stored_tile_that_is_cut_off() -> None:
    """Growing over a damaged partial tile stops instead of building on it."""
    with pytest.raises(TileError):
        grow(3, [bytes(32)], lambda _: bytes(95))


def test_refuses_a_leaf_hash_of_the_wrong_length() -> None:
    """What a tile takes are hashes, not entries."""
    with pytest.raises(TileError):
        grow(0, [b"an entry"], refuse)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, LARGEST), st.data())
def test_proofs_read_from_tiles_hold(size: int, data: st.DataObject) -> None:
    """From the tiles of any size, inclusion and consistency proofs can be made and are accepted."""
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    present = set(tiles_of(size))

    def read(tile: TileId) -> bytes:
        assert tile in present
        return expected_tile(tile)

    root = root_of(leaves()[:size])
    check_inclusion(leaves()[index], index, size, inclusion_proof(index, size, hash_from_tiles(size, read)), root)
    proof = consistency_proof(old, size, hash_from_tiles(size, read))
    check_consistency(old, size, root_of(leaves()[:old]), root, proof)


def test_reads_every_complete_node() -> None:
    """Each complete node of a log, at every level, has the hash of the leaves it covers."""
    size = 600
    hash_at = hash_from_tiles(size, expected_tile)
    for level in range(10):
        for index in range(size >> level):
            assert hash_at(level, index) == root_of(leaves()[index << level : (index + 1) << level])


@pytest.mark.parametrize(("level", "index"), [(-1, 0), (0, -1), (0, 600), (1, 300), (8, 2), (9, 1), (10, 0)])
def test_refuses_nodes_that_are_not_complete(level: int, index: int) -> None:
    """A node that reaches over the end of the log has no hash."""
    with pytest.raises(TileError):
        hash_from_tiles(600, refuse)(level, index)


def test_refuses_a_read_tile_that_is_cut_off() -> None:
    """A proof is not made from a tile of the wrong length."""
    with pytest.raises(TileError):
        hash_from_tiles(600, lambda tile: expected_tile(tile)[:-32])(0, 0)


ENTRIES = st.lists(st.binary(max_size=50), min_size=1, max_size=WIDTH)


@given(ENTRIES)
def test_bundles_read_back(entries: list[bytes]) -> None:
    """The entries of a bundle are read back as they were written, empty ones too."""
    assert decode_bundle(encode_bundle(entries)) == tuple(entries)


def test_a_bundle_is_each_entry_behind_its_length() -> None:
    """Lengths are big-endian uint16."""
    assert encode_bundle([b"ab", b"", b"x" * 258]) == b"\x00\x02ab\x00\x00\x01\x02" + b"x" * 258


def test_an_entry_is_at_most_60000_bytes() -> None:
    """The longest entry passes, one byte more is refused both ways."""
    longest = b"x" * MAX_LEAF_BYTES
    assert decode_bundle(encode_bundle([longest])) == (longest,)
    with pytest.raises(TileError):
        encode_bundle([longest + b"x"])
    with pytest.raises(TileError):
        decode_bundle((MAX_LEAF_BYTES + 1).to_bytes(2, "big") + longest + b"x")


@pytest.mark.parametrize("count", [0, WIDTH + 1])
def test_a_bundle_holds_1_to_256_entries(count: int) -> None:
    """An empty bundle and one with too many entries are refused both ways."""
    with pytest.raises(TileError):
        encode_bundle([b""] * count)
    with pytest.raises(TileError):
        decode_bundle(b"\x00\x00" * count)


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x01", b"\x00\x02a", b"\x00\x01ab", b"\x00\x00\x00"])
def test_refuses_bundles_that_are_cut_off(data: bytes) -> None:
    """A length without its bytes, or half a length, is an error."""
    with pytest.raises(TileError):
        decode_bundle(data)


@pytest.mark.proves("log.parsers_closed")
@given(st.binary(max_size=300) | ENTRIES.map(encode_bundle).map(lambda data: data[:-1]))
def test_hostile_bundles_give_a_typed_error(data: bytes) -> None:
    """Any bytes are the one form of some entries, or TileError."""
    try:
        entries = decode_bundle(data)
    except TileError:
        return
    assert encode_bundle(entries) == data


@pytest.mark.proves("log.tiles_are_c2sp")
def test_tile_bytes_are_plain_sha256_hashes() -> None:
    """The first level is the hashes of the entries behind a zero byte, one after the other."""
    (tile,) = grow(0, [leaf_hash(b"a"), leaf_hash(b"b")], refuse)

    assert tile.hashes == sha256(b"\x00a").digest() + sha256(b"\x00b").digest()
