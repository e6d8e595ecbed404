"""One entry of the log, read by its own bytes: what its signed Statement says, and whether anything about it is wrong.

What an entry is filed under in the store is only an index over its Statement, and its clear texts only count as far as the
Statement commits to them; each is compared, none is believed.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from interlock.domain import disclosure, dsse
from interlock.domain.canonical import CanonicalError, encode
from interlock.domain.disclosure import DisclosureError
from interlock.domain.dsse import DsseError
from interlock.domain.erasure import Shred, keys_in, numbers_in
from interlock.domain.evidence import PREDICATE_BASE, STATEMENT_TYPE, Entry
from interlock.domain.filtering import misstated
from interlock.domain.ids import ActionId, StreamId
from interlock.domain.keyring import Keyring, KeySaid
from interlock.domain.merkle import leaf_hash
from interlock.domain.note import VerifyFunction


class Place(msgspec.Struct, frozen=True):
    """Where in its stream a Statement says it stands."""

    id: str
    seq: int
    prev: str


class Times(msgspec.Struct, frozen=True, rename="camel"):
    """The times a Statement gives, as they are written."""

    observed_at: str


class Said(msgspec.Struct, frozen=True, rename="camel"):
    """The part of a Statement's predicate that verification is about."""

    phase: str
    stream: Place
    times: Times
    action_id: str | None = None
    action_seq: int | None = None
    state: object = None
    hold: msgspec.Raw = msgspec.Raw()
    """What people are asked, unread: few entries say it, and of other kinds it may mean something else."""
    approvals: msgspec.Raw = msgspec.Raw()
    walked: object = None
    """How much has come to pass of what happens while nobody answers."""
    commitments: dict[str, str] = {}
    output: object = None
    """Of an action's outcome: what was taken of the result before the agent got it."""
    instance: object = None
    """Of the first entry of an action that an agent asked for: who called, as are the next three; of an enrolment, who came."""
    credential: object = None
    attested: object = None
    proof: object = None
    token: object = None
    opens: object = None
    """Of the entry that ends an item known to be bad: what opens the mark in its first one."""
    what: object = None
    """Of an entry about who signed in: what it is about; and the next two, by what, and by which link."""
    way: object = None
    link: object = None
    agent: msgspec.Raw = msgspec.Raw()
    """Unread: an object in an action's first entry, a name in an enrolment's."""
    entries: object = None
    """In the last entry of a run: how many it recorded."""


class ErasureSaid(msgspec.Struct, frozen=True):
    """What an entry about an erasure says of what it destroyed."""

    phase: str
    part: int = 0
    keys: dict[str, str] = {}
    covers: str = ""


class _Digests(msgspec.Struct, frozen=True):
    sha256: str


class _Subject(msgspec.Struct, frozen=True):
    name: str
    digest: _Digests


class Statement(msgspec.Struct, frozen=True, rename={"kind": "_type", "predicate_type": "predicateType"}):
    """An in-toto Statement of ours, as far as it is read here."""

    kind: str
    subject: tuple[_Subject]
    predicate_type: str
    predicate: Said


class Reading(NamedTuple):
    """One entry, as its own bytes tell it: what its Statement says (None if it cannot be read), what is wrong, how many
    signatures were good, and the payload with its kind, what it is about, and when it says it was observed (UTC ms)."""

    said: Said | None
    problems: list[str]
    signatures: int
    kind: str = ""
    payload: bytes = b""
    subject: str = ""
    observed_ms: int | None = None


class _ErasureStatement(msgspec.Struct, frozen=True, rename={"kind": "predicateType"}):
    kind: str
    subject: tuple[_Subject, ...]


class _AboutErasure(msgspec.Struct, frozen=True):
    predicate: ErasureSaid


class _AboutKeys(msgspec.Struct, frozen=True):
    predicate: KeySaid


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")
_LONG: Final = re.compile(rb"[:\[,]-?[0-9]{16}")
"""Where an integer may be longer than canonical JSON lets it be."""

KEY_TYPE: Final = f"{PREDICATE_BASE}/key/v1"
ERASURE_TYPE: Final = f"{PREDICATE_BASE}/erasure/v1"
LOSS_TYPE: Final = f"{PREDICATE_BASE}/loss/v1"

_statement: Final = msgspec.json.Decoder(Statement)
_erasure_statement: Final = msgspec.json.Decoder(_ErasureStatement)
_about_erasure: Final = msgspec.json.Decoder(_AboutErasure)
_about_keys: Final = msgspec.json.Decoder(_AboutKeys)
_sorted: Final = msgspec.json.Encoder(order="sorted")


