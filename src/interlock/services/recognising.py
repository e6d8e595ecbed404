"""A key that is borne as a text: looked for by it, and the day of its last use."""

import contextlib
from typing import TypeVar

from interlock.domain.change import Change
from interlock.domain.errors import Conflict, StoreError
from interlock.domain.secret_key import KeyForm, SecretKey, fits
from interlock.ports.store import Store
from interlock.services.saving import save

K = TypeVar("K", bound=SecretKey)


async def recognised(store: Store, kind: type[K], form: KeyForm, text: str, now: int) -> K | None:
    """The key that `text` is, over or not; None for what nobody made."""
    parts = form.split(text)
    key = await store.get(kind, parts[0]) if parts is not None else None
    if not fits(text if parts is None else parts[1], key) or key is None:
        return None
    used = key.used(now)
    if used.used_at != key.used_at and key.alive(now):
        # Once a day, and only if nobody else does: losing it loses a date.
        with contextlib.suppress(StoreError, Conflict):
            await save(store, Change(puts=(used,)))
    return key
