"""The one thread that writes: it takes what waits and makes it one transaction, so that many share one sync.

1. Wait for a unit; take what else waits, up to GROUP. *Nothing was written.*
2. Pass the turnstile, BEGIN IMMEDIATE, bring the log's head up to date. *Nothing was written.*
3. Each unit in a savepoint of its own: one that fails is undone and answered alone.
4. Entries, full tiles and one signed checkpoint for all that succeeded. *A crash before 5 leaves nothing.*
5. COMMIT, synced. *A crash after it leaves everything; only the answers are lost.*
6. Move head and stream on, let the next process in, answer, wake whoever waits for changes.

When COMMIT itself fails without saying whether it stored, the file is opened again, head and stream are read from it,
and every unit is answered StoreUnsure.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import apsw

from interlock.adapters.appending import Appender
from interlock.adapters.sqlite import log
from interlock.adapters.sqlite import statements as sql
from interlock.adapters.sqlite.connection import Connection
from interlock.adapters.sqlite.failures import meaning, meaning_of_commit
from interlock.adapters.sqlite.opening import WRITER_CACHE_KIB, connect
from interlock.adapters.sqlite.saving import Known, Transaction, Work
from interlock.adapters.sqlite.turnstile import Turnstile
from interlock.domain.errors import InterlockError, StoreError, StoreUnsure
from interlock.ports.sealer import Sealer

GROUP: Final = 128
"""The most units in one transaction: other processes wait for no longer than these take (about 20 ms)."""

CHECKPOINT_PAGES: Final = 2_000
"""When the WAL has so many pages (8 MB), they are moved into the file."""

CROWDED_PAGES: Final = 16_000
"""When it has so many all the same, other processes kept adding: they are made to wait while we finish."""


_OF_ONE_UNIT: Final = (InterlockError, ValueError, TypeError, OverflowError, OSError, apsw.TooBigError)
"""What a unit alone can be at fault for: its own conflict, or a record or fact that cannot be written or signed."""


class Unit:
    """One piece of work and whoever waits for it."""

    __slots__ = ("error", "flushed", "future", "loop", "result", "work")

    def __init__(self, work: Work, *, flushed: bool) -> None:
        self.work = work
        self.flushed = flushed
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[object] = self.loop.create_future()
        self.result: object = None
        self.error: Exception | None = None


class Writer:
    """The writing connection and its thread. `committed` is called after every commit, in that thread."""

    def __init__(self, path: Path, tenant: int, sealer: Sealer, *, busy_ms: int, committed: Callable[[], None]) -> None:
        self._path = path
        self._tenant = tenant
        self._busy_ms = busy_ms
        self._committed = committed
        self._appender = Appender(sealer)
        self._known = Known()
        self._version = 0
        self._connection = self._connect()
        self._unsure = False
        self._pages = 0
        self._mark = CHECKPOINT_PAGES
        self._look_at_the_log()
        self._turnstile = Turnstile(path)
        self._queue: SimpleQueue[Unit | None] = SimpleQueue()
        self._entrance = threading.Lock()
        self._closing = False
        self._begun: Sequence[Unit] = ()
        self._thread = threading.Thread(target=self._run, name=f"write {path.name}", daemon=True)
        self._thread.start()

    async def do(self, work: Work, *, flushed: bool = False) -> object:
        """Have `work` done and made durable, and give its result, or raise why it was not.

        `flushed`: it must find the rows of budgets as they are after the draws before it.
        """
        unit = Unit(work, flushed=flushed)
        with self._entrance:
            if self._closing:
                raise StoreError("the store is closed")
            self._queue.put(unit)
        return await unit.future

    async def close(self) -> None:
        """Finish what was begun. Idempotent."""
        with self._entrance:
            if not self._closing:
                self._closing = True
                self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            while self._next_group():
                self._write_group()
                self._answer()
                self._tidy()
        finally:
            # Reached through close(), or through an error that nobody foresaw: then the gate stays closed.
            with self._entrance:
                self._closing = True
                left = [*self._begun, *(self._queue.get() for _ in range(self._queue.qsize()))]
            self._begun = [unit for unit in left if unit is not None]
            self._fail(StoreError("the store is closed"))
            self._answer()
            self._turnstile.close()
            self._connection.close()

    def _next_group(self) -> bool:
        """Wait for units; False when there will be no more."""
        unit = self._queue.get()
        if unit is None:
            return False
        units = [unit]
        for _ in range(min(self._queue.qsize(), GROUP - 1)):
            another = self._queue.get()
            if another is None:
                self._queue.put(None)
                break
            units.append(another)
        self._begun = units
        return True

    def _write_group(self) -> None:
        try:
            self._turnstile.enter()
            try:
                self._transaction()
            finally:
                self._turnstile.leave()
        except apsw.Error as error:
            self._fail(meaning(error))
        except (InterlockError, ValueError, TypeError, OSError) as error:
            self._fail(error)

    def _transaction(self) -> None:
        units = self._begun
        connection = self._connection
        if self._unsure:
            connection = self._reconnect()
        connection.execute(sql.BEGIN)
        try:
            self._find_head(connection)
            draft = self._appender.draft()
            transaction = Transaction(connection, self._tenant, self._known, draft)
            if len(units) == 1:
                units[0].result = units[0].work(transaction)
            else:
                for unit in units:
                    _apart(unit, transaction)
            transaction.flush()
            rows = draft.finish()
            if rows is not None:
                log.add(connection, self._tenant, rows, self._appender.sealer.log_key)
            self._commit(connection)
        finally:
            self._roll_back(connection)
        if rows is not None:
            self._appender.committed(rows)
        self._committed()

    def _find_head(self, connection: Connection) -> None:
        """See what others wrote since our last commit, if anybody did."""
        version = connection.execute(sql.VERSION).get
        if self._unsure:
            log.read_again(connection, self._tenant, self._appender)
            self._unsure = False
        elif version != self._version:
            log.catch_up(connection, self._tenant, self._appender)
            self._known.forget()
        self._version = version
        self._known.trim()

    def _commit(self, connection: Connection) -> None:
        try:
            connection.execute(sql.COMMIT)
        except apsw.Error as error:
            failure = meaning_of_commit(error)
            if isinstance(failure, StoreUnsure):
                self._unsure = True
            raise failure from error

    def _roll_back(self, connection: Connection) -> None:
        """Leave no transaction open: where even that fails, the connection is not used again."""
        if connection.in_transaction:
            try:
                connection.execute(sql.ROLLBACK)
            except apsw.Error:
                self._unsure = True

    def _fail(self, error: Exception) -> None:
        """Nothing of the group was stored: also what failed alone did so against a state that never was."""
        self._known.forget()
        alone = len(self._begun) == 1
        for unit in self._begun:
            unit.error = error if alone else copy(error)

    def _answer(self) -> None:
        """Hand results and errors to those who wait, with one call for each event loop."""
        loops: dict[asyncio.AbstractEventLoop, list[Unit]] = {}
        for unit in self._begun:
            loops.setdefault(unit.loop, []).append(unit)
        self._begun = ()
        for loop, units in loops.items():
            with suppress(RuntimeError):  # its loop has ended: nobody waits any more
                loop.call_soon_threadsafe(_deliver, units)

    def _tidy(self) -> None:
        """Move the WAL's frames into the file when they are many. Nothing depends on its success: they stay where
        they are, and the next commit meets the same trouble and says so."""
        if self._pages < CHECKPOINT_PAGES:
            self._mark = CHECKPOINT_PAGES
        if self._pages < self._mark or self._unsure:
            return
        with suppress(apsw.Error):
            if self._pages >= CROWDED_PAGES:
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
            else:
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._mark = self._pages + CHECKPOINT_PAGES

    def _connect(self) -> Connection:
        connection = connect(self._path, busy_ms=self._busy_ms, on_pages=self._count_pages)
        connection.pragma("cache_size", -WRITER_CACHE_KIB)
        return connection

    def _reconnect(self) -> Connection:
        with suppress(apsw.Error):
            self._connection.close(True)
        self._connection = self._connect()
        return self._connection

    def _count_pages(self, pages: int) -> None:
        self._pages = pages

    def _look_at_the_log(self) -> None:
        """Refuse a wrong key or a broken log before anything is asked of us."""
        try:
            self._connection.execute("BEGIN")
            try:
                log.catch_up(self._connection, self._tenant, self._appender)
            finally:
                self._connection.execute(sql.ROLLBACK)
        except (apsw.Error, InterlockError):
            self._connection.close()
            raise


def _apart(unit: Unit, transaction: Transaction) -> None:
    """One unit among several: what it did is undone when it fails, and only that."""
    connection, draft = transaction.connection, transaction.draft
    mark = draft.mark()
    if unit.flushed:
        transaction.flush()
    connection.execute(sql.SAVEPOINT)
    try:
        unit.result = unit.work(transaction)
    except _OF_ONE_UNIT as error:
        unit.error = error
        draft.back(mark)
        transaction.known.forget_unit()
        connection.execute(sql.ROLLBACK_TO)
    connection.execute(sql.RELEASE)


def _deliver(units: list[Unit]) -> None:
    for unit in units:
        if unit.future.done():
            continue
        if unit.error is None:
            unit.future.set_result(unit.result)
        else:
            unit.future.set_exception(unit.error)
