"""How long stopping takes: four processes that act as fast as they can, stopped by drills, round after round.

The tool writes down when each call began and ended, beside whatever the gate says: what is shown is the tool's word, counted from
the moment at which the commit of the brake came back. `python -m bench.stopping FOLDER N` is the `N`th of the four.
"""

import asyncio
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.measure import percentile, show
from bench.plant import connect, definition, proposal
from interlock.domain.errors import InterlockError
from interlock.domain.ids import AgentName, TaskId
from interlock.domain.jwk import thumbprint
from interlock.domain.task import Opening, Task
from interlock.embedded import Embedded
from interlock.sdk.identity import Identity
from interlock.services.editions import Definition
from interlock.services.plane import ControlPlane
from interlock.testing.adapters import InstanceKey, SystemClock, SystemIds

PROCESSES = 4
ACTORS = 4
"""How many calls each process has under way at the same time."""
ROUNDS = 120
CALL_S = 0.005
BETWEEN_S = 0.1
"""How long they act freely between two rounds."""
PATIENCE_S = 60
STAMP = struct.Struct("<qq")
"""When a call began and ended, UTC nanoseconds."""


def loaded() -> Definition:
    """What is in force: the agent of the other figures, in the cohort `web`."""
    base = definition()
    return msgspec.structs.replace(base, agents=(msgspec.structs.replace(base.agents[0], tags=("web",)),))


def opening(parent: Task | None) -> Opening:
    """The work of one process, within the work of all."""
    return Opening(agent=AgentName("bench"), purpose="load", initiator="user:ana", parent=parent)


async def load(folder: Path, number: int) -> None:
    """Act until killed."""
    stamps = os.open(folder / f"stamps-{number}", os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    async def slow(sku: str, minor: int) -> dict[str, int]:
        del sku
        began = time.time_ns()
        await asyncio.sleep(CALL_S)
        os.write(stamps, STAMP.pack(began, time.time_ns()))
        return {"was": minor}

    plane = connect(folder, set_price=slow, worker=f"load-{number}")
    parent = await plane.means.store.get(Task, (folder / "parent").read_text())
    task = await plane.tasks.open(opening(parent))
    key = InstanceKey()
    identity = Identity(Embedded(plane), key, SystemClock(), SystemIds())
    (folder / f"instance-{number}").write_text(thumbprint(key.public))

    async def actor(which: int) -> None:
        count = which * 1_000_000
        while True:
            count += 1
            try:
                action = await plane.gate.propose(await identity.presented(proposal(task, count)))
                if action.state == "dispatching":
                    await plane.execution.drive(action)
                    continue
            except InterlockError:
                pass
            await asyncio.sleep(0.002)

    await asyncio.gather(*(actor(number * ACTORS + which) for which in range(ACTORS)))


@contextmanager
def processes(folder: Path, parent: TaskId) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The four, acting already; killed at the end."""
    (folder / "parent").write_text(parent)
    words = (sys.executable, "-m", "bench.stopping", str(folder))
    running = [subprocess.Popen([*words, str(n)], cwd=Path(__file__).parents[1]) for n in range(PROCESSES)]
    try:
        until = time.monotonic() + PATIENCE_S
        while not all(calls(folder, n) for n in range(PROCESSES)):
            if time.monotonic() > until or any(each.poll() is not None for each in running):
                raise RuntimeError("the load did not begin")
            time.sleep(0.05)
        yield running
    finally:
        for each in running:
            each.kill()
        for each in running:
            each.wait()


def calls(folder: Path, number: int) -> list[tuple[float, float]]:
    """When each call of one process began and ended, UTC ms."""
    file = folder / f"stamps-{number}"
    text = file.read_bytes() if file.exists() else b""
    whole = text[: len(text) // STAMP.size * STAMP.size]
    return [(began / 1e6, ended / 1e6) for began, ended in STAMP.iter_unpack(whole)]


class Rounds(msgspec.Struct):
    """In milliseconds, by round: from asking for the brake to its commit, and from there to the last call that began and to the
    last that ended."""

    pulling: list[float] = []
    began: list[float] = []
    ended: list[float] = []


async def measured(plane: ControlPlane, folder: Path, rounds: int) -> Rounds:
    """So many drills."""
    seen = Rounds()
    for _ in range(rounds):
        await asyncio.sleep(BETWEEN_S)
        drill = await plane.drills.run("tag", "web", by="bench")
        if drill.state != "done" or drill.pulled_at is None or drill.lifted_at is None:
            raise RuntimeError(f"a drill was {drill.state}")
        pulled, lifted = drill.pulled_at, drill.lifted_at
        found = [each for number in range(PROCESSES) for each in calls(folder, number)]
        seen.pulling.append(pulled - drill.stop.since_at)
        seen.began.append(max((at - pulled for at, _ in found if pulled < at < lifted), default=0.0))
        seen.ended.append(max((at - pulled for _, at in found if pulled < at < lifted), default=0.0))
    return seen


async def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as made:
        folder = Path(made)
        plane = connect(folder)
        await plane.registry.apply(loaded(), by="bench")
        parent = await plane.tasks.open(opening(None))
        with processes(folder, parent.id):
            seen = await measured(plane, folder, ROUNDS)
        count = sum(len(calls(folder, number)) for number in range(PROCESSES))
        await plane.means.store.close()
    rows = (
        ("the brake's commit, from asking for it", sorted(seen.pulling)),
        ("from the commit to the last call that began", sorted(seen.began)),
        ("from the commit to the last call that ended", sorted(seen.ended)),
    )
    show(
        f"time to stop: a cohort of {PROCESSES} processes with {ACTORS} calls under way each, {ROUNDS} drills, {count:,} calls",
        ("", "p50 ms", "p99 ms", "max ms"),
        tuple(
            (name, *(f"{value:.1f}" for value in (percentile(of, 0.5), percentile(of, 0.99), of[-1])))
            for name, of in rows
        ),
        f"a call takes {CALL_S * 1000:.0f} ms; the bound is 1,000 ms at p99",
    )


if __name__ == "__main__":
    asyncio.run(load(Path(sys.argv[1]), int(sys.argv[2])))
