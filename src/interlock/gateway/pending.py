"""Calls under way: each in a task of its own that nobody's going away ends, and what a cancelled one takes back."""

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from mcp.shared.dispatcher import coerce_request_id
from mcp.shared.exceptions import MCPError
from mcp_types import RequestId

from interlock.domain.errors import InterlockError
from interlock.gateway.places import CALLS_OF_ONE, MOST_CALLS, Place, Places
from interlock.gateway.work import Work
from interlock.sdk.outcomes import Held, Outcome, Pending
from interlock.services.withdrawing import Withdrawing

T = TypeVar("T")
BUSY: Final = -32000
_PLACES: ContextVar[tuple[Place, ...]] = ContextVar("interlock_gateway_places", default=())
"""What is held by whatever is begun now."""
_REMEMBERED_S: Final = 5.0
"""For so long after a call was broken off the client's word that it was meant so is waited for."""


class Wanted:
    """One call that its client may take back, and by which of its requests. It is itself the token of the call: what two
    clients call alike is never taken for one."""

    def __init__(self, proposing: asyncio.Future[Outcome], name: tuple[Work, RequestId] | None) -> None:
        self.proposing = proposing
        self.name = name
        """Under what its client takes it back by a message; None where it has no way but to leave."""


class UnderWay:
    """All of them."""

    def __init__(self, withdrawing: Withdrawing, places: Places | None = None) -> None:
        self._withdrawing = withdrawing
        self._places = places or Places(CALLS_OF_ONE, MOST_CALLS)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._calls: dict[tuple[Work, RequestId], Wanted] = {}
        self._ending = False

    @contextmanager
    def place(self, whose: str) -> Generator[None]:
        """A place of `whose` among all that is under way. Raises MCPError where there is none left."""
        place = self._places.taken(whose)
        if place is None:
            most = f"{self._places.of_one} calls of yours, or too many of everybody's, are under way"
            raise MCPError(BUSY, f"{most}, also of clients that went away: wait until one of them is over")
        with self.within(place):
            yield

    @contextmanager
    def within(self, place: Place) -> Generator[None]:
        """What is begun within holds `place` until it is over, and so does whoever is within."""
        token = _PLACES.set((*_PLACES.get(), place))
        try:
            yield
        finally:
            _PLACES.reset(token)
            place.leave()

    def begun(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """`work`, which goes on to its end whatever becomes of who waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        for place in _PLACES.get():
            place.lasts(task)
        task.add_done_callback(self._ended)
        return task

    async def kept(self, work: Coroutine[Any, Any, T]) -> T:
        """Begin `work` and await it."""
        return await asyncio.shield(self.begun(work))

    def open(self, proposing: asyncio.Future[Outcome], work: Work, request: RequestId | None) -> Wanted:
        """A call that its client may take back, as long as it is not over: by `request`, which is one of the session that `work`
        is of, or without one by leaving alone."""
        wanted = Wanted(proposing, None if request is None else (work, coerce_request_id(request)))
        if wanted.name is not None:
            self._calls[wanted.name] = wanted
        return wanted

    def over(self, wanted: Wanted, *, broken: bool) -> None:
        """It is answered; or it was broken off, and why is yet to be heard."""
        if broken:
            asyncio.get_running_loop().call_later(_REMEMBERED_S, self._forget, wanted)
        else:
            self._forget(wanted)

    def cancelled(self, work: Work, request: RequestId) -> None:
        """The client of a session wants the answer to that request no more."""
        wanted = self._calls.get((work, coerce_request_id(request)))
        if wanted is not None:
            self.unwanted(wanted)

    def unwanted(self, wanted: Wanted) -> None:
        """The client wants the call no more: what of it still waits is withdrawn. What began goes on, and is recorded."""
        self._forget(wanted)
        if not self._ending:
            self.begun(self._withdraw(wanted.proposing))

    async def withdraw(self, outcome: Outcome) -> bool:
        """Take back what waits. Whether it was."""
        if not isinstance(outcome, Held | Pending):
            return False
        return (await self._withdrawing.withdraw(outcome.action_id)).state == "voided"

    def end(self) -> None:
        """From here on it is us who break calls off, and nothing is taken back for that."""
        self._ending = True

    async def finish(self, grace_s: float) -> None:
        """Wait for what is under way, for a while."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)

    async def _withdraw(self, proposing: asyncio.Future[Outcome]) -> None:
        try:
            await self.withdraw(await asyncio.shield(proposing))
        except InterlockError:
            # What it became is on record, or nothing was proposed.
            return

    def _forget(self, wanted: Wanted) -> None:
        """Its client's name for it may be another call's by now."""
        if wanted.name is not None and self._calls.get(wanted.name) is wanted:
            del self._calls[wanted.name]

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited for it had it; of one that nobody waits for any more the log says what came
