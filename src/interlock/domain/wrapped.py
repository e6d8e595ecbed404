"""Texts that are JSON themselves: read as what they say, and written anew where something of it was taken."""

import json
from typing import Any, Final, cast

import msgspec

_BEGINS: Final = ("{", "[", '"')
_BLANK: Final = " \t\r\n\ufeff"
_to_json: Final = msgspec.json.Encoder().encode


class Wrapped:
    """A text as the JSON it is. Numbers stay as they are written (`msgspec.Raw`): not all are the same one to every program."""

    def __init__(self, text: str) -> None:
        self.repeated = False
        """Whether a name stands twice in an object, of which JSON programs read this or that: here it is the last."""
        self.value: Any = json.loads(
            text,
            object_pairs_hook=self._members,
            parse_int=_as_written,
            parse_float=_as_written,
            parse_constant=_as_written,
        )

    def _members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        self.repeated = self.repeated or len(found) < len(pairs)
        return found


def wrapped(text: str) -> Wrapped | None:
    """What a text is that is an object, a list or a text in JSON. Raises RecursionError where it is too deep to be seen."""
    bare = text.strip(_BLANK)
    if not bare.startswith(_BEGINS):
        return None
    try:
        return Wrapped(bare)
    except ValueError:
        return None


def wrapping(value: object) -> str:
    """The JSON text of what was read of one; half a character is written as its escape."""
    try:
        return _to_json(value).decode()
    except UnicodeEncodeError:
        pass
    if isinstance(value, dict):
        members = cast("dict[str, object]", value).items()
        return "{" + ",".join(f"{wrapping(name)}:{wrapping(member)}" for name, member in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(wrapping, cast("list[object]", value))) + "]"
    return json.dumps(value)


def _as_written(number: str) -> object:
    return msgspec.Raw(number.encode())
