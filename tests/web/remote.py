"""The product's own way to a server, through a client that a test gives it; what was sent last can be looked at."""

from __future__ import annotations

import json
from typing import Any

import httpx

from interlock.adapters.remote.plane import Remote as Plane
from interlock.adapters.remote.plane import written as call
from interlock.adapters.remote.wire import LASTS_S, Wire
from interlock.adapters.system import SystemClock

__all__ = ["Remote", "Through", "call"]


class Through(Wire):
    """A wire that is a client of somebody's."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        super().__init__(str(client.base_url).rstrip("/"))
        self._given = client
        self.last: tuple[str, dict[str, Any]] = ("", {})

    async def post(self, path: str, body: bytes, *, lasts_s: float = LASTS_S) -> bytes:
        """See `Wire`."""
        self.last = (path.removeprefix("/v1/agent/"), json.loads(body))
        return await super().post(path, body, lasts_s=lasts_s)

    async def _connected(self) -> httpx.AsyncClient:
        return self._given


class Remote(Plane):
    """See `Plane`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._through = Through(client)
        super().__init__(self._through, SystemClock())

    @property
    def last(self) -> tuple[str, dict[str, Any]]:
        """What was sent last: a thief has it."""
        return self._through.last
