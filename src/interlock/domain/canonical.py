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
    _check(value, max_bytes + 1)
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


def _check(value: object, room: int) -> None:
    """Refuse what has no form, spending `room` on every value and every character, each at least a byte once encoded.

    Nothing that fits is refused by that. The walk keeps its own stack: Python's would cost a call for each container.
    """
    # Each place is (container, the place it stands in, its key or index there, its depth); the first is no part of it.
    todo: list[Any] = [([value], None, 0, -1)]
    while todo:
        place = todo.pop()
        container, _, _, depth = place
        room -= len(container)
        if type(container) is dict:
            for key in container:  # pyright: ignore[reportUnknownVariableType]  what it is, is the question
                if type(key) is not str:  # pyright: ignore[reportUnknownArgumentType]
                    raise CanonicalError(_path(place), "a key is not a string")
                if not (key.isascii() and key.isprintable()):
                    raise CanonicalError(_path(place), "a key holds characters other than printable ASCII")
                room -= len(key)
            steps: Any = container.items()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        else:
            steps = enumerate(container)
        for step, item in steps:
            kind = type(item)  # pyright: ignore[reportUnknownVariableType]
            if kind is str:
                room -= len(item)
            elif kind is int:
                if not -MAX_INTEGER <= item <= MAX_INTEGER:
                    reason = "the integer is beyond 2^53 - 1; give it as a string"
                    raise CanonicalError(_path(place, step), reason)
            elif kind is dict or kind is list:
                if depth >= MAX_DEPTH - 1:
                    raise CanonicalError(_path(place, step), f"nested more than {MAX_DEPTH} deep")
                todo.append((item, place, step, depth + 1))
            elif kind is not bool and item is not None:
                raise CanonicalError(_path(place, step), _refusal(item))
        if room < 0:
            raise CanonicalError(_path(place), "the value is too long by here")


def _path(place: Any, *below: str | int) -> str:
    """Give the JSON pointer of a place, or of one step below it; the outermost place adds no step."""
    steps = list(below)
    while place[1] is not None:
        steps.insert(0, place[2])
        place = place[1]
    # What stands in the outermost place stands there at index 0: that step is not the caller's.
    return "".join(map(pointer, steps[1:]))


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
        return None if is_utf8(value) else ""
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


def is_utf8(text: str) -> bool:
    """Whether `text` can be written as UTF-8: whether no half of a surrogate pair stands alone in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
