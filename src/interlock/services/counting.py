"""What stands in the scope of a brake: looked up when somebody asks, never on the way of an action."""

from typing import Final

from interlock.domain.acting import Acting
from interlock.domain.action import Action, State
from interlock.domain.brakes import MOST_COUNTED, HeldBack
from interlock.domain.contract import Contract
from interlock.domain.control import Stop
from interlock.domain.ids import ContractName, TaskId
from interlock.domain.settlement import Timing
from interlock.domain.task import Task
from interlock.ports.clock import Clock
from interlock.ports.store import ActionQuery, Store
from interlock.services.cases import instance_of
from interlock.services.orders import Orders, StandingOrders

_OPEN: Final[tuple[State, ...]] = ("ready", "held", "preparing", "prepared", "aborting", "unknown")


class Counting:
    """Holds the actions and tasks that are open against the scope of a brake."""

    def __init__(self, store: Store, orders: StandingOrders, clock: Clock, timing: Timing) -> None:
        self._store = store
        self._orders = orders
        self._clock = clock
        self._timing = timing

    async def held_back(self, stop: Stop) -> HeldBack:
        """What is in the scope of `stop` now."""
        orders = await self._orders.refresh()
        tasks = _Tasks(self._store)
        counted = dict.fromkeys(_OPEN, 0)
        more = False
        for state in _OPEN:
            page = await self._store.actions(ActionQuery(states=(state,), undos=False, limit=MOST_COUNTED))
            more = more or len(page) == MOST_COUNTED
            counted[state] = len(await self._within(stop, orders, tasks, page))
        flying, lost = 0, 0
        now = self._clock.now()
        for action in await self._within(stop, orders, tasks, await self.dispatching()):
            flying, lost = (flying + 1, lost) if is_in_flight(action, now) else (flying, lost + 1)
        return HeldBack(
            waiting=counted["ready"],
            asking=counted["held"],
            between=counted["preparing"] + counted["prepared"] + counted["aborting"],
            in_flight=flying,
            unsettled=counted["unknown"] + lost,
            tasks=await self._tasks(stop, orders),
            more=more,
        )

    async def in_flight(self, stop: Stop) -> list[Action]:
        """The actions in the scope of `stop` that some process may be carrying out right now; undos are not among them."""
        orders, tasks, now = await self._orders.refresh(), _Tasks(self._store), self._clock.now()
        begun = await self.dispatching()
        begun += await self._store.actions(ActionQuery(states=("preparing",), undos=False, limit=MOST_COUNTED))
        return await self._within(stop, orders, tasks, [each for each in begun if is_in_flight(each, now)])

    async def dispatching(self) -> list[Action]:
        """The actions with an intent and no outcome, undos left out."""
        leases = [self._timing.lease(contract) for contract in await self._store.all(Contract, limit=MOST_COUNTED)]
        # Each falls due when its lease ends: whatever is due later waits for something else, and is not looked at.
        due_by = self._clock.now() + max(leases, default=0)
        return await self._store.actions(
            ActionQuery(states=("dispatching",), due_by=due_by, undos=False, limit=MOST_COUNTED)
        )

    # -- parts -------------------------------------------------------------------------------------------------

    async def _within(self, stop: Stop, orders: Orders, tasks: "_Tasks", actions: list[Action]) -> list[Action]:
        found: list[Action] = []
        for action in actions:
            task = await tasks.of(action.task)
            if task is not None and stop.covers(await self._acting(orders, task, action)):
                found.append(action)
        return found

    async def _acting(self, orders: Orders, task: Task, action: Action) -> Acting:
        contract = await self._orders.contract(action.contract_digest)
        return await self._orders.acting(orders, task, contract, instance_of(action))

    async def _tasks(self, stop: Stop, orders: Orders) -> int:
        """Open tasks whose agent may use something in the scope. Of an instance or a target there is nothing to tell: a
        task is no one's of them."""
        if stop.scope in ("instance", "target"):
            return 0
        now, found = self._clock.now(), 0
        contract = orders.contracts.get(ContractName(stop.name)) if stop.scope == "contract" else None
        for task in await self._store.all(Task, limit=MOST_COUNTED):
            if task.state != "open" or now >= task.expires_at:
                continue
            acting = await self._orders.acting(orders, task, contract)
            agent = orders.agents.get(task.agent)
            usable = contract is None or (agent is not None and contract.name in agent.capabilities)
            found += usable and stop.covers(acting)
        return found


def is_in_flight(action: Action, now: int) -> bool:
    """Whether the lease under which it was begun still runs: somebody may be at it."""
    return action.owner is not None and action.lease_until is not None and now < action.lease_until


class _Tasks:
    """Tasks, each read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[TaskId, Task | None] = {}

    async def of(self, name: TaskId) -> Task | None:
        if name not in self._known:
            self._known[name] = await self._store.get(Task, name)
        return self._known[name]
