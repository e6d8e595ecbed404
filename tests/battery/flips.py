"""Every byte of every row: where it is, and how it is changed."""

from collections.abc import Iterator
from typing import Final

import apsw
import msgspec

Value = None | int | float | str | bytes


class Cell(msgspec.Struct, frozen=True):
    """One stored value."""

    table: str
    key: tuple[Value, ...]
    """What identifies its row: the primary key."""
    column: str
    value: Value

    @property
    def bytes(self) -> int:
        """How many bytes there are to change; a number counts as one."""
        if isinstance(self.value, str):
            return len(self.value.encode())
        return len(self.value) if isinstance(self.value, bytes) else int(self.value is not None)

    def flipped(self, place: int) -> Value:
        """The value with one bit of one byte changed, still of its type."""
        if isinstance(self.value, bytes):
            return _flip(self.value, place)
        if isinstance(self.value, str):
            # A text stays a text: the lowest bit of an ASCII character gives another one.
            return _flip(self.value.encode(), place).decode(errors="replace")
        assert isinstance(self.value, int)
        return self.value ^ 1


def _flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


LOG: Final = ("entry", "tile")


def cells(connection: apsw.Connection, table: str) -> Iterator[Cell]:
    """Every value of a table, generated columns left out: they have no bytes of their own."""
    info = connection.execute(f"SELECT name, pk, hidden FROM pragma_table_xinfo('{table}')").fetchall()
    names = [str(name) for name, _, hidden in info if not hidden]
    keys = [str(name) for name, place, _ in sorted(info, key=lambda each: int(str(each[1]))) if place]
    for row in connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall():
        values = dict(zip(names, row, strict=True))
        key = tuple(values[name] for name in keys)
        for name in names:
            yield Cell(table, key, name, values[name])


def put(connection: apsw.Connection, cell: Cell, value: Value, now: Value) -> None:
    """Write `value` where `cell` is, which holds `now`: a key that was changed is found by what it was changed to."""
    info = connection.execute(f"SELECT name FROM pragma_table_info('{cell.table}') WHERE pk > 0 ORDER BY pk").fetchall()
    names = [str(name) for (name,) in info]
    where = " AND ".join(f"{name} IS ?" for name in names)
    key = tuple(now if name == cell.column else part for name, part in zip(names, cell.key, strict=True))
    connection.execute(f"UPDATE {cell.table} SET {cell.column} = ? WHERE {where}", (value, *key))
    assert connection.changes() == 1
