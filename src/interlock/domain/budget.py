"""A budget: how much may still happen. What may be spent is reserved first, in the decision's own transaction."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Final, Literal, cast

import msgspec

from interlock.domain.duration import DAY, HOUR
from interlock.domain.errors import BudgetExceeded
from interlock.domain.evidence import at
from interlock.domain.record import Record

WALL: Final = "wall_ms"
"""The unit of time that actions take, in milliseconds."""
MONEY: Final = "USD.micro"
"""The unit in which uses of models are priced: millionths of a US dollar."""
DrawMove = Literal["reserve", "spend", "release", "exceed"]
Per = Literal["", "hour", "day", "release"]
"""What has a budget of its own: each hour or day of the calendar (UTC), each release of the agent. Empty: one for all time."""
_LASTS: Final = {"hour": HOUR, "day": DAY}


class Budget(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A limit on one unit within one scope. `limit`, `reserved` and `spent` are in that unit."""

    kind: ClassVar[str] = "budget"

    scope: str
    """`tenant`, `agent:pricing` or `task:<id>`."""
    unit: str
    """`calls`, or a currency whose minor units are counted: `EUR`; `records:<kind>`, `wall_ms`."""
    per: Per = ""
    since: str = ""
    """Which hour, day (UTC, `2026-11-22T14`, `2026-11-22`) or release it is the budget of. Empty where it has a `per`: then it
    only says how much each of them has, and nothing is drawn on it."""
    limit: int
    reserved: int = 0
    spent: int = 0
    within: tuple[str, ...] = ()
    """Keys of the wider budgets in which all of `limit` but what was `passed` is reserved: those of tasks around this one."""
    passed: int = 0
    """How much of `spent` was passed on to them as spent."""
    soft: int = 0
    """The share of the limit, per mille, from which on it is noticed; 0: never."""
    noticed: bool = False
    """Whether that share was reached. It is noticed once, until the limit is changed or the next hour or day begins."""

    @property
    def key(self) -> str:
        """Scope, unit and window."""
        key = budget_key(self.scope, self.written)
        return f"{key} {self.since}" if self.since else key

    @property
    def written(self) -> str:
        """Unit and window as limits name them: `EUR`, `EUR per day`."""
        return written(self.unit, self.per)

    @property
    def renews_at(self) -> int | None:
        """When the next one begins, UTC ms; None: it never fills up again."""
        if self.per not in _LASTS or not self.since:
            return None
        begins = datetime.fromisoformat(self.since if self.per == "day" else f"{self.since}:00").replace(tzinfo=UTC)
        return int(begins.timestamp()) * 1000 + _LASTS[self.per]

    @property
    def left(self) -> int:
        """What may still be reserved."""
        return max(self.limit - self.reserved - self.spent, 0)


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """One movement on one budget: reserve before, then spend or release what was reserved. `exceed` is what was spent beyond
    that: it happened, so it counts, and nothing new is let in until there is something left again."""

    budget: str
    move: DrawMove
    amount: int


def budget_key(scope: str, unit: str) -> str:
    """The key of the budget on `unit` in `scope`."""
    return f"{scope}/{unit}"


def written(unit: str, per: Per) -> str:
    """A limit's unit and window as one name, as budgets are filed and limits compared."""
    return f"{unit} per {per}" if per else unit


def read(name: str) -> tuple[str, Per]:
    """The unit and window of a name that `written` made."""
    unit, found, per = name.rpartition(" per ")
    return (unit, cast(Per, per)) if found else (name, "")


