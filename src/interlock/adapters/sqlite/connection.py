"""What we use of an `apsw` connection, typed as far as a reader needs it: a row is whatever the statement selects."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeAlias

Value: TypeAlias = str | int | bytes | None
Values: TypeAlias = tuple[Value, ...]
Row: TypeAlias = tuple[Any, ...]


class Rows(Protocol):
    """What a statement gives."""

    @property
    def get(self) -> Any:
        """The first row's only value, or None."""
        ...

    def fetchone(self) -> Row | None:
        """The first row, or None."""
        ...

    def fetchall(self) -> list[Row]:
        """Every row."""
        ...

    def __iter__(self) -> Iterator[Row]: ...


class Connection(Protocol):
    """One connection. Every method may raise apsw.Error."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction was begun and has not ended."""
        ...

    def execute(self, statements: str, bindings: Values | None = None) -> Rows:
        """Run it; what changes rows has changed them on return."""
        ...

    def executemany(self, statements: str, sequenceofbindings: Iterable[Values]) -> Rows:
        """Run it once for each of the values."""
        ...

    def pragma(self, name: str, value: Value = None) -> Any:
        """Set or read one of SQLite's settings."""
        ...

    def changes(self) -> int:
        """How many rows the last INSERT, UPDATE or DELETE touched."""
        ...

    def readonly(self, name: str) -> bool:
        """Whether the database may not be written."""
        ...

    def wal_checkpoint(self, dbname: str | None = None, mode: int = ...) -> tuple[int, int]:
        """Move frames of the WAL into the file."""
        ...

    def close(self, force: bool = False) -> None:
        """Let go of the file; `force` ignores what goes wrong."""
        ...
