"""The store and its log in one SQLite file, for any number of processes on one machine.

Writes go through one thread (`writer`). Reads are made here, in the caller's thread, on a connection of their own: a
hop to another thread costs several times what the look-up does (measured). They see what was last committed.
"""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeVar, cast

import apsw
import msgspec

from interlock.adapters.changes import Changes
from interlock.adapters.filing import UNCHANGING, decided_of, record_of
from interlock.adapters.sqlite import log, opening, sweeping
from interlock.adapters.sqlite import statements as sql
from interlock.adapters.sqlite.connection import Row
from interlock.adapters.sqlite.erasing import SEALED_ENTRIES, Done, Erasing, carried_out, carry_out_again, names
from interlock.adapters.sqlite.failures import meaning
from interlock.adapters.sqlite.pen import Pen
from interlock.adapters.sqlite.reader import Reader
from interlock.adapters.sqlite.saving import Taking, due, prepared, text_of_ids
from interlock.adapters.sqlite.unwritten import Unwritten
from interlock.adapters.sqlite.veil import Place, Veil, key_of
from interlock.adapters.sqlite.writer import Writer
from interlock.domain.action import Action
from interlock.domain.change import Change, Unchanged
from interlock.domain.erasing import LegalHold, Part
from interlock.domain.errors import KeyFileError, NotFound
from interlock.domain.evidence import Entry
from interlock.domain.ids import ActionId, AgentName, Digest, TaskId, Tenant
from interlock.domain.notice import Notice
from interlock.domain.presented import Spent
from interlock.domain.record import Record
from interlock.domain.task import Task
from interlock.domain.whatif import Decided
from interlock.ports.sealer import Sealer
from interlock.ports.store import ActionQuery, Claim
from interlock.ports.vault import Vault

R = TypeVar("R", bound=Record)

KEPT: Final = 1024
"""How many unchanging records are kept decoded."""


