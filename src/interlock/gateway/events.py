"""What was said on streams that broke, kept for a while for whoever comes back with the id of the last they read.

Every session has a shelf of its own: streams of two sessions are called alike, and nobody is to read another's. Which session
speaks is known from where its messages are written, not from what a client says.
"""

from collections import OrderedDict, deque
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, NamedTuple

import mcp_types as types
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore

MOST_EVENTS: Final = 256
"""Of one session; the oldest go first."""
MOST_BYTES: Final = 4 * 1024 * 1024
MOST_SHELVES: Final = 1024
_SPEAKS: ContextVar[str] = ContextVar("interlock_gateway_session", default="")


class _Event(NamedTuple):
    number: int
    stream: str
    message: types.JSONRPCMessage | None
    size: int


class _Shelf:
    """The events of one session."""

    def __init__(self) -> None:
        self.events: deque[_Event] = deque()
        self.bytes = 0
        self.next = 1

    def put(self, stream: str, message: types.JSONRPCMessage | None) -> int:
        """Keep one, and let go of what is too much."""
        size = 64 if message is None else len(message.model_dump_json(by_alias=True, exclude_unset=True))
        event = _Event(self.next, stream, message, size)
        self.next += 1
        self.events.append(event)
        self.bytes += size
        while len(self.events) > MOST_EVENTS or (self.bytes > MOST_BYTES and len(self.events) > 1):
            self.bytes -= self.events.popleft().size
        return event.number


@contextmanager
def speaking(shelf: str) -> Generator[None]:
    """Whatever is written within, and in what is begun within, is of the session that `shelf` stands for."""
    token = _SPEAKS.set(shelf)
    try:
        yield
    finally:
        _SPEAKS.reset(token)


class Shelves(EventStore):
    """The events of all sessions."""

    def __init__(self) -> None:
        self._shelves: OrderedDict[str, _Shelf] = OrderedDict()

    async def store_event(self, stream_id: str, message: types.JSONRPCMessage | None) -> str:
        """Keep one of the session that speaks. Gives its id, which means nothing in another."""
        name = _SPEAKS.get()
        shelf = self._shelves.get(name)
        if shelf is None:
            shelf = self._shelves[name] = _Shelf()
            if len(self._shelves) > MOST_SHELVES:
                self._shelves.popitem(last=False)
        self._shelves.move_to_end(name)
        return str(shelf.put(stream_id, message))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        """Say again what came after that one on its stream. None where it is none of this session's, or is gone."""
        shelf = self._shelves.get(_SPEAKS.get())
        if shelf is None or not last_event_id.isascii() or not last_event_id.isdigit() or len(last_event_id) > 18:
            return None
        after = int(last_event_id)
        last = next((each for each in shelf.events if each.number == after), None)
        if last is None:
            return None
        for event in [each for each in shelf.events if each.number > after and each.stream == last.stream]:
            if event.message is not None:
                await send_callback(EventMessage(event.message, str(event.number)))
        return last.stream

    def forget(self, shelf: str) -> None:
        """A session is over."""
        self._shelves.pop(shelf, None)
