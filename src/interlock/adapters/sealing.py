"""Private values sealed under the keys of a vault: XChaCha20-Poly1305 by libsodium.

    1 byte    0x01, the form of what follows
    8 bytes   the number of the key, big-endian
    24 bytes  a random nonce
    the rest  the encrypted text and its 16-byte tag

What a text is about (its tenant, kind and key, or its leaf) is authenticated with it, so that nothing sealed can be put in
another's place. The cipher alone does not commit to its key; the salted commitments of the log do that for clear texts.
"""

import os
from collections.abc import Callable
from typing import Final

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from interlock.domain.errors import KeyGone
from interlock.domain.keytree import Cover, block_of, key_at, place_in

FORM: Final = b"\x01"
NONCE_BYTES: Final = 24
_HEAD: Final = 1 + 8
_KEPT: Final = 4096

Load = Callable[[int], Cover | None]
"""Gives what is left of a block, or None where there is no such block."""


def lock(key: bytes, number: int, about: bytes, text: bytes) -> bytes:
    """`text` sealed under the key that has this number."""
    head = FORM + number.to_bytes(8, "big")
    nonce = os.urandom(NONCE_BYTES)
    return head + nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(text, head + about, nonce, key)


def unlock(key: bytes, sealed: bytes, about: bytes) -> bytes:
    """What was sealed, or KeyGone where that is not what the bytes say."""
    head, nonce, text = sealed[:_HEAD], sealed[_HEAD : _HEAD + NONCE_BYTES], sealed[_HEAD + NONCE_BYTES :]
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(text, head + about, nonce, key)
    except (CryptoError, ValueError):
        raise KeyGone("what was sealed was altered, or is not what it is taken for") from None


def number_in(sealed: bytes) -> int:
    """The number of the key that `sealed` needs. KeyGone where it is nothing of ours."""
    if sealed[:1] != FORM or len(sealed) < _HEAD + NONCE_BYTES + 16:
        raise KeyGone("what was sealed is damaged")
    return int.from_bytes(sealed[1:_HEAD], "big")


class AtHand:
    """The keys that were derived lately, and what is left of the blocks they are of. Not for two threads."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._covers: dict[int, Cover] = {}
        self._keys: dict[int, bytes] = {}

    def key(self, number: int) -> bytes:
        """The key with this number. Raises KeyGone."""
        key = self._keys.get(number)
        if key is not None:
            return key
        block = block_of(number)
        cover = self._covers.get(block)
        if cover is None:
            found = self._load(block)
            if found is None:
                raise KeyGone("the block of its key is not in the vault")
            cover = self.keep(block, found)
        key = key_at(cover, place_in(number))
        if key is None:
            raise KeyGone("its key was erased")
        if len(self._keys) >= _KEPT:
            self._keys.clear()
        self._keys[number] = key
        return key

    def keep(self, block: int, cover: Cover) -> Cover:
        """Remember what is left of a block."""
        if len(self._covers) >= _KEPT:
            self._covers.clear()
        self._covers[block] = cover
        return cover

    def forget(self) -> None:
        """Somebody destroyed keys: nothing derived before counts."""
        self._covers.clear()
        self._keys.clear()
