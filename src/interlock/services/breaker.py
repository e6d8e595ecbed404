"""Circuit breakers, counted in the store: each answer in the commit that records it, so that processes count together."""

from typing import Final, NamedTuple

import msgspec

from interlock.domain.action import Action
from interlock.domain.breaker import Breaker, BreakerScope, answered, breaker_key, target_of, unclear
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.control import Control, Stop, words_of
from interlock.domain.evidence import Fact, at
from interlock.domain.ids import ActionId, BrakeId, ContractName
from interlock.domain.record import Record
from interlock.domain.recording import control_fact
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.orders import StandingOrders

BREAKER: Final = "interlock.breaker"


class Account(NamedTuple):
    """What must be true together with the record of an answer."""

    puts: tuple[Record, ...] = ()
    facts: tuple[Fact, ...] = ()


class _Answer(NamedTuple):
    contract: ContractName
    keys: tuple[tuple[BreakerScope, str], ...]
    why: str | None
    """None: the answer was clear."""


class Breakers:
    """Holds what was answered until it is recorded, and says what that means for the breakers."""

    def __init__(self, store: Store, orders: StandingOrders, clock: Clock, ids: Ids) -> None:
        self._ids = ids
        self._store = store
        self._orders = orders
        self._clock = clock
        self._owed: dict[ActionId, _Answer] = {}

    def heard(self, action: Action, contract: Contract, why: str | None) -> None:
        """The tool of `action` answered: clearly, or not, for the reason `why`. It counts with the next thing recorded of it."""
        keys: list[tuple[BreakerScope, str]] = [("contract", contract.name)]
        target = target_of(contract)
        if target:
            keys.append(("target", target))
        self._owed[action.id] = _Answer(contract.name, tuple(keys), why)

    def forget(self, action: ActionId) -> None:
        """It was recorded, or never will be by this process."""
        self._owed.pop(action, None)

    async def account(self, action: ActionId) -> Account:
        """What is to be stored together with whatever is recorded of `action` next. Read anew each time it is tried."""
        answer = self._owed.get(action)
        if answer is None:
            return Account()
        now, rows, moved = self._clock.now(), list[Record](), list[Breaker]()
        for scope, name in answer.keys:
            before = await self._store.get(Breaker, breaker_key(scope, name)) or Breaker(scope=scope, name=name)
            clear = answer.why is None
            after = answered(before, action) if clear else unclear(before, action, answer.contract, now)
            if after == before or (clear and not before.revision):
                continue
            rows.append(after)
            if after.until_at != before.until_at:
                moved.append(after)
        if not moved:
            return Account(tuple(rows))
        changed = await self._moved(moved, answer, now)
        return Account((*rows, *changed.puts), changed.facts)

    async def _moved(self, moved: list[Breaker], answer: _Answer, now: int) -> Account:
        """The standing orders with what `moved` opened or closed."""
        control: Control = (await self._orders.refresh()).control
        stops, words, said = control.stops, list[Record](), list[tuple[Breaker, Stop | None]]()
        for each in moved:
            stops = tuple(stop for stop in stops if not (stop.breaker and stop.is_on(each.scope, each.name)))
            stop = None
            if each.until_at is not None:
                stop = Stop(
                    scope=each.scope,
                    name=each.name,
                    words=BrakeId(self._ids.new()),
                    since_at=now,
                    until_at=each.until_at,
                    breaker=True,
                )
                stops = (*stops, stop)
                why = f"{each.failures} calls in a row gave no clear answer, the last: {answer.why}"
                words.append(words_of(stop, why=why, by=BREAKER))
            said.append((each, stop))
        after = msgspec.structs.replace(control, stops=stops)
        facts: list[Fact] = []
        for each, stop in said:
            body: dict[str, JsonValue] = {"scope": each.scope, "name": each.name}
            if stop is not None and stop.until_at is not None:
                body["until"] = at(stop.until_at)
            facts.append(control_fact(after, "resumed" if stop is None else "stopped", body, BREAKER, now))
        return Account((after, *words), tuple(facts))