def windows(now: int, release: str) -> dict[Per, str]:
    """Which hour, day and release it is the time of."""
    moment = datetime.fromtimestamp(now // 1000, UTC).isoformat()
    return {"hour": moment[:13], "day": moment[:10], "release": release}


def unit_of(key: str) -> str:
    """The unit that the budget under `key` is of."""
    name = key.partition("/")[2]
    return read(name.rpartition(" ")[0] if name.count(" ") > 2 else name)[0]


def defined_by(key: str) -> str | None:
    """The key of the budget that says how much the window under `key` has; None for one that is no window."""
    name, found, _ = key.rpartition(" ")
    return name if found and " per " in name else None


def as_defined(window: Budget | None, definition: Budget, key: str) -> Budget:
    """The budget of a window as `definition` now has it, or a fresh one where nobody has drawn on it."""
    if window is None:
        return msgspec.structs.replace(definition, since=key.rpartition(" ")[2], revision=0)
    if (window.limit, window.soft) == (definition.limit, definition.soft):
        return window
    return msgspec.structs.replace(window, limit=definition.limit, soft=definition.soft, noticed=False)


def crossed(before: Budget | None, after: Budget) -> bool:
    """Whether the share from which on it is noticed was reached between the two."""
    return after.noticed and (before is None or not before.noticed)


def drawn(budget: Budget, draw: Draw) -> Budget:
    """The budget after `draw`. Raises BudgetExceeded when less is left than it would reserve."""
    after = _moved(budget, draw)
    over = after.soft > 0 and (after.reserved + after.spent) * 1000 >= after.soft * after.limit
    if not over or after.noticed or draw.move not in ("reserve", "exceed"):
        return after
    return msgspec.structs.replace(after, noticed=True)


def _moved(budget: Budget, draw: Draw) -> Budget:
    if draw.amount < 0:
        raise ValueError("a draw is never negative")
    match draw.move:
        case "reserve":
            if draw.amount > budget.left:
                renews_at = budget.renews_at
                until = "" if renews_at is None else f"; it renews at {at(renews_at)}"
                raise BudgetExceeded(
                    f"the budget of {budget.limit} {budget.written} for {budget.scope} has {budget.left} left, "
                    f"{draw.amount} is needed{until}",
                    scope=budget.scope,
                    unit=budget.unit,
                    left=budget.left,
                    renews_at=renews_at,
                )
            return msgspec.structs.replace(budget, reserved=budget.reserved + draw.amount)
        case "release":
            return msgspec.structs.replace(budget, reserved=budget.reserved - draw.amount)
        case "spend":
            return msgspec.structs.replace(
                budget, reserved=budget.reserved - draw.amount, spent=budget.spent + draw.amount
            )
        case "exceed":
            return msgspec.structs.replace(budget, spent=budget.spent + draw.amount)


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


def _passing(budget: Budget, kept: int) -> tuple[tuple[DrawMove, int], ...]:
    # Spent beyond its limit, it has used more than is reserved around it: nobody gave it that, and it counts there as well.
    over = max(kept - budget.limit, 0)
    return ("spend", budget.spent - budget.passed - over), ("exceed", over), ("release", budget.limit + over - kept)


def settled(reserved: tuple[Draw, ...], actual: Mapping[str, int]) -> tuple[Draw, ...]:
    """The draws that close `reserved` once it is known what was used of each unit: that much is spent, the rest given back, and
    what is more than was reserved counts as well."""
    closing: list[Draw] = []
    for draw in reserved:
        used = actual.get(unit_of(draw.budget), 0)
        spent = min(used, draw.amount)
        moves: tuple[tuple[DrawMove, int], ...] = (
            ("spend", spent),
            ("release", draw.amount - spent),
            ("exceed", used - spent),
        )
        closing += [Draw(budget=draw.budget, move=move, amount=amount) for move, amount in moves if amount]
    return tuple(closing)


def ended(reserved: tuple[Draw, ...], *, spent: bool, took_ms: int = 0) -> tuple[Draw, ...]:
    """The draws that close `reserved`, by what became of the action. Time is spent by what it took, done or not, and never
    more of it than was reserved: the timeout of its contract."""
    move: Literal["spend", "release"] = "spend" if spent else "release"
    closing: list[Draw] = []
    for draw in reserved:
        if unit_of(draw.budget) != WALL:
            closing.append(msgspec.structs.replace(draw, move=move))
            continue
        used = min(max(took_ms, 0), draw.amount)
        parts: tuple[tuple[Literal["spend", "release"], int], ...] = ("spend", used), ("release", draw.amount - used)
        closing += [Draw(budget=draw.budget, move=each, amount=amount) for each, amount in parts if amount]
    return tuple(closing)
