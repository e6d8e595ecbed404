"""A client that costs little: HTTP/1.1 over one connection, one request after the other, written and read as bytes."""

import asyncio
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

import msgspec


class Wire:
    """One connection."""

    def __init__(self, address: str) -> None:
        self._host, self._port = urlsplit(address).hostname or "", urlsplit(address).port or 0

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._writer.close()

    async def post(self, request: bytes) -> bytes:
        """The body of the answer to what `request_of` made. Raises RuntimeError for any but 200."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"
        )
        body = await self._reader.readexactly(length)
        if b" 200 " not in head[:16]:
            raise RuntimeError(f"{head[:60]!r} {body[:300]!r}")
        return body

    async def get(self, path: str, headers: Mapping[str, str]) -> bytes:
        """The body of what is there."""
        return await self.post(_head("GET", path, headers) + b"\r\n\r\n")


def request_of(path: str, value: object, headers: Mapping[str, str] = {}) -> bytes:
    """A POST of `value` as JSON."""
    body = msgspec.json.encode(value)
    said = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    return _head("POST", path, said) + b"\r\n\r\n" + body


def _head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", *(f"{name}: {said}" for name, said in headers.items())]
    return "\r\n".join(lines).encode()
