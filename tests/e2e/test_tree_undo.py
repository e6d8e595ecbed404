"""Undoing a tree of tasks in real processes, killed at a commit in the middle of it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import interlock
from interlock.domain.task import Task
from interlock.ports.store import ActionQuery
from interlock.workbench.planes import working
from interlock.worker import Worker
from tests.workspaces import AGENT, Place, forget, workspace

ROOT = Path(__file__).parents[2]

UNDOING = """
import asyncio, sys
from pathlib import Path
from interlock.bootstrap.connecting import connect
from tests.e2e.dying import dies

async def main():
    plane = connect(Path(sys.argv[1]))
    dies(plane.means.store, sys.argv[3], int(sys.argv[4]))
    request = await plane.compensation.undo("task", sys.argv[2], by="rita", why="wrong")
    while request.state == "running":
        request = await plane.compensation.advance(request)
    await plane.means.store.close()

asyncio.run(main())
"""

PLACES = [(when, n) for when in ("within", "after") for n in range(1, 9)]
"""The request, closing what is inside, voiding what waits, and the first undos."""
SHORT = {("within", 6)}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A workspace with two agents that work by themselves, and quick tools."""
    made = workspace(tmp_path)
    made.write("agents/hand.yaml", AGENT.format(name="hand", stage="partial", capabilities="box.put"))
    for tools in made.folder.glob("*.py"):
        # Whoever comes after a killed one waits for as long as its call may last.
        tools.write_text(tools.read_text().replace("idempotency=KEYED", "idempotency=KEYED, timeout_ms=400"))
    made.change(f"{made.module}.py", lambda text: text.replace("timeout_ms=400, timeout_ms=3_000", "timeout_ms=3_000"))
    yield made
    forget(made)


def worked(place: Place) -> str:
    """The task of a supervisor inside which another agent worked twice, and has something that waits for a person."""
    put = place.tools().put
    with interlock.open(place.folder, apply=True) as client:
        with client.task("ag", purpose="all of it", on_behalf_of="user:cleo") as task:
            put(1)
            with client.task("hand", purpose="a part", on_behalf_of="user:cleo") as child:
                put(2)
                child.propose(put, 200)
            put(3)
            with client.task("hand", purpose="another", on_behalf_of="user:cleo"):
                put(4)
        return task.id


async def finished(place: Place) -> dict[str, list[str]]:
    """The states of what was asked for, and of the tasks, once workers have done what they can."""
    async with working(place.folder) as plane:
        with anyio.fail_after(30):
            await Worker(plane).run(until_idle=True)
        actions = await plane.means.store.actions(ActionQuery(undos=False, oldest_first=True))
        tasks = await plane.means.store.all(Task)
        return {"actions": [each.state for each in actions], "tasks": sorted({each.state for each in tasks})}


@pytest.mark.proves("undo.tree")
@pytest.mark.parametrize(
    ("when", "commit"), [pytest.param(*each, marks=() if each in SHORT else pytest.mark.slow) for each in PLACES]
)
def test_a_tree_is_undone_once_and_in_order_whoever_is_killed(place: Place, when: str, commit: int) -> None:
    """Killed at any commit of it: a request that was stored is carried out by a worker; one that was not left everything as it
    was. No effect is undone twice by its key, and none before a later one."""
    root = worked(place)
    words = [sys.executable, "-c", UNDOING, str(place.folder), root, when, str(commit)]
    killed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    found = anyio.run(finished, place)

    if (when, commit) == ("within", 1):
        assert found == {"actions": ["done", "done", "held", "done", "done"], "tasks": ["closed"]}
        return
    assert found == {"actions": ["undone", "undone", "voided", "undone", "undone"], "tasks": ["closed"]}
    taken = [each for each in place.effects() if each.startswith("take")]
    assert list(dict.fromkeys(taken)) == ["take 4", "take 3", "take 2", "take 1"]
