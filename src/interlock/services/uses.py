"""Uses of models: what each may take is reserved before the model is asked, and what it took is settled after.

1. Begun: through the same door as an action, in the task's bounds, under its budgets, with a model that the agent may run on.
   What it takes at most is reserved in the transaction that stores it and its entry; without that nothing may be asked.
2. Settled: what the program says it took is spent, the rest goes back. What is more than was reserved counts as well.
3. Given up: nobody said so in time. All that was reserved counts as used, for the model may have been asked and billed.

A crash after 1 leaves an open use, which a worker gives up when its time is over; after 2 or 3 nothing is left to be done.
"""

from typing import Final

import msgspec

from interlock.domain.budget import Draw, ended, settled, unit_of
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change, Unchanged, given
from interlock.domain.errors import (
    BudgetExceeded,
    Conflict,
    ContractError,
    CredentialStale,
    KeyReused,
    NotAllowed,
    NotFound,
)
from interlock.domain.evidence import Phase
from interlock.domain.ids import UseId, is_id
from interlock.domain.presented import SPENT, Spent
from interlock.domain.proposal import Proposal
from interlock.domain.relayed import Reply
from interlock.domain.task import Task
from interlock.domain.use import (
    Asked,
    Priced,
    TokenCount,
    Use,
    amounts,
    answered_fact,
    asked_fact,
    asked_of,
    refusal_fact,
    use_fact,
)
from interlock.ports.clock import Clock, Ids
from interlock.ports.prices import Prices
from interlock.ports.store import Store
from interlock.services.admission import Admitted, Door, let_in, of_another
from interlock.services.drawing import keys_of
from interlock.services.known_tasks import KnownTasks
from interlock.services.orders import Orders, StandingOrders
from interlock.services.saving import save
from interlock.services.use_bounds import Refused, UseBounds, refused

MAX_ROUNDS: Final = 20
"""How often a use is looked at again because the orders or its task changed meanwhile."""
AT_ONCE: Final = 100


