"""A caller's work: the task in which everything it asks for happens, opened when it is first needed and closed at the end.

One session of a client has one task. A task is over when its time is, and counts no more once another release of its agent is in
force: then the next call is in another, which is on record like the first.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from interlock.domain.action import Action
from interlock.domain.bounds import beyond
from interlock.domain.errors import InterlockError, NotAllowed, NotFound
from interlock.domain.ids import ActionId, AgentName, is_id
from interlock.domain.task import Opening, Task
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.ports.upstream import Heard, Upstreams
from interlock.sdk.connection import Connection, Resuming
from interlock.sdk.framework_call import Governor
from interlock.sdk.outcomes import Held, Outcome
from interlock.sdk.task import AsyncTask
from interlock.services.orders import StandingOrders

MARGIN_MS: Final = 1_000
"""A task that is over within this is not begun anything in."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who works, for whom and for what, as somebody who may say so said it: never the client itself."""

    agent: AgentName
    opening: Callable[[], Opening]
    """What its next task is opened with."""
    whose: str = ""
    """Alike for all that share the bounds on how much is under way: who bears the same. Empty: there is one alone."""


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What works share."""

    connection: Connection
    orders: StandingOrders
    store: Store
    clock: Clock
    upstreams: Upstreams
    ears: Callable[["Work"], Heard]
    """Makes what hears servers for a work."""


class Work:
    """The tasks of one caller, one at a time."""

    def __init__(self, caller: Caller, means: Means) -> None:
        self.caller = caller
        self._means = means
        self._opening = asyncio.Lock()
        self._task: AsyncTask | None = None
        self._closed = False
        self.heard = means.ears(self)
        self._governor: tuple[AsyncTask, Governor] | None = None

    @property
    def held(self) -> Task | None:
        """The task that was last worked in, if it is not closed."""
        return None if self._task is None else self._task.task

    async def task(self) -> AsyncTask:
        """The task to work in now. Raises what opening one raises: NotAllowed, NotFound."""
        async with self._opening:
            if self._closed:
                raise NotAllowed("this session is over", next_step="begin another")
            held = self._task
            if held is not None and await self._counts(held.task):
                return held
            if held is not None:
                await self._close(held)
            self._task = None
            task = await self._means.connection.opened(self.caller.opening())
            self._task = AsyncTask(self._means.connection, task)
            self._means.upstreams.follow(task.id, self.heard)
            return self._task

    def new(self) -> str:
        """An identifier that nobody else has."""
        return self._means.connection.identity.new()

    def governor(self, task: AsyncTask, patience_ms: int) -> Governor:
        """What takes the gateway's own functions through the gate in `task`: asked again, what waits is the same action."""
        if self._governor is None or self._governor[0] is not task:
            self._governor = (task, Governor(task, hold="tell", patience_ms=patience_ms))
        return self._governor[1]

    async def action(self, name: ActionId) -> Action | None:
        """An action of this caller's as it stands; None for what is not theirs."""
        held, found = self.held, await self._means.store.get(Action, name)
        return found if held is not None and found is not None and await self._is_theirs(found, held) else None

    async def ticket(self, name: str, wait_ms: int) -> tuple[Action, Outcome]:
        """What became of an action of this caller's, waited for at most `wait_ms`, also one of a task that another process began
        and did not end: that is taken over. Raises NotFound for what is not the caller's, in the same words as for what is not
        there, and NotAllowed."""
        task = (await self.task()).task
        found = await self._means.store.get(Action, name) if is_id(name) else None
        if found is None or found.withheld or not await self._is_theirs(found, task):
            raise NotFound(
                f"there is no ticket `{name[:64]}` of yours", next_step="give the ticket as a call of yours gave it"
            )
        ticket = self._means.connection.ticket(ActionId(name), None, task.agent)
        try:
            outcome = await ticket.wait_async(timeout_ms=wait_ms)
        except NotAllowed:
            await self._means.connection.resumed(Resuming(found.task, task.agent))
            outcome = await ticket.wait_async(timeout_ms=wait_ms)
        return await self._means.store.get(Action, name) or found, outcome

    async def answer(self, name: str, text: str, question: int | None) -> tuple[Action, Outcome]:
        """Answer what a reviewer asked about an action of this caller's; it waits on. Raises as `ticket` does, and what an answer
        raises."""
        action, outcome = await self.ticket(name, 0)
        begun = await self._means.store.get(Task, action.task)
        if begun is None:
            raise NotFound(f"the task of `{name[:64]}` is not there any more", next_step="nothing; nobody can answer")
        about: Held | str = outcome if isinstance(outcome, Held) else name
        try:
            outcome = await AsyncTask(self._means.connection, begun).answer(about, text, question=question)
        except NotAllowed:
            # Another process began the task, and ended: one that was killed is taken over from, one that closed it is not.
            if self._task is not None and self._task.id == begun.id:
                raise
            if begun.state != "open":
                raise NotAllowed(
                    "the session that made this call is over, and nobody answers in its place",
                    next_step="wait for what becomes of it; a reviewer who needs to know rejects it and says so",
                ) from None
            resumed = await self._means.connection.resumed(Resuming(begun.id, begun.agent))
            outcome = await AsyncTask(self._means.connection, resumed).answer(about, text, question=question)
        return await self._means.store.get(Action, name) or action, outcome

    async def close(self) -> None:
        """Close the task. Idempotent. One that cannot be closed now is over when its time is."""
        async with self._opening:
            self._closed = True
            if self._task is not None:
                await self._close(self._task)
            self._task = None

    async def _counts(self, task: Task) -> bool:
        if self._means.clock.now() + MARGIN_MS >= task.expires_at:
            return False
        standing = (await self._means.orders.refresh()).control.agents.get(task.agent)
        return standing is None or standing.release == task.release

    async def stored(self, name: str) -> Action | None:
        """An action as it stands, whosever it is."""
        return await self._means.store.get(Action, name)

    async def _is_theirs(self, action: Action, task: Task) -> bool:
        """Whether an action is of the caller who works in `task`: of the same agent, for the same initiator, come by the same key
        or the same program of an issuer's, and one that the task might do itself."""
        if action.agent != task.agent or action.initiator != task.initiator:
            return False
        if action.task == task.id:
            return True
        begun = await self._means.store.get(Task, action.task)
        if begun is None or begun.through != task.through:
            return False
        if not action.contract_digest:
            return True  # it was refused before anything was known of it
        contract = await self._means.orders.contract(action.contract_digest)
        return contract.name not in task.prohibited and beyond(task, contract, action.arguments, None) is None

    async def _close(self, held: AsyncTask) -> None:
        await self._means.upstreams.leave(held.task.id)
        try:
            await self._means.connection.closed(held.task, "")
        except InterlockError:
            # Over already, taken over, or the store is gone: whoever looks at the task sees which.
            return
