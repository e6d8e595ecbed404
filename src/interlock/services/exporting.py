"""The evidence as one piece that an auditor opens without us.

1. The log's files are put, up to one checkpoint, and held against its root (`showing`).
2. The entries are read once to know the actions, and which of them are asked for.
3. They are read again: clear texts, records and lists are written as they pass.
4. Everything appears together, with the digest of every file, and the gate's signature over these.

Memory grows with the actions asked for, not with the log. A crash before step 4 leaves nothing in the place.
"""

from base64 import b64decode
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Final

import msgspec

from interlock.domain.account import Account, Told, account_of, line, told, within
from interlock.domain.audit_record import AuditRecord
from interlock.domain.disclosure import DisclosureError
from interlock.domain.disclosure import parse as parse_disclosure
from interlock.domain.erasure import numbers_in
from interlock.domain.errors import KeyFileError, NotFound
from interlock.domain.evidence import Entry
from interlock.domain.export import Exported, Wish, about, readme, sealed_text
from interlock.domain.merkle import inclusion_proof
from interlock.domain.note import Checkpoint, parse_checkpoint, parse_note, signature_line
from interlock.domain.requirement import Listing
from interlock.domain.trail_record import Chain
from interlock.ports.log import Log
from interlock.ports.parcel import Parcel
from interlock.ports.receipts import Receipts
from interlock.ports.signer import Signer
from interlock.services.audit import Verifying
from interlock.services.inclusion import from_tiles
from interlock.services.showing import publish_log

PAGE: Final = 256
_EXPLAINING: Final = (("erasure", "erased"), ("loss", "acknowledged"))
Progress = Callable[[int, int], None]


class Enclosed(msgspec.Struct, frozen=True, kw_only=True):
    """What is put into every export as it is."""

    verifier: bytes
    """The stand-alone verifier's text."""
    version: str
    policy: str = ""
    """The operator's policy of witnesses, in the syntax of C2SP tlog-policy."""


