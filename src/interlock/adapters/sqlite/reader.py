"""The reading connection. Each statement sees what was last committed, by any process."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from interlock.adapters.sqlite.connection import Connection, Row, Values
from interlock.adapters.sqlite.failures import meaning
from interlock.adapters.sqlite.opening import READER_CACHE_KIB, Patience, look_at
from interlock.domain.errors import StoreError


class Reader:
    """For any thread, one at a time. Raises StoreError when the file cannot be read."""

    def __init__(self, path: Path, *, busy_ms: int) -> None:
        self._connection: Connection | None = look_at(path, Patience(busy_ms))
        self._connection.pragma("cache_size", -READER_CACHE_KIB)
        self._lock = threading.Lock()

    @contextmanager
    def connection(self) -> Generator[Connection]:
        """The connection, for several statements."""
        with self._lock:
            if self._connection is None:
                raise StoreError("the store is closed")
            try:
                yield self._connection
            except (apsw.Error, UnicodeDecodeError) as error:
                raise meaning(error) from error

    def rows(self, statement: str, values: Values) -> list[Row]:
        """Every row."""
        with self._lock:
            if self._connection is None:
                raise StoreError("the store is closed")
            try:
                return self._connection.execute(statement, values).fetchall()
            except (apsw.Error, UnicodeDecodeError) as error:
                raise meaning(error) from error

    def value(self, statement: str, values: Values = ()) -> Any:
        """The single value of the first row, or None."""
        with self._lock:
            if self._connection is None:
                raise StoreError("the store is closed")
            try:
                return self._connection.execute(statement, values).get
            except (apsw.Error, UnicodeDecodeError) as error:
                raise meaning(error) from error

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
