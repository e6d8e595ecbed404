"""A task that is handed on between real processes without asking: opened once, whoever comes first and wherever one is killed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import interlock
from interlock.domain.budget import Budget
from interlock.domain.handover import Opened, read_handover
from interlock.domain.ids import AgentName, TaskId
from interlock.domain.task import Task, task_key
from interlock.sdk.connection import Connection
from interlock.sdk.identity import Showing
from interlock.testing.conformance.audit import predicate
from interlock.workbench.planes import working
from interlock.worker import Worker
from tests.workspaces import Place, forget, workspace

ROOT = Path(__file__).parents[2]

CHILD = """
import sys
from concurrent.futures import ThreadPoolExecutor
import interlock
from tests.e2e.dying import dies

folder, when, nth = sys.argv[1:]
client = interlock.open(folder)
print(client.invitation("ag"), flush=True)
text = sys.stdin.readline().strip()
if when == "race":
    connection = client._connection
    def accept(_):
        return connection.home.block(connection.accepted, text)[0].id
    with ThreadPoolExecutor(8) as pool:
        print(len(set(pool.map(accept, range(8)))), flush=True)
    sys.exit()
dies(client._connection.plane._plane.means.store, when, int(nth))
with client.accept(text) as task:
    task.propose("box.put", n=1)
"""

PLACES = [(when, n) for n in (1, 2, 3, 4) for when in ("within", "after")] + [("within", 5)]
"""The proof is spent; the task is opened; an action is dispatched; its outcome; the task is closed."""
SHORT = {("after", 2)}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A workspace in which `ag` may hand work to `ag`."""
    made = workspace(tmp_path)
    made.change("agents/ag.yaml", lambda text: text.replace("max_task: 1h", "max_task: 1h, may_recur: true"))
    for tools in made.folder.glob("*.py"):
        # Whoever comes after a killed one waits for as long as its call may last.
        tools.write_text(tools.read_text().replace('name="box.put", ', 'name="box.put", timeout_ms=400, '))
    yield made
    forget(made)


def child(place: Place, when: str, nth: int = 0) -> "subprocess.Popen[str]":
    """Another program, which says whom a task is to be handed to and waits for it."""
    words = [sys.executable, "-c", CHILD, str(place.folder), when, str(nth)]
    return subprocess.Popen(words, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def said(process: "subprocess.Popen[str]") -> str:
    """The next line it says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


async def opened(connection: Connection, text: str) -> Task:
    """The task of `text`, opened by whoever handed it on."""
    handover, chain = read_handover(text)
    agent = AgentName("ag")
    asked = Opened(task=TaskId(chain.leaf.task), agent=agent, chain=handover.chain, works=handover.works)
    call = asked.call((await connection.plane.expected(agent)).audience)
    showing = Showing(handover.chain[:1], chain.root.jti)
    return await connection.plane.open_chain(asked, await connection.identity.shown(agent, call, showing))


async def told(folder: Path, task: str) -> tuple[int, int]:
    """How many entries say by which tokens `task` was opened, and what is reserved around it once its time is over."""
    async with working(folder) as plane:
        found = await plane.means.store.get(Task, task)
        assert found is not None
        with anyio.fail_after(20):
            while True:
                await Worker(plane).run(until_idle=True)
                around = await plane.means.store.get(Budget, task_key(TaskId(found.parent or ""), "calls"))
                if around is not None and around.reserved == 0:
                    break
                await anyio.sleep(0.1)
        entries = await plane.means.log.entries(0, 1_000)
        opens = [each for each in map(predicate, entries) if each["phase"] == "opened" and "tokens" in each]
        return len(opens), around.spent


@pytest.mark.proves("lend.offline")
@pytest.mark.parametrize(
    ("when", "commit"), [pytest.param(*each, marks=() if each in SHORT else pytest.mark.slow) for each in PLACES]
)
def test_a_process_killed_while_it_accepts_leaves_one_task_or_none(place: Place, when: str, commit: int) -> None:
    """Between spending its proof, opening, acting and closing: the task is opened once in all, by one entry, and whatever was
    reserved for it and not spent comes back."""
    with (
        interlock.open(place.folder, apply=True) as client,
        client.task("ag", purpose="all of it", on_behalf_of="user:cleo", budgets={"calls": 9}) as task,
    ):
        process = child(place, when, commit)
        text = task.derive(
            "ag", to=said(process), purpose="a part", tools={"box.put": {}}, budgets={"calls": 5}, lasts_ms=2_500
        )
        process.communicate(text + "\n")
        assert process.returncode == -9
        mine = client._connection.home.block(opened, client._connection, text)
        entries, spent = anyio.run(told, place.folder, mine.id)

        assert entries == 1
        assert spent == len(place.by_key())
        assert [each.task for each in task.failures()] == [mine.id]


@pytest.mark.proves("lend.offline")
def test_eight_threads_and_whoever_handed_it_on_open_one_task(place: Place) -> None:
    """All at once, in two processes: one task, and one entry that says by which tokens."""
    with (
        interlock.open(place.folder, apply=True) as client,
        client.task("ag", purpose="all of it", on_behalf_of="user:cleo", budgets={"calls": 9}) as task,
    ):
        process = child(place, "race")
        text = task.derive(
            "ag", to=said(process), purpose="a part", tools={"box.put": {}}, budgets={"calls": 3}, lasts_ms=2_000
        )
        assert process.stdin is not None
        process.stdin.write(text + "\n")
        process.stdin.flush()
        mine = client._connection.home.block(opened, client._connection, text)
        ids, _ = process.communicate(timeout=20)

        assert (ids.strip(), process.returncode) == ("1", 0)
        assert anyio.run(told, place.folder, mine.id)[0] == 1
        assert [each.task for each in task.failures()] == [mine.id]
