"""64 actors at once, beside bare group commit of the same rows: what the gate costs when syncs are shared.

The baseline inserts the very rows that the gate wrote, copied out of its store, in as many transactions of as many rows: the
same bytes into the same tables with the same indexes and triggers, and nothing decided, encoded or signed.
"""

import asyncio
import shutil
import sqlite3
import time
from pathlib import Path

import apsw

from bench.gated import SIGNATURES, signature_us
from bench.measure import show
from bench.site import bench

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
        count: int = connection.execute("select count(*) from checkpoint").fetchone()[0]
    return count


def bare(path: Path, actions: int, groups: int) -> tuple[float, float]:
    """Insert the rows of the last `actions` actions into an empty copy of the store, in `groups` transactions."""
    empty = path.with_name("bare.db")
    source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    tables = [
        str(name)
        for (name,) in source.execute(
            "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name"
        )
        if name in ("action", "entry", "disclosure", "tile", "checkpoint")
    ]
    rows = {table: list(source.execute(f"select * from {table}")) for table in tables}
    schema = [str(sql) for (sql,) in source.execute("select sql from sqlite_schema where sql is not null")]
    source.close()
    target = apsw.Connection(str(empty))
    target.execute("pragma journal_mode=wal")
    target.execute("pragma synchronous=full")
    for sql in schema:
        target.execute(sql)
    share = actions / max(len(rows["action"]), 1)
    insert = {
        table: f"insert into {table} values({','.join('?' * len(rows[table][0]))})" for table in tables if rows[table]
    }
    parts = {table: rows[table][-int(len(rows[table]) * share) :] for table in insert}
    cpu, wall = time.process_time(), time.perf_counter()
    for group in range(groups):
        target.execute("begin immediate")
        for table, sql in insert.items():
            mine = parts[table]
            size = len(mine)
            for row in mine[group * size // groups : (group + 1) * size // groups]:
                target.execute(sql, row)
        target.execute("commit")
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    target.close()
    shutil.rmtree(empty, ignore_errors=True)
    return cpu, wall