def _no_float(text: str) -> object:
    raise CanonicalError("", f"`{text[:20]}` is no whole number")


_anything: Final = msgspec.json.Decoder(float_hook=_no_float)


def key_said(leaf: bytes) -> KeySaid | None:
    """What a leaf says about keys, or None where it says nothing of them. Nothing is verified."""
    try:
        payload = dsse.parse(leaf).payload
        return _about_keys.decode(payload).predicate if _statement.decode(payload).predicate_type == KEY_TYPE else None
    except (DsseError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def covered(payload: bytes, index: int, phase: str = "erased") -> list[int]:
    """The entries before `index` whose clear texts an erasure's entry there, or with the phase `acknowledged` that of a loss,
    says are gone. ValueError where it says that of others."""
    said = _about_erasure.decode(payload).predicate
    return numbers_in(said.covers, index) if said.phase == phase else []


def shred_said(leaf: bytes) -> Shred | None:
    """The part of an erasure that a leaf says was carried out, or None. Nothing is verified."""
    try:
        payload = dsse.parse(leaf).payload
        statement = _erasure_statement.decode(payload)
        said = _about_erasure.decode(payload).predicate
        if statement.kind != ERASURE_TYPE or said.phase != "erased" or not statement.subject:
            return None
        erasure = statement.subject[0].name.rpartition(":")[2]
        return Shred(erasure=erasure, part=said.part, keys=keys_in(said.keys))
    except (DsseError, ValueError, RecursionError):
        return None


def entry_of(index: int, leaf: bytes) -> Entry:
    """An entry filed as its own bytes say, where these are all there is of it. Raises ValueError."""
    try:
        said = _statement.decode(dsse.parse(leaf).payload).predicate
    except (DsseError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"it cannot be read: {error}") from None
    return Entry(
        index=index,
        leaf=leaf,
        leaf_hash=leaf_hash(leaf),
        stream=StreamId(said.stream.id),
        seq=said.stream.seq,
        action=None if said.action_id is None else ActionId(said.action_id),
        phase=said.phase,
    )


class Reader:
    """Reads single entries, in the order of the log, and follows its keys in `ring`."""

    def __init__(self, ring: Keyring, verify: VerifyFunction) -> None:
        self.ring = ring
        self._verify = verify

    def read(self, entry: Entry) -> Reading:
        """Hold one entry against itself: hash, signatures, what it is filed under, disclosures, what it says of keys."""
        problems: list[str] = []
        if leaf_hash(entry.leaf) != entry.leaf_hash:
            problems.append("its bytes do not have the hash they are filed under")
        try:
            envelope = dsse.parse(entry.leaf)
        except DsseError as error:
            return Reading(None, [*problems, str(error)], 0)
        try:
            statement = _statement.decode(envelope.payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            good = self._signatures(entry.index, envelope, problems)
            return Reading(None, [*problems, f"its payload is not a Statement of ours: {error}"], good)
        kind = statement.predicate_type
        subject = statement.subject[0].name
        introduces = kind == KEY_TYPE and statement.predicate.phase == "introduced"
        if introduces:
            # It is signed by the key that it introduces.
            self._keys(entry.index, envelope.payload, problems)
        before = len(problems)
        good = self._signatures(entry.index, envelope, problems)
        if kind == KEY_TYPE and not introduces and len(problems) == before:
            self._keys(entry.index, envelope.payload, problems)
        if statement.kind != STATEMENT_TYPE or not statement.predicate_type.startswith(f"{PREDICATE_BASE}/"):
            problems.append(f"its payload is a `{statement.predicate_type}`, not a Statement of ours")
        problems += _unlike(envelope.payload, statement.predicate)
        problems += _misfiled(entry, statement.predicate)
        problems += _undisclosed(entry, statement.predicate.commitments)
        if statement.predicate.output is not None:
            problems += _misfiltered(entry, statement.predicate)
        observed_ms = _moment(statement.predicate.times.observed_at)
        return Reading(statement.predicate, problems, good, kind, envelope.payload, subject, observed_ms)

    def _keys(self, index: int, payload: bytes, problems: list[str]) -> None:
        try:
            said = _about_keys.decode(payload).predicate
            at = _statement.decode(payload).predicate.times.observed_at
            if _moment(at) is None:
                return
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            problems.append(f"what it says of keys cannot be read: {error}")
            return
        problems += self.ring.take(index, said, at)

    def _signatures(self, index: int, envelope: dsse.Envelope, problems: list[str]) -> int:
        """Count the good ones. A broken one by a known key is a finding even beside a good one."""
        message = dsse.pae(envelope.payload_type, envelope.payload)
        if envelope.payload_type != dsse.IN_TOTO:
            problems.append(f"it holds a `{envelope.payload_type}`, not an in-toto Statement")
        good = 0
        known = 0
        for each in envelope.signatures:
            window = self.ring.gate(each.keyid)
            if window is None:
                continue
            known += 1
            if not self._verify(window.key.public, message, each.sig):
                problems.append(f"the signature by `{each.keyid}` does not verify")
            elif window.holds(index):
                good += 1
            else:
                last = "" if window.last is None else f" to {window.last}"
                problems.append(f"it is signed by `{each.keyid}`, which was in force from entry {window.first}{last}")
        if not known:
            problems.append(f"it is signed by `{envelope.signatures[0].keyid}`, whom nobody named as a gate")
        return good


def _unlike(payload: bytes, said: Said) -> Iterable[str]:
    """A payload is written in one way only: two readers could see two values under a key that is given twice."""
    try:
        value = _anything.decode(payload)
        if _LONG.search(payload):
            encode(value)
        if _sorted.encode(value) != payload:
            yield "its payload is not in its one form: keys in order and once, no spaces"
    except (ValueError, RecursionError) as error:
        yield f"its payload is not in its one form: {error}"
    if _moment(said.times.observed_at) is None:
        yield f"`{said.times.observed_at}`, when it was observed, is no time in UTC"
    if said.action_id is not None and (not said.action_id or said.action_seq is None):
        yield "it is about an action, and does not say about which, or which fact of it"


def _misfiled(entry: Entry, said: Said) -> Iterable[str]:
    """What an entry is filed under is an index over its Statement, and may not say anything else."""
    filed: tuple[tuple[str, object, object], ...] = (
        ("action", entry.action, said.action_id),
        ("phase", entry.phase, said.phase),
        ("stream", entry.stream, said.stream.id),
        ("place in its stream", entry.seq, said.stream.seq),
    )
    for what, stored, signed in filed:
        if stored != signed:
            yield f"it is filed under the {what} `{stored}`, but says `{signed}`"


def _undisclosed(entry: Entry, commitments: dict[str, str]) -> Iterable[str]:
    seen: set[str] = set()
    for text in entry.disclosures:
        try:
            name = disclosure.parse(text).name
            digest = disclosure.digest_of(text)
        except DisclosureError as error:
            yield f"a clear text beside it cannot be read: {error}"
            continue
        if name in seen:
            yield f"there are two clear texts of `{name}`"
        elif name not in commitments or name == "alg":
            yield f"the clear text of `{name}` was never committed to"
        elif commitments[name] != digest:
            yield f"the clear text of `{name}` is not the one committed to"
        seen.add(name)


def _misfiltered(entry: Entry, said: Said) -> Iterable[str]:
    """What an entry says of a filtering holds in itself, and is about the result it commits to."""
    opened: dict[str, object] = {}
    for text in entry.disclosures:
        try:
            each = disclosure.parse(text)
            if said.commitments.get(each.name) == disclosure.digest_of(text):
                opened[each.name] = each.value
        except DisclosureError:
            continue  # found already
    problem = misstated(said.output, said.phase, said.commitments, opened)
    if problem is not None:
        yield problem


def stated(leaf: bytes) -> Statement | None:
    """What a leaf says, or None where it cannot be read. Nothing is verified."""
    try:
        return _statement.decode(dsse.parse(leaf).payload)
    except (DsseError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def observed(leaf: bytes) -> int | None:
    """When a leaf says it was observed, UTC ms, or None where it cannot be read. Nothing is verified."""
    statement = stated(leaf)
    return None if statement is None else _moment(statement.predicate.times.observed_at)


def milliseconds(at: datetime) -> int:
    """UTC ms of a time; one without a zone is UTC."""
    since = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - _EPOCH
    return since // timedelta(milliseconds=1)


def _moment(text: str) -> int | None:
    """UTC ms of a time as Statements write it, or None."""
    try:
        return milliseconds(datetime.fromisoformat(text)) if _TIME.fullmatch(text) else None
    except ValueError:
        return None
