"""A small life in a real workspace (done, held and approved, denied, failed, undone), its files, and whoever works on them.

The attacker may write every file. What he changes is put back by copying: the folder that was lived in stays as it was.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import apsw
import msgspec

import interlock
from interlock.bootstrap.connecting import looking
from interlock.domain.errors import InterlockError
from interlock.domain.evidence import Finding
from tests.workspaces import forget, workspace


class Life(msgspec.Struct, frozen=True):
    """A workspace folder in which something happened, and a checkpoint kept from the middle of it."""

    folder: Path
    retained: str
    actions: tuple[str, ...]
    """Ids of actions: done, approved, denied, failed, undone."""

    @property
    def store(self) -> Path:
        """The file of the store."""
        return self.folder / ".interlock/interlock.db"

    @property
    def keys(self) -> Path:
        """The folder of the keys."""
        return self.folder / ".interlock/keys"

    def copy(self, to: Path) -> "Life":
        """The whole folder once more."""
        return msgspec.structs.replace(self, folder=Path(shutil.copytree(self.folder, to)))

    def findings(self, *, retained: bool = False) -> tuple[Finding, ...]:
        """What `interlock verify` says; an error that says what is wrong counts as a finding at `refused`."""
        return anyio.run(_findings, self.folder, (self.retained,) if retained else ())

    @contextmanager
    def sql(self) -> Iterator[apsw.Connection]:
        """The store's own file, with its guards taken off, as somebody who can write it would."""
        connection = apsw.Connection(str(self.store))
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        try:
            yield connection
        finally:
            connection.close()


async def _findings(folder: Path, retained: tuple[str, ...]) -> tuple[Finding, ...]:
    try:
        plane = looking(folder)
        try:
            return (await plane.audit.verify(retained)).findings
        finally:
            await plane.means.store.close()
    except InterlockError as error:
        return (Finding(place="refused", problem=f"{error.code}: {error.detail}"),)


def lived(folder: Path) -> Life:
    """One of everything that can happen to an action, through the public API."""
    place = workspace(folder)
    try:
        with interlock.open(folder, apply=True) as client:
            rita = client.person("rita")
            with client.task("ag", purpose="battery", on_behalf_of="user:zoe") as task:
                done = task.propose("box.put", n=1)
                held = task.propose("box.put", n=500)
                rita.approve(held.action_id, note="seen")
                denied = task.propose("box.put", n=5000)
                retained = anyio.run(head_of, folder)
                failed = task.propose("box.drop", reason="no room")
                undone = task.propose("box.put", n=2)
                rita.undo(action=undone.action_id, why="battery")
            actions = tuple(each.action_id for each in (done, held, denied, failed, undone))
    finally:
        forget(place)
    return Life(folder=folder, retained=retained, actions=actions)


async def head_of(folder: Path) -> str:
    """The log's latest signed checkpoint."""
    plane = looking(folder)
    head = await plane.audit.head()
    await plane.means.store.close()
    assert head is not None
    return head
