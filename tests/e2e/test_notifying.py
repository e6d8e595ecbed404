"""Killed with SIGKILL while a message is on its way: whoever works next sends it again, under the id it had."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest

import interlock
from interlock.bootstrap.connecting import looking
from interlock.domain.notification import Outbox
from tests.adapters.test_effectors_http import Handler, Server, _server
from tests.workspaces import workspace

__all__ = ["_server"]

WORK = """
import sys
from pathlib import Path
import anyio
from interlock.bootstrap.connecting import connect
from interlock.domain import notification
from interlock.worker import Worker
notification.LEASE_MS = 1_500  # a minute is longer than a test should wait
anyio.run(Worker(connect(Path(sys.argv[1]))).run)
"""


def outbox(folder: Path) -> Outbox | None:
    """What the channel has still to tell."""

    async def look() -> Outbox | None:
        plane = looking(folder)
        found = await plane.means.store.get(Outbox, "desk")
        await plane.means.store.close()
        return found

    return anyio.run(look)


def until(what: str, so: Callable[[], bool]) -> None:
    """Wait for it, half a minute at most: the machine may be busy."""
    ends = time.monotonic() + 30
    while not so():
        assert time.monotonic() < ends, what
        time.sleep(0.05)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, server: Server) -> Path:
    place = workspace(tmp_path / "w")
    hook = f"{{webhook: {{url: '{server.url}/hook', secret: file:key}}, events: [asked]}}"
    place.change("interlock.yaml", lambda text: f"{text}notifications: {{desk: {hook}}}\n")
    place.write("key", "a secret of ours")
    return place.folder


@pytest.fixture(name="processes")
def _processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    there: list[subprocess.Popen[bytes]] = []
    yield there
    for each in there:
        each.kill()
        each.wait()


@pytest.mark.proves("notify.at_least_once", "notify.nothing_missed")
def test_a_message_outlives_whoever_sends_it(
    folder: Path, server: Server, processes: list[subprocess.Popen[bytes]]
) -> None:
    """Killed before it knew whether the message arrived: another sends it under the same id, and it is struck out."""

    def worker() -> subprocess.Popen[bytes]:
        processes.append(subprocess.Popen([sys.executable, "-c", WORK, str(folder)]))
        return processes[-1]

    def hang(_handler: Handler) -> None:
        server.released.wait(60)

    lock = interlock.open(folder, apply=True)
    first = worker()
    until("the channel begins", lambda: outbox(folder) is not None)
    server.act = hang
    with lock.task("ag", purpose="e2e", on_behalf_of="user:ana") as task:
        task.propose("box.put", n=150)
    until("it is on its way", lambda: len(server.seen) == 1)
    first.send_signal(signal.SIGKILL)
    first.wait()
    server.act = lambda handler: handler.say(200)
    worker()
    until("it is sent again", lambda: len(server.seen) == 2)
    until("it is struck out", lambda: (box := outbox(folder)) is not None and not box.pending)

    ids = [{name.lower(): value for name, value in seen.headers.items()}["webhook-id"] for seen in server.seen]
    assert ids[0] == ids[1]
