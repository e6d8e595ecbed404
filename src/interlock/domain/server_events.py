"""Server-sent events, taken apart as they arrive: each with its bytes as they came, so that it can be passed on unchanged.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

import re
from typing import Final, NamedTuple

_END: Final = rb"(?:\r\n|\n|\r(?!\n))"
_BLANK: Final = re.compile(_END + _END)
_LINE: Final = re.compile(_END)


class TooLong(ValueError):
    """An event is longer than it may be."""


class Event(NamedTuple):
    """One event. `raw` is all of it, with the blank line behind it."""

    raw: bytes
    data: bytes
    """Its `data` lines, one after the other; empty where it has none."""


class Events:
    """Takes bytes in whatever pieces they come, and gives events. One has at most `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept = bytearray()
        self._seen = 0

    def feed(self, piece: bytes) -> list[Event]:
        """The events that end in `piece`. Raises TooLong."""
        self._kept += piece
        found: list[Event] = []
        begun = 0
        while True:
            # What ends an event has four bytes at most: the last three may be the beginning of that.
            match = _BLANK.search(self._kept, max(begun, self._seen))
            # A carriage return at the very end may be half of a line's end.
            if match is None or (match.end() == len(self._kept) and self._kept.endswith(b"\r")):
                break
            found.append(_event(bytes(self._kept[begun : match.end()])))
            begun = self._seen = match.end()
        if begun:
            del self._kept[:begun]
        self._seen = max(len(self._kept) - 3, 0)
        if len(self._kept) > self._most:
            raise TooLong(f"an event has more than {self._most} bytes")
        return found

    def rest(self) -> Event | None:
        """What is left where the stream ended without a blank line; None: nothing."""
        left, self._kept, self._seen = bytes(self._kept), bytearray(), 0
        return _event(left) if left.strip() else None


def _event(raw: bytes) -> Event:
    if raw.startswith(b"data: ") and raw.endswith(b"\n\n") and raw.find(b"\n") == len(raw) - 2 and b"\r" not in raw:
        return Event(raw, raw[6:-2])
    data: list[bytes] = []
    for line in _LINE.split(raw):
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
    return Event(raw, b"\n".join(data))
