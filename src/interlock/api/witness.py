"""A witness over HTTP: C2SP tlog-witness, `POST /add-checkpoint` and nothing else.

Plain ASGI, like the log's own server. A body is read only as far as a request may be long; what a log has not signed with a
key that is known here costs one signature check. `GET /` says which key cosigns, for whoever sets up a log.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import anyio.to_thread

from interlock.domain.errors import InterlockError
from interlock.domain.witnessing import MAX_REQUEST_BYTES

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Cosign = Callable[[bytes], tuple[int, str, bytes]]
"""Answers a request: status, content type, body."""

ADD: Final = "/add-checkpoint"

_TEXT: Final = "text/plain; charset=utf-8"
_log = logging.getLogger("interlock.api.witness")


class WitnessServer:
    """An ASGI application. One request is answered at a time: a witness has one memory."""

    def __init__(self, cosign: Cosign, vkey: str) -> None:
        self._cosign = cosign
        self._vkey = vkey
        self._one = anyio.CapacityLimiter(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        status, kind, body = await self._answer(scope, receive)
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, str, bytes]:
        if scope["path"] == "/" and scope["method"] in ("GET", "HEAD"):
            return 200, _TEXT, f"{self._vkey}\n".encode()
        if scope["path"] != ADD:
            return 404, _TEXT, b"there is only POST /add-checkpoint\n"
        if scope["method"] != "POST":
            return 405, _TEXT, b"only POST\n"
        data = await _body(receive)
        if data is None:
            return 413, _TEXT, b"the request is too long\n"
        try:
            return await anyio.to_thread.run_sync(self._cosign, data, limiter=self._one)
        except InterlockError as error:
            # Whoever runs this must know; whoever asks need not.
            _log.warning("a checkpoint could not be remembered: %s", error.detail)
            return 503, _TEXT, b"nothing can be cosigned now\n"


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None once it is longer than any request."""
    data = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        data += message.get("body", b"")
        if len(data) > MAX_REQUEST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(data)
