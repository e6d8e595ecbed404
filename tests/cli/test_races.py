"""Two agents, two workers and a person, each a process of its own, on one file at the same time."""

import json
import subprocess
import sys

import pytest

import interlock
from tests.cli.shell import PATIENCE_S, Shell

SHARE = 50

AGENT = """\
import json, sys
import interlock
from {module} import put

name = sys.argv[1]
with interlock.open(".") as client, client.task("ag", purpose=name) as task:
    held, states = [], []
    for i in range({share}):
        for key, n in ((f"{{name}}-{{i}}", i), (f"both-{{i}}", i), (f"asked-{{i}}", 500 + i)):
            outcome = task.propose(put, n, idempotency_key=key)
            held += [outcome] if isinstance(outcome, (interlock.Held, interlock.Pending)) else []
            states.append(type(outcome).__name__)
    for each in held:
        states.append(type(each.ticket.wait(timeout_ms={patience_ms})).__name__)
    print(json.dumps(states))
"""


@pytest.mark.proves("race.once")
def test_two_agents_two_workers_and_a_person_race(shell: Shell) -> None:
    """Of 200 actions, some under keys that both agents use, some approved while workers and agents wait for them, each
    happens exactly once, and everybody is told that it did."""
    place = shell.place
    source = AGENT.format(module=place.module, share=SHARE, patience_ms=PATIENCE_S * 1000)
    place.write("agent.py", source)

    def start(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *words], cwd=place.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    workers = [start("-m", "interlock", "work", "--slots", "4") for _ in range(2)]
    agents = [start("agent.py", name) for name in ("first", "second")]
    approved = 0
    with interlock.open(place.folder) as client:
        rita = client.person("rita")
        while approved < SHARE and any(each.poll() is None for each in agents):
            for action in rita.waiting():
                rita.approve(action.id)
                approved += 1
    said = [each.communicate(timeout=PATIENCE_S) for each in agents]
    for worker in workers:
        worker.terminate()
        worker.communicate(timeout=PATIENCE_S)

    assert [each.returncode for each in agents] == [0, 0], [err for _, err in said]
    for out, _ in said:
        states = json.loads(out)
        assert set(states) <= {"Done", "Held", "Pending"}
        assert set(states[3 * SHARE :]) <= {"Done"}
    assert approved == SHARE
    assert len(place.by_key()) == 4 * SHARE
    assert set(place.by_key().values()) == {1}
    assert shell.json("verify")["ok"]
