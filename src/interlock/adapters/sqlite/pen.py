"""The connection that writes, and what one transaction of it does.

1. Pass the turnstile, BEGIN IMMEDIATE, see what others wrote. *Nothing was written.*
2. Each unit in a savepoint of its own: one that fails is undone and answered alone.
3. Budgets drawn on, entries, full tiles, one signed checkpoint for all that succeeded. *A crash before 4 leaves nothing.*
4. COMMIT, synced. *A crash after it leaves everything; only the answers are lost.*
5. Move head and stream on, let the next process in, wake whoever waits for changes.

When COMMIT itself fails without saying whether it stored, every unit is answered StoreUnsure, and the next transaction
begins by opening the file again and reading head and stream from it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Final

import apsw

from interlock.adapters.appending import Appender
from interlock.adapters.sqlite import log
from interlock.adapters.sqlite import statements as sql
from interlock.adapters.sqlite.connection import Connection
from interlock.adapters.sqlite.failures import meaning, meaning_of_commit
from interlock.adapters.sqlite.opening import WRITER_CACHE_KIB, Patience, connect
from interlock.adapters.sqlite.saving import Known, Transaction, Work
from interlock.adapters.sqlite.turnstile import Turnstile
from interlock.adapters.sqlite.veil import Veil
from interlock.domain.errors import InterlockError, StoreUnsure
from interlock.ports.sealer import Sealer

CHECKPOINT_PAGES: Final = 4_000
"""When the WAL has so many pages (16 MB), they are moved into the file."""

CROWDED_PAGES: Final = 16_000
"""When it has so many all the same, other processes kept adding: they are made to wait while we finish."""

TIDY_MS: Final = 100
"""So long we wait for readers then: one that stays (a backup, somebody's shell) must not hold up the writers."""

_OF_ONE_UNIT: Final = (InterlockError, ValueError, TypeError, OverflowError, OSError, apsw.TooBigError)
"""What a unit alone can be at fault for: its own conflict, or a record or fact that cannot be written or signed."""


_UNANSWERED: Final = StoreUnsure("the store was stopped by an error that nobody foresaw")


class Unit:
    """One piece of work and what came of it. `flushed`: it must find the rows of budgets as the draws before left them."""

    __slots__ = ("error", "flushed", "result", "work")

    def __init__(self, work: Work, *, flushed: bool = False) -> None:
        self.work = work
        self.flushed = flushed
        self.result: object = None
        self.error: Exception | None = _UNANSWERED


class Pen:
    """One process's. Not for two threads at once. `committed` is called after every commit."""

    def __init__(
        self, path: Path, tenant: int, sealer: Sealer, veil: Veil, *, busy_ms: int, committed: Callable[[], None]
    ) -> None:
        self._path = path
        self._tenant = tenant
        self._veil = veil
        self._busy_ms = busy_ms
        self._patience = Patience(busy_ms)
        self._committed = committed
        self._appender = Appender(sealer)
        self._known = Known()
        self._version = 0
        self._unsure = False
        self._pages = 0
        self._mark = CHECKPOINT_PAGES
        self._connection = self._connect()
        self._look_at_the_log()
        self._turnstile = Turnstile(path)

    def write(self, units: Sequence[Unit], *, wait: bool = True) -> bool:
        """Make `units` one durable transaction and give each its result or its error.

        Without `wait` it is False, and nothing was done, when another process is in the way.
        """
        try:
            if not self._begin(wait=wait):
                return False
            self._transaction(units)
        except (apsw.Error, UnicodeDecodeError) as error:
            _fail(units, meaning(error))
        except (InterlockError, ValueError, TypeError, OSError) as error:
            _fail(units, error)
        finally:
            self._turnstile.leave()
        return True

    @property
    def crowded(self) -> bool:
        """Whether it is time to `tidy`."""
        return self._pages >= self._mark

    def tidy(self) -> None:
        """Move the WAL's frames into the file. Nothing depends on its success: they stay where they are, and the next
        commit meets the same trouble and says so."""
        self._patience.limit_ms = TIDY_MS
        with suppress(apsw.Error):
            if self._pages >= CROWDED_PAGES:
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
            else:
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._mark = self._pages + CHECKPOINT_PAGES

    def end(self) -> None:
        """Record that this process's stream ends here. Where that fails it stays open, which is no more than it says."""
        if self._appender.seq or self._unsure:
            self.write((Unit(_end),))

    def close(self) -> None:
        """Let go of the file. The last process to do so moves the whole WAL into it."""
        self._turnstile.close()
        with suppress(apsw.Error):  # the frames are safe where they are
            self._connection.close()

    def _begin(self, *, wait: bool) -> bool:
        """Begin a transaction when it is our turn; False if it is not and we are not to wait."""
        connection = self._reconnect() if self._unsure else self._connection
        if self._turnstile.alone and self._begun(connection, wait=False):
            return True
        if not self._turnstile.enter(wait=wait):
            return False
        return self._begun(connection, wait=wait)

    def _begun(self, connection: Connection, *, wait: bool) -> bool:
        self._patience.limit_ms = self._busy_ms if wait else 0
        try:
            connection.execute(sql.BEGIN)
        except apsw.BusyError:
            if wait:
                raise
            return False
        return True

    def _transaction(self, units: Sequence[Unit]) -> None:
        connection = self._connection
        stored = False
        try:
            self._find_head(connection)
            draft = self._appender.draft()
            transaction = Transaction(connection, self._tenant, self._known, draft, self._veil, {})
            if len(units) == 1:
                units[0].result = units[0].work(transaction)
            else:
                for unit in units:
                    _apart(unit, transaction)
            transaction.flush()
            rows = draft.finish()
            if rows is not None:
                log_key = self._appender.sealer.log_key
                log.add(connection, self._tenant, rows, log_key, self._veil, transaction.numbers)
            self._commit(connection)
            stored = True
        finally:
            if not stored:
                self._known.forget()
                self._roll_back(connection)
        if rows is not None:
            self._appender.committed(rows)
        for unit in units:
            if unit.error is _UNANSWERED:
                unit.error = None
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

    def _connect(self) -> Connection:
        connection = connect(self._path, self._patience, on_pages=self._count_pages)
        connection.pragma("cache_size", -WRITER_CACHE_KIB)
        return connection

    def _reconnect(self) -> Connection:
        with suppress(apsw.Error):
            self._connection.close(True)
        self._connection = self._connect()
        return self._connection

    def _count_pages(self, pages: int) -> None:
        if pages < self._pages:
            self._mark = CHECKPOINT_PAGES
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


def _end(transaction: Transaction) -> None:
    transaction.draft.end()


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
        unit.error = meaning(error) if isinstance(error, UnicodeDecodeError) else error
        draft.back(mark)
        transaction.known.forget_unit()
        connection.execute(sql.ROLLBACK_TO)
    connection.execute(sql.RELEASE)


def _fail(units: Sequence[Unit], error: Exception) -> None:
    """Nothing of the group was stored: also what failed alone did so against a state that never was."""
    for unit in units:
        unit.error = error if len(units) == 1 else copy(error)
