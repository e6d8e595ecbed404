"""A small HTTP server for one ASGI application: uvicorn, an optional part of the installation (`interlock[server]`).

Loaded by its name when somebody wants to serve, so that nobody else waits for it.
"""

import socket
from collections.abc import Callable
from typing import Any, Final

import uvicorn

LARGEST_HEAD: Final = 8 * 1024
"""Request line and headers together, in bytes."""
MOST_AT_ONCE: Final = 256
"""Connections and requests; whoever comes then hears 503."""


async def serve(app: Any, host: str, port: int, started: Callable[[str], None]) -> None:
    """Serve `app` until the process is told to end. `started` hears the address once it answers; port 0 is any free one.

    Raises OSError where the address cannot be taken.
    """
    listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    # Those it accepts inherit it. Without it a short answer, head and body, waits 40 ms for the client's word.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        server = _Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                h11_max_incomplete_event_size=LARGEST_HEAD,
                limit_concurrency=MOST_AT_ONCE,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=5,
            )
        )
        place, taken = listening.getsockname()[:2]
        server.ready = lambda: started(f"http://{f'[{place}]' if ':' in place else place}:{taken}/")
        await server.serve(sockets=[listening])
    finally:
        listening.close()


class _Server(uvicorn.Server):
    """Says when it answers."""

    ready: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and say so."""
        await super().startup(sockets)
        self.ready()
