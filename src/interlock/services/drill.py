"""Drills: how long it takes until nothing in a scope is dispatching any more, in any process, found out by stopping it.

1. The brake is pulled, with an end of its own, in one commit with the record of the drill. 2. What is under way in its scope
is waited for. 3. The brake is lifted, in one commit with what was measured and the entry that says so. Whoever dies between 1
and 3 leaves a brake that ends by itself; a worker then takes it out of the standing orders and says so in the log.
"""

from collections.abc import Sequence
from typing import Final

import anyio
import msgspec

from interlock.domain.action import Action
from interlock.domain.brakes import HeldBack
from interlock.domain.canonical import JsonValue
from interlock.domain.control import StopScope, words_of
from interlock.domain.drill import Drill, Seen, measured, seen, told_of
from interlock.domain.errors import Conflict, NotAllowed
from interlock.domain.whose import OURS
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.services.braking import Braking, told
from interlock.services.counting import Counting
from interlock.services.orders import StandingOrders

WITHIN_MS: Final = 30_000
"""How long a drill waits for what is under way, unless said."""
MARGIN_MS: Final = 5_000
"""So much longer its brake holds if nobody lifts it."""
POLL_MS: Final = 100
MOST: Final = 1_000
"""How many past drills are listed."""
DIED: Final = "interlock.drill"
"""Who lifts the brake of a drill that died."""


class Drills:
    """Runs drills, and ends those that died."""

    def __init__(
        self, *, store: Store, orders: StandingOrders, braking: Braking, counting: Counting, clock: Clock
    ) -> None:
        self._store = store
        self._orders = orders
        self._braking = braking
        self._counting = counting
        self._clock = clock

    async def dry(self, scope: StopScope, name: str = "") -> HeldBack:
        """What a brake on that scope would hold back now. Nothing is stopped. Raises NotFound as `Braking.stop`."""
        await self._braking.must_exist(scope, name)
        return await self._counting.held_back(self._braking.made(scope, name, mode="stop"))

    async def run(
        self, scope: StopScope, name: str = "", *, by: str, why: str = "", within_ms: int = WITHIN_MS
    ) -> Drill:
        """Stop that scope for real, wait until nothing in it is dispatching, at most `within_ms`, and lift the brake.

        Raises NotAllowed and NotFound as `Braking.stop` does.
        """
        if by.startswith(OURS):
            raise NotAllowed(f"`{by}`: such names are of rules of the gate", next_step="say who you are: `--as NAME`")
        await self._braking.must_exist(scope, name)
        drill = await self._pulled(scope, name, by=by, why=why or "a drill", within_ms=within_ms)
        calls: list[Seen] | None = None
        try:
            calls = await self._watched(drill, within_ms)
        finally:
            # Cancelled or broken, the brake goes all the same.
            with anyio.CancelScope(shield=True):
                drill = await self._ended(drill, calls, by)
        return drill

    async def past(self) -> list[Drill]:
        """Every drill there was, newest first; one that runs still is among them."""
        return await self._store.all(Drill, limit=MOST)

    async def tend(self) -> list[Drill]:
        """End the drills whose brakes are over and that nobody ended. Gives those."""
        control, now = (await self._orders.refresh()).control, self._clock.now()
        over = [each for each in control.stops if each.drill and each.until_at is not None and each.until_at <= now]
        ended: list[Drill] = []
        for stop in over:
            drill = await self._store.get(Drill, stop.words)
            if drill is not None and drill.state == "running":
                ended.append(await self._ended(drill, None, DIED))
        return ended

    # -- parts -------------------------------------------------------------------------------------------------

    async def _pulled(self, scope: StopScope, name: str, *, by: str, why: str, within_ms: int) -> Drill:
        """1. From here on nothing in its scope is dispatched."""
        until = self._clock.now() + within_ms + MARGIN_MS
        stop = self._braking.made(scope, name, mode="stop", until_at=until, drill=True)
        words = words_of(stop, why=why, by=by, who=name if scope == "user" else "")
        drill = Drill(id=stop.words, stop=stop)
        while True:
            control = (await self._orders.refresh()).control
            after = msgspec.structs.replace(control, stops=(*control.stops, stop))
            if await self._braking.swap(after, "stopped", told(stop), by, words, drill):
                return msgspec.structs.replace(drill.saved(), pulled_at=self._clock.now())

    async def _watched(self, drill: Drill, within_ms: int) -> list[Seen]:
        """2. What became of every call that was under way, as soon as none is, or when the time is over."""
        pulled = drill.pulled_at or 0
        under_way = await self._counting.in_flight(drill.stop)
        while True:
            now = self._clock.now()
            calls = [seen(each, await self._store.get(Action, each.id), now) for each in under_way]
            if all(each.ended_at is not None for each in calls) or now >= pulled + within_ms:
                return calls
            await self._store.changed(timeout_ms=POLL_MS)

    async def _ended(self, drill: Drill, calls: Sequence[Seen] | None, by: str) -> Drill:
        """3. The brake is lifted, and what was measured is on record. Without `calls` it was cut short."""
        waiting = (await self._counting.held_back(drill.stop)).waiting
        while True:
            control, now = (await self._orders.refresh()).control, self._clock.now()
            stops = tuple(each for each in control.stops if each.words != drill.id)
            there = len(stops) < len(control.stops)
            after = measured(drill, calls or (), waiting, now)
            if calls is None or not there:
                after = msgspec.structs.replace(after, state="cut short", ended_ms=None)
            body: dict[str, JsonValue] = {**told(drill.stop), "drill": told_of(after)}
            if await self._braking.swap(msgspec.structs.replace(control, stops=stops), "drill", body, by, after):
                return after.saved()
            stored = await self._store.get(Drill, drill.id)
            if stored is None:
                raise Conflict("the drill is not stored any more", kind=Drill.kind, key=drill.id)
            if stored.state != "running":
                # A worker, or a clock that was ahead, ended it before us.
                return stored
