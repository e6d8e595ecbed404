"""Saving, when the store itself may not know whether it saved; and with it, on whose behalf, where that counts once."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import msgspec

from interlock.domain.change import Change
from interlock.domain.control import Control
from interlock.domain.errand import Errand, Errands, slot_of
from interlock.domain.errors import DoneBefore, StoreError, StoreUnsure
from interlock.ports.store import Store

_log = logging.getLogger("interlock.budgets")


class Carried:
    """A client's request that is being carried out."""

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        self.done = False
        """Whether that is remembered."""

    async def with_it(self, store: Store, change: Change) -> Change:
        """`change`, by which it is. Raises DoneBefore where somebody else carried it out meanwhile."""
        slot = slot_of(self.errand.name)
        before = await store.get(Errands, slot) or Errands(slot=slot)
        if before.find(self.errand.name, self.errand.at) is not None:
            raise DoneBefore("a request of yours with this key was carried out already")
        return msgspec.structs.replace(change, puts=(*change.puts, before.further(self.errand)))


# A context's own, not a parameter of every service: what is carried out says nothing of who carries a key to it.
CARRIED: Final = ContextVar[Carried | None]("carried", default=None)
"""On behalf of which request is saved what is saved now."""


@contextmanager
def beside_it() -> Generator[None]:
    """What is saved within is not what a request asked for but goes with its refusal, which leaves the request undone."""
    token = CARRIED.set(None)
    try:
        yield
    finally:
        CARRIED.reset(token)


async def save(store: Store, change: Change) -> None:
    """Commit `change`, and with the first that says something, that the request was carried out on whose behalf it is. See
    `_saved`."""
    carried = CARRIED.get()
    # Last among the records, of which the first tells whether all were stored.
    if carried is None or carried.done or not (change.facts and change.puts):
        await _saved(store, change)
        return
    await _saved(store, await carried.with_it(store, change))
    carried.done = True


async def _saved(store: Store, change: Change) -> None:
    """Commit `change`; when the store cannot say whether it did, read and find out. The notices it made are told to the program,
    as warnings of the logger `interlock.budgets`.

    All of a change is stored or none of it, so the first record tells for all. Raises what `Store.commit` raises;
    StoreUnsure only where reading does not tell either, which leaves the matter to recovery.
    """
    try:
        for notice in await store.commit(change):
            _log.warning("%s", notice, extra={"notice": notice})
    except StoreUnsure as unsure:
        if not change.puts:
            raise
        meant = change.puts[0].saved()
        try:
            found = await store.get(type(meant), meant.key)
        except StoreError:
            raise unsure from None
        if found == meant:
            return
        if found is not None and found.revision > meant.revision:
            # Somebody wrote since. An id is given once, so what stands under a new one is ours, gone on without us; what
            # was there before may have gone on from our writing or instead of it.
            if meant.revision == 1 and meant.kind != Control.kind:
                return
            raise
        raise StoreError("the store failed while committing, and nothing was stored", next_step="try again") from None
