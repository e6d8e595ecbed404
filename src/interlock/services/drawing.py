"""What an action reserves: one call, and its cost, from every budget that applies to it."""

from interlock.domain.action import Action
from interlock.domain.budget import Draw, budget_key
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.errors import ContractError
from interlock.domain.task import Task, task_key
from interlock.domain.unwind import resolve
from interlock.services.orders import Orders


def draws_of(action: Action, contract: Contract, task: Task, orders: Orders) -> tuple[Draw, ...]:
    """The reservations of `action`. An undo costs nothing.

    Raises ContractError when what it costs does not come out as a number of units: then it is refused, not free.
    """
    if action.undoes is not None:
        return ()
    return tuple(
        Draw(budget=key, move="reserve", amount=amount)
        for unit, amount in amounts_of(action.arguments, contract).items()
        for key in keys_of(unit, task, orders)
    )


def amounts_of(arguments: dict[str, JsonValue], contract: Contract) -> dict[str, int]:
    """What doing this would take, by unit. Raises ContractError as `draws_of` does."""
    return {"calls": 1} | _cost(arguments, contract)


def keys_of(unit: str, task: Task, orders: Orders) -> tuple[str, ...]:
    """The budgets on `unit` that apply to `task`, the widest first; of those of tasks the one it draws on."""
    wide = (key for key in (budget_key("tenant", unit), budget_key(f"agent:{task.agent}", unit)))
    return (
        *(key for key in wide if key in orders.control.budgets),
        *(task_key(each, unit) for each in reversed(task.pays(unit))),
    )


def _cost(arguments: dict[str, JsonValue], contract: Contract) -> dict[str, int]:
    if contract.cost is None:
        return {}
    sources: dict[str, JsonValue] = {"$args": arguments}
    amount, unit = resolve(contract.cost.amount, sources), resolve(contract.cost.unit, sources)
    if isinstance(amount, bool) or not isinstance(amount, int) or amount < 0:
        raise ContractError("its cost does not come out as a number of units")
    if not isinstance(unit, str) or not unit:
        raise ContractError("the unit of its cost does not come out as text")
    return {unit: amount} if amount else {}
