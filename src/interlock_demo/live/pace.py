"""The live day's work: endless, slow enough to be watched, and with enough in it that people must decide on.

What is held is brought in only while few wait, so that an inbox nobody looks at does not grow for ever.
"""

import random
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

import interlock
from interlock_demo.agents import assistant, pricing, replenishment, support
from interlock_demo.agents.support import Case
from interlock_demo.agents.tally import Tally
from interlock_demo.door import Door
from interlock_demo.live.replies import doubt
from interlock_demo.queue import PACK, SLOW, cases_of, wish_of
from interlock_demo.world.db import reading
from interlock_demo.world.place import Place

Step = Callable[[Tally], None]
"""One piece of work of one agent, whose outcomes it counts."""
DEAR, ORDINARY = 60, 200
"""How many cases of either kind there are: a case is settled once."""
OTHERS = ("pricing", "assistant", "assistant", "replenishment")
"""Who works between two cases of the support agent: whose work has no end."""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What one step is, and whose."""

    agent: str
    step: Step


class Pace:
    """Gives one piece of work after the other; the same ones for the same number."""

    def __init__(self, lock: interlock.Client, door: Door, place: Place, manner: pricing.Manner, number: int) -> None:
        self._lock = lock
        self._door = door
        self._manner = manner
        self._chance = random.Random(number)  # noqa: S311  a shop, not a secret
        self._dear, self._ordinary = _pools(place, self._chance)
        self._count = self._doubts = 0
        with reading(place.shop_db) as conn:
            self._skus = [row[0] for row in conn.execute("SELECT sku FROM products ORDER BY sku")]
            self._slow = [row[0] for row in conn.execute(SLOW)]
            self._orders = [row[0] for row in conn.execute("SELECT order_id FROM orders ORDER BY order_id")]
            self._customers = [row[0] for row in conn.execute("SELECT customer_id FROM customers ORDER BY customer_id")]

    def dear(self) -> Work | None:
        """A case that a person will be asked about, or None where there is none any more."""
        return self._case(self._dear)

    def next(self) -> Work:
        """Something that most likely goes through by itself."""
        self._count += 1
        case = self._case(self._ordinary) if self._count % 3 == 0 else None
        return case or self._other(OTHERS[self._count % len(OTHERS)])

    def misread(self) -> Work:
        """An order of ten thousand pieces of a slow seller, as a price list says that means grams."""
        sku = self._chance.choice(self._slow)
        step = partial(replenishment.replenish, self._lock, sku)
        return Work(agent="replenishment", step=lambda tally: step(tally, {sku: PACK}))

    def doubt(self) -> Work:
        """Something that support cannot settle by itself."""
        number, self._doubts = self._doubts, self._doubts + 1
        step = partial(doubt, self._lock, number, self._chance.choice(self._orders))
        return Work(agent="support", step=step)

    def _case(self, cases: Iterator[Case]) -> Work | None:
        case = next(cases, None)
        return None if case is None else Work(agent="support", step=partial(support.settle, self._lock, case))

    def _other(self, agent: str) -> Work:
        sku = self._chance.choice(self._skus)
        match agent:
            case "pricing":
                step: Step = partial(pricing.review, self._lock, sku, self._manner)
            case "replenishment":
                step = partial(_replenish, self._lock, sku)
            case _:
                wish = wish_of(self._chance, self._chance.choice(self._customers), self._count)
                step = partial(assistant.serve, self._door, wish)
        return Work(agent=agent, step=step)


def _replenish(lock: interlock.Client, sku: str, tally: Tally) -> None:
    replenishment.replenish(lock, sku, tally, {})


def _pools(place: Place, chance: random.Random) -> tuple[Iterator[Case], Iterator[Case]]:
    """The dearest cases, of which some write a mail, which is a person's to allow as well; and others."""
    dear = cases_of(place, chance, ordinary=0, dear=DEAR)
    known = {case.order_id for case in dear}
    ordinary = (case for case in cases_of(place, chance, ordinary=ORDINARY, dear=DEAR) if case.order_id not in known)
    return (msgspec.structs.replace(case, writes=count % 4 == 0) for count, case in enumerate(dear)), ordinary
