"""Other policies are published while agents in processes of their own decide flat out, and a worker dispatches."""

import base64
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from interlock.bootstrap.connecting import looking
from interlock.domain.evidence import Entry
from interlock.domain.publication import Publication
from tests.cli.shell import program
from tests.workspaces import Place, forget, workspace

PATIENCE_S = 90
AGENTS = 2
DENY = """\
@id("closed") @owner("tests") @outcome("deny") @reason("closed for today")
forbid(principal, action == Action::"box.put", resource);
"""

AGENT = """\
import asyncio, json, sys
from pathlib import Path
from interlock.bootstrap.connecting import connect, identity_of
from interlock.domain.errors import CredentialStale
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening
from interlock.embedded import Embedded

async def main(name):
    plane = connect(Path())
    embedded, identity, states, n = Embedded(plane), identity_of(plane), {}, 0
    while not Path("stop").exists():
        task = await plane.tasks.open(Opening(agent="ag", purpose=name, initiator="user:ana"))
        for _ in range(200):
            n += 1
            wanted = Proposal(task=task, contract="box.put", arguments={"n": n % 90}, here=n % 4 != 0)
            try:
                state = (await embedded.propose(await identity.presented(wanted))).state
            except CredentialStale:
                continue
            states[state] = states.get(state, 0) + 1
            if n == 20:
                Path(f"began-{name}").touch()
            if Path("stop").exists():
                break
    await plane.means.store.close()
    print(json.dumps(states))

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A workspace in force in which publishing takes two."""
    made = workspace(tmp_path)
    made.write("agent.py", AGENT)
    made.change("interlock.yaml", lambda text: text + "publishing: {persons: 2, roles: [reviewer]}\n")
    made.change("interlock.yaml", lambda text: text.replace("calls: 10000", "calls: 1000000"))
    assert program("apply", folder=made.folder).code == 0
    yield made
    forget(made)


def start(place: Place, *words: str) -> subprocess.Popen[str]:
    """A process in the workspace."""
    return subprocess.Popen(
        [sys.executable, *words], cwd=place.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> str:
    """What it printed, once it ended well."""
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    return out


def appears(path: Path) -> None:
    """Wait for a file."""
    until = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < until, f"{path} never came"
        time.sleep(0.02)


def log(place: Place) -> list[Entry]:
    """Every entry, in its order."""

    async def read() -> list[Entry]:
        plane = looking(place.folder)
        found: list[Entry] = []
        while page := await plane.means.log.entries(len(found), len(found) + 1_000):
            found += page
        await plane.means.store.close()
        return found

    return anyio.run(read)


def publications(place: Place) -> list[Publication]:
    """Every publication there is."""

    async def read() -> list[Publication]:
        plane = looking(place.folder)
        found = await plane.consenting.publications()
        await plane.means.store.close()
        return found

    return anyio.run(read)


def predicate(entry: Entry) -> dict[str, Any]:
    """What a leaf says."""
    statement = json.loads(base64.b64decode(json.loads(entry.leaf)["payload"]))
    found: dict[str, Any] = statement["predicate"]
    return found


@pytest.mark.proves("publish.swap", "publish.two_persons")
def test_no_process_decides_under_what_was_in_force_before(place: Place) -> None:
    """Two agents decide and a worker dispatches as fast as they can while a bundle that denies is proposed and accepted. In
    the order of the log every decision is made under the bundle in force there; once `accept` has returned nothing is begun
    any more, in any process."""
    agents = [start(place, "agent.py", f"a{n}") for n in range(AGENTS)]
    worker = start(place, "-m", "interlock", "work")
    try:
        for n in range(AGENTS):
            appears(place.folder / f"began-a{n}")
        place.change("policies/all.cedar", lambda text: text + DENY)
        proposed = program("apply", "--as", "rita", folder=place.folder)
        assert (proposed.code, "waits for 1 more person in role reviewer" in proposed.out) == (6, True), proposed
        (waiting,) = publications(place)
        accepted = program("policy", "accept", waiting.id, "--as", "ria", folder=place.folder)
        assert accepted.code == 0, accepted
        size = len(log(place))
        time.sleep(1.5)
        (place.folder / "stop").touch()
        states = [Counter[str](json.loads(ended(agent))) for agent in agents]
    finally:
        (place.folder / "stop").touch()
        worker.terminate()
        for each in (*agents, worker):
            if each.returncode is None:
                each.communicate(timeout=PATIENCE_S)

    entries = log(place)
    in_force, wrong, after = "", list[str](), Counter[str]()
    for entry in entries:
        said = predicate(entry)
        if entry.phase == "applied":
            in_force = said["bundle"]
        if entry.phase in ("decided", "dispatching"):
            if said["decision"]["policyDigest"] != in_force:
                wrong.append(f"{entry.index} {entry.phase} {said['actionId']}")
            if entry.index >= size:
                after[f"{entry.phase} {said['decision']['reported']}"] += 1
    assert wrong == []
    assert in_force == waiting.edition.bundle
    # Both agents went on deciding, and nothing began after the command had returned.
    assert set(after) == {"decided deny"}
    assert all(each["denied"] and each["done"] for each in states), states
