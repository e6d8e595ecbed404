"""What is handed over as one piece: files that are written one after the other and appear together, or not at all."""

from collections.abc import Callable
from typing import Protocol

from interlock.ports.shelf import Shelf


class Parcel(Protocol):
    """A folder or an archive in the making. Every method raises StoreError where it cannot be written."""

    @property
    def shelf(self) -> Shelf:
        """Where the log's files are put."""
        ...

    def add(self, name: str, data: bytes) -> None:
        """Add `data` to the end of the file `name`, which begins empty. Few names are written to at once."""
        ...

    def put(self, name: str, data: bytes) -> None:
        """Write the file `name`, all of it."""
        ...

    def seal(self, signed: Callable[[bytes], bytes]) -> None:
        """Write MANIFEST (the SHA-256 of every file, as `sha256sum` writes it) and what `signed` gives of it as MANIFEST.sig, and
        let everything appear, durable."""
        ...

    def abandon(self) -> None:
        """Leave nothing behind. After `seal` it does nothing."""
        ...
