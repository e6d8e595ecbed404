"""Who signs the credentials of a control plane, and how signatures are looked at."""

from collections.abc import Mapping
from typing import Protocol


class Issuer(Protocol):
    """The `identity` key of an installation."""

    @property
    def trust_domain(self) -> str:
        """Within which agents are named."""
        ...

    @property
    def kid(self) -> str:
        """How credentials name the key they are signed with."""
        ...

    def keys(self) -> Mapping[str, bytes]:
        """The public keys whose credentials count, by how these name them."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature by the key in force."""
        ...

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Whether they belong together (Ed25519). Raises for nothing."""
        ...
