"""One bootstrap token, and several processes that come with it at once."""

import subprocess
import sys
from pathlib import Path

import anyio
import pytest

import interlock
from interlock.bootstrap.connecting import connect
from interlock.domain.ids import AgentName, Person
from interlock.domain.instance import BootstrapToken, Instance
from interlock.services.plane import ControlPlane
from tests.workspaces import forget, workspace

COMES = """\
import sys
import interlock
with interlock.open(sys.argv[1], attest="bootstrap", evidence=sys.argv[2]) as client:
    print("here", flush=True)
    sys.stdin.readline()
    try:
        with client.task("ag", purpose="test") as task:
            print(type(task.propose("box.look", word="x")).__name__)
    except interlock.InterlockError as error:
        print(error.detail)
"""


@pytest.mark.proves("identity.bootstrap_once")
def test_of_processes_that_come_with_one_token_one_is_let_in(tmp_path: Path) -> None:
    """Three processes on one store, held at the door until all are there: one acts, the others are told; one instance is kept."""
    place = workspace(tmp_path)
    settings = place.folder / "interlock.yaml"
    settings.write_text(settings.read_text() + "identity: {attest: [local, bootstrap]}\n")
    interlock.open(place.folder, apply=True).close()

    async def offered() -> str:
        plane = connect(place.folder)
        secret, _ = await plane.inviting.offer(AgentName("ag"), by=Person("rita"))
        await plane.means.store.close()
        return secret

    secret = anyio.run(offered)
    words = [sys.executable, "-c", COMES, str(place.folder), secret]
    running = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "here\n"
    for each in running:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    said = sorted(each.communicate(timeout=60)[0].strip() for each in running)

    assert said == ["Done", *["the bootstrap token was used before, by another instance"] * 2]

    async def kept(plane: ControlPlane) -> tuple[list[Instance], list[BootstrapToken]]:
        found = await plane.means.store.all(Instance), await plane.means.store.all(BootstrapToken)
        await plane.means.store.close()
        return found

    (instance,), (token,) = anyio.run(kept, connect(place.folder))
    assert (token.instance, token.used_at is not None) == (instance.instance, True)
    forget(place)
