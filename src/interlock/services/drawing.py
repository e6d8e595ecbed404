"""What an action reserves: one call, and its cost, from every budget that applies to it."""

from collections.abc import Iterator

from interlock.domain.action import Action
from interlock.domain.agent import Runtime
from interlock.domain.budget import WALL, Draw, budget_key, windows, written
from interlock.domain.canonical import JsonValue, encode
from interlock.domain.contract import Contract
from interlock.domain.errors import ContractError
from interlock.domain.rate import Count, Rate
from interlock.domain.selector import touched
from interlock.domain.task import Task, task_key
from interlock.domain.unwind import resolve
from interlock.services.orders import Orders


def draws_of(action: Action, contract: Contract, task: Task, orders: Orders, now: int) -> tuple[Draw, ...]:
    """The reservations of `action` at `now`. An undo costs nothing.

    Raises ContractError when what it costs does not come out as a number of units: then it is refused, not free.
    """
    if action.undoes is not None:
        return ()
    return tuple(
        Draw(budget=key, move="reserve", amount=amount)
        for unit, amount in (amounts_of(action.arguments, contract) | counted(action.arguments, contract)).items()
        for key in keys_of(unit, task, orders, now)
    )


def counts_of(contract: Contract, task: Task, runtime: Runtime, orders: Orders, now: int) -> tuple[Count, ...]:
    """The rates that a call of `contract` at `now` must fit into."""
    found: list[tuple[str, Rate]] = []
    if runtime.rate is not None:
        found.append((f"agent:{task.agent}", runtime.rate))
    if contract.rate is not None:
        found.append((f"contract:{contract.name}", contract.rate))
    rates = orders.control.rates
    if rates:
        agent = orders.agents.get(task.agent)
        tags = () if agent is None else agent.tags
        found += [(scope, rates[scope]) for scope in ("tenant", *(f"tag:{tag}" for tag in tags)) if scope in rates]
    return tuple([Count(scope=scope, rate=rate, at=now) for scope, rate in found])


def counted(arguments: dict[str, JsonValue], contract: Contract) -> dict[str, int]:
    """What it touches and how long it may take, for the budgets that count that: records by kind, and milliseconds."""
    found = {f"records:{kind}": _how_many(value) for kind, value in touched(contract, arguments).items()}
    return {unit: many for unit, many in found.items() if many} | {WALL: contract.timeout_ms}


def _how_many(value: JsonValue) -> int:
    """Of a list each of its values once."""
    if isinstance(value, list):
        return len({encode(each) for each in value})
    return 0 if value is None else 1


def amounts_of(arguments: dict[str, JsonValue], contract: Contract) -> dict[str, int]:
    """What doing this would take, by unit. Raises ContractError as `draws_of` does."""
    return {"calls": 1} | _cost(arguments, contract)


def keys_of(unit: str, task: Task, orders: Orders, now: int) -> tuple[str, ...]:
    """The budgets on `unit` that apply to `task`, the widest first; of those of tasks the one it draws on."""
    return (*_wide(unit, task, orders, now), *(task_key(each, unit) for each in reversed(task.pays(unit))))


def _wide(unit: str, task: Task, orders: Orders, now: int) -> Iterator[str]:
    """Those of the tenant and of the agent: for all time, and of this hour, day and release."""
    known = orders.control.budgets
    for scope in ("tenant", f"agent:{task.agent}"):
        key = budget_key(scope, unit)
        if key in known:
            yield key
        if any(each.startswith(f"{key} per ") for each in known):
            for per, since in windows(now, task.release).items():
                if (window := budget_key(scope, written(unit, per))) in known:
                    yield f"{window} {since}"


def _cost(arguments: dict[str, JsonValue], contract: Contract) -> dict[str, int]:
    if contract.cost is None:
        return {}
    sources: dict[str, JsonValue] = {"$args": arguments}
    amount, unit = resolve(contract.cost.amount, sources), resolve(contract.cost.unit, sources)
    if isinstance(amount, bool) or not isinstance(amount, int) or amount < 0:
        raise ContractError("its cost does not come out as a number of units")
    if not isinstance(unit, str) or unit.split() != [unit]:
        # With more than one word it could be the name of what a day or an hour has.
        raise ContractError("the unit of its cost does not come out as one word")
    return {unit: amount} if amount else {}
