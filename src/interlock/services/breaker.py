"""The circuit breaker of a tool: after several ambiguous answers in a row it is left alone for a while.

Counting is this process's own; opening is a brake in the standing orders with an end, so that every process heeds it.
When the pause is over the next call is the trial: if it fails too, the brake comes back at once.
"""

import msgspec

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.control import Stop, words_of
from interlock.domain.errors import Conflict, StoreError
from interlock.domain.evidence import at
from interlock.domain.ids import BrakeId, ContractName
from interlock.domain.recording import control_fact
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

BREAKER = "interlock.breaker"
THRESHOLD = 10
PAUSE_MS = 30_000


class Breaker:
    """Counts what this process sees, and pulls the brake for all."""

    def __init__(self, store: Store, orders: StandingOrders, clock: Clock, ids: Ids) -> None:
        self._ids = ids
        self._store = store
        self._orders = orders
        self._clock = clock
        self._failures: dict[ContractName, int] = {}

    def worked(self, contract: ContractName) -> None:
        """A call gave a clear answer: the count begins anew."""
        self._failures.pop(contract, None)

    async def failed(self, action: Action, why: str) -> None:
        """A call gave no clear answer. The tenth in a row stops the contract for half a minute."""
        count = self._failures.get(action.contract, 0) + 1
        self._failures[action.contract] = count
        if count < THRESHOLD:
            return
        now = self._clock.now()
        try:
            control = (await self._orders.refresh()).control
        except StoreError:
            return
        stop = Stop(
            scope="contract",
            name=action.contract,
            words=BrakeId(self._ids.new()),
            since_at=now,
            until_at=now + PAUSE_MS,
        )
        kept = tuple(each for each in control.stops if each.until_at is None or each.until_at > now)
        after = msgspec.structs.replace(control, stops=(*kept, stop))
        self._failures[action.contract] = THRESHOLD - 1
        body: dict[str, JsonValue] = {"scope": stop.scope, "name": stop.name, "until": at(now + PAUSE_MS)}
        fact = control_fact(after, "stopped", body, BREAKER, now)
        said = f"{count} calls in a row gave no clear answer, the last: {why}"
        try:
            await save(self._store, Change(puts=(after, words_of(stop, why=said, by=BREAKER)), facts=(fact,)))
            await self._orders.refresh()
        except (Conflict, StoreError):
            # Somebody else changed the orders, or the store is in trouble: the next failure pulls it. What the tool
            # answered is recorded in any case.
            return
