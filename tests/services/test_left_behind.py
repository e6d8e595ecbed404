"""What a program leaves behind that died in a tool that only it has: any worker settles it, none repeats it, and the program goes
on where the class lets it."""

from __future__ import annotations

import asyncio

import pytest

from interlock.adapters.memory import Fault
from interlock.domain.action import Action, State
from interlock.domain.contract import Blind, Conditional, Contract, InProcess, Keyed, Lookup, PythonTarget
from interlock.domain.duration import MINUTE
from interlock.services.plane import ControlPlane
from interlock.testing.parts import Crash, CrashAt, Target
from interlock.testing.world import World, contract, permit
from interlock.worker import Worker
from tests.audit.honest import lies
from tests.services.shop import ASK as ASKED
from tests.services.shop import above_ten

pytestmark = pytest.mark.anyio

KEY = "order-7"
ASK = PythonTarget(target="world:ask")
OWN = InProcess(name="thing.put")
CLASSES: dict[str, Contract] = {
    "keyed": contract(target=OWN, idempotency=Keyed()),
    "keyed, askable": contract(target=OWN, idempotency=Keyed(), lookup=ASK),
    "keyed, asked there": contract(target=OWN, idempotency=Keyed(), lookup=InProcess(name="thing.put:lookup")),
    "conditional": contract(target=OWN, idempotency=Conditional()),
    "lookup": contract(target=OWN, idempotency=Lookup(), lookup=ASK),
    "lookup, asked there": contract(target=OWN, idempotency=Lookup(), lookup=InProcess(name="thing.put:lookup")),
    "blind": contract(target=OWN, idempotency=Blind()),
    "blind, askable": contract(target=OWN, idempotency=Blind(), lookup=ASK),
    "read": contract(target=OWN, effect="read", reversal=None, idempotency=Blind()),
}

# By the class, and by whether it died before or after the effect: how it stands once a worker was there; how once its program was
# there again, and how often it then happened.
# fmt: off
TABLE: dict[str, dict[str, tuple[State, State, int]]] = {
    #                        before                            after
    "keyed":              {"before": ("unknown", "done", 1),    "after": ("unknown", "done", 1)},
    "keyed, askable":     {"before": ("failed", "failed", 0),   "after": ("done", "done", 1)},
    "keyed, asked there": {"before": ("unknown", "done", 1),    "after": ("unknown", "done", 1)},
    "conditional":        {"before": ("unknown", "done", 1),    "after": ("unknown", "unknown", 1)},
    "lookup":             {"before": ("failed", "failed", 0),   "after": ("done", "done", 1)},
    "lookup, asked there": {"before": ("unknown", "done", 1),   "after": ("unknown", "done", 1)},
    "blind":              {"before": ("unknown", "unknown", 0), "after": ("unknown", "unknown", 1)},
    "blind, askable":     {"before": ("failed", "failed", 0),   "after": ("done", "done", 1)},
    "read":               {"before": ("unknown", "done", 1),    "after": ("unknown", "done", 2)},
}
# fmt: on


class Left:
    """An action whose program died in its own tool."""

    def __init__(self, kind: str, way: str = "after") -> None:
        self.contract = CLASSES[kind]
        self.world = World(steps=CrashAt({"before": "propose.recorded", "after": "execute.called"}[way]))
        self.target = Target(self.world.effectors, self.contract)

    async def begin(self) -> Action:
        """Propose it, and die."""
        world = self.world
        await world.apply(self.contract, budgets={"calls": 10})
        with pytest.raises(Crash):
            await world.propose(await world.task(), key=KEY)
        (action,) = await world.actions()
        assert (action.state, action.place, action.waits_at) == ("dispatching", "thing.put", "")
        return action

    async def worked(self, process: ControlPlane, *, rounds: int = 20) -> None:
        """A worker that has none of the program's tools, until the lease and whatever is asked are over."""
        self.world.effectors.reachable = False
        try:
            for _ in range(rounds):
                await Worker(process).run(until_idle=True)
                self.world.clock.advance(1_500)
        finally:
            self.world.effectors.reachable = True

    async def returns(self) -> Action:
        """The program again: it asks under the same key, and waits."""
        program = self.world.another("again")
        action = await self.world.propose_on(program, await self.world.task(), key=KEY)
        for _ in range(20):
            for claimed in await program.execution.claim(places=("", "thing.put"), only=action.id):
                await program.execution.drive(claimed)
            self.world.clock.advance(1_500)
        return await self.world.action(action)


