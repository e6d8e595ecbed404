"""A server that is killed while people sign in: what the store says of who is in, and what the log says, are the same."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from interlock.bootstrap.connecting import connect
from interlock.domain.account import told
from interlock.domain.errors import NotSignedIn
from interlock.domain.ids import Person
from tests.cli.shell import Shell
from tests.workspaces import forget, workspace

RITA = Person("rita")
SIGNING_IN = """
import asyncio, sys
from pathlib import Path
from interlock.bootstrap.connecting import connect
async def work():
    plane = connect(Path(sys.argv[1]))
    while True:
        token, _ = await plane.signing_in.offer("rita", by="test")
        print(token, flush=True)
        await plane.signing_in.by_link(token)
asyncio.run(work())
"""


@pytest.mark.proves("access.faults", "access.links_once")
def test_killed_while_signing_in(tmp_path: Path) -> None:
    """Killed anywhere in between, twice: each session has its entry, each link let in at most once, the last one told lets in
    at most once more, and the log verifies."""
    place = workspace(tmp_path)
    shell = Shell(place)
    assert shell("apply").code == 0
    for after_s in (0.05, 0.12):
        child = subprocess.Popen(
            [sys.executable, "-c", SIGNING_IN, str(place.folder)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(after_s)
        child.send_signal(signal.SIGKILL)
        last = child.stdout.read().splitlines()
        child.stdout.close()
        child.wait()
        asyncio.run(_agree(place.folder, last[-1] if last else ""))
    assert shell("verify").code == 0
    forget(place)


async def _agree(folder: Path, last: str) -> None:
    plane = connect(folder)
    try:
        entries = await plane.means.log.entries(0, 10_000)
        said = [each for each in (told(entry.index, entry.leaf) for entry in entries) if each is not None]
        begun = [each for each in said if each.phase == "signed_in"]
        links = [each.predicate["link"] for each in begun]
        assert begun
        assert len(links) == len(set(links))
        sessions = await plane.sessions.of(RITA)
        assert {each.id for each in sessions} <= {each.name.rpartition(":")[2] for each in begun}
        if last:
            came = 0
            for _ in range(2):
                try:
                    await plane.signing_in.by_link(last)
                    came += 1
                except NotSignedIn:
                    pass
            assert came <= 1
    finally:
        await plane.means.store.close()
