"""100 actors at once on one budget, beside the same through a gate without a limit around the task: what exactness costs."""

import asyncio
import time

import msgspec

from bench.measure import show
from bench.plant import bench, definition, proposal
from interlock.domain.budget import Budget

ACTORS = 100
EACH = 20
FIT = ACTORS * EACH // 2
"""How many fit into the budget in the second run: half of them."""


async def run() -> None:
    """Measure and print."""
    rows = list[tuple[str, ...]]()
    for name, limits in (
        ("no limit around the task", {}),
        ("one budget for all of them", {"calls": 10**9}),
        ("one of an hour and one of a day", {"calls per hour": 10**9, "calls per day": 10**9}),
        (f"one budget that {FIT:,} fit into", {"calls": FIT + 100}),
    ):
        done, refused, rate, cpu = await measured(limits)
        rows.append((name, f"{done:,}", f"{refused:,}", f"{rate:,.0f}", f"{cpu:.0f}"))
    show(
        f"{ACTORS} concurrent reservations on one budget, {ACTORS * EACH:,} actions",
        ("", "done", "refused", "actions/s", "CPU µs an action"),
        tuple(rows),
        f"of a budget of {FIT:,} exactly {FIT:,} were done, and nothing is reserved in the end",
    )


async def measured(limits: dict[str, int]) -> tuple[int, int, float, float]:
    """How many were done and refused, how many a second, and what each took."""
    async with bench() as site:
        await site.plane.registry.apply(msgspec.structs.replace(definition(), budgets=limits), by="bench")
        for number in range(100):
            await site.act(number)
        states = list[str]()

        async def actor(which: int) -> None:
            for number in range(EACH):
                asked = proposal(site.task, (which + 1) * 10_000 + number)
                states.append((await site.embedded.propose(asked)).state)

        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.gather(*(actor(which) for which in range(ACTORS)))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        for each in await site.plane.means.store.all(Budget):
            if each.reserved or each.spent > each.limit:
                raise RuntimeError(f"{each.key}: {each.reserved} reserved, {each.spent} spent")
        total = ACTORS * EACH
        return states.count("done"), states.count("refused"), total / wall, cpu / total * 1e6
