"""Questions to models: how many tokens they take at most, what passes, and what is refused."""

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.errors import ContractError
from interlock.domain.model_request import AROUND, Bound, Kind, bound, read
from interlock.domain.model_route import Leg, ModelRoute

LEG = Leg(provider="p", model="there", name="there")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)
OURS = {
    "model",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "messages",
    "tools",
    "n",
    "prediction",
    "background",
    "models",
    "route",
    "previous_response_id",
    "conversation",
    "prompt",
    "web_search_options",
    "plugins",
    "data_sources",
}


def route(**fields: Any) -> ModelRoute:
    """A way to a model."""
    return ModelRoute(name="here", legs=(LEG,), **fields)


def bounded(body: dict[str, Any], kind: Kind = "chat", **fields: Any) -> Bound:
    """`body` as it is sent by such a way."""
    return bound(read(kind, json.dumps(body).encode(), "mask"), route(**fields), LEG)


@pytest.mark.proves("relay.passed")
@given(st.dictionaries(TEXT.filter(lambda name: name not in OURS), ANY_JSON, max_size=4), st.lists(TEXT, max_size=3))
def test_every_value_of_a_body_passes(extra: dict[str, Any], words: list[str]) -> None:
    """Whatever else stands in it, known or not: the provider gets the same values in the same order."""
    body = {
        **extra,
        "model": "here",
        "messages": [{"role": "user", "content": each} for each in words],
        "max_tokens": 5,
    }
    raw = json.dumps(body).encode()
    sent = bound(read("chat", raw, "keep"), route(), LEG)

    assert list(json.loads(sent.body).items()) == list({**body, "model": "there"}.items())


@pytest.mark.proves("relay.metered")
@given(st.lists(TEXT, max_size=4), st.integers(1, 500), st.one_of(st.none(), st.integers(1, 4)))
def test_no_question_has_more_tokens_than_bytes(words: list[str], most: int, choices: int | None) -> None:
    """In: at least as many as its words have bytes, and more for each message; out: as many as are wanted, for each choice."""
    body = {"model": "here", "messages": [{"role": "user", "content": each} for each in words], "max_tokens": most}
    found = bounded({**body, "n": choices}).most

    assert found.input >= sum(len(each.encode()) + 4 for each in words) + AROUND
    assert found.output == most * (choices or 1)


@pytest.mark.proves("relay.metered")
def test_where_bytes_bound_nothing_the_window_does() -> None:
    """Pictures, files, earlier answers, items of unknown kinds; a question in words takes no more than the window either."""
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]
    outside: list[tuple[Kind, dict[str, Any]]] = [
        ("chat", {"messages": picture}),
        ("chat", {"messages": [{"role": "assistant", "audio": {"id": "a"}}]}),
        ("responses", {"input": picture}),
        ("responses", {"input": [{"type": "item_reference", "id": "x"}]}),
        ("responses", {"input": "hi", "previous_response_id": "x"}),
        ("responses", {"input": "hi", "conversation": "x"}),
        ("responses", {"prompt": {"id": "x"}}),
    ]
    for kind, body in outside:
        with pytest.raises(ContractError, match="most_input"):
            bounded({"model": "here", **body}, kind, most_output=5)
        assert bounded({"model": "here", **body}, kind, most_output=5, most_input=9_000).most.input == 9_000
    long = {"model": "here", "messages": [{"role": "user", "content": "x" * 20_000}]}
    assert bounded(long, most_output=5, most_input=9_000).most.input == 9_000
    assert bounded(long, most_output=5).most.input > 20_000
    said = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}]
    assert bounded({"model": "here", "input": said}, "responses", most_output=5).most.input < 500


@pytest.mark.proves("relay.metered")
def test_what_is_foretold_may_be_billed_as_well() -> None:
    """Of a prediction, what turns out otherwise."""
    body = {"model": "here", "messages": [], "max_tokens": 10, "prediction": {"type": "content", "content": "y" * 100}}
    assert bounded(body).most.output > 110


@pytest.mark.proves("relay.deny")
def test_tools_that_the_provider_runs_are_named_by_the_route() -> None:
    """By their type, and then the window is what bounds it."""
    body: dict[str, Any] = {"model": "here", "messages": [], "max_tokens": 10}
    for tools in (
        [{"type": "mcp"}],
        [{"no": "type"}],
        [3],
        "web_search",
        [{"type": ["function"]}],
    ):
        with pytest.raises(ContractError, match="run by the provider"):
            bounded({**body, "tools": tools}, most_input=100)
    found = bounded({**body, "tools": [{"type": "web_search"}]}, tools=("web_search",), most_input=100)
    assert found.most.input == 100
    own = [{"type": "function", "function": {"name": "f"}}, {"type": "custom", "name": "g"}]
    assert json.loads(bounded({**body, "tools": own}).body)["tools"] == own


def test_of_two_readings_of_a_name_only_one_is_sent() -> None:
    """A name that is said twice reaches the provider once, as it was read here."""
    raw = b'{"model":"a","model":"here","messages":[],"max_tokens":3,"tools":[{"type":"mcp","type":"function"}]}'
    sent = bound(read("chat", raw, "keep"), route(), LEG).body

    assert sent == b'{"model":"there","messages":[],"max_tokens":3,"tools":[{"type":"function"}]}'


@given(st.binary(max_size=200))
def test_garbage_is_refused_by_name(raw: bytes) -> None:
    """Whatever arrives is a question or a ContractError, never another error."""
    for kind in ("chat", "responses", "embeddings"):
        with suppress(ContractError):
            read(kind, raw, "mask")


@given(st.dictionaries(st.sampled_from(sorted(OURS | {"input"})), ANY_JSON, max_size=6))
def test_odd_values_are_refused_by_name(body: dict[str, Any]) -> None:
    """Whatever stands where we look, it is bounded or a ContractError, never another error, and never bounded by nothing."""
    kinds: tuple[Kind, ...] = ("chat", "responses", "embeddings")
    for kind in kinds:
        try:
            found = bound(read(kind, msgspec.json.encode({**body, "model": "here"}), "mask"), route(most_output=7), LEG)
        except ContractError:
            continue
        assert found.most.input >= len(found.body)
        assert found.most.output >= (0 if kind == "embeddings" else 1)
