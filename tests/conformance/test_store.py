"""Every store keeps every promise of the ports `Store` and `Log`."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.adapters.memory import MemoryStore
from interlock.adapters.sqlite import SqliteStore, SqliteVault
from interlock.domain.ids import Tenant
from interlock.ports.sealer import Sealer
from interlock.testing.conformance import SUITES, Both, Promise, World

TENANT = Tenant("default")
MakeWorld = Callable[[Path], World]


def in_memory(_: Path) -> World:
    """Handles on one truth in memory."""
    first: list[MemoryStore] = []

    async def opened(sealer: Sealer) -> Both:
        store = first[0].again(sealer) if first else MemoryStore(TENANT, sealer)
        first.append(store)
        return store

    return World(opened)


def in_sqlite(folder: Path) -> World:
    """Connections to one file."""

    async def opened(sealer: Sealer) -> Both:
        return SqliteStore.open(folder / "store.db", TENANT, sealer)

    return World(opened)


def sealed(folder: Path) -> World:
    """Connections to one file, with a vault beside it."""

    async def opened(sealer: Sealer) -> Both:
        return SqliteStore.open(folder / "store.db", TENANT, sealer, SqliteVault(folder / "keys.db", folder / "keys"))

    return World(opened)


def keep(promise: Promise, world: World) -> None:
    """Run `promise` in `world`, then close it."""

    async def run() -> None:
        try:
            await promise(world)
        finally:
            await world.close()

    asyncio.run(run())


stores = pytest.mark.parametrize("make", [in_memory, in_sqlite, sealed])


def each_of(suite: str) -> pytest.MarkDecorator:
    """One test for each promise of `suite`."""
    return pytest.mark.parametrize("promise", SUITES[suite], ids=lambda promise: promise.__name__)


@stores
@each_of("saving")
@pytest.mark.proves(
    "store.compare_and_set",
    "store.all_or_nothing",
    "store.one_action_per_idempotency_key",
    "store.readable_again",
)
def test_saving(make: MakeWorld, promise: Promise, tmp_path: Path) -> None:
    """Records are saved only if unchanged, all of a change or none of it."""
    keep(promise, make(tmp_path))


@stores
@each_of("drawing")
@pytest.mark.proves("budget.never_over")
def test_drawing(make: MakeWorld, promise: Promise, tmp_path: Path) -> None:
    """Budgets are exact however many draw at once."""
    keep(promise, make(tmp_path))


@stores
@each_of("finding")
def test_finding(make: MakeWorld, promise: Promise, tmp_path: Path) -> None:
    """Records are found by what they are now."""
    keep(promise, make(tmp_path))


@stores
@each_of("claiming")
@pytest.mark.proves("store.one_claimer_each")
def test_claiming(make: MakeWorld, promise: Promise, tmp_path: Path) -> None:
    """Due work goes to one claimer, for as long as its lease runs."""
    keep(promise, make(tmp_path))


@stores
@each_of("recording")
@pytest.mark.proves("evidence.same_transaction", "evidence.log_only_grows", "evidence.one_log_key")
def test_recording(make: MakeWorld, promise: Promise, tmp_path: Path) -> None:
    """Facts and the state they belong to are stored together, in one log that verifies."""
    keep(promise, make(tmp_path))


@stores
@each_of("waking")
def test_waking(make: MakeWorld, promise: Promise, tmp_path: Path) -> None:
    """Who waits for a change is woken by it."""
    keep(promise, make(tmp_path))


@pytest.mark.parametrize("make", [in_memory, sealed])
@each_of("erasing")
@pytest.mark.proves("erasure.gone", "erasure.proof_stays", "erasure.key_stays_used")
def test_erasing(make: MakeWorld, promise: Promise, tmp_path: Path) -> None:
    """What is private goes, and what the log shows stays."""
    keep(promise, make(tmp_path))
