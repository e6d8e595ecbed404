"""The store and its log in memory, with writes that can be made to fail."""

import asyncio
import contextlib
from collections.abc import Iterable
from itertools import islice
from typing import Any, TypeVar, cast

import msgspec

from interlock.adapters.appending import Appender
from interlock.adapters.filing import decided_of, record_of, text_of
from interlock.adapters.memory.faults import Faults
from interlock.adapters.memory.truth import Key, Row, Truth, matches
from interlock.domain.action import Action
from interlock.domain.budget import Budget, crossed
from interlock.domain.change import Change, Unchanged
from interlock.domain.erasing import LegalHold, Part, erased_fact
from interlock.domain.erasure import erased, ranges_of
from interlock.domain.errors import Conflict, KeyFileError, StoreError, StoreUnsure
from interlock.domain.evidence import Entry, Fact
from interlock.domain.ids import ActionId, AgentName, TaskId, Tenant
from interlock.domain.notice import Notice, notices
from interlock.domain.presented import Spent
from interlock.domain.record import Record
from interlock.domain.recording import unsaid, with_budgets
from interlock.domain.task import Task
from interlock.domain.whatif import Decided
from interlock.ports.sealer import Sealer
from interlock.ports.store import ActionQuery, Claim

R = TypeVar("R", bound=Record)


