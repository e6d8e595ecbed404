"""A parcel on the disk: a folder, or a zip file where the name ends in `.zip`.

Everything is written into a folder beside the place, which is moved there (or packed, and the archive moved) at the end. A
process that dies leaves that folder, `.NAME.part-...`, and nothing in its place.
"""

import os
import secrets
import shutil
import zipfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

from interlock.adapters.shelf import FolderShelf
from interlock.domain.errors import ContractError, StoreError
from interlock.ports.shelf import Shelf

MANIFEST: Final = "MANIFEST"
SEAL: Final = "MANIFEST.sig"
_CHUNK: Final = 1 << 20
_NEXT: Final = "name a folder or `.zip` file that is not there yet, in a folder you may write"


class DiskParcel:
    """Made at a place where nothing is yet. Only its owner may read it: it may hold clear texts."""

    def __init__(self, place: Path) -> None:
        self._place = place
        if place.exists() or place.is_symlink():
            raise ContractError(f"`{place}` is there already", next_step=_NEXT)
        self._folder = place.parent / f".{place.name}.part-{secrets.token_hex(4)}"
        self._files: dict[str, IO[bytes]] = {}
        self._done = False
        with _named(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            self._folder.mkdir(mode=0o700)

    @property
    def shelf(self) -> Shelf:
        """See `Parcel.shelf`."""
        return FolderShelf(self._folder)

    def add(self, name: str, data: bytes) -> None:
        """See `Parcel.add`."""
        with _named(self._place):
            file = self._files.get(name)
            if file is None:
                path = self._folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                file = self._files[name] = path.open("xb")
            file.write(data)

    def put(self, name: str, data: bytes) -> None:
        """See `Parcel.put`."""
        with _named(self._place):
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write(name, data)

    def seal(self, signed: Callable[[bytes], bytes]) -> None:
        """See `Parcel.seal`."""
        with _named(self._place):
            for file in self._files.values():
                file.flush()
                os.fsync(file.fileno())
                file.close()
            found = (path for path in self._folder.rglob("*") if path.is_file())
            names = sorted(path.relative_to(self._folder).as_posix() for path in found)
            lines = [f"{_digest(self._folder / name)}  {name}\n" for name in names]
            manifest = "".join(lines).encode()
            self._write(MANIFEST, manifest)
            self._write(SEAL, signed(manifest))
            if self._place.suffix.lower() == ".zip":
                self._pack([*names, MANIFEST, SEAL])
            else:
                self._folder.rename(self._place)
            _sync(self._place.parent)
        self._done = True

    def abandon(self) -> None:
        """See `Parcel.abandon`."""
        for file in self._files.values():
            file.close()
        if not self._done:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _pack(self, names: list[str]) -> None:
        archive = self._folder.with_name(f"{self._folder.name}.zip")
        try:
            with zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED) as packed:
                archive.chmod(0o600)
                for name in names:
                    # A fixed time: packed again, the same files make the same archive.
                    info = zipfile.ZipInfo(name)
                    info.compress_type = zipfile.ZIP_DEFLATED
                    with (self._folder / name).open("rb") as source, packed.open(info, "w", force_zip64=True) as target:
                        shutil.copyfileobj(source, target, _CHUNK)
            with archive.open("rb") as file:
                os.fsync(file.fileno())
            # Replaces nothing: a link fails where something is.
            os.link(archive, self._place)
        finally:
            archive.unlink(missing_ok=True)
        shutil.rmtree(self._folder)

    def _write(self, name: str, data: bytes) -> None:
        with (self._folder / name).open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def parcel_at(place: Path) -> Generator[DiskParcel]:
    """A parcel that is gone unless it was sealed. Raises ContractError where something is at `place`."""
    parcel = DiskParcel(place)
    try:
        yield parcel
    finally:
        parcel.abandon()


@contextmanager
def _named(place: Path) -> Generator[None]:
    try:
        yield
    except FileExistsError:
        raise ContractError(f"`{place}` is there already", next_step=_NEXT) from None
    except OSError as error:
        raise StoreError(f"`{place}` cannot be written: {error.strerror or error}", next_step=_NEXT) from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        hashed = sha256()
        while chunk := file.read(_CHUNK):
            hashed.update(chunk)
    return hashed.hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
