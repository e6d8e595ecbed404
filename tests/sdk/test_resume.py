"""A task that a killed program left open is gone on with by its successor, and by nobody who did not take it over."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import interlock
from tests.workspaces import forget, workspace

DIES = """\
import os, signal, sys
import interlock
client = interlock.open(sys.argv[1])
task = client.task("ag", purpose="test").__enter__()
task.propose("box.look", word="x")
print(task.id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.proves("identity.own_task")
def test_a_successor_goes_on_with_what_was_left(tmp_path: Path) -> None:
    """The task of a process that was killed admits nobody until it is taken over; then it is its successor's, who closes it."""
    place = workspace(tmp_path)
    with interlock.open(place.folder, apply=True) as client:
        died = subprocess.run(
            [sys.executable, "-c", DIES, str(place.folder)], capture_output=True, text=True, check=False, timeout=60
        )
        task_id = died.stdout.strip()
        assert died.returncode == -signal.SIGKILL, died.stderr

        scope = client.resume(task_id, "ag")
        task = scope.__enter__()
        assert task.id == task_id
        assert isinstance(task.propose("box.look", word="y"), interlock.Done)
        with client.task("ag", purpose="inside") as inner:
            assert isinstance(inner.propose("box.look", word="z"), interlock.Done)
        with interlock.open(place.folder) as other, other.resume(task_id, "ag") as again:
            assert isinstance(again.propose("box.look", word="y"), interlock.Done)
            outcome = task.propose("box.look", word="y")
            assert isinstance(outcome, interlock.Refused)
            assert outcome.rule == "interlock.task_instance"
        # What it no longer holds it does not close either, and hears so.
        with pytest.raises(interlock.NotAllowed, match="another instance"):
            scope.__exit__(None, None, None)
        for wrong in (("helper", task_id), ("ag", "none"), ("ag", task_id)):
            with pytest.raises(interlock.InterlockError) as refused:
                client.resume(wrong[1], wrong[0]).__enter__()
            assert ("interlock tasks" in refused.value.next_step) == (wrong[1] == "none")
    forget(place)
