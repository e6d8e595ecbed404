"""Real processes at a breaker that is half open: one of them probes, and one that is killed in it is replaced."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bench.plant import connect, definition
from interlock.domain.breaker import PAUSE_MS, Breaker
from interlock.domain.change import Change
from interlock.domain.control import Control, words_of
from interlock.domain.ids import AgentName
from interlock.domain.task import Opening
from interlock.services.plane import ControlPlane

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
PROCESSES = 4

PROBING = """
import asyncio, os, signal, sys, time
from pathlib import Path
import msgspec
from bench.plant import connect, proposal
from interlock.domain.task import Task
from interlock.embedded import Embedded
from interlock.sdk.identity import Identity
from interlock.testing.adapters import InstanceKey, SystemClock, SystemIds

folder, number, dies = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "dies"
calls = os.open(folder / "calls", os.O_CREAT | os.O_APPEND | os.O_WRONLY)

async def price(sku, minor):
    del sku
    os.write(calls, b"x")
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(0.5)
    return {"was": minor}

async def main():
    plane = connect(folder, set_price=price, worker=f"probing-{number}")
    task = await plane.means.store.get(Task, (folder / "task").read_text())
    identity = Identity(Embedded(plane), InstanceKey(), SystemClock(), SystemIds())
    (folder / f"ready-{number}").touch()
    while not (folder / "go").exists():
        await asyncio.sleep(0.005)
    states = []
    for n in range(5):
        action = await plane.gate.propose(await identity.presented(proposal(task, 1000 * number + n)))
        if action.state == "dispatching":
            action = await plane.execution.drive(action)
        states.append(action.state)
        if action.state == "done":
            break
    await plane.means.store.close()
    print(" ".join(states))

asyncio.run(main())
"""


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of every test here."""
    return "asyncio"


async def opened(plane: ControlPlane) -> None:
    """A breaker whose pause is over."""
    control = await plane.means.store.get(Control, "control")
    assert control is not None
    now = plane.means.clock.now()
    stop = plane.braking.made("contract", "price.set", mode="stop", until_at=now - 1)
    stop = msgspec.structs.replace(stop, breaker=True)
    row = Breaker(scope="contract", name="price.set", failures=10, until_at=now - 1, pause_ms=PAUSE_MS)
    after = msgspec.structs.replace(control, stops=(stop,))
    words = words_of(stop, why="ten in a row", by="interlock.breaker")
    await plane.means.store.commit(Change(puts=(after, words, row)))


def probe(folder: Path, number: int, how: str = "lives") -> subprocess.Popen[str]:
    """One process that tries."""
    words = (sys.executable, "-c", PROBING, str(folder), str(number), how)
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.proves("breaker.probe")
async def test_one_of_four_processes_probes_and_a_killed_probe_is_replaced(tmp_path: Path) -> None:
    """Killed in its call, a probe keeps others out until its time is over; then of four at once one calls, and closes it."""
    plane = connect(tmp_path)
    await plane.registry.apply(definition(), by="test")
    task = await plane.tasks.open(Opening(agent=AgentName("bench"), purpose="probe", initiator="user:ana"))
    (tmp_path / "task").write_text(task.id)
    await opened(plane)
    (tmp_path / "go").touch()
    dead = probe(tmp_path, 9, "dies")
    seen = await asyncio.to_thread(dead.communicate, timeout=60)
    assert dead.returncode == -signal.SIGKILL, seen
    late = probe(tmp_path, 8)
    said, problem = await asyncio.to_thread(late.communicate, timeout=60)
    assert said.split() == ["refused"] * 5, problem
    assert (tmp_path / "calls").read_bytes() == b"x"

    (tmp_path / "go").unlink()
    row = await plane.means.store.get(Breaker, "contract:price.set")
    assert row is not None
    assert row.probe is not None
    await plane.means.store.commit(Change(puts=(msgspec.structs.replace(row, probe_until=0),)))
    four = [probe(tmp_path, number) for number in range(PROCESSES)]
    for _ in range(1_200):
        if all((tmp_path / f"ready-{number}").exists() for number in range(PROCESSES)):
            break
        await asyncio.sleep(0.05)
    (tmp_path / "go").touch()
    states = [(await asyncio.to_thread(each.communicate, timeout=60))[0].split() for each in four]

    assert sorted(each[-1] for each in states) == ["done"] + ["refused"] * (PROCESSES - 1)
    assert (tmp_path / "calls").read_bytes() == b"xx"
    assert await plane.braking.brakes() == []
    await plane.means.store.close()
