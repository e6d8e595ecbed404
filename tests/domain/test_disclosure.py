"""Salted commitments: the published example, what opens them, and nothing but DisclosureError for the rest."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.canonical import MAX_DEPTH
from interlock.domain.disclosure import (
    MAX_DISCLOSURE_BYTES,
    MAX_INTEGER_BITS,
    Disclosure,
    DisclosureError,
    OpenValue,
    digest_of,
    parse,
)

SALT = bytes(range(16))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)
NAMES = TEXT.filter(lambda name: name not in {"", "_sd", "..."})
SALTS = st.binary(min_size=16, max_size=40)

# The example of RFC 9901, section 4.2.1 and 4.2.3, which has spaces and an unescaped letter beyond ASCII.
RFC_TEXT = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
RFC_DIGEST = "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"


def b64url(data: bytes) -> str:
    """Give base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def text_of(encoded: str) -> bytes:
    """Give the JSON text in a disclosure."""
    return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


def nested(depth: int) -> Any:
    """Give a list nested `depth` deep."""
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_opens_the_published_example() -> None:
    """The disclosure of RFC 9901 is read, and its text has the published digest."""
    read = parse(RFC_TEXT)

    assert (read.name, read.value) == ("family_name", "Möbius")
    assert digest_of(RFC_TEXT) == RFC_DIGEST


def test_is_the_array_of_salt_name_and_value() -> None:
    """The text is base64url of the compact JSON array, the digest base64url of the text's SHA-256, both unpadded."""
    disclosure = Disclosure(salt=SALT, name="toolArgs", value={"b": 1.5, "a": ["ü", None]})
    encoded = disclosure.encoded()

    assert text_of(encoded) == b'["AAECAwQFBgcICQoLDA0ODw","toolArgs",{"a":["\xc3\xbc",null],"b":1.5}]'
    assert "=" not in encoded
    assert disclosure.digest() == digest_of(encoded) == b64url(sha256(encoded.encode()).digest())


@given(SALTS, NAMES, VALUES)
def test_reads_back(salt: bytes, name: str, value: OpenValue) -> None:
    """What was disclosed is read back, value and type, and has the same text again."""
    disclosure = Disclosure(salt=salt, name=name, value=value)
    encoded = disclosure.encoded()
    read = parse(encoded)

    assert read == disclosure
    assert repr(read.value) == repr(json.loads(text_of(encoded))[2])
    assert read.encoded() == encoded


@pytest.mark.proves("evidence.commitment_binds")
@given(st.lists(st.tuples(SALTS, NAMES, st.integers(0, 2) | TEXT), min_size=2, max_size=2, unique=True))
def test_another_salt_name_or_value_has_another_digest(parts: list[tuple[bytes, str, OpenValue]]) -> None:
    """A commitment cannot be opened as something else."""
    one, other = (Disclosure(salt=salt, name=name, value=value).digest() for salt, name, value in parts)

    assert one != other


@pytest.mark.proves("evidence.commitment_binds")
@pytest.mark.parametrize("salt", [b"", bytes(15)])
def test_refuses_a_salt_that_can_be_guessed(salt: bytes) -> None:
    """A salt has at least 128 bits."""
    with pytest.raises(DisclosureError):
        Disclosure(salt=salt, name="a", value=1)


@pytest.mark.parametrize("name", ["", "_sd", "..."])
def test_refuses_reserved_names(name: str) -> None:
    """The names RFC 9901 keeps for itself, and no name, cannot be disclosed."""
    with pytest.raises(DisclosureError):
        Disclosure(salt=SALT, name=name, value=1)


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        [float("inf")],
        {"a": [-float("inf")]},
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        {"a": (1,)},
        b"bytes",
        [{1}],
        object(),
        1 << MAX_INTEGER_BITS,
        [10**5000],
        nested(MAX_DEPTH + 1),
        "x" * MAX_DISCLOSURE_BYTES,
        "\x00" * (MAX_DISCLOSURE_BYTES // 5),
    ],
)
def test_refuses_what_json_cannot_write(value: Any) -> None:
    """NaN does not become null, a tuple no list, and nothing too long or too deep is written."""
    with pytest.raises(DisclosureError):
        Disclosure(salt=SALT, name="a", value=value).encoded()


@pytest.mark.parametrize("value", [["x" * 2**20] * 10_000, [{"k" * 2**20: 1}] * 10_000])
def test_what_is_shared_counts_each_time(value: Any) -> None:
    """One mebibyte of text held ten thousand times is refused by the walk: it is never written out first."""
    with pytest.raises(DisclosureError, match="longer than"):
        Disclosure(salt=SALT, name="a", value=value).encoded()


