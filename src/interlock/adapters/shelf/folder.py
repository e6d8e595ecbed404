"""A shelf that is a folder, to be served by any web server, synced, or handed over on a disk.

1. A file is written to `.part` in the folder itself and synced.
2. It is moved to its name: a reader sees all of it or nothing.
3. Before `swap` moves the one file that changes, every folder that got a file since is synced.

Whoever writes holds a lock on the folder meanwhile, so that two processes neither use `.part` at once nor overwrite each
other's. A process that dies leaves at most `.part` behind, which the next one takes.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import anyio.to_thread

from interlock.adapters.shelf.trouble import another, must_be_name, named, too_long
from interlock.domain.errors import Conflict, StoreBusy

PATIENCE_S: Final = 30.0
"""How long another process may hold the folder for one file."""

_PART: Final = ".part"
_POLL_S: Final = 0.002


class FolderShelf:
    """Made with its parents when the first file is put."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unsynced: set[Path] = set()

    @property
    def place(self) -> str:
        """See `Shelf.place`."""
        return str(self._folder)

    async def read(self, name: str, *, limit: int) -> bytes | None:
        """See `Shelf.read`."""
        return await anyio.to_thread.run_sync(partial(self._read, must_be_name(name), limit))

    async def put(self, name: str, data: bytes) -> bool:
        """See `Shelf.put`."""
        return await anyio.to_thread.run_sync(self._put, must_be_name(name), data)

    async def swap(self, name: str, data: bytes, *, given: bytes | None) -> None:
        """See `Shelf.swap`."""
        await anyio.to_thread.run_sync(self._swap, must_be_name(name), data, given)

    async def clear(self, folder: str) -> None:
        """See `Shelf.clear`."""
        await anyio.to_thread.run_sync(self._clear, must_be_name(folder))

    def _read(self, name: str, limit: int) -> bytes | None:
        with named(self._folder):
            try:
                with (self._folder / name).open("rb") as file:
                    data = file.read(limit + 1)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
        if len(data) > limit:
            raise too_long(self.place, name, limit)
        return data

    def _put(self, name: str, data: bytes) -> bool:
        with named(self._folder), self._alone():
            path = self._folder / name
            # Whoever put it may have died before its folder was synced.
            self._unsynced.add(path.parent)
            if path.exists():
                if path.stat().st_size != len(data) or path.read_bytes() != data:
                    raise another(self.place, name)
                return False
            self._move_in(path, data)
            return True

    def _swap(self, name: str, data: bytes, given: bytes | None) -> None:
        with named(self._folder), self._alone():
            path = self._folder / name
            found = path.read_bytes() if path.exists() else None
            if found != given:
                raise Conflict(f"`{name}` in `{self.place}` was changed by somebody else", kind="file", key=name)
            for folder in sorted(self._unsynced):
                _sync(folder)
            self._unsynced.clear()
            self._move_in(path, data)
            _sync(path.parent)

    def _clear(self, name: str) -> None:
        with named(self._folder):
            if not (self._folder / name).is_dir():
                return
            with self._alone():
                shutil.rmtree(self._folder / name, ignore_errors=True)
                self._unsynced.discard(self._folder / name)

    def _move_in(self, path: Path, data: bytes) -> None:
        for folder in _made(path.parent):
            # A folder is durable once the one it stands in is.
            self._unsynced.add(folder.parent)
        part = self._folder / _PART
        # Made anew, never opened: who may write here must not choose, by a link, what else is written.
        part.unlink(missing_ok=True)
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Nobody else writes meanwhile. Raises StoreBusy."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _wait_for(lock, self._folder)
            yield
        finally:
            os.close(lock)


def _wait_for(lock: int, folder: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise StoreBusy(
                    f"another process writes in `{folder}`", next_step="find it; a stopped one blocks all others"
                ) from None
            time.sleep(_POLL_S)


def _made(folder: Path) -> list[Path]:
    """Make `folder`, and give what of it and its parents had to be made."""
    lacking: list[Path] = []
    while not folder.exists():
        lacking.append(folder)
        folder = folder.parent
    for each in reversed(lacking):
        each.mkdir()
    return lacking


def _sync(folder: Path) -> None:
    if not folder.exists():
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
