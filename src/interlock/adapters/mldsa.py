"""ML-DSA-44 (FIPS 204) by `cryptography`, an optional part of the installation (`interlock[pq]`). Loaded by its name."""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey


def verify_mldsa44(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (2,420 bytes) is that of `message` by `public` (1,312 bytes). Never raises for bad ones."""
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
