"""A server over streamable HTTP: the official transport, over a client of ours that bounds it.

The official one speaks the protocol; what it leaves unbounded is bounded beneath it: how long a body may be, that nothing is
unpacked, that nobody is sent elsewhere, and that a failure of one call is that call's alone. What our client learns (nothing was
sent, the door said no) it tells as an error that only we can make.
"""

import json
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Final, cast
from urllib.parse import unquote_to_bytes

import anyio
import httpx2
from mcp.client._transport import WriteStream
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp_types import ErrorData

from interlock.adapters.mcp.environment import filled, filled_address, named_address
from interlock.adapters.mcp.hiding import Hiding
from interlock.adapters.mcp.streams import CLOSED, WITHIN, Incoming
from interlock.adapters.mcp.told import Ours, told
from interlock.adapters.obtaining.transport import Authorised, TokenSource
from interlock.domain.errors import EffectorError
from interlock.domain.upstream import Http, Server

CONNECT_S: Final = 10.0
NEWS_S: Final = 3.0
_REFUSAL: Final = 64 * 1024
_TRY_LATER: Final = frozenset({408, 425, 429})


class _TooLong(httpx2.StreamError):
    """The body is longer than it may be."""


class _Counted(httpx2.AsyncByteStream):
    """A body of which so much is read and no more."""

    def __init__(self, inner: httpx2.AsyncByteStream, most: int | None) -> None:
        self._inner = inner
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if self._most is not None and size > self._most:
                raise _TooLong(f"its answer is longer than {self._most} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


class Bounded(httpx2.AsyncBaseTransport):
    """Sends requests, and gives answers that can be read."""

    def __init__(
        self, address: str, most_bytes: int, tokens: TokenSource | None = None, secrets: Sequence[str] = ()
    ) -> None:
        """`address` is the whole of it; what is asked for above names no secret, so that nothing there can show one."""
        self._most = most_bytes
        self._address = httpx2.URL(address).copy_with(userinfo=b"")
        self._user = httpx2.URL(address).userinfo
        self._inner = Authorised(httpx2.AsyncHTTPTransport(retries=0), tokens, secrets)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request. What goes wrong is an answer too, so that it costs this call and no other."""
        begun = _Begun()
        try:
            with anyio.fail_after(await _patience(request)):
                response = await self._inner.handle_async_request(self._addressed(request, begun))
        except (httpx2.HTTPError, OSError) as error:
            words = f"{type(error).__name__}: {error}".removesuffix(": ")
            if begun.sent:
                return _answer(request, told("lost", words))
            return _answer(request, told("unsent", f"nothing was sent: {words}"))
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            return _answer(request, told("lost", "its answer is compressed, which nobody asked for"))
        if response.status_code >= 300:
            return await _refused(request, response)
        streams = response.headers.get("content-type", "").lower().startswith("text/event-stream")
        inner = cast(httpx2.AsyncByteStream, response.stream)
        response.stream = _Counted(inner, None if streams else self._most)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    def _addressed(self, request: httpx2.Request, begun: "_Begun") -> httpx2.Request:
        """The request as it leaves: at the whole address, and with who signs in there."""
        headers = request.headers.copy()
        if self._user and "authorization" not in headers:
            headers["Authorization"] = f"Basic {b64encode(unquote_to_bytes(self._user)).decode()}"
        return httpx2.Request(
            request.method,
            self._address,
            headers=headers,
            stream=request.stream,
            extensions={**request.extensions, "trace": begun.trace},
        )


class _Begun:
    """Whether a request began to leave this machine."""

    def __init__(self) -> None:
        self.sent = False

    async def trace(self, event: str, _details: Mapping[str, object]) -> None:
        """Called by the client at every step."""
        if event.endswith("send_request_headers.started"):
            self.sent = True


async def _patience(request: httpx2.Request) -> float | None:
    """How long its answer is waited for, in seconds. A call has its own limit; what nobody waits for must not hold up others."""
    if request.method == "POST" and b'"id":' not in await request.aread():
        return NEWS_S
    return NEWS_S if request.method == "DELETE" else None


def _answer(request: httpx2.Request, error: ErrorData) -> httpx2.Response:
    """What the official transport reads as the answer to this very request."""
    body = {"jsonrpc": "2.0", "id": None, "error": error.model_dump(exclude_none=True)}
    return httpx2.Response(599, json=body, request=request)


async def _refused(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
    """A status that is no success. An error of the protocol in its body passes; of the rest the status is told."""
    status = response.status_code
    body = bytearray()
    try:
        async for chunk in cast(httpx2.AsyncByteStream, response.stream):
            body += chunk
            if len(body) > _REFUSAL:
                break
    except (httpx2.HTTPError, OSError):
        body.clear()
    finally:
        await response.aclose()
    forgotten = status == 404 and "mcp-session-id" in request.headers
    if status >= 400 and not forgotten and _is_error(bytes(body)):
        return httpx2.Response(
            status, content=bytes(body), headers={"content-type": "application/json"}, request=request
        )
    text = " ".join(bytes(body[:200]).decode(errors="replace").split())
    why = f"{status} {response.reason_phrase}: {text}".removesuffix(": ")
    if 300 <= status < 400:
        return _answer(request, told("lost", f"it sends elsewhere ({status}), which is not followed"))
    kind: Ours = "refused" if status < 500 and status not in _TRY_LATER else "lost"
    if forgotten:
        kind = "expired"
    return _answer(request, told(kind, why))


def _is_error(body: bytes) -> bool:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "error" in found and "result" not in found


@asynccontextmanager
async def web(
    server: Server, way: Http, environ: Mapping[str, str], hiding: Hiding, tokens: TokenSource | None = None
) -> AsyncGenerator[tuple[Incoming, WriteStream[SessionMessage]]]:
    """Open the way. `tokens` gives what is borne. Raises EffectorError."""
    headers = filled(way.headers, environ, "the header")
    address = filled_address(way.url, environ)
    try:
        client = httpx2.AsyncClient(
            transport=Bounded(address, server.most_bytes, tokens, hiding.secrets),
            headers={**headers, "Accept-Encoding": "identity"},
            timeout=httpx2.Timeout(None, connect=min(CONNECT_S, server.timeout_ms / 1000)),
            trust_env=False,
        )
    except (ValueError, UnicodeEncodeError) as error:
        raise EffectorError(f"`{server.name}` cannot be asked: {error}") from None
    incoming, shown = Incoming(hiding), named_address(way.url)
    async with (
        client,
        streamable_http_client(shown, http_client=client, max_sse_event_size=server.most_bytes) as (
            reading,
            writing,
        ),
        anyio.create_task_group() as group,
    ):

        async def carry() -> None:
            try:
                async for item in reading:
                    if isinstance(item, SessionMessage):
                        # What comes on the stream of a request comes from where that request was made.
                        said: Context | None = getattr(reading, "last_context", None)
                        await incoming.put(item, None if said is None else said.get(WITHIN))
            except anyio.ClosedResourceError:
                pass
            incoming.end("the way to it is closed")

        group.start_soon(carry)
        try:
            yield incoming, writing
        finally:
            incoming.end(CLOSED)
            group.cancel_scope.cancel()
