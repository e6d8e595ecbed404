"""An agent puts before people what it cannot settle and goes on with what they say, whatever dies meanwhile."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import interlock
from interlock.exceptions import Resolution
from tests.sdk.doors import Door
from tests.workspaces import AGENT, SETTINGS, forget, workspace

POLICIES = """\
@id("all") @owner("tests") permit(principal, action, resource);
@id("slow") @owner("tests") @outcome("escalate") @approver("reviewer") @deadline("1s") @default("keep it") @reason("so it is")
forbid(principal, action == Action::"exception.raise", resource) when { context.args.kind == "low_confidence" };
"""
ASKS = """\
import sys
import interlock
with interlock.open(sys.argv[1]) as client, client.task("ag", purpose="test", on_behalf_of="user:bob") as task:
    print("asking", flush=True)
    task.escalate("out_of_scope", "what now?", options=["stop", "go on"], idempotency_key="case-17")
"""


def raising(folder: Path) -> interlock.Client:
    """A workspace whose agent may raise exceptions."""
    place = workspace(folder)
    forget(place)
    place.write("interlock.yaml", SETTINGS.format(module="interlock.exceptions"))
    place.write("policies/all.cedar", POLICIES)
    for path, name in (("ag", "ag"), ("shade", "shade"), ("helper", "helper")):
        place.write(f"agents/{path}.yaml", AGENT.format(name=name, stage="partial", capabilities="exception.raise"))
    return interlock.open(folder, apply=True)


@pytest.mark.proves("exception.survives")
def test_an_exception_outlives_the_program_that_raised_it(tmp_path: Path) -> None:
    """A program is killed while it waits: the exception goes on waiting, and whoever asks again under its key gets the answer
    that a person gave meanwhile. There is one of it."""
    with raising(tmp_path) as client:
        ana = client.person("ana")
        program = subprocess.Popen([sys.executable, "-c", ASKS, str(tmp_path)], stdout=subprocess.PIPE)
        while not (waiting := ana.inbox().rows):
            time.sleep(0.02)
        program.send_signal(signal.SIGKILL)
        program.communicate()
        ana.modify(waiting[0].action, {"answer": "go on"})
        with client.task("ag", purpose="again", on_behalf_of="user:bob") as task:
            found = task.escalate(
                "out_of_scope", "what now?", options=["stop", "go on"], idempotency_key="case-17", timeout_ms=20_000
            )

        assert program.returncode == -signal.SIGKILL
        assert found == Resolution(how="chosen", answer="go on")
        assert ana.inbox(mine=False).waiting == 0


@pytest.mark.proves("exception.default")
def test_what_comes_of_one(door: Door) -> None:
    """An answer from another thread, silence with a default, a no, no time and no such kind each come back as what they are."""
    rita, key = door.person("rita"), door.key()
    with door.open() as client, client.task("ag", purpose="test", on_behalf_of="user:bob") as task:

        def close() -> None:
            while not (rows := [each for each in rita.inbox().rows if each.contract == "exception.raise"]):
                time.sleep(0.02)
            rita.approve(rows[0].action)

        other = threading.Thread(target=close)
        other.start()
        closed = task.escalate("system_error", "the bank does not answer")
        other.join()
        silent = task.escalate("low_confidence", "is it a refund?", options=["keep it", "pay"])
        with pytest.raises(interlock.Refused):
            task.escalate("out_of_scop", "what now?")
        with pytest.raises(interlock.Held) as held:
            task.escalate("out_of_scope", "what now?", idempotency_key=key, timeout_ms=0)
        rita.reject(held.value.action_id, note="it is in scope")
        with pytest.raises(interlock.Denied, match="it is in scope"):
            task.escalate("out_of_scope", "what now?", idempotency_key=key)

    assert closed == Resolution(how="closed", answer="")
    assert silent == Resolution(how="default", answer="keep it")
