"""Public keys as JOSE writes them, and their thumbprints, by which instances and holders of tokens are known.

Only Ed25519 (RFC 8037 section 2) and only the three members a thumbprint is made of: a key that said more, such as a place
to fetch another from or a private part, is none of ours.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from typing import Final, Literal

import msgspec

KEY_BYTES: Final = 32
THUMBPRINT_URI: Final = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:"
"""RFC 9278 section 3."""


class Jwk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An Ed25519 public key. Raises ValueError when built of anything else."""

    crv: Literal["Ed25519"]
    kty: Literal["OKP"]
    x: str
    """The 32 bytes, base64url without padding in its one spelling."""

    def __post_init__(self) -> None:
        if len(self.x) != 43 or b64(unb64(self.x)) != self.x:
            raise ValueError("the key is not 32 bytes in base64url")

    @property
    def public(self) -> bytes:
        """The 32 bytes of the key."""
        return unb64(self.x)

    @property
    def thumbprint(self) -> str:
        """Its name: SHA-256 over its three members (RFC 7638), in base64url."""
        return b64(sha256(b'{"crv":"Ed25519","kty":"OKP","x":"%b"}' % self.x.encode()).digest())


class Confirmation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `cnf` of a credential or token (RFC 7800): whose key must prove its possession."""

    jwk: Jwk


def jwk(public: bytes) -> Jwk:
    """A public key of 32 bytes."""
    if len(public) != KEY_BYTES:
        raise ValueError(f"an Ed25519 key is {KEY_BYTES} bytes long, not {len(public)}")
    return Jwk(crv="Ed25519", kty="OKP", x=b64(public))


def is_thumbprint(text: str) -> bool:
    """Whether `text` is in the form of a thumbprint: 32 bytes in base64url, in its one spelling."""
    try:
        return len(text) == 43 and b64(unb64(text)) == text
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def thumbprint(public: bytes) -> str:
    """The RFC 7638 thumbprint of a public key of 32 bytes, in base64url: 43 characters."""
    return jwk(public).thumbprint


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of base64url without padding. Raises ValueError."""
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except UnicodeEncodeError:
        raise ValueError("not base64url") from None