class Uses:
    """Everything a program may do about uses, and what a worker does about those of programs that died."""

    def __init__(
        self, *, store: Store, orders: StandingOrders, clock: Clock, ids: Ids, door: Door, prices: Prices
    ) -> None:
        self._store = store
        self._tasks = KnownTasks(store)
        self._orders = orders
        self._clock = clock
        self._ids = ids
        self._door = door
        self._prices = prices
        self._bounds = UseBounds(store=store, orders=orders, clock=clock, prices=prices)

    async def begin(self, proposal: Proposal) -> Use:
        """Reserve what `proposal`, made of `Asked.arguments`, may take at most.

        Raises NotAllowed, BudgetExceeded, ContractError and StoreErrors: then the model must not be asked. CredentialStale when
        another release came into force meanwhile.
        """
        proposal = msgspec.structs.replace(proposal, task=await self._tasks.of(proposal.task))
        name = proposal.idempotency_key
        if name is not None and not is_id(name):
            raise ContractError("the key of a use is a UUID, as Interlock makes them", path="/idempotency_key")
        admitted = await let_in(proposal, self._door, self._orders)
        if isinstance(admitted, str):
            raise await self._refused(proposal.task, refused(admitted), ())
        asked = asked_of(proposal.arguments)
        task = proposal.task
        # What it reserved is no reason why it could not be begun.
        before = None if name is None else await self._store.get(Use, name)
        if before is not None:
            return await self._begun_before(before, asked, task, admitted)
        for round_ in range(MAX_ROUNDS):
            orders = await self._orders.current()
            code = self._door.standing(admitted, task.agent, orders.control) or of_another(task, admitted)
            if code == "credential_release" and round_:
                raise CredentialStale("another release came into force while this was looked at")
            refusal = (
                refused(code)
                if code is not None
                else await self._bounds.limit(asked.model, task, orders, admitted.caller, admitted.chain)
            )
            priced = None
            if refusal is None:
                priced, refusal = await self._bounds.priced(asked, task, orders)
            try:
                if refusal is not None:
                    # It leans on the orders like a beginning: what was lifted since would never be found out.
                    raise await self._refused(task, refusal, admitted.spent, given(orders.control))
                return await self._begun(UseId(name or self._ids.new()), asked, task, orders, admitted, priced)
            except BudgetExceeded as error:
                await self._refused(task, Refused("interlock.budget", error.detail), admitted.spent)
                raise
            except Conflict as conflict:
                if conflict.kind == SPENT:
                    raise await self._refused(task, refused("proof_replayed"), ()) from None
                if (conflict.kind, conflict.key) == (Use.kind, name):
                    return await self._begun_before(await self.of(UseId(conflict.key)), asked, task, admitted)
                await self._orders.refresh()
                task = await self._tasks.read(task.id)
        raise Conflict("the standing orders kept changing while this was looked at", kind="control", key="control")

    async def settle(
        self, name: UseId, used: TokenCount | None, *, spent: tuple[Spent, ...] = (), reply: Reply | None = None
    ) -> Use:
        """What the use took, as the program says, or None where nobody can say. Settled twice is settled once: the first counts.

        `spent` proved who says so; `reply` is what was answered to one that Interlock asked itself. Raises NotFound,
        Conflict where that was spent before, and StoreErrors, after which it is given up in time unless this is done again.
        """
        while True:
            use = await self.of(name)
            if use.state == "settled" or (use.state == "lost" and used is None):
                return use
            after, draws, phase, late = await self._after(use, used)
            said: dict[str, JsonValue] = {"late": True} if late else {}
            now = self._clock.now()
            if reply is None:
                fact = use_fact(after, phase, now, **said)
            else:
                after = msgspec.structs.replace(after, reply=reply.kept)
                fact = answered_fact(after, phase, reply, now, **said)
            try:
                await save(self._store, Change(puts=(after,), draws=draws, facts=(fact,), spent=spent))
            except Conflict as conflict:
                if conflict.kind != Use.kind:
                    raise
                continue  # somebody else says what it took, or gave it up
            return after.saved()

    async def must_go_on(self, name: UseId) -> None:
        """Raises NotAllowed and BudgetExceeded where a use that was begun may not go on: what would keep another from beginning
        keeps it from going on, but for what it reserved itself. StoreErrors where that cannot be seen."""
        use = await self.of(name)
        task = await self._tasks.read(use.task)
        await self._bounds.must_go_on(use, task)

    async def tend(self) -> int:
        """Give up the uses whose time is over. How many were looked at; a worker does it again while there are any."""
        due = await self._store.due(Use, now=self._clock.now(), limit=AT_ONCE)
        for use in due:
            await self.settle(use.id, None)
        return len(due)

    async def of(self, name: UseId) -> Use:
        """The use as it is stored now. Raises NotFound."""
        found = await self._store.get(Use, name)
        if found is None:
            raise NotFound(f"there is no use of a model `{name}`")
        return found

    # -- parts -------------------------------------------------------------------------------------------------

    async def _begun_before(self, found: Use, asked: Asked, task: Task, admitted: Admitted) -> Use:
        """The use of that key, which is this very one, asked for again because its answer was lost. Raises KeyReused."""
        if await self._store.spent(admitted.spent):
            raise await self._refused(task, refused("proof_replayed"), ())
        code = of_another(task, admitted)
        if code is not None:
            raise await self._refused(task, refused(code), ())
        if (found.task, found.model, found.most) != (task.id, asked.model, asked.tokens):
            raise KeyReused("the key belongs to another use of a model")
        return found

    async def _begun(
        self, name: UseId, asked: Asked, task: Task, orders: Orders, admitted: Admitted, priced: Priced | None
    ) -> Use:
        now = self._clock.now()
        cost = None if priced is None else priced.cost
        listed = "" if priced is None else priced.model
        draws = tuple(
            Draw(budget=key, move="reserve", amount=amount)
            for unit, amount in amounts(asked.model, listed, asked.tokens, cost).items()
            for key in keys_of(unit, task, orders, now)
        )
        use = Use(
            id=name,
            task=task.id,
            agent=task.agent,
            release=task.release,
            model=asked.model,
            most=asked.tokens,
            cost=cost,
            prices="" if priced is None else priced.by,
            listed=listed,
            reserved=draws,
            caller=admitted.caller,
            begun_at=now,
            due_at=now + asked.lasts_ms,
            route=None if asked.relayed is None else asked.relayed.route,
        )
        fact = use_fact(use, "opened", now) if asked.relayed is None else asked_fact(use, asked.relayed, now)
        change = Change(
            puts=(use,),
            given=(given(orders.control), given(task)),
            draws=draws,
            facts=(fact,),
            spent=admitted.spent,
        )
        await save(self._store, change)
        return use.saved()

    async def _after(self, use: Use, used: TokenCount | None) -> tuple[Use, tuple[Draw, ...], Phase, bool]:
        """The use once that is said, the draws that close it, and whether it was given up before."""
        now = self._clock.now()
        if used is None:
            lost = msgspec.structs.replace(use, state="lost", due_at=None, ended_at=now)
            return lost, ended(use.reserved, spent=True), "expired", False
        cost = use.cost if use.cost is None else await self._cost(use, used)
        actual = amounts(use.model, use.listed, used, cost)
        after = msgspec.structs.replace(use, state="settled", used=used, cost=cost, due_at=None, ended_at=now)
        if use.state == "open":
            return after, settled(use.reserved, actual), "settled", False
        counted = ((draw, actual.get(unit_of(draw.budget), 0) - draw.amount) for draw in use.reserved)
        more = tuple(Draw(budget=draw.budget, move="exceed", amount=over) for draw, over in counted if over > 0)
        return after, more, "settled", True

    async def _cost(self, use: Use, used: TokenCount) -> int | None:
        try:
            return (await self._prices.of(use.model, used)).cost
        except NotFound:
            return use.cost  # it had a price when it was begun: at most that

    async def _refused(self, task: Task, refusal: Refused, spent: tuple[Spent, ...], *leaning: Unchanged) -> NotAllowed:
        """Record that it was refused, and give the error that says why."""
        agent = {"id": task.agent, "release": task.release}
        fact = refusal_fact(UseId(self._ids.new()), agent, task.id, refusal.code, refusal.why, self._clock.now())
        await save(self._store, Change(facts=(fact,), spent=spent, given=leaning))
        return NotAllowed(refusal.why, next_step=refusal.next_step)
