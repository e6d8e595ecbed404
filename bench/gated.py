"""A gated action in process (allowed; intent and outcome durable and signed) beside two bare commits of as many bytes.

The baseline is what no durable gate can do without: two transactions, each synced, on the same disk with the same SQLite,
that store what the gate stores for one action as one opaque row each. Beside it the same two commits with the very rows
and indexes of the store: what the shape of the store costs before anything is decided, encoded or signed.
"""

import os
import tempfile
import time
from pathlib import Path

import apsw
import nacl.bindings

from bench.bare import bare_rows
from bench.measure import CountingVfs, Spread, percentile, show, spread
from bench.plant import bench

COUNT = 2_000
ROUNDS = 3
SIGNATURES = 4
"""Two entries and two checkpoints."""


async def run() -> None:
    """Measure in turns, so that both see the same machine, and print."""
    ours, bare, rows = list[Spread](), list[Spread](), list[float]()
    bytes_each = 0.0
    for _ in range(ROUNDS):
        async with bench() as site:
            size = (site.folder / "log.db").stat().st_size
            ours.append(await spread(site.act, COUNT))
            await site.plane.means.store.close()
            bytes_each = ((site.folder / "log.db").stat().st_size - size) / COUNT
            rows.append(bare_rows(site.folder / "log.db", COUNT, 2 * COUNT)[0] / COUNT * 1e6)
        bare.append(await spread_bare(int(bytes_each / 2)))
    ours.sort(key=lambda each: each.p50)
    bare.sort(key=lambda each: each.p50)
    gate, floor, shape = ours[ROUNDS // 2], bare[ROUNDS // 2], sorted(rows)[ROUNDS // 2]
    signing = signature_us() * SIGNATURES
    syncs = await syncs_each()
    show(
        f"A gated action in process, {ROUNDS} rounds of {COUNT:,}, the median round",
        ("", "CPU p50 µs", "CPU p99 µs", "wall p50 µs", "ratio of p50"),
        (
            ("two bare synced commits of as many bytes", *_figures(floor), "1.00"),
            ("the same with the store's own rows and indexes", f"{shape:.0f}", "", "", f"{shape / floor.p50:.2f}"),
            ("gated action: decide, intent, call, outcome", *_figures(gate), f"{gate.p50 / floor.p50:.2f}"),
            ("  of which four signatures", f"{signing:.0f}", "", "", f"{signing / floor.p50:.2f}"),
        ),
        f"{syncs:.2f} syncs and {bytes_each:,.0f} bytes an action, checkpoints of SQLite included",
    )


def _figures(each: Spread) -> tuple[str, str, str]:
    return f"{each.p50:.0f}", f"{each.p99:.0f}", f"{each.wall_p50:.0f}"


async def syncs_each() -> float:
    """Syncs of an action, counted below SQLite."""
    vfs = CountingVfs()
    try:
        async with bench() as site:
            await site.act(0)
            before = vfs.syncs
            for number in range(1, 501):
                await site.act(number)
            return (vfs.syncs - before) / 500
    finally:
        vfs.unregister()


async def spread_bare(size: int) -> Spread:
    """Two transactions of one row of `size` bytes each, durable as the store's are."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        connection = apsw.Connection(f"{folder}/bare.db")
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        connection.execute("create table row(id integer primary key, body blob)")
        body = os.urandom(size)

        async def two(number: int) -> None:
            del number
            for _ in range(2):
                connection.execute("begin immediate")
                connection.execute("insert into row(body) values(?)", (body,))
                connection.execute("commit")

        result = await spread(two, COUNT)
        connection.close()
        return result


def signature_us() -> float:
    """The median CPU of one Ed25519 signature over 2 kB."""
    secret = nacl.bindings.crypto_sign_seed_keypair(os.urandom(32))[1]
    message = os.urandom(2_000)
    times = list[float]()
    for _ in range(2_000):
        began = time.thread_time_ns()
        nacl.bindings.crypto_sign(message, secret)
        times.append((time.thread_time_ns() - began) / 1000)
    return percentile(sorted(times), 0.5)
