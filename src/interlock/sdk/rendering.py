"""What a framework's tool returned, as the log can hold it.

JSON stays as it is. A fraction, and a whole number beyond 2^53, is written as the text of its digits; a mapping whose names are
not plain ASCII as its JSON text; and what has no JSON form at all as what `str` makes of it. The gate filters what is written
down; what is too large to be written down is not given to anybody.
"""

import json
from typing import Any, cast

import msgspec

from interlock.domain.canonical import MAX_INTEGER, CanonicalError, JsonValue, encode
from interlock.domain.errors import ContractError
from interlock.sdk.values import to_plain


def rendered(value: object) -> JsonValue:
    """`value` by the rule above; never raises for what a tool returned."""
    try:
        plain = to_plain(value)
    except ContractError:
        return _text(_said(value))
    return plain if _holds(plain) else _exact(plain)


def telling_apart(value: object) -> bytes:
    """The same for values that are the same, and else other bytes. What is nested too deep to be written is all the same: no
    contract takes it."""
    try:
        return msgspec.json.encode(value, enc_hook=repr, order="sorted")
    except RecursionError:
        return b"too deep"


def words_of_value(value: JsonValue) -> str:
    """A recorded result as a model reads it: text as it is, nothing as nothing, all else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _holds(plain: JsonValue) -> bool:
    try:
        encode(plain)
    except CanonicalError:
        return False
    return True


def _exact(value: Any) -> JsonValue:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int):
        return value if abs(value) <= MAX_INTEGER else str(value)
    if isinstance(value, list):
        return [_exact(each) for each in cast(list[object], value)]
    members = {_text(name): _exact(each) for name, each in cast(dict[str, Any], value).items()}
    plain = all(name.isascii() and name.isprintable() for name in members)
    return members if plain else json.dumps(members, ensure_ascii=False)


def _text(value: str) -> str:
    """Text without halves of characters, which no file can hold."""
    return value.encode(errors="backslashreplace").decode()


def _said(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001  a person's own class may raise anything
        return f"a value of type {type(value).__name__}, which cannot be written: {type(error).__name__}"
