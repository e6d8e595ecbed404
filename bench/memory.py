"""Memory over 100,000 actions: it must not grow with what was done."""

import asyncio
import resource
from pathlib import Path

from bench.measure import show
from bench.plant import bench

ACTIONS = 100_000
MARKS = (10_000, 25_000, 50_000, 75_000, 100_000)


async def run() -> None:
    """Act, look at the resident size now and then, print."""
    rows = list[tuple[str, str, str]]()
    async with bench() as site:
        done = 0
        base = 0.0
        for mark in MARKS:

            async def some(which: int, count: int, start: int) -> None:
                for number in range(count):
                    await site.act(start + which * 100_000 + number)

            await asyncio.gather(*(some(which, (mark - done) // 32, done) for which in range(32)))
            done = mark
            now = resident_mb()
            base = base or now
            rows.append((f"after {mark:,} actions", f"{now:.1f}", f"{now / base:.2f}"))
        rows.append(("store's size, MB", f"{(site.folder / 'log.db').stat().st_size / 1e6:.0f}", ""))
    rows.append(("peak, MB", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f}", ""))
    show("Resident memory, MB", ("", "MB", "ratio"), rows)


def resident_mb() -> float:
    """The resident size of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6
