"""What would change: recorded decisions put to two bundles, beside what reading the same actions costs alone."""

import time
from collections.abc import Awaitable, Callable

import msgspec

from bench.measure import show
from bench.plant import POLICIES, Bench, bench, contracts
from interlock.domain.action import Action
from interlock.domain.change import Change
from interlock.domain.ids import ActionId, Digest
from interlock.domain.whatif import Comparison
from interlock.ports.store import ActionQuery
from interlock.services.whatif import PAGE, WhatIf
from interlock.testing.adapters import CedarPolicies, SystemIds

COUNT = 20_000
ROUNDS = 5
BATCH = 500
LEAST = 40_000
"""Recorded decisions a second of CPU that must be reached."""


async def run() -> None:
    """Fill a store with decided actions, then replay and read in turns, and print."""
    async with bench() as site:
        await _fill(site)
        reading, parsing, replaying = list[float](), list[float](), list[float]()
        found: Comparison | None = None
        for _ in range(ROUNDS):
            reading.append(await _cpu(lambda: _read(site, whole=False)))
            parsing.append(await _cpu(lambda: _read(site, whole=True)))
            began = time.process_time()
            found = await _replay(site)
            replaying.append(time.process_time() - began)
    rows = [
        ("the same actions read and decoded whole", *_figures(parsing, reading)),
        ("read and decoded as far as asking needs", *_figures(reading, reading)),
        ("read, put to two bundles, compared, counted", *_figures(replaying, reading)),
    ]
    show(
        f"Recorded decisions put to two bundles of five policies, {COUNT:,}, the median of {ROUNDS} rounds",
        ("", "a second of CPU", "CPU µs each", "ratio"),
        rows,
        f"at least {LEAST:,} a second; {_told(found)}",
    )


def _figures(seconds: list[float], base: list[float]) -> tuple[str, str, str]:
    middle, least = sorted(seconds)[ROUNDS // 2], sorted(base)[ROUNDS // 2]
    return f"{COUNT / middle:,.0f}", f"{middle / COUNT * 1e6:.1f}", f"{middle / least:.2f}"


def _told(found: Comparison | None) -> str:
    if found is None:
        return ""
    return f"{found.count('loosened'):,} loosened, {found.count('tightened'):,} tightened, {found.same:,} the same"


async def _cpu(work: Callable[[], Awaitable[None]]) -> float:
    began = time.process_time()
    await work()
    return time.process_time() - began


async def _fill(site: Bench) -> None:
    """One action through the gate, and copies of it with other arguments: what is stored is what the gate stores."""
    await site.act(1)
    store = site.plane.means.store
    (first,) = await store.actions(ActionQuery(limit=1))
    ids = SystemIds()
    for start in range(1, COUNT, BATCH):
        await store.commit(
            Change(puts=tuple(_copy(first, ids, n) for n in range(start, min(start + BATCH, COUNT)))),
        )


def _copy(action: Action, ids: SystemIds, number: int) -> Action:
    key = ids.new()
    arguments = {"sku": f"sku-{number}", "minor": number * 997 % 2_000_000}
    return msgspec.structs.replace(
        action, id=ActionId(key), idempotency_key=key, arguments=arguments, fingerprint=Digest(key), revision=0
    )


async def _read(site: Bench, *, whole: bool) -> None:
    store = site.plane.means.store
    before: ActionId | None = None
    while True:
        page: list[ActionId]
        if whole:
            page = [each.id for each in await store.actions(ActionQuery(before=before, limit=PAGE))]
        else:
            page = [each.id for each in await store.decided(since_at=0, before=before, limit=PAGE)]
        if not page:
            return
        before = page[-1]


async def _replay(site: Bench) -> Comparison:
    policies = CedarPolicies()
    old = policies.bundle(POLICIES, contracts())
    changed = POLICIES["bench.cedar"].replace("> 1000000", "> 1500000").replace("minor < 1 ", "minor < 10 ")
    new = policies.bundle({"bench.cedar": changed}, contracts())
    return await WhatIf(site.plane.means.store, policies, "bench").replay(old, new, contracts())
