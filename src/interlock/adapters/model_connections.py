"""Connections to providers of models, kept and used again by who asked over them alone.

What a provider, or something in front of it, sends behind its answer nobody asked for; over a connection that others ask over,
too, it would be read as the answer to the next question. So whoever asks has connections of their own, and words that are for
another cannot come over them.
"""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import anyio
import httpx

MOST: Final = 256
"""So many who ask keep connections; those of whom nobody has heard longest are closed for others."""
EACH: Final = 16
"""Idle connections of one."""
KEPT_S: Final = 30.0


class _Kept:
    """Those of one who asks."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.open = 0
        self.used_at = 0.0
        self.client = httpx.AsyncClient(
            follow_redirects=False,
            headers={"accept-encoding": "identity", "user-agent": "interlock"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=EACH, keepalive_expiry=KEPT_S),
            verify=context,
        )


class ModelConnections:
    """All of them, of one event loop at a time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._context: ssl.SSLContext | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def of(self, whose: str) -> AsyncGenerator[httpx.AsyncClient]:
        """Those of `whose`, to ask one question over."""
        if self._loop is not asyncio.get_running_loop():
            # Those of a loop that is gone nobody can close.
            self._loop = asyncio.get_running_loop()
            self._kept.clear()
        self._context = self._context or httpx.create_ssl_context()
        kept = self._kept.pop(whose, None) or _Kept(self._context)
        self._kept[whose] = kept
        kept.open += 1
        try:
            yield kept.client
        finally:
            kept.open -= 1
            kept.used_at = anyio.current_time()
            with anyio.CancelScope(shield=True):
                await self._let_go()

    async def close(self) -> None:
        """Let go of all. A later question opens new ones."""
        kept, self._kept = self._kept, OrderedDict()
        if self._loop is asyncio.get_running_loop():
            for each in kept.values():
                await each.client.aclose()

    async def _let_go(self) -> None:
        """Close those that nobody used lately, and those that are too many."""
        late = anyio.current_time() - KEPT_S
        idle = [whose for whose, each in self._kept.items() if not each.open]
        over = [whose for whose in idle if self._kept[whose].used_at < late]
        over += [whose for whose in idle if whose not in over][: max(len(self._kept) - len(over) - MOST, 0)]
        for each in [self._kept.pop(whose) for whose in over]:
            await each.client.aclose()
