"""Publishers in processes of their own: killed at any moment, several at once, while the log grows."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from interlock.adapters.keys import Keys
from interlock.adapters.sealer import LogSealer
from interlock.adapters.sqlite.store import SqliteStore
from interlock.adapters.system import SystemIds
from interlock.domain.change import Change
from interlock.domain.ids import StreamId, Tenant
from interlock.testing.conformance.making import action, fact
from tests.domain.leaves import KEY, audited

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
PUBLISHES = """\
import sys
import anyio
from pathlib import Path
from interlock.adapters.shelf import FolderShelf
from interlock.adapters.sqlite.store import SqliteStore
from interlock.services.showing import publish_log

async def main():
    store = SqliteStore.look(Path(sys.argv[1]), "shop")
    print("ready", flush=True)
    for _ in range(int(sys.argv[3])):
        await publish_log(store, FolderShelf(Path(sys.argv[2])))
    await store.close()

anyio.run(main)
"""


def _grow(store: SqliteStore, count: int) -> None:
    """Append `count` entries."""

    async def body() -> None:
        for _ in range(count):
            made = action()
            await store.commit(Change(puts=(made,), facts=(fact(made),)))

    anyio.run(body)


def _publisher(store: Path, out: Path, times: int) -> "subprocess.Popen[bytes]":
    begun = subprocess.Popen(
        [sys.executable, "-c", PUBLISHES, str(store), str(out), str(times)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert begun.stdout is not None
    assert begun.stdout.readline() == b"ready\n"
    begun.stdout.close()
    return begun


def _size(out: Path) -> int:
    shown = audited(out)
    return 0 if shown is None else shown.size


@pytest.mark.proves("log.published_whole", "log.shows_one_history")
@pytest.mark.parametrize("rounds", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_publishers_that_are_killed_leave_what_is_shown_whole(tmp_path: Path, rounds: int) -> None:
    """`kill -9` somewhere in a publication, while another publishes and the log grows: whatever is shown is there with all it
    covers, it never shrinks, and the last publication shows all that was recorded."""
    path, out = tmp_path / "interlock.db", tmp_path / "out"
    ids = SystemIds()
    store = SqliteStore.open(path, Tenant("shop"), LogSealer(Keys(log=KEY, gate=KEY), StreamId(ids.new()), ids))
    _grow(store, 250)
    seen = 0
    for n in range(rounds):
        dies, lives = _publisher(path, out, 10_000), _publisher(path, out, 20)
        _grow(store, 10 + n)
        time.sleep(0.003 * (n % 10))
        dies.send_signal(signal.SIGKILL)
        assert dies.wait(PATIENCE_S) == -signal.SIGKILL
        assert seen <= _size(out)
        assert lives.wait(PATIENCE_S) == 0
        assert seen < _size(out)
        seen = _size(out)
    assert _publisher(path, out, 1).wait(PATIENCE_S) == 0
    anyio.run(store.close)

    assert _size(out) == 250 + sum(10 + n for n in range(rounds))
