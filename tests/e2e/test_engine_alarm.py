"""The engine is found wrong while it decides: the library answers, everywhere, until a person has looked."""

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from interlock.adapters.cedar.compiling import runtime
from interlock.bootstrap.connecting import connect, identity_of
from interlock.bootstrap.site import definition, read_site
from interlock.domain.action import Action
from interlock.domain.control import Control
from interlock.domain.errors import NotAllowed
from interlock.domain.ids import AgentName, ContractName, Person
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening
from interlock.embedded import Embedded
from interlock.services.plane import ControlPlane
from tests.workspaces import Place, workspace

pytestmark = pytest.mark.anyio

RITA = Person("rita")
SUM = """\
@id("sum") @owner("tests") @outcome("deny") @reason("more than nine hundred")
forbid(principal, action == Action::"box.put", resource) when { context.args.n + 100 > 1000 };
"""


@pytest.fixture
def anyio_backend() -> str:
    """The services run on asyncio alone."""
    return "asyncio"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A workspace one of whose policies needs a sum, in force."""
    made = workspace(tmp_path)
    made.change("policies/all.cedar", lambda text: text + SUM)
    made.tools()
    return made


@asynccontextmanager
async def process(place: Place) -> AsyncGenerator[ControlPlane]:
    """A plane on the workspace's one SQLite file, as every process has its own."""
    plane = connect(place.folder, begin=True)
    try:
        yield plane
    finally:
        await plane.means.store.close()


async def decided(plane: ControlPlane, n: int) -> Action:
    """One action, decided by that process."""
    embedded = Embedded(plane)
    task = await plane.tasks.open(Opening(agent=AgentName("ag"), purpose="test", initiator="user:ana"))
    wanted = Proposal(task=task, contract=ContractName("box.put"), arguments={"n": n}, here=False)
    return await embedded.propose(await identity_of(plane).presented(wanted))


async def control(plane: ControlPlane) -> Control:
    """The standing orders as stored."""
    found = await plane.means.store.get(Control, "control")
    assert found is not None
    return found


async def said(plane: ControlPlane, phase: str) -> list[dict[str, Any]]:
    """What the log's leaves of a phase say."""
    found = [each for each in await plane.means.log.entries(0, 1_000) if each.phase == phase]
    return [json.loads(base64.b64decode(json.loads(each.leaf)["payload"]))["predicate"] for each in found]


def broken(left: int, right: int) -> int:
    """A sum that is wrong."""
    return left


@pytest.mark.proves("engine.alarm", "engine.back")
async def test_an_engine_that_is_wrong_is_switched_off_in_every_process(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first process finds it wrong: its decision is the library's, the alarm is on record once, and a second process,
    whose own comparison has not come yet, answers by the library as well; applying keeps it so; a person ends it."""
    async with process(place) as one, process(place) as two:
        wanted = definition(read_site(place.folder))
        await one.registry.apply(wanted, by="rita")
        assert (await decided(two, 1)).state == "ready"
        monkeypatch.setitem(runtime.GLOBALS, "_add", broken)

        # 900 + 100 is not more than 1000, 901 + 100 is: the broken engine would let it pass.
        first = await decided(one, 901)
        after = await control(one)
        assert (first.state, first.reasons) == ("denied", ("more than nine hundred",))
        assert after.alarm is not None
        assert (after.engine, after.alarm.by, after.alarm.instead_of) == ("cedarpy", "interlock.engine", "compiled")
        assert "`sum`" in after.alarm.why
        assert [(await decided(plane, 901)).state for plane in (one, two) for _ in range(3)] == ["denied"] * 6
        (fact,) = await said(one, "alarm")
        assert (fact["engine"], fact["why"], fact["epoch"]) == ("cedarpy", after.alarm.why, after.revision)

        await two.registry.apply(msgspec.structs.replace(wanted, budgets={"calls": 9}), by="rita")
        now = await control(one)
        assert (now.engine, now.alarm) == ("cedarpy", after.alarm)
        with pytest.raises(NotAllowed):
            await two.engines.use("compiled", by=Person("eve"), why="it looks well")
        monkeypatch.undo()
        ended = await two.engines.use("compiled", by=RITA, why="mended by the release of today")
        assert (ended.engine, ended.alarm) == ("compiled", None)
        assert [(await decided(plane, n)).state for plane in (one, two) for n in (90, 901)] == ["ready", "denied"] * 2
        assert [each["engine"] for each in await said(one, "engine")] == ["compiled"]
        assert len(await said(one, "alarm")) == 1


@pytest.mark.proves("engine.alarm")
async def test_both_find_it_wrong_at_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process compares on its own; it is one alarm and one fact."""
    monkeypatch.setitem(runtime.GLOBALS, "_add", broken)
    async with process(place) as one, process(place) as two:
        await one.registry.apply(definition(read_site(place.folder)), by="rita")
        found: list[str] = []
        async with anyio.create_task_group() as group:

            async def decide(plane: ControlPlane) -> None:
                found.append((await decided(plane, 901)).state)

            for plane in (one, two, one, two):
                group.start_soon(decide, plane)

        assert found == ["denied"] * 4
        assert len(await said(one, "alarm")) == 1


@pytest.mark.proves("engine.alarm")
async def test_who_began_with_the_library_stays_with_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """`engine: cedarpy` in the workspace: compiled policies are not asked at all, and nothing is wrong."""
    monkeypatch.setitem(runtime.GLOBALS, "_add", broken)
    place.change("interlock.yaml", lambda text: text + "engine: cedarpy\n")
    async with process(place) as one:
        await one.registry.apply(definition(read_site(place.folder)), by="rita")

        assert (await decided(one, 901)).state == "denied"
        now = await control(one)
        assert (now.engine, now.alarm) == ("cedarpy", None)
