"""Budgets and uses of models as somebody looks at them: what is left, when it renews, what was noticed, what models took."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from interlock.domain.budget import Budget, Per, as_defined, windows
from interlock.domain.control import Control
from interlock.domain.ids import AgentName, TaskId
from interlock.domain.notice import Notice
from interlock.domain.use import Use
from interlock.services.plane import ControlPlane

LOOKED_AT: Final = 10_000
"""So many uses, the newest, are looked at for a list."""


class Stood(msgspec.Struct, frozen=True, kw_only=True):
    """One budget as it stands: of those that renew the one of this hour, day or release."""

    scope: str
    unit: str
    per: Per
    since: str
    limit: int
    reserved: int
    spent: int
    left: int
    renews_at: int | None
    soft: int
    noticed: bool


class Budgets(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of budgets shows."""

    budgets: tuple[Stood, ...]
    notices: tuple[Notice, ...]
    """The newest first."""


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """What uses of one model by one agent took together. What is open counts with what it may take at most."""

    agent: AgentName
    model: str
    uses: int
    input: int
    output: int
    cached: int
    cost: int | None
    """In `USD.micro`; None where the price of none of them is known."""
    open: int
    lost: int


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of uses shows, newest first, and what they took together."""

    uses: tuple[Use, ...]
    took: tuple[Took, ...]
    more: int
    older: bool
    """Whether there are uses beyond those that were looked at."""


async def budgets_there(plane: ControlPlane, *, limit: int) -> Budgets:
    """The budgets of the tenant and of agents, and the newest notices. Raises StoreError."""
    store, now = plane.means.store, plane.means.clock.now()
    control = (await plane.orders.refresh()).control
    found: list[Stood] = []
    for key in control.budgets:
        definition = await store.get(Budget, key)
        if definition is None:
            continue
        for window in _windows(definition, control, now):
            stored = await store.get(Budget, window)
            found.append(_stood(definition if window == key else as_defined(stored, definition, window)))
    return Budgets(budgets=tuple(found), notices=tuple(await store.all(Notice, limit=limit)))


async def used(plane: ControlPlane, *, agent: str, task: TaskId | None, limit: int) -> Used:
    """The newest uses of models, of one agent or in one task if that is asked. Raises StoreError."""
    read = await plane.means.store.all(Use, limit=LOOKED_AT + 1)
    wanted = [each for each in read[:LOOKED_AT] if agent in ("", each.agent) and (task is None or each.task == task)]
    return Used(
        uses=tuple(wanted[:limit]),
        took=took_of(wanted),
        more=max(len(wanted) - limit, 0),
        older=len(read) > LOOKED_AT,
    )


def took_of(uses: Sequence[Use]) -> tuple[Took, ...]:
    """What `uses` took together, by agent and model."""
    pairs = dict.fromkeys((each.agent, each.model) for each in uses)
    return tuple(_took([each for each in uses if (each.agent, each.model) == pair]) for pair in sorted(pairs))


def _windows(definition: Budget, control: Control, now: int) -> Iterator[str]:
    if not definition.per:
        yield definition.key
        return
    scope, _, name = definition.scope.partition(":")
    standing = {agent: each.release for agent, each in control.agents.items() if scope == "tenant" or agent == name}
    for since in dict.fromkeys(windows(now, release)[definition.per] for release in standing.values()):
        yield f"{definition.key} {since}"


def _stood(budget: Budget) -> Stood:
    return Stood(
        scope=budget.scope,
        unit=budget.unit,
        per=budget.per,
        since=budget.since,
        limit=budget.limit,
        reserved=budget.reserved,
        spent=budget.spent,
        left=budget.left,
        renews_at=budget.renews_at,
        soft=budget.soft,
        noticed=budget.noticed,
    )


def _took(uses: list[Use]) -> Took:
    tokens = [each.most if each.used is None else each.used for each in uses]
    costs = [each.cost for each in uses if each.cost is not None]
    return Took(
        agent=uses[0].agent,
        model=uses[0].model,
        uses=len(uses),
        input=sum(each.input for each in tokens),
        output=sum(each.output for each in tokens),
        cached=sum(each.cached for each in tokens),
        cost=sum(costs) if costs else None,
        open=sum(each.state == "open" for each in uses),
        lost=sum(each.state == "lost" for each in uses),
    )
