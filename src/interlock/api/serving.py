"""A small HTTP server for one ASGI application: uvicorn, an optional part of the installation (`interlock[server]`).

Loaded by its name when somebody wants to serve, so that nobody else waits for it.
"""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

LARGEST_HEAD: Final = 8 * 1024
"""Request line and headers together, in bytes."""
MOST_AT_ONCE: Final = 256
"""Connections and requests; whoever comes then hears 503."""


HEAD_S: Final = 10
"""How long the head of a request may take to arrive."""
UNREAD_S: Final = 20
"""How long a reader may leave unread what no longer fits between us."""
KEPT_BYTES: Final = 128 * 1024
"""What the system keeps of an answer that is not read, of each connection."""
ENDING_S: Final = 5
"""How long answers that were begun may take once the process is told to end."""
FINISHING_S: Final = 15.0
"""How long what goes on beside them may take after that."""


async def serve(
    app: Any,
    host: str,
    port: int,
    started: Callable[[str], None],
    *,
    most: int = MOST_AT_ONCE,
    ending: Callable[[], None] = lambda: None,
    finishing: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve `app` until the process is told to end. `started` hears the address once it answers; port 0 is any free one.

    There are at most `most` connections. `ending` hears when the end begins, to close what would never end by itself; once the
    answers are over, `finishing` is waited for, `FINISHING_S` at most. Told to end once more, the process ends at once.
    Raises OSError where the address cannot be taken.
    """
    listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    # Those it accepts inherit it. Without it a short answer, head and body, waits 40 ms for the client's word.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KEPT_BYTES)
    try:
        server = _Server(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                h11_max_incomplete_event_size=LARGEST_HEAD,
                limit_concurrency=most,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=ENDING_S,
            )
        )
        place, taken = listening.getsockname()[:2]
        server.ending, server.finishing = ending, finishing
        server.ready = lambda: started(f"http://{f'[{place}]' if ':' in place else place}:{taken}/")
        await server.serve(sockets=[listening])
    finally:
        listening.close()


class _Protocol(H11Protocol):
    """Waits for nobody for ever: a connection that says nothing, or little, or does not read, is closed.

    uvicorn's own clock runs only from an answer to the next request's first byte.
    """

    late: asyncio.TimerHandle | None = None
    unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Some of it, or all."""
        begun: RequestResponseCycle | None = self.cycle
        if self.late is None and begun and begun.response_complete:
            self._wait()
        super().data_received(data)
        if self.cycle is not begun:
            self._came()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._came()
        self._read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """More is left unread than is kept: wait for the reader, but not for ever."""
        super().pause_writing()
        self.unread = self.loop.call_later(UNREAD_S, self._give_up)

    def resume_writing(self) -> None:
        """It is being read."""
        super().resume_writing()
        self._read()

    def _read(self) -> None:
        if self.unread is not None:
            self.unread.cancel()
            self.unread = None

    def _give_up(self) -> None:
        # Not closed: that would wait until all is read.
        self.unread = None
        self.transport.abort()

    def _wait(self) -> None:
        self.late = self.loop.call_later(HEAD_S, self._close)

    def _came(self) -> None:
        if self.late is not None:
            self.late.cancel()
            self.late = None

    def _close(self) -> None:
        self.late = None
        self.transport.close()


class _Server(uvicorn.Server):
    """Says when it answers, and when it is about to end."""

    ready: Callable[[], None]
    ending: Callable[[], None]
    finishing: Callable[[], Awaitable[None]] | None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and say so."""
        await super().startup(sockets)
        self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, and end, once what was begun is over or took too long."""
        self.ending()
        await super().shutdown(sockets)
        if self.finishing is None:
            return
        last = asyncio.ensure_future(self.finishing())
        await asyncio.wait({last}, timeout=FINISHING_S)
        last.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End; told so a second time, at once, as a process without us would: nothing is lost that way."""
        if self.should_exit:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Once all is over the caller goes on, and closes what it opened; uvicorn would have the signal end the process."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()
