"""What a witness needs: a memory of what it cosigned, and a key of its own."""

from collections.abc import Sequence
from typing import Protocol

from interlock.domain.cosignature import CosignerKey
from interlock.domain.note import Checkpoint, VerifierKey


class Memory(Protocol):
    """What a witness has seen. Whatever it was told survives the loss of power."""

    def log_keys(self, origin: str) -> Sequence[VerifierKey]:
        """The keys that are trusted for the log of this name; none for a log that is not known."""
        ...

    def latest(self, origin: str) -> Checkpoint | None:
        """The checkpoint cosigned last, or None."""
        ...

    def advance(self, before: Checkpoint | None, after: Checkpoint, note: bytes, at_s: int) -> bool:
        """Remember that `after` is what was cosigned last, if `before` still is; False, and nothing happens, if not.

        Once it returned, every process that shares this memory sees it, also after a crash.
        """
        ...

    def keep(self, note: bytes, beside: bytes, why: str, at_s: int) -> None:
        """Keep a note that a known log signed, with the one it was not shown to continue. What proves a fork (`FORKED`) has
        room of its own: anybody can send a log's true checkpoints with a bad proof, and fill the rest."""
        ...

    def note(self, origin: str) -> bytes:
        """The note cosigned last; empty where there was none."""
        ...


class Cosigner(Protocol):
    """Signs checkpoints as others' cosigner."""

    @property
    def key(self) -> CosignerKey:
        """The public key."""
        ...

    def cosign(self, checkpoint: Checkpoint, at_s: int) -> bytes:
        """The signature line, with its newline."""
        ...
