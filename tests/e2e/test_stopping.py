"""Four real processes under load, stopped by each scope, and killed in the middle of stopping."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from bench.plant import connect
from bench.stopping import PROCESSES, calls, loaded, opening, processes
from interlock.domain.action import Action
from interlock.domain.control import Control, StopScope
from interlock.domain.drill import Drill
from interlock.domain.evidence import Entry
from interlock.domain.ids import AgentName, Person
from interlock.domain.task import Task
from interlock.services.plane import ControlPlane

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
SETTLE_S = 0.15
BOUND_MS = 1_000

STOPPING = """
import asyncio, sys
from pathlib import Path
from bench.plant import connect
from tests.e2e.dying import dies

when, what, nth = sys.argv[2], sys.argv[3], int(sys.argv[4])

async def main():
    plane = connect(Path(sys.argv[1]), worker="stopping")
    dies(plane.means.store, when, nth)
    if what == "stop":
        await plane.braking.stop("tag", "web", by="rita", why="halt")
    else:
        await plane.drills.run("tag", "web", by="rita", within_ms=1_000)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The event loop of every test here."""
    return "asyncio"


@pytest.fixture(scope="module")
async def site(
    tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[tuple[ControlPlane, Path, Task]]:
    """Four processes that act as fast as they can, within one task."""
    del anyio_backend
    folder = tmp_path_factory.mktemp("load")
    plane = connect(folder)
    await plane.registry.apply(loaded(), by="test")
    parent = await plane.tasks.open(opening(None))
    with processes(folder, parent.id):
        yield plane, folder, parent
    await plane.means.store.close()


async def entries(plane: ControlPlane, phase: str) -> list[Entry]:
    """The entries of one phase."""
    return await plane.means.log.marked(phase)


def acts(folder: Path) -> list[int]:
    """How many calls each process has made."""
    return [len(calls(folder, number)) for number in range(PROCESSES)]


async def acting(folder: Path, before: list[int]) -> None:
    """Return once every process has acted since."""
    for _ in range(400):
        if all(now > then for now, then in zip(acts(folder), before, strict=True)):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"they do not act: {before} then, {acts(folder)} now")


@pytest.mark.parametrize("scope", ["all", "tenant", "agent", "release", "contract", "tag", "instance", "task", "user"])
@pytest.mark.proves("brakes.processes")
async def test_four_processes_under_load_are_stopped(site: tuple[ControlPlane, Path, Task], scope: StopScope) -> None:
    """After the stop's entry the log has no intent in its scope until it is lifted; then all four act again."""
    plane, folder, parent = site
    names: dict[StopScope, str] = {
        "all": "",
        "tenant": "bench",
        "agent": "bench",
        "release": parent.release,
        "contract": "price.set",
        "tag": "web",
        "instance": (folder / "instance-2").read_text(),
        "task": parent.id,
        "user": "user:ana",
    }
    await acting(folder, acts(folder))

    await plane.braking.stop(scope, names[scope], by="rita", why="halt")
    pulled_ms = plane.means.clock.now()
    await asyncio.sleep(SETTLE_S)
    held = acts(folder)
    await asyncio.sleep(SETTLE_S)
    still = acts(folder)
    stopped_at = (await entries(plane, "stopped"))[-1].index
    await plane.braking.resume(scope, names[scope], by="rita")
    resumed_at = (await entries(plane, "resumed"))[-1].index

    within = await plane.means.log.entries(stopped_at + 1, resumed_at)
    begun = [await plane.means.store.get(Action, each.action or "") for each in within if each.phase == "dispatching"]
    instances = {each.asked.instance for each in begun if each is not None and each.asked is not None}
    if scope == "instance":
        assert (still[2], names["instance"] in instances) == (held[2], False)
        assert instances, "the others go on"
    else:
        assert (begun, still) == ([], held)
        late = [began - pulled_ms for n in range(PROCESSES) for began, _ in calls(folder, n) if began > pulled_ms]
        assert not [each for each in late if BOUND_MS < each < 2 * SETTLE_S * 1_000]
    await acting(folder, still)


@pytest.mark.proves("drill.measured")
async def test_a_drill_over_four_processes_is_true_to_what_the_tools_saw(site: tuple[ControlPlane, Path, Task]) -> None:
    """Until the drill says that all is quiet, calls may end; from then until it lifts its brake none begins and none ends."""
    plane, folder, _ = site
    await acting(folder, acts(folder))

    drill = await plane.drills.run("tag", "web", by="rita")

    assert (drill.state, drill.began_ms) == ("done", 0)
    assert drill.ended_ms is not None
    assert drill.pulled_at is not None
    assert drill.lifted_at is not None
    assert drill.ended_ms < BOUND_MS
    quiet, lifted = drill.pulled_at + drill.ended_ms + 2, drill.lifted_at - 1
    await acting(folder, acts(folder))
    for number in range(PROCESSES):
        assert not [each for each in calls(folder, number) if quiet < each[0] < lifted]


