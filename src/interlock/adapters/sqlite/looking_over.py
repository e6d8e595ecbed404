"""How a store's file stands, for whoever looks after the installation: read without keys, and nothing is written."""

from pathlib import Path

import apsw
import msgspec

from interlock.adapters.sqlite.failures import meaning
from interlock.adapters.sqlite.opening import CHECKED_BYTES, Patience, examine, look_at, migrations


class StoreFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file as it is."""

    sqlite: str
    """The version of the library that reads it."""
    version: int
    """Of its schema: that of this program."""
    write_ahead: bool
    """Whether it keeps a write-ahead log, without which readers and writers wait for each other."""
    bytes: int
    wal_bytes: int
    """How long the write-ahead log's file is."""
    checked: bool
    """Whether all of it was read; not so where it is longer than what is read at every opening."""
    damage: str
    """What SQLite found wrong in it; empty where it found nothing, or did not look."""
    shared: bool
    """Whether others than its owner may read or write it."""


def look_over(path: Path, *, busy_ms: int = 2000) -> StoreFile:
    """Look at the store in `path`. Raises StoreCorrupt, StoreTooNew and StoreErrors where it cannot be opened."""
    examine(path, busy_ms=busy_ms)
    wal = path.with_name(f"{path.name}-wal")
    size = path.stat().st_size
    try:
        connection = look_at(path, Patience(busy_ms))
        try:
            mode = connection.pragma("journal_mode")
            said: str = connection.execute("PRAGMA quick_check(1)").get if size <= CHECKED_BYTES else "ok"
        finally:
            connection.close()
    except apsw.Error as error:
        raise meaning(error) from error
    return StoreFile(
        sqlite=apsw.sqlite_lib_version(),
        version=len(migrations()),
        write_ahead=mode == "wal",
        bytes=size,
        wal_bytes=wal.stat().st_size if wal.exists() else 0,
        checked=size <= CHECKED_BYTES,
        damage="" if said == "ok" else said,
        shared=bool(path.stat().st_mode & 0o077),
    )
