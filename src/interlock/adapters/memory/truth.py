"""What a store in memory holds, and the rules by which it changes: the plainest form of the store's promises.

Every record is kept as its JSON text, so that what comes out is what any store would give back, never the object that
went in. A change is worked out on copies and swapped in whole.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence

from interlock.adapters.appending import Appender, Rows, extended
from interlock.adapters.changes import Changes
from interlock.adapters.filing import Filed, filed, text_of
from interlock.domain.action import Action
from interlock.domain.budget import Budget, Draw, as_defined, defined_by, drawn
from interlock.domain.change import Change, Unchanged
from interlock.domain.dsse import parse
from interlock.domain.errors import Conflict, IntegrityError
from interlock.domain.evidence import Entry, Fact
from interlock.domain.ids import Digest
from interlock.domain.merkle import root_of
from interlock.domain.presented import KEPT_MS, SPENT, Spent
from interlock.domain.rate import Recent, counted
from interlock.domain.record import Record
from interlock.domain.recording import about_of, heeds_erasure, named_in_entries
from interlock.domain.tiles import WIDTH, TileId, cut
from interlock.ports.store import ActionQuery, Claim

Key = tuple[str, str]
Row = tuple[int, str, Record]
"""Revision, text, and the record itself for those who only look."""


class Truth:
    """The state and the log. `lock` guards both; hold it from reading to swapping."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.rows: dict[Key, Row] = {}
        self.by_idempotency_key: dict[tuple[str, str], str] = {}
        self.entries: list[Entry] = []
        self.tiles: dict[TileId, bytes] = {}
        self.checkpoints: dict[int, str] = {}
        self.log_key: str | None = None
        self.spent: dict[Digest, int] = {}
        """What counts once and was used, and until when it is remembered."""
        self.under: dict[int, Key] = {}
        """By the index of an entry, the record with which its clear texts go, where it is about none."""
        self.commits = 0
        self.changes = Changes(lambda: self.commits, alone=True)

    def revision(self, kind: str, key: str) -> int:
        """The revision stored, 0 where there is nothing."""
        row = self.rows.get((kind, key))
        return row[0] if row else 0

    def of_kind(self, kind: str) -> list[Row]:
        """Every record of `kind`, lowest key first."""
        with self.lock:
            return [self.rows[place] for place in sorted(place for place in self.rows if place[0] == kind)]

    def actions(self) -> list[Action]:
        """Every action, oldest id first."""
        return [record for _, _, record in self.of_kind(Action.kind) if isinstance(record, Action)]

    def changed_by(self, change: Change) -> dict[Key, Row]:
        """The rows after `change`, or Conflict, BudgetExceeded or RateExceeded. Nothing is touched."""
        if self.is_spent(change.spent):
            raise Conflict("it was spent before", kind=SPENT, key="")
        for condition in change.given:
            self._must_be_at(condition.kind, condition.key, condition.revision)
        after: dict[Key, Row] = {}
        for record in change.puts:
            put = filed(record)
            if (put.kind, put.key) in after:
                raise Conflict(f"{put.kind} `{put.key}` is put twice", kind=put.kind, key=put.key)
            self._must_be_at(put.kind, put.key, put.revision)
            after[put.kind, put.key] = self._row(put)
        self._check_idempotency_keys(after)
        for draw in change.draws:
            budget = self._budget(draw, after)
            later = drawn(budget, draw).saved()
            after[Budget.kind, later.key] = (later.revision, text_of(later), later)
        for count in change.counts:
            row = after.get((Recent.kind, count.scope)) or self.rows.get((Recent.kind, count.scope))
            before = row[2] if row is not None and isinstance(row[2], Recent) else Recent(scope=count.scope)
            recent = counted(before, count).saved()
            after[Recent.kind, recent.key] = (recent.revision, text_of(recent), recent)
        return after

    def is_spent(self, wanted: Iterable[Spent]) -> bool:
        """Whether any of these was spent before."""
        return any(each.digest in self.spent for each in wanted)

    def swap(self, after: dict[Key, Row], rows: Rows | None, log_key: str, spent: Sequence[Spent] = ()) -> None:
        """Make it true, and wake whoever waits for it."""
        if spent:
            now = min(each.until for each in spent) - KEPT_MS
            self.spent = {digest: until for digest, until in self.spent.items() if until >= now}
            self.spent |= {each.digest: each.until for each in spent}
        for _, _, record in after.values():
            if isinstance(record, Action):
                self.by_idempotency_key[record.agent, record.idempotency_key] = record.id
        self.rows.update(after)
        if rows is not None:
            self._append(rows)
            self.log_key = self.log_key or log_key
        self.commits += 1
        self.changes.notify()

    def due(self, claim: Claim) -> list[Action]:
        """What `claim` would take, oldest due first."""
        found = [action for action in self.actions() if _is_due(action, claim)]
        found.sort(key=lambda action: (action.due_at or 0, action.id))
        return found[: claim.limit]

    def is_erased(self, fact: Fact, after: Mapping[Key, Row]) -> bool:
        """Whether nothing private may be said with `fact`, since what it is about is erased, and stays so `after` it."""
        row = after.get(about_of(fact)) or self.rows.get(about_of(fact))
        return row is not None and heeds_erasure(fact) and getattr(row[2], "withheld", "") == "erased"

    def covered(self, record: Unchanged) -> list[int]:
        """The entries of the facts about a record that have clear texts."""
        named = named_in_entries(record.kind, record.key).encode()
        return [
            entry.index
            for entry in self.entries
            if entry.disclosures
            and (
                (entry.action == record.key if record.kind == Action.kind else named in parse(entry.leaf).payload)
                or self.under.get(entry.index) == (record.kind, record.key)
            )
        ]

    def _must_be_at(self, kind: str, key: str, revision: int) -> None:
        stored = self.revision(kind, key)
        if stored != revision:
            raise Conflict(f"{kind} `{key}` is at revision {stored}, not {revision}", kind=kind, key=key)

    def _row(self, put: Filed) -> Row:
        return put.revision + 1, put.body, put.read

    def budget(self, key: str) -> Budget | None:
        """A budget as it is stored."""
        row = self.rows.get((Budget.kind, key))
        return row[2] if row is not None and isinstance(row[2], Budget) else None

    def _budget(self, draw: Draw, after: dict[Key, Row]) -> Budget:
        place = (Budget.kind, draw.budget)
        row = after.get(place) or self.rows.get(place)
        found = row[2] if row is not None and isinstance(row[2], Budget) else None
        definition = defined_by(draw.budget)
        if definition is not None:
            says = self.rows.get((Budget.kind, definition))
            if says is not None and isinstance(says[2], Budget):
                return as_defined(found, says[2], draw.budget)
        if found is None:
            raise Conflict(f"there is no budget `{draw.budget}`", kind=Budget.kind, key=draw.budget)
        return found

    def _check_idempotency_keys(self, after: dict[Key, Row]) -> None:
        taken: dict[tuple[str, str], str] = {}
        for _, _, record in after.values():
            if isinstance(record, Action):
                place = (record.agent, record.idempotency_key)
                holder = taken.setdefault(place, self.by_idempotency_key.get(place, record.id))
                if holder != record.id:
                    raise Conflict(
                        f"`{record.idempotency_key}` is the key of another action of `{record.agent}`",
                        kind="idempotency_key",
                        key=record.idempotency_key,
                    )

    def _append(self, rows: Rows) -> None:
        if rows.entries[0].index != len(self.entries) or rows.head.size in self.checkpoints:
            raise IntegrityError("an entry of the log would have been written twice")
        self.entries += rows.entries
        for tile in rows.tiles:
            if self.tiles.setdefault(TileId(level=tile.level, n=tile.n), tile.hashes) != tile.hashes:
                raise IntegrityError("a full tile of the log would have changed")
        self.checkpoints[rows.head.size] = rows.checkpoint

    def catch_up(self, appender: Appender) -> None:
        """Bring `appender` to the head. KeyFileError when the log is at another key by now."""
        new = self.entries[appender.head.size :]
        if new:
            appender.follow(self.log_key if not appender.head.size else None, [entry.leaf for entry in new])
            appender.seen(extended(appender.head, [entry.leaf_hash for entry in new])[0])

    def tile(self, level: int, index: int, width: int) -> bytes | None:
        """The first `width` hashes of a tile, or None if there are not so many."""
        full = self.tiles.get(TileId(level=level, n=index))
        if full is not None:
            return b"".join(cut(full)[:width])
        start = index * WIDTH
        if level == 0:
            hashes = [entry.leaf_hash for entry in self.entries[start : start + width]]
        else:
            below = (self.tiles.get(TileId(level=level - 1, n=n)) for n in range(start, start + width))
            hashes = [root_of(cut(tile)) for tile in below if tile is not None]
        return b"".join(hashes) if len(hashes) == width else None


def matches(query: ActionQuery, action: Action) -> bool:
    """Whether `action` is among those `query` asks for; `before`, `after` and `limit` aside."""
    wanted = (
        (query.task, action.task),
        (query.agent, action.agent),
        (query.release, action.release),
        (query.contract, action.contract),
        (query.fingerprint, action.fingerprint),
        (query.undoes, action.undoes),
    )
    return (
        all(want is None or want == has for want, has in wanted)
        and (not query.contracts or action.contract in query.contracts)
        and (not query.states or action.state in query.states)
        and (query.undos or action.undoes is None)
        and (query.due_by is None or (action.due_at is not None and action.due_at <= query.due_by))
        and (not query.waiting or action.deadline is not None)
        and (not query.roles or bool({*query.roles} & {*action.asks}))
    )


def _is_due(action: Action, claim: Claim) -> bool:
    return (
        action.due_at is not None
        and action.due_at <= claim.now
        and (action.lease_until is None or action.lease_until <= claim.now)
        and action.waits_at in claim.places
        and (claim.only is None or action.id == claim.only)
    )
