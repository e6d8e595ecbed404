"""The one byte form of JSON values: equal to RFC 8785 inside its profile, refused with a path outside."""

import json
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.domain.canonical import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, CanonicalError, JsonValue, digest, encode

KEYS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LEAVES = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | TEXT
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=30)

# Made once with the PyPI package rfc8785, which was also compared on 20,000 random values and on every code point.
GOLDEN: list[tuple[Any, bytes]] = [
    (None, b"null"),
    (True, b"true"),
    (0, b"0"),
    (-MAX_INTEGER, b"-9007199254740991"),
    ("", b'""'),
    ([], b"[]"),
    ({}, b"{}"),
    ("\x00\x07\b\t\n\v\f\r\x1f\x7f", b'"\\u0000\\u0007\\b\\t\\n\\u000b\\f\\r\\u001f\x7f"'),
    ("\"\\/<>&'", b'"\\"\\\\/<>&\'"'),
    ("\u20ac\u2028\ufeff\U0001f600", b'"\xe2\x82\xac\xe2\x80\xa8\xef\xbb\xbf\xf0\x9f\x98\x80"'),
    ({"b": 1, "a": [3, {"z": None, "B": "x"}]}, b'{"a":[3,{"B":"x","z":null}],"b":1}'),
    ({"10": 0, "9": 0, " ": 0, "~": 0, "": 0}, b'{"":0," ":0,"10":0,"9":0,"~":0}'),
    ({'b"': 1, "b!": 2, "b#": 3, "b\\": 4}, b'{"b!":2,"b\\"":1,"b#":3,"b\\\\":4}'),
]


class Colour(StrEnum):
    """A string that is not exactly a string."""

    RED = "red"


class Level(IntEnum):
    """An integer that is not exactly an integer."""

    LOW = 1


def nested(depth: int) -> Any:
    """Give a list nested `depth` deep."""
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.proves("canonical.one_form")
@pytest.mark.parametrize(("value", "expected"), GOLDEN)
def test_writes_what_rfc_8785_writes(value: Any, expected: bytes) -> None:
    """Values inside the profile have the bytes that RFC 8785 gives them."""
    assert encode(value) == expected


@given(VALUES)
def test_is_json_with_sorted_keys_and_no_spaces(value: JsonValue) -> None:
    """Any value of the profile is written as the standard library's compact JSON with sorted keys."""
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert encode(value) == expected.encode()


@pytest.mark.proves("canonical.one_form")
@given(VALUES)
def test_reads_back_as_the_same_value(value: JsonValue) -> None:
    """Nothing is lost: reading the bytes gives the value again, and its form is the same."""
    again = json.loads(encode(value))

    assert again == value
    assert encode(again) == encode(value)


@pytest.mark.proves("canonical.one_form")
@given(st.dictionaries(KEYS, LEAVES), st.randoms())
def test_does_not_depend_on_the_order_of_keys(value: dict[str, JsonValue], random: Any) -> None:
    """Two objects with the same fields have one digest, however they were built."""
    items = list(value.items())
    random.shuffle(items)

    assert digest(dict(items)) == digest(value)


def test_digest_is_sha256_in_hexadecimal() -> None:
    """The digest of a value is the lowercase hexadecimal SHA-256 of its bytes."""
    assert digest({"a": 1}) == sha256(b'{"a":1}').hexdigest()


def test_tells_true_from_one() -> None:
    """True and 1 are equal in Python and two values here."""
    assert (encode(True), encode(1), encode([True, 1])) == (b"true", b"1", b"[true,1]")


