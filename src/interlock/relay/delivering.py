"""What goes back to the agent over one request of ASGI: each byte counted, and nothing sent twice.

`send` waits while the agent does not read, and then nothing more is read from the provider either.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from hashlib import sha256
from typing import Any, Final, TypeAlias

import anyio
import anyio.lowlevel
import msgspec

from interlock.domain.errors import InterlockError
from interlock.relay.refusing import Refusal, refusal_of

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

JSON: Final = "application/json"
EVENTS: Final = "text/event-stream"


_ALWAYS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was given whole."""

    head: list[tuple[bytes, bytes]]
    body: bytes


class Delivery:
    """One answer on its way."""

    def __init__(self, send: Send) -> None:
        self._deliver = send
        self._keeps = 0
        self._kept = bytearray()
        self._head: list[tuple[bytes, bytes]] = []
        self._status = 0
        self._digest = sha256()
        self.size = 0
        self.unread = False
        """Whether a part of the question is left that nobody will read: then the connection ends with the answer."""
        self.begun = False
        """Whether anything was sent. From then on nobody else is asked."""
        self._ended = False
        self._failed = False

    @property
    def digest(self) -> str:
        """SHA-256 of what was given of the answer so far; empty where nothing was."""
        return self._digest.hexdigest() if self.size else ""

    async def whole(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """All of it at once, as JSON."""
        await self._begin(status, JSON, {**headers, "content-length": str(len(body))})
        await self._send({"type": "http.response.body", "body": body})
        self._ended = True

    async def pieces(self, body: bytes, headers: Mapping[str, str]) -> None:
        """The next piece of a stream of events; its head goes first."""
        if not self.begun:
            await self._begin(200, EVENTS, headers)
        self._digest.update(body)
        self.size += len(body)
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        """The end of a stream. Idempotent."""
        if self.begun and not self._ended:
            self._ended = True
            await self._send({"type": "http.response.body", "body": b""})

    async def refuse(self, error: InterlockError) -> None:
        """An error, or where the answer has begun, its end with an event that says so."""
        refusal = refusal_of(error)
        if not self.begun:
            await self.whole(refusal.status, msgspec.json.encode(refusal.body), refusal.headers)
        elif not self._ended:
            self._failed = True
            await self._send({"type": "http.response.body", "body": _event(refusal), "more_body": True})
            await self.end()

    def keep(self, most: int) -> None:
        """Remember what is given, up to so many bytes."""
        self._keeps = most

    @property
    def given(self) -> Given | None:
        """What was given, where that was an answer, is over, and was kept whole."""
        whole = self._keeps and self._ended and self._status == 200 and len(self._kept) <= self._keeps
        return Given(head=self._head, body=bytes(self._kept)) if whole and not self._failed else None

    async def replay(self, given: Given) -> None:
        """The same once more."""
        self.begun = self._ended = True
        head = [*given.head, (b"x-interlock-replayed", b"true")]
        await self._deliver({"type": "http.response.start", "status": 200, "headers": head})
        await self._deliver({"type": "http.response.body", "body": given.body})

    def tell(self, body: bytes) -> tuple[str, int]:
        """Digest and size of an answer that is about to be given whole."""
        self._digest.update(body)
        self.size += len(body)
        return self.digest, self.size

    async def _begin(self, status: int, kind: str, headers: Mapping[str, str]) -> None:
        self.begun = True
        said = [(b"content-type", kind.encode()), *_ALWAYS]
        if self.unread:
            said.append((b"connection", b"close"))
        said += [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
        self._status, self._head = status, said
        await self._send({"type": "http.response.start", "status": status, "headers": said})

    async def _send(self, message: Message) -> None:
        if len(self._kept) <= self._keeps:
            self._kept += message.get("body", b"")
        await self._deliver(message)


def _event(refusal: Refusal) -> bytes:
    return b"event: error\ndata: " + msgspec.json.encode({"type": "error", **refusal.body}) + b"\n\n"


async def gone(receive: Receive) -> None:
    """Return once whoever asked is gone. To be waited for when the whole question was read."""
    while (await receive())["type"] != "http.disconnect":
        await anyio.lowlevel.checkpoint()
