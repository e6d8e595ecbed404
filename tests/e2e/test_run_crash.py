"""Real processes killed with SIGKILL in the middle of each commit of a run, and right after it: its opening with a task, the
task's closing, and its own end."""

import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from interlock.domain.evidence import Verification
from interlock.domain.ids import Person
from interlock.domain.task import Task
from interlock.workbench.planes import reading, working
from tests.cli.shell import Shell
from tests.workspaces import forget, workspace

ROOT = Path(__file__).parents[2]

RUN = """
import asyncio, sys
from pathlib import Path
from interlock.bootstrap.connecting import connect
from interlock.domain.ids import AgentName, Person
from interlock.domain.task import Opening
from tests.e2e.dying import dies

when, nth = sys.argv[2], int(sys.argv[3])

async def main():
    plane = connect(Path(sys.argv[1]))
    dies(plane.means.store, when, nth)
    task = await plane.tasks.open(Opening(agent=AgentName("ag"), purpose="to be killed", initiator="user:cleo"))
    await plane.tasks.close(task, by=Person("rita"), why="it is over")
    await plane.means.store.close()

asyncio.run(main())
"""

LEFT: dict[tuple[str, int], tuple[list[str], int]] = {
    ("within", 1): ([], 0),
    ("after", 1): (["open"], 1),
    ("within", 2): (["open"], 1),
    ("after", 2): (["closed"], 1),
    ("within", 3): (["closed"], 1),
    ("after", 3): (["closed"], 0),
}
"""By where it was killed: the tasks there are then, and how many streams are without an end."""
SHORT = {("within", 2), ("after", 2), ("within", 3)}


async def found(folder: Path) -> tuple[list[Task], Verification]:
    """The tasks of a workspace, and what verifying its log finds."""
    async with reading(folder) as plane:
        return await plane.means.store.all(Task), await plane.audit.verify()


async def closed(folder: Path) -> None:
    """Somebody else ends whatever is open."""
    async with working(folder) as plane:
        for task in await plane.means.store.all(Task):
            await plane.tasks.close(task, by=Person("rita"), why="its program died")


@pytest.mark.proves("run.no_end_without_end", "task.closed_once")
@pytest.mark.parametrize(
    ("when", "commit"), [pytest.param(*at, marks=[] if at in SHORT else [pytest.mark.slow]) for at in LEFT]
)
def test_a_killed_run_has_no_end(tmp_path: Path, when: str, commit: int) -> None:
    """Killed in the middle of a commit nothing of it is there, killed after it all of it is; the log verifies, a run counts as
    ended only where its end is recorded, and who closes its task afterwards closes it once."""
    place = workspace(tmp_path)
    assert Shell(place)("apply").code == 0
    before = len(anyio.run(found, tmp_path)[1].unclosed)

    died = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path), when, str(commit)],
        check=False, cwd=ROOT, capture_output=True, timeout=60,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr

    tasks, report = anyio.run(found, tmp_path)
    states, open_runs = LEFT[when, commit]
    assert report.findings == ()
    assert [each.state for each in tasks] == states
    assert len(report.unclosed) - before == open_runs

    anyio.run(closed, tmp_path)
    tasks, after = anyio.run(found, tmp_path)
    assert after.findings == ()
    assert {each.state for each in tasks} <= {"closed"}
    # One entry more where it was still open, with the opening and the end of the run that closed it.
    assert after.size - report.size == (3 if states == ["open"] else 0)
    assert len(after.unclosed) - before == open_runs
    forget(place)