@pytest.mark.proves("canonical.one_form")
@pytest.mark.parametrize(
    ("value", "path"),
    [
        (1.0, ""),
        (float("nan"), ""),
        ({"a": [0, float("inf")]}, "/a/1"),
        ({"price": {"amount": -0.0}}, "/price/amount"),
        (MAX_INTEGER + 1, ""),
        ([[-MAX_INTEGER - 1]], "/0/0"),
        ({"a/b": {"~c": 2**64}}, "/a~1b/~0c"),
        ("\ud800", ""),
        ({"a": ["ok", "\udfffx"]}, "/a/1"),
        ({"größe": 1}, ""),
        ({"a": {"b\n": 1}}, "/a"),
        ({"a": {"\x7f": 1}}, "/a"),
        ([{"\ud800": 1}], "/0"),
        ({"a": {1: 2}}, "/a"),
        ([(1, 2)], "/0"),
        ({"a": b"bytes"}, "/a"),
        ([{1}], "/0"),
        ({"when": datetime(2026, 1, 1, tzinfo=UTC)}, "/when"),
        ({"colour": Colour.RED}, "/colour"),
        ({Colour.RED: 1}, ""),
        ({"level": Level.LOW}, "/level"),
        ({"object": object()}, "/object"),
    ],
)
def test_refuses_what_has_no_exact_form(value: Any, path: str) -> None:
    """A value outside the profile is refused, and the error points to the culprit as a JSON pointer."""
    with pytest.raises(CanonicalError) as caught:
        encode(value)

    assert caught.value.path == path
    assert caught.value.reason


def test_bounds_the_depth() -> None:
    """Containers may nest 64 deep and not one deeper."""
    assert encode(nested(MAX_DEPTH)) == b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    with pytest.raises(CanonicalError) as caught:
        encode(nested(MAX_DEPTH + 1))
    assert caught.value.path == "/0" * MAX_DEPTH


def test_survives_a_value_that_holds_itself() -> None:
    """A list inside itself is refused as too deep."""
    value: Any = {}
    value["self"] = value

    with pytest.raises(CanonicalError):
        encode(value)


@pytest.mark.parametrize("leaf", [1, "", "x" * 1000, []])
def test_bounds_the_work_and_not_only_the_result(leaf: Any) -> None:
    """A small value that stands for 2^60 leaves is refused before it is written out."""
    value: Any = leaf
    for _ in range(60):
        value = [value, value]

    with pytest.raises(CanonicalError):
        encode(value)


@pytest.mark.parametrize("value", [["x" * 100] * 100, [{"k" * 100: 1}] * 100, {"a": [[]] * 1000}])
def test_what_is_shared_counts_each_time(value: Any) -> None:
    """Text or lists held many times are refused by the walk: they are never written out first."""
    with pytest.raises(CanonicalError, match="too long by here"):
        encode(value, max_bytes=999)


@pytest.mark.parametrize("value", ["x" * 98, [1] * 49 + [10], {"k" * 47: "v" * 46}, "\x00" * 16 + "xx"])
def test_bounds_the_size_to_the_byte(value: Any) -> None:
    """A value of exactly the greatest size is written, and refused when the limit is one byte lower."""
    size = len(json.dumps(value, separators=(",", ":")))

    assert len(encode(value, max_bytes=size)) == size
    with pytest.raises(CanonicalError):
        encode(value, max_bytes=size - 1)


def test_default_size_is_one_mebibyte() -> None:
    """Without a limit of the caller's, the form is at most 1 MiB long."""
    assert len(encode("x" * (MAX_BYTES - 2))) == MAX_BYTES == 1024 * 1024
    with pytest.raises(CanonicalError):
        encode("x" * (MAX_BYTES - 1))


@given(VALUES, st.integers(0, 200))
def test_the_limit_never_refuses_what_fits(value: JsonValue, limit: int) -> None:
    """A value is refused for its size if, and only if, its form is longer than the limit."""
    size = len(encode(value))

    if size <= limit:
        assert len(encode(value, max_bytes=limit)) == size
    else:
        with pytest.raises(CanonicalError):
            encode(value, max_bytes=limit)


ANYTHING = st.recursive(
    LEAVES | st.floats() | st.integers() | st.text() | st.binary() | st.dates() | st.just(Colour.RED),
    lambda inner: (
        st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.proves("log.parsers_closed")
@settings(max_examples=300)
@given(ANYTHING)
def test_gives_bytes_or_a_typed_error(value: Any) -> None:
    """Whatever it is given, it writes valid JSON or raises CanonicalError."""
    try:
        encoded = encode(value)
    except CanonicalError as error:
        path = error.path
    else:
        path = ""
        assert json.loads(encoded) == value
    assert path == "" or path.startswith("/")
