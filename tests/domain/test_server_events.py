"""Server-sent events are taken apart alike, in whatever pieces they arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.server_events import Event, Events, TooLong

LINES = st.lists(
    st.sampled_from(
        [
            b"data: a",
            b"data:b",
            b"data",
            b"event: x",
            b": comment",
            b"id: 1",
            b"data: \xc3\xa9",
            b"\xff:",
            b"data:  two",
        ]
    ),
    min_size=1,
    max_size=4,
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


def whole(events: Events, *pieces: bytes) -> list[Event]:
    """All that comes of these pieces, the rest included."""
    found = [event for piece in pieces for event in events.feed(piece)]
    rest = events.rest()
    return found if rest is None else [*found, rest]


@given(st.lists(st.tuples(LINES, ENDS), max_size=5), st.sampled_from([b"", b"data: cut", b"data: cut\n"]))
def test_split_at_every_byte_they_are_the_same(blocks: list[tuple[list[bytes], bytes]], tail: bytes) -> None:
    """Cut in two at any byte, or come one byte at a time: the same events, of which each byte stays where it was."""
    raw = b"".join(end.join(lines) + end + end for lines, end in blocks) + tail
    at_once = whole(Events(10_000), raw)

    assert b"".join(event.raw for event in at_once) == raw or not tail.strip()
    assert whole(Events(10_000), *(raw[i : i + 1] for i in range(len(raw)))) == at_once
    for place in range(len(raw)):
        assert whole(Events(10_000), raw[:place], raw[place:]) == at_once


def test_what_an_event_says() -> None:
    """Its data lines, one after the other, each without the one space that may stand before."""
    raw = b"event: e\r\ndata: one\r\ndata:two\r\ndata:  three\r\nother: x\r\n\r\n: only a comment\n\n"
    first, second = Events(1000).feed(raw)

    assert first.data == b"one\ntwo\n three"
    assert second == Event(b": only a comment\n\n", b"")


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_garbage_is_kept_byte_by_byte(pieces: list[bytes]) -> None:
    """Whatever comes, nothing of it is lost but lines that say nothing at the very end."""
    events = Events(10_000)
    found = b"".join(event.raw for event in whole(events, *pieces))

    assert b"".join(pieces).startswith(found)
    assert not b"".join(pieces)[len(found) :].strip()


def test_an_event_without_an_end_is_bounded() -> None:
    """It is given up where it is longer than it may be, however it comes."""
    events = Events(100)
    for _ in range(100):
        events.feed(b"x")
    with pytest.raises(TooLong):
        events.feed(b"x")
