"""One part of an erasure, inside the writer's transaction; and erasures carried out again when a store is opened.

1. The part's records are stripped, the clear texts of their entries go, and an entry says so: one transaction.
   *A crash before it leaves everything, after it what is left is the next step.*
2. The keys are destroyed in the vault. *A crash before it: whoever opens the store next finds an erasure in the log that
   the vault has not carried out.*
3. The key over the keys is exchanged (`Vault.renew`). *A crash before it: whoever opens the vault next does it.*

A vault that was restored from before an erasure has keys again that the log says are gone: they go before anything is read.
Only where the gate signed that they are gone: whoever can write the store's file and holds no key destroys none.
A store that was restored from before one has rows again whose keys the vault knows to be gone: they are stripped, and an
entry says it again. All such parts are looked for in one reading, and which were looked for is remembered: a vault that
several tenants share knows of erasures that are none of this one's.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from interlock.adapters.filing import record_of, text_of, withheld
from interlock.adapters.keys import verify
from interlock.adapters.sqlite import log
from interlock.adapters.sqlite import statements as sql
from interlock.adapters.sqlite.connection import Connection
from interlock.adapters.sqlite.pen import Pen, Unit
from interlock.adapters.sqlite.saving import Transaction, Work, must_be_at
from interlock.adapters.sqlite.veil import Place, Veil, key_of
from interlock.domain.action import Action
from interlock.domain.agent_key import AgentKey
from interlock.domain.agent_state import AgentWords
from interlock.domain.api_key import ApiKey
from interlock.domain.change import Unchanged
from interlock.domain.control import BrakeWords
from interlock.domain.erasing import Erasure, LegalHold, Part, erased_fact
from interlock.domain.erasure import Shred, erased, keys_as_text, ranges_of
from interlock.domain.errors import Conflict, IntegrityError
from interlock.domain.evidence import Entry
from interlock.domain.ids import ErasureId
from interlock.domain.keyring import Keyring, keyid
from interlock.domain.login import Login
from interlock.domain.losing import Loss
from interlock.domain.note import parse_vkey
from interlock.domain.publication import Publication
from interlock.domain.record import Record
from interlock.domain.recording import named_in_entries
from interlock.domain.statement import shred_said, stated
from interlock.domain.task import Task
from interlock.domain.testimony import Reader
from interlock.domain.unwind import Unwind
from interlock.ports.sealer import Sealer

KINDS: Final[dict[str, type[Record]]] = {
    kind.kind: kind
    for kind in (
        Action,
        Task,
        Publication,
        Unwind,
        Erasure,
        LegalHold,
        BrakeWords,
        AgentWords,
        Loss,
        Login,
        ApiKey,
        AgentKey,
    )
}
"""What can be erased."""

_HOLDS: Final = "SELECT coalesce(sum(revision), 0) FROM document WHERE tenant = ? AND kind = ?"

# Only for a store that was restored: every row is read.
_SEALED_ROWS: Final = (
    "SELECT 'action', id, revision, substr(sealed, 2, 8) FROM action WHERE tenant = ? AND sealed IS NOT NULL"
    " UNION ALL SELECT kind, key, revision, substr(sealed, 2, 8) FROM document WHERE tenant = ? AND sealed IS NOT NULL"
)
# Not a record of anybody's: lost or altered, everything is looked for once more.
_LOOKED: Final = "SELECT body FROM document WHERE tenant = ? AND kind = 'looked' AND key = ''"
_LOOK: Final = (
    "INSERT INTO document (tenant, kind, key, revision, body) VALUES (?, 'looked', '', 1, ?)"
    " ON CONFLICT (tenant, kind, key) DO UPDATE SET revision = revision + 1, body = excluded.body"
)
_DIGITS: Final = 9
SEALED_ENTRIES: Final = "SELECT place, substr(sealed, 2, 8), idx FROM entry WHERE tenant = ? AND sealed IS NOT NULL"


class Done(NamedTuple):
    """What a part destroyed, and where its entry stands."""

    shred: Shred
    at: int


class Erasing(NamedTuple):
    """A part, ready to be carried out. `again` are keys that were destroyed before, on a store restored from before that."""

    part: Part
    again: tuple[int, ...] = ()

    def into(self, transaction: Transaction) -> Done:
        """Strip, and say so."""
        keys, covered, actions = set(self.again), list[int](), 0
        if self.part.holds is not None:
            heeded = transaction.connection.execute(_HOLDS, (transaction.tenant, LegalHold.kind)).get
            if heeded != self.part.holds:
                raise Conflict("a hold was placed or lifted meanwhile", kind=LegalHold.kind, key="")
        for each in self.part.records:
            must_be_at(transaction, each.kind, each.key, each.revision)
            found = _strip(transaction, (each.kind, each.key), self.part.observed_at)
            keys |= found[0]
            covered += found[1]
            actions += each.kind == Action.kind
        # What stands in the log under one of these keys and was not found by its record: entries of facts without one.
        covered += _strip_entries(transaction, keys)
        fact = erased_fact(
            self.part,
            keys=keys_as_text(keys),
            covers=ranges_of(covered),
            actions=actions,
            restored=bool(self.again),
        )
        transaction.seal((fact,), ())
        transaction.known.forget_unit()
        index = transaction.draft.last()
        return Done(Shred(erasure=self.part.erasure, part=self.part.number, keys=tuple(sorted(keys))), index)


def _strip(transaction: Transaction, place: Place, now: int) -> tuple[set[int], list[int]]:
    """Strip a row and the entries of its facts. The numbers of the keys they needed, and the indexes of the entries."""
    connection, tenant = transaction.connection, transaction.tenant
    kind, key = place
    keys, covered = set[int](), list[int]()
    if kind == Action.kind:
        row = connection.execute(sql.ACTION_ROW, (tenant, key)).fetchone()
    else:
        row = connection.execute(sql.DOCUMENT_ROW, (tenant, kind, key)).fetchone()
    if row is None:
        return keys, covered
    body, sealed = row
    number = key_of(sealed)
    keys |= {number} if number is not None else set()
    record = record_of(KINDS[kind], body if sealed is None else withheld(kind, body.encode(), "erased"), key)
    after = erased(record, now).saved()
    if kind == Action.kind:
        connection.execute(sql.STRIP_ACTION, (after.revision, text_of(after), tenant, key))
        for at, index, text in connection.execute(sql.ENTRIES_TO_STRIP, (tenant, key)).fetchall():
            number = key_of(text)
            keys |= {number} if number is not None else set()
            covered.append(index)
            connection.execute(sql.STRIP_ENTRY, (at,))
        return keys, covered
    connection.execute(sql.STRIP_DOCUMENT, (after.revision, text_of(after), tenant, kind, key))
    if kind == LegalHold.kind:
        for at, index, text, leaf in connection.execute(sql.ENTRIES_OF_HOLDS, (tenant,)).fetchall():
            if names(leaf, key):
                number = key_of(text)
                keys |= {number} if number is not None else set()
                covered.append(index)
                connection.execute(sql.STRIP_ENTRY, (at,))
    return keys, covered


def names(leaf: bytes, hold: str) -> bool:
    """Whether an entry is about this hold."""
    statement = stated(leaf)
    return statement is not None and statement.subject[0].name == named_in_entries(LegalHold.kind, hold)


def _strip_entries(transaction: Transaction, keys: Iterable[int]) -> list[int]:
    covered: list[int] = []
    for number in keys:
        rows = transaction.connection.execute(sql.ENTRIES_BY_KEY, (transaction.tenant, number.to_bytes(8, "big")))
        for at, index in rows.fetchall():
            transaction.connection.execute(sql.STRIP_ENTRY, (at,))
            covered.append(index)
    return covered


class Unknown(NamedTuple):
    """Parts that the vault has carried out and a tenant's log does not know of, as far as they were not looked for yet; and
    the word for all that will have been once these are."""

    parts: tuple[Shred, ...] = ()
    looked: str = ""


def carried_out(connection: Connection, tenant: int, veil: Veil, sealer: Sealer) -> Unknown:
    """Destroy the keys that the log says are gone, where the vault still has them; and give the parts that the vault has
    carried out and the log does not know of.

    Raises IntegrityError, having destroyed nothing, where the gate of `sealer` did not sign what would have to go.
    """
    vault = veil.vault
    if vault is None:
        return Unknown()
    shreds = vault.shreds()
    known = {(each.erasure, each.part): frozenset(each.keys) for each in shreds}
    told, missing = dict[tuple[str, int], set[int]](), dict[int, Shred]()
    for entry in log.marked(connection, tenant, ("erased",), veil):
        said = shred_said(entry.leaf)
        if said is not None:
            place = (said.erasure, said.part)
            told.setdefault(place, set()).update(said.keys)
            if place not in known or not known[place].issuperset(said.keys):
                missing[entry.index] = said
    if missing:
        marked = log.marked(connection, tenant, ("introduced", "rotated", "erased"), veil)
        unsigned = sorted(missing.keys() - _signed(marked, sealer))
        if unsigned:
            raise IntegrityError(
                f"entry {unsigned[0]} says that keys were destroyed, and the gate of this log did not sign it: none was",
                next_step="something else wrote to the store: keep its file, and restore a backup",
            )
        for each in missing.values():
            vault.shred(each)
        vault.renew()
    unlooked = shreds[_looked(connection, tenant, shreds) :]
    left = [msgspec.structs.replace(each, keys=_untold(each, told)) for each in unlooked]
    return Unknown(tuple(each for each in left if each.keys), _word(shreds))


def _untold(shred: Shred, told: Mapping[tuple[str, int], Set[int]]) -> tuple[int, ...]:
    return tuple(number for number in shred.keys if number not in told.get((shred.erasure, shred.part), ()))


def _word(shreds: Sequence[Shred]) -> str:
    """How many parts there are, and a digest of which: of a vault that was put back it is another."""
    hashed = sha256()
    for each in shreds:
        hashed.update(msgspec.json.encode((each.erasure, each.part, keys_as_text(each.keys))) + b"\n")
    return f"{len(shreds)} {hashed.hexdigest()}"


def _looked(connection: Connection, tenant: int, shreds: Sequence[Shred]) -> int:
    """How many of them, from the first on, were looked for in this store before."""
    word = str(connection.execute(_LOOKED, (tenant,)).get or "")
    count = word.partition(" ")[0]
    if not count.isdecimal() or len(count) > _DIGITS or int(count) > len(shreds):
        return 0
    return int(count) if _word(shreds[: int(count)]) == word else 0


def _signed(marked: Sequence[Entry], sealer: Sealer) -> set[int]:
    """Those of the entries that a key of the gate signed which `sealer` holds, or which was replaced on the way to it."""
    ours = parse_vkey(sealer.gate_key)
    reader = Reader(Keyring(parse_vkey(sealer.log_key), (ours,), verify), verify)
    signed = {entry.index for entry in marked if reader.read(entry).signatures}
    at = reader.ring.gate(keyid(ours))
    return signed if at is not None and at.key == ours and at.last is None else set()


def carry_out_again(pen: Pen, connection: Connection, tenant: int, unknown: Unknown, now: int) -> None:
    """Strip what a store that was restored from before these parts still has under their keys, and say so again."""
    if not unknown.parts:
        return
    wanted = {key.to_bytes(8, "big"): n for n, shred in enumerate(unknown.parts) for key in shred.keys}
    records: dict[int, list[Unchanged]] = {}
    for kind, key, revision, sealed in connection.execute(_SEALED_ROWS, (tenant, tenant)):
        if sealed in wanted:
            records.setdefault(wanted[sealed], []).append(Unchanged(kind, key, revision))
    entries = {wanted[sealed] for _, sealed, _ in connection.execute(SEALED_ENTRIES, (tenant,)) if sealed in wanted}
    for n in sorted(entries.union(records)):
        part = Part(
            erasure=ErasureId(unknown.parts[n].erasure),
            number=unknown.parts[n].part,
            basis="again",
            records=tuple(records.get(n, ())),
            consents=0,
            observed_at=now,
        )
        _written(pen, Erasing(part, unknown.parts[n].keys).into)
    _written(pen, lambda transaction: transaction.connection.execute(_LOOK, (tenant, unknown.looked)))


def _written(pen: Pen, work: Work) -> None:
    unit = Unit(work)
    pen.write((unit,))
    if unit.error is not None:
        raise unit.error
