"""The connections to servers: begun when they are first needed, and anew when they are over, after a pause that doubles.

A connection is shared by all tasks, or one task's own where the server's file says so, and belongs to the loop that opened it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from interlock.adapters.mcp.asking import Asking
from interlock.adapters.mcp.beginning import speaks_handshake
from interlock.adapters.mcp.connection import Connection, News
from interlock.adapters.mcp.hiding import hiding
from interlock.adapters.mcp.pipe import pipe
from interlock.adapters.mcp.reach import Reach
from interlock.adapters.mcp.subscribed import Wanted
from interlock.adapters.mcp.web import web
from interlock.adapters.obtaining.tokens import Tokens
from interlock.domain.errors import EffectorError
from interlock.domain.upstream import Http, Server, Stdio

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
"""A server that ended, or could not be begun, is begun again after a pause that doubles."""
MOST_CONNECTIONS: Final = 256


class Place(NamedTuple):
    """Whose connection it is: connections belong to the loop that opened them."""

    loop: int
    server: str
    task: str


class Pool:
    """All of this process's."""

    def __init__(
        self, reach: Reach, asking: Asking, news: News, beside: Callable[[Coroutine[Any, Any, None]], None]
    ) -> None:
        self._reach = reach
        self._asking = asking
        self._news = news
        self._beside = beside
        """Begins what nobody waits for."""
        self._connections: dict[Place, Connection] = {}
        self._pauses: dict[Place, tuple[float, float]] = {}
        """Until when nothing is begun, and how long that was."""
        self._accounts: dict[str, Tokens] = {}
        self.wanted: dict[Place, Wanted] = {}
        """Of which resources is heard over each."""

    async def open(self, server: str, task: str = "") -> Connection:
        """A connection that is open. Raises NotFound and EffectorError: then nothing was called."""
        which = self._reach.server(server)
        loop, place = asyncio.get_running_loop(), self._place(which, task)
        found = self._connections.get(place)
        if found is None or found.over:
            found = await self._begun(which, place, found)
        try:
            await found.opened()
        except EffectorError:
            self._failed(place, loop.time())
            raise
        self._pauses.pop(place, None)
        return found

    def at(self, place: Place) -> Connection | None:
        """The connection there, if there is one that may still be used."""
        found = self._connections.get(place)
        return None if found is None or found.over else found

    def leave(self, task: str) -> None:
        """Let go of those that are the task's own."""
        for place in [each for each in self._connections if task and each.task == task]:
            # What is at work on it goes on to its end: who left it does not take back what was begun.
            self._beside(self._connections.pop(place).retire())
            self.wanted.pop(place, None)

    async def close(self) -> None:
        """End those of this loop. Connections of a loop that is over ended with it."""
        here = id(asyncio.get_running_loop())
        mine = [each for each in self._connections if each.loop == here]
        await asyncio.gather(*(self._connections.pop(each).close() for each in mine))
        for place in [each for each in self.wanted if each.loop == here]:
            del self.wanted[place]

    async def _begun(self, server: Server, place: Place, before: Connection | None) -> Connection:
        """A new connection in `place`. Raises EffectorError where it is too early for another one."""
        now = asyncio.get_running_loop().time()
        if before is not None:
            if before.protocol and not before.stale:
                self._failed(place, now)
            self._connections.pop(place, None)
        until, _ = self._pauses.get(place, (0.0, 0.0))
        if now < until:
            raise EffectorError(
                f"the server `{server.name}` failed, and is begun again in {until - now:.1f} s",
                next_step=f"see what it says: `interlock server check {server.name}`",
            )
        if len(self._connections) >= MOST_CONNECTIONS:
            raise EffectorError(f"there are {MOST_CONNECTIONS} connections to servers already")
        pinned = self._reach.pinned(server.name)
        legacy = pinned is not None and speaks_handshake(pinned.protocol)
        wanted = self.wanted.setdefault(place, Wanted())
        made = Connection(
            server, lambda: self._way(server), self._asking, self._news, wanted, task=place.task, legacy=legacy
        )
        self._connections[place] = made
        if before is not None:
            self._beside(before.retire())
        return made

    def _place(self, server: Server, task: str) -> Place:
        own = task if server.connections == "each_task" else ""
        return Place(id(asyncio.get_running_loop()), server.name, own)

    def _way(self, server: Server) -> Any:
        match server.way:
            case Stdio() as way:
                return pipe(server, way, self._reach.folder, self._reach.environ, hiding(way, self._reach.environ))
            case Http() as way:
                return web(
                    server, way, self._reach.environ, hiding(way, self._reach.environ), self._account(server.name, way)
                )

    def _account(self, name: str, way: Http) -> Tokens | None:
        """By what it is called: one account for all connections to it."""
        if way.auth is None:
            return None
        return self._accounts.setdefault(name, Tokens(way.auth, way.url, self._reach.folder, self._reach.environ))

    def _failed(self, place: Place, now: float) -> None:
        _, before = self._pauses.get(place, (0.0, 0.0))
        pause = min(before * 2 or FIRST_PAUSE_S, LONGEST_PAUSE_S)
        self._pauses[place] = (now + pause, pause)