class SqliteStore:
    """Both ports, `Store` and `Log`, on one file. Made by `open`; to be closed."""

    def __init__(
        self, tenant: Tenant, number: int, veil: Veil, reader: Reader, changes: Changes, writer: Writer | Unwritten
    ) -> None:
        self.tenant = tenant
        self._veil = veil
        self._number = number
        self._reader = reader
        self._changes = changes
        self._writer = writer
        self._kept: dict[tuple[str, str], Record] = {}

    @classmethod
    def open(
        cls,
        path: Path | str,
        tenant: Tenant,
        sealer: Sealer,
        vault: Vault | None = None,
        *,
        busy_ms: int = 5000,
        thorough: bool = False,
    ) -> "SqliteStore":
        """Open the file, made and brought up to date as needed. `thorough` checks every page of it first.

        What is private is sealed under keys of `vault`, also what an earlier version left in the clear; without one (a
        store on its own, to be tested or measured) nothing is. A write waits for other processes `busy_ms` at most.
        Raises StoreCorrupt, StoreTooNew, StoreReadOnly, StoreFull, StoreBusy, and KeyFileError when the log began with
        another key than `sealer` holds, or what is stored needs another vault.
        """
        path = Path(path).absolute()
        number = opening.prepare(path, tenant, busy_ms=busy_ms, thorough=thorough)
        veil = Veil(tenant, vault)
        try:
            sweeping.sweep(path, number, veil, busy_ms=busy_ms)
            reader = Reader(path, busy_ms=busy_ms)
            changes = Changes(lambda: cast(int, reader.value(sql.VERSION)))
            pen = Pen(path, number, sealer, veil, busy_ms=busy_ms, committed=changes.notify)
            with reader.connection() as connection:
                unknown = carried_out(connection, number, veil, sealer)
                carry_out_again(pen, connection, number, unknown, time.time_ns() // 1_000_000)
        except apsw.Error as error:
            raise meaning(error) from error
        return cls(tenant, number, veil, reader, changes, Writer(pen, path.name))

    @classmethod
    def look(
        cls, path: Path | str, tenant: Tenant, vault: Vault | None = None, *, busy_ms: int = 5000
    ) -> "SqliteStore":
        """Open an existing file without keys, to read it: every write raises StoreReadOnly. Without the vault that it
        needs, what is sealed is withheld.

        Raises NotFound where there is no file or nothing of the tenant in it, and the StoreErrors of `open`.
        """
        path = Path(path).absolute()
        if not path.is_file():
            raise NotFound(f"there is no store `{path}`", next_step="run `interlock apply`, or look elsewhere")
        opening.examine(path, busy_ms=busy_ms)
        try:
            reader = Reader(path, busy_ms=busy_ms)
            number = cast("int | None", reader.value(sql.TENANT, (tenant,)))
        except apsw.Error as error:
            raise meaning(error) from error
        if number is None:
            reader.close()
            raise NotFound(f"the store holds nothing of `{tenant}`")
        if vault is not None:
            vault.begin(cast("str | None", reader.value(sql.VAULT, (number,))))
        return cls(
            tenant,
            number,
            Veil(tenant, vault, looking=True),
            reader,
            Changes(lambda: cast(int, reader.value(sql.VERSION))),
            Unwritten(),
        )

    async def commit(self, change: Change) -> tuple[Notice, ...]:
        """See `Store.commit`. Once called it goes on even if the caller is cancelled."""
        ready = prepared(self._number, change, self._veil, self._number_of)
        return cast(tuple[Notice, ...], await self._writer.do(ready.into, flushed=ready.budgets))

    async def get(self, kind: type[R], key: str) -> R | None:
        """See `Store.get`."""
        place = (kind.kind, key)
        kept = self._kept.get(place)
        if kept is not None:
            return cast(R, kept)
        if kind.kind == Action.kind:
            rows = self._reader.rows(sql.ACTION, (self._number, key))
        else:
            rows = self._reader.rows(sql.DOCUMENT, (self._number, *place))
        if not rows:
            return None
        record = record_of(kind, self._veil.text(place, *rows[0]), key)
        if kind.kind in UNCHANGING:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[place] = record
        return record

    async def all(self, kind: type[R], *, limit: int = 1000, before: str = "") -> list[R]:
        """See `Store.all`."""
        if before:
            rows = self._reader.rows(sql.DOCUMENTS_BEFORE, (self._number, kind.kind, before, limit))
        else:
            rows = self._reader.rows(sql.DOCUMENTS, (self._number, kind.kind, limit))
        return [self._record(kind, row) for row in rows]

    async def due(self, kind: type[R], *, now: int, limit: int) -> list[R]:
        """See `Store.due`."""
        rows = self._reader.rows(sql.DOCUMENTS_DUE, (self._number, kind.kind, now, limit))
        return [self._record(kind, row) for row in rows]

    async def inside(self, task: TaskId) -> list[Task]:
        """See `Store.inside`."""
        return [self._record(Task, row) for row in self._reader.rows(sql.TASKS_INSIDE, (self._number, task))]

    async def actions(self, query: ActionQuery) -> list[Action]:
        """See `Store.actions`."""
        return [self._record(Action, row) for row in self._reader.rows(*sql.listed(self._number, self._asked(query)))]

    async def count(self, query: ActionQuery) -> int:
        """See `Store.count`."""
        return cast(int, self._reader.value(*sql.counted(self._number, self._asked(query))))

    async def decided(self, *, since_at: int, before: ActionId | None, limit: int) -> list[Decided]:
        """See `Recorded.decided`."""
        rows = self._reader.rows(sql.DECIDED, (self._number, before or sql.LAST, since_at, limit))
        return [decided_of(self._veil.text((Action.kind, key), body, sealed)) for key, body, sealed in rows]

    async def by_idempotency_key(self, agent: AgentName, key: str) -> Action | None:
        """See `Store.by_idempotency_key`."""
        rows = self._reader.rows(sql.ACTION_BY_KEY, (self._number, agent, self._veil.key_column(agent, key)))
        return self._record(Action, rows[0]) if rows else None

    async def spent(self, wanted: Iterable[Spent]) -> bool:
        """See `Store.spent`."""
        return any(
            self._reader.rows(sql.IS_SPENT, (self._number, each.until, bytes.fromhex(each.digest))) for each in wanted
        )

    async def claim(self, claim: Claim) -> list[Action]:
        """See `Store.claim`. Looks before it takes the write lock, so that polling while nothing is due costs no write."""
        with self._reader.connection() as connection:
            if not due(connection, self._number, claim, self._veil.lost):
                return []
        return cast(list[Action], await self._writer.do(Taking(claim).into))

    async def erase(self, part: Part) -> int:
        """See `Store.erase`."""
        vault = self._veil.vault
        if vault is None:
            raise KeyFileError("nothing can be erased in a store without a vault: nothing in it is sealed")
        done = cast(Done, await self._writer.do(Erasing(part).into, flushed=True))
        await asyncio.to_thread(vault.shred, done.shred)
        return done.at

    async def scrub(self) -> None:
        """See `Store.scrub`."""
        if self._veil.vault is not None:
            await asyncio.to_thread(self._veil.vault.renew)

    async def late(self) -> list[Unchanged]:
        """See `Store.late`."""
        rows = self._reader.rows(sql.LATE, (self._number,))
        found = [Unchanged(Action.kind, cast(str, key), cast(int, revision)) for key, revision in rows]
        holds = self._reader.rows(sql.LATE_HOLDS, (self._number,))
        if holds:
            left = [cast(bytes, row[3]) for row in self._reader.rows(sql.ENTRIES_OF_HOLDS, (self._number,))]
            found += [
                Unchanged(LegalHold.kind, cast(str, key), cast(int, revision))
                for key, revision in holds
                if any(names(leaf, cast(str, key)) for leaf in left)
            ]
        return found

    async def behind(self) -> frozenset[int]:
        """See `Store.behind`."""
        vault = self._veil.vault
        gone = {key for each in vault.shreds() for key in each.keys} if vault is not None else set[int]()
        if not gone:
            return frozenset()
        rows = self._reader.rows(SEALED_ENTRIES, (self._number,))
        return frozenset(index for _, key, index in rows if int.from_bytes(key, "big") in gone)

    async def changed(self, *, timeout_ms: int) -> bool:
        """See `Store.changed`."""
        return await self._changes.wait(timeout_ms)

    async def next_due_at(self, places: tuple[str, ...]) -> int | None:
        """See `Store.next_due_at`."""
        lost = self._veil.lost
        statement, but = (sql.NEXT_DUE_BUT, (text_of_ids(lost),)) if lost else (sql.NEXT_DUE, ())
        found = [cast("int | None", self._reader.value(statement, (self._number, place, *but))) for place in places]
        return min((due_at for due_at in found if due_at is not None), default=None)

    async def close(self) -> None:
        """See `Store.close`. The last process to close moves the whole WAL into the file."""
        self._changes.close()
        await self._writer.close()
        self._reader.close()

    async def head(self) -> str | None:
        """See `Log.head`."""
        with self._reader.connection() as connection:
            return log.head(connection, self._number)

    async def checkpoint_at(self, size: int) -> str | None:
        """See `Log.checkpoint_at`."""
        with self._reader.connection() as connection:
            return log.checkpoint_at(connection, self._number, size)

    async def checkpoints(self, start: int, stop: int) -> list[tuple[int, str]]:
        """See `Log.checkpoints`."""
        with self._reader.connection() as connection:
            return log.checkpoints(connection, self._number, start, stop)

    async def entries(self, start: int, stop: int) -> list[Entry]:
        """See `Log.entries`."""
        with self._reader.connection() as connection:
            return log.entries(connection, self._number, start, stop, self._veil)

    async def entries_of(self, action: ActionId) -> list[Entry]:
        """See `Log.entries_of`."""
        with self._reader.connection() as connection:
            return log.entries_of(connection, self._number, action, self._veil)

    async def marked(self, *phases: str) -> list[Entry]:
        """See `Log.marked`."""
        with self._reader.connection() as connection:
            return log.marked(connection, self._number, phases, self._veil)

    async def tile(self, level: int, index: int, width: int) -> bytes | None:
        """See `Log.tile`."""
        with self._reader.connection() as connection:
            return log.tile(connection, self._number, level, index, width)

    # -- parts -------------------------------------------------------------------------------------------------

    def _record(self, kind: type[R], row: Row) -> R:
        key, body, sealed = row
        return record_of(kind, self._veil.text((kind.kind, key), body, sealed), key)

    def _number_of(self, place: Place) -> int | None:
        """The number of the key that a stored row is sealed under."""
        kind, key = place
        if kind == Action.kind:
            return key_of(self._reader.value(sql.ACTION_SEALED, (self._number, key)))
        return key_of(self._reader.value(sql.DOCUMENT_SEALED, (self._number, kind, key)))

    def _asked(self, query: ActionQuery) -> ActionQuery:
        """`query` as the columns understand it."""
        if query.fingerprint is None or self._veil.vault is None:
            return query
        return msgspec.structs.replace(query, fingerprint=Digest(self._veil.fingerprint_column(query.fingerprint)))
