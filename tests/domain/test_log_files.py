"""The names of the log's files: each file has one, and nothing else names any."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interlock.domain.log_files import BundleId, edge_of, frontier_of, named_by, partial_folder
from interlock.domain.merkle import Frontier, leaf_hash
from interlock.domain.tiles import WIDTH, TileId, tiles_of

FILES = st.one_of(
    st.builds(TileId, level=st.integers(0, 63), n=st.integers(0, 2**55 - 1), width=st.integers(1, WIDTH)),
    st.builds(BundleId, n=st.integers(0, 2**55 - 1), width=st.integers(1, WIDTH)),
)


@given(FILES)
def test_a_file_is_found_by_its_path(file: TileId | BundleId) -> None:
    """What names a file is read back as that file."""
    assert named_by(file.path()) == file


PARTS = st.sampled_from(
    ["tile", "entries", "0", "1", "00", "63", "64", "000", "x000", "x001", "256", "000.p", "1234", "-1", "", "000\n"]
)


@given(st.lists(PARTS, max_size=6).map("/".join))
@example("tile/0/000.p/256")
@example("tile/0/x000/000")
@example("tile/64/000")
@example("tile/0/000\n")
@example("tile/00/000")
@example("tile/0/00\N{ARABIC-INDIC DIGIT ONE}")
def test_a_path_names_one_file_or_none(path: str) -> None:
    """No two spellings name the same file: what is read is written the same again."""
    file = named_by(path)

    assert file is None or file.path() == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/0/000.p/256",
        "tile/0/x000/000",
        "tile/64/000",
        "tile/0/x036/x028/x797/x018/x963/968",
        "tile/0/00\N{ARABIC-INDIC DIGIT ONE}",
    ],
)
def test_these_name_nothing(path: str) -> None:
    """Neither the checkpoint nor a second spelling is a tile or a bundle."""
    assert named_by(path) is None


@given(st.integers(0, 2**40))
def test_the_edge_is_what_is_not_full(size: int) -> None:
    """The partial tiles of a log are its edge, and their widths are its size."""
    assert sum(edge.width << 8 * edge.level for edge in edge_of(size)) == size
    assert all(edge.n == (size >> 8 * edge.level) // WIDTH for edge in edge_of(size))


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 600, 65_535, 65_536, 65_537, 70_000])
def test_the_edge_is_among_the_tiles(size: int) -> None:
    """Every log's edge is exactly the partial ones of its tiles."""
    assert list(edge_of(size)) == [tile for tile in tiles_of(size) if tile.width < WIDTH]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 600, 1024])
def test_the_right_edge_of_the_tree_stands_in_the_edge_of_the_tiles(size: int) -> None:
    """From the partial tiles alone the tree can be grown on."""
    leaves = [leaf_hash(b"%d" % n) for n in range(size)]
    levels = [leaves]
    while len(levels[-1]) >= WIDTH:
        full = range(0, len(levels[-1]) - WIDTH + 1, WIDTH)
        levels.append([Frontier().append(levels[-1][n : n + WIDTH]).root() for n in full])
    edges = {edge: b"".join(levels[edge.level][edge.n * WIDTH : edge.n * WIDTH + edge.width]) for edge in edge_of(size)}

    assert frontier_of(edges) == Frontier().append(leaves)


def test_partial_files_stand_in_a_folder_beside_the_full_one() -> None:
    """The folder is that of every width."""
    assert partial_folder(TileId(level=1, n=1234, width=3)) == "tile/1/x001/234.p"
    assert partial_folder(BundleId(n=7)) == "tile/entries/007.p"
