"""Which resources callers hear of: each is asked of its server once for a caller, and let go of with the last who wanted it, be
that the caller's session or one of its streams."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError

from interlock.domain.errors import InterlockError
from interlock.domain.upstream import Server
from interlock.gateway.ears import Wanted, ears_of
from interlock.gateway.work import Work
from interlock.ports.upstream import Upstreams

MOST_WANTED: Final = 256
"""Resources that a caller hears of at once."""
LONGEST_URI: Final = 8_192
GRACE_S: Final = 5.0
"""How long servers are told of a stream that is over."""
_log = logging.getLogger("interlock.gateway")


class Subscriptions:
    """Those of all callers. A caller hears that a resource is another, not what it is."""

    def __init__(self, upstreams: Upstreams, server_of: Callable[[Work, str], Awaitable[Server | None]]) -> None:
        self._upstreams = upstreams
        self._server_of = server_of

    async def begin(self, work: Work, uri: str) -> bool:
        """Have the caller's session hear of a resource, if it may read it. Whether it may."""
        return await self._heard_of(work, uri, ears_of(work))

    async def end(self, work: Work, uri: str) -> None:
        """Have the session hear of it no longer."""
        await self._let_go(work, uri, ears_of(work))

    @asynccontextmanager
    async def listening(self, work: Work, uris: Sequence[str]) -> AsyncGenerator[list[str]]:
        """A stream of the caller's that hears of those of `uris` it may read, which are given, for as long as it is open. Raises
        MCPError for more, or longer ones, than anybody hears of."""
        if len(uris) > MOST_WANTED or any(len(each) > LONGEST_URI for each in uris):
            why = f"a stream hears of {MOST_WANTED} resources at most, whose addresses have {LONGEST_URI} characters at most"
            raise MCPError(types.INVALID_PARAMS, why)
        stream, heard = object(), list[str]()
        try:
            for uri in dict.fromkeys(uris):
                if await self._heard_of(work, uri, stream):
                    heard.append(uri)
            yield heard
        finally:
            with anyio.move_on_after(GRACE_S, shield=True):
                for uri in heard:
                    await self._let_go(work, uri, stream)

    async def _heard_of(self, work: Work, uri: str, by: object) -> bool:
        server = await self._server_of(work, uri) if len(uri) <= LONGEST_URI else None
        if server is None:
            return False
        ears, task = ears_of(work), (await work.task()).id
        async with ears.wanting:
            wanted = ears.wanted.get(uri)
            if wanted is None:
                if len(ears.wanted) >= MOST_WANTED:
                    raise MCPError(types.INVALID_REQUEST, f"a session hears of {MOST_WANTED} resources at most")
                # What the server says at once is heard, too.
                wanted = ears.wanted[uri] = Wanted(server.name, {by})
                try:
                    await self._upstreams.subscribe(server.name, uri, task=task)
                except BaseException:
                    del ears.wanted[uri]
                    raise
            wanted.by.add(by)
        return True

    async def _let_go(self, work: Work, uri: str, by: object) -> None:
        """With the last of the caller's, its server is told."""
        ears = ears_of(work)
        async with ears.wanting:
            wanted = ears.wanted.get(uri)
            if wanted is None or by not in wanted.by:
                return
            wanted.by.discard(by)
            if wanted.by:
                return
            del ears.wanted[uri]
            task = work.held
            if task is None:
                return
            try:
                await self._upstreams.subscribe(wanted.server, uri, task=task.id, on=False)
            except InterlockError as error:
                _log.warning("`%s` may go on telling of %s: %s", wanted.server, uri[:200], error.detail)
