"""Processes stopped inside the tool call for longer than their lease, while another takes over, and then woken."""

import asyncio
import os
import signal
import subprocess
import time

import pytest

from interlock.domain.dsse import parse
from interlock.domain.evidence import Entry
from interlock.ports.store import ActionQuery
from interlock.testing.conformance.erasing import part
from tests.e2e import kit
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


async def erased(site: Site) -> None:
    """Erase all that was done there, from a process of its own."""
    plane = kit.connect(site.folder, worker="eraser")
    await plane.means.store.erase(part(*await plane.means.store.actions(ActionQuery())))
    await plane.means.store.scrub()
    await plane.means.store.close()


async def entries(site: Site) -> list[Entry]:
    """The entries of the one action there is."""
    plane = kit.connect(site.folder, worker="reader")
    (action,) = await plane.means.store.actions(ActionQuery())
    found = await plane.means.log.entries_of(action.id)
    await plane.means.store.close()
    return found


@pytest.mark.proves("erasure.late")
def test_woken_after_its_action_was_erased(site: Site) -> None:
    """What a process tells of an action that was erased while it was stopped is recorded without anything private."""
    process = site.start("agent", "keyed.add", "1", "execute.verified", "1", stop=True)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

    time.sleep(1.0)
    site.run("work")
    asyncio.run(erased(site))
    os.kill(process.pid, signal.SIGCONT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err

    *_, late = asyncio.run(entries(site))
    assert (late.phase, late.disclosures, late.sealed) == ("outcome", (), False)
    assert b'"withheld":"erased"' in parse(late.leaf).payload
    assert b"commitments" not in parse(late.leaf).payload
