"""The log's files over HTTP, to be read by anybody who can reach us: C2SP tlog-tiles, GET and HEAD, nothing else.

It is plain ASGI on purpose. A path is compared byte for byte with the names the format has, before anything decodes or
tidies it up, and never touches a file system; a query, a body or another method is refused. There is no listing, and no
error says more than that something is not there or cannot be had now.

Full tiles and bundles never change, and neither does a partial one of its width: they may be kept for ever. The
checkpoint must be asked for again each time, and costs nothing where it is the same (`ETag`).
"""

import gzip
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

import anyio.to_thread

from interlock.domain.errors import InterlockError
from interlock.domain.log_files import CHECKPOINT

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
ReadFile = Callable[[str], Awaitable[bytes | None]]
"""Gives one of the log's files by its path, or None."""

LONGEST_PATH: Final = 100
BUNDLES: Final = "tile/entries/"
WORTH_PACKING: Final = 1024
"""Shorter answers are sent as they are."""

_SAME: Final = 304
_TEXT: Final = b"text/plain; charset=utf-8"
_BYTES: Final = b"application/octet-stream"
_FOR_EVER: Final = b"public, max-age=31536000, immutable"
_ASK_AGAIN: Final = b"no-cache"
_log = logging.getLogger("interlock.api.log")


class Answer(NamedTuple):
    """A status, headers and a body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class LogServer:
    """An ASGI application. `read` gives a file by its path."""

    def __init__(self, read: ReadFile) -> None:
        self._read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        del receive  # Whoever sends a body is refused without its being read.
        if scope["type"] != "http":
            return
        answer = await self._answer(scope)
        headers = [*answer.headers, (b"x-content-type-options", b"nosniff")]
        if answer.status != _SAME:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _answer(self, scope: Scope) -> Answer:
        asked = list[tuple[bytes, bytes]](scope["headers"])
        if scope["method"] not in ("GET", "HEAD"):
            return _said(405, "only GET and HEAD", (b"allow", b"GET, HEAD"))
        if any(name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in asked):
            return _said(413, "a request has no body here", (b"connection", b"close"))
        path = _path(scope)
        if path is None:
            return _said(404, "no such file")
        try:
            data = await self._read(path)
        except InterlockError as error:
            # Whoever runs this must know; whoever asks need not.
            _log.warning("%s cannot be read: %s", path, error.detail)
            return _said(503, "the log cannot be read now", (b"retry-after", b"10"))
        if data is None:
            return _said(404, "no such file")
        return await _file(path, data, asked)


def _path(scope: Scope) -> str | None:
    """The path as the format writes it. What is encoded, or has a query, is no name of a file of the log."""
    raw: bytes = scope.get("raw_path") or str(scope["path"]).encode(errors="surrogateescape")
    if scope["query_string"] or not raw.startswith(b"/") or len(raw) > LONGEST_PATH or not raw.isascii():
        return None
    return raw[1:].decode("ascii")


async def _file(path: str, data: bytes, asked: Iterable[tuple[bytes, bytes]]) -> Answer:
    mark = sha256(data).hexdigest()[:32]
    if path == CHECKPOINT:
        headers = [(b"content-type", _TEXT), (b"cache-control", _ASK_AGAIN)]
    else:
        headers = [(b"content-type", _BYTES), (b"cache-control", _FOR_EVER)]
    if path.startswith(BUNDLES):
        headers.append((b"vary", b"accept-encoding"))
        if len(data) >= WORTH_PACKING and _takes_gzip(asked):
            # Hashes do not pack; entries are JSON in base64, and do.
            data = await anyio.to_thread.run_sync(_packed, data)
            headers.append((b"content-encoding", b"gzip"))
            mark += "-gzip"
    headers.append((b"etag", f'"{mark}"'.encode()))
    if mark in _known(asked):
        return Answer(_SAME, tuple(headers), b"")
    return Answer(200, tuple(headers), data)


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=1, mtime=0)


def _values(asked: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    """The comma-separated values of a header, however often it was sent."""
    found = [value.decode("latin-1") for header, value in asked if header == name]
    return [part.strip() for value in found for part in value.split(",")]


def _takes_gzip(asked: Iterable[tuple[bytes, bytes]]) -> bool:
    weights: dict[str, str] = {}
    for each in _values(asked, b"accept-encoding"):
        coding, _, weight = each.lower().replace(" ", "").partition(";")
        weights[coding] = weight
    # A weight of nothing, in any of its spellings, is a no.
    return weights.get("gzip", weights.get("*", "q=0")).rstrip("0.") != "q="


def _known(asked: Iterable[tuple[bytes, bytes]]) -> set[str]:
    return {each.removeprefix("W/").strip('"') for each in _values(asked, b"if-none-match")}


def _said(status: int, words: str, *headers: tuple[bytes, bytes]) -> Answer:
    return Answer(status, ((b"content-type", _TEXT), (b"cache-control", b"no-store"), *headers), f"{words}\n".encode())
