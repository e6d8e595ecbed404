"""Uses of models that Interlock asks itself: begun as the program that this is, through the door that all uses come through, and
settled with what was seen of the answer. Whoever is cancelled meanwhile is waited for: nothing is left half said.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

import anyio
import anyio.lowlevel

from interlock.domain.errors import InterlockError, StoreError
from interlock.domain.relayed import Reply
from interlock.domain.task import Task
from interlock.domain.use import Asked, TokenCount, Use
from interlock.sdk.connection import Connection
from interlock.services.uses import Uses

TRIES: Final = 3
_PAUSE_S: Final = 0.1
_UNSENT: Final = Reply(counted="nothing", why="not_sent")
R = TypeVar("R")


class Metering:
    """Begins and settles them."""

    def __init__(self, connection: Connection, uses: Uses) -> None:
        self._connection = connection
        self._uses = uses

    async def begin(self, task: Task, asked: Asked) -> Use:
        """Reserve what `asked` may take at most in `task`. Raises NotAllowed, BudgetExceeded, ContractError and StoreErrors: then
        nobody is asked. Cancelled, it gives back what it reserved."""
        begun: list[Use] = []

        async def begin() -> None:
            begun.append(await self._connection.use(task, None, asked))

        try:
            await _to_its_end(begin())
        except asyncio.CancelledError:
            for use in begun:
                with suppress(InterlockError):
                    await _to_its_end(self._settled(use, TokenCount(input=0, output=0), _UNSENT))
            raise
        return begun[0]

    async def settle(self, use: Use, used: TokenCount | None, reply: Reply) -> None:
        """What it took; None: all that was reserved. Raises StoreErrors, after which a worker gives it up in time."""
        await _to_its_end(self._settled(use, used, reply))

    async def _settled(self, use: Use, used: TokenCount | None, reply: Reply) -> None:
        for tried in range(1, TRIES + 1):
            try:
                await self._uses.settle(use.id, used, reply=reply)
                return
            except StoreError:
                # Settled twice is settled once.
                if tried == TRIES:
                    raise
                await anyio.sleep(_PAUSE_S)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Wait for `work`, whoever is cancelled, in whatever way; raise that only afterwards."""
    doing = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    with anyio.CancelScope(shield=True):
        while not doing.done():
            try:
                await asyncio.shield(doing)
            except asyncio.CancelledError as error:
                if doing.cancelled():
                    raise
                cancelled = error
            except InterlockError:
                break
    doing.result()
    if cancelled is not None:
        raise cancelled
    await anyio.lowlevel.checkpoint_if_cancelled()
