"""What is done to the records of anybody: lines of a file, or rows of a table. It knows nothing of whose they are."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec


class Records(msgspec.Struct, frozen=True):
    """Where somebody's records lie."""

    kind: str
    path: str
    table: str = ""
    order: str = ""

    def count(self, folder: Path) -> int:
        """How many there are; none where the file is missing."""
        path = folder / self.path
        if not path.exists():
            return 0
        if self.kind == "jsonl":
            return len(path.read_bytes().splitlines())
        with sqlite3.connect(path) as database:
            return int(database.execute(f"SELECT count(*) FROM {self.table}").fetchone()[0])


Op = Callable[[Records, Path], object]


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Op:
    def op(records: Records, folder: Path) -> None:
        path = folder / records.path
        path.write_bytes(b"".join(line + b"\n" for line in change(path.read_bytes().splitlines())))

    return op


def _rows(change: Callable[[sqlite3.Connection, Records, list[int]], object]) -> Op:
    def op(records: Records, folder: Path) -> None:
        with _freed(records, folder) as database:
            places = [
                row[0]
                for row in database.execute(f"SELECT {records.order} FROM {records.table} ORDER BY {records.order}")
            ]
            change(database, records, places)
            database.commit()

    return op


def _freed(records: Records, folder: Path) -> sqlite3.Connection:
    """The database with its triggers taken off, as whoever owns the file can."""
    database = sqlite3.connect(folder / records.path)
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f'DROP TRIGGER "{name}"')
    return database


def _columns(database: sqlite3.Connection, records: Records) -> list[str]:
    info = database.execute(f"SELECT name, hidden FROM pragma_table_xinfo('{records.table}')").fetchall()
    return [name for name, hidden in info if not hidden]


def _contents(database: sqlite3.Connection, records: Records) -> list[str]:
    """The columns but the order, and what only numbers the rows."""
    return [name for name in _columns(database, records) if name not in {records.order, "id"}]


def _drop(which: slice) -> Callable[[sqlite3.Connection, Records, list[int]], object]:
    def drop(database: sqlite3.Connection, records: Records, places: list[int]) -> None:
        for place in places[which]:
            database.execute(f"DELETE FROM {records.table} WHERE {records.order} = ?", (place,))

    return drop


def _swap(database: sqlite3.Connection, records: Records, places: list[int]) -> None:
    names = _contents(database, records)
    one, other = places[len(places) // 2 - 1], places[len(places) // 2]
    listed = ", ".join(names)
    rows = {
        place: database.execute(f"SELECT {listed} FROM {records.table} WHERE {records.order} = ?", (place,)).fetchone()
        for place in (one, other)
    }
    marks = ", ".join("?" * (len(names) + 1))
    _drop(slice(None))(database, records, [one, other])
    for place, row in ((one, rows[other]), (other, rows[one])):
        database.execute(f"INSERT INTO {records.table} ({records.order}, {listed}) VALUES ({marks})", (place, *row))


def _double(database: sqlite3.Connection, records: Records, places: list[int]) -> None:
    names = _contents(database, records)
    listed = ", ".join(names)
    database.execute(
        f"INSERT INTO {records.table} ({records.order}, {listed}) SELECT ?, {listed} FROM {records.table}"
        f" WHERE {records.order} = ?",
        (places[-1] + 1, places[-1]),
    )


def _gone(records: Records, folder: Path) -> None:
    for path in folder.glob(f"{records.path}*"):
        path.unlink()


OPS: dict[str, dict[str, Op]] = {
    "jsonl": {
        "a record taken out of the middle": _lines(
            lambda lines: lines[: len(lines) // 2] + lines[len(lines) // 2 + 1 :]
        ),
        "two records exchanged": _lines(
            lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
        ),
        "the last record doubled": _lines(lambda lines: [*lines, lines[-1]]),
        "the last two records cut off": _lines(lambda lines: lines[:-2]),
        "all but the first record cut off": _lines(lambda lines: lines[:1]),
        "the records emptied": _lines(lambda _: []),
        "the file gone": _gone,
    },
    "sqlite": {
        "a record taken out of the middle": _rows(lambda d, r, p: _drop(slice(len(p) // 2, len(p) // 2 + 1))(d, r, p)),
        "two records exchanged": _rows(_swap),
        "the last record doubled": _rows(_double),
        "the last two records cut off": _rows(_drop(slice(-2, None))),
        "all but the first record cut off": _rows(_drop(slice(1, None))),
        "the records emptied": _rows(_drop(slice(None))),
        "the file gone": _gone,
    },
}


def edits(records: Records, folder: Path) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Every field of the record in the middle, by name, and what changes it in a copy of the folder."""
    if records.kind == "jsonl":
        lines = (folder / records.path).read_bytes().splitlines()
        said = json.loads(lines[len(lines) // 2])
        for path in _leaves(said):
            yield ".".join(map(str, path)), _line_edit(records, path)
        return
    with sqlite3.connect(folder / records.path) as database:
        for name in _contents(database, records):
            yield name, _cell_edit(records, name)


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _leaves(each, (*path, key))
    elif isinstance(value, list) and value:
        for place, each in enumerate(value):
            yield from _leaves(each, (*path, place))
    else:
        yield path


def _other(value: Any) -> Any:
    """Another value of the same type, or a text where there was none."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return ("1" if value[:1] == "0" else "0") + value[1:]
    if isinstance(value, bytes):
        return value[:20] + bytes([value[20] ^ 1]) + value[21:] if len(value) > 20 else b"x" + value
    return "forged"


def _line_edit(records: Records, path: tuple[Any, ...]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        file = folder / records.path
        lines = file.read_bytes().splitlines()
        said = json.loads(lines[len(lines) // 2])
        place = said
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = _other(place[path[-1]])
        # Written as whoever wrote it would have: sorted or not, the text must not be what gives it away.
        compact = b'": ' not in lines[0]
        text = json.dumps(said, separators=(",", ":") if compact else None)
        lines[len(lines) // 2] = text.encode()
        file.write_bytes(b"".join(line + b"\n" for line in lines))

    return edit


def _cell_edit(records: Records, name: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        with _freed(records, folder) as database:
            places = database.execute(
                f"SELECT {records.order} FROM {records.table} ORDER BY {records.order}"
            ).fetchall()
            (place,) = places[len(places) // 2]
            (value,) = database.execute(
                f"SELECT {name} FROM {records.table} WHERE {records.order} = ?", (place,)
            ).fetchone()
            try:
                database.execute(
                    f"UPDATE {records.table} SET {name} = ? WHERE {records.order} = ?", (_other(value), place)
                )
            except sqlite3.IntegrityError:
                # The table's own rule forbids this value; a longer one of the same kind then.
                database.execute(
                    f"UPDATE {records.table} SET {name} = {name} || 'x' WHERE {records.order} = ?", (place,)
                )
            database.commit()

    return edit