@pytest.mark.parametrize("leaf", [1, "x" * 1000, {"k" * 1000: []}])
def test_bounds_the_work_and_not_only_the_result(leaf: Any) -> None:
    """A small value that stands for 2^60 leaves is refused before it is written out."""
    value: Any = leaf
    for _ in range(60):
        value = [value, value]

    with pytest.raises(DisclosureError):
        Disclosure(salt=SALT, name="a", value=value).encoded()


def test_refuses_a_name_that_utf8_cannot_write() -> None:
    """A lone surrogate in the name is an error of the disclosure."""
    with pytest.raises(DisclosureError):
        Disclosure(salt=SALT, name="\ud800", value=1).encoded()


def test_takes_the_deepest_and_longest_integers() -> None:
    """The limits themselves are inside."""
    for value in (nested(MAX_DEPTH), 2**MAX_INTEGER_BITS - 1):
        assert parse(Disclosure(salt=SALT, name="a", value=value).encoded()).value == value


@pytest.mark.proves("evidence.commitment_binds")
def test_a_digest_is_of_the_text_as_it_stands() -> None:
    """The same value written with other spaces opens, and has another digest."""
    ours = Disclosure(salt=SALT, name="a", value=[1])
    spaced = b64url(text_of(ours.encoded()).replace(b",", b", "))

    assert parse(spaced) == ours
    assert digest_of(spaced) != ours.digest()


def test_a_digest_needs_ascii() -> None:
    """Text that could not be a disclosure has no digest."""
    with pytest.raises(DisclosureError):
        digest_of("é")


SALT_TEXT = b64url(SALT)


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "!",
        "é",
        "\ud800",
        "A",
        RFC_TEXT + "=",
        RFC_TEXT + "\n",
        " " + RFC_TEXT,
        RFC_TEXT[:4] + "~" + RFC_TEXT[4:],
        b64url(b"["),
        b64url(b"\xff"),
        b64url(b"null"),
        b64url(b"{}"),
        b64url(b"[]"),
        b64url(b"[" * 100_000),
        b64url(b"[" * 100_000 + b"]" * 100_000),
        "A" * (MAX_DISCLOSURE_BYTES * 4 // 3 + 5),
        *(
            b64url(text.replace("SALT", SALT_TEXT).encode())
            for text in (
                '["SALT","a"]',
                '["SALT","a",1,2]',
                '["SALT",1,1]',
                '[1,"a",1]',
                '["AAAA","a",1]',
                '["SALT=","a",1]',
                '["SALT","_sd",1]',
                '["SALT","a",NaN]',
                '["SALT","a",-Infinity]',
                '["SALT","a",1e999]',
                '["SALT","a",{"x":1,"x":1}]',
                '["SALT","a",[{"x":{"y":1,"\\u0079":2}}]]',
                '["SALT","a","\\ud800"]',
                '["SALT","\\udc00",1]',
                '["SALT","a",{"\\ud800":1}]',
                '["SALT","a",' + "9" * 5000 + "]",
                '["SALT","a",' + "9" * 400 + "]",
                '["SALT","a",' + "[" * 65 + "]" * 65 + "]",
                '["SALT","a",1]]',
                '\ufeff["SALT","a",1]',
            )
        ),
    ],
)
def test_refuses_what_is_no_disclosure(encoded: str) -> None:
    """A repeated key, a short salt, an infinity, a loose end of base64: each is refused."""
    with pytest.raises(DisclosureError):
        parse(encoded)


@pytest.mark.proves("log.parsers_closed")
@given(
    st.text(max_size=60)
    | st.binary(max_size=60).map(b64url)
    | st.builds(
        lambda middle, end: b64url(f'["{SALT_TEXT}",{middle}{end}'.encode()),
        st.text(alphabet='"ab\\u{}[]:,0123e.-', max_size=30),
        st.sampled_from(["", "]", ",1]", '"]']),
    )
    | st.builds(
        lambda name, value: b64url(json.dumps([SALT_TEXT, name, value], indent=1).encode()),
        NAMES,
        VALUES,
    )
)
def test_hostile_text_gives_a_typed_error(encoded: str) -> None:
    """Any text is a disclosure that can be written and read again, or DisclosureError."""
    try:
        read = parse(encoded)
    except DisclosureError:
        return
    assert parse(read.encoded()) == read
    assert digest_of(encoded)
