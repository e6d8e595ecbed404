"""Opening the file: is it ours, whole, writable, and of a version we know? If not, nothing is written to it."""

import errno
import os
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Final, cast

import apsw

from interlock.adapters.sqlite import statements as sql
from interlock.adapters.sqlite.connection import Connection
from interlock.adapters.sqlite.failures import meaning
from interlock.domain.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull, StoreReadOnly, StoreTooNew

OLDEST_SQLITE: Final = (3, 51, 3)
"""Versions before it can corrupt a WAL that several connections write and checkpoint (mended in 3.51.3, March 2026)."""

APPLICATION_ID: Final = 0x696E746C
"""`intl` in the file's header says that it is ours."""

CHECKED_BYTES: Final = 8 * 1024 * 1024
"""Up to this size the whole file is checked at every opening."""

WRITER_CACHE_KIB: Final = 16_384
READER_CACHE_KIB: Final = 8_192
LARGEST_KEPT_WAL: Final = 64 * 1024 * 1024
"""A WAL that grew beyond it is cut back to it once its frames are in the file."""

_HERE: Final = "interlock.adapters.sqlite"
_NUMBERED: Final = re.compile(r"(\d{4})_\w+\.sql")
_FLAGS: Final = apsw.SQLITE_OPEN_READWRITE
_BUSY_POLL_S: Final = 0.0005


class Patience:
    """How long a connection waits for a lock, at a steady pace: `limit_ms`, which may be changed between statements.

    SQLite's own sleeps grow to 100 ms, in which a busy process always wins.
    """

    def __init__(self, limit_ms: int) -> None:
        self.limit_ms = limit_ms
        self._until = 0.0

    def __call__(self, tries: int) -> bool:
        """SQLite asks, and has asked `tries` times for this lock, whether to try again."""
        if not self.limit_ms:
            return False
        if tries == 0:
            self._until = time.monotonic() + self.limit_ms / 1000
        time.sleep(_BUSY_POLL_S)
        return time.monotonic() < self._until


def migrations() -> list[str]:
    """The steps of the schema, in order; step n makes version n."""
    found = sorted(
        (int(match[1]), each.read_text("utf-8"))
        for each in (files(_HERE) / "migrations").iterdir()
        if (match := _NUMBERED.fullmatch(each.name))
    )
    if not found or [number for number, _ in found] != list(range(1, len(found) + 1)):
        raise StoreError("a migration is missing", next_step="install Interlock again")
    return [text for _, text in found]


def prepare(
    path: Path, tenant: str, *, busy_ms: int, steps: Sequence[str] | None = None, thorough: bool = False
) -> int:
    """Create the file if there is none, check it, bring its schema up to date, and give the tenant's number in it.

    `thorough` checks the whole file however large. Raises StoreCorrupt, StoreTooNew, StoreReadOnly, StoreFull, StoreBusy.
    """
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < OLDEST_SQLITE:
        raise StoreError(
            f"SQLite {apsw.sqlite_lib_version()} can damage the file", next_step="install a current `apsw`"
        )
    create_file(path)
    try:
        connection = connect(path, Patience(busy_ms))
        try:
            _prepare(connection, path, steps or migrations(), busy_ms=busy_ms, thorough=thorough)
            return _number(connection, tenant)
        finally:
            connection.close()
    except apsw.Error as error:
        raise meaning(error) from error


def examine(path: Path, *, busy_ms: int) -> None:
    """Raise unless the file at `path` is a store of a version we know. Nothing is written."""
    try:
        connection = look_at(path, Patience(busy_ms))
        try:
            version = _version(connection, len(migrations()), path)
        finally:
            connection.close()
    except apsw.Error as error:
        raise meaning(error) from error
    if not version:
        raise StoreCorrupt(f"`{path}` is not a store of Interlock")
    if version < len(migrations()):
        raise StoreError(
            f"the store `{path}` is of version {version}, older than this program",
            next_step="bring it up to date with any command that writes: `interlock work --until-idle`",
        )


def connect(path: Path, patience: Patience, *, on_pages: Callable[[int], None] | None = None) -> Connection:
    """A connection on which every commit survives a loss of power. `on_pages` hears how many pages the WAL has after
    each. Raises apsw.Error, and StoreError for a file that cannot be opened at all."""
    try:
        raw = apsw.Connection(str(path), flags=_FLAGS)
    except apsw.CantOpenError as error:
        raise _unopened(path, error) from error
    raw.set_busy_handler(patience)
    # Frames are moved into the file by the writer, after it has answered: never inside a COMMIT somebody waits for.
    raw.wal_autocheckpoint(0)
    if on_pages is not None:
        raw.set_wal_hook(partial(_heard, on_pages))
    connection = cast(Connection, raw)
    connection.pragma("synchronous", "full")
    connection.pragma("temp_store", "memory")
    connection.pragma("trusted_schema", 0)
    connection.pragma("journal_size_limit", LARGEST_KEPT_WAL)
    return connection


