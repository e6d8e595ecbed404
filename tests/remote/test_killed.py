"""`kill -9`, of the program and of the server, at each step of a call that only the program can make, in real processes."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import interlock
from interlock.bootstrap.connecting import connect
from interlock.bootstrap.site import definition, read_site
from interlock.domain.action import Action
from interlock.domain.ids import ActionId, AgentName, Person
from interlock.services.plane import ControlPlane
from tests.remote.own import FILES
from tests.remote.world import SETTINGS
from tests.workspaces import forget, workspace

ROOT = Path(__file__).parents[2]


class Site:
    """A workspace, the port of its server, and who was begun."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = int(found.getsockname()[1])
        self.address = f"http://127.0.0.1:{self.port}"
        self.running: list[subprocess.Popen[str]] = []

    def begin(self, role: str, *words: str) -> subprocess.Popen[str]:
        """A process of `tests.remote.processes`."""
        command = [sys.executable, "-m", "tests.remote.processes", role, str(self.folder), *words]
        made = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.running.append(made)
        return made

    def serve(self, step: str = "") -> subprocess.Popen[str]:
        """A server that answers; with `step` it dies there."""
        (self.folder / "serves").unlink(missing_ok=True)
        made = self.begin("serve", str(self.port), *([step] if step else []))
        self.until(self.folder / "serves")
        return made

    def until(self, file: Path) -> None:
        """A file is there."""
        ends = time.monotonic() + 30
        while not file.exists():
            assert time.monotonic() < ends, file
            time.sleep(0.01)

    def secret(self) -> str:
        """By which a program is recognised, once."""

        async def offered(plane: ControlPlane) -> str:
            return (await plane.inviting.offer(AgentName("ag"), by=Person("rita")))[0]

        return str(self.look(offered))

    def look(self, work: Any) -> Any:
        """At the store, beside the server."""

        async def looked() -> Any:
            plane = connect(self.folder)
            try:
                return await work(plane)
            finally:
                await plane.close()

        return asyncio.run(looked())

    def action(self, name: str) -> Action:
        """As it is stored."""

        async def found(plane: ControlPlane) -> Action | None:
            return await plane.means.store.get(Action, ActionId(name))

        action: Action = self.look(found)
        return action

    def did(self) -> list[str]:
        """What the program's own tool did."""
        file = self.folder / "own.txt"
        return file.read_text().splitlines() if file.exists() else []

    def ends(self, process: subprocess.Popen[str]) -> Any:
        """What it said in the end; None if it was killed as planned."""
        out, err = process.communicate(timeout=60)
        if process.returncode == -signal.SIGKILL:
            return None
        assert process.returncode == 0, err
        return json.loads(out.splitlines()[-1])


@contextmanager
def installed(folder: Path, *, margin: str = "3s") -> Iterator[Site]:
    """One."""
    place = workspace(folder)
    said = (folder / "interlock.yaml").read_text().replace("lease_margin: 1s", f"lease_margin: {margin}")
    place.write("interlock.yaml", said + SETTINGS)
    for name, text in FILES:
        place.write(name, text)

    async def applied() -> None:
        plane = connect(folder, begin=True)
        await plane.registry.apply(definition(read_site(folder)), by="test")
        await plane.close()

    asyncio.run(applied())
    site = Site(folder)
    try:
        yield site
    finally:
        for each in site.running:
            each.kill()
            each.communicate()
        forget(place)


PROGRAM = (
    ("own.blind", "proposed", "Done", 1),
    pytest.param("own.blind", "claimed", "Unknown", 0, marks=pytest.mark.slow),
    pytest.param("own.blind", "called", "Unknown", 1, marks=pytest.mark.slow),
    pytest.param("own.blind", "reported", "Done", 1, marks=pytest.mark.slow),
    pytest.param("own.keyed", "claimed", "Done", 1, marks=pytest.mark.slow),
    ("own.keyed", "called", "Done", 2),
)
"""Tool; where its program dies; what the next one hears under the same key; how often the tool was called."""