@pytest.mark.parametrize("way", ["before", "after"])
@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.proves("execution.left_behind")
async def test_what_a_dead_program_left(kind: str, way: str) -> None:
    """A worker settles it by asking where it can be asked, and says that nobody knows where it cannot; it never calls the tool.
    The program that has it goes on as its class allows."""
    left = Left(kind, way)
    action = await left.begin()
    calls = left.world.effectors.calls["thing.put", "run"]
    worker = left.world.another("worker")

    await Worker(worker).run(until_idle=True)
    assert (await left.world.action(action)).state == "dispatching", "its lease runs"
    await left.worked(worker)
    settled = await left.world.action(action)
    assert left.world.effectors.calls["thing.put", "run"] == calls
    assert bool(await left.world.reserved()) == (settled.state == "unknown")
    assert bool(await left.world.spent()) == (settled.state == "done")
    after = await left.returns()

    assert (settled.state, after.state, left.target.effects.total()) == TABLE[kind][way]
    world = left.world
    assert await lies(world.store, world.keys.log.verifier, world.keys.gate, world.clock.now()) == []


@pytest.mark.parametrize("fault", ["stored", "not stored"])
@pytest.mark.parametrize("kind", ["keyed", "lookup", "blind"])
@pytest.mark.proves("execution.left_behind")
async def test_each_write_of_its_settling_that_fails(kind: str, fault: Fault) -> None:
    """Whichever write of a worker fails, stored or not, the next one comes to the same end, with one effect."""
    nth = 1
    while True:
        left = Left(kind)
        await left.begin()
        left.world.clock.advance(10_000)
        before = left.world.store.faults.writes
        left.world.store.faults.at[before + nth] = fault
        await left.worked(left.world.another("worker"))
        reached = left.world.store.faults.writes >= before + nth
        left.world.store.faults.at.clear()
        after = await left.returns()
        assert (nth, after.state, left.target.effects.total()) == (nth, TABLE[kind]["after"][1], 1)
        if not reached:
            break
        nth += 1
    assert nth > 2


@pytest.mark.parametrize("kind", ["keyed", "blind", "lookup"])
@pytest.mark.proves("execution.left_behind")
async def test_a_worker_and_the_program_at_once(kind: str) -> None:
    """Whoever of them is first: the effect is there once, and both are told the same."""
    for turn in range(6):
        left = Left(kind)
        action = await left.begin()
        world, calm = left.world, left.world.another("worker")
        world.clock.advance(10_000 if kind != "lookup" else MINUTE)
        program = world.another("again")

        async def beside(turn: int = turn, calm: ControlPlane = calm) -> None:
            for _ in range(turn):
                await asyncio.sleep(0)
            for claimed in await calm.execution.claim(places=("",)):
                calm.execution._calling._effectors.reachable = False  # type: ignore[attr-defined]  # the worker's moment
                await calm.execution.drive(claimed)

        await asyncio.gather(beside(), world.propose_on(program, await world.task(), key=KEY), return_exceptions=True)
        world.effectors.reachable = True
        await left.worked(calm)
        after = await left.returns()
        assert (after.state, left.target.effects.total()) == (TABLE[kind]["after"][1], 1)
        assert after.id == action.id


@pytest.mark.proves("execution.left_behind")
async def test_people_are_not_asked_for_ever() -> None:
    """An action that only one program could run waits for people in every process: it is over when they do not answer."""
    world = World()
    await world.apply(
        contract(target=OWN, idempotency=Blind()), rules=(permit(), (ASKED, above_ten)), approvals_within_ms=MINUTE
    )
    action = await world.propose(await world.task(), n=50)
    assert (action.state, action.waits_at) == ("held", "")
    world.clock.advance(2 * MINUTE)
    world.effectors.reachable = False
    await Worker(world.another("worker")).run(until_idle=True)
    assert (await world.action(action)).state == "expired"
