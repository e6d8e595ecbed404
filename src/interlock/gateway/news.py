"""Telling clients that what they are offered changed: those that listed it, once what they would be given is another list."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final
from weakref import WeakKeyDictionary

import anyio
import mcp_types as types
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.shared.exceptions import MCPError

from interlock.domain.errors import InterlockError
from interlock.gateway.offers import Offered, Offers
from interlock.gateway.places import MOST_STREAMS, STREAMS_OF_ONE, Places
from interlock.gateway.work import Work
from interlock.ports.store import Store

_log = logging.getLogger("interlock.gateway")
_LOOK_MS: Final = 10_000
"""How long one wait for news lasts at most; news of any process ends it early."""
TAKES_S: Final = 5.0
"""Who takes no news for so long is told no more: all others wait behind it."""
_REST_S: Final = 0.2
"""However much is recorded, it is looked so often at most."""


class News:
    """Who is told of changes. Clients of the older versions hear it on their session, those of the newest on a stream they ask
    for."""

    def __init__(self, offers: Offers, store: Store, bus: InMemorySubscriptionBus) -> None:
        self._offers = offers
        self._store = store
        self._heard: WeakKeyDictionary[Work, tuple[ServerSession, Offered]] = WeakKeyDictionary()
        self._bus = bus
        self.listen = ListenHandler(bus, max_subscriptions=MOST_STREAMS, max_buffered_events=64)
        self._streams = Places(STREAMS_OF_ONE, MOST_STREAMS)

    @contextmanager
    def stream(self, work: Work) -> Generator[None]:
        """A place of a caller's for one more stream. Raises MCPError where there is none left."""
        place = self._streams.taken(work.caller.whose)
        if place is None:
            most = f"{self._streams.of_one} streams of yours, or too many of everybody's, are open"
            raise MCPError(types.INVALID_REQUEST, f"{most}: end some of them")
        try:
            yield
        finally:
            place.leave()

    def listed(self, work: Work, session: ServerSession, offered: Offered) -> None:
        """`work` was given `offered` on `session`."""
        self._heard[work] = (session, offered)

    async def run(self) -> None:
        """Look at the standing orders whenever something was recorded, until cancelled."""
        revision: int | None = None
        owed = False
        while True:
            try:
                if await self._store.changed(timeout_ms=_LOOK_MS) or revision is None or owed:
                    now = (await self._offers.now()).control.revision
                    owed = owed or (revision is not None and now != revision)
                    revision = now
                    if owed:
                        owed = not await self._tell()
            except InterlockError:
                # The store cannot be read now: who asks is told so, and nobody is told that anything changed.
                await anyio.sleep(_LOOK_MS / 1000)
            except Exception:  # noqa: BLE001  whatever it is, the gateway goes on, and whoever asks anew is answered
                _log.exception("a defect of Interlock, in looking for what changed")
                await anyio.sleep(_LOOK_MS / 1000)
            await anyio.sleep(_REST_S)

    async def _tell(self) -> bool:
        """Tell everybody whose list is another. Whether it is known of everybody."""
        known = True
        for work, (session, before) in list(self._heard.items()):
            task = work.held
            if task is None:
                continue
            try:
                now = await self._offers.of(task)
                if now.tools != before.tools:
                    with anyio.fail_after(TAKES_S):
                        await session.send_tool_list_changed()
                    self._heard[work] = (session, now)
            except InterlockError:
                known = False
            except Exception as error:  # noqa: BLE001  one that cannot be told is told no more, and keeps nobody from hearing
                _log.warning("a client cannot be told that its tools changed: %s: %s", type(error).__name__, error)
                self._heard.pop(work, None)
        await self._bus.publish(ToolsListChanged())
        return known
