"""One installation and its two doors: the workspace's own folder, and the address of a real `interlock serve` over it.

What a program does through one of them is the same through the other. A test that takes the fixture `door` is run once through
each; what it proposes has keys and agents of its own, since the installation is everybody's.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal

from anyio.from_thread import BlockingPortal, start_blocking_portal

import interlock
from interlock.bootstrap.connecting import connect
from interlock.domain.ids import AgentName, Person
from interlock.services.plane import ControlPlane
from tests.workspaces import AGENT, CAPABILITIES, POLICIES, SETTINGS, Place, forget, workspace

Side = Literal["here", "afar"]
SIDES: Final[tuple[Side, ...]] = ("here", "afar")
ASKERS: Final = 3
MORE: Final = """\
identity: {attest: [local, bootstrap]}
server: {rate: 100000}
"""
SLOW: Final = """\
@id("slow") @owner("tests") @outcome("escalate") @approver("reviewer") @deadline("1s") @default("keep it") @reason("so it is")
forbid(principal, action == Action::"exception.raise", resource) when { context.args.kind == "low_confidence" };
"""
BUDGETS: Final = "budgets: {tokens: 1000, USD.micro: {limit: 1000, per: day}}\n"
_KEYS: Final = count()


class Installed:
    """A workspace that is in force, the server over it, and whoever administers both."""

    def __init__(self, place: Place, address: str, desk: interlock.Client, portal: BlockingPortal) -> None:
        self.place = place
        self.address = address
        self.desk = desk
        """For people, who speak where the workspace is."""
        self._portal = portal
        self._plane = portal.call(_plane, place.folder)

    def secret(self, agent: str) -> str:
        """What a program of `agent` is recognised by, once."""
        offered = partial(self._plane.inviting.offer, AgentName(agent), by=Person("rita"))
        return self._portal.call(offered)[0]

    def close(self) -> None:
        """Let go of the store."""
        self.desk.close()
        self._portal.call(self._plane.close)


class Door:
    """One way into the installation, for one test."""

    def __init__(self, installed: Installed, side: Side) -> None:
        self.side = side
        self.place = installed.place
        self._installed = installed
        (self.place.folder / "effects.txt").unlink(missing_ok=True)

    def open(self, agent: str = "ag", **more: Any) -> interlock.Client:
        """A client of a program of `agent`."""
        if self.side == "here":
            return interlock.open(self.place.folder, **more)
        return interlock.open(
            self._installed.address, attest="bootstrap", evidence=self._installed.secret(agent), **more
        )

    def person(self, name: str) -> interlock.Desk:
        """Somebody who speaks."""
        return self._installed.desk.person(name)

    def tools(self) -> ModuleType:
        """The tools of the workspace."""
        return self.place.tools()

    def effects(self) -> list[str]:
        """What happened since the test began, in order."""
        return self.place.effects()

    def key(self) -> str:
        """One that nobody used."""
        return f"{self.side}-{next(_KEYS)}"

    def asker(self, number: int) -> str:
        """An agent that may ask models, with budgets that nobody else spends."""
        return f"asker{number}{self.side}"


@contextmanager
def installed(folder: Path) -> Iterator[Installed]:
    """One, with every agent that the tests of both doors have."""
    place = workspace(folder)
    place.write("interlock.yaml", SETTINGS.format(module=f"{place.module}, interlock.exceptions") + MORE)
    place.write("policies/all.cedar", POLICIES + SLOW)
    everything = ", ".join((*CAPABILITIES, "exception.raise"))
    for name, stage in (("ag", "partial"), ("shade", "shadow"), ("helper", "assisted")):
        place.write(f"agents/{name}.yaml", AGENT.format(name=name, stage=stage, capabilities=everything))
    for name in (f"asker{number}{side}" for number in range(ASKERS) for side in SIDES):
        place.write(f"agents/{name}.yaml", asking(AGENT.format(name=name, stage="partial", capabilities="box.look")))
    desk = interlock.open(folder, apply=True)
    words = [sys.executable, "-m", "interlock", "-w", str(folder), "serve", "--port", "0"]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        with start_blocking_portal() as portal:
            made = Installed(place, _address(server), desk, portal)
            try:
                yield made
            finally:
                made.close()
    finally:
        server.kill()
        server.communicate()
        forget(place)


def asking(file: str) -> str:
    """An agent's file, with two models and budgets of tokens and money."""
    return file.replace("max_task: 1h", "max_task: 1h, models: [gpt-4o-mini, 'openai:gpt-4o-mini', own]") + BUDGETS


async def _plane(folder: Path) -> ControlPlane:
    return connect(folder)


def _address(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    said = []
    for line in server.stdout:
        said.append(line)
        if "http://" in line and "sign-in" not in line:
            return "http://" + line.partition("http://")[2].split()[0].rstrip("/")
    raise AssertionError("".join(said))
