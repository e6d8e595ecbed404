"""Runs of real processes, as their log tells of them: one that ended well, one that was killed."""

import asyncio
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from interlock.adapters.keys import verify
from interlock.domain.evidence import Verification
from interlock.domain.run_facts import VERSION
from interlock.services.verifying import verify_log
from interlock.testing.conformance.audit import predicate
from tests.adapters.sqlite_crew import keys_of, opened

SEED = "5e" * 32
PROCESS = """
import asyncio, os, signal, sys
from interlock.adapters.sealer import Author, LogSealer
from interlock.adapters.sqlite import SqliteStore
from interlock.adapters.system import SystemClock, SystemIds
from interlock.domain.change import Change
from interlock.domain.ids import StreamId, Tenant, WorkerId
from interlock.testing.conformance.making import action, fact
from tests.adapters.sqlite_crew import keys_of

async def run():
    author = Author(WorkerId("worker-of-ana"), SystemClock())
    sealer = LogSealer(keys_of(sys.argv[2]), StreamId(sys.argv[3]), SystemIds(), author=author)
    store = SqliteStore.open(sys.argv[1], Tenant("default"), sealer)
    for _ in range(3):
        await store.commit(Change(facts=(fact(action()),)))
    if sys.argv[3] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    await store.close()

asyncio.run(run())
"""


def process(path: Path, stream: str) -> int:
    """Run a process that records three facts in `stream`, and give how it ended."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, str(path), SEED, stream],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        timeout=60,
        check=False,
    )
    return done.returncode


@pytest.mark.proves("evidence.runs")
def test_who_was_killed_did_not_end(tmp_path: Path) -> None:
    """The log of a process that ended well and of one that was killed verifies; only the killed one's stream is a prefix."""
    path = tmp_path / "store.db"
    assert process(path, "ended") == 0
    assert process(path, "killed") == -signal.SIGKILL

    async def look() -> tuple[Verification, list[tuple[str, str]]]:
        store = opened(path, SEED)
        keys = keys_of(SEED)
        reading = await verify_log(store, keys.log.verifier, [keys.gate.verifier], verify)
        entries = await store.entries(0, 100)
        assert b"worker-of-ana" not in b"".join(entry.leaf for entry in entries)
        assert predicate(entries[0])["interlock"] == version("interlock")
        await store.close()
        return reading.verification, [(entry.stream, entry.phase) for entry in entries]

    found, told = asyncio.run(look())

    assert found.findings == ()
    assert (found.streams, found.unclosed) == (2, ("killed",))
    assert told == [
        *(("ended", phase) for phase in ("opened", "decided", "decided", "decided", "closed")),
        *(("killed", phase) for phase in ("opened", "decided", "decided", "decided")),
    ]


def test_the_version_is_that_of_the_distribution() -> None:
    """What runs say of the program is what its distribution says."""
    assert version("interlock") == VERSION
