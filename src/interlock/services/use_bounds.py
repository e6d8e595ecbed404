"""What bounds uses of models: asked before one begins, and, of one that Interlock asks itself, again while the model writes."""

from typing import Final, NamedTuple

from interlock.domain.budget import MONEY, Budget, as_defined, defined_by
from interlock.domain.chain import Chain
from interlock.domain.control import HOLDS, REFUSES, StopMode
from interlock.domain.errors import BudgetExceeded, NotAllowed, NotFound
from interlock.domain.presented import REFUSALS, Caller, Code
from interlock.domain.task import Task
from interlock.domain.use import MODEL_USE, Asked, Priced, Use, not_among
from interlock.ports.clock import Clock
from interlock.ports.prices import Prices
from interlock.ports.store import Store
from interlock.services.admission import words
from interlock.services.drawing import keys_of
from interlock.services.orders import Orders, StandingOrders

_ENDS: Final[frozenset[StopMode]] = frozenset({"stop"})
"""The modes of brakes that end what goes on."""
_OVER: Final = "its time is over, and it was given up"


class Refused(NamedTuple):
    """Why a use may not be, by code and in words."""

    code: str
    why: str
    next_step: str | None = None


def refused(code: Code) -> Refused:
    """A refusal at the door. Nothing of what was presented stands in it."""
    return Refused(f"interlock.{code}", words(code), REFUSALS[code].next)


class UseBounds:
    """Asks for all of them."""

    def __init__(self, *, store: Store, orders: StandingOrders, clock: Clock, prices: Prices) -> None:
        self._store = store
        self._orders = orders
        self._clock = clock
        self._prices = prices

    async def limit(
        self,
        model: str,
        task: Task,
        orders: Orders,
        caller: Caller | None,
        chain: Chain | None = None,
        modes: frozenset[StopMode] = REFUSES | HOLDS,
    ) -> Refused | None:
        """Why no model may be asked in this task, or not this one; None: it may. `modes` are the brakes that count."""
        now = self._clock.now()
        state = orders.control.state_of(task.agent)
        if state != "active":
            return Refused("interlock.limit", f"agent `{task.agent}` is {state}")
        taken = await self._orders.revoked(orders, task, caller, chain)
        if taken is not None:
            return Refused("interlock.revoked", await self._orders.taken(taken), "have the work given out anew")
        acting = await self._orders.acting(orders, task, None, "" if caller is None else caller.instance)
        # A pause holds what is to be dispatched, and this is: there is nothing that could wait instead of the program.
        stop = orders.control.stopped(acting, now, modes=modes)
        if stop is not None:
            return Refused("interlock.limit", await self._orders.stopped(stop))
        refusal = task.refusal(MODEL_USE, now)
        if refusal is not None:
            return Refused("interlock.limit", refusal)
        # Both what it was opened under and what is in force now: what was taken away is gone for what runs, too.
        release = await self._orders.release(task.release)
        files = [await self._orders.agent(release.agent_digest)]
        files += [orders.agents[task.agent]] if task.agent in orders.agents else []
        why = not_among(model, tuple(files))
        if why is not None:
            return Refused("interlock.model", why, f"see `runtime: {{models}}` in the file of `{task.agent}`")
        return None

    async def priced(self, asked: Asked, task: Task, orders: Orders) -> tuple[Priced | None, Refused | None]:
        """What it costs at most; where that is not known and a budget of money holds, why it may not begin."""
        try:
            return await self._prices.of(asked.model, asked.tokens), None
        except NotFound as error:
            keys = keys_of(MONEY, task, orders, self._clock.now())
            if not keys:
                return None, None
            why = f"{error.detail}, and the budget of {MONEY} for {keys[0].partition('/')[0]} limits what it may cost"
            return None, Refused("interlock.price", why, error.next_step)

    async def must_go_on(self, use: Use, task: Task) -> None:
        """Raises NotAllowed and BudgetExceeded where `use`, which was begun in `task`, may not go on; StoreErrors where that
        cannot be seen."""
        if use.state != "open":
            raise NotAllowed(_OVER, next_step="ask for less at once")
        orders = await self._orders.refresh()
        # What is drained finishes, and a pause holds what has not begun.
        refusal = await self.limit(use.model, task, orders, use.caller, modes=_ENDS)
        if refusal is not None:
            raise NotAllowed(refusal.why, next_step=refusal.next_step)
        # What it takes at most is reserved, so no other use takes that away. Who lowers a budget below what is spent does, and
        # so do uses that took more than was reserved for them.
        for draw in use.reserved:
            budget = await self._budget(draw.budget)
            if budget is not None and budget.spent >= budget.limit:
                raise BudgetExceeded(
                    f"the budget of {budget.limit} {budget.written} for {budget.scope} is used up",
                    scope=budget.scope,
                    unit=budget.unit,
                    left=0,
                    renews_at=budget.renews_at,
                )

    async def _budget(self, key: str) -> Budget | None:
        """The budget under `key`, as large as it is now."""
        found = await self._store.get(Budget, key)
        definition = defined_by(key)
        said = None if definition is None else await self._store.get(Budget, definition)
        return found if said is None else as_defined(found, said, key)
