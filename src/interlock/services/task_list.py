"""Tasks as somebody looks at them: how each stands, what is left of its budgets, how many actions it has."""

from typing import Final, Literal

import msgspec

from interlock.domain.action import MEANING, SETTLED, State
from interlock.domain.budget import Budget, budget_key
from interlock.domain.cursor import no_cursor
from interlock.domain.ids import TaskId
from interlock.domain.task import Task
from interlock.ports.store import ActionQuery
from interlock.services.plane import ControlPlane

LOOKED_AT: Final = 2_000
"""So many tasks are looked at for one page."""
READ: Final = 500
"""So many of them at once."""

LONGEST_CURSOR: Final = 64

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
    """One page of a list of tasks, newest first."""

    tasks: tuple[Seen, ...]
    next: str
    """The cursor of the next page, or nothing where this is the last. A page may be short, or empty, and not be the last: where
    few of those that were looked at are meant."""


async def tasks_there(
    plane: ControlPlane, *, everything: bool, limit: int, agent: str = "", cursor: str = ""
) -> Listed:
    """The open tasks, or with `everything` all of them. Raises ContractError for what is no cursor, and StoreError."""
    if len(cursor) > LONGEST_CURSOR or not cursor.isascii():
        raise no_cursor()
    now, found, looked = plane.means.clock.now(), list[Task](), 0
    while looked < LOOKED_AT:
        read = await plane.means.store.all(Task, limit=READ, before=cursor)
        for each in read:
            if agent in ("", each.agent) and (everything or standing(each, now) in ("open", "closing")):
                if len(found) == limit:
                    return await _page(plane, found, cursor)
                found.append(each)
            cursor = each.id
        looked += len(read)
        if len(read) < READ:
            return await _page(plane, found, "")
    return await _page(plane, found, cursor)


async def _page(plane: ControlPlane, found: list[Task], cursor: str) -> Listed:
    return Listed(tasks=tuple([await seen(plane, each) for each in found]), next=cursor)


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
