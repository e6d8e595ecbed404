"""A task with everything inside it, as somebody looks at it: the tree, and what happened when, on one axis."""

from typing import Final

import msgspec

from interlock.domain.action import Action
from interlock.domain.ids import TaskId
from interlock.domain.task import Task
from interlock.domain.use import Use
from interlock.domain.waterfall import Bar, bar_of, use_bar
from interlock.ports.store import ActionQuery
from interlock.services.budget_list import Took, took_of
from interlock.services.known_tasks import stored_task
from interlock.services.plane import ControlPlane
from interlock.services.task_list import Seen, seen

MOST_BARS: Final = 200
"""So many lines has a waterfall at most."""
MOST_TASKS: Final = 50
USES_LOOKED_AT: Final = 2_000
"""So many uses of models, the newest, are looked at for those of a task."""


class TaskTree(msgspec.Struct, frozen=True, kw_only=True):
    """One task, what it stands in, and what stands in it."""

    around: tuple[Task, ...]
    """The tasks it was opened within, the outermost first."""
    tasks: tuple[Seen, ...]
    """It, then everything opened inside it, each after the one it is in."""
    bars: tuple[Bar, ...]
    """By when each began, within each task."""
    took: tuple[Took, ...]
    """What models took in any of these tasks."""
    start: int
    """When the axis begins and ends, UTC ms."""
    end: int
    cut: bool
    """There is more of it than is shown."""


async def tree_of(plane: ControlPlane, task_id: TaskId) -> TaskTree:
    """The tree below `task_id`. Raises NotFound."""
    store, now = plane.means.store, plane.means.clock.now()
    root = await stored_task(store, task_id)
    below = await _in_order(plane, root)
    shown = below[:MOST_TASKS]
    uses = [each for each in await store.all(Use, limit=USES_LOOKED_AT) if each.task in {task.id for task in shown}]
    bars, cut = list[Bar](), len(below) > len(shown)
    for task in shown:
        depth = task.depth - root.depth
        inner = [bar_of(each, depth, now) for each in await _actions(plane, task.id)]
        inner += [use_bar(each, depth, now) for each in uses if each.task == task.id]
        inner.sort(key=lambda bar: (bar.start, bar.id))
        end = max((bar.end for bar in inner), default=task.opened_at)
        open_until = min(now, task.expires_at) if task.state == "open" else end
        bars.append(
            Bar(
                kind="task",
                id=task.id,
                name=task.agent,
                state=task.state,
                depth=depth,
                start=task.opened_at,
                end=max(open_until, end, task.opened_at),
            )
        )
        bars += inner
        if len(bars) > MOST_BARS:
            cut = True
            break
    bars = bars[:MOST_BARS]
    start = min(bar.start for bar in bars)
    return TaskTree(
        around=tuple([each for each in [await store.get(Task, name) for name in root.ancestors] if each is not None]),
        tasks=tuple([await seen(plane, each) for each in shown]),
        bars=tuple(bars),
        took=took_of(uses),
        start=start,
        end=max(*(bar.end for bar in bars), start + 1),
        cut=cut,
    )


async def _in_order(plane: ControlPlane, root: Task) -> list[Task]:
    """`root` and everything inside it, each right after the one it is in: as a tree is read."""
    inside: dict[TaskId | None, list[Task]] = {}
    for each in await plane.tasks.inside(root.id):
        inside.setdefault(each.parent, []).append(each)
    found, left = list[Task](), [root]
    while left:
        task = left.pop()
        found.append(task)
        left += reversed(inside.get(task.id, []))
    return found


async def _actions(plane: ControlPlane, task: TaskId) -> list[Action]:
    return await plane.means.store.actions(ActionQuery(task=task, oldest_first=True, limit=MOST_BARS))
