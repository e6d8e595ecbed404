"""Tasks as somebody looks at them: how each stands, what is left of its budgets, how many actions it has."""

from typing import Final, Literal

import msgspec

from interlock.domain.action import MEANING, SETTLED, State
from interlock.domain.budget import Budget, budget_key
from interlock.domain.ids import TaskId
from interlock.domain.task import Task
from interlock.ports.store import ActionQuery
from interlock.services.plane import ControlPlane

LOOKED_AT: Final = 10_000
"""So many tasks, the newest, are looked at for a list."""

_UNSETTLED: Final[tuple[State, ...]] = tuple(state for state in MEANING if state not in SETTLED)

Standing = Literal["open", "expired", "closing", "closed"]
"""`expired`: nobody closed it, and its time is over."""


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What may still be reserved of one budget of a task, of how much, in `unit`."""

    unit: str
    left: int
    limit: int


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One task and what belongs to it."""

    task: Task
    standing: Standing
    budgets: tuple[Left, ...]
    actions: int
    waiting: int
    """Actions of it that are not settled: they go on when it is closed."""
    within: tuple[TaskId, ...] = ()
    """Tasks that were opened within it and are open: it closes them. Only where one task is looked at."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of tasks shows, newest first."""

    tasks: tuple[Seen, ...]
    more: int
    """How many there are that it does not show."""
    older: bool
    """Whether there are tasks beyond those that were looked at."""


async def tasks_there(
    plane: ControlPlane, *, everything: bool, limit: int, agent: str = "", among: int = LOOKED_AT
) -> Listed:
    """The open tasks, or with `everything` all of them, `among` the newest so many. Raises StoreError."""
    read = await plane.means.store.all(Task, limit=among + 1)
    now = plane.means.clock.now()
    found = [
        each
        for each in read[:among]
        if agent in ("", each.agent) and (everything or standing(each, now) in ("open", "closing"))
    ]
    shown = [await seen(plane, each) for each in found[:limit]]
    return Listed(tasks=tuple(shown), more=len(found) - len(shown), older=len(read) > among)


async def seen(plane: ControlPlane, task: Task, *, inside: bool = False) -> Seen:
    """`task` with what belongs to it; with `inside` the open tasks within it, too."""
    store, now = plane.means.store, plane.means.clock.now()
    budgets = [await store.get(Budget, budget_key(f"task:{task.id}", unit)) for unit in sorted(task.budgets)]
    others = await plane.tasks.inside(task.id) if inside else []
    return Seen(
        task=task,
        standing=standing(task, now),
        budgets=tuple(Left(unit=each.unit, left=each.left, limit=each.limit) for each in budgets if each is not None),
        actions=await store.count(ActionQuery(task=task.id)),
        waiting=await store.count(ActionQuery(task=task.id, states=_UNSETTLED)),
        within=tuple(each.id for each in others if standing(each, now) == "open"),
    )


def standing(task: Task, now: int) -> Standing:
    """How it stands at `now`, UTC ms."""
    return "expired" if task.state == "open" and now >= task.expires_at else task.state
