"""The server on a real socket: clients that are slow, that never read, and the end of the process."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.web.world import SAYS, Served, served

pytestmark = pytest.mark.anyio
serving: Any = import_module("interlock.api.serving")


@asynccontextmanager
async def listening(folder: Path) -> AsyncGenerator[tuple[Served, int]]:
    """The server on a port of this machine."""
    async with served(folder) as site, anyio.create_task_group() as group:
        found: list[int] = []

        def started(address: str) -> None:
            found.append(int(address.rstrip("/").rpartition(":")[2]))

        async def run() -> None:
            await serving.serve(site.app, "127.0.0.1", 0, started, most=500, ending=site.app.end)

        group.start_soon(run)
        await until(lambda: bool(found))
        yield site, found[0]
        group.cancel_scope.cancel()


async def until(true: Callable[[], bool]) -> None:
    """Wait for what nobody announces."""
    with anyio.fail_after(10):
        while not true():  # noqa: ASYNC110  there is no event to wait for
            await anyio.sleep(0.01)


async def said(port: int, words: bytes, *, within: float = 5) -> bytes:
    """What the server says to `words` until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(words)
    try:
        async with asyncio.timeout(within):
            return await reader.read()
    finally:
        writer.close()


async def dripped(port: int, words: bytes) -> bytes:
    """What the server says to `words` that come a byte at a time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.ensure_future(reader.read())
    try:
        for each in words:
            writer.write(bytes([each]))
            await asyncio.wait([answer], timeout=0.02)
            if answer.done():
                break
        return await asyncio.wait_for(answer, 3)
    except ConnectionError:
        return b""
    finally:
        writer.close()


HEAD = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


@pytest.mark.proves("server.bounded")
async def test_whoever_dawdles_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads that come a byte at a time, or never, and bodies that never come, hold no connection for long."""
    monkeypatch.setattr(serving, "HEAD_S", 0.4)
    monkeypatch.setattr("interlock.web.front.BODY_S", 0.4)
    async with listening(tmp_path) as (_, port):
        assert await said(port, b"", within=3) == b""
        assert await dripped(port, HEAD) == b""
        late = await said(
            port,
            b"POST /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\nconnection: close\r\n\r\n1",
            within=3,
        )
        assert b" 405 " in late.partition(b"\r\n")[0] or b" 408 " in late.partition(b"\r\n")[0]
        assert b" 200 " in await said(port, HEAD)


@pytest.mark.proves("server.bounded")
async def test_streams_that_nobody_reads_harm_nobody(tmp_path: Path) -> None:
    """Two hundred open streams whose readers never read, and many changes: the server goes on answering, and lets them go."""
    async with listening(tmp_path) as (site, port):
        held = []
        for n in range(200):
            one = socket.create_connection(("127.0.0.1", port))
            # A stranger in each session, or one session's limit would be what is tested.
            words = f"GET /live HTTP/1.1\r\nhost: localhost\r\n{SAYS}: rita\r\nx-test-session: s{n}\r\n\r\n"
            one.sendall(words.encode())
            held.append(one)
        hub = site.hub
        await until(lambda: len(hub) == 200)
        for _ in range(100):
            hub.tell(None)
        answer = await said(port, HEAD, within=2)
        for each in held:
            each.close()
        await until(lambda: len(hub) == 0)

    assert b" 200 " in answer.partition(b"\r\n")[0]


@pytest.mark.proves("server.one_reading")
async def test_what_is_no_http_is_refused(tmp_path: Path) -> None:
    """Nonsense, two lengths, two hosts, a head too large: each is answered with a refusal, and the next is served."""
    async with listening(tmp_path) as (_, port):
        for words in (
            b"nonsense\r\n\r\n",
            b"GET /livez HTTP/1.1\r\n\r\n",
            b"GET /livez HTTP/1.1\r\nhost: localhost\r\nhost: evil\r\n\r\n",
            b"POST /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
            b"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 20_000 + b"\r\n\r\n",
            b"GET /../livez HTTP/1.1\r\nhost: localhost\r\n\r\n",
            b"GET http://evil/livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        ):
            answer = await said(port, words)
            assert answer.split()[1] in (b"400", b"413"), words[:40]
        assert b" 200 " in await said(port, HEAD)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_the_end_closes_what_is_open(tmp_path: Path) -> None:
    """Told to end, the server closes its streams and is gone within the time for answers that were begun."""
    async with listening(tmp_path) as (site, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /live HTTP/1.1\r\nhost: localhost\r\n{SAYS}: rita\r\n\r\n".encode())
        await reader.readuntil(b"event: open")
        site.app.end()
        async with asyncio.timeout(2):
            rest = await reader.readuntil(b"0\r\n\r\n")
        writer.close()

    assert rest.endswith(b"0\r\n\r\n")