class MemoryStore:
    """Both ports, `Store` and `Log`, on one `Truth`. Every write lets other tasks go first, so that races do happen."""

    def __init__(self, tenant: Tenant, sealer: Sealer, faults: Faults | None = None) -> None:
        self.tenant = tenant
        self.faults = faults or Faults()
        self._appender = Appender(sealer)
        self._closed = False
        self._join(Truth())

    def again(self, sealer: Sealer, faults: Faults | None = None) -> "MemoryStore":
        """Another process on the same truth, or this one after it died."""
        other = MemoryStore(self.tenant, sealer, faults)
        other._join(self._truth)
        return other

    def _join(self, truth: Truth) -> None:
        self._truth = truth
        with truth.lock:
            truth.catch_up(self._appender)

    async def commit(self, change: Change) -> tuple[Notice, ...]:
        """See `Store.commit`."""
        await asyncio.sleep(0)
        truth = self._open()
        with truth.lock:
            after = truth.changed_by(change)
            budgets = [record for _, _, record in after.values() if isinstance(record, Budget)]
            noticed = {each.key for each in budgets if crossed(truth.budget(each.key), each)}
            made = notices(change.facts, budgets, noticed)
            after |= truth.changed_by(
                Change(puts=tuple(each for each in made if not truth.revision(each.kind, each.key)))
            )
            self._write(after, with_budgets(change.facts, change.draws, budgets, noticed), spent=change.spent)
        return made

    async def claim(self, claim: Claim) -> list[Action]:
        """See `Store.claim`."""
        await asyncio.sleep(0)
        truth = self._open()
        with truth.lock:
            taken = [
                action.with_lease(owner=claim.owner, until=claim.now + claim.lease_ms) for action in truth.due(claim)
            ]
            if taken:
                self._write(truth.changed_by(Change(puts=tuple(taken))), ())
        return [action.saved() for action in taken]

    async def get(self, kind: type[R], key: str) -> R | None:
        """See `Store.get`."""
        row = self._open().rows.get((kind.kind, key))
        return None if row is None else record_of(kind, row[1], key)

    async def all(self, kind: type[R], *, limit: int = 1000, before: str = "") -> list[R]:
        """See `Store.all`."""
        newest_first = (row for row in reversed(self._open().of_kind(kind.kind)) if not before or row[2].key < before)
        return [record_of(kind, body) for _, body, _ in islice(newest_first, limit)]

    async def due(self, kind: type[R], *, now: int, limit: int) -> list[R]:
        """See `Store.due`."""
        found = [record_of(kind, body) for _, body, _ in self._open().of_kind(kind.kind)]
        due = sorted(
            (each.due_at, each.key, each) for each in cast(list[Any], found) if (each.due_at or now + 1) <= now
        )
        return [each for _, _, each in due[:limit]]

    async def inside(self, task: TaskId) -> list[Task]:
        """See `Store.inside`."""
        found = [record_of(Task, body) for _, body, _ in self._open().of_kind(Task.kind)]
        return [each for each in found if each.parent == task]

    async def actions(self, query: ActionQuery) -> list[Action]:
        """See `Store.actions`."""
        found = [
            action
            for action in self._open().actions()
            if matches(query, action) and (query.before is None or action.id < query.before)
        ]
        if query.waiting:
            found = [each for each in found if query.after is None or _place(each) > query.after]
            found.sort(key=_place)
        elif not query.oldest_first:
            found.reverse()
        return [self._fresh(action) for action in found[: query.limit]]

    async def count(self, query: ActionQuery) -> int:
        """See `Store.count`."""
        return sum(matches(query, action) for action in self._open().actions())

    async def decided(self, *, since_at: int, before: ActionId | None, limit: int) -> list[Decided]:
        """See `Recorded.decided`."""
        newest_first = (
            body
            for _, body, record in reversed(self._open().of_kind(Action.kind))
            if isinstance(record, Action) and record.proposed_at >= since_at and (before is None or record.id < before)
        )
        return [decided_of(body) for body in islice(newest_first, limit)]

    async def by_idempotency_key(self, agent: AgentName, key: str) -> Action | None:
        """See `Store.by_idempotency_key`."""
        found = self._open().by_idempotency_key.get((agent, key))
        return None if found is None else await self.get(Action, found)

    async def spent(self, wanted: Iterable[Spent]) -> bool:
        """See `Store.spent`."""
        return self._open().is_spent(wanted)

    async def erase(self, part: Part) -> int:
        """See `Store.erase`. There are no keys to destroy: what was here is gone."""
        await asyncio.sleep(0)
        truth = self._open()
        with truth.lock:
            change = Change(given=part.records)
            if part.holds not in (None, sum(revision for revision, _, _ in truth.of_kind(LegalHold.kind))):
                raise Conflict("a hold was placed or lifted meanwhile", kind=LegalHold.kind, key="")
            after, covered = truth.changed_by(change), list[int]()
            actions = {each.key for each in part.records if each.kind == Action.kind}
            for each in part.records:
                record = erased(truth.rows[each.kind, each.key][2], part.observed_at).saved()
                after[each.kind, each.key] = (record.revision, text_of(record), record)
                covered += truth.covered(each)
            covers = ranges_of(covered)
            size = len(truth.entries)
            try:
                self._write(after, (erased_fact(part, keys={}, covers=covers, actions=len(actions)),))
            finally:
                for place in covered if len(truth.entries) > size else ():
                    truth.entries[place] = msgspec.structs.replace(truth.entries[place], disclosures=())
            return truth.entries[-1].index

    async def scrub(self) -> None:
        """See `Store.scrub`. There are no copies."""

    async def late(self) -> list[Unchanged]:
        """See `Store.late`."""
        truth = self._open()
        holds = [record for _, _, record in truth.of_kind(LegalHold.kind) if isinstance(record, LegalHold)]
        gone = [Unchanged(Action.kind, each.id, each.revision) for each in truth.actions() if each.withheld == "erased"]
        gone += [Unchanged(LegalHold.kind, each.id, each.revision) for each in holds if each.withheld == "erased"]
        return [each for each in gone if truth.covered(each)]

    async def behind(self) -> frozenset[int]:
        """See `Store.behind`. There are no copies."""
        return frozenset()

    async def changed(self, *, timeout_ms: int) -> bool:
        """See `Store.changed`."""
        return await self._open().changes.wait(timeout_ms)

    async def next_due_at(self, places: tuple[str, ...]) -> int | None:
        """See `Store.next_due_at`."""
        here = (action.due_at for action in self._open().actions() if action.waits_at in places)
        return min((due_at for due_at in here if due_at is not None), default=None)

    async def close(self) -> None:
        """See `Store.close`. What was stored stays for `again`."""
        if not self._closed:
            with self._truth.lock, contextlib.suppress(StoreError, KeyFileError):
                self._write({}, (), ends=True)
        self._closed = True

    async def head(self) -> str | None:
        """See `Log.head`."""
        return await self.checkpoint_at(len(self._open().entries))

    async def checkpoint_at(self, size: int) -> str | None:
        """See `Log.checkpoint_at`."""
        return self._open().checkpoints.get(size)

    async def checkpoints(self, start: int, stop: int) -> list[tuple[int, str]]:
        """See `Log.checkpoints`."""
        return [(size, note) for size, note in self._open().checkpoints.items() if start < size <= stop]

    async def entries(self, start: int, stop: int) -> list[Entry]:
        """See `Log.entries`."""
        return self._open().entries[max(start, 0) : max(stop, 0)]

    async def entries_of(self, action: ActionId) -> list[Entry]:
        """See `Log.entries_of`."""
        return [entry for entry in self._open().entries if entry.action == action]

    async def marked(self, *phases: str) -> list[Entry]:
        """See `Log.marked`."""
        return [entry for entry in self._open().entries if entry.phase in phases]

    async def tile(self, level: int, index: int, width: int) -> bytes | None:
        """See `Log.tile`."""
        return self._open().tile(level, index, width)

    def _open(self) -> Truth:
        if self._closed:
            raise StoreError("the store is closed")
        return self._truth

    def _fresh(self, action: Action) -> Action:
        return record_of(Action, self._truth.rows[Action.kind, action.id][1])

    def _write(
        self, after: dict[Key, Row], facts: tuple[Fact, ...], *, ends: bool = False, spent: tuple[Spent, ...] = ()
    ) -> None:
        truth = self._truth
        truth.catch_up(self._appender)
        draft = self._appender.draft()
        under: dict[int, Key] = {}
        for fact in facts:
            draft.seal((unsaid(fact) if truth.is_erased(fact, after) else fact,))
            if fact.under is not None:
                under[draft.last()] = fact.under
        if ends:
            draft.end()
        rows = draft.finish()
        if ends and rows is None:
            return
        fault = self.faults.next()
        if fault != "not stored":
            truth.swap(after, rows, self._appender.sealer.log_key, spent)
            truth.under |= under
            if rows is not None:
                self._appender.committed(rows)
        if fault is not None:
            raise StoreUnsure(f"the store failed at write {self.faults.writes}, as it was told to ({fault})")


def _place(action: Action) -> tuple[int, str]:
    """Where an action that waits stands among the others."""
    return action.deadline or 0, action.id
