"""100 actors at once on one budget, beside the same through a gate without a limit around the task: what exactness costs."""

import asyncio
import time
from functools import partial

import msgspec

from bench.measure import show
from bench.plant import Bench, bench, definition, proposal
from interlock.domain.asking import settle_call
from interlock.domain.budget import Budget
from interlock.domain.proposal import Proposal
from interlock.domain.use import MODEL_USE, Asked, TokenCount

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
        if done != min(ACTORS * EACH, limits.get("calls", 10**9) - 100):
            raise RuntimeError(f"{name}: {done} were done")
        rows.append((name, f"{done:,}", f"{refused:,}", f"{rate:,.0f}", f"{cpu:.0f}"))
    show(
        f"{ACTORS} concurrent reservations on one budget, {ACTORS * EACH:,} actions",
        ("", "done", "refused", "actions/s", "CPU µs an action"),
        tuple(rows),
        f"of a budget of {FIT:,} exactly {FIT:,} were done, and nothing is reserved in the end",
    )
    rate, cpu = await uses()
    show(
        f"{ACTORS} programs at once, {ACTORS * EACH:,} uses of a model on one budget of tokens and one of money",
        ("", "uses/s", "CPU µs a use"),
        (("begun and settled: two commits, two entries", f"{rate:,.0f}", f"{cpu:.0f}"),),
        "each reserves at most before and spends what it took; the model's own time is not in it",
    )


async def uses() -> tuple[float, float]:
    """How many uses of a model a second, each begun and settled, and what each took."""
    async with bench() as site:
        limits = {"tokens": 10**9, "USD.micro": 10**9}
        await site.plane.registry.apply(msgspec.structs.replace(definition(), budgets=limits), by="bench")
        await used(site)

        async def actor() -> None:
            for _ in range(EACH):
                await used(site)

        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.gather(*(actor() for _ in range(ACTORS)))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        for each in await site.plane.means.store.all(Budget):
            if each.reserved:
                raise RuntimeError(f"{each.key}: {each.reserved} reserved")
        total = ACTORS * EACH
        return total / wall, cpu / total * 1e6


async def used(site: Bench) -> None:
    """One use, begun and settled."""
    asked = Asked(model="gpt-4o-mini", tokens=TokenCount(input=900, output=400))
    proposal = Proposal(task=site.task, contract=MODEL_USE, arguments=asked.arguments)
    use = await site.embedded.begin_use(await site.identity.presented(proposal))
    took = TokenCount(input=812, output=164)
    shown = await site.identity.still(use.agent, partial(settle_call, use.id, took))
    await site.embedded.settle_use(use.id, shown, took)


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
                states.append((await site.embedded.propose(await site.identity.presented(asked))).state)

        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.gather(*(actor(which) for which in range(ACTORS)))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        for each in await site.plane.means.store.all(Budget):
            if each.reserved or each.spent > each.limit:
                raise RuntimeError(f"{each.key}: {each.reserved} reserved, {each.spent} spent")
        total = ACTORS * EACH
        return states.count("done"), states.count("refused"), total / wall, cpu / total * 1e6
