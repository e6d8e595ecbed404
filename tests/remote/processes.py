"""The processes that are killed: a server that dies at a step of an action's life, and a program that dies around its own tool.

python -m tests.remote.processes serve FOLDER PORT [STEP]
python -m tests.remote.processes act FOLDER ADDRESS SECRET NAME [STEP]
python -m tests.remote.processes again FOLDER ADDRESS SECRET NAME TASK
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import interlock
from interlock.bootstrap.connecting import connect
from interlock.bootstrap.serving import front
from interlock.bootstrap.site import settled
from interlock.domain.errors import Unreachable
from interlock.sdk.carrying_out import Carrying
from interlock.web.live import Hub
from interlock.worker import Worker

KEY = "order-7"


def die() -> None:
    """As a machine does that loses its power."""
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly:
    """Dies where it is told to, once."""

    def __init__(self, step: str) -> None:
        self._step = step

    def reached(self, step: str) -> None:
        """That it came so far."""
        if step == self._step:
            die()


async def serve(folder: Path, port: int, step: str) -> None:
    """A server and its worker."""
    plane = connect(folder, steps=Deadly(step))
    hosting = settled(folder).settings.hosting
    hub = Hub(plane, most=hosting.live_most)
    app = front(plane, hosting, hub)
    serving: Any = import_module("interlock.api.serving")
    async with asyncio.TaskGroup() as group:
        group.create_task(hub.run())
        group.create_task(Worker(plane).run())
        group.create_task(serving.serve(app, "127.0.0.1", port, lambda _: (folder / "serves").touch()))


def tool(folder: Path, step: str) -> Any:
    """The program's own."""

    def put(call: interlock.Call, n: int) -> dict[str, int]:
        if step == "claimed":
            die()
        with (folder / "own.txt").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(f"{call.idempotency_key} {call.attempt}\n")
        if step == "called":
            die()
        if step == "waits":
            (folder / "waits").touch()
            while not (folder / "go").exists():
                time.sleep(0.01)
        return {"n": n}

    return put


def told(outcome: interlock.Outcome) -> None:
    """What came of it."""
    print(json.dumps({"kind": type(outcome).__name__, "action": outcome.action_id}), flush=True)


def proposed(task: interlock.SyncTask, name: str) -> interlock.Outcome:
    """Ask until somebody answers, under one key."""
    while True:
        try:
            return task.propose(name, n=3, idempotency_key=KEY)
        except Unreachable:
            time.sleep(0.2)


def act(folder: Path, address: str, secret: str, name: str, step: str) -> None:
    """Propose an action of its own."""
    with interlock.open(address, attest="bootstrap", evidence=secret) as client:
        client.offer(name, tool(folder, step))
        scope = client.task("ag", purpose="test")
        task = scope.__enter__()
        (folder / "task").write_text(task.id)
        if step == "proposed":
            Carrying.out = lambda *_: die()  # type: ignore[method-assign,assignment]  # it never gets there
        outcome = proposed(task, name)
        if step == "reported":
            die()
        if isinstance(outcome, interlock.Pending):
            outcome = outcome.ticket.wait(timeout_ms=20_000)
        told(outcome)


def again(folder: Path, address: str, secret: str, name: str, task_id: str) -> None:
    """Go on with what another instance began."""
    with interlock.open(address, attest="bootstrap", evidence=secret) as client:
        client.offer(name, tool(folder, ""))
        with client.resume(task_id, "ag") as task:
            outcome = task.propose(name, n=3, idempotency_key=KEY)
            if isinstance(outcome, interlock.Pending | interlock.Unknown):
                outcome = outcome.ticket.wait(timeout_ms=5_000)
            told(outcome)


if __name__ == "__main__":
    role, where, *rest = sys.argv[1:]
    if role == "serve":
        asyncio.run(serve(Path(where), int(rest[0]), (*rest, "")[1]))
    elif role == "act":
        act(Path(where), rest[0], rest[1], rest[2], (*rest, "")[3])
    else:
        again(Path(where), *rest)
