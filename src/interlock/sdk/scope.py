"""From `with` to its end: a task is opened, taken over or accepted, is the current one inside, and is closed."""

import asyncio
import contextlib
from contextvars import Token
from types import TracebackType
from typing import TypeVar

import msgspec

from interlock.domain.child_failure import ChildFailure
from interlock.domain.errors import InterlockError, NotAllowed
from interlock.domain.task import Opening, Task
from interlock.sdk.children import named, told
from interlock.sdk.connection import Connection, Resuming
from interlock.sdk.handing import Tokens
from interlock.sdk.task import AsyncTask, Handle, SyncTask
from interlock.sdk.tool import CURRENT, Gated

H = TypeVar("H", bound=Handle)


class TaskScope:
    """`with` or `async with`: opens the task, makes it current for tools called inside, and closes it at the end."""

    def __init__(self, connection: Connection, opening: Opening | Resuming | str) -> None:
        self._connection = connection
        self._opening = opening
        """What is to be opened, or taken over; or the text by which it was handed on."""
        self._handle: Handle | None = None
        self._token: Token[Gated | None] | None = None
        self._around: Handle | None = None

    def __enter__(self) -> SyncTask:
        task, tokens = self._connection.home.block(self._begun, self._nested())
        return self._entered(SyncTask(self._connection, task, tokens))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        handle = self._left(error)
        try:
            overlooked = self._connection.home.block(self._closed, handle.task, named(kind))
        except InterlockError as failure:
            _beside(error, failure)
        else:
            told(error, overlooked)

    async def __aenter__(self) -> AsyncTask:
        task, tokens = await self._connection.home.run(self._begun, self._nested())
        return self._entered(AsyncTask(self._connection, task, tokens))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        handle = self._left(error)
        closing = self._connection.home.run(self._closed, handle.task, named(kind))
        try:
            # A cancelled program closes its tasks all the same.
            overlooked = await asyncio.shield(closing)
        except InterlockError as failure:
            _beside(error, failure)
        else:
            told(error, overlooked)

    async def _begun(self, opening: Opening | Resuming | str) -> tuple[Task, Tokens | None]:
        if isinstance(opening, str):
            return await self._connection.accepted(opening)
        if isinstance(opening, Resuming):
            return await self._connection.resumed(opening), None
        shows = None if self._around is None else self._around.shows
        return await self._connection.opened(opening), shows

    async def _closed(self, task: Task, failure: str) -> tuple[ChildFailure, ...]:
        await self._connection.closed(task, failure)
        return await self._connection.failures(task)

    def _nested(self) -> Opening | Resuming | str:
        """A task opened inside another is its child, unless that is of the process that forked this one. One that was handed on
        stands where its token says."""
        if self._handle is not None:
            raise NotAllowed("this task is open already", next_step="ask the client for another: `client.task(...)`")
        around = CURRENT.get()
        if isinstance(around, Handle) and isinstance(self._opening, Opening) and not around.connection.home.forked:
            self._around = around
            return msgspec.structs.replace(self._opening, parent=around.task)
        return self._opening

    def _entered(self, handle: H) -> H:
        self._handle, self._token = handle, CURRENT.set(handle)
        return handle

    def _left(self, error: BaseException | None) -> Handle:
        handle, token = self._handle, self._token
        if handle is None or token is None:
            raise NotAllowed("this task is not open", next_step="enter it with `with` or `async with`")
        if error is not None and self._around is not None:
            self._around.raised.add(handle.task.id)
        self._handle = self._token = self._around = None
        with contextlib.suppress(ValueError):
            # Left in another context than it was entered in, as test fixtures do: there it is not current.
            CURRENT.reset(token)
        return handle


def _beside(error: BaseException | None, failure: InterlockError) -> None:
    """Raise `failure` to close a task, or mention it beside the error that is on its way already."""
    if error is None:
        raise failure
    error.add_note(f"its task could not be closed, and will expire: {failure}")
