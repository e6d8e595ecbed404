"""What is private in one tenant's rows: sealed as it is written, opened as it is read.

A row of a record keeps its public part as text and the rest sealed; an entry keeps its leaf, and its clear texts sealed. One
key is for everything about one record: its row, and the entries of its facts. Other entries have a key each.

Without a vault nothing is sealed (a store on its own, in a test or a measurement), and what was sealed is withheld.
"""

from typing import Final, cast

from interlock.adapters.filing import Cut, Filed, joined, withheld
from interlock.adapters.sealing import number_in
from interlock.adapters.sqlite.connection import Value
from interlock.domain.erasure import PUBLIC
from interlock.domain.errors import IllegalMove, KeyGone
from interlock.domain.ids import Tenant
from interlock.domain.record import Withheld
from interlock.ports.vault import Vault

Place = tuple[str, str]
"""Kind and key of a record."""

_KEPT: Final = 8192


class Veil:
    """Of one tenant, in one process."""

    def __init__(self, tenant: Tenant, vault: Vault | None, *, looking: bool = False) -> None:
        self._tenant = tenant.encode()
        self._looking = looking
        self.vault = vault
        self._numbers: dict[Place, int] = {}
        self.lost: frozenset[str] = frozenset()
        """Actions that were due and could not be read, since their keys are not in the vault."""

    def destroyed(self, sealed: bytes) -> bool:
        """Whether the vault knows of an erasure that destroyed the key of this. Whoever writes has carried all of them out;
        whoever only looks may have an older copy of the store before it."""
        number = key_of(sealed)
        return self.vault is not None and any(number in each.keys for each in self.vault.shreds())

    def known(self, place: Place) -> int | None:
        """The number of the key of a record's row, where this process wrote or read it."""
        return self._numbers.get(place)

    def remember(self, place: Place, number: int) -> None:
        """The row of this record is sealed under the key `number`."""
        if len(self._numbers) >= _KEPT:
            self._numbers.clear()
        self._numbers[place] = number

    def row(self, put: Filed, number: int | None) -> tuple[str, bytes | None]:
        """The public text and the sealed part of a row; without a number, a new key is taken for it."""
        vault = self.vault
        if put.cut is None or vault is None:
            return put.body, None
        place = (put.kind, put.key)
        match cast(Withheld, getattr(put.record, "withheld", "")):
            case "":
                pass
            case "erased":
                return put.body, None
            case why:  # to save it would be to lose what cannot be read here
                raise IllegalMove(f"the private part of {put.kind} `{put.key}` is {why}, so it cannot be changed")
        about, public = self._row_of(place), put.cut.public.decode()
        if number is not None:
            try:
                sealed = vault.seal(number, about, put.cut.private)
            except KeyGone:
                # Erased since it was read: its revision is another, and this will not be saved.
                pass
            else:
                self.remember(place, number)
                return public, sealed
        number = vault.fresh()
        self.remember(place, number)
        return public, vault.seal(number, about, put.cut.private)

    def text(self, place: Place, body: str, sealed: bytes | None) -> str | bytes:
        """The whole text of a row, or of what is left of it."""
        if sealed is None:
            return body
        public = body.encode()
        if self.vault is None:
            return withheld(place[0], public, "sealed")
        try:
            private = self.vault.open(sealed, self._row_of(place))
        except KeyGone:
            return withheld(place[0], public, "erased" if self._looking and self.destroyed(sealed) else "lost")
        self.remember(place, number_in(sealed))
        return joined(public, private)

    def clear(self, vault: Vault, put: Cut, place: Place, number: int) -> tuple[str, bytes]:
        """As `row`, of a row that stood in the clear, sealed by `vault`."""
        return put.public.decode(), vault.seal(number, self._row_of(place), put.private)

    def entry(self, leaf_hash: bytes, disclosures: tuple[str, ...], number: int) -> tuple[str | None, bytes | None]:
        """The clear and the sealed texts of an entry: one of them is None."""
        if not disclosures:
            return None, None
        text = "\n".join(disclosures)
        if self.vault is None:
            return text, None
        return None, self.vault.seal(number, self._entry_of(leaf_hash), text.encode())

    def disclosures(
        self, leaf_hash: bytes, disclosed: str | None, sealed: bytes | None
    ) -> tuple[tuple[str, ...], bool]:
        """An entry's clear texts, as far as they can be read; and whether they are there but their keys are not here.

        What somebody laid in the clear beside what is sealed is given too: verification is to see it.
        """
        texts = tuple(disclosed.split("\n")) if disclosed else ()
        if sealed is None:
            return texts, False
        if self.vault is None:
            return texts, True
        try:
            return (*texts, *self.vault.open(sealed, self._entry_of(leaf_hash)).decode().split("\n")), False
        except (KeyGone, UnicodeDecodeError):
            return texts, False

    def key_column(self, agent: str, key: str) -> str:
        """An idempotency key as its column has it."""
        return key if self.vault is None else self.vault.mark(f"key {self._tenant.hex()} {agent} {key}")

    def fingerprint_column(self, fingerprint: str) -> str:
        """A fingerprint as its column has it."""
        if self.vault is None or not fingerprint:
            return fingerprint
        return self.vault.mark(f"fingerprint {self._tenant.hex()} {fingerprint}")

    def _row_of(self, place: Place) -> bytes:
        kind, key = place
        return b"row\0%b\0%b\0%b" % (self._tenant, kind.encode(), key.encode())

    def _entry_of(self, leaf_hash: bytes) -> bytes:
        return b"entry\0%b\0%b" % (self._tenant, leaf_hash)


def has_private(kind: str) -> bool:
    """Whether records of this kind have something private."""
    return kind in PUBLIC


def key_of(sealed: Value) -> int | None:
    """The number of the key that the sealed part of a row needs."""
    if not isinstance(sealed, bytes):
        return None
    try:
        return number_in(sealed)
    except KeyGone:
        return None