@pytest.mark.parametrize(
    ("when", "what", "nth", "holds"),
    [
        pytest.param("within", "stop", 1, False, marks=pytest.mark.slow),
        ("after", "stop", 1, True),
        pytest.param("within", "drill", 1, False, marks=pytest.mark.slow),
        pytest.param("after", "drill", 1, True, marks=pytest.mark.slow),
        ("within", "drill", 2, True),
        pytest.param("after", "drill", 2, False, marks=pytest.mark.slow),
    ],
)
@pytest.mark.proves("brakes.processes", "drill.lifted")
async def test_whoever_stops_is_killed(tmp_path: Path, when: str, what: str, nth: int, holds: bool) -> None:
    """Killed in the commit of a brake or right after, it holds or was never pulled; a drill's is lifted once it is over."""
    plane = connect(tmp_path)
    await plane.registry.apply(loaded(), by="test")
    words = (sys.executable, "-c", STOPPING, str(tmp_path), when, what, str(nth))
    process = await asyncio.to_thread(subprocess.run, words, cwd=ROOT, check=False, capture_output=True, timeout=60)
    assert process.returncode == -signal.SIGKILL, process.stderr

    brakes = await plane.braking.brakes()
    assert [each.stop.drill for each in brakes] == ([what == "drill"] if holds else [])
    assert all(each.stop.until_at is not None for each in brakes if each.stop.drill)
    assert await plane.drills.tend() == []
    control = await plane.means.store.get(Control, "control")
    drills = await plane.means.store.all(Drill)
    assert control is not None
    assert len(control.stops) == holds
    ran = what == "drill" and (when, nth) != ("within", 1)
    assert [each.state for each in drills] == (["running" if holds else "done"] if ran else [])
    await plane.means.store.close()


@pytest.mark.proves("registry.suspended_at_once")
async def test_an_agent_is_suspended_under_load(site: tuple[ControlPlane, Path, Task]) -> None:
    """After the entry of its suspension the log has no intent of it, in any of four processes, until it may act again; what
    comes after is refused with the state it is in."""
    plane, folder, _ = site
    name, rita = AgentName("bench"), Person("rita")
    await acting(folder, acts(folder))

    await plane.agents.move(name, "suspend", by=rita, why="a look at it")
    await asyncio.sleep(SETTLE_S)
    held = acts(folder)
    await asyncio.sleep(SETTLE_S)
    still = acts(folder)
    await plane.agents.move(name, "activate", by=rita, why="it was looked at")
    await acting(folder, still)

    assert still == held
    since, until = [(await entries(plane, phase))[-1].index for phase in ("suspended", "activated")]
    within = await plane.means.log.entries(since + 1, until)
    assert [each for each in within if each.phase == "dispatching"] == []
    refused = [await plane.means.store.get(Action, each.action or "") for each in within if each.phase == "refused"]
    assert {each.reasons for each in refused if each is not None} == {("interlock.limit", "agent `bench` is suspended")}


@pytest.mark.proves("registry.race", "registry.stays")
async def test_publishing_while_it_acts_and_is_suspended(site: tuple[ControlPlane, Path, Task]) -> None:
    """One changes the agent's file again and again while another suspends it and lets it act: every change is on record, none is
    lost to the other, and each action leans on the orders of its own commit."""
    plane, folder, _ = site
    name, rita, other = AgentName("bench"), Person("rita"), connect(folder, worker="publishing")
    before = len(await entries(plane, "applied")), len(await entries(plane, "suspended"))
    base = loaded()
    (agent,) = base.agents
    await acting(folder, acts(folder))

    async def publishing() -> None:
        for n in range(6):
            changed = msgspec.structs.replace(agent, purpose=f"purpose {n}")
            await other.registry.apply(msgspec.structs.replace(base, agents=(changed,)), by="rita")

    async def suspending() -> None:
        for _ in range(3):
            await plane.agents.move(name, "suspend", by=rita, why="a look")
            await plane.agents.move(name, "activate", by=rita, why="looked")

    await asyncio.gather(publishing(), suspending())
    await plane.registry.apply(base, by="rita")
    await other.means.store.close()

    after = len(await entries(plane, "applied")), len(await entries(plane, "suspended"))
    assert (after[0] - before[0], after[1] - before[1]) == (7, 3)
    control = (await plane.orders.refresh()).control
    assert (control.state_of(name), control.agents[name].agent) == ("active", agent.digest)
    log = await plane.means.log.entries((await entries(plane, "suspended"))[-3].index, 10**9)
    suspended = False
    for each in log:
        suspended = each.phase == "suspended" or (suspended and each.phase != "activated")
        assert not (suspended and each.phase == "dispatching")
    await acting(folder, acts(folder))
