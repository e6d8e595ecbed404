"""What is wrong with the file is a clear error, the gate closed, and nothing lost."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from interlock.adapters.sealer import LogSealer
from interlock.adapters.sqlite import SqliteStore
from interlock.adapters.sqlite.opening import migrations, prepare
from interlock.adapters.sqlite.writer import Writer
from interlock.adapters.system import SystemIds
from interlock.domain.bundle import Bundle
from interlock.domain.change import Change
from interlock.domain.errors import (
    NotFound,
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreTooNew,
    StoreUnsure,
)
from interlock.domain.evidence import Entry, Fact, Position
from interlock.domain.ids import StreamId, Tenant
from interlock.domain.task import Task
from interlock.testing.conformance.audit import audited
from interlock.testing.conformance.making import action, fact, task
from tests.adapters.sqlite_crew import PURSE, TENANT, change, keys_of, opened

SEED = "5" * 64
NOBODY = 65534


def made(path: Path, actions: int = 3) -> Path:
    """A store at `path` with some actions in it, closed."""

    async def make() -> None:
        store = opened(path, SEED)
        await store.commit(Change(puts=(PURSE,)))
        for _ in range(actions):
            await change(store)
        await store.close()

    asyncio.run(make())
    return path


def refuses(path: Path, error: type[StoreError]) -> None:
    """Opening raises `error` and leaves every byte as it was."""
    before = path.read_bytes()
    with pytest.raises(error) as raised:
        opened(path, SEED, busy_ms=200)
    assert raised.type is error
    assert path.read_bytes() == before


def refuses_to_look(path: Path, error: type[StoreError]) -> None:
    """Opening it only to look raises `error` too."""
    before = path.read_bytes()
    with pytest.raises(error) as raised:
        SqliteStore.look(path, TENANT)
    assert raised.type is error
    assert path.read_bytes() == before


def edit(path: Path, statement: str) -> None:
    """Change the file behind the store's back."""
    connection = apsw.Connection(str(path))
    connection.execute(statement)
    connection.close()


def garbage(path: Path) -> None:
    """Not a database at all."""
    path.write_bytes(b"these are the recipes of my grandmother\n" * 100)


def foreign(path: Path) -> None:
    """Somebody else's database."""
    edit(path, "CREATE TABLE recipe (name TEXT)")


def cut_off(path: Path) -> None:
    """Half of ours."""
    made(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // 4096 * 4096)


def overwritten(path: Path) -> None:
    """Ours, with a page of nonsense in it."""
    made(path)
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096))


