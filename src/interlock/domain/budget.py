"""A budget: how much may still happen. What may be spent is reserved first, in the decision's own transaction."""

from typing import ClassVar, Literal

import msgspec

from interlock.domain.errors import BudgetExceeded
from interlock.domain.record import Record


class Budget(Record, frozen=True, kw_only=True):
    """A limit on one unit within one scope. `limit`, `reserved` and `spent` are in that unit."""

    kind: ClassVar[str] = "budget"

    scope: str
    """`tenant`, `agent:pricing` or `task:<id>`."""
    unit: str
    """`calls`, or a currency whose minor units are counted: `EUR`."""
    limit: int
    reserved: int = 0
    spent: int = 0
    within: tuple[str, ...] = ()
    """Keys of the wider budgets in which all of `limit` but what was `passed` is reserved: those of tasks around this one."""
    passed: int = 0
    """How much of `spent` was passed on to them as spent."""

    @property
    def key(self) -> str:
        """Scope and unit."""
        return budget_key(self.scope, self.unit)

    @property
    def left(self) -> int:
        """What may still be reserved."""
        return self.limit - self.reserved - self.spent


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """One movement on one budget: reserve before, then spend or release what was reserved."""

    budget: str
    move: Literal["reserve", "spend", "release"]
    amount: int


def budget_key(scope: str, unit: str) -> str:
    """The key of the budget on `unit` in `scope`."""
    return f"{scope}/{unit}"


def drawn(budget: Budget, draw: Draw) -> Budget:
    """The budget after `draw`. Raises BudgetExceeded when less is left than it would reserve."""
    if draw.amount < 0:
        raise ValueError("a draw is never negative")
    match draw.move:
        case "reserve":
            if draw.amount > budget.left:
                raise BudgetExceeded(
                    f"the budget of {budget.limit} {budget.unit} for {budget.scope} has {budget.left} left, "
                    f"{draw.amount} is needed",
                    scope=budget.scope,
                    unit=budget.unit,
                    left=budget.left,
                )
            return msgspec.structs.replace(budget, reserved=budget.reserved + draw.amount)
        case "release":
            return msgspec.structs.replace(budget, reserved=budget.reserved - draw.amount)
        case "spend":
            return msgspec.structs.replace(
                budget, reserved=budget.reserved - draw.amount, spent=budget.spent + draw.amount
            )


def returned(budget: Budget) -> tuple[Budget, tuple[Draw, ...]]:
    """A budget that admits nothing new any more, cut to what it spent and what may still be spent, and the draws that pass the
    one on to the budgets around it and give what is left back to them.

    Done again when less is reserved, it gives the rest back; done twice, it does nothing.
    """
    kept = budget.spent + budget.reserved
    draws = tuple(
        Draw(budget=around, move=move, amount=amount)
        for around in budget.within
        for move, amount in _passing(budget, kept)
        if amount
    )
    return msgspec.structs.replace(budget, limit=kept, passed=budget.spent), draws


def _passing(budget: Budget, kept: int) -> tuple[tuple[Literal["spend", "release"], int], ...]:
    return ("spend", budget.spent - budget.passed), ("release", budget.limit - kept)


def ended(reserved: tuple[Draw, ...], *, spent: bool) -> tuple[Draw, ...]:
    """The draws that close `reserved`, by what became of the action."""
    move: Literal["spend", "release"] = "spend" if spent else "release"
    return tuple(msgspec.structs.replace(draw, move=move) for draw in reserved)
