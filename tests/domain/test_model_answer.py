"""Answers of models: what they say that they took, and when that is believed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.model_answer import BELIEVED, Seen, usage_of
from interlock.domain.model_request import Kind

COUNTS = st.one_of(st.integers(-5, 2 * BELIEVED), st.none(), st.booleans(), st.floats(), st.text(max_size=2))
KINDS = st.sampled_from(["chat", "responses", "embeddings"])


@pytest.mark.proves("relay.settled_honestly")
@given(KINDS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_only_what_can_be_so_is_believed(kind: Kind, read: Any, written: Any, cached: Any, reasoning: Any) -> None:
    """Whole numbers from 0 on and not beyond reason, cached ones among those read; anything else is no word."""
    entered, left = ("input", "output") if kind == "responses" else ("prompt", "completion")
    usage = {
        f"{entered}_tokens": read,
        f"{left}_tokens": written,
        f"{entered}_tokens_details": {"cached_tokens": cached},
        f"{left}_tokens_details": {"reasoning_tokens": reasoning},
    }
    found = usage_of(usage, kind)
    counts = [read, written, 0 if cached is None else cached]
    sound = all(type(each) is int and 0 <= each <= BELIEVED for each in counts) and counts[2] <= read

    assert (found is not None) == sound
    if found is not None:
        assert (found.tokens.input, found.tokens.output, found.tokens.cached) == tuple(counts)
        assert 0 <= found.reasoning <= found.tokens.output


@given(st.one_of(st.none(), st.text(), st.lists(st.integers()), st.dictionaries(st.text(), st.integers())))
def test_odd_usage_is_no_word(usage: Any) -> None:
    """Whatever stands there."""
    assert usage_of(usage, "chat") is None


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_garbage_in_a_stream_says_nothing(pieces: list[bytes]) -> None:
    """Whatever comes as data is looked at without an error, and is no word of what it took."""
    for kind in ("chat", "responses"):
        seen = Seen(kind)
        for each in pieces:
            assert not seen.event(each)
        assert seen.taken is None


@pytest.mark.proves("relay.settled_honestly")
def test_in_a_stream_only_the_last_word_counts() -> None:
    """A count that runs along is none while it runs: only once the stream came to its end."""
    usage = {"prompt_tokens": 9, "completion_tokens": 1}
    running = json.dumps({"choices": [{"delta": {"content": "a"}}], "usage": usage}).encode()
    last = json.dumps({"choices": [], "usage": {**usage, "completion_tokens": 2}}).encode()
    seen = Seen("chat")

    assert not seen.event(running)
    assert seen.taken is None
    assert seen.event(last)
    assert seen.taken is not None
    assert seen.taken.tokens.output == 2
    assert not seen.over
    seen.event(b"[DONE]")
    assert seen.over
    done = Seen("chat")
    done.event(running)
    done.event(b"[DONE]")
    assert done.taken is not None


@pytest.mark.proves("relay.settled_honestly")
def test_an_answer_of_something_took_something() -> None:
    """Nothing read, or nothing written for words that came, is no word; for an answer without words it is."""
    for words, written, believed in (("a", 0, False), ("a", 1, True), ("", 0, True)):
        seen = Seen("chat")
        message = {"role": "assistant", "content": words}
        body = {"choices": [{"message": message}], "usage": {"prompt_tokens": 1, "completion_tokens": written}}
        assert seen.whole(json.dumps(body).encode())
        assert (seen.taken is not None) == believed
