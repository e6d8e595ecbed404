"""The resources that tasks hear of on one connection: each is asked for once, however many want it, and let go of with the last.

What is wanted outlives the connection: the next one to the same server asks for it again. A server of the older versions is
asked for each resource; one of 2026-07-28 tells of all that are named in the stream that is open, so another one is opened before
that is closed.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Final, Protocol

import mcp_types as types
from mcp.client.session import ClientSession
from mcp.client.subscriptions import listen
from mcp.shared.exceptions import MCPError

from interlock.domain.errors import EffectorError

LISTEN_AGAIN_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
_log = logging.getLogger("interlock.servers")


class Wanted:
    """What is wanted on one connection, by whom."""

    def __init__(self) -> None:
        self._by: dict[str, set[str]] = {}
        self.lock = asyncio.Lock()
        """Held by whoever asks for something, or lets go of it."""

    @property
    def uris(self) -> tuple[str, ...]:
        """All of them, in order."""
        return tuple(sorted(self._by))

    def add(self, uri: str, task: str) -> bool:
        """`task` wants it. Whether nobody did before."""
        first = uri not in self._by
        self._by.setdefault(uri, set()).add(task)
        return first

    def drop(self, uri: str, task: str) -> bool:
        """`task` wants it no more. Whether nobody does now."""
        wanting = self._by.get(uri)
        if wanting is None or task not in wanting:
            return False
        wanting.discard(task)
        if not wanting:
            del self._by[uri]
        return not wanting

    def of(self, task: str) -> tuple[str, ...]:
        """What `task` wants."""
        return tuple(uri for uri, wanting in self._by.items() if task in wanting)


class Telling(Protocol):
    """How a server of one era is told which resources are wanted. Both raise EffectorError, or what the session raises."""

    async def begin(self, uri: str) -> None:
        """Tell of this one, too."""
        ...

    async def end(self, uri: str) -> None:
        """Tell of it no more."""
        ...

    async def again(self, uris: Collection[str]) -> None:
        """A new connection: tell of all these."""
        ...

    async def close(self) -> None:
        """The connection is about to end."""
        ...


class ByRequest:
    """Servers of the versions with a handshake."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def begin(self, uri: str) -> None:
        """See `Telling`."""
        await self._session.send_request(
            types.SubscribeRequest(params=types.SubscribeRequestParams(uri=uri)), types.EmptyResult
        )

    async def end(self, uri: str) -> None:
        """See `Telling`."""
        await self._session.send_request(
            types.UnsubscribeRequest(params=types.UnsubscribeRequestParams(uri=uri)), types.EmptyResult
        )

    async def again(self, uris: Collection[str]) -> None:
        """See `Telling`."""
        for uri in uris:
            await self.begin(uri)

    async def close(self) -> None:
        """See `Telling`."""


class ByStream:
    """Servers of 2026-07-28: one stream names all that is wanted."""

    def __init__(self, session: ClientSession, missed: Callable[[str], None]) -> None:
        self._session = session
        self._missed = missed
        """Told of what may have changed while no stream was open."""
        self._uris: frozenset[str] = frozenset()
        self._stream: asyncio.Task[None] | None = None

    async def begin(self, uri: str) -> None:
        """See `Telling`."""
        await self._open(self._uris | {uri})

    async def end(self, uri: str) -> None:
        """See `Telling`."""
        await self._open(self._uris - {uri})

    async def again(self, uris: Collection[str]) -> None:
        """See `Telling`."""
        await self._open(self._uris | frozenset(uris))

    async def close(self) -> None:
        """See `Telling`."""
        if self._stream is not None:
            self._stream.cancel()
            await asyncio.gather(self._stream, return_exceptions=True)
            self._stream = None

    async def _open(self, uris: frozenset[str]) -> None:
        opened: asyncio.Task[None] | None = None
        if uris:
            ready: asyncio.Future[frozenset[str]] = asyncio.get_running_loop().create_future()
            opened = asyncio.create_task(self._listen(uris, ready))
            try:
                unheard = uris - self._uris - await ready
                if unheard:
                    raise EffectorError(f"the server does not tell of {', '.join(sorted(unheard))[:300]}")
            except BaseException:
                opened.cancel()
                await asyncio.gather(opened, return_exceptions=True)
                raise
        await self.close()
        self._uris, self._stream = uris, opened

    async def _listen(self, uris: frozenset[str], ready: asyncio.Future[frozenset[str]]) -> None:
        """Hear of `uris` until cancelled: what is said is passed on as all news is."""
        pause = LISTEN_AGAIN_S
        while True:
            try:
                async with listen(self._session, resource_subscriptions=sorted(uris)) as events:
                    pause = LISTEN_AGAIN_S
                    if not ready.done():
                        ready.set_result(frozenset(events.honored.resource_subscriptions or ()))
                    else:
                        for uri in uris:
                            self._missed(uri)
                    async for _ in events:
                        pass
            except (MCPError, RuntimeError) as error:
                if not ready.done():
                    ready.set_exception(error)
                    return
                pause = min(2 * pause, LONGEST_PAUSE_S)
            await asyncio.sleep(pause)


async def renewed(
    telling: Telling, wanted: Wanted, before: Collection[str], server: str, missed: Callable[[str], None]
) -> None:
    """On a new connection: ask for what was wanted `before` and is still, and tell that it may have changed meanwhile."""
    async with wanted.lock:
        uris = [each for each in wanted.uris if each in before]
        if not uris:
            return
        try:
            await telling.again(uris)
        except (MCPError, RuntimeError, EffectorError) as error:
            _log.warning("`%s` was begun anew and does not tell of resources: %s", server, error)
        for uri in uris:
            missed(uri)
