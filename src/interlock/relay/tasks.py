"""The tasks of those who bear tokens: one for all that the same bearer asks, opened when it first asks.

A task is over when its time is, and counts no more once another release of its agent is in force: then the next question is in
another. One that people closed stays closed: the bearer is refused until it is let in by something else.
"""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from typing import Final

from interlock.domain.bearer import Bearer
from interlock.domain.errors import InterlockError, NotFound
from interlock.domain.ids import TaskId, is_id
from interlock.domain.initiator import whole
from interlock.domain.task import Task
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.sdk.connection import Connection
from interlock.services.orders import StandingOrders

MARGIN_MS: Final = 1_000
"""A task that is over within this is not begun anything in."""
MOST: Final = 4_096
"""So many are held open; the one that was opened first is closed for another."""


def _whose(task: Task) -> tuple[str, str, str, str]:
    return task.agent, task.through, whole(task.initiator), task.purpose


class Tasks:
    """Finds and opens them."""

    def __init__(self, connection: Connection, orders: StandingOrders, store: Store, clock: Clock) -> None:
        self._connection = connection
        self._orders = orders
        self._store = store
        self._clock = clock
        self._held: OrderedDict[str, Task] = OrderedDict()
        self._opening = asyncio.Lock()

    async def of(self, who: Bearer) -> Task:
        """The task of `who` to ask in now. Raises what opening one raises: NotAllowed, NotFound, StoreErrors."""
        held = self._held.get(who.same)
        if held is not None and await self._counts(held):
            return held
        async with self._opening:
            held = self._held.get(who.same)
            if held is not None and await self._counts(held):
                return held
            if held is not None:
                await self._close(self._held.pop(who.same))
            task = await self._connection.opened(who.opening(self._clock.now()))
            self._held[who.same] = task
            while len(self._held) > MOST:
                await self._close(self._held.popitem(last=False)[1])
            return task

    async def named(self, name: str, who: Bearer) -> Task:
        """The open task `name`, which this process began for `who`, such as that of a session with tools. Raises NotFound for
        any other, in the same words whether there is one or not."""
        task = await self._store.get(Task, TaskId(name)) if is_id(name) else None
        # One program of an issuer's bears the tokens of many: whoever it works for has tasks of their own.
        own = task is not None and _whose(task) == (who.agent, who.through, whole(who.initiator), who.purpose)
        if task is None or not own or task.instance != self._connection.identity.thumbprint:
            raise NotFound(
                "there is no such task of yours here",
                next_step="leave `x-interlock-task` out, or give the task as an answer of this gateway gave it",
            )
        return task

    async def close(self) -> None:
        """Close all of them. One that cannot be closed now is over when its time is."""
        while self._held:
            await self._close(self._held.popitem()[1])

    async def _counts(self, task: Task) -> bool:
        if self._clock.now() + MARGIN_MS >= task.expires_at:
            return False
        standing = (await self._orders.refresh()).control.agents.get(task.agent)
        return standing is None or standing.release == task.release

    async def _close(self, task: Task) -> None:
        with suppress(InterlockError):
            await self._connection.closed(task, "")
