"""Signed claims: one algorithm, one header, one spelling; whatever else a text may be, it is refused."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.keys import fresh, verify
from interlock.domain.jws import MAX_BYTES, Form, JwsError


class Claims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to say."""

    sub: str
    n: int = 0


FORM = Form("test+jwt", Claims)
KEY = fresh("somebody")
PUBLIC = KEY.verifier.public


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: object, payload: bytes) -> str:
    """Any header and payload, properly signed."""
    head = header if isinstance(header, bytes) else json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text = f"{b64(head)}.{b64(payload)}"
    return f"{text}.{b64(KEY.sign(text.encode()))}"


def read(text: str) -> Claims:
    """What a text says, if it is signed by KEY."""
    return FORM.claims(FORM.parse(text), PUBLIC, verify)


@given(sub=st.text(st.characters(codec="utf-8"), max_size=200), n=st.integers(-(2**53) + 1, 2**53 - 1))
def test_what_is_signed_is_read(sub: str, n: int) -> None:
    """Claims come back as they were said."""
    assert read(FORM.sign(Claims(sub=sub, n=n), kid="k", sign=KEY.sign)) == Claims(sub=sub, n=n)


@given(place=st.integers(0), bit=st.integers(0, 7))
@settings(max_examples=300)
def test_no_byte_may_differ(place: int, bit: int) -> None:
    """A text with one bit flipped is refused, wherever the bit is."""
    text = FORM.sign(Claims(sub="ana", n=7), kid="k", sign=KEY.sign).encode()
    place %= len(text)
    other = text[:place] + bytes([text[place] ^ (1 << bit)]) + text[place + 1 :]
    with pytest.raises(JwsError):
        read(other.decode("latin-1"))


GOOD = {"alg": "Ed25519", "kid": "k", "typ": "test+jwt"}


@pytest.mark.parametrize(
    "header",
    [
        GOOD | {"alg": "none"},
        GOOD | {"alg": "HS256"},
        GOOD | {"alg": "EdDSA"},
        GOOD | {"alg": "ed25519"},
        GOOD | {"typ": "JWT"},
        GOOD | {"crit": ["exp"]},
        GOOD | {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": b64(PUBLIC)}},
        GOOD | {"jku": "https://evil.example/keys"},
        {"alg": "Ed25519", "typ": "test+jwt"},
        b'{"alg":"none","alg":"Ed25519","kid":"k","typ":"test+jwt"}',
        b'{"alg": "Ed25519","kid":"k","typ":"test+jwt"}',
        b"[]",
        b"",
        b"\xff",
    ],
)
def test_a_header_says_nothing_else(header: object) -> None:
    """Another algorithm, another type, a key to be used, an extension to be heeded, a key twice: refused, however well
    the text is signed."""
    with pytest.raises(JwsError):
        read(signed(header, b'{"n":0,"sub":"ana"}'))


@pytest.mark.parametrize(
    "payload",
    [
        b'{"n":0,"sub":"ana","sub":"ben"}',
        b'{"sub":"ana","n":0}',
        b'{"n":0,"sub":"ana","extra":1}',
        b'{"n":0.0,"sub":"ana"}',
        b'{"n":true,"sub":"ana"}',
        b'{"n":99999999999999999999,"sub":"ana"}',
        b'{"n":0,"sub":"\\ud800"}',
        b"{" * 5000,
        b"null",
        b"",
    ],
)
def test_claims_have_one_form(payload: bytes) -> None:
    """Claims with a key twice, out of order, of another type, of no known name or too deep are refused."""
    with pytest.raises(JwsError):
        read(signed(GOOD, payload))


def test_who_brings_another_key_is_refused() -> None:
    """A text signed by one key does not hold for another."""
    other = fresh("another")
    with pytest.raises(JwsError, match="not signed by the key"):
        FORM.claims(FORM.parse(FORM.sign(Claims(sub="ana"), kid="k", sign=other.sign)), PUBLIC, verify)


def test_padding_and_leftover_bits_are_another_spelling() -> None:
    """The same bytes in another base64 are refused: a text has one spelling, or a revoked one could come back in another."""
    text = FORM.sign(Claims(sub="ana"), kid="k", sign=KEY.sign)
    head, payload, signature = text.split(".")
    last = signature[-1]
    twin = next(
        each
        for each in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        if each != last and urlsafe_b64decode(signature[:-1] + each + "==") == urlsafe_b64decode(signature + "==")
    )
    for other in (f"{head}.{payload}.{signature[:-1]}{twin}", f"{text}==", f"{head}.{payload}\n.{signature}"):
        with pytest.raises(JwsError):
            read(other)


def test_size_comes_before_everything() -> None:
    """What is longer than allowed is refused unread."""
    with pytest.raises(JwsError, match="more than"):
        FORM.parse("." * (MAX_BYTES + 1))


@given(st.text(max_size=400))
def test_any_text_is_refused_in_words(text: str) -> None:
    """Whatever a text is, it is refused with a JwsError and nothing else."""
    with pytest.raises(JwsError):
        read(text)
