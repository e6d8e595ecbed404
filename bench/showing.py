"""The log for others: publishing it, beside writing as many bytes to as many synced files; a proof; the files over HTTP."""

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import anyio

from bench.measure import percentile, show
from bench.plant import Bench, bench
from interlock.api.log import LogServer, ReadFile
from interlock.api.serving import serve
from interlock.bootstrap.shelves import shelf_at
from interlock.domain.ids import Tenant
from interlock.services.inclusion import proof_of_entry
from interlock.services.offering import log_file
from interlock.services.showing import Shown, publish_log, unverified
from interlock.testing.adapters import SqliteStore

ACTIONS = 6_000
AT_ONCE = 64
PROOFS = 2_000
REQUESTS = 1_000


async def run() -> None:
    """Fill, publish, publish a little more, prove, serve; print."""
    async with bench() as site:
        await _fill(site, 0, ACTIONS)
        # As the commands open it: without the vault, what is private stays sealed.
        log = SqliteStore.look(site.folder / "log.db", Tenant("bench"))
        out = site.folder / "shown"
        with shelf_at(out) as shelf:
            first, cpu, wall = await _timed(partial(publish_log, log, shelf))
            bare = _bare(out, site.folder / "bare")
            await _fill(site, ACTIONS, ACTIONS + 50)
            more, more_cpu, more_wall = await _timed(partial(publish_log, log, shelf))
        proofs = list[float]()
        for n in range(PROOFS):
            began = time.process_time_ns()
            await proof_of_entry(log, n * first.size // PROOFS, unverified)
            proofs.append((time.process_time_ns() - began) / 1000)
        served = await anyio.to_thread.run_sync(_served, partial(log_file, log))
        await log.close()
    proofs.sort()
    show(
        f"The log of {first.size:,} entries, {first.bytes / first.size / 1000:.1f} kB each, shown to others",
        ("", "figure"),
        (
            ("published, entries/s of CPU", f"{first.size / cpu:,.0f}"),
            ("published, entries/s of wall time", f"{first.size / wall:,.0f}"),
            ("the same bytes in as many synced files, entries/s of wall time", f"{first.size / bare:,.0f}"),
            (f"{more.size - first.size} entries more, CPU ms", f"{more_cpu * 1000:.1f}"),
            (f"{more.size - first.size} entries more, wall ms", f"{more_wall * 1000:.1f}"),
            ("proof of one entry, CPU p50 µs", f"{percentile(proofs, 0.5):,.0f}"),
            ("proof of one entry, CPU p99 µs", f"{percentile(proofs, 0.99):,.0f}"),
            *((f"{what} over HTTP, requests/s of one client", f"{rate:,.0f}") for what, rate in served),
        ),
    )


async def _fill(site: Bench, start: int, stop: int) -> None:
    """Do so many actions, many at a time."""

    async def some(which: int) -> None:
        for number in range(start + which, stop, AT_ONCE):
            await site.act(number)

    await asyncio.gather(*(some(which) for which in range(AT_ONCE)))


async def _timed(work: Callable[[], Awaitable[Shown]]) -> tuple[Shown, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    made = await work()
    return made, time.process_time() - cpu, time.perf_counter() - wall


def _bare(shown: Path, bare: Path) -> float:
    """How long it takes to write what was shown to as many files, each synced, and their folders."""
    files = [(path.relative_to(shown), path.read_bytes()) for path in shown.rglob("*") if path.is_file()]
    began = time.perf_counter()
    for name, data in files:
        (bare / name).parent.mkdir(parents=True, exist_ok=True)
        with (bare / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    return time.perf_counter() - began


def _served(read: ReadFile) -> list[tuple[str, float]]:
    """How many requests a second one client gets answered, on one connection."""
    ready, place = threading.Event(), list[str]()

    def started(address: str) -> None:
        place.append(address.removeprefix("http://").rstrip("/"))
        ready.set()

    threading.Thread(target=anyio.run, args=(serve, LogServer(read), "127.0.0.1", 0, started), daemon=True).start()
    ready.wait()
    found = list[tuple[str, float]]()
    connection = HTTPConnection(place[0])
    for what, path, headers in (
        ("checkpoint", "/checkpoint", {}),
        ("tile", "/tile/0/000", {}),
        ("bundle", "/tile/entries/000", {}),
        ("packed bundle", "/tile/entries/000", {"Accept-Encoding": "gzip"}),
    ):
        began = time.perf_counter()
        for _ in range(REQUESTS):
            connection.request("GET", path, headers=headers)
            connection.getresponse().read()
        found.append((what, REQUESTS / (time.perf_counter() - began)))
    connection.close()
    return found
