"""Who signs in the name of this installation."""

from typing import Protocol

from interlock.domain.note import VerifierKey


class Signer(Protocol):
    """A private key at hand."""

    @property
    def verifier(self) -> VerifierKey:
        """What others check its signatures with."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of an Ed25519 signature."""
        ...
