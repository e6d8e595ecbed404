"""Every shelf keeps every promise of the port, and shows nothing by halves."""

import os
import resource
import signal
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from interlock.adapters.shelf import FolderShelf
from interlock.adapters.shelf import folder as folder_shelf
from interlock.bootstrap.shelves import shelf_at
from interlock.domain.errors import (
    Conflict,
    ContractError,
    IntegrityError,
    StoreBusy,
    StoreError,
    StoreReadOnly,
)
from interlock.ports.shelf import Shelf

Work = Callable[[Shelf], Coroutine[Any, Any, None]]
BOTH = pytest.mark.parametrize("place", ["out", "out.zip"])


def on(place: Path, work: Work) -> None:
    """Do it on a new shelf there."""
    with shelf_at(place) as shelf:
        anyio.run(work, shelf)


@BOTH
def test_what_was_put_is_read_again(place: str, tmp_path: Path) -> None:
    """A file is read as it was put, one that was not put is not there, and the same again is nothing new."""

    async def body(shelf: Shelf) -> None:
        assert await shelf.read("tile/0/000", limit=10) is None
        assert await shelf.put("tile/0/000", b"hashes")
        assert not await shelf.put("tile/0/000", b"hashes")

        assert await shelf.read("tile/0/000", limit=6) == b"hashes"
        assert await shelf.read("tile/0", limit=6) is None

    on(tmp_path / place, body)


@BOTH
def test_a_file_never_changes(place: str, tmp_path: Path) -> None:
    """Another file of the same name is refused, longer or shorter, and the first one stays."""

    async def body(shelf: Shelf) -> None:
        await shelf.put("tile/0/000", b"hashes")
        for other in (b"hashez", b"hash", b"hashes and more", b""):
            with pytest.raises(IntegrityError):
                await shelf.put("tile/0/000", other)

        assert await shelf.read("tile/0/000", limit=6) == b"hashes"

    on(tmp_path / place, body)


@BOTH
def test_a_file_longer_than_any_of_its_kind_is_not_read(place: str, tmp_path: Path) -> None:
    """Reading has a limit."""

    async def body(shelf: Shelf) -> None:
        await shelf.put("checkpoint", b"x" * 11)

        with pytest.raises(IntegrityError, match="longer than 10 bytes"):
            await shelf.read("checkpoint", limit=10)

    on(tmp_path / place, body)


@BOTH
@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../x", "a/../b", "a//b", ".hidden", "a/.part", "a/", "a\\b", "a\x00b", "ä", "x" * 201]
)
def test_no_name_leads_out_of_the_shelf(place: str, tmp_path: Path, name: str) -> None:
    """A name that is not plain is refused by every method."""

    async def body(shelf: Shelf) -> None:
        for refused in (
            lambda: shelf.read(name, limit=1),
            lambda: shelf.put(name, b""),
            lambda: shelf.swap(name, b"", given=None),
            lambda: shelf.clear(name),
        ):
            with pytest.raises(ContractError):
                await refused()

    on(tmp_path / place, body)


@BOTH
def test_a_swap_from_something_else_is_a_conflict(place: str, tmp_path: Path) -> None:
    """The file that changes is put only in the place of what was read."""

    async def body(shelf: Shelf) -> None:
        with pytest.raises(Conflict):
            await shelf.swap("checkpoint", b"two", given=b"one")
        await shelf.swap("checkpoint", b"one", given=None)
        with pytest.raises(Conflict):
            await shelf.swap("checkpoint", b"two", given=None)

        assert await shelf.read("checkpoint", limit=9) == b"one"

    on(tmp_path / place, body)


def test_a_folder_swaps_and_clears(tmp_path: Path) -> None:
    """The file that changes follows what was read; a cleared folder is gone, and clearing it again is nothing."""

    async def body() -> None:
        shelf = FolderShelf(tmp_path / "a" / "b")
        await shelf.clear("tile/0/000.p")
        await shelf.put("tile/0/000.p/3", b"abc")
        await shelf.swap("checkpoint", b"one", given=None)
        await shelf.swap("checkpoint", b"two", given=b"one")
        await shelf.clear("tile/0/000.p")
        await shelf.clear("tile/0/000.p")

        assert await shelf.read("checkpoint", limit=9) == b"two"
        assert sorted(path.name for path in (tmp_path / "a" / "b").rglob("*")) == ["0", "checkpoint", "tile"]

    anyio.run(body)


