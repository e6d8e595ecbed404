"""The two ends that a session of the official SDK reads and writes, with bounds of ours.

Whatever is not an answer is counted: a server that sends more news and questions in a while than anybody could use is let go of,
before it costs more than that.
"""

import asyncio
from collections import deque
from contextvars import Context, ContextVar, copy_context
from types import TracebackType
from typing import Any, Final, Self

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from interlock.adapters.mcp.hiding import Hiding

MOST_NEWS: Final = 2_000
"""So much that is no answer may come within WHILE_S."""
WHILE_S: Final = 10.0
MOST_WAITING: Final = 8
"""Messages that wait to be looked at; a server that sends faster waits, too."""
WITHIN: ContextVar[str | None] = ContextVar("interlock_mcp_within", default=None)
"""The action of the call that something was said in; empty: in a request that is no action's. None: the way does not tell."""


CLOSED: Final = "closed"
"""Why it ended where we ended it."""
MOST_PIECE: Final = 400
"""Characters of a piece that is no message, in the log."""


class Incoming:
    """What came, in order; the end of it ends the session. `why` says why it ended."""

    def __init__(self, hiding: Hiding | None = None) -> None:
        self.hiding = hiding or Hiding()
        self._waiting: deque[tuple[SessionMessage, str | None]] = deque()
        self.last_context: Context | None = None
        """In which what was received last is looked at: where the session of the official SDK looks for it."""
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._news: deque[float] = deque(maxlen=MOST_NEWS)
        self.ended = False
        self.finished = asyncio.Event()
        self.why = ""
        self.aside = ""
        """The end of what it said beside the protocol, for whoever runs it: nobody who calls reads it."""

    async def put(self, message: SessionMessage, within: str | None = None) -> None:
        """Hand one over, once there is room: said `within` a call, where the way tells (`WITHIN`)."""
        if not isinstance(message.message, JSONRPCResponse | JSONRPCError):
            now = asyncio.get_running_loop().time()
            if len(self._news) == MOST_NEWS and now - self._news[0] < WHILE_S:
                self.end(f"it sent more than {MOST_NEWS} messages that were no answers within {WHILE_S:g} s")
                return
            self._news.append(now)
        while len(self._waiting) >= MOST_WAITING and not self.ended:
            self._room.clear()
            await self._room.wait()
        if not self.ended:
            self._waiting.append((self._without_secrets(message), within))
            self._changed.set()

    def end(self, why: str, piece: bytes = b"") -> None:
        """Nothing more comes. The first reason counts; the `piece` that it ended at is as little a caller's."""
        if not self.ended:
            self.ended, self.why = True, why
            words = self.hiding.text(piece.decode(errors="replace"))[:MOST_PIECE]
            self.aside = f"{words} {self.aside}" if words else self.aside
            self.finished.set()
        self._changed.set()
        self._room.set()

    def _without_secrets(self, message: SessionMessage) -> SessionMessage:
        """`message` as anybody may read it."""
        if not self.hiding.secrets:
            return message
        said, seen = message.message, dict[str, Any]()
        match said:
            case JSONRPCResponse(result=result):
                seen["result"] = self.hiding.value(result)
            case JSONRPCError(error=error):
                words = {"message": self.hiding.text(error.message), "data": self.hiding.value(error.data)}
                seen["error"] = error.model_copy(update=words)
            case JSONRPCNotification(params=params) | JSONRPCRequest(params=params):
                seen["params"] = self.hiding.value(params)
        return SessionMessage(said.model_copy(update=seen), message.metadata)

    async def receive(self) -> SessionMessage:
        """The next one. Raises EndOfStream."""
        while not self._waiting:
            if self.ended:
                raise anyio.EndOfStream
            self._changed.clear()
            await self._changed.wait()
        self._room.set()
        # A flood must not keep others on the loop from their turn.
        await asyncio.sleep(0)
        message, within = self._waiting.popleft()
        self.last_context = None
        if within is not None:
            self.last_context = copy_context()
            self.last_context.run(WITHIN.set, within)
        return message

    async def aclose(self) -> None:
        """The session reads no more."""
        self.end(CLOSED)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.aclose()


class Outgoing:
    """What is to be sent. It never waits: what finds no room is refused, and so is certainly not sent."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._waiting: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self.closed = False

    async def send(self, message: SessionMessage) -> None:
        """Queue one message. Raises BrokenResourceError where it is not sent."""
        line = message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
        if self.closed or self._size + len(line) > self._most:
            raise anyio.BrokenResourceError
        self._size += len(line)
        self._waiting.append(line)
        self._changed.set()

    async def next(self) -> bytes | None:
        """The next line to write; None at the end."""
        while not self._waiting:
            if self.closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        line = self._waiting.popleft()
        self._size -= len(line)
        return line

    async def aclose(self) -> None:
        """Take no more."""
        self.closed = True
        self._changed.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.aclose()
