"""One rate, four real processes: as many calls as it says, and every other one is told so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import interlock
from tests.e2e.together import at_once
from tests.workspaces import Place, forget, workspace

ROOT = Path(__file__).parents[2]
CALLER = """
import json, sys
import interlock

with interlock.open(sys.argv[1]) as lock, lock.task("ag", purpose="all at once", on_behalf_of="user:cleo") as task:
    print("ready", flush=True)
    sys.stdin.readline()
    said = [task.propose("box.put", n=n) for n in range(12)]
print(json.dumps([each.rule if isinstance(each, interlock.Refused) else type(each).__name__ for each in said]))
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A workspace whose agent may make twenty calls in any hour."""
    made = workspace(tmp_path)
    file = made.folder / "agents" / "ag.yaml"
    file.write_text(file.read_text().replace("max_task: 1h", "max_task: 1h, rate: {calls: 20, per: 1h}"))
    yield made
    forget(made)


@pytest.mark.proves("rate.exact")
def test_four_processes_share_one_rate_exactly(place: Place) -> None:
    """Of forty-eight calls at once twenty are carried out, and twenty-eight refused by the rate."""
    interlock.open(place.folder, apply=True).close()
    said = at_once(CALLER, str(place.folder))

    assert {word: said.count(word) for word in said} == {"Done": 20, "interlock.rate": 28}
    assert len(place.effects()) == 20
