"""Where files are put for others to read: a folder, an archive, one day a bucket."""

from typing import Protocol


class Shelf(Protocol):
    """Files by name, such as `tile/0/x001/234`: words of ASCII letters, digits, `.`, `_` and `-`, parted by slashes.

    Every method raises ContractError for another name, and StoreError where the place cannot be read or written.
    """

    @property
    def place(self) -> str:
        """What a person calls it: its path."""
        ...

    async def read(self, name: str, *, limit: int) -> bytes | None:
        """The file, or None where there is none. IntegrityError where it is longer than `limit` bytes."""
        ...

    async def put(self, name: str, data: bytes) -> bool:
        """Put a file that never changes, whole or not at all. False if exactly it was there already.

        IntegrityError where another one has the name, which stays. It is durable once a `swap` after it has returned.
        """
        ...

    async def swap(self, name: str, data: bytes, *, given: bytes | None) -> None:
        """Put the one kind of file that changes, if it is still `given` (None: not there). Conflict otherwise.

        What was put before is durable before anybody can read it, and it is durable once this returns.
        """
        ...

    async def clear(self, folder: str) -> None:
        """Take away `folder` with all files in it, if it is there. An archive keeps what was put."""
        ...
