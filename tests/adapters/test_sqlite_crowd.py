"""Several processes on one file: nothing lost, nothing twice, nobody starved, and a stopped one stops nobody else."""

import asyncio
import json
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from interlock.domain.action import Action
from interlock.domain.budget import Budget
from interlock.domain.change import Change
from interlock.domain.errors import StoreBusy
from interlock.ports.store import ActionQuery
from interlock.testing.conformance.audit import audited
from interlock.testing.conformance.making import task
from tests.adapters.sqlite_crew import PURSE, change, keys_of, opened

CREW = Path(__file__).with_name("sqlite_crew.py")


class Hand:
    """One process, and what it said."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []
        self._lines: SimpleQueue[str] = SimpleQueue()
        # Somebody must listen all the time: a full pipe would hold up who speaks.
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def hear(self) -> dict[str, Any] | None:
        """The next thing it says, or None when it is over."""
        line = self._lines.get()
        if not line.endswith("\n"):
            return None
        self.said.append(json.loads(line))
        return self.said[-1]

    def hear_all(self) -> None:
        """Listen until it is over."""
        while self.hear() is not None:
            pass
        assert self.process.wait() == 0

    @property
    def stored(self) -> list[str]:
        """The actions it was told are stored."""
        return [said["stored"] for said in self.said if "stored" in said]


@contextmanager
def hand(*arguments: object) -> Iterator[Hand]:
    """A process that is gone at the end, whatever happened."""
    command = [sys.executable, str(CREW), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CREW.parents[2]) as process:
        one = Hand(process)
        try:
            yield one
        finally:
            process.kill()
            one.listener.join()


@pytest.fixture
def seed() -> str:
    """What the keys of all processes of one test are made from."""
    return secrets.token_hex(32)


@pytest.fixture
def path(tmp_path: Path, seed: str) -> Path:
    """A store with a budget to draw on."""

    async def make() -> None:
        store = opened(tmp_path / "store.db", seed)
        await store.commit(Change(puts=(PURSE,)))
        await store.close()

    asyncio.run(make())
    return tmp_path / "store.db"


def accounts(path: Path, seed: str) -> tuple[set[str], int]:
    """The actions stored, once the books agree: an entry for each, a call of the budget for each, a log that holds."""

    async def read() -> tuple[set[str], int]:
        store = opened(path, seed)
        actions = {each.id for each in await store.actions(ActionQuery(limit=10**6))}
        purse = await store.get(Budget, PURSE.key)
        assert purse is not None
        recorded = [entry.action for entry in await audited(store, keys_of(seed))]
        await store.close()
        assert sorted(str(each) for each in recorded) == sorted(actions)
        assert purse.reserved == len(actions)
        return {str(each) for each in actions}, purse.reserved

    return asyncio.run(read())


@pytest.mark.proves("store.survives_kill")
def test_killed_in_the_middle(path: Path, seed: str) -> None:
    """Whenever a process is killed, all that it was told is stored is stored, whole, and the next one goes on."""
    dice = random.Random(7)  # noqa: S311  when to kill is no secret
    told: set[str] = set()
    for round_ in range(6):
        with hand(path, seed, "write", (1, 16)[round_ % 2], 60) as victim:
            for _ in range(dice.randrange(3, 60)):
                victim.hear()
            time.sleep(dice.random() * 0.01)
            victim.process.send_signal(signal.SIGKILL)
            while victim.hear() is not None:
                pass
            victim.process.wait()
            told |= set(victim.stored)
        stored, _ = accounts(path, seed)
        assert told <= stored
    assert len(told) > 50


@pytest.mark.proves("store.processes_share", "store.nobody_starves")
@pytest.mark.parametrize("actors", [1, 8])
def test_four_flat_out(path: Path, seed: str, actors: int) -> None:
    """Four processes write as fast as they can: every change counts once, and each is stored within a second."""
    with ExitStack() as stack:
        hands = [stack.enter_context(hand(path, seed, "write", actors, 3)) for _ in range(4)]
        for each in hands:
            each.hear_all()

    stored, drawn = accounts(path, seed)
    told = [made for each in hands for made in each.stored]
    assert sorted(told) == sorted(stored)
    assert drawn == len(told)
    assert max(each.said[-1]["longest"] for each in hands) < 1
    counts = [each.said[-1]["count"] for each in hands]
    assert min(counts) > sum(counts) / 20, counts


@pytest.mark.proves("store.nobody_starves")
def test_one_among_the_busy(path: Path, seed: str) -> None:
    """While three processes write flat out in groups, a person's single writes are each stored within a second."""

    async def person() -> list[float]:
        store = opened(path, seed)
        waits: list[float] = []
        for _ in range(20):
            began = time.monotonic()
            await change(store)
            waits.append(time.monotonic() - began)
            await asyncio.sleep(0.05)
        await store.close()
        return waits

    with ExitStack() as stack:
        hands = [stack.enter_context(hand(path, seed, "write", 32, 60)) for _ in range(3)]
        for each in hands:
            each.hear()
        waits = asyncio.run(person())

    assert max(waits) < 1, waits


