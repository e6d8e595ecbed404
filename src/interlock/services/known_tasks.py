"""Tasks as they are stored, whatever a caller says of them: it names one, and everything else of it is read.

A commit that leans on a task holds only if that is still at the revision it was read at, so what is kept here is never wrong for
long, and no action costs a read but the first in its task.
"""

from typing import Final

from interlock.domain.errors import NotFound
from interlock.domain.ids import TaskId
from interlock.domain.task import Task
from interlock.ports.store import Store

MOST_KEPT: Final = 4096


async def stored_task(store: Store, name: TaskId) -> Task:
    """The task as it is stored now. Raises NotFound."""
    found = await store.get(Task, name)
    if found is None:
        raise NotFound(f"there is no task `{name}`", next_step="list them: `interlock tasks --all`")
    return found


class KnownTasks:
    """Reads each task once in each revision."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[TaskId, Task] = {}

    async def of(self, said: Task) -> Task:
        """The task that `said` names, at its revision or a later one. Raises NotFound."""
        known = self._known.get(said.id)
        return await self.read(said.id) if known is None or known.revision < said.revision else known

    async def read(self, name: TaskId) -> Task:
        """The task as it is stored now. Raises NotFound."""
        found = await stored_task(self._store, name)
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[name] = found
        return found
