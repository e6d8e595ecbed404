"""The server on a real socket: clients that are slow, that never read, and the end of the process."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
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


AT = b"host: localhost\r\n"
END = b"connection: close\r\n\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"
TRICKS = {
    "two lengths, of which one hides a request": (
        b"POST /sign-in HTTP/1.1\r\n" + AT + b"content-length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + HEAD,
        b"400",
    ),
    "chunks in the old protocol": (b"POST /sign-in HTTP/1.0\r\n" + AT + CHUNKED + b"\r\n0\r\n\r\n" + HEAD, b"400"),
    "an unknown encoding": (
        b"POST /sign-in HTTP/1.1\r\n" + AT + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"400",
    ),
    "an encoding with a space": (
        b"POST /sign-in HTTP/1.1\r\n" + AT + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        b"400",
    ),
    "a length with a sign": (b"POST /sign-in HTTP/1.1\r\n" + AT + b"content-length: +5\r\n\r\nhello", b"400"),
    "a length without end": (
        b"POST /sign-in HTTP/1.1\r\n" + AT + b"content-length: " + b"9" * 20 + b"\r\n" + END,
        b"413",
    ),
    "a header with a null": (b"GET /livez HTTP/1.1\r\n" + AT + b"x: a\0b\r\n" + END, b"400"),
    "a host in a bare line": (b"GET /livez HTTP/1.1\r\n" + AT + b"x: a\nhost: evil\r\n" + END, b"400"),
    "another host": (b"GET /livez HTTP/1.1\r\nhost: evil.example\r\n" + END, b"421"),
    "another host behind ours": (b"GET /livez HTTP/1.1\r\nhost: localhost@evil.example\r\n" + END, b"421"),
    "another host as the port": (b"GET /livez HTTP/1.1\r\nhost: localhost:evil.example\r\n" + END, b"421"),
    "a host behind brackets": (b"GET /livez HTTP/1.1\r\nhost: [::1]evil\r\n" + END, b"421"),
    "no host": (b"GET /livez HTTP/1.0\r\n\r\n", b"421"),
    "a foreign address": (b"GET http://evil/livez HTTP/1.1\r\n" + AT + END, b"400"),
    "an empty step": (b"GET //evil.example/ HTTP/1.1\r\n" + AT + END, b"400"),
    "a step back with a parameter": (b"GET /static/..;/settings HTTP/1.1\r\n" + AT + END, b"400"),
    "a step back in an escape": (b"GET /static/%2e%2e/settings HTTP/1.1\r\n" + AT + END, b"400"),
    "a step back in an escape of one": (b"GET /static/%252e%252e/settings HTTP/1.1\r\n" + AT + END, b"400"),
    "a null in the path": (b"GET /livez%00 HTTP/1.1\r\n" + AT + END, b"400"),
    "a line in the path": (b"GET /actions/x%0d%0aset-cookie:x=1 HTTP/1.1\r\n" + AT + END, b"400"),
    "a backslash": (b"GET /static\\..\\x HTTP/1.1\r\n" + AT + END, b"400"),
    "an echo of what is secret": (b"TRACE /livez HTTP/1.1\r\n" + AT + b"cookie: a=secret\r\n" + END, b"405"),
    "what browsers ask before": (b"OPTIONS /v1/agents HTTP/1.1\r\n" + AT + b"origin: http://evil\r\n" + END, b"405"),
    "a tunnel": (b"CONNECT evil:443 HTTP/1.1\r\n" + AT + END, b"405"),
    "a look that shows nothing": (b"HEAD /approvals/x HTTP/1.1\r\n" + AT + END, b"405"),
    "another protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"405"),
    "headers without end": (
        b"GET /livez HTTP/1.1\r\n" + AT + b"".join(b"x%d: 1\r\n" % n for n in range(2000)) + END,
        b"413",
    ),
}


@pytest.mark.proves("server.one_reading")
async def test_what_two_could_read_in_two_ways_is_refused(tmp_path: Path) -> None:
    """Two lengths, hosts, paths or methods that a proxy may read otherwise than we do: one refusal each, which repeats nothing,
    lets no other origin in and leaves no second request behind; requests one behind the other are answered one by one."""
    async with listening(tmp_path) as (_, port):
        for name, (words, status) in TRICKS.items():
            answer = await said(port, words)
            assert answer.split()[1] == status, (name, answer[:200])
            assert answer.count(b"HTTP/1.1 ") == 1, (name, answer)
            for each in (b"secret", b"set-cookie", b"access-control", b"evil"):
                assert each not in answer.lower(), (name, each)
        behind = await said(port, HEAD.replace(b"connection: close\r\n", b"") + HEAD)
        watched = await said(port, HEAD.replace(b"GET", b"HEAD"))
        to_evil = await said(port, b"GET /sign-in?next=/%0d%0aset-cookie:x=1 HTTP/1.1\r\n" + AT + END)

    assert behind.count(b" 200 OK") == 2
    assert (watched.split()[1], watched.partition(b"\r\n\r\n")[2]) == (b"200", b"")
    assert b"set-cookie:x" not in to_evil.partition(b"\r\n\r\n")[0].lower()


@pytest.mark.proves("server.bounded")
async def test_a_body_without_end_is_not_kept(tmp_path: Path) -> None:
    """Chunks that never end are read up to the limit, and then no more: whoever sends them is let go of, others are answered."""
    async with listening(tmp_path) as (_, port):
        head = b"POST /sign-in HTTP/1.1\r\n" + AT + b"origin: http://localhost\r\n" + CHUNKED
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + b"content-type: application/x-www-form-urlencoded\r\n\r\n")
        sent, chunk = 0, b"10000\r\n" + b"a" * 65_536 + b"\r\n"
        with suppress(ConnectionError):
            async with asyncio.timeout(5):
                while not reader.at_eof():
                    writer.write(chunk)
                    await writer.drain()
                    sent += 65_536
        writer.close()
        answer = await said(port, HEAD)

    assert sent < 64 * 1024 * 1024
    assert b" 200 " in answer


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
