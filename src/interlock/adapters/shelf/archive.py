"""A shelf that is one zip archive, made once: it appears under its name when it is closed, whole or not at all.

The same files put in the same order make the same bytes: no time of day is written into the archive.
"""

import os
import secrets
import stat
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import anyio.to_thread

from interlock.adapters.shelf.trouble import another, must_be_name, named, too_long
from interlock.domain.errors import Conflict, ContractError

_WHEN: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that the format can write: it stands for none."""
_MODE: Final = (stat.S_IFREG | 0o644) << 16


@contextmanager
def zip_shelf(path: Path) -> Generator["ZipShelf"]:
    """An archive that appears at `path` when the context is left, and not if it is left by an error.

    Raises ContractError where there is a file at `path` already.
    """
    if path.exists():
        raise ContractError(f"`{path}` exists already", next_step="name a file that does not exist")
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with named(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("w+b") as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                    yield ZipShelf(path, archive)
                file.flush()
                os.fsync(file.fileno())
            # Unlike a rename it replaces nothing that appeared meanwhile.
            os.link(beside, path)
            _sync(path.parent)
    finally:
        beside.unlink(missing_ok=True)


class ZipShelf:
    """What `zip_shelf` gives. `swap` puts a file that was not there; an archive that has it is never changed."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive = path, archive

    @property
    def place(self) -> str:
        """See `Shelf.place`."""
        return str(self._path)

    async def read(self, name: str, *, limit: int) -> bytes | None:
        """See `Shelf.read`."""
        return await anyio.to_thread.run_sync(partial(self._read, must_be_name(name), limit))

    async def put(self, name: str, data: bytes) -> bool:
        """See `Shelf.put`."""
        return await anyio.to_thread.run_sync(self._put, must_be_name(name), data)

    async def swap(self, name: str, data: bytes, *, given: bytes | None) -> None:
        """See `Shelf.swap`."""
        if given is not None or must_be_name(name) in self._archive.NameToInfo:
            raise Conflict(f"`{name}` in `{self.place}` was put already", kind="file", key=name)
        await self.put(name, data)

    async def clear(self, folder: str) -> None:
        """See `Shelf.clear`."""
        must_be_name(folder)

    def _read(self, name: str, limit: int) -> bytes | None:
        with named(self._path):
            try:
                found = self._archive.getinfo(name)
            except KeyError:
                return None
            if found.file_size > limit:
                raise too_long(self.place, name, limit)
            return self._archive.read(found)

    def _put(self, name: str, data: bytes) -> bool:
        if name in self._archive.NameToInfo:
            if self._archive.read(name) != data:
                raise another(self.place, name)
            return False
        # Entries of a log are signatures and digests for the most part: searching long for repeats is of no use.
        info = zipfile.ZipInfo(name, _WHEN)
        info.external_attr = _MODE
        with named(self._path):
            self._archive.writestr(info, data, zipfile.ZIP_DEFLATED, 1)
        return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
