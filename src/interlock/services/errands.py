"""Requests of clients that come with a key, each carried out once, in all processes and after any crash.

That a request was carried out is remembered in the commit that carries it out: the first one with a fact that is made on its
behalf. *A crash before it leaves nothing, and the next one does it; a crash after it leaves both.* Whoever repeats it then is
told how things stand, not what was answered: answers hold what may have to be erased.
"""

from collections.abc import Generator
from contextlib import contextmanager

from interlock.domain.errand import Errand, Errands, slot_of
from interlock.domain.ids import Digest
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.services.saving import CARRIED, Carried


class Carrying:
    """Remembers and finds them."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find(self, name: Digest) -> Errand | None:
        """The request of that name, if it was carried out."""
        found = await self._store.get(Errands, slot_of(name))
        return None if found is None else found.find(name, self._clock.now())

    @contextmanager
    def out(self, name: Digest, asked: Digest) -> Generator[Carried]:
        """What is committed within is on behalf of this request. Whatever finds it carried out by somebody else meanwhile raises
        DoneBefore."""
        carried = Carried(Errand(name, asked, self._clock.now()))
        token = CARRIED.set(carried)
        try:
            yield carried
        finally:
            CARRIED.reset(token)
