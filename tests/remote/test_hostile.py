"""What answers at the address is anybody: nothing of it is believed but what a control plane says, in its form and of its
size."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import interlock
from interlock.adapters.remote.plane import Remote
from interlock.adapters.remote.wire import LARGEST, Wire
from interlock.adapters.system import SystemClock
from interlock.domain.errors import InterlockError, NotUnderstood, Unanswered
from interlock.domain.ids import ActionId
from interlock.domain.presented import Presented

SHOWN = Presented(credential="c", proof="p")
ACTION = ActionId("01a20311-da6b-74d4-b1c4-3197462f9bfa")


class Liar:
    """Answers every request with the same bytes."""

    def __init__(self) -> None:
        self.says = b""
        self.slowly = False
        self.port = 0
        self.loop = asyncio.new_event_loop()
        self._begun, self._end = threading.Event(), asyncio.Event()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            for at in range(0, len(self.says), 65536):
                writer.write(self.says[at : at + 65536])
                await writer.drain()
            if self.slowly:
                while True:
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.05)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._taken, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._begun.set()
        await self._end.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def run(self) -> None:
        """Until the end."""
        self.loop.run_until_complete(self._serve())
        self.loop.close()

    def heard(self, *, lasts_s: float = 5) -> InterlockError | None:
        """What a program makes of it."""
        return asyncio.run(self._heard(lasts_s))

    async def _heard(self, lasts_s: float) -> InterlockError | None:
        wire = Wire(f"http://127.0.0.1:{self.port}")
        try:
            await wire.post("/v1/agent/expected", b"{}", lasts_s=lasts_s)
        except InterlockError as error:
            return error
        finally:
            await wire.close()
        return None


@contextmanager
def liar() -> Iterator[Liar]:
    """One, in a thread."""
    made = Liar()
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    assert made._begun.wait(5)
    yield made
    made.loop.call_soon_threadsafe(made._end.set)
    thread.join(5)


def answer(body: bytes, *, status: int = 200, kind: str = "application/json", more: str = "") -> bytes:
    """An answer in form."""
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


PROBLEM = "application/problem+json"
SAID: dict[str, tuple[bytes, str]] = {
    "a page": (answer(b"<html>hello</html>", kind="text/html"), "not_understood"),
    "a way elsewhere": (answer(b"", status=307, more="location: http://evil.example/\r\n"), "not_understood"),
    "compressed": (answer(b"\x1f\x8b", more="content-encoding: gzip\r\n"), "not_understood"),
    "too long, as it says": (
        b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n",
        "not_understood",
    ),
    "no error of ours": (answer(b"{}", status=403, kind=PROBLEM), "not_understood"),
    "no JSON": (answer(b"{", status=403, kind=PROBLEM), "not_understood"),
    "a nested error": (answer(b"[" * 100_000, status=403, kind=PROBLEM), "not_understood"),
    "an error nobody knows": (
        answer(b'{"code":"from_the_future","detail":"x","next":"y"}', status=418, kind=PROBLEM),
        "not_understood",
    ),
    "an error without its members": (
        answer(b'{"code":"budget_exceeded","detail":"x","next":"y","left":"many"}', status=429, kind=PROBLEM),
        "not_understood",
    ),
    "a proxy without a server": (answer(b"bad", status=502, kind="text/html"), "unanswered"),
    "a proxy that asks for a name": (answer(b"", status=407, kind="text/html"), "not_understood"),
    "nothing": (b"", "unanswered"),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.9\r\n", "unanswered"),
    "half": (answer(b"{}")[:-1], "unanswered"),
}


@pytest.mark.proves("remote.believes_nobody")
def test_what_is_no_answer_of_a_control_plane_is_none() -> None:
    """Pages, redirects, floods, nonsense and errors that are none: each is an error with code and next step, none is a
    success."""
    with liar() as other:
        for name, (says, code) in SAID.items():
            other.says = says
            error = other.heard()
            assert error is not None, name
            assert error.code == code, (name, error)
            assert error.next_step, name


@pytest.mark.proves("remote.believes_nobody")
def test_a_flood_and_a_drip_end() -> None:
    """More bytes than an answer may have, and bytes that never end, hold a program no longer than its call may last."""
    with liar() as other:
        other.says = b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\n\r\n" + b" " * (LARGEST + 100_000)
        assert isinstance(other.heard(lasts_s=30), NotUnderstood)
        other.says, other.slowly = b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\n\r\n", True
        assert isinstance(other.heard(lasts_s=0.5), Unanswered)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
        max_leaves=12,
    )
)
def test_any_json_is_an_error_or_what_was_asked_for(said: object) -> None:
    """Whatever JSON comes for an action, the program gets an InterlockError, never an action and never another exception."""
    says = json.dumps(said).encode()

    class Says(Wire):
        async def post(self, path: str, body: bytes, *, lasts_s: float = 0) -> bytes:
            del path, body, lasts_s
            return says

    async def asked() -> None:
        await Remote(Says("http://127.0.0.1:9"), SystemClock()).wait(ACTION, SHOWN, timeout_ms=0)

    with pytest.raises(InterlockError):
        asyncio.run(asked())


def test_an_id_leads_nowhere_else() -> None:
    """What is no id of ours becomes no part of a path."""
    remote = Remote(Wire("http://127.0.0.1:9"), SystemClock())
    for name in ("", "../../v1/agents", "a/b", "a?b", "a%2fb", "é", "x" * 500):
        with pytest.raises(interlock.ContractError):
            asyncio.run(remote.wait(ActionId(name), SHOWN, timeout_ms=0))
