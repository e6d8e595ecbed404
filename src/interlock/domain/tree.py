"""Closing a task with everything inside it: who ends, and what goes back to whom.

All of it is one change, so a closed task never has an open one inside. What may still be spent (actions that wait, or of which
nobody knows) stays reserved all the way up, until it ends too and the same rules are applied once more.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from interlock.domain.budget import Budget, Draw, drawn, returned
from interlock.domain.duration import SECOND
from interlock.domain.family import Family
from interlock.domain.ids import TaskId
from interlock.domain.record import Record
from interlock.domain.task import Task, task_key

AGAIN_MS: Final = 10 * SECOND
"""How long it takes at most until a worker looks again at a closed task in which something may still be spent."""
CHILDREN_FAILED: Final = "ChildrenFailed"
"""How a task failed of which a child failed without anybody looking."""


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A task of a tree with what belongs to it. `budgets` are its own where something around it is drawn on for them."""

    task: Task
    family: Family | None = None
    budgets: tuple[Budget, ...] = ()


class Felled(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes true when the top of some branches is closed."""

    tasks: tuple[Task, ...]
    """The tasks as they are then, the top first; also those that were closed before."""
    puts: tuple[Record, ...]
    draws: tuple[Draw, ...]
    """On the budgets around the top."""


class _Felling:
    def __init__(self, branches: Sequence[Branch], outer: Family | None) -> None:
        self.before = {each.key: each for branch in branches for each in branch.budgets}
        self.budgets = dict(self.before)
        self.families = {each.family.task: each.family for each in branches if each.family is not None}
        if outer is not None:
            self.families[outer.task] = outer
        self.known = dict(self.families)
        self.draws: list[Draw] = []

    def give_back(self, branch: Branch) -> bool:
        """Pass on what was spent and give back what is left. Whether nothing is reserved for the task any more."""
        for each in branch.budgets:
            if each.within:
                self.budgets[each.key], draws = returned(self.budgets[each.key])
                for draw in draws:
                    self.draw(draw)
        family = self.families.get(branch.task.id)
        kept = any(self.budgets[each.key].reserved for each in branch.budgets if each.within)
        return not kept and (family is None or not family.members)

    def draw(self, draw: Draw) -> None:
        if draw.budget in self.budgets:
            self.budgets[draw.budget] = drawn(self.budgets[draw.budget], draw)
        else:
            self.draws.append(draw)

    def leave(self, task: Task, *, settled: bool, failed: bool) -> None:
        """Tell the family of the task around it."""
        family = None if task.parent is None else self.families.get(task.parent)
        if family is not None:
            self.families[family.task] = family.ended(task.id, settled=settled, failed=failed)

    def changed(self) -> tuple[Record, ...]:
        families = [each for key, each in self.families.items() if each != self.known[key]]
        budgets = [each for key, each in self.budgets.items() if each != self.before[key]]
        return (*families, *budgets)


def felled(branches: Sequence[Branch], outer: Family | None, now: int, *, failure: str = "") -> Felled:
    """Close the first of `branches` with all the others, which are inside it, each after the one it is in.

    `outer` is the family of the task around the first; `failure` names what ended the first, where that was a failure. Of a task
    that is closed already only what is left is given back.
    """
    felling = _Felling(branches, outer)
    after: dict[TaskId, Task] = {}
    for branch in reversed(branches):
        task = branch.task
        settled = felling.give_back(branch)
        due_at = None if settled else now + AGAIN_MS
        if task.state == "closed":
            after[task.id] = msgspec.structs.replace(task, due_at=due_at)
            felling.leave(task, settled=settled, failed=False)
            continue
        family = felling.families.get(task.id)
        below = family is not None and bool(family.failed or family.more)
        why = (failure if task is branches[0].task else "") or (CHILDREN_FAILED if below else "")
        after[task.id] = msgspec.structs.replace(task, state="closed", due_at=due_at, failed=bool(why), failure=why)
        felling.leave(task, settled=settled, failed=bool(why))
    tasks = tuple(after[branch.task.id] for branch in branches)
    changed = tuple(each for branch, each in zip(branches, tasks, strict=True) if each != branch.task)
    return Felled(tasks=tasks, puts=(*changed, *felling.changed()), draws=tuple(felling.draws))


def drawn_on(task: Task) -> tuple[str, ...]:
    """The keys of the budgets that must be known to close `task`: its own, where it is within another."""
    return tuple(task_key(task.id, unit) for unit in task.budgets) if task.parent is not None else ()
