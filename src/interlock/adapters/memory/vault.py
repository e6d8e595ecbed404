"""The vault in memory: what was sealed with it is lost with it."""

import os
import secrets

import msgspec

from interlock.adapters.sealing import AtHand, lock, number_in, unlock
from interlock.domain.erasure import Shred
from interlock.domain.errors import KeyFileError
from interlock.domain.keytree import (
    BLOCK_BITS,
    PER_BLOCK,
    SECRET_BYTES,
    Cover,
    block_of,
    number_of,
    place_in,
    whole,
    without,
)


class MemoryVault:
    """See `Vault`. For tests, and for what is to be forgotten with the process."""

    def __init__(self) -> None:
        self._id = secrets.token_hex(8)
        self._blocks: dict[int, Cover] = {}
        self._marks: dict[str, str] = {}
        self._shreds: list[Shred] = []
        self._at_hand = AtHand(self._blocks.get)
        self._block = 0
        self._used = PER_BLOCK

    def begin(self, vault: str | None) -> str:
        """See `Vault.begin`."""
        if vault not in (None, self._id):
            raise KeyFileError(f"this is the vault `{self._id}`, not `{vault}`")
        return self._id

    def fresh(self) -> int:
        """See `Vault.fresh`."""
        if self._used == PER_BLOCK:
            self._block, self._used = secrets.randbits(BLOCK_BITS), 0
            self._blocks[self._block] = whole(os.urandom(SECRET_BYTES))
        self._used += 1
        return number_of(self._block, self._used - 1)

    def seal(self, number: int, about: bytes, text: bytes) -> bytes:
        """See `Vault.seal`."""
        return lock(self._at_hand.key(number), number, about, text)

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """See `Vault.open`."""
        return unlock(self._at_hand.key(number_in(sealed)), sealed, about)

    def mark(self, text: str) -> str:
        """See `Vault.mark`."""
        return self._marks.setdefault(text, secrets.token_hex(32))

    def shred(self, shred: Shred) -> None:
        """See `Vault.shred`."""
        before = {(each.erasure, each.part): each for each in self._shreds}
        place = (shred.erasure, shred.part)
        gone = set(before[place].keys) if place in before else set[int]()
        if place in before and gone.issuperset(shred.keys):
            return
        for number in set(shred.keys) - gone:
            cover = self._blocks.get(block_of(number))
            if cover is not None:
                self._blocks[block_of(number)] = without(cover, (place_in(number),))
        before[place] = msgspec.structs.replace(shred, keys=tuple(sorted(gone.union(shred.keys))))
        self._shreds = list(before.values())
        self._at_hand.forget()
        self._used = PER_BLOCK

    def shreds(self) -> list[Shred]:
        """See `Vault.shreds`."""
        return list(self._shreds)

    def renew(self) -> None:
        """See `Vault.renew`. There are no copies of it."""

    def close(self) -> None:
        """See `Vault.close`."""
