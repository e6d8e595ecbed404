"""Saving, when the store itself may not know whether it saved."""

import logging

from interlock.domain.change import Change
from interlock.domain.control import Control
from interlock.domain.errors import StoreError, StoreUnsure
from interlock.ports.store import Store

_log = logging.getLogger("interlock.budgets")


async def save(store: Store, change: Change) -> None:
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
