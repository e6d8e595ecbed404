"""Salted commitments to single values, and the disclosures that open them: RFC 9901 (SD-JWT), section 4.2.

The log keeps only the digest. The disclosure, kept elsewhere, says which salt, name and value it stands for; while it
exists it opens the commitment, and once it is erased the digest says nothing, since the salt cannot be guessed.
A digest is over the disclosure's text as it was first written: whoever checks one compares that text and never writes
it anew. Hence, unlike canonical JSON, a value may hold finite floats, longer integers and any key that UTF-8 can write.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import msgspec

from interlock.domain.canonical import MAX_DEPTH

if TYPE_CHECKING:
    OpenValue: TypeAlias = bool | int | float | str | list["OpenValue"] | dict[str, "OpenValue"] | None
else:
    # msgspec cannot follow a recursive alias; as Any the word may still type a field of a Struct.
    OpenValue = Any

MIN_SALT_BYTES: Final = 16
MAX_DISCLOSURE_BYTES: Final = 4 * 1024 * 1024
"""The longest JSON text of a disclosure, before its base64."""
MAX_INTEGER_BITS: Final = 1024

_RESERVED: Final = frozenset({"", "_sd", "..."})
_encoder: Final = msgspec.json.Encoder(order="sorted")


class DisclosureError(ValueError):
    """A value cannot be disclosed, or a text is not a disclosure."""


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """A named value with its salt: at least 16 bytes from a cryptographic source, never used twice."""

    salt: bytes
    name: str
    value: OpenValue

    def __post_init__(self) -> None:
        """Refuse a salt that can be guessed, and the names that RFC 9901 keeps for itself."""
        if len(self.salt) < MIN_SALT_BYTES:
            raise DisclosureError(f"a salt is at least {MIN_SALT_BYTES} bytes long, not {len(self.salt)}")
        if self.name in _RESERVED:
            raise DisclosureError(f"`{self.name}` cannot be the name of a value")

    def encoded(self) -> str:
        """Give the text to keep: base64url, without padding, of the JSON array [salt, name, value].

        A value nested more than 64 deep, longer than 4 MiB, or that JSON cannot write raises DisclosureError.
        """
        _check(self.value)
        try:
            text = _encoder.encode((_base64url(self.salt), self.name, self.value))
        except UnicodeEncodeError:
            raise DisclosureError("a string holds a lone surrogate") from None
        if len(text) > MAX_DISCLOSURE_BYTES:
            raise DisclosureError(f"the value is longer than {MAX_DISCLOSURE_BYTES} bytes")
        return _base64url(text)

    def digest(self) -> str:
        """Give the commitment; whoever has the encoded text at hand saves time with `digest_of`."""
        return digest_of(self.encoded())


def digest_of(encoded: str) -> str:
    """Give the commitment to a disclosure as it was written: base64url, without padding, of the SHA-256 of its text."""
    if not encoded.isascii():
        raise DisclosureError("a disclosure is ASCII text")
    return _base64url(sha256(encoded.encode("ascii")).digest())


def parse(encoded: str) -> Disclosure:
    """Read the text of a disclosure, or raise DisclosureError.

    JSON written with other spacing or escapes than ours is read too, since the digest is over the text as given. A key
    given twice is refused: two readers could see two values under one digest.
    """
    # Four characters of base64 carry three bytes.
    if len(encoded) > MAX_DISCLOSURE_BYTES * 4 // 3 + 4:
        raise DisclosureError(f"the disclosure is longer than {MAX_DISCLOSURE_BYTES} bytes")
    text = _from_base64url(encoded)
    try:
        read: object = json.loads(text.decode(), object_pairs_hook=_without_repetition)
    except DisclosureError:
        raise
    except (ValueError, RecursionError):
        raise DisclosureError("the disclosure is not JSON") from None
    if not isinstance(read, list):
        raise DisclosureError("a disclosure is a JSON array")
    parts = cast("list[OpenValue]", read)
    if len(parts) != 3 or not isinstance(parts[0], str) or not isinstance(parts[1], str):
        raise DisclosureError("a disclosure is the array of salt, name and value")
    disclosure = Disclosure(salt=_from_base64url(parts[0]), name=parts[1], value=parts[2])
    # Whatever could not be written cannot be read either: infinities, lone surrogates, too deep or too long a value.
    disclosure.encoded()
    return disclosure


def _check(value: object) -> None:
    """Refuse what JSON cannot write, and what is too long by counting every value and every character as one byte."""
    room = MAX_DISCLOSURE_BYTES + 1
    todo: list[Any] = [([value], -1)]
    while todo:
        container, depth = todo.pop()
        room -= len(container)
        items: Any = container
        if type(container) is dict:
            if not all(type(key) is str for key in items):
                raise DisclosureError("a key is not a string")
            room -= sum(map(len, items))
            items = items.values()
        for item in items:
            kind = type(item)  # pyright: ignore[reportUnknownVariableType]  what it is, is the question
            if kind is str:
                room -= len(item)
            elif kind is int:
                if item.bit_length() > MAX_INTEGER_BITS:
                    raise DisclosureError(f"an integer is longer than {MAX_INTEGER_BITS} bits")
            elif kind is float:
                if not isfinite(item):
                    raise DisclosureError("JSON has no infinity and no NaN")
            elif kind is dict or kind is list:
                if depth >= MAX_DEPTH - 1:
                    raise DisclosureError(f"nested more than {MAX_DEPTH} deep")
                todo.append((item, depth + 1))
            elif kind is not bool and item is not None:
                raise DisclosureError(f"`{kind.__name__}` is not a JSON type")
        if room < 0:
            raise DisclosureError(f"the value is longer than {MAX_DISCLOSURE_BYTES} bytes")


def _without_repetition(pairs: list[tuple[str, OpenValue]]) -> dict[str, OpenValue]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise DisclosureError("a key is given twice")
    return fields


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _from_base64url(text: str) -> bytes:
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise DisclosureError("the text is not base64url") from None
    # Decoders skip what they do not know; only what would be written again is accepted.
    if _base64url(data) != text:
        raise DisclosureError("the text is not in the one form of base64url without padding")
    return data
