"""Bytes as messages, a line each, none longer than it may be.

Of a line that is too long nothing is kept but its ends, in which the answered request's id is looked for: whoever waits for it is
told that the answer is too long, and everybody else goes on.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCMessage, jsonrpc_message_adapter
from pydantic import ValidationError

from interlock.adapters.mcp.told import GARBAGE, TOO_LONG, told

MOST_NOISE: Final = 1_000
"""Lines that are no messages, before it is no server."""
ENDLESS: Final = 64
"""So many times the limit a line may be long before nobody waits for its end."""
MOST_PIECE: Final = 2_048
_END: Final = 512
_HEAD: Final = re.compile(rb'^\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,15})\s*,')
_TAIL: Final = re.compile(rb',\s*"id"\s*:\s*(\d{1,15})\s*\}\s*$')


class GarbageError(ValueError):
    """What came is no message, and nothing after it can be trusted to be one. `piece` is the beginning of it."""

    def __init__(self, why: str, piece: bytes = b"") -> None:
        super().__init__(why)
        self.piece = piece[:MOST_PIECE]


class Lines:
    """Takes bytes as they come, and gives messages."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._line = bytearray()
        self._noise = 0
        self._head = b""
        self._long = 0
        """How long the line is that is too long; 0: none is."""

    def feed(self, data: bytes) -> Iterator[SessionMessage]:
        """The messages that `data` completes. Raises GarbageError."""
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self._take(piece)
            yield from self._done()
        self._take(rest)

    def _take(self, piece: bytes) -> None:
        if self._long:
            self._long += len(piece)
            if self._long > ENDLESS * self._most:
                raise GarbageError(f"it sent {self._long} bytes at once, and no end of it")
            self._line += piece
            del self._line[:-_END]
            return
        self._line += piece
        if len(self._line) > self._most:
            self._long = len(self._line)
            self._head = bytes(self._line[:_END])
            del self._line[:-_END]

    def _done(self) -> Iterator[SessionMessage]:
        line, long = bytes(self._line), self._long
        self._line.clear()
        self._long = 0
        if long:
            yield self._too_long(line, long)
        elif line.lstrip().startswith(b"{"):
            yield self._message(line)
        elif line.strip():
            # Many a program prints where it should only speak the protocol.
            self._noted(line)

    def _message(self, line: bytes) -> SessionMessage:
        """The message in a line. One that cannot be read, and says whose answer it is, costs that call and no other: what it
        holds may be what one caller asked for."""
        try:
            return SessionMessage(message_in(line))
        except GarbageError as error:
            found = _HEAD.search(line[:_END]) or _TAIL.search(line[-_END:])
            if found is None:
                raise
            self._noted(line)
            return SessionMessage(JSONRPCError(jsonrpc="2.0", id=int(found[1]), error=told(GARBAGE, str(error))))

    def _noted(self, line: bytes) -> None:
        self._noise += 1
        if self._noise > MOST_NOISE:
            raise GarbageError(f"it wrote {MOST_NOISE} lines that are no messages", line)

    def _too_long(self, tail: bytes, long: int) -> SessionMessage:
        found = _HEAD.search(self._head) or _TAIL.search(tail)
        if found is None:
            raise GarbageError(f"it sent {long} bytes at once, where {self._most} may come")
        why = told(TOO_LONG, f"its answer is longer than {self._most} bytes")
        return SessionMessage(JSONRPCError(jsonrpc="2.0", id=int(found[1]), error=why))


def message_in(data: bytes) -> JSONRPCMessage:
    """The one message in `data`. Raises GarbageError for what JSON programs would not all read as one."""
    try:
        # Strict, unlike the model's own parser: no NaN, and no nesting that is too deep.
        msgspec.json.decode(data, type=msgspec.Raw)
        return jsonrpc_message_adapter.validate_json(data, by_name=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise GarbageError("it sent what is no JSON", data) from None
    except ValidationError:
        raise GarbageError("it sent what is no message of the protocol", data) from None
