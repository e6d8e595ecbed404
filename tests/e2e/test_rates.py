"""One rate, four real processes: as many calls as it says, and every other one is told so."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import interlock
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
    words = [sys.executable, "-c", CALLER, str(place.folder)]
    callers = [
        subprocess.Popen(words, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)
    ]
    for each in callers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in callers:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    said = [word for each in callers for word in json.loads(each.communicate(timeout=60)[0])]

    assert {word: said.count(word) for word in said} == {"Done": 20, "interlock.rate": 28}
    assert len(place.effects()) == 20
