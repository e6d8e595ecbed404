"""The agent's side in programs of their own: tools that only they have, interruptions, restarts, and workers that take over."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import interlock
from interlock.domain.errors import WorkspaceError
from tests.workspaces import AGENT, Place

PATIENCE_S = 60

ALONE = """\
import interlock

SEEN = []

@interlock.tool(name="main.note", effect="write", risk="low", reversal=interlock.NoReversal(why="it is only noted"))
def note(text: str) -> int:
    SEEN.append(text)
    return len(SEEN)

def counter(start: int):
    @interlock.tool(name="count.up", effect="read", risk="low")
    def up(by: int = 1) -> int:
        return start + by
    return up
"""


def program(place: Place, source: str, *, stop_after: str = "") -> subprocess.Popen[str]:
    """Start a program in the workspace. With `stop_after` it is interrupted (Ctrl-C) once that file is there."""
    place.write("program.py", source)
    started = subprocess.Popen(
        [sys.executable, "program.py"], cwd=place.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if stop_after:
        appears(place.folder / stop_after)
        started.send_signal(signal.SIGINT)
    return started


def appears(path: Path) -> None:
    """Wait for a file."""
    until = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < until, f"{path} never came"
        time.sleep(0.01)


def said(started: subprocess.Popen[str]) -> list[str]:
    """What it printed, once it ended well."""
    out, err = started.communicate(timeout=PATIENCE_S)
    assert started.returncode == 0, err
    return out.splitlines()


def work(place: Place) -> None:
    """A worker in a process of its own, until nothing is due."""
    subprocess.run(
        [sys.executable, "-m", "interlock", "-w", str(place.folder), "work", "--until-idle"],
        check=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )


def test_tools_of_the_main_program_and_closures_run_where_they_are(place: Place) -> None:
    """`tools=[...]` brings what no other process could import into force, and it runs in its own process, with its state."""
    place.write("agents/solo.yaml", AGENT.format(name="solo", stage="partial", capabilities="main.note, count.up"))
    printed = said(
        program(
            place,
            ALONE
            + """
up = counter(40)
with interlock.open(".", tools=[note, up]) as client, client.task("solo", purpose="test") as task:
    print(up(2), up())
    held = task.propose(note, "a", idempotency_key="note")
    print(type(held).__name__)
    client.person("rita").approve(held.action_id)
    print(held.ticket.wait(timeout_ms=20_000).result, SEEN)
""",
        )
    )

    assert printed == ["42 41", "Held", "1 ['a']"]


def test_a_tool_of_one_process_waits_for_that_process(place: Place) -> None:
    """No worker takes an action that only its own program can run; after a restart the program does, by its ticket."""
    place.write("agents/solo.yaml", AGENT.format(name="solo", stage="partial", capabilities="main.note"))
    opened = ALONE + "client = interlock.open('.', tools=[note])\n"
    (action,) = said(
        program(
            place,
            opened
            + """
with client.task("solo", purpose="test") as task:
    print(task.propose(note, "a").action_id)
""",
        )
    )
    with interlock.open(place.folder) as client:
        client.person("rita").approve(action)
        work(place)
        before = client.person("rita").action(action)
    printed = said(
        program(place, opened + f"print(client.ticket('{action}', note, agent='solo').wait().result, SEEN)\n")
    )

    assert before.state == "ready"
    assert printed == ["1 ['a']"]


def test_a_capability_that_only_a_program_has(place: Place) -> None:
    """Without its tool the workspace does not fit together, and says which contract is missing."""
    place.write("agents/solo.yaml", AGENT.format(name="solo", stage="partial", capabilities="main.note"))

    with pytest.raises(WorkspaceError, match=r"agents/solo\.yaml:5:\d+: there is no contract `main\.note`"):
        interlock.open(place.folder, apply=True)


@pytest.mark.proves("sdk.ticket_across_processes")
def test_a_worker_takes_over_and_the_ticket_hears_of_it(place: Place) -> None:
    """Held in a program that ended, approved while none ran, done by a worker, and awaited by its id in another."""
    (action,) = said(
        program(
            place,
            f"""\
import interlock
from {place.module} import put
with interlock.open(".", apply=True) as client, client.task("ag", purpose="test") as task:
    print(task.propose(put, 500).action_id)
""",
        )
    )
    with interlock.open(place.folder) as client:
        client.person("rita").approve(action)
    work(place)
    with interlock.open(place.folder) as client:
        outcome = client.ticket(action, place.tools().put, agent="ag").wait(timeout_ms=20_000)

    assert isinstance(outcome, interlock.Done)
    assert outcome.result == place.tools().Put(n=500, word="x")
    assert place.effects() == ["put 500"]


def test_a_ticket_waits_while_another_process_works(place: Place) -> None:
    """A program that waits hears of a person's word and of a worker's deed in other processes, without being asked again."""
    waiting = program(
        place,
        f"""\
import interlock, pathlib
from {place.module} import put
with interlock.open(".", apply=True) as client, client.task("ag", purpose="test") as task:
    held = task.propose(put, 500)
    pathlib.Path("id").write_text(held.action_id)
    pathlib.Path("id").rename("action")
    print(held.ticket.wait(timeout_ms=60_000).result)
""",
    )
    appears(place.folder / "action")
    with interlock.open(place.folder) as client:
        client.person("rita").approve((place.folder / "action").read_text())
    work(place)

    assert said(waiting) == ["Put(n=500, word='x')"]
    assert place.effects() == ["put 500"]


@pytest.mark.proves("sdk.interrupt_loses_nothing")
def test_an_interrupted_call_is_settled_by_whoever_comes_next(place: Place) -> None:
    """Ctrl-C in the middle of a tool ends the program at once, closes its task, and the action is done once, by its key."""
    stopped = program(
        place,
        f"""\
import interlock
from {place.module} import stay
with interlock.open(".", apply=True) as client, client.task("ag", purpose="test") as task:
    print(task.id, flush=True)
    try:
        stay(2)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        raise
""",
        stop_after="began",
    )
    out, err = stopped.communicate(timeout=PATIENCE_S)
    task, word = out.split()
    (left,) = _all(place)
    with interlock.open(place.folder) as client:
        outcome = client.ticket(left["id"], agent="ag").wait(timeout_ms=20_000)

    assert (word, stopped.returncode) == ("interrupted", -signal.SIGINT), err
    assert (left["task"], left["state"]) == (task, "dispatching")
    assert isinstance(outcome, interlock.Done)
    assert set(place.by_key()) == {left["idempotency_key"]}


def _all(place: Place) -> list[dict[str, str]]:
    listed = subprocess.run(
        [sys.executable, "-m", "interlock", "-w", str(place.folder), "actions", "--json"],
        check=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    found: list[dict[str, str]] = json.loads(listed.stdout)
    return found


def test_a_program_that_never_closes_ends_all_the_same(place: Place) -> None:
    """A client that is left open keeps no program alive and loses nothing that was acknowledged."""
    printed = said(
        program(
            place,
            f"""\
import interlock
from {place.module} import put
client = interlock.open(".", apply=True)
with client.task("ag", purpose="test"):
    print(put(1))
""",
        )
    )

    assert printed == ["Put(n=1, word='x')"]
    assert [each["state"] for each in _all(place)] == ["done"]
    assert place.effects() == ["put 1"]
