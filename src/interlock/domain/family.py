"""A family: the tasks right inside one task, as far as that one still has to do with them.

Beside the task and not in it, so that opening a child is no news to whoever acts in the parent at the same moment.
"""

from typing import ClassVar, Final

import msgspec

from interlock.domain.ids import TaskId
from interlock.domain.record import Record

MOST_NAMED: Final = 64
"""So many failed tasks are kept by name until somebody looks; further ones are counted."""


class Family(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The children of one task. A task that never had any has no family."""

    kind: ClassVar[str] = "family"

    task: TaskId
    open: tuple[TaskId, ...] = ()
    unsettled: tuple[TaskId, ...] = ()
    """Closed, while something in them may still be spent of what was reserved for them."""
    failed: tuple[TaskId, ...] = ()
    """Ended by a failure that nobody has looked at."""
    more: int = 0
    """How many failed beside those."""

    @property
    def key(self) -> str:
        """Filed by the task they are in."""
        return self.task

    @property
    def members(self) -> tuple[TaskId, ...]:
        """Those with which there is still something to do."""
        return (*self.open, *self.unsettled)

    def joined(self, child: TaskId) -> "Family":
        """With one more that is open."""
        return msgspec.structs.replace(self, open=(*self.open, child))

    def ended(self, child: TaskId, *, settled: bool, failed: bool) -> "Family":
        """Once `child` is closed: `settled` if nothing is reserved for it any more, `failed` if that is news."""
        others = tuple(each for each in self.unsettled if each != child)
        named = failed and child not in self.failed and len(self.failed) < MOST_NAMED
        return msgspec.structs.replace(
            self,
            open=tuple(each for each in self.open if each != child),
            unsettled=others if settled else (*others, child),
            failed=(*self.failed, child) if named else self.failed,
            more=self.more + (failed and not named and child not in self.failed),
        )

    def looked_at(self, children: frozenset[TaskId] | None) -> "Family":
        """Once somebody looked at the failures of `children`, or of all."""
        if children is None:
            return msgspec.structs.replace(self, failed=(), more=0)
        return msgspec.structs.replace(self, failed=tuple(each for each in self.failed if each not in children))
