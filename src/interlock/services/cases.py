"""Putting a stored action before the policies again: what it leans on, read from the store."""

from interlock.domain.action import Action
from interlock.domain.agent import Agent
from interlock.domain.errors import IntegrityError
from interlock.domain.task import Task
from interlock.ports.store import Store
from interlock.services.deciding import Case
from interlock.services.known_tasks import stored_task
from interlock.services.orders import Orders, StandingOrders


class Cases:
    """Reads what belongs to an action."""

    def __init__(self, store: Store, orders: StandingOrders) -> None:
        self._store = store
        self._orders = orders

    async def of(self, action: Action, orders: Orders) -> Case:
        """`action` as a case under `orders`."""
        undoing = None
        if action.undoes is not None:
            undoing = await self._orders.contract((await self._stored(action.undoes)).contract_digest)
        return Case(
            id=action.id,
            contract=await self._orders.contract(action.contract_digest),
            arguments=action.arguments,
            task=await self.task(action),
            agent=await self.agent(action, orders),
            idempotency_key=action.idempotency_key,
            confidence=action.confidence,
            undoing=undoing,
            instance=instance_of(action),
            unusual=action.asked.unusual if action.asked is not None else (),
        )

    async def task(self, action: Action) -> Task:
        """The task the action belongs to, as it stands now."""
        return await stored_task(self._store, action.task)

    async def is_undone(self, task: Task) -> bool:
        """Whether `task` is being undone, or one that it is in."""
        around = [await self._store.get(Task, each) for each in task.ancestors]
        return any(each is not None and each.state == "closing" for each in (task, *around))

    async def agent(self, action: Action, orders: Orders) -> Agent:
        """The agent as it is in force, or as the action's release had it if it is in force no more."""
        found = orders.agents.get(action.agent)
        return found or await self._orders.agent((await self._orders.release(action.release)).agent_digest)

    async def _stored(self, action_id: str) -> Action:
        found = await self._store.get(Action, action_id)
        if found is None:
            raise IntegrityError(f"action {action_id} is named as undone, but is not stored")
        return found


def instance_of(action: Action) -> str:
    """The process that asked for `action`, by the thumbprint of its key; empty where none is known."""
    return action.asked.instance if action.asked is not None else ""
