"""The road to a server: a relay of HTTP that loses, cuts and slows single requests, as a network does."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from typing import Literal

How = Literal["pass", "lose", "cut", "busy", "gone", "full", "late", "torn", "page", "wait", "twice"]


@dataclass(frozen=True)
class Passed:
    """One request, as it went by."""

    path: str
    head: bytes
    body: bytes


class Road:
    """Passes requests to a port of this machine, each on a connection of its own there.

    `lose`: the server does it, and the answer is lost. `cut`: the request is. `busy`: answers 429, come back in a second. `gone`:
    502, as a proxy does; `full`: 503, by one that does not pass it on; `late`: 504, once the server did it. `torn`: of the answer
    comes the half. `page`: a page with 200, of somebody who wants to be signed in to. `wait`: the answer comes a second late.
    `twice`: the server gets it twice; the first answer is passed.
    """

    def __init__(self, to: int) -> None:
        self.to = to
        self.plan: dict[str, deque[How]] = {}
        """By the end of a path, what happens to the next requests there."""
        self.passed: list[Passed] = []
        self.connections = self.most = 0
        """How many there were, and how many at one time."""
        self._open = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """The port at which it begins."""
        self._server = await asyncio.start_server(self._taken, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        """Nobody passes any more."""
        if self._server is not None:
            self._server.close()

    def will(self, end: str, *how: How) -> None:
        """What happens to the next requests to paths that end so."""
        self.plan[end] = deque(how)

    def asked(self, end: str) -> list[Passed]:
        """The requests to paths that end so."""
        return [each for each in self.passed if each.path.endswith(end)]

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections, self._open = self.connections + 1, self._open + 1
        self.most = max(self.most, self._open)
        try:
            with contextlib.closing(writer), contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._open -= 1

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length(head))
        path = head.split()[1].decode()
        self.passed.append(Passed(path, head, body))
        how = self._how(path)
        if how == "cut":
            return False
        if how == "busy":
            writer.write(_answer(429, b"retry-after: 1\r\n", _BUSY))
            return True
        if how == "gone":
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\ngone")
            return True
        if how in ("full", "page"):
            writer.write(_page(503 if how == "full" else 200))
            return True
        answer = await self._server_says(head, body)
        if how == "late":
            writer.write(_page(504))
            return True
        if how == "torn":
            writer.write(answer[: answer.index(b"\r\n\r\n") + 5])
            await writer.drain()
            return False
        if how == "twice":
            await self._server_says(head, body)
        if how == "lose":
            return False
        if how == "wait":
            await asyncio.sleep(1)
        writer.write(answer)
        await writer.drain()
        return True

    def _how(self, path: str) -> How:
        for end, left in self.plan.items():
            if path.endswith(end) and left:
                return left.popleft()
        return "pass"

    async def _server_says(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.to)
        try:
            writer.write(head + body)
            said = await reader.readuntil(b"\r\n\r\n")
            return said + await reader.readexactly(_length(said))
        finally:
            writer.close()


_BUSY = (
    b'{"type":"urn:interlock:problem:too_many_requests","title":"Too Many Requests","status":429,"detail":"too many",'
    b'"code":"too_many_requests","fault":"yours","next":"ask less often","after_s":1}'
)


def _page(status: int) -> bytes:
    body = b"<!doctype html><title>a proxy</title>"
    return b"HTTP/1.1 %d X\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


def _answer(status: int, headers: bytes, body: bytes) -> bytes:
    length = str(len(body)).encode()
    return (
        b"HTTP/1.1 " + str(status).encode() + b" X\r\ncontent-type: application/problem+json\r\n" + headers
        + b"content-length: " + length + b"\r\n\r\n" + body
    )  # fmt: skip


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