@pytest.mark.proves("store.corrupt")
@pytest.mark.parametrize("damage", [garbage, foreign, cut_off, overwritten])
def test_a_damaged_file(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """A file that is damaged, or not ours, is refused and not touched."""
    path = tmp_path / "store.db"
    damage(path)

    refuses(path, StoreCorrupt)


def test_damage_in_a_large_file_is_found_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file too large to be checked at every opening is checked when asked for."""
    path = made(tmp_path / "store.db", 30)
    monkeypatch.setattr("interlock.adapters.sqlite.opening.CHECKED_BYTES", 1)
    last = path.stat().st_size // 4096 - 2
    with path.open("r+b") as file:
        file.seek(4096 * last)
        file.write(b"\xff" * 4096)

    prepare(path, TENANT, busy_ms=200)
    with pytest.raises(StoreCorrupt):
        prepare(path, TENANT, busy_ms=200, thorough=True)


@pytest.mark.proves("store.too_new")
def test_a_newer_schema(tmp_path: Path) -> None:
    """A file that a newer version wrote is refused and not touched."""
    path = made(tmp_path / "store.db")
    edit(path, f"PRAGMA user_version = {len(migrations()) + 1}")

    refuses(path, StoreTooNew)
    refuses_to_look(path, StoreTooNew)


@pytest.mark.parametrize("damage", [garbage, foreign])
def test_nothing_to_look_at(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """What is not a store is not looked at either; where there is nothing, or nothing of the tenant, nothing is made."""
    damage(tmp_path / "store.db")
    refuses_to_look(tmp_path / "store.db", StoreCorrupt)

    with pytest.raises(NotFound):
        SqliteStore.look(tmp_path / "nowhere.db", TENANT)
    with pytest.raises(NotFound):
        SqliteStore.look(made(tmp_path / "ours.db"), Tenant("another"))
    assert not (tmp_path / "nowhere.db").exists()


def test_a_copy_that_cannot_be_written_can_be_read() -> None:
    """An auditor's copy in a folder that may not be written is read and verified as any other."""
    folder = Path(tempfile.mkdtemp())
    path = made(folder / "store.db")

    async def run() -> None:
        looker = SqliteStore.look(path, TENANT)
        assert len(await audited(looker, keys_of(SEED))) == 3
        await looker.close()

    try:
        for each in folder.iterdir():
            each.chmod(0o444)
        folder.chmod(0o555)
        with unprivileged():
            asyncio.run(run())
    finally:
        folder.chmod(0o777)
        shutil.rmtree(folder)


def test_looking_changes_nothing(tmp_path: Path) -> None:
    """Who only looks sees what is written meanwhile, and can write nothing."""

    async def run() -> None:
        store = opened(tmp_path / "store.db", SEED)
        await store.commit(Change(puts=(PURSE,)))
        looker = SqliteStore.look(tmp_path / "store.db", TENANT)
        made_meanwhile = await change(store)
        assert [entry.action for entry in await audited(looker, keys_of(SEED))] == [made_meanwhile]
        with pytest.raises(StoreReadOnly):
            await looker.commit(Change(puts=(task(),)))
        await looker.close()
        await store.close()

    asyncio.run(run())


@pytest.mark.proves("store.read_only")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_read_only(what: str) -> None:
    """A file or folder that may not be written is refused at opening, whoever owns it."""
    folder = Path(tempfile.mkdtemp())
    try:
        path = made(folder / "store.db")
        for each in folder.iterdir():
            each.chmod(0o666)
        path.chmod(0o444 if what == "file" else 0o666)
        folder.chmod(0o555 if what == "folder" else 0o777)
        with unprivileged():
            refuses(path, StoreReadOnly)
            with pytest.raises(StoreReadOnly if what == "folder" else StoreError):
                opened(folder / ("new.db" if what == "folder" else "store.db/new.db"), SEED)
    finally:
        folder.chmod(0o777)
        shutil.rmtree(folder)


class unprivileged:  # noqa: N801  reads as what it is
    """Root may write everything: for the time being we are somebody else."""

    def __enter__(self) -> None:
        """Become nobody, if we are root."""
        self.root = os.geteuid() == 0
        if self.root:
            os.seteuid(NOBODY)

    def __exit__(self, *_: object) -> None:
        """Become root again."""
        if self.root:
            os.seteuid(0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(
            "only a privileged user can mount a small file system; the crowd's tests have a file that may not grow"
        )
    yield disk
    subprocess.run(["umount", disk], check=True)


def enlarge(disk: Path) -> None:
    """Make room."""
    subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)


@pytest.mark.proves("store.full_disk")
def test_a_full_disk(small_disk: Path) -> None:
    """On a full disk changes are refused, what was stored stays readable, and once there is room the store goes on."""

    async def run() -> None:
        store = opened(small_disk / "store.db", SEED)
        await store.commit(Change(puts=(PURSE,)))
        kept: list[Bundle] = []
        full = False
        while not full:
            bundle = Bundle(sources={"a.cedar": f"{len(kept)}" + "x" * 50_000}, schema="")
            about = action()
            try:
                await store.commit(Change(puts=(bundle, about), facts=(fact(about),)))
                kept.append(bundle)
            except StoreFull:
                full = True
        assert kept
        for bundle in kept:
            assert await store.get(Bundle, bundle.key) == bundle.saved()
        await asyncio.to_thread(enlarge, small_disk)
        await change(store)
        assert len(await audited(store, keys_of(SEED))) == len(kept) + 1
        await store.close()

    asyncio.run(run())


class Syncs(apsw.VFS):
    """The file system, with syncs that fail on demand."""

    def __init__(self) -> None:
        self.broken = False
        super().__init__("syncs", base="unix", makedefault=True)

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> "Synced":  # noqa: N802  apsw's name
        """Open a file whose syncs are ours."""
        return Synced(self, name, flags)


class Synced(apsw.VFSFile):
    """One file of it."""

    def __init__(self, vfs: Syncs, name: "str | apsw.URIFilename | None", flags: list[int]) -> None:
        self.vfs = vfs
        super().__init__("unix", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802  apsw's name
        """Sync, or fail."""
        if self.vfs.broken:
            raise apsw.IOError
        super().xSync(flags)


@pytest.fixture
def syncs() -> Iterator[Syncs]:
    """Every file opened meanwhile goes through it."""
    vfs = Syncs()
    yield vfs
    vfs.unregister()


@pytest.mark.proves("store.unsure")
def test_a_commit_that_may_have_been_stored(tmp_path: Path, syncs: Syncs) -> None:
    """When the disk fails under COMMIT the caller is told that nobody knows; the next change finds out and goes on."""

    async def run() -> None:
        store = opened(tmp_path / "store.db", SEED)
        await store.commit(Change(puts=(PURSE,)))
        await change(store)
        lost = [action() for _ in range(3)]
        syncs.broken = True
        changes = [Change(puts=(each,), facts=(fact(each),)) for each in lost]
        changes.append(Change(puts=(PURSE,)))
        answers = await asyncio.gather(*map(store.commit, changes), return_exceptions=True)
        # Not even the one that conflicts may be sure of it: it conflicts with what may not have been stored.
        assert [type(answer) for answer in answers] == [StoreUnsure] * 4
        syncs.broken = False

        for _ in range(3):
            await change(store)

        kept = [each.id for each in lost if await store.get(type(each), each.id)]
        recorded = [entry.action for entry in await audited(store, keys_of(SEED))]
        assert kept in ([], [each.id for each in lost]), "all of a group or none"
        assert len(recorded) == 4 + len(kept)
        await store.close()

    asyncio.run(run())


@pytest.mark.proves("store.unsure")
def test_an_error_after_all_was_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When COMMIT reports an error although everything is stored, the stream goes on behind what is there."""

    async def run() -> None:
        store = opened(tmp_path / "store.db", SEED)
        await store.commit(Change(puts=(PURSE,)))
        await change(store)
        assert isinstance(store._writer, Writer)
        pen = store._writer._pen

        def fail(_: int) -> None:
            # SQLite calls this after the commit, and an error here becomes COMMIT's own.
            raise apsw.IOError

        with monkeypatch.context() as patch:
            patch.setattr(pen, "_count_pages", fail)
            pen._reconnect()
        lost = action()
        with pytest.raises(StoreUnsure):
            await store.commit(Change(puts=(lost,), facts=(fact(lost),)))

        assert await store.get(type(lost), lost.id) == lost.saved()
        for _ in range(2):
            await change(store)
        assert len(await audited(store, keys_of(SEED))) == 4
        await store.close()

    asyncio.run(run())


def test_a_failed_sync_fails_one_alone_too(tmp_path: Path, syncs: Syncs) -> None:
    """A single change that meets a failing disk is unsure as well, and is found out by reading."""

    async def run() -> None:
        store = opened(tmp_path / "store.db", SEED)
        new = task()
        syncs.broken = True
        with pytest.raises(StoreUnsure):
            await store.commit(Change(puts=(new,)))
        syncs.broken = False
        stored = await store.get(Task, new.key)
        await store.commit(Change(puts=(stored or new,)))
        assert await store.get(Task, new.key) == (stored or new).saved()
        await store.close()

    asyncio.run(run())


class Broken(LogSealer):
    """A sealer with a fault in it, once it is told to have one."""

    broken = False

    def seal(self, fact: Fact, index: int, position: Position) -> Entry:
        """Seal, or divide by zero."""
        return super().seal(fact, index // (not self.broken), position)


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_that_nobody_foresaw(tmp_path: Path, together: int) -> None:
    """A fault of our own leaves nobody waiting and nothing stored; who was in the middle of it is unsure."""
    sealer = Broken(keys_of(SEED), StreamId("run"), SystemIds())

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, __: None)
        store = SqliteStore.open(tmp_path / "store.db", TENANT, sealer)
        sealer.broken = True
        lost = [action() for _ in range(together)]
        answers = await asyncio.gather(
            *(store.commit(Change(puts=(each,), facts=(fact(each),))) for each in lost), return_exceptions=True
        )
        assert {type(answer) for answer in answers} == {StoreUnsure}
        sealer.broken = False
        after = await asyncio.gather(store.commit(Change(puts=(PURSE,))), return_exceptions=True)
        assert after[0] == () or isinstance(after[0], StoreError), "goes on, or stays closed"
        assert [await store.get(type(each), each.id) for each in lost] == [None] * together
        await asyncio.wait_for(store.close(), 5)

    asyncio.run(run())


@pytest.mark.proves("store.busy")
def test_somebody_else_holds_the_lock(tmp_path: Path) -> None:
    """While another program holds the file's lock a change is refused after the time it may wait, and works afterwards."""

    async def run() -> None:
        store = opened(tmp_path / "store.db", SEED, busy_ms=200)
        other = apsw.Connection(str(tmp_path / "store.db"))
        other.execute("BEGIN IMMEDIATE")
        new = [task(), task()]
        for refused in (new[:1], new):
            answers = await asyncio.gather(
                *(store.commit(Change(puts=(each,))) for each in refused), return_exceptions=True
            )
            assert {type(answer) for answer in answers} == {StoreBusy}
        other.execute("COMMIT")
        other.close()
        await asyncio.gather(*(store.commit(Change(puts=(each,))) for each in new))
        await store.close()

    asyncio.run(run())


def test_no_folder(tmp_path: Path) -> None:
    """A store in a folder that does not exist cannot be made, and says so."""
    with pytest.raises(StoreError, match="cannot be made"):
        opened(tmp_path / "nowhere" / "store.db", SEED)
