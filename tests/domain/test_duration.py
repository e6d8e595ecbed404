"""Durations in words and in milliseconds."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.duration import DAY, HOUR, MINUTE, SECOND, parse, words


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1ms", 1),
        ("90s", 90 * SECOND),
        ("1h30m", HOUR + 30 * MINUTE),
        ("30d", 30 * DAY),
        ("1m1ms", MINUTE + 1),
        ("0h5m", 5 * MINUTE),
        ("999999999999d", 999999999999 * DAY),
    ],
)
def test_durations_are_written_in_words(text: str, ms: int) -> None:
    """Each unit counts for what it is, and parts add up."""
    assert parse(text) == ms


@pytest.mark.parametrize(
    "text", ["", "5", "s", "-5s", "1.5h", "5 s", "5S", "1w", "0s", "0h0m", "1h ", "\u0665s", "1" * 13 + "s", "1hh"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Numbers without a unit, units without a number, fractions, nothing at all: each is a ValueError, never a guess."""
    with pytest.raises(ValueError, match="duration"):
        parse(text)


@given(st.text())
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    """Whatever is written, it is longer than nothing or refused."""
    with suppress(ValueError):
        assert parse(text) > 0


@given(st.integers(0, 999), st.integers(0, 59), st.integers(0, 23), st.integers(0, 400))
def test_parts_add_up(ms: int, minutes: int, hours: int, days: int) -> None:
    """A duration is the sum of its parts, in whatever order they are written."""
    total = ms + minutes * MINUTE + hours * HOUR + days * DAY
    if total:
        assert parse(f"{days}d{hours}h{minutes}m{ms}ms") == total
        assert parse(f"{ms}ms{minutes}m{hours}h{days}d") == total


@given(st.integers(0, 10_000 * DAY))
def test_words_say_the_largest_two_units(ms: int) -> None:
    """What a person reads is never more than the duration, and less by at most one of the smaller unit said."""
    said = words(ms)
    parts = said.split(" ")
    back = sum(parse(part) for part in parts if not part.startswith("0"))
    smallest = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}

    assert len(parts) <= 2
    assert back <= ms
    if said.endswith("ms"):
        assert back == ms
    else:
        largest = smallest[parts[0][-1]]
        assert ms - back < largest
