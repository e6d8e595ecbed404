"""Calls that programs make themselves: each write of claim and report fails, once stored and once not, and the call is made
once."""

from __future__ import annotations

import pytest

from interlock.adapters.memory import Fault
from interlock.domain.action import Action
from interlock.domain.claimed import Claimed, Report
from interlock.domain.contract import Blind, Idempotency, InProcess, Keyed
from interlock.domain.errors import ContractError, IllegalMove, NotAllowed, StoreError
from interlock.domain.ids import ActionId
from interlock.testing.world import TAKE, World, contract
from interlock.worker import Worker

pytestmark = pytest.mark.anyio
ME = "the thumbprint of a key"


class Program:
    """Claims and reports as a program does whose answers get lost."""

    def __init__(self, world: World, name: ActionId) -> None:
        self.world, self.name = world, name
        self.claim = world.ids.new()
        self.calls: list[int] = []

    async def stored(self) -> Action:
        """As it is."""
        found = await self.world.store.get(Action, self.name)
        assert found is not None
        return found

    async def claimed(self) -> Claimed:
        """Asked until it is heard."""
        while True:
            try:
                return await self.world.plane.handing_out.claim(await self.stored(), ME, self.claim)
            except StoreError:
                continue

    async def reported(self, report: Report) -> Claimed:
        """Said until it is heard."""
        while True:
            try:
                return await self.world.plane.handing_out.report(await self.stored(), ME, self.claim, report)
            except StoreError:
                continue

    async def run(self) -> Action:
        """All of it."""
        found = await self.claimed()
        while found.call is not None and found.call.fence not in self.calls:
            self.calls.append(found.call.fence)
            found = await self.reported(Report(fence=found.call.fence, came="landed", result={"n": 1}))
        return found.action


async def ready(idempotency: Idempotency = Blind()) -> tuple[World, Program]:  # noqa: B008  a value
    """An action whose tool is its program's own, allowed and waiting."""
    world = World()
    await world.apply(contract(target=InProcess(name="thing.put"), idempotency=idempotency), TAKE)
    world.effectors.reachable = False
    action = await world.propose(await world.task(), n=1)
    assert (action.state, action.place) == ("ready", "thing.put")
    return world, Program(world, action.id)


@pytest.mark.proves("remote.own_crash")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
@pytest.mark.parametrize("idempotency", [Blind(), Keyed()], ids=["blind", "keyed"])
async def test_each_write_that_fails(fault: Fault, idempotency: Idempotency) -> None:
    """Whichever write of claim or report fails, stored or not: asked again under the same claim, the call is made once, and
    done."""
    world, program = await ready(idempotency)
    before = world.store.faults.writes
    await program.run()
    total = world.store.faults.writes - before
    assert total >= 3
    for nth in range(1, total + 1):
        world, program = await ready(idempotency)
        world.store.faults.at[world.store.faults.writes + nth] = fault
        action = await program.run()
        assert (nth, action.state, len(program.calls), action.attempt) == (nth, "done", 1, 1)


@pytest.mark.proves("remote.own_crash")
async def test_a_lease_that_ran_out_is_found_out_by_any_worker() -> None:
    """Of a call that nobody reported a blind one is unknown; a word on it that comes then is refused and stands in the log,
    and neither moves it nor its budget."""
    world, program = await ready()
    found = await program.claimed()
    assert found.call is not None
    world.clock.advance(60_000)
    await Worker(world.plane).run(until_idle=True)
    lost, entries = await program.stored(), len(await world.store.entries_of(program.name))
    with pytest.raises(IllegalMove):
        await program.reported(Report(fence=found.call.fence, came="landed", result={"n": 1}))

    assert lost.state == "unknown"
    assert (await program.stored()).revision == lost.revision
    assert len(await world.store.entries_of(program.name)) == entries + 1
    assert (await program.claimed()).call is None


async def test_a_word_after_the_lease_is_late_even_where_nobody_looked() -> None:
    """The lease decides, not who was first to see that it is over."""
    world, program = await ready()
    found = await program.claimed()
    assert found.call is not None
    world.clock.advance(found.lease_ms)
    with pytest.raises(IllegalMove):
        await program.reported(Report(fence=found.call.fence, came="landed", result={"n": 1}))
    assert (await program.stored()).state == "dispatching"
    await Worker(world.plane).run(until_idle=True)
    assert (await program.stored()).state == "unknown"


async def test_a_keyed_one_is_its_programs_to_repeat() -> None:
    """No worker can, so it is unknown until its program claims it, by a claim of its own, and is given the next attempt."""
    world, program = await ready(Keyed())
    first = await program.claimed()
    world.clock.advance(60_000)
    await Worker(world.plane).run(until_idle=True)
    lost = await program.stored()
    again = Program(world, program.name)
    world.clock.advance(10_000)
    done = await again.run()

    assert (lost.state, lost.place) == ("unknown", "thing.put")
    assert (done.state, done.attempt) == ("done", 2)
    assert first.call is not None
    assert again.calls[0] > first.call.fence
    assert not world.effectors.calls


async def test_what_is_no_programs_tool_is_not_handed_out() -> None:
    """A tool that the control plane calls, and a claim without an id, are refused; another instance is given nothing."""
    world, program = await ready()
    with pytest.raises(ContractError):
        await world.plane.handing_out.claim(await program.stored(), ME, "mine")
    await program.claimed()
    other = await world.plane.handing_out.claim(await program.stored(), "another", program.claim)
    assert other.call is None

    world = World()
    await world.apply(contract(), TAKE)
    done = await world.propose(await world.task(), n=1)
    with pytest.raises(NotAllowed, match="the control plane calls it"):
        await world.plane.handing_out.claim(done, ME, world.ids.new())
