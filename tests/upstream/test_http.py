"""Servers over HTTP that go away, forget us, or answer as no server should."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from interlock.domain.call import Answer, Landed, Nothing, Unsure
from interlock.domain.errors import EffectorError
from interlock.domain.upstream import Http, Server
from interlock.domain.upstream_contract import Words
from tests.upstream.reaching import LEGACY, MODERN, READ, Reaching, free_port, over_http, reaching, written

pytestmark = pytest.mark.anyio
TOOL = {"name": "act", "description": "Acts.", "inputSchema": {"type": "object", "properties": {}}}


class Handler(BaseHTTPRequestHandler):
    """Speaks the handshake, and answers calls in the way the server was told."""

    protocol_version = "HTTP/1.1"
    how = ""
    calls = 0
    elsewhere = 0

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        """No stream."""
        if self.path == "/elsewhere":
            type(self).elsewhere += 1
        self.send_error(405)

    def do_DELETE(self) -> None:
        """The end."""
        self.send_error(405)

    def do_POST(self) -> None:
        """One message."""
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        id_, method = message.get("id"), message["method"]
        if self.path == "/elsewhere":
            type(self).elsewhere += 1
        if method == "initialize":
            info = {"name": "bad", "version": "0"}
            found: dict[str, Any] = {"protocolVersion": "2025-03-26", "capabilities": {"tools": {}}, "serverInfo": info}
            self.say(200, {"jsonrpc": "2.0", "id": id_, "result": found}, {"mcp-session-id": "s1"})
        elif method == "tools/list":
            self.say(200, {"jsonrpc": "2.0", "id": id_, "result": {"tools": [TOOL]}})
        elif method == "tools/call":
            type(self).calls += 1
            self.call(id_)
        elif id_ is None:
            self.say(202, None)
        else:
            self.say(404, {"jsonrpc": "2.0", "id": id_, "error": {"code": -32601, "message": "no such method"}})

    def call(self, id_: Any) -> None:
        """Answer a call."""
        body = {"jsonrpc": "2.0", "id": id_, "result": {"content": [], "isError": False}}
        match self.how:
            case "redirects":
                self.say(307, None, {"location": "/elsewhere"})
            case "packs":
                self.say(200, body, {"content-encoding": "gzip"})
            case "hangs up":
                self.close_connection = True
            case "no type":
                self.say(200, body, {"content-type": "text/html"})
            case "no json":
                self.raw(200, b"{")
            case "other id":
                self.say(200, {**body, "id": 999})
            case "accepts":
                self.say(202, None)
            case "half":
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(b"event: message\ndata: {\n\n")
                self.close_connection = True
            case how if how.isdecimal():
                self.raw(int(how), b"<html>no\x1b[2J</html>")
            case _:
                self.say(200, body)

    def say(self, status: int, body: dict[str, Any] | None, headers: dict[str, str] | None = None) -> None:
        """One answer."""
        self.raw(status, b"" if body is None else json.dumps(body).encode(), headers)

    def raw(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """The same of bytes."""
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def answering(how: str) -> Iterator[tuple[Server, type[Handler]]]:
    """A server that answers calls so."""
    kind = type("Told", (Handler,), {"how": how})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield (
                Server(name="bad", way=Http(url=f"http://127.0.0.1:{server.server_address[1]}/mcp"), timeout_ms=5_000),
                kind,
            )
        finally:
            server.shutdown()
            thread.join()


async def once(how: str, folder: Path, words: Words = Words(), **promises: Any) -> tuple[Answer, type[Handler]]:  # noqa: B008  a frozen value
    """One call of it."""
    with answering(how) as (server, kind):
        async with reaching(server, folder) as way:
            return await way.call(way.contract("act", words, timeout_ms=3_000, **promises), {}), kind


@pytest.mark.proves("upstream.unsure")
@pytest.mark.parametrize(
    "how",
    ["redirects", "packs", "hangs up", "no type", "no json", "accepts", "half", "500", "503", "408", "425", "429"],
)
async def test_what_says_nothing_leaves_it_unsure(how: str, tmp_path: Path) -> None:
    """A redirect, silence, a status that may come after the deed, and what cannot be read prove nothing, whatever its owner
    says of its errors; nobody is sent elsewhere, and nothing is sent twice."""
    answer, kind = await once(how, tmp_path, Words(errors="nothing"))
    assert isinstance(answer, Unsure), answer
    assert answer.why.isprintable()
    assert (kind.calls, kind.elsewhere) == (1, 0)


@pytest.mark.parametrize("how", ["400", "401", "403", "413", "422"])
async def test_a_door_that_says_no_let_nothing_in(how: str, tmp_path: Path) -> None:
    """A status that refuses the request says that nothing happened."""
    answer, _ = await once(how, tmp_path)
    assert isinstance(answer, Nothing)
    assert answer.why.startswith(how)


async def test_an_answer_to_something_else_is_none(tmp_path: Path) -> None:
    """An answer with another id is nobody's."""
    answer, _ = await once("other id", tmp_path)
    assert isinstance(answer, Unsure)


async def test_a_session_that_is_forgotten_is_begun_again(tmp_path: Path) -> None:
    """404 to a session says that nothing was done: the call is made once more, in a new session, and no more often."""
    answer, kind = await once("404", tmp_path)
    assert answer == Nothing("its session is forgotten as soon as it began")
    assert kind.calls == 2


@pytest.mark.parametrize("protocol", [LEGACY, MODERN])
async def test_a_server_that_was_begun_anew_serves_the_next_call(protocol: str, tmp_path: Path) -> None:
    """While nobody is there nothing is sent; once it is back, in whatever session, calls are done once."""
    notes, port = tmp_path / "notes", free_port()
    with over_http(notes, port) as server:
        way = Reaching(server, protocol, tmp_path)
        await way.accept()
        assert isinstance(await way.call(way.contract("note"), {"text": "one"}), Landed)
    gone: Answer | None = None
    with suppress(EffectorError):
        gone = await way.call(way.contract("note"), {"text": "two"})
    assert gone is None or (isinstance(gone, Nothing) and "nothing was sent" in gone.why)
    with over_http(notes, port):
        await asyncio.sleep(0.6)
        assert isinstance(await way.call(way.contract("note"), {"text": "three"}), Landed)
        await way.upstreams.close()
    assert written(notes) == ["one|", "three|"]


async def test_a_server_that_is_not_there_was_not_called(tmp_path: Path) -> None:
    """A refused connection is told before anything is called, with what to do."""
    server = Server(name="bad", way=Http(url=f"http://127.0.0.1:{free_port()}/mcp"), timeout_ms=3_000)
    with pytest.raises(EffectorError, match="bad") as refused:
        async with reaching(server, tmp_path):
            pass
    assert refused.value.next_step


async def test_reads_that_fail_for_good_are_not_repeated(tmp_path: Path) -> None:
    """A read that brought what cannot be read has failed; it is not asked for again and again."""
    answer, kind = await once("no json", tmp_path, **READ)
    assert isinstance(answer, Nothing)
    assert kind.calls == 1
    with answering("ok") as (server, _):
        async with reaching(msgspec.structs.replace(server, most_bytes=4_096), tmp_path) as way:
            assert isinstance(await way.call(way.contract("act"), {}), Landed)
