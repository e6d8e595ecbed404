"""100,000 waiting approvals: what they cost idle, how fast one is approved and done, how fast a process is back."""

import asyncio
import time

from bench.measure import percentile, show
from bench.plant import Bench, bench, connect, proposal
from interlock.domain.action import Action
from interlock.domain.ids import ActionId, Person
from interlock.ports.store import ActionQuery
from interlock.worker import Worker

WAITING = 100_000
APPROVED = 200
IDLE_S = 10.0


async def run() -> None:
    """Fill, restart, idle, approve; print."""
    async with bench() as site:
        began = time.perf_counter()
        await fill(site)
        filled = time.perf_counter() - began
        await site.plane.means.store.close()
        began, began_cpu = time.perf_counter(), time.process_time()
        plane = connect(site.folder)
        await plane.orders.refresh()
        first = await plane.execution.claim(places=plane.means.places)
        back, back_cpu = time.perf_counter() - began, time.process_time() - began_cpu
        waiting = await plane.means.store.count(ActionQuery(states=("held",)))
        held = await plane.means.store.actions(ActionQuery(states=("held",), limit=APPROVED))
        worker = asyncio.create_task(Worker(plane).run())
        await asyncio.sleep(1)
        idle = time.process_time()
        await asyncio.sleep(IDLE_S)
        idle = (time.process_time() - idle) / IDLE_S
        times = list[float]()
        for action in held:
            began = time.perf_counter()
            await plane.approvals.approve(ActionId(action.id), Person("rita"))
            while True:
                stored = await plane.means.store.get(Action, action.id)
                if stored is not None and stored.state == "done":
                    break
                await plane.means.store.changed(timeout_ms=100)
            times.append((time.perf_counter() - began) * 1000)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        await plane.means.store.close()
    times.sort()
    show(
        f"{waiting:,} waiting approvals",
        ("", "figure", "bound"),
        (
            ("share of a core, a worker idle beside them", f"{idle:.2%}", "2 %"),
            ("approve to done, p50 ms", f"{percentile(times, 0.5):.1f}", "10"),
            ("approve to done, p99 ms", f"{percentile(times, 0.99):.1f}", ""),
            ("restart until the first claim, wall s", f"{back:.2f}", "2"),
            ("restart until the first claim, CPU s", f"{back_cpu:.2f}", ""),
            ("to get them waiting, actions/s", f"{WAITING / filled:,.0f}", ""),
        ),
        f"{len(first)} were due at once",
    )


async def fill(site: Bench) -> None:
    """Hold WAITING actions, many at a time."""

    async def some(which: int) -> None:
        for number in range(WAITING // 256):
            asked = proposal(site.task, which * 10_000 + number, minor=2_000_000)
            await site.plane.gate.propose(await site.identity.presented(asked))

    await asyncio.gather(*(some(which) for which in range(256)))
