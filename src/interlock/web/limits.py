"""How often may be asked: a bucket of tokens for each session, key or, of those who are nobody, address. Bounded memory.

Far above what a person asks; it is there so that nobody takes the time of all. Agents' programs count by their address: of many
behind one, `server.rate` in interlock.yaml says more.
"""

import math
from collections import OrderedDict
from typing import Any, Final

import anyio
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from interlock.domain.actor import Actor
from interlock.domain.refusals import TooMany
from interlock.web.browser import address_of

AT_ONCE: Final = 6
"""So many times what may come in a second may come at once."""
MOST: Final = 10_000
"""So many are remembered; whoever has asked nothing for longest is forgotten, and begins with a full bucket."""


class Limits:
    """The buckets. `per_s` and `at_once` are of each."""

    def __init__(self, *, per_s: float, at_once: float | None = None) -> None:
        self._per_s, self._at_once = per_s, AT_ONCE * per_s if at_once is None else at_once
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: str, now: float) -> None:
        """One token of `name`'s bucket, at `now` in seconds. Raises TooMany where there is none."""
        left, at = self._buckets.pop(name, (self._at_once, now))
        left = min(left + (now - at) * self._per_s, self._at_once)
        self._buckets[name] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        if left < 1:
            raise TooMany(math.ceil((1 - left) / self._per_s))


async def limited(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """One request more of whoever asks. Raises TooMany. Whether we live is answered to everybody, always."""
    if handler.opt.get("unlimited"):
        return
    actor: Actor | None = connection.user
    limits: Limits = connection.app.state.limits
    limits.take(
        f"address {address_of(connection)}" if actor is None else f"{actor.by} {actor.session}", anyio.current_time()
    )
