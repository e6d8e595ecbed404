"""64 actors at once, beside bare group commit of the same rows: what the gate costs when syncs are shared.

The baseline inserts the very rows that the gate wrote, copied out of its store, in as many transactions of as many rows: the
same bytes into the same tables with the same indexes and triggers, and nothing decided, encoded or signed.
"""

import asyncio
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import apsw

from bench.gated import SIGNATURES, signature_us
from bench.measure import show
from bench.plant import bench

Row = tuple[Any, ...]

ACTORS = 64
EACH = 100


async def run() -> None:
    """Measure and print."""
    async with bench() as site:
        for number in range(200):
            await site.act(number)
        before = transactions(site.folder / "log.db")

        async def actor(which: int) -> None:
            for number in range(EACH):
                await site.act((which + 1) * 10_000 + number)

        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.gather(*(actor(which) for which in range(ACTORS)))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        total = ACTORS * EACH
        groups = transactions(site.folder / "log.db") - before
        await site.plane.means.store.close()
        bare_cpu, bare_wall = bare(site.folder / "log.db", total, groups)
    signing = signature_us() * 2 * total / 1e6 + signature_us() * groups / 1e6
    gate_rate, bare_rate = total / wall, total / bare_wall
    show(
        f"{ACTORS} concurrent actors, {total:,} actions in {groups:,} transactions",
        ("", "actions/s", "share", "CPU µs an action"),
        (
            ("bare group commit of the same rows", f"{bare_rate:,.0f}", "100 %", f"{bare_cpu / total * 1e6:.0f}"),
            ("gated actions", f"{gate_rate:,.0f}", f"{gate_rate / bare_rate:.0%}", f"{cpu / total * 1e6:.0f}"),
            (
                "gated actions, signing taken off",
                f"{total / (wall - signing):,.0f}",
                f"{total / (wall - signing) / bare_rate:.0%}",
                f"{(cpu - signing) / total * 1e6:.0f}",
            ),
        ),
        f"signing: {signing / total * 1e6:.0f} µs an action ({SIGNATURES // 2} entries each, one checkpoint a transaction)",
    )


def transactions(path: Path) -> int:
    """How many checkpoints the log has: one a transaction."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        count: int = connection.execute("select count(*) from entry where checkpoint is not null").fetchone()[0]
    return count


def bare(path: Path, actions: int, groups: int) -> tuple[float, float]:
    """Write the rows of the last `actions` actions into an empty copy of the store, in `groups` transactions.

    An action's row is inserted in the first half and updated in the second, as the gate does. Gives CPU and wall seconds.
    """
    source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    columns = "place, stream, seq, action, phase, leaf_hash, checkpoint, disclosed, leaf"
    entries = list(source.execute(f"select {columns} from entry order by place desc limit {2 * actions}"))[::-1]
    rows = list(source.execute(f"select * from action order by id desc limit {actions}"))[::-1]
    schema = [str(sql) for (sql,) in source.execute("select sql from sqlite_schema where sql is not null")]
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
                        "update action set body = ?, state = 'done' where tenant = ? and id = ?", (row[-1], *row[:2])
                    )
            for entry in _part(entries, group, groups):
                target.execute(f"insert into entry({columns}) values(?,?,?,?,?,?,?,?,?)", entry)
            target.execute("commit")
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        target.close()
    return cpu, wall


def _part(rows: list[Row], which: int, of: int) -> list[Row]:
    return rows[which * len(rows) // of : (which + 1) * len(rows) // of]
