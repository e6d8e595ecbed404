"""Where everything is kept: records saved if unchanged, together with the facts that say why."""

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

import msgspec

from interlock.domain.action import Action, State
from interlock.domain.change import Change, Unchanged
from interlock.domain.erasing import Part
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, TaskId, WorkerId
from interlock.domain.notice import Notice
from interlock.domain.presented import Spent
from interlock.domain.record import Record
from interlock.domain.task import Task
from interlock.ports.recorded import Recorded

R = TypeVar("R", bound=Record)


INDEXED: Final[frozenset[State]] = frozenset(
    {"aborting", "held", "prepared", "preparing", "ready", "undo_failed", "undoing", "unknown"}
)
"""What somebody may have to look at: there are few of them among many, so asked for by these states alone they are found
without looking at the others."""


class ActionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which actions; every field narrows, an empty query means all. Newest first unless `oldest_first` or `waiting`."""

    task: TaskId | None = None
    agent: AgentName | None = None
    release: Digest | None = None
    contract: ContractName | None = None
    contracts: tuple[ContractName, ...] = ()
    """Any of these."""
    fingerprint: Digest | None = None
    undoes: ActionId | None = None
    states: tuple[State, ...] = ()
    undos: bool = True
    """Whether actions that undo others are among them."""
    due_by: int | None = None
    """Only those that fall due at this time or before, UTC ms: of the many that wait, the few that somebody has begun."""
    waiting: bool = False
    """Only those that people are still to decide on, in the order of their deadlines, the earliest first."""
    roles: tuple[str, ...] = ()
    """Only those for which the word of somebody with one of these roles is still wanted; no others than those that wait."""
    before: ActionId | None = None
    """Only ids that sort before this one (the next page)."""
    after: tuple[int, ActionId] | None = None
    """Only those whose deadline and id sort after these (the next page of those that wait)."""
    oldest_first: bool = False
    limit: int = 100


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants work, and which."""

    owner: WorkerId
    now: int
    lease_ms: int
    places: tuple[str, ...] = ("",)
    """Where it can run actions: `""` is anywhere; the name of an in-process contract is that process."""
    only: ActionId | None = None
    limit: int = 16


class Store(Recorded, Protocol):
    """The truth. All methods raise StoreError (closed gate) when the store cannot answer.

    Durable means that it survives a loss of power. Nothing here promises that a process is alone.
    """

    async def commit(self, change: Change) -> tuple[Notice, ...]:
        """Make all of `change` true at once and durable, or none of it. Gives the notices that it made true as well: of the
        budgets whose soft share it reached.

        Raises Conflict when a record or condition is not at the revision named or something was spent before (its kind is
        `spent` then), BudgetExceeded when a draw does not fit, RateExceeded when a call does not,
        StoreUnsure when the store cannot say whether it was stored, and other StoreErrors when it was not.
        """
        ...

    async def get(self, kind: type[R], key: str) -> R | None:
        """The record of `kind` under `key` as last committed, or None."""
        ...

    async def all(self, kind: type[R], *, limit: int = 1000, before: str = "") -> list[R]:
        """Records of a small kind (not actions), newest key first; only keys that sort before `before` where that is given (the
        next page)."""
        ...

    async def due(self, kind: type[R], *, now: int, limit: int) -> list[R]:
        """Tasks, or other records of a small kind that have one, whose `due_at` has come; the earliest due first."""
        ...

    async def inside(self, task: TaskId) -> list[Task]:
        """The tasks that were opened right inside `task`, whatever became of them, in the order of their ids."""
        ...

    async def actions(self, query: ActionQuery) -> list[Action]:
        """The actions that match, in the order of their ids; those that wait in the order of their deadlines."""
        ...

    async def count(self, query: ActionQuery) -> int:
        """How many actions match, `limit`, `before` and `after` ignored."""
        ...

    async def by_idempotency_key(self, agent: AgentName, key: str) -> Action | None:
        """The action that `agent` proposed under `key`, or None. There is never more than one."""
        ...

    async def spent(self, wanted: Iterable[Spent]) -> bool:
        """Whether any of these was spent, and is still remembered."""
        ...

    async def claim(self, claim: Claim) -> list[Action]:
        """Take up to `limit` due actions under a lease, oldest due first, and return them as now stored.

        Due: `due_at` has come, and nobody's lease runs. Each is returned to one claimer only; its fence and revision rise.
        """
        ...

    async def erase(self, part: Part) -> int:
        """Strip the records of `part` and the entries about them of everything private, record that, and then destroy the
        keys; gives the index of the entry.

        Raises Conflict when a record is not at the revision named: nothing is erased then. Once the entry is durable the
        keys go, if need be when the store is next opened.
        """
        ...

    async def scrub(self) -> None:
        """Make what was erased unreadable in older copies of the vault, too."""
        ...

    async def late(self) -> list[Unchanged]:
        """Erased actions about which something private was written afterwards, and erased holds whose entries were left, as
        versions before this one did: with them as its records a part of an erasure takes that too. Reads every action."""
        ...

    async def behind(self) -> frozenset[int]:
        """The entries whose clear texts an erasure destroyed of which this store does not know: it is an older copy than its
        vault, and whoever opens it to write records the erasure again. Reads every entry if anything was ever erased."""
        ...

    async def changed(self, *, timeout_ms: int) -> bool:
        """Wait until anybody may have committed, at most `timeout_ms`. True if something may have changed."""
        ...

    async def next_due_at(self, places: tuple[str, ...]) -> int | None:
        """The earliest time at which something that can run in one of `places` falls due, or None."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of the file. Idempotent."""
        ...
