"""A server's memory over hours of modest load: it must not grow with what was done.

INTERLOCK_BENCH_MINUTES (2) says for how long. About fifteen requests a second of all kinds to `interlock serve` in a process of
its own: agents' programs that act, tasks that open and end, pages, pages that listen, votes, people who come and go, programs
with keys. INTERLOCK_BENCH_KINDS names a file for what grew between a third of the time and its end, by type.
"""

import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from bench.afar import Program, browser, client_of, listen, program, sign_in, vote, workspace
from bench.hosted import Process, hosted
from bench.measure import show
from interlock.domain.canonical import JsonValue

MINUTES: Final = float(os.environ.get("INTERLOCK_BENCH_MINUTES", "2"))
KINDS: Final = os.environ.get("INTERLOCK_BENCH_KINDS", "")
EACH_TASK: Final = 50
"""Actions."""
PEOPLE: Final = ("rita", "ria", "voter0", "voter1", "voter2")
PAGES: Final = (
    "/",
    "/approvals",
    "/actions",
    "/measures",
    "/tasks",
    "/agents",
    "/policies",
    "/audit",
    "/brakes",
    "/settings",
)
READS: Final = (
    "/v1/approvals",
    "/v1/actions",
    "/v1/tasks",
    "/v1/agents",
    "/v1/figures/overview",
    "/metrics",
    "/readyz",
)
SAMPLE_S: Final = 10.0
Work = Callable[[], Awaitable[None]]