@pytest.mark.proves("remote.own_crash")
@pytest.mark.parametrize(("name", "step", "kind", "calls"), PROGRAM)
def test_a_program_that_is_killed(tmp_path: Path, name: str, step: str, kind: str, calls: int) -> None:
    """Wherever a program dies, the next one that takes its task over hears what is known: no blind effect twice, a keyed one
    under its key alone, and what nobody knows is unknown."""
    with installed(tmp_path) as site:
        site.serve()
        assert site.ends(site.begin("act", site.address, site.secret(), name, step)) is None
        if step not in ("proposed", "reported"):
            time.sleep(5)  # the lease of a call that nobody reports
        task = (site.folder / "task").read_text()
        said = site.ends(site.begin("again", site.address, site.secret(), name, task))

        assert said["kind"] == kind
        assert len(site.did()) == calls
        assert {line.split()[0] for line in site.did()} <= {"order-7"}
        assert site.action(said["action"]).state == ("done" if kind == "Done" else "unknown")


QUICK = ("dispatch.recorded", "execute.verified")
SERVER = (
    *QUICK,
    *(
        pytest.param(step, marks=pytest.mark.slow)
        for step in ("propose.recorded", "dispatch.claimed", "dispatch.checked", "outcome.recorded")
    ),
)
"""The steps at which the server dies."""


@pytest.mark.proves("remote.own_crash")
@pytest.mark.parametrize("step", SERVER)
def test_a_server_that_is_killed(tmp_path: Path, step: str) -> None:
    """Wherever the server dies, the one that comes next hears the program out: the tool is called once, and is done."""
    with installed(tmp_path, margin="20s") as site:
        deadly = site.serve(step)
        program = site.begin("act", site.address, site.secret(), "own.blind")
        deadly.wait(60)
        site.serve()
        said = site.ends(program)

        assert deadly.returncode == -signal.SIGKILL
        assert said["kind"] == "Done"
        assert len(site.did()) == 1
        assert site.action(said["action"]).state == "done"


@pytest.mark.proves("remote.own_crash")
def test_a_server_that_is_killed_between_claim_and_report(tmp_path: Path) -> None:
    """The server dies while the program is at work: the next one takes its report, while the lease lasts."""
    with installed(tmp_path) as site:
        first = site.serve()
        program = site.begin("act", site.address, site.secret(), "own.long", "waits")
        site.until(site.folder / "waits")
        first.kill()
        first.wait()
        site.serve()
        (site.folder / "go").touch()
        said = site.ends(program)

        assert said["kind"] == "Done"
        assert len(site.did()) == 1


@pytest.mark.proves("remote.once", "remote.closed")
def test_a_server_that_is_begun_anew_under_its_clients(tmp_path: Path) -> None:
    """While nobody answers a call fails with a code and nothing is kept of it. Who asks while the server comes back is heard, in
    the very task and by the very ticket it had."""
    with installed(tmp_path) as site:
        first = site.serve()
        with (
            interlock.open(site.address, attest="bootstrap", evidence=site.secret()) as client,
            client.task("ag", purpose="test") as task,
        ):
            held = task.propose("box.put", n=500)
            assert isinstance(held, interlock.Held)
            first.kill()
            first.wait()
            began = time.monotonic()
            with pytest.raises(interlock.InterlockError) as away:
                task.propose("box.put", n=1)
            took = time.monotonic() - began
            heard: list[interlock.Outcome] = []
            asking = threading.Thread(target=lambda: heard.append(held.ticket.wait(timeout_ms=60_000)))
            asking.start()
            site.serve()
            with interlock.open(site.folder) as here:
                here.person("rita").approve(held.action_id)
            asking.join(60)
            after = task.propose("box.put", n=2)

    assert (away.value.code, away.value.fault) in (("unreachable", "operator"), ("unanswered", "operator"))
    assert took < 10
    assert isinstance(after, interlock.Done)
    assert (tmp_path / "effects.txt").read_text().count("put 1\n") == 0
    assert [type(each) for each in heard] == [interlock.Done]
