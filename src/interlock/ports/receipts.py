"""Receipts: what programs that know other formats are given, signed with the log's key."""

from collections.abc import Sequence
from typing import Protocol


class Receipts(Protocol):
    """Signs with the log's key."""

    def receipt(self, index: int, size: int, path: Sequence[bytes], root: bytes) -> bytes:
        """A COSE receipt (RFC 9942) that entry `index` is in the log's tree of `size` entries with this root."""
        ...

    def envelope(self, payload: bytes) -> bytes:
        """The DSSE envelope around an in-toto Statement."""
        ...
