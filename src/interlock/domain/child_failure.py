"""A failure inside a task, as whoever leaves that task is told of it."""

import msgspec

from interlock.domain.ids import TaskId


class ChildFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A task inside another that failed."""

    task: TaskId
    agent: str
    purpose: str
    why: str
    """The name of what ended it; empty once that was erased."""

    def __str__(self) -> str:
        return f"task {self.task[-12:]} of `{self.agent}`" + (f": {self.why}" if self.why else "")
