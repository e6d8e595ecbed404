"""Streams: a gap, a second end or a wrong count shows; a stream that goes on, or just stops, is a prefix and no finding."""

import pytest

from interlock.domain.statement import KEY_TYPE, Place, Said, Times
from interlock.domain.streams import RUN_TYPE, Streams

OTHER = "https://interlock.dev/evidence/action/v1"
LEAF = b"\x01" * 32
NOON = Times(observed_at="2026-01-01T12:00:00.000Z")


def said(
    seq: int, phase: str = "decided", *, stream: str = "run-1", prev: bytes = LEAF, entries: object = None
) -> Said:
    """What one entry says of its place."""
    return Said(phase=phase, stream=Place(id=stream, seq=seq, prev=prev.hex()), times=NOON, entries=entries)


def begun() -> Streams:
    """A stream that was opened, and recorded one thing."""
    streams = Streams()
    assert streams.follow(RUN_TYPE, said(1, "opened", prev=b""), LEAF) == []
    assert streams.follow(OTHER, said(2), LEAF) == []
    return streams


@pytest.mark.proves("evidence.runs")
def test_a_stream_without_an_end_is_a_prefix() -> None:
    """A stream that was not closed is named, and nothing is wrong with it; a closed one is complete."""
    streams = begun()
    assert streams.follow(OTHER, said(1, stream="run-2", prev=b""), LEAF) == []
    assert (streams.count, streams.unclosed) == (2, ("run-1", "run-2"))

    assert streams.follow(RUN_TYPE, said(3, "closed", entries=3), LEAF) == []

    assert streams.unclosed == ("run-2",)


@pytest.mark.proves("evidence.runs")
@pytest.mark.parametrize(
    ("kind", "entry", "problem"),
    [
        (OTHER, said(4), "it is number 4 of stream `run-1`, after number 2"),
        (OTHER, said(3, prev=b"\x02" * 32), "it does not name the entry before it in stream `run-1`"),
        (RUN_TYPE, said(3, "opened"), "it opens stream `run-1` once more"),
        (RUN_TYPE, said(3, "closed", entries=2), "it closes a stream of 2 entries, and is its number 3"),
        (RUN_TYPE, said(3, "closed"), "it closes a stream of None entries, and is its number 3"),
    ],
    ids=["left out", "another before it", "opened twice", "a wrong count", "no count"],
)
def test_what_cannot_be_in_a_stream_is_found(kind: str, entry: Said, problem: str) -> None:
    """Whatever does not continue the stream, or contradicts what it says of its run, is said."""
    assert begun().follow(kind, entry, LEAF) == [problem]


@pytest.mark.proves("evidence.runs")
def test_who_hands_its_key_over_ends() -> None:
    """A stream whose last entry hands the signing key over is complete: the process that wrote it can sign no more."""
    streams = begun()

    assert streams.follow(KEY_TYPE, said(3, "rotated"), LEAF) == []

    assert streams.unclosed == ()


@pytest.mark.proves("evidence.runs")
def test_nothing_comes_after_the_end() -> None:
    """An entry in a stream that was closed is found, the end of a task in it is none of the stream's."""
    streams = begun()
    assert streams.follow(OTHER, said(3, "closed"), LEAF) == []
    assert streams.follow(RUN_TYPE, said(4, "closed", entries=4), LEAF) == []

    problems = streams.follow(OTHER, said(5), LEAF)

    assert problems == ["it stands in stream `run-1`, which was closed before"]
