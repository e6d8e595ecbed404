"""What the signed Statement of an entry says, as far as anybody here reads it; nothing is verified by reading."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from interlock.domain import dsse
from interlock.domain.dsse import DsseError
from interlock.domain.erasure import Shred, keys_in, numbers_in
from interlock.domain.evidence import PREDICATE_BASE, Entry
from interlock.domain.ids import ActionId, StreamId
from interlock.domain.keyring import KeySaid
from interlock.domain.merkle import leaf_hash


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


class _ErasureStatement(msgspec.Struct, frozen=True, rename={"kind": "predicateType"}):
    kind: str
    subject: tuple[_Subject, ...]


class _AboutErasure(msgspec.Struct, frozen=True):
    predicate: ErasureSaid


class _AboutKeys(msgspec.Struct, frozen=True):
    predicate: KeySaid


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")

KEY_TYPE: Final = f"{PREDICATE_BASE}/key/v1"
ERASURE_TYPE: Final = f"{PREDICATE_BASE}/erasure/v1"
LOSS_TYPE: Final = f"{PREDICATE_BASE}/loss/v1"

_statement: Final = msgspec.json.Decoder(Statement)
_erasure_statement: Final = msgspec.json.Decoder(_ErasureStatement)
_about_erasure: Final = msgspec.json.Decoder(_AboutErasure)
_about_keys: Final = msgspec.json.Decoder(_AboutKeys)
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading of a payload may raise."""


def decoded(payload: bytes) -> Statement:
    """The Statement that a payload is. Raises one of `UNREADABLE`."""
    return _statement.decode(payload)


def keys_said(payload: bytes) -> KeySaid:
    """What a payload about keys says of them. Raises one of `UNREADABLE`."""
    return _about_keys.decode(payload).predicate


def key_said(leaf: bytes) -> KeySaid | None:
    """What a leaf says about keys, or None where it says nothing of them. Nothing is verified."""
    try:
        payload = dsse.parse(leaf).payload
        return keys_said(payload) if decoded(payload).predicate_type == KEY_TYPE else None
    except (DsseError, *UNREADABLE):
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
        said = decoded(dsse.parse(leaf).payload).predicate
    except (DsseError, *UNREADABLE) as error:
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


def stated(leaf: bytes) -> Statement | None:
    """What a leaf says, or None where it cannot be read. Nothing is verified."""
    try:
        return decoded(dsse.parse(leaf).payload)
    except (DsseError, *UNREADABLE):
        return None


def observed(leaf: bytes) -> int | None:
    """When a leaf says it was observed, UTC ms, or None where it cannot be read. Nothing is verified."""
    statement = stated(leaf)
    return None if statement is None else moment_said(statement.predicate.times.observed_at)


def milliseconds(at: datetime) -> int:
    """UTC ms of a time; one without a zone is UTC."""
    since = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - _EPOCH
    return since // timedelta(milliseconds=1)


def moment_said(text: str) -> int | None:
    """UTC ms of a time as Statements write it, or None of what is none."""
    try:
        return milliseconds(datetime.fromisoformat(text)) if _TIME.fullmatch(text) else None
    except ValueError:
        return None
