"""Access tokens of others, and proofs of possession, as far as a signature can tell."""

from typing import NamedTuple, Protocol

from interlock.domain.access_token import AccessClaims, AccessIssuer
from interlock.domain.dpop import Held


class Signed(NamedTuple):
    """A token that an issuer of interlock.yaml signed. What it says was not held against anything yet."""

    issuer: AccessIssuer
    claims: AccessClaims
    other: dict[str, object]
    """All that it says."""


class AccessTokens(Protocol):
    """Reads them."""

    async def signed(self, token: str, *, now: int) -> Signed:
        """A token, once its form, its type and its algorithm are those that interlock.yaml takes, and a key that its issuer
        publishes is found to have signed it. Raises NotAllowed for any other, quoting nothing of it; EffectorError where the keys
        cannot be had: then nobody knows, and nobody is let in."""
        ...

    def held(self, proof: str) -> Held:
        """A proof, once the key in it is found to have signed it. Raises NotAllowed."""
        ...
