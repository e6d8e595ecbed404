"""Uses of models in real processes: four of them on one budget, and one killed between any two commits."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import interlock
from interlock.domain.budget import Budget
from interlock.domain.use import Use
from interlock.workbench.planes import working
from interlock.worker import Worker
from tests.e2e.together import at_once
from tests.workspaces import Place, forget, workspace

ROOT = Path(__file__).parents[2]
DOLLARS = 1_000_000

CROWD = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
import interlock
from interlock.domain.use import Priced
import interlock.adapters.prices as prices
prices.price = lambda model, tokens: Priced(cost=tokens.input * 1_000_000, by="test")

def one(n):
    try:
        with task.model_use("m", input_tokens=3, max_output_tokens=0) as use:
            use.settle(input_tokens=3, output_tokens=0)
    except interlock.BudgetExceeded:
        return "full"
    return "asked"

with interlock.open(sys.argv[1]) as client, client.task("ag", purpose="ask", on_behalf_of="user:ana") as task:
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(5) as pool:
        print(json.dumps(list(pool.map(one, range(5)))))
"""

KILLED = """
import os, signal, sys
import interlock

with interlock.open(sys.argv[1]) as client, client.task("ag", purpose="ask", lasts_ms=60_000) as task:
    with task.model_use("m", input_tokens=30, max_output_tokens=10, lasts_ms=200) as use:
        print(task.id, flush=True)
        use.settle(input_tokens=5, output_tokens=0)
        if sys.argv[2] == "inside":
            os.kill(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A workspace, and its module forgotten afterwards."""
    made = workspace(tmp_path)
    yield made
    forget(made)


def limited(place: Place, budgets: str) -> None:
    """The agent's file with these budgets, in force."""
    file = place.folder / "agents" / "ag.yaml"
    file.write_text(f"{file.read_text()}budgets: {budgets}\n")
    with interlock.open(place.folder, apply=True):
        pass


async def stood(place: Place, unit: str) -> tuple[int, int]:
    """What is reserved and spent of the agent's budget."""
    async with working(place.folder) as plane:
        found = await plane.means.store.get(Budget, f"agent:ag/{unit}")
        assert found is not None
        return found.reserved, found.spent


@pytest.mark.proves("use.exact")
def test_four_processes_share_ten_dollars(place: Place) -> None:
    """Twenty uses of three dollars at once, five in each process: exactly three, and nine dollars."""
    limited(place, f"{{USD.micro: {10 * DOLLARS}}}")
    said = at_once(CROWD, str(place.folder))

    assert {each: said.count(each) for each in set(said)} == {"asked": 3, "full": 17}
    assert anyio.run(stood, place, "USD.micro") == (0, 9 * DOLLARS)


@pytest.mark.proves("use.exact", "use.lost")
@pytest.mark.parametrize(
    ("when", "spent", "state"), [("inside", 40, "lost"), pytest.param("after", 5, "settled", marks=pytest.mark.slow)]
)
def test_a_process_killed_between_reserving_and_settling_leaves_nothing_reserved(
    place: Place, when: str, spent: int, state: str
) -> None:
    """What it reserved counts as used once a worker has looked; what it settled before stays as it was said."""
    limited(place, "{tokens: 100}")
    words = [sys.executable, "-c", KILLED, str(place.folder), when]
    killed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    async def seen_to() -> list[Use]:
        async with working(place.folder) as plane:
            await anyio.sleep(0.25)
            await Worker(plane).run(until_idle=True)
            return await plane.means.store.all(Use)

    (use,) = anyio.run(seen_to)

    assert (use.state, use.task) == (state, killed.stdout.strip())
    assert anyio.run(stood, place, "tokens") == (0, spent)