def look_at(path: Path, patience: Patience) -> Connection:
    """A connection that cannot write. In a folder that nobody here may write the file is taken not to change, since
    SQLite needs files beside it otherwise; not so where a WAL says that it had not come to rest. Raises apsw.Error."""
    resting = not _writable(path.parent) and not path.with_name(f"{path.name}-wal").exists()
    if resting:
        try:
            flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
            still = apsw.Connection(f"{path.as_uri()}?immutable=1", flags=flags)
        except apsw.CantOpenError as error:
            raise _unopened(path, error) from error
        return cast(Connection, still)
    connection = connect(path, patience)
    connection.pragma("query_only", 1)
    return connection


def _unopened(path: Path, error: apsw.CantOpenError) -> StoreError:
    """Which file it is, store or vault, and whether it is for want of permission: SQLite says neither."""
    if path.is_file() and not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        return StoreError(
            f"permission to read `{path}` is denied",
            next_step="run this as the user whose file it is, or give that file and its folder to who runs this",
        )
    return StoreError(f"`{path}` cannot be opened: {error}")


def _writable(folder: Path) -> bool:
    """Whether files can be made in it by whom we act for, where the system can tell that from who we are."""
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def create_file(path: Path) -> None:
    """Make an empty file that only its owner may read: SQLite gives its companions the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        said = f"the store's file `{path}` cannot be made: {error.strerror}"
        match error.errno:
            case errno.EACCES | errno.EPERM | errno.EROFS:
                raise StoreReadOnly(said) from error
            case errno.ENOSPC | errno.EDQUOT:
                raise StoreFull(said) from error
            case _:
                raise StoreError(said) from error


def _prepare(connection: Connection, path: Path, steps: Sequence[str], *, busy_ms: int, thorough: bool) -> None:
    if connection.readonly("main") or not _writable(path.parent):
        raise StoreReadOnly(f"the store's file `{path}` and its folder must be writable")
    version = _version(connection, len(steps), path)
    if thorough or path.stat().st_size <= CHECKED_BYTES:
        found = connection.execute("PRAGMA quick_check(1)").get
        if found != "ok":
            raise StoreCorrupt(f"the store's file `{path}` is damaged: {found}")
    write_ahead(connection, busy_ms)
    if version < len(steps):
        _migrate(connection, steps, path)


def _version(connection: Connection, known: int, path: Path) -> int:
    """The schema's version; 0 for a new file. Raises when the file is not ours or too new."""
    # As of one moment: somebody may be making the store right now.
    connection.execute("SAVEPOINT looked")
    try:
        owner = connection.pragma("application_id")
        version = connection.pragma("user_version")
        foreign = owner != APPLICATION_ID
        foreign = foreign and bool(owner or version or connection.execute("SELECT 1 FROM sqlite_schema").get)
    finally:
        connection.execute("RELEASE looked")
    if foreign:
        raise StoreCorrupt(f"`{path}` is a database, but not a store of Interlock")
    if not isinstance(version, int) or version > known:
        raise StoreTooNew(f"the store `{path}` is of version {version}, and this program knows versions up to {known}")
    return version


def write_ahead(connection: Connection, busy_ms: int) -> None:
    """Have the file keep a write-ahead log; other processes may be at it."""
    _until(busy_ms, lambda: _write_ahead(connection))


def _write_ahead(connection: Connection) -> None:
    if connection.pragma("journal_mode", "wal") != "wal":
        raise StoreError("the store's file system cannot keep a write-ahead log", next_step="use a local disk")


def _migrate(connection: Connection, steps: Sequence[str], path: Path) -> None:
    """Take the missing steps, all in one transaction, under the write lock: whoever comes second finds them taken."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        taken = _version(connection, len(steps), path)
        connection.pragma("application_id", APPLICATION_ID)
        for number, step in enumerate(steps[taken:], start=taken + 1):
            connection.execute(step)
            connection.pragma("user_version", number)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _number(connection: Connection, tenant: str) -> int:
    found: int | None = connection.execute(sql.TENANT, (tenant,)).get
    if found is None:
        connection.execute(sql.ADD_TENANT, (tenant,))
        found = cast(int, connection.execute(sql.TENANT, (tenant,)).get)
    return found


def _heard(on_pages: Callable[[int], None], _raw: apsw.Connection, _database: str, pages: int) -> int:
    on_pages(pages)
    return apsw.SQLITE_OK


def _until(busy_ms: int, attempt: Callable[[], None]) -> None:
    """Repeat what SQLite gives up at once when somebody else is at it."""
    until = time.monotonic() + busy_ms / 1000
    while True:
        try:
            return attempt()
        except (apsw.BusyError, apsw.LockedError) as error:
            if time.monotonic() >= until:
                raise StoreBusy(f"another process holds the store: {error}") from error
            time.sleep(_BUSY_POLL_S * 10)
