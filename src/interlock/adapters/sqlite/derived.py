"""A file of its own beside the store that is read from the log: how far it has read, and that it can be thrown away.

It is not evidence and not durable to the last commit: what is lost is read from the log again. A file of another version,
or a damaged one, is thrown away.
"""

import contextlib
import os
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Final, Self, TypeVar, cast

import anyio.to_thread
import apsw

from interlock.adapters.sqlite.connection import Connection, Value
from interlock.adapters.sqlite.failures import meaning
from interlock.domain.errors import IndexDamaged, StoreBusy, StoreCorrupt, StoreError, StoreFull
from interlock.ports.derived import Reached

T = TypeVar("T")

BUSY_MS: Final = 10_000

_META: Final = "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"


class Derived:
    """One connection, used by one thread at a time. Subclasses say what stands in the file."""

    VERSION: ClassVar[int]
    APPLICATION_ID: ClassVar[int]
    """Four letters in the file's header."""
    SCHEMA: ClassVar[str]
    TABLES: ClassVar[tuple[str, ...]]
    """What is emptied to begin again."""

    def __init__(self, connection: Connection, path: Path | None) -> None:
        self._connection = connection
        self._path = path
        self._lock = Lock()
        self._closed = False
        self._key = b""
        """Random, of this file: what is personal stands in it as digests under this key."""
        self._version = 0
        """Of the file when the key was last read: another one where another process wrote since."""
        self._damaged = False
        """Then it is not emptied but thrown away."""

    @classmethod
    def open(cls, path: Path | None) -> Self:
        """What is in the file at `path`, made where there is none; None keeps it in memory. Raises StoreError."""
        for last in (False, True):
            try:
                return cls._opened(path)
            except (StoreBusy, StoreFull):
                raise  # it is in use, or there is no room: that is no reason to throw it away
            except StoreError:
                if last or path is None:
                    raise
                discard(path)
        raise AssertionError("the second attempt returns or raises")

    @classmethod
    def _opened(cls, path: Path | None) -> Self:
        with meant(), contextlib.ExitStack() as undo:
            found = cls(_connected(path), path)
            undo.callback(found._let_go)
            found._prepare()
            undo.pop_all()
            return found

    async def reached(self) -> Reached:
        """See `Derived.reached`."""
        return await self._run(self._reached)

    async def clear(self) -> None:
        """See `Derived.clear`."""
        await self._run(self._clear)

    async def close(self) -> None:
        """See `Derived.close`."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._connection.close()

    async def _run(self, work: Callable[[], T]) -> T:
        def alone() -> T:
            with self._lock:
                try:
                    with meant():
                        return work()
                except IndexDamaged:
                    self._damaged = True
                    raise

        return await anyio.to_thread.run_sync(alone)

    # -- one thread at a time -------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        pragma = self._connection.pragma
        pragma("journal_mode", "wal")
        pragma("synchronous", "normal")
        pragma("secure_delete", 1)
        pragma("trusted_schema", 0)
        pragma("cache_size", -32_768)
        with self._writing():
            if pragma("user_version") == 0 and pragma("application_id") == 0:
                self._connection.execute(_META + self.SCHEMA)
                self._connection.execute("INSERT INTO meta VALUES ('key', ?)", (secrets.token_bytes(32),))
                pragma("user_version", self.VERSION)
                pragma("application_id", self.APPLICATION_ID)
        if pragma("user_version") != self.VERSION or pragma("application_id") != self.APPLICATION_ID:
            raise StoreError("the file is of another version")
        self._read_key()

    def _read_key(self) -> None:
        self._key = cast(bytes, self._connection.execute("SELECT value FROM meta WHERE name = 'key'").get)

    def _forgotten(self) -> None:
        """What is kept at hand of the file may not be there any more."""

    def _look_again(self) -> None:
        """Within a transaction: if another process wrote since, what is at hand may be other, and so may the key."""
        version = cast(int, self._connection.pragma("data_version"))
        if version != self._version:
            self._forgotten()
            self._read_key()
            self._version = version

    @contextmanager
    def _reading(self) -> Generator[None]:
        """One state of the file, whatever others write meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    @contextmanager
    def _writing(self) -> Generator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        done = False
        try:
            yield
            self._connection.execute("COMMIT")
            done = True
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if not done:
                self._forgotten()  # what was made in it is not there

    def _reached(self) -> Reached:
        found = self._connection.execute("SELECT name, value FROM meta").fetchall()
        rows: dict[str, Any] = {row[0]: row[1] for row in found}
        return Reached(rows.get("next", 0), rows.get("leaf", b""))

    def _step(self, given: Reached, now: Reached, work: Callable[[], None]) -> bool:
        """Do `work` and note that `now` is read, in one transaction. False, and nothing done, where the file is not (any
        more) at `given`: another process was faster."""
        with self._writing():
            if self._reached() != given:
                return False
            self._look_again()
            work()
            self._note("next", now.next)
            self._note("leaf", now.leaf)
        return True

    def _sweep(self) -> None:
        """Leave nothing of what was forgotten in the WAL either."""
        self._forgotten()
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _clear(self) -> None:
        if not self._damaged or self._path is None:
            self._empty()
        else:
            self._let_go()
            discard(self._path)
            self._connection = _connected(self._path)
            self._prepare()
            self._damaged = False
        self._forgotten()

    def _let_go(self) -> None:
        self._connection.close(True)

    def _empty(self) -> None:
        with self._writing():
            for name in self.TABLES:
                self._connection.execute(f"DELETE FROM {name}")  # noqa: S608  our own words
            self._connection.execute("DELETE FROM meta WHERE name IN ('next', 'leaf')")
            self._note("key", secrets.token_bytes(32))
        self._read_key()

    def _note(self, name: str, value: Value) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def _connected(path: Path | None) -> Connection:
    if path is not None:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    raw = apsw.Connection(":memory:" if path is None else str(path))
    raw.set_busy_timeout(BUSY_MS)
    return cast(Connection, raw)


def discard(path: Path) -> None:
    """Throw the file away, with what belongs to it."""
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        each.unlink(missing_ok=True)


@contextmanager
def meant() -> Generator[None]:
    """Errors of SQLite and of the disk by the names of ours."""
    try:
        yield
    except apsw.Error as error:
        found = meaning(error)
        if isinstance(found, StoreCorrupt):
            raise IndexDamaged(f"the index over the log is damaged: {error}") from error
        raise found from error
    except OSError as error:
        raise StoreError(f"the index cannot be made: {error.strerror}") from error
