"""Saving, when the store itself may not know whether it saved."""

from typing import TypeVar

from interlock.domain.change import Change
from interlock.domain.errors import StoreError, StoreUnsure
from interlock.domain.record import Record
from interlock.ports.store import Store

R = TypeVar("R", bound=Record)


async def save(store: Store, change: Change) -> None:
    """Commit `change`; when the store cannot say whether it did, read and find out.

    All of a change is stored or none of it, so the first record tells for all. Raises what `Store.commit` raises;
    StoreUnsure only if the store cannot even be read, which leaves the matter to recovery.
    """
    try:
        await store.commit(change)
    except StoreUnsure:
        if not change.puts:
            raise
        meant = change.puts[0].saved()
        if await store.get(type(meant), meant.key) != meant:
            raise StoreError(
                "the store failed while committing, and nothing was stored", next_step="try again"
            ) from None