async def export(
    log: Log,
    parcel: Parcel,
    wish: Wish,
    *,
    keys: Verifying,
    gate: Signer,
    enclosed: Enclosed,
    place: str,
    now: int,
    receipts: Receipts | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Fill `parcel` with what `wish` asks for, up to the log's head, and seal it with the signature of `gate`.

    Raises NotFound where the log is empty or an action that was asked for is not in it, IntegrityError where the log does
    not agree with its checkpoint, KeyFileError where `gate` is not the key that is in force there, and StoreError.
    """
    note = await log.head()
    if note is None:
        raise NotFound("the log is empty: there is nothing to export", next_step="bring something into force first")
    await publish_log(log, parcel.shelf, note=note)
    head = parse_checkpoint(parse_note(note.encode()).text)
    writing = _Writing(parcel, wish, head, keys, await _chosen(log, wish, head.size))
    async for entry in _entries(log, head.size):
        writing.take(entry)
        if receipts is not None and entry.action in writing.accounts:
            await writing.receipt(log, entry, receipts)
        if progress is not None and entry.index % PAGE == 0:
            progress(entry.index, head.size)
    if receipts is not None:
        writing.records(receipts, now)
    writing.finish(enclosed, now)
    parcel.seal(writing.sealed(gate))
    return Exported(
        place=place,
        origin=head.origin,
        size=head.size,
        root=head.root.hex(),
        actions=len(writing.accounts),
        disclosures=writing.disclosures,
        receipts=writing.receipts,
        lost=len(writing.bare - writing.explained),
    )


async def _entries(log: Log, size: int) -> AsyncGenerator[Entry]:
    for start in range(0, size, PAGE):
        for entry in await log.entries(start, min(start + PAGE, size)):
            yield entry


async def _chosen(log: Log, wish: Wish, size: int) -> dict[str, Account]:
    """The actions that are asked for, in the order in which they begin."""
    known: dict[str, Account] = {}
    wanted = wish.selection.actions
    async for entry in _entries(log, size):
        if entry.action is None or (wanted and entry.action not in wanted):
            continue
        said = told(entry.index, entry.leaf)
        if said is not None and said.action:
            before = known.get(said.action)
            known[said.action] = account_of(said) if before is None else before.with_(said)
    for missing in sorted(wanted - known.keys()):
        raise NotFound(f"the log has no entry of action `{missing}`")
    return {name: each for name, each in known.items() if wish.selection.takes(each)}


class _Writing:
    """The readable files, as the entries pass."""

    def __init__(
        self, parcel: Parcel, wish: Wish, head: Checkpoint, keys: Verifying, accounts: dict[str, Account]
    ) -> None:
        self.accounts = accounts
        self.disclosures = self.receipts = 0
        self.bare, self.explained = set[int](), set[int]()
        """Entries whose clear texts are gone, and those of which an erasure or two persons say so."""
        self._parcel, self._wish, self._head = parcel, wish, head
        self._listings = [Listing(each) for each in wish.profiles]
        self._audited: dict[str, AuditRecord] = {}
        self._chain = Chain()
        self._log_keys = [keys.log_key.vkey()]
        self._gate_keys = [each.vkey() for each in keys.gate_keys]
        self._introduced = False
        for name in ("actions.jsonl", "disclosures.jsonl", "records.jsonl"):
            parcel.add(name, b"")

    def take(self, entry: Entry) -> None:
        """Write what belongs to one entry."""
        said = told(entry.index, entry.leaf)
        if said is None:
            return
        if said.subject == "key":
            self._key(said)
        elif said.subject == "anchor":
            self._anchor(said)
        elif (said.subject, said.phase) in _EXPLAINING:
            with suppress(ValueError):  # it does not verify, and the verifier says so
                self.explained.update(numbers_in(str(said.predicate.get("covers", "")), entry.index))
        if said.commitments and not entry.disclosures and not entry.sealed:
            self.bare.add(entry.index)
        if not self._asked(said):
            return
        if said.action:
            self._parcel.add("records.jsonl", self._chain.record(said))
            if self._wish.receipts:
                self._audit(said, entry.leaf)
        for listing in self._listings:
            listing.take(said)
        if entry.sealed and self._wish.disclosed != ():
            raise KeyFileError(
                f"the clear texts of entry {entry.index} are sealed with keys that are not here",
                next_step="export where the vault of keys is, or without `--disclose`",
            )
        for text in entry.disclosures:
            if self._may_see(text):
                self._parcel.add("disclosures.jsonl", line({"index": entry.index, "disclosure": text}))
                self.disclosures += 1

    async def receipt(self, log: Log, entry: Entry, receipts: Receipts) -> None:
        """Write what proves an entry to programs that know COSE, beside its leaf."""
        head, index = self._head, entry.index
        path = await from_tiles(log, head.size, lambda tree: inclusion_proof(index, head.size, tree))
        self._parcel.put(f"receipts/{index}.cose", receipts.receipt(index, head.size, path, head.root))
        self._parcel.put(f"receipts/{index}.json", entry.leaf)
        self.receipts += 1

    def records(self, receipts: Receipts, now: int) -> None:
        """Write each action as one agent audit record, under the index of its first entry."""
        for action, record in self._audited.items():
            first = self.accounts[action].entries[0]
            payload = record.payload(self._head.origin, now)
            self._parcel.put(f"receipts/{first}.dsse", receipts.envelope(payload))

    def finish(self, enclosed: Enclosed, now: int) -> None:
        """Write what is about the whole."""
        add, count = self._parcel.put, len(self.accounts)
        for account in self.accounts.values():
            self._parcel.add("actions.jsonl", line(account))
        for listing in self._listings:
            add(f"lists/{listing.profile}.md", listing.markdown(self._head.origin, self._head.size).encode())
            add(f"lists/{listing.profile}.csv", listing.table().encode())
        add("keys/log", "".join(f"{each}\n" for each in self._log_keys).encode())
        add("keys/gate", "".join(f"{each}\n" for each in self._gate_keys).encode())
        if enclosed.policy:
            add("policy", enclosed.policy.encode())
        add("verify.py", enclosed.verifier)
        add("export.json", about(self._wish, self._head, made_at=now, actions=count, version=enclosed.version))
        add("README.md", readme(self._wish, self._head, made_at=now, actions=count))

    def sealed(self, gate: Signer) -> Callable[[bytes], bytes]:
        """What signs MANIFEST in the gate's name. KeyFileError where its key is not the one that is in force in the log."""
        key = gate.verifier
        if key.vkey() not in (self._gate_keys[-1:] if self._introduced else self._gate_keys):
            raise KeyFileError(
                "an export is signed with the gate's key, and the one here is not the one in force at the end of the log",
                next_step="if keys were just rotated, export again; if that was interrupted: `interlock keys recover`",
            )

        def signed(manifest: bytes) -> bytes:
            text = sealed_text(self._head, manifest)
            return text + b"\n" + signature_line(key.name, key.key_id(), gate.sign(text))

        return signed

    def _audit(self, said: Told, leaf: bytes) -> None:
        known = self._audited.get(said.action)
        if known is None:
            self._audited[said.action] = AuditRecord(said, leaf)
        else:
            known.take(said, leaf)

    def _asked(self, said: Told) -> bool:
        """What is about no action goes along if nothing but a time was asked for."""
        if said.action:
            return said.action in self.accounts
        chosen = self._wish.selection
        return not chosen.agent and not chosen.actions and chosen.within(said.at, said.at)

    def _may_see(self, text: str) -> bool:
        if self._wish.disclosed is None:
            return True
        try:
            return parse_disclosure(text).name in self._wish.disclosed
        except DisclosureError:
            return False

    def _key(self, said: Told) -> None:
        """The keys as the log says them, from the first on."""
        body = said.predicate
        if said.phase == "introduced":
            self._log_keys, self._gate_keys = [str(within(body, "log"))], [str(within(body, "gate"))]
            self._introduced = True
        elif said.phase == "rotated":
            role = within(body, "role")
            if role != "identity":  # whose keys nobody needs to verify a log
                (self._log_keys if role == "log" else self._gate_keys).append(str(within(body, "key")))

    def _anchor(self, said: Told) -> None:
        note, stamp = within(said.predicate, "checkpoint"), within(said.predicate, "timestamp")
        if note:
            self._parcel.put(f"anchors/{said.entry}.checkpoint", str(note).encode())
        if stamp:
            try:
                self._parcel.put(f"anchors/{said.entry}.tsr", b64decode(str(stamp), validate=True))
            except ValueError:
                return  # the entry itself is in the log for whoever wonders
