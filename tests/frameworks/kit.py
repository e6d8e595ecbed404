"""A workspace whose tools belong to an agent's own program, for tests of adapters: also in environments of frameworks, where
there is nothing but Interlock, the framework and pytest."""

import asyncio
import fcntl
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from interlock.attended import Attended
from interlock.bootstrap.beginning import initialise
from interlock.bootstrap.connecting import _connect, connect, identity_of
from interlock.bootstrap.site import settled
from interlock.domain.ids import Person
from interlock.embedded import Embedded
from interlock.ports.store import ActionQuery
from interlock.sdk.client import Client
from interlock.sdk.connection import Connection
from interlock.sdk.home import Home, once
from interlock.services.plane import ControlPlane

KILLS = (
    "propose.bound",
    "propose.decided",
    "propose.recorded",
    "tool.begun",
    "tool.acted",
    "execute.called",
    "execute.verified",
    "outcome.recorded",
    "call.returned",
)
"""Where a program that calls a tool is killed: steps of the gate, two places in the tool, and after the gate's answer."""

SETTINGS = """\
tenant: tests
pythonpath: [py]
budgets: {calls: 10000}
timing: {lease_margin: 300ms, skew: 50ms}
policy_tests: advised
"""

PEOPLE = "rita: [reviewer]\nria: [reviewer, lead]\n"

AGENT = """\
name: {name}
purpose: to be tested
owners: {{decision: rita, policy: rita, data: rita, engineering: rita}}
stage: {stage}
capabilities: [refund, keyed, unrefund, look, note]
runtime: {{max_actions: 5000, max_task: 1h, max_repeats: 5000}}
approvals: {{within: {within}}}
"""

POLICIES = """\
@id("all") @owner("tests") permit(principal, action, resource);
@id("ask") @owner("tests") @outcome("require_approval") @approver("reviewer") @reason("more than a hundred")
forbid(principal, action in [ASKS], resource) when { context.args.cents > 100 };
@id("no") @owner("tests") @outcome("deny") @reason("more than a thousand")
forbid(principal, action == Action::"refund", resource) when { context.args.cents > 1000 };
"""

REFUND = """\
name: {name}
effect: write
risk: low
arguments: {{order: string, cents: {{type: integer, minimum: 0}}}}
idempotency: {idempotency}
timeout: {timeout}
touches: {{order: $args.order}}
reversal: {{contract: unrefund, arguments: {{order: $args.order}}}}
run: in_process
"""

UNREFUND = """\
name: unrefund
effect: write
risk: low
arguments: {order: string}
reversal: {none: it is an undo}
run: {python: "back:unrefund"}
"""

LOOK = "name: look\neffect: read\nrisk: low\narguments: {order: string}\nrun: in_process\n"

NOTE = """\
name: note
effect: write
risk: low
arguments: {text: string}
output: {drop: [inner]}
reversal: {contract: unrefund, arguments: {order: $args.text}}
run: in_process
"""

BACK = (
    '"""Undoes, in any process."""\n\n\ndef unrefund(order: str) -> str:\n    """Take it back."""\n    return order\n'
)


class Place:
    """One workspace, and a ledger of effects beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = folder / "effects.txt"

    def write(self, name: str, text: str) -> None:
        """One file of it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def effect(self, what: str) -> None:
        """Something happens in the world, durably: one more line."""
        with self.ledger.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(f"{what}\n")

    def stop(self) -> None:
        """The kill switch, for everything."""
        once(self._stopped)

    async def _stopped(self) -> None:
        async with _plane(self.folder) as control:
            await control.braking.stop("all", "", by=Person("ria"), why="a test")

    def go_on(self) -> None:
        """Lift it."""
        once(self._resumed)

    async def _resumed(self) -> None:
        async with _plane(self.folder) as control:
            await control.braking.resume("all", "", by=Person("ria"))

    def actions(self) -> list[tuple[str, str]]:
        """The actions on record, the oldest first: their contracts, and what became of them."""
        return once(self._recorded)

    async def _recorded(self) -> list[tuple[str, str]]:
        async with _plane(self.folder) as control:
            found = await control.means.store.actions(ActionQuery())
        return [(each.contract, each.state) for each in reversed(found)]

    def effects(self) -> Counter[str]:
        """What happened, and how often."""
        return Counter(self.ledger.read_text().splitlines() if self.ledger.exists() else [])


@asynccontextmanager
async def _plane(folder: Path) -> AsyncIterator[ControlPlane]:
    control = connect(folder)
    try:
        yield control
    finally:
        await control.close()


def place_in(folder: Path, *, within: str = "1h", timeout: str = "5s", asks: tuple[str, ...] = ("refund",)) -> Place:
    """Make one: `refund` asks above 100 and is denied above 1000, `keyed` may be repeated under its key, `look` reads."""
    place = Place(folder)
    place.write("interlock.yaml", SETTINGS)
    place.write("people.yaml", PEOPLE)
    named = ", ".join(f'Action::"{each}"' for each in asks)
    place.write("policies/all.cedar", POLICIES.replace("ASKS", named))
    place.write("py/back.py", BACK)
    place.write("contracts/refund.yaml", REFUND.format(name="refund", idempotency="blind", timeout=timeout))
    place.write("contracts/keyed.yaml", REFUND.format(name="keyed", idempotency="keyed", timeout=timeout))
    place.write("contracts/unrefund.yaml", UNREFUND)
    place.write("contracts/look.yaml", LOOK)
    place.write("contracts/note.yaml", NOTE)
    for name, stage in (("ag", "partial"), ("shade", "shadow")):
        place.write(f"agents/{name}.yaml", AGENT.format(name=name, stage=stage, within=within))
    initialise(folder, "tests")
    return place


class KillAt:
    """Kills this very process at one step, as `kill -9` does."""

    def __init__(self, step: str = "") -> None:
        self.step = step

    def reached(self, step: str) -> None:
        """One step is over."""
        if step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def opened(folder: Path, steps: KillAt) -> Client:
    """As `interlock.open`, by a program that is killed at one step."""
    control, offered = _connect(settled(folder), memory=False, begin=False, steps=steps)
    connection = Connection(Embedded(control), Home(), lambda _: None, identity_of(control), offered.lend)
    return Client(connection, Attended(control))


async def held_in(client: Client) -> str:
    """The one action that waits for people, once it does."""
    for _ in range(500):
        for each in await client.person("rita").aio.waiting():
            return each.id
        await asyncio.sleep(0.02)
    raise AssertionError("nothing is held")


def in_a_process(work: Callable[[], object]) -> int:
    """Run `work` in a process of its own and give how that ended: 0, 1 where it raised, or minus the signal that killed it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001  whatever it is, the parent hears of it and nothing else of the child goes on
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