@pytest.mark.proves("store.nobody_starves")
def test_one_behind_a_hog(path: Path, seed: str) -> None:
    """Behind a process that lets go of the lock only to take it again, each single write still gets its turn."""

    async def person() -> list[float]:
        store = opened(path, seed)
        waits: list[float] = []
        for _ in range(30):
            began = time.monotonic()
            await change(store)
            waits.append(time.monotonic() - began)
        await store.close()
        return waits

    with hand(path, seed, "hog", 60) as process:
        process.hear()
        waits = asyncio.run(person())

    assert max(waits) < 1
    assert sorted(waits)[15] < 0.1, "a turn or two, not a matter of luck"


def test_a_stopped_process_in_the_turnstile(path: Path, seed: str) -> None:
    """A process that is stopped where it holds up the queue delays the others by less than a second, once in a while."""

    async def others() -> list[float]:
        store = opened(path, seed)
        waits: list[float] = []
        for _ in range(50):
            began = time.monotonic()
            await change(store)
            waits.append(time.monotonic() - began)
        await store.close()
        return waits

    with hand(path, seed, "hold") as stopped:
        stopped.hear()
        waits = asyncio.run(others())
        stopped.process.send_signal(signal.SIGCONT)
        stopped.hear_all()

    assert max(waits) < 1
    assert sum(wait > 0.2 for wait in waits) <= 2, "it was not waited for again and again"


@pytest.mark.proves("store.busy")
def test_a_stopped_process_in_a_transaction(path: Path, seed: str) -> None:
    """Who waits for a process that was stopped inside a transaction is told, nothing is stored, and reads go on."""

    async def wait() -> None:
        store = opened(path, seed, busy_ms=300)
        before = task()
        began = time.monotonic()
        with pytest.raises(StoreBusy):
            await store.commit(Change(puts=(before,)))
        assert 0.25 < time.monotonic() - began < 3
        assert await store.get(type(before), before.key) is None
        stopped.process.send_signal(signal.SIGCONT)
        stopped.hear_all()
        await store.commit(Change(puts=(before,)))
        assert await store.get(type(before), before.key) == before.saved()
        await store.close()

    with hand(path, seed, "lock") as stopped:
        stopped.hear()
        asyncio.run(wait())


@pytest.mark.proves("store.full_disk")
def test_a_file_that_may_not_grow(path: Path, seed: str) -> None:
    """When the system refuses to write any more the change fails with a store's error, and later ones go on from there."""
    with hand(path, seed, "cramped", 400_000) as process:
        process.hear_all()

    stored, _ = accounts(path, seed)
    assert next(said["error"] for said in process.said if "error" in said) in ("store_unsure", "store_full", "store")
    assert set(process.stored) <= stored
    assert len(stored) - len(process.stored) <= 1, "at most the unsure one beyond those that were told"
    assert len(process.stored) > 3


def test_found_by_another_process_at_once(path: Path, seed: str) -> None:
    """A process that waits for changes is woken by another process's commit within a second."""

    async def wait() -> None:
        store = opened(path, seed)
        await store.changed(timeout_ms=100)
        while await store.changed(timeout_ms=100):
            pass
        with hand(path, seed, "write", 1, 0.2) as writer:
            writer.hear()
            began = time.monotonic()
            assert await store.changed(timeout_ms=10_000)
            assert time.monotonic() - began < 1
            writer.hear_all()
        made = writer.stored[0]
        assert await store.get(Action, made) is not None
        await store.close()

    asyncio.run(wait())
