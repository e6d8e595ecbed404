"""The rows that the gate wrote, written again by a loop that does nothing else: the same bytes, tables and indexes."""

import tempfile
import time
from pathlib import Path
from typing import Any

import apsw

Row = tuple[Any, ...]


def bare_rows(path: Path, actions: int, groups: int) -> tuple[float, float]:
    """Write the rows of the last `actions` actions into an empty copy of the store, in `groups` transactions.

    An action's row is inserted in the first half and updated in the second, as the gate does. Gives CPU and wall seconds.
    """
    source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    columns = "place, stream, seq, action, phase, leaf_hash, checkpoint, disclosed, leaf, sealed"
    entries = list(source.execute(f"select {columns} from entry order by place desc limit {2 * actions}"))[::-1]
    rows = list(source.execute(f"select * from action order by id desc limit {actions}"))[::-1]
    schema = [str(sql) for (sql,) in source.execute("select sql from sqlite_schema where sql is not null")]
    names = [str(row[1]) for row in source.execute("pragma table_info(action)")]
    key, values = (names.index("tenant"), names.index("id")), (names.index("body"), names.index("sealed"))
    source.close()
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        target = apsw.Connection(f"{folder}/bare.db")
        target.execute("pragma journal_mode=wal")
        target.execute("pragma synchronous=full")
        for sql in schema:
            target.execute(sql)
        marks = ",".join("?" * len(rows[0]))
        half = max(groups // 2, 1)
        cpu, wall = time.process_time(), time.perf_counter()
        for group in range(groups):
            target.execute("begin immediate")
            for row in _part(rows, group % half, half):
                if group < half:
                    target.execute(f"insert or ignore into action values({marks})", row)
                else:
                    target.execute(
                        "update action set body = ?, sealed = ?, state = 'done' where tenant = ? and id = ?",
                        tuple(row[each] for each in (*values, *key)),
                    )
            for entry in _part(entries, group, groups):
                target.execute(f"insert into entry({columns}) values(?,?,?,?,?,?,?,?,?,?)", entry)
            target.execute("commit")
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        target.close()
    return cpu, wall


def _part(rows: list[Row], which: int, of: int) -> list[Row]:
    return rows[which * len(rows) // of : (which + 1) * len(rows) // of]
