"""Trees of tasks in real processes: one budget on which four of them draw, and processes killed between any two commits."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import interlock
from interlock.domain.budget import Budget
from interlock.domain.family import Family
from interlock.domain.ids import AgentName
from interlock.domain.task import Opening, Task, task_key
from interlock.workbench.planes import working
from interlock.worker import Worker
from tests.e2e.together import at_once
from tests.workspaces import Place, forget, workspace

ROOT = Path(__file__).parents[2]
LIMITS = {"calls": 60, "EUR": 10}

CROWD = """
import asyncio, json, sys
from pathlib import Path
from interlock.bootstrap.connecting import connect
from interlock.domain.errors import BudgetExceeded
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.embedded import Embedded
from interlock.sdk.identity import Identity
from interlock.testing.adapters import InstanceKey, SystemClock, SystemIds

async def main():
    plane = connect(Path(sys.argv[1]))
    root = await plane.means.store.get(Task, sys.argv[2])
    embedded = Embedded(plane)
    identity = Identity(embedded, InstanceKey(), SystemClock(), SystemIds())

    async def call(n):
        proposal = Proposal(task=root, contract=ContractName("box.put"), arguments={"n": n})
        return (await embedded.propose(await identity.presented(proposal))).state

    async def lend():
        opening = Opening(agent=AgentName("ag"), purpose="part", initiator="user:cleo", parent=root, budgets={"EUR": 3})
        try:
            await plane.tasks.open(opening)
        except BudgetExceeded:
            return "full"
        return "lent"

    print("ready", flush=True)
    sys.stdin.readline()
    said = await asyncio.gather(*(call(n) for n in range(25)), *(lend() for _ in range(5)))
    await plane.means.store.close()
    print(json.dumps(said))

asyncio.run(main())
"""

KILLED = """
import asyncio, sys
from functools import partial
from pathlib import Path
from interlock.bootstrap.connecting import connect
from interlock.domain.asking import begin_call, close_call
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.embedded import Embedded
from interlock.sdk.identity import Identity
from interlock.testing.adapters import InstanceKey, SystemClock, SystemIds
from tests.e2e.dying import dies

when, nth = sys.argv[3], int(sys.argv[4])

async def main():
    plane = connect(Path(sys.argv[1]))
    root = await plane.means.store.get(Task, sys.argv[2])
    dies(plane.means.store, when, nth)
    embedded = Embedded(plane)
    opening = Opening(
        agent=AgentName("ag"), purpose="to be killed", initiator="user:cleo", parent=root, budgets={"calls": 5}, lasts_ms=1500
    )
    identity = Identity(embedded, InstanceKey(), SystemClock(), SystemIds())
    begun = begin_call(opening, (await embedded.expected(opening.agent)).audience)
    task = await embedded.open_task(opening, await identity.shown(opening.agent, begun))
    proposal = Proposal(task=task, contract=ContractName("box.put"), arguments={"n": 1})
    await embedded.propose(await identity.presented(proposal))
    await embedded.close_task(task.id, await identity.still(task.agent, partial(close_call, task.id, "")))
    await plane.means.store.close()

asyncio.run(main())
"""

PLACES = [(when, n) for when in ("within", "after") for n in (1, 2, 3, 4)]
"""Opening, which reserves; dispatching; the outcome; closing, which gives back."""
SHORT = {("within", 4), ("after", 1)}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A workspace whose agent works inside its own tasks, many at once."""
    made = workspace(tmp_path)
    file = made.folder / "agents" / "ag.yaml"
    file.write_text(file.read_text().replace("max_task: 1h", "max_task: 1h, may_recur: true, max_fanout: 50"))
    for tools in made.folder.glob("*.py"):
        # Whoever comes after a killed one waits for as long as its call may last.
        tools.write_text(tools.read_text().replace('name="box.put", ', 'name="box.put", timeout_ms=400, '))
    yield made
    forget(made)


async def begun(folder: Path) -> str:
    """A task with limits, in a workspace in force."""
    async with interlock.open(folder, apply=True):
        pass
    async with working(folder) as plane:
        opening = Opening(agent=AgentName("ag"), purpose="all of it", initiator="user:cleo", budgets=LIMITS)
        return (await plane.tasks.open(opening)).id


async def left(folder: Path, root: str, unit: str) -> tuple[int, int]:
    """What is reserved and spent of the task's limit."""
    async with working(folder) as plane:
        task = await plane.means.store.get(Task, root)
        found = await plane.means.store.get(Budget, task_key(task.id, unit)) if task is not None else None
        assert found is not None
        return found.reserved, found.spent


async def settled(folder: Path, root: str) -> tuple[int, int, int]:
    """What a worker leaves reserved and spent, once the time of what died is over; and how many tasks are open inside."""
    async with working(folder) as plane:
        with anyio.fail_after(20):
            while True:
                await Worker(plane).run(until_idle=True)
                family = await plane.means.store.get(Family, root)
                if family is None or not family.members:
                    break
                await anyio.sleep(0.1)
    return (*await left(folder, root, "calls"), len(family.open) if family is not None else 0)


@pytest.mark.proves("tree.exact", "budget.never_over")
@pytest.mark.slow
def test_four_processes_draw_on_one_budget_exactly(place: Place) -> None:
    """A hundred calls at once on a limit of sixty: sixty. Twenty sub-tasks of three on a limit of ten: three."""
    root = anyio.run(begun, place.folder)
    said = at_once(CROWD, str(place.folder), root)

    assert {each: said.count(each) for each in set(said)} == {"done": 60, "refused": 40, "lent": 3, "full": 17}
    assert len(place.effects()) == 60
    assert anyio.run(left, place.folder, root, "calls") == (0, 60)
    assert anyio.run(left, place.folder, root, "EUR") == (9, 0)


@pytest.mark.proves("tree.over", "tree.exact")
@pytest.mark.parametrize(
    ("when", "commit"), [pytest.param(*each, marks=() if each in SHORT else pytest.mark.slow) for each in PLACES]
)
def test_a_process_killed_anywhere_leaves_nothing_reserved(place: Place, when: str, commit: int) -> None:
    """Between reserving, dispatching, outcome and closing: in the end the tree has spent what happened, and the rest is back."""
    root = anyio.run(begun, place.folder)
    words = [sys.executable, "-c", KILLED, str(place.folder), root, when, str(commit)]
    killed = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    reserved, spent, opened = anyio.run(settled, place.folder, root)

    assert (reserved, opened) == (0, 0)
    assert spent == len(place.by_key())
