"""Who is here: the sessions of clients that came over HTTP, each bound to whoever began it, and the work that belongs to each.

A client of the older versions has a session, known by its id; one of the newest has none, and all its requests are one caller's.
Another bearer with a session's id is told what somebody is told who made the id up.
"""

from secrets import token_hex
from typing import Final

import anyio

from interlock.domain.bearer import Bearer
from interlock.domain.task import Opening
from interlock.gateway.events import Shelves
from interlock.gateway.work import Caller, Means, Work

MOST_SESSIONS: Final = 1024
"""Of everybody together."""
MOST_OF_ONE: Final = 128
"""Of one bearer."""
MOST_ALONE: Final = 2_048
"""Bearers that ask without a session."""
IDLE_S: Final = 15 * 60.0
"""A session in which nothing was asked for so long is over."""
_SWEEP_S: Final = 20.0


class Room:
    """One session, or all that a bearer asks without one."""

    def __init__(self, bearer: Bearer, means: Means) -> None:
        self.shelf = token_hex(16)
        self.same = bearer.same
        self.busy = 0
        """Requests under way, open streams among them."""
        self.used_at = 0.0
        self._bearer = bearer
        self._means = means
        self.work = Work(Caller(agent=bearer.agent, opening=self._opening, whose=bearer.same), means)

    def renewed(self, bearer: Bearer) -> None:
        """The same bearer came with another token."""
        self._bearer = bearer

    def _opening(self) -> Opening:
        return self._bearer.opening(self._means.clock.now())


class Rooms:
    """All of them."""

    def __init__(self, means: Means, shelves: Shelves, idle_s: float = IDLE_S) -> None:
        self._means = means
        self._shelves = shelves
        self._idle_s = idle_s
        self._sessions: dict[str, Room] = {}
        self._alone: dict[str, Room] = {}

    def new(self, bearer: Bearer) -> Room | None:
        """A room for a session that is about to be begun; None where that bearer has too many."""
        if sum(room.same == bearer.same for room in self._sessions.values()) >= MOST_OF_ONE:
            return None
        return Room(bearer, self._means)

    def begun(self, session: str, room: Room) -> None:
        """It has an id now."""
        room.used_at = anyio.current_time()
        self._sessions[session] = room

    def of(self, session: str, bearer: Bearer) -> Room | None:
        """The room of a session, or of a bearer that has none; None where the session is not there, or is another's, and
        where too many bearers ask without one."""
        if session:
            room = self._sessions.get(session)
            if room is None or room.same != bearer.same:
                return None
        else:
            room = self._alone.get(bearer.same)
            if room is None and len(self._alone) >= MOST_ALONE:
                return None
            if room is None:
                room = self._alone[bearer.same] = Room(bearer, self._means)
        room.renewed(bearer)
        return room

    async def over(self, session: str) -> None:
        """A session was ended."""
        room = self._sessions.pop(session, None)
        if room is not None:
            await self._left(room)

    async def run(self) -> None:
        """Close what is idle, until cancelled."""
        while True:
            await anyio.sleep(min(_SWEEP_S, self._idle_s))
            before = anyio.current_time() - self._idle_s
            for rooms in (self._sessions, self._alone):
                for name in [name for name, room in rooms.items() if not room.busy and room.used_at < before]:
                    await self._left(rooms.pop(name))

    async def close(self) -> None:
        """Everybody is gone."""
        rooms = [*self._sessions.values(), *self._alone.values()]
        self._sessions.clear()
        self._alone.clear()
        for room in rooms:
            await self._left(room)

    async def _left(self, room: Room) -> None:
        self._shelves.forget(room.shelf)
        await room.work.close()
