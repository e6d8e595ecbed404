"""Every plane keeps every promise of the port `Plane`: in the program's process, for callers from outside, and over a real
socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from interlock.adapters.remote.plane import Remote
from interlock.adapters.remote.wire import Wire
from interlock.bootstrap.connecting import connect
from interlock.domain.asking import begin_call, claim_call, close_call, report_call, settle_call, wait_call
from interlock.domain.claimed import Report
from interlock.domain.errors import IllegalMove, InterlockError, KeyReused, NotAllowed, NotFound
from interlock.domain.ids import ActionId, AgentName, ContractName, TaskId, UseId
from interlock.domain.presented import Presented
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.domain.use import MODEL_USE, Asked, TokenCount
from interlock.embedded import Embedded, Outside
from interlock.ports.plane import Plane
from interlock.sdk.identity import Identity, shows
from interlock.testing.adapters import InstanceKey, SystemClock, SystemIds
from tests.remote.own import FILES
from tests.remote.world import Reached, reached

AG = AgentName("ag")
PUT, OWN = ContractName("box.put"), ContractName("own.blind")
NOBODYS = "01a20311-da6b-74d4-b1c4-3197462f9bfa"


class Program:
    """One instance, with nothing of the SDK between it and the plane but who it is."""

    def __init__(self, plane: Plane, secret: str) -> None:
        self.plane = plane
        self.identity = Identity(plane, InstanceKey(), SystemClock(), SystemIds(), shows("bootstrap", secret))

    async def task(self, **more: object) -> Task:
        """An open task."""
        opening = msgspec.structs.replace(Opening(agent=AG, purpose="test", initiator="user:customer"), **more)
        call = begin_call(opening, (await self.plane.expected(AG)).audience)
        return await self.plane.open_task(opening, await self.identity.shown(AG, call))

    async def proposal(self, task: Task, contract: ContractName = PUT, n: int = 1, key: str | None = None) -> Proposal:
        """A call that is ready to be sent."""
        said = Proposal(task=task, contract=contract, arguments={"n": n}, idempotency_key=key)
        return await self.identity.presented(said)

    async def shown(self, call: Callable[[str], object]) -> Presented:
        """What shows that it makes `call`."""
        return await self.identity.still(AG, call)  # type: ignore[arg-type]  # calls are made by lambdas here


class World:
    """A plane of one kind, and programs that reach it."""

    def __init__(self, site: Reached, kind: str) -> None:
        self.site, self.kind = site, kind
        self._planes: list[Plane] = []

    def program(self) -> Program:
        """One more."""
        if self.kind == "remote":
            plane: Plane = Remote(Wire(self.site.address), SystemClock())
        else:
            control = connect(self.site.place.folder)
            plane = Embedded(control) if self.kind == "embedded" else Outside(control)
        self._planes.append(plane)
        return Program(plane, self.site.secret())

    async def close(self) -> None:
        """All of them, twice."""
        for each in self._planes * 2:
            await each.close()


async def once_under_a_key(world: World) -> None:
    """The same key gives the same action, and other arguments under it KeyReused."""
    one = world.program()
    task = await one.task()
    first = await one.plane.propose(await one.proposal(task, key="k"))
    again = await one.plane.propose(await one.proposal(task, key="k"))
    assert (first.id, first.state) == (again.id, "done")
    with pytest.raises(KeyReused):
        await one.plane.propose(await one.proposal(task, n=2, key="k"))
    assert world.site.place.effects() == ["put 1"]


async def a_proof_counts_once_and_for_its_call(world: World) -> None:
    """A proof that comes again, or with another call, is refused, and nothing is done."""
    one = world.program()
    task = await one.task()
    said = await one.proposal(task)
    first = await one.plane.propose(said)
    second = await one.plane.propose(said)
    other = await one.plane.propose(msgspec.structs.replace(await one.proposal(task), arguments={"n": 2}))
    bare = msgspec.structs.replace(said, presented=Presented(credential="", proof=""))
    nobody = await one.plane.propose(bare)
    assert [each.state for each in (first, second, other, nobody)] == ["done", "refused", "refused", "refused"]
    assert world.site.place.effects() == ["put 1"]


async def a_task_of_an_id_is_one(world: World) -> None:
    """Asked for again by the same instance it is the same task; otherwise the id is another's, and no word of whose."""
    one, other = world.program(), world.program()
    name = TaskId(SystemIds().new())
    first, again = await one.task(id=name), await one.task(id=name)
    assert first == again
    for program, more in ((one, {"purpose": "something else"}), (other, {})):
        with pytest.raises(KeyReused):
            await program.task(id=name, **more)
    with pytest.raises(InterlockError, match="UUID"):
        await one.task(id=TaskId("mine"))


