"""Keeping what is read from the log at its head, beside whoever is served meanwhile: then no page waits for it.

It reads in small steps and rests between them. What goes wrong is tried again, and pages say how far was read.
"""

import logging
from typing import Final

import anyio

from interlock.domain.errors import InterlockError, StoreBusy
from interlock.ports.store import Store
from interlock.services.figures import Figures
from interlock.services.searching import Searching

_log = logging.getLogger("interlock.warming")

REST_MS: Final = 250
"""So long it waits at least between two looks: what happens meanwhile is read in one step."""
LOOK_MS: Final = 5_000
AGAIN_MS: Final = 2_000
"""How long it waits after something went wrong."""


class Warming:
    """For as long as somebody is served."""

    def __init__(self, *, store: Store, searching: Searching, figures: Figures) -> None:
        self._store = store
        self._searching = searching
        self._figures = figures

    async def run(self) -> None:
        """Go on until it is cancelled."""
        while True:
            ms = REST_MS if await self.once() else AGAIN_MS
            await anyio.sleep(ms / 1000)
            await self._store.changed(timeout_ms=LOOK_MS)

    async def once(self) -> bool:
        """Read on to the log's head. False where something went wrong, which is logged."""
        figures = await _read("figures", self._figures)
        return await _read("index", self._searching) and figures


async def _read(what: str, followed: Figures | Searching) -> bool:
    try:
        await followed.catch_up(gently=True)
    except StoreBusy:
        return False
    except InterlockError as error:
        _log.warning("the %s beside the store could not be read on: %s", what, error.code)
        return False
    return True