def test_an_archive_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """Until it is closed there is nothing under its name, and nothing ever after an error."""
    with shelf_at(tmp_path / "out.zip") as shelf:
        anyio.run(shelf.put, "tile/0/000", b"hashes")
        anyio.run(partial(shelf.swap, "checkpoint", b"one", given=None))
        assert not (tmp_path / "out.zip").exists()
    with suppress(RuntimeError), shelf_at(tmp_path / "other.zip") as shelf:
        anyio.run(shelf.put, "a", b"b")
        raise RuntimeError

    assert [path.name for path in tmp_path.iterdir()] == ["out.zip"]
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["tile/0/000", "checkpoint"]
    with pytest.raises(ContractError, match="exists already"), shelf_at(tmp_path / "out.zip"):
        pass


def test_an_archive_replaces_nothing_that_appeared_meanwhile(tmp_path: Path) -> None:
    """Who made a file of that name in between keeps it."""
    path = tmp_path / "out.zip"

    with pytest.raises(StoreError), shelf_at(path):
        path.write_text("mine")

    assert path.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["out.zip"]


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    """Two archives of one content are equal byte for byte."""

    async def body(shelf: Shelf) -> None:
        await shelf.put("a", b"a" * 1000)
        await shelf.put("b/c", b"c")

    on(tmp_path / "1.zip", body)
    on(tmp_path / "2.zip", body)

    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_files_may_be_read_by_a_web_server(tmp_path: Path) -> None:
    """What is put has the mode that the caller's umask gives it, like any file."""

    async def body() -> int:
        await FolderShelf(tmp_path).put("a", b"b")
        return stat.S_IMODE((tmp_path / "a").stat().st_mode)

    before = os.umask(0o022)
    try:
        assert anyio.run(body) == 0o644
    finally:
        os.umask(before)


def test_a_link_in_the_folder_is_not_written_through(tmp_path: Path) -> None:
    """Whoever may write in the folder cannot make a publisher overwrite a file elsewhere."""
    elsewhere = tmp_path / "precious"
    elsewhere.write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    for name in (".part", "tile"):
        (folder / name).symlink_to(elsewhere)

    anyio.run(FolderShelf(folder).put, "checkpoint", b"one")
    with pytest.raises(StoreError):
        anyio.run(FolderShelf(folder).put, "tile/0/000", b"two")

    assert elsewhere.read_text() == "mine"
    assert not (folder / "checkpoint").is_symlink()


def test_trouble_with_the_disk_is_named(tmp_path: Path) -> None:
    """A folder that is a file is the operator's business."""
    (tmp_path / "file").write_text("x")

    with pytest.raises(StoreError) as told:
        anyio.run(FolderShelf(tmp_path / "file").put, "a", b"b")

    assert told.value.fault == "operator"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_nobody_may_write_is_named(tmp_path: Path) -> None:
    """A missing right is its own error."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreReadOnly):
            anyio.run(FolderShelf(tmp_path).put, "a", b"b")
    finally:
        tmp_path.chmod(0o700)


def test_a_file_that_does_not_fit_is_not_there(tmp_path: Path) -> None:
    """Failed and not stored: where the disk takes only part of a file, its name stays free, and the next attempt works."""

    async def body() -> None:
        shelf = FolderShelf(tmp_path)
        await shelf.put("before", b"x")
        # The system's own refusal, in the middle of the file: no file of this process may grow beyond it.
        old = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, old[1]))
        try:
            with pytest.raises(StoreError):
                await shelf.put("tile/0/000", b"x" * 8192)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
            signal.signal(signal.SIGXFSZ, ignored)
        assert await shelf.read("tile/0/000", limit=9000) is None

        assert await shelf.put("tile/0/000", b"x" * 8192)

    anyio.run(body)


DIES = """\
import anyio, os, sys
from pathlib import Path
from interlock.adapters.shelf import FolderShelf
anyio.run(FolderShelf(Path(sys.argv[1])).put, "tile/0/000", b"hashes")
os.kill(os.getpid(), 9)
"""


def test_what_was_put_by_who_died_is_taken_as_it_is(tmp_path: Path) -> None:
    """Failed but stored: a file that is there without anybody having heard is put again, and is nothing new."""
    ended = subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL

    assert not anyio.run(FolderShelf(tmp_path).put, "tile/0/000", b"hashes")


def test_a_stopped_writer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits too long for another process's lock hears of it instead of waiting for ever."""
    monkeypatch.setattr(folder_shelf, "PATIENCE_S", 0.05)
    shelf = FolderShelf(tmp_path)

    with shelf._alone(), pytest.raises(StoreBusy):
        anyio.run(FolderShelf(tmp_path).put, "a", b"b")

    assert anyio.run(shelf.put, "a", b"b")