async def only_the_holder_acts(world: World) -> None:
    """Another instance closes, waits for and proposes nothing in a task that it does not hold, until it takes it over."""
    mine, other = world.program(), world.program()
    task = await mine.task()
    held = await mine.plane.propose(await mine.proposal(task, n=500))
    closing = await other.shown(lambda audience: close_call(task.id, "", audience))
    with pytest.raises(NotAllowed):
        await other.plane.close_task(task.id, closing)
    waiting = await other.shown(lambda audience: wait_call(held.id, None, 0, audience))
    with pytest.raises(NotAllowed):
        await other.plane.wait(held.id, waiting, timeout_ms=0)
    assert (await other.plane.propose(await other.proposal(task))).state == "refused"
    assert world.site.place.effects() == []


async def waiting_ends_with_its_time(world: World) -> None:
    """What is held is told as held once the time is over."""
    one = world.program()
    task = await one.task()
    held = await one.plane.propose(await one.proposal(task, n=500))
    shown = await one.shown(lambda audience: wait_call(held.id, None, 50, audience))
    async with asyncio.timeout(10):
        found = await one.plane.wait(held.id, shown, timeout_ms=50)
    assert (found.id, found.state) == (held.id, "held")


async def closing_twice_is_once(world: World) -> None:
    """And nothing is begun in it afterwards."""
    one = world.program()
    task = await one.task()
    for _ in range(2):
        shown = await one.shown(lambda audience: close_call(task.id, "", audience))
        await one.plane.close_task(task.id, shown)
    assert (await one.plane.propose(await one.proposal(task))).state == "refused"


async def a_use_of_a_key_is_one(world: World) -> None:
    """Begun again under its key it reserves nothing more; settled twice, the first counts."""
    one = world.program()
    task = await one.task(budgets={"tokens": 30})
    asked = Asked(model="m", tokens=TokenCount(input=10, output=10), lasts_ms=60_000)
    name = SystemIds().new()

    async def begun() -> UseId:
        said = Proposal(task=task, contract=MODEL_USE, arguments=asked.arguments, idempotency_key=name)
        return (await one.plane.begin_use(await one.identity.presented(said))).id

    assert {await begun(), await begun()} == {name}
    for tokens in (5, 9):
        used = TokenCount(input=tokens, output=1)
        shown = await one.shown(lambda audience, used=used: settle_call(UseId(name), used, audience))  # type: ignore[misc]
        found = await one.plane.settle_use(UseId(name), shown, used)
        assert found.used == TokenCount(input=5, output=1)


async def what_there_is_not_is_not_found(world: World) -> None:
    """An agent, a task or an action of no such name."""
    one = world.program()
    await one.task()
    with pytest.raises(NotFound):
        await one.plane.expected(AgentName("nobody"))
    shown = await one.shown(lambda audience: wait_call(ActionId(NOBODYS), None, 0, audience))
    with pytest.raises(NotFound):
        await one.plane.wait(ActionId(NOBODYS), shown, timeout_ms=0)
    shown = await one.shown(lambda audience: close_call(TaskId(NOBODYS), "", audience))
    with pytest.raises(NotFound):
        await one.plane.close_task(TaskId(NOBODYS), shown)


async def a_claim_is_one_call(world: World) -> None:
    """Under one claim it is always the same call, under another none; a report ends it, said twice it is the same, and by another
    claim it is refused."""
    one = world.program()
    task = await one.task()
    action = await one.plane.propose(await one.proposal(task, OWN))
    mine, another = SystemIds().new(), SystemIds().new()

    async def claimed(claim: str) -> object:
        shown = await one.shown(lambda audience: claim_call(action.id, claim, audience))
        return (await one.plane.claim(action.id, shown, claim)).call

    async def reported(claim: str, report: Report) -> str:
        shown = await one.shown(lambda audience: report_call(action.id, claim, report, audience))
        return (await one.plane.report(action.id, shown, claim, report)).action.state

    call, again, none = await claimed(mine), await claimed(mine), await claimed(another)
    assert call is not None
    assert (call, None) == (again, none)
    landed = Report(fence=call.fence, came="landed", result={"n": 1})  # type: ignore[attr-defined]
    with pytest.raises(IllegalMove):
        await reported(another, landed)
    assert [await reported(mine, landed), await reported(mine, landed)] == ["done", "done"]
    assert await claimed(another) is None


CASES: tuple[Callable[[World], Awaitable[None]], ...] = (
    once_under_a_key,
    a_proof_counts_once_and_for_its_call,
    a_task_of_an_id_is_one,
    only_the_holder_acts,
    waiting_ends_with_its_time,
    closing_twice_is_once,
    a_use_of_a_key_is_one,
    what_there_is_not_is_not_found,
    a_claim_is_one_call,
)


@pytest.mark.proves("remote.same_surface")
@pytest.mark.parametrize("kind", ["embedded", "outside", "remote"])
@pytest.mark.parametrize("case", CASES, ids=lambda each: str(each.__name__))
def test_a_plane_keeps_its_promises(tmp_path: Path, kind: str, case: Callable[[World], Awaitable[None]]) -> None:
    """In this process, for callers from outside and over a socket alike."""

    with reached(tmp_path, files=FILES) as site:

        async def run() -> None:
            world = World(site, kind)
            try:
                await case(world)
            finally:
                await world.close()

        asyncio.run(run())
