"""64 actors at once, beside bare group commit of the same rows: what the gate costs when syncs are shared.

The baseline inserts the very rows that the gate wrote, copied out of its store, in as many transactions of as many rows: the
same bytes into the same tables with the same indexes and triggers, and nothing decided, encoded or signed.
"""

import asyncio
import sqlite3
import time
from pathlib import Path

from bench.bare import bare_rows
from bench.gated import SIGNATURES, signature_us
from bench.measure import show
from bench.plant import bench

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
        bare_cpu, bare_wall = bare_rows(site.folder / "log.db", total, groups)
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
