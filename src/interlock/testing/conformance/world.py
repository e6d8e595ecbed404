"""Where a promise is kept or broken: one truth, and any number of handles on it as other processes would have them."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TypeAlias, TypeVar

from interlock.adapters.keys import Keys, fresh
from interlock.adapters.sealer import Author, LogSealer
from interlock.adapters.system import SystemIds
from interlock.domain.errors import InterlockError
from interlock.domain.ids import StreamId
from interlock.ports.log import Log
from interlock.ports.sealer import Sealer
from interlock.ports.store import Store

E = TypeVar("E", bound=InterlockError)


class Both(Store, Log, Protocol):
    """A store and the log it writes."""


Opener: TypeAlias = Callable[[Sealer], Awaitable[Both]]
"""Opens one more handle on the same truth, writing in the stream of this sealer."""


class World:
    """One truth. Close it when done."""

    def __init__(self, opener: Opener) -> None:
        self.ids = SystemIds()
        self.keys = Keys(log=fresh("log.example"), gate=fresh("log.example/gate"))
        self._opener = opener
        self._open: list[Both] = []

    async def open(self, keys: Keys | None = None, *, author: Author | None = None) -> Both:
        """Another process's handle, with a stream of its own, that tells of its run where there is an `author`."""
        sealer = LogSealer(keys or self.keys, StreamId(self.ids.new()), self.ids, author=author)
        store = await self._opener(sealer)
        self._open.append(store)
        return store

    async def close(self) -> None:
        """Close every handle."""
        for store in self._open:
            await store.close()


Promise: TypeAlias = Callable[[World], Awaitable[None]]


def expect(kept: bool, what: str) -> None:
    """Raise AssertionError, saying `what` should have held, unless it did. Works under `python -O` too."""
    if not kept:
        raise AssertionError(what)


@asynccontextmanager
async def refused(kind: type[E]) -> AsyncGenerator[list[E]]:
    """The block must raise `kind`, which is then in the list given."""
    caught: list[E] = []
    try:
        yield caught
    except kind as error:
        caught.append(error)
    expect(bool(caught), f"{kind.__name__} should have been raised")
