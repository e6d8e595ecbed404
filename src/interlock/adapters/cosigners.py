"""What checks a cosignature: Ed25519 by libsodium, ML-DSA-44 by `cryptography` (`interlock[pq]`) where that is installed."""

from functools import cache
from importlib import import_module
from typing import Any

from interlock.adapters.keys import verify
from interlock.domain.cosignature import COSIGNER, MLDSA44, CosignerKey


def check_cosigner(key: CosignerKey, message: bytes, signature: bytes) -> bool:
    """Whether `key` has signed. A kind that nothing here can check was not signed, as far as we know."""
    if key.kind == COSIGNER:
        return verify(key.public, message, signature)
    if key.kind != MLDSA44:
        return False
    checker = _mldsa()
    return checker is not None and bool(checker(key.public, message, signature))


def can_check(kind: int) -> bool:
    """Whether signatures of this kind can be checked here."""
    return kind == COSIGNER or (kind == MLDSA44 and _mldsa() is not None)


@cache
def _mldsa() -> Any:
    try:
        return import_module("interlock.adapters.mldsa").verify_mldsa44
    except ImportError:
        return None
