"""What turns facts into signed leaves and heads into signed checkpoints."""

from typing import Protocol

from interlock.domain.evidence import Entry, Fact, Position
from interlock.domain.ids import StreamId


class Sealer(Protocol):
    """Holds the keys. Called only from the one place that appends, one call at a time."""

    @property
    def stream(self) -> StreamId:
        """The stream of this process's run."""
        ...

    @property
    def log_key(self) -> str:
        """The log's public key as a vkey: a store whose log is at another refuses this sealer."""
        ...

    @property
    def gate_key(self) -> str:
        """The public key that entries are signed with, as a vkey. The same holds for it."""
        ...

    @property
    def identity_key(self) -> str | None:
        """The public key that this process signs credentials with, as a vkey; None where it signs none. The same holds for it."""
        ...

    def introduction(self, at: int) -> Fact | None:
        """What the first entry of a new log says of its keys; None where nothing is to be said of them."""
        ...

    def opening(self, at: int) -> Fact | None:
        """What the first entry of this stream says of the run; None where nothing is to be said of runs."""
        ...

    def closing(self, entries: int) -> Fact | None:
        """What its last entry says, the `entries`th; None as above."""
        ...

    def seal(self, fact: Fact, index: int, position: Position) -> Entry:
        """The signed leaf of `fact`, to stand at `index`. Raises KeyFileError when it cannot sign."""
        ...

    def checkpoint(self, size: int, root: bytes) -> str:
        """The signed note over the log's head."""
        ...
