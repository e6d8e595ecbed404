"""A task: one piece of work for one initiator. Everything an agent does, it does inside a task."""

from typing import ClassVar, Literal

import msgspec

from interlock.domain.ids import AgentName, ContractName, Digest, TaskId
from interlock.domain.record import Record, Withheld

TaskState = Literal["open", "closing", "closed"]
"""`closing`: no new action, waiting ones are voided, what is in flight is undone when it lands."""


class Task(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The bounds within which an agent acts."""

    kind: ClassVar[str] = "task"

    id: TaskId
    agent: AgentName
    release: Digest
    purpose: str
    initiator: str
    """On whose behalf: `user:ana`, `system:nightly`. Chosen by the program that opens the task, never by the model."""
    opened_at: int
    expires_at: int
    state: TaskState = "open"
    prohibited: tuple[ContractName, ...] = ()
    budgets: dict[str, int] = {}
    depth: int = 0
    parent: TaskId | None = None
    ancestors: tuple[TaskId, ...] = ()
    """The tasks it was opened within, the outermost first; its parent is the last."""
    run: str = ""
    plan: str = ""
    withheld: Withheld = ""
    """Why nothing private of it is here."""

    @property
    def key(self) -> str:
        """Its id."""
        return self.id

    def refusal(self, contract: ContractName, now: int) -> str | None:
        """Why this task does not admit a new action of `contract` at `now`, or None."""
        if self.state != "open":
            return f"the task is {self.state}"
        if now >= self.expires_at:
            return "the task has expired"
        if contract in self.prohibited:
            return f"the task prohibits `{contract}`"
        return None


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a program says of the work it is about to have an agent do."""

    agent: AgentName
    purpose: str
    initiator: str
    lasts_ms: int | None = None
    """None: as long as the agent's file allows. Longer than that is cut to it."""
    budgets: dict[str, int] = {}
    prohibited: tuple[ContractName, ...] = ()
    parent: Task | None = None
    plan: str = ""
    run: str = ""
