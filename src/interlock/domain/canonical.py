"""One byte form for each JSON value: what is hashed, signed and compared is made here.

The profile is RFC 8785 (JCS) restricted to values on which every JSON program agrees. There are no floats, integers
stay within 2^53 - 1, and strings hold no lone surrogates. Keys are printable ASCII (0x20 to 0x7E), so that sorting by
byte, by code point and by UTF-16 unit, as RFC 8785 asks, is one order; any argument name of a tool stays possible.
Whoever verifies compares stored bytes: this form is for writing, never for repairing what was stored.
"""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

if TYPE_CHECKING:
    JsonValue: TypeAlias = bool | int | str | list["JsonValue"] | dict[str, "JsonValue"] | None
else:
    # msgspec cannot follow a recursive alias; as Any the word may still type a field of a Struct.
    JsonValue = Any

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 64
MAX_INTEGER: Final = 2**53 - 1


class CanonicalError(ValueError):
    """A value has no canonical form: `path` is the JSON pointer (RFC 6901) of the culprit, "" being the whole value."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path or 'the value'}: {reason}")
        self.path = path
        self.reason = reason


_to_json: Final[Callable[[object], bytes]] = msgspec.json.Encoder(order="sorted").encode


def encode(value: JsonValue, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Give the canonical UTF-8 bytes of `value`, or raise CanonicalError.

    Only None and exact bool, int, str, list and dict have a form: a subclass may print differently from what it holds.
    Containers nest at most 64 deep, and the result is at most `max_bytes` long.
    """
    # The walk also bounds the work before any of it is done: a small value may hold one list a billion times.
    _check([value], max_bytes + 1, -1)
    try:
        encoded = _to_json(value)
    except UnicodeEncodeError:
        raise CanonicalError(_surrogate(value) or "", "a string holds a lone surrogate") from None
    if len(encoded) > max_bytes:
        raise CanonicalError("", f"longer than {max_bytes} bytes")
    return encoded


def digest(value: JsonValue) -> str:
    """Give the SHA-256 of the canonical bytes of `value`, in lowercase hexadecimal."""
    return sha256(encode(value)).hexdigest()


def _check(value: list[Any] | dict[Any, Any], room: int, depth: int) -> int:
    """Walk a container and give what is left of `room`, of which every value and character costs one.

    Each costs at least one byte once encoded, so nothing that fits is refused. Errors gain their path on the way out.
    The container that `encode` wraps around its value is no part of it: it stands at depth -1 and adds no path.
    """
    room -= len(value)
    if type(value) is dict:
        for key in value:
            if type(key) is not str:
                raise CanonicalError("", "a key is not a string")
            if not (key.isascii() and key.isprintable()):
                raise CanonicalError("", "a key holds characters other than printable ASCII")
            room -= len(key)
        steps: Any = value.items()
    else:
        steps = enumerate(value)
    for step, item in steps:
        kind = type(item)  # pyright: ignore[reportUnknownVariableType]  what it is, is the question
        if kind is str:
            room -= len(item)
        elif kind is int:
            if not -MAX_INTEGER <= item <= MAX_INTEGER:
                raise _at(step, depth, CanonicalError("", "the integer is beyond 2^53 - 1; give it as a string"))
        elif kind is dict or kind is list:
            if depth >= MAX_DEPTH - 1:
                raise _at(step, depth, CanonicalError("", f"nested more than {MAX_DEPTH} deep"))
            try:
                room = _check(item, room, depth + 1)
            except CanonicalError as error:
                raise _at(step, depth, error) from None
        elif kind is not bool and item is not None:
            raise _at(step, depth, CanonicalError("", _refusal(item)))
        if room < 0:
            raise _at(step, depth, CanonicalError("", "the value is too long by here"))
    return room


def _at(step: str | int, depth: int, error: CanonicalError) -> CanonicalError:
    """Say where `error` stands as seen from one container further out."""
    if depth < 0:
        return error
    return CanonicalError(pointer(step) + error.path, error.reason)


def pointer(step: str | int) -> str:
    """Give one step of a JSON pointer: the key or index, escaped as RFC 6901 says."""
    return "/" + str(step).replace("~", "~0").replace("/", "~1")


def _refusal(item: object) -> str:
    if isinstance(item, float):
        return "floats have no exact form; use an integer of the smallest unit or a string"
    return f"`{type(item).__name__}` is not a JSON type"


def _surrogate(value: JsonValue) -> str | None:
    """Find the path of the first string that UTF-8 cannot write; keys are known to be ASCII by now."""
    if isinstance(value, str):
        return None if _is_utf8(value) else ""
    steps: Iterable[tuple[str | int, JsonValue]] = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    for step, item in steps:
        path = _surrogate(item)
        if path is not None:
            return pointer(step) + path
    return None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