class Load:
    """Those who ask."""

    def __init__(self, agents: list[Program], people: list[httpx.AsyncClient], guest: httpx.AsyncClient) -> None:
        self._agents, self._people, self._guest = agents, people, guest
        self._rng = random.Random(1)  # noqa: S311  the same day every time
        self._held: list[str] = []
        self._done: list[str] = []
        self.asked = self.failed = self.streams = 0
        self.first = ""

    async def run(self, stack: AsyncExitStack) -> None:
        """Begin; it goes on until `stack` ends."""
        group = await stack.enter_async_context(asyncio.TaskGroup())
        running = [
            *(group.create_task(self._acting(each, 2.0)) for each in self._agents),
            group.create_task(self._often(1.0, self._vote)),
            group.create_task(self._often(5.0, self._page)),
            group.create_task(self._often(2.0, self._read)),
            group.create_task(self._often(1 / 15, self._guest_comes)),
            *(group.create_task(self._listening()) for _ in range(8)),
        ]
        stack.callback(lambda: [each.cancel() for each in running])

    async def _often(self, a_second: float, work: Work) -> None:
        """`work`, so many times a second or as often as it can be done."""
        while True:
            began = time.perf_counter()
            await self._tried(work)
            await asyncio.sleep(max(1 / a_second - (time.perf_counter() - began), 0))

    async def _tried(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  whatever it is, it is counted, and the load goes on
            self.failed += 1
            self.first = self.first or f"{type(error).__name__}: {str(error)[:200]}"

    async def _acting(self, agent: Program, a_second: float) -> None:
        while True:
            await self._tried(lambda: self._task(agent, a_second))

    async def _task(self, agent: Program, a_second: float) -> None:
        task = await agent.opened()
        for number in range(EACH_TASK):
            amount = 500 if number % 4 == 0 else self._rng.randrange(100)
            said: dict[str, JsonValue] = {"n": amount, "sku": f"sku-{self._rng.randrange(10_000)}"}
            action = await agent.act(task, f"stock.put{number % 8}", said)
            (self._held if action.state == "held" else self._done).append(action.id)
            self.asked += 1
            await asyncio.sleep(1 / a_second)
        del self._done[:-200]
        await agent.closed(task)
        self.asked += 2

    async def _vote(self) -> None:
        if self._held:
            await vote(self._people[0], self._held.pop(0))
            self.asked += 2

    async def _page(self) -> None:
        client, rng = self._rng.choice(self._people), self._rng
        urls = [
            *PAGES,
            *(f"/actions/{each}" for each in self._done[-3:]),
            *(f"/approvals/{e}" for e in self._held[-3:]),
        ]
        await self._get(client, rng.choice(urls))

    async def _read(self) -> None:
        await self._get(self._people[1], self._rng.choice(READS))

    async def _get(self, client: httpx.AsyncClient, url: str) -> None:
        answer = await client.get(url)
        self.asked += 1
        # What was decided meanwhile is no longer there to be decided.
        if answer.status_code not in (200, 303, 404):
            raise RuntimeError(f"{url}: {answer.status_code} {answer.text[:100]}")

    async def _guest_comes(self) -> None:
        await sign_in(self._guest, "voter9")
        await self._get(self._guest, "/")
        left = await self._guest.post("/sign-out")
        if left.status_code != 303:
            raise RuntimeError(f"signing out: {left.status_code}")
        self.asked += 2

    async def _listening(self) -> None:
        while True:
            await self._tried(self._stream)

    async def _stream(self) -> None:
        await listen(self._rng.choice(self._people), self._rng.uniform(2, 40))
        self.streams += 1
        self.asked += 1


async def run() -> None:
    """Load, look now and then, print."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as made:
        async with _asked(Path(made)) as (server, load):
            began, rows, samples = time.perf_counter(), list[tuple[str, ...]](), list[tuple[float, float]]()
            third: Counter[str] | None = None
            before: Counter[str] | None = None
            step = MINUTES * 60 / 12
            for number in range(1, 13):
                while (gone := time.perf_counter() - began) < number * step:
                    samples.append((gone / 3600, server.resident()[1]))
                    await asyncio.sleep(min(SAMPLE_S, number * step - gone))
                rows.append(_row(number * step / 60, server, load))
                print(*rows[-1], flush=True)
                if KINDS and number in (4, 12):
                    third, before = before, await server.kinds()
            if before is not None and third is not None:
                _tell(third, before)
    late = [each for each in samples if each[0] * 60 >= MINUTES / 3]
    show(
        f"Memory of `interlock serve` in {MINUTES:g} minutes of load",
        ("minutes", "resident MiB", "of it no file's", "threads", "requests", "CPU s", "refused or failed"),
        rows,
        f"{slope(lowest(late)):+.2f} MiB an hour over the last two thirds, each minute's least; {load.streams:,} streams of news"
        " came and went" + (f"; the first failure: {load.first}" if load.first else ""),
    )


def _tell(third: Counter[str], last: Counter[str]) -> None:
    grown = last.copy()
    grown.subtract(third)
    Path(KINDS).write_text("\n".join(f"{count:8} {kind}" for kind, count in grown.most_common(60)))


def _row(minutes: float, server: Process, load: Load) -> tuple[str, ...]:
    whole, own, threads = server.resident()
    return (
        f"{minutes:.1f}",
        f"{whole:.1f}",
        f"{own:.1f}",
        f"{threads}",
        f"{load.asked:,}",
        f"{server.cpu():.0f}",
        f"{load.failed}",
    )


def lowest(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of each minute the least: while a password is looked at, there is more for a moment, which says nothing of growth."""
    found: dict[int, tuple[float, float]] = {}
    for hours, mib in points:
        minute = int(hours * 60)
        if minute not in found or mib < found[minute][1]:
            found[minute] = hours, mib
    return list(found.values())


def slope(points: list[tuple[float, float]]) -> float:
    """Of the line through the points with the least squares."""
    if len(points) < 2:
        return 0.0
    x, y = (sum(each[axis] for each in points) / len(points) for axis in (0, 1))
    across = sum((each[0] - x) ** 2 for each in points)
    return sum((each[0] - x) * (each[1] - y) for each in points) / across if across else 0.0


@asynccontextmanager
async def _asked(folder: Path) -> AsyncGenerator[tuple[Process, Load]]:
    async with AsyncExitStack() as stack:
        plane = await stack.enter_async_context(workspace(folder))
        server = await stack.enter_async_context(hosted(folder))

        async def client() -> httpx.AsyncClient:
            return await stack.enter_async_context(client_of(server.address))

        agents = [await program(plane, await client(), f"agent{n}") for n in range(2)]
        people = [await client() for _ in PEOPLE]
        for each, person in zip(people, PEOPLE, strict=True):
            await browser(plane, each, person)
        guest = await client()
        await browser(plane, guest, "voter9")
        load = Load(agents, people, guest)
        await load.run(stack)
        yield server, load
