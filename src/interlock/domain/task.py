"""A task: one piece of work for one initiator. Everything an agent does, it does inside a task."""

from typing import ClassVar, Literal

import msgspec

from interlock.domain.budget import Budget, Draw, budget_key
from interlock.domain.delegation import Delegation
from interlock.domain.grant import Grant
from interlock.domain.ids import AgentName, ContractName, Digest, TaskId
from interlock.domain.presented import Spent
from interlock.domain.record import Record, Withheld
from interlock.domain.selector import Selector

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
    tools: Grant | None = None
    """The tools it was given, with what their arguments may be; None: whatever the agent may use."""
    data: Selector | None = None
    """The records it was given; None: whatever the agent may touch."""
    budgets: dict[str, int] = {}
    purses: dict[str, tuple[TaskId, ...]] = {}
    """Of a task within another, by unit: the tasks on whose limits its actions draw. One with a limit of its own, which is
    reserved around it, draws on that alone; one without draws on the nearest around it."""
    depth: int = 0
    parent: TaskId | None = None
    ancestors: tuple[TaskId, ...] = ()
    """The tasks it was opened within, the outermost first; its parent is the last."""
    above: tuple[AgentName, ...] = ()
    """The agents of those tasks."""
    run: str = ""
    plan: str = ""
    due_at: int | None = None
    """When a worker should look at it, UTC ms: a task within another is closed when its time is over, and what is left of its
    limits goes back. None: there is nothing to do."""
    failed: bool = False
    failure: str = ""
    """What ended it, where that was a failure: the name of an error, never its words."""
    epoch: int = 0
    """The revision of the standing orders it was opened under: what is revoked later was granted before."""
    delegated: Delegation | None = None
    """By what it was handed on to whoever acts in it; or None, and it is its agent's own."""
    instance: str = ""
    """The running instance that opened it, or took it over: the thumbprint of its key. Empty: it showed nothing."""
    through: str = ""
    """By what whoever it is for came, where a gateway acts for them: `agent_key:<id>`, `oauth:<issuer>#<client>`. Empty: its
    program opened it itself."""
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

    @property
    def holder(self) -> str:
        """The only instance that may act in it; empty: any of its agent's."""
        return self.instance if self.delegated is None else self.delegated.holder

    def pays(self, unit: str) -> tuple[TaskId, ...]:
        """The tasks on whose limits on `unit` its actions draw."""
        return self.purses.get(unit, (self.id,) if unit in self.budgets else ())


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a program says of the work it is about to have an agent do."""

    agent: AgentName
    purpose: str
    initiator: str = ""
    """Empty: that of the task around it; without one, the agent's own system."""
    lasts_ms: int | None = None
    """None: as long as the agent's file allows. Longer than that is cut to it."""
    budgets: dict[str, int] = {}
    prohibited: tuple[ContractName, ...] = ()
    tools: Grant | None = None
    data: Selector | None = None
    """What it is given of tools and records. None: as the task around it, where there is one that was given some."""
    parent: Task | None = None
    plan: str = ""
    run: str = ""
    id: TaskId | None = None
    """Of a task that a token names; None: a new one."""
    delegated: Delegation | None = None
    """By what it is handed on; None: not at all, or as the task around it is."""
    ends_at: int | None = None
    """Until when it lasts at most, UTC ms."""
    instance: str = ""
    """Who opens it, as it was proven."""
    spent: tuple[Spent, ...] = ()
    """What proved that."""
    through: str = ""
    """By what whoever it is for came, as a gateway in this process found it; of a task within another, as that one."""
    epoch: int | None = None
    """The revision of the standing orders under which it was granted; None: those in force. Never later than these."""


class Lent(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a task: its own budgets, and what is reserved for them in those of the tasks around it."""

    budgets: tuple[Budget, ...]
    purses: dict[str, tuple[TaskId, ...]]
    draws: tuple[Draw, ...]


def lent(task: TaskId, wanted: dict[str, int], most: int, parent: Task | None) -> Lent:
    """The limits of a new task that asks for `wanted`, by unit, and whose agent may propose `most` actions in one task.

    A limit it asks for is reserved from the nearest limit around it. `most` is no budget that somebody gave it, so it bounds
    the task without being taken from anybody: its calls count there and around it.
    """
    said = {**wanted, "calls": min(wanted["calls"], most)} if "calls" in wanted else wanted
    around = {unit: parent.pays(unit) for unit in (*parent.budgets, *parent.purses)} if parent is not None else {}
    within = {unit: tuple(task_key(each, unit) for each in around.get(unit, ())) for unit in said}
    budgets = [Budget(scope=scope_of(task), unit=unit, limit=said[unit], within=within[unit]) for unit in said]
    draws = [
        Draw(budget=key, move="reserve", amount=said[unit])
        for unit, keys in within.items()
        for key in keys
        if said[unit]
    ]
    purses = {**around, **dict.fromkeys(said, (task,))}
    if "calls" not in said:
        budgets.append(Budget(scope=scope_of(task), unit="calls", limit=most))
        purses["calls"] = (task, *around.get("calls", ()))
    return Lent(budgets=tuple(budgets), purses=purses if parent is not None else {}, draws=tuple(draws))


def scope_of(task: TaskId) -> str:
    """The scope of a task's own budgets."""
    return f"task:{task}"


def task_key(task: TaskId, unit: str) -> str:
    """The key of a task's own budget on `unit`."""
    return budget_key(scope_of(task), unit)
