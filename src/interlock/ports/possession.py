"""The key of one running instance of an agent's program."""

from typing import Protocol


class Possession(Protocol):
    """Made when the program starts, kept in its memory, never written anywhere."""

    @property
    def public(self) -> bytes:
        """32 bytes, Ed25519."""
        ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        ...
