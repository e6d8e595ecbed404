"""Keys that can be forgotten one by one: whatever was forgotten is gone, and nothing else."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.erasure import keys_as_text, keys_in, numbers_in, ranges_of
from interlock.domain.keytree import LEVELS, PER_BLOCK, key_at, packed, unpacked, whole, without

PLACES = st.lists(st.integers(0, PER_BLOCK - 1), max_size=12)


@given(rounds=st.lists(PLACES, max_size=4), asked=PLACES)
@pytest.mark.proves("vault.forgets")
def test_what_was_forgotten_is_gone_and_nothing_else(rounds: list[list[int]], asked: list[int]) -> None:
    """However keys are forgotten, in whatever order, exactly those are gone; what is left has no secret above them."""
    top = whole(os.urandom(32))
    cover, gone = top, set[int]()
    for places in rounds:
        cover = without(cover, places)
        gone.update(places)

    cover = unpacked(packed(cover))
    for place in {*asked, *gone, *(n ^ 1 for n in gone)}:
        assert key_at(cover, place) == (None if place in gone else key_at(top, place))
    for level, left, _ in cover:
        below = LEVELS - level
        assert not any(place >> below == left for place in gone)


def test_every_key_of_a_block_differs() -> None:
    """A block has 1,024 keys, no two alike, and forgetting one leaves at most ten secrets."""
    cover = whole(os.urandom(32))

    assert len({key_at(cover, place) for place in range(PER_BLOCK)}) == PER_BLOCK
    assert len(without(cover, [517])) == LEVELS
    assert without(cover, range(PER_BLOCK)) == ()


@pytest.mark.parametrize("data", [b"x", b"\x0b\x00\x00" + b"k" * 32, b"\x01\x00\x02" + b"k" * 32])
def test_what_is_no_cover_is_refused(data: bytes) -> None:
    """Bytes that are no nodes of a tree are refused."""
    with pytest.raises(ValueError, match=r"node|cover"):
        unpacked(data)


@given(numbers=st.sets(st.integers(0, 2**58 - 1), max_size=30), near=st.integers(0, 2**57))
def test_numbers_are_read_as_they_were_written(numbers: set[int], near: int) -> None:
    """Numbers of keys, and ranges of them, have one text, and it gives them back."""
    numbers |= set(range(near, near + 5))

    assert set(keys_in(keys_as_text(numbers))) == numbers
    assert numbers_in(ranges_of(numbers), 2**58) == sorted(numbers)


@pytest.mark.parametrize("text", ["5-4", "4,4", "1-3,2", "x", "99", "1,", "-1"])
def test_what_was_not_written_so_is_refused(text: str) -> None:
    """Ranges that run backwards, overlap or leave what there is are refused."""
    with pytest.raises(ValueError):  # noqa: PT011  whichever it is
        numbers_in(text, 10)
