"""A right is taken back while agents in processes of their own act flat out, and a worker dispatches."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shell import program
from tests.e2e.test_publishing_swap import AGENT, appears, ended, log, predicate, start
from tests.workspaces import Place, forget, workspace

AGENTS = 2


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A workspace in force in which ana may lend the one tool that is used."""
    made = workspace(tmp_path)
    made.write("agent.py", AGENT)
    made.write("rights.yaml", "user:ana: {box.put: anything}\n")
    made.change("interlock.yaml", lambda text: text.replace("calls: 10000", "calls: 1000000"))
    assert program("apply", folder=made.folder).code == 0
    yield made
    forget(made)


@pytest.mark.proves("rights.at_once")
def test_nothing_begins_for_whoever_lost_the_right(place: Place) -> None:
    """In the order of the log nothing of hers is dispatched after the entry that took it back, not by the processes that
    propose nor by the worker; what is proposed then is refused by the rule of rights."""
    agents = [start(place, "agent.py", f"a{n}") for n in range(AGENTS)]
    worker = start(place, "-m", "interlock", "work")
    try:
        for n in range(AGENTS):
            appears(place.folder / f"began-a{n}")
        place.write("rights.yaml", "user:ana: nothing\n")
        applied = program("apply", folder=place.folder)
        assert applied.code == 0, applied
        time.sleep(0.7)
        (place.folder / "stop").touch()
        states = [Counter[str](json.loads(ended(agent))) for agent in agents]
    finally:
        (place.folder / "stop").touch()
        worker.terminate()
        for each in (*agents, worker):
            if each.returncode is None:
                each.communicate(timeout=90)

    before, after, codes, taken = Counter[str](), Counter[str](), set[str](), 0
    for entry in log(place):
        taken += entry.phase == "applied"
        (after if taken == 2 else before)[entry.phase] += 1
        if taken == 2 and entry.phase == "refused":
            codes |= set(predicate(entry)["reasonCodes"])
    assert taken == 2
    assert before["dispatching"] > 20
    assert after["dispatching"] == 0
    assert after["refused"]
    assert codes == {"interlock.rights"}
    assert all(each["refused"] and each["done"] for each in states), states
