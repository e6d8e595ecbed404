"""Processes stopped inside the tool call for longer than their lease, while another takes over, and then woken."""

import os
import signal
import subprocess
import time

import pytest

from tests.e2e.conftest import Site


def stopped_in_call(site: Site, kind: str) -> subprocess.Popen[str]:
    """An agent that is stopped while its request is on the way: the outside lands it after a while."""
    site.plan(land_after=0.15, answer_after=0.1)
    process = site.start("agent", f"{kind}.add", "1")
    until = time.monotonic() + 20
    while not any(name.startswith("add:") for name in site.outside()["calls"]):
        assert time.monotonic() < until, process.communicate()
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGSTOP)
    return process


@pytest.mark.proves("execution.zombie")
@pytest.mark.parametrize("kind", ["keyed", "conditional", "lookup", "blind"])
def test_stopped_inside_the_call(site: Site, kind: str) -> None:
    """A process stopped in the call beyond its lease and woken after another took over leaves one effect."""
    process = stopped_in_call(site, kind)

    time.sleep(1.0)
    site.plan()
    states = site.run("work")["states"]
    os.kill(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=30)

    assert process.returncode == 0, err
    final = site.run("agent", f"{kind}.add", "1")["state"]
    assert len(site.effects("add")) == 1
    assert list(states.values()) == ["unknown" if kind == "blind" else "done"], out
    # A blind one that wakes to its answer settles what was unknown; one that wakes to its timeout knows no more.
    assert final == "done" or (kind == "blind" and final == "unknown")
