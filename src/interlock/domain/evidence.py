"""What is recorded: facts, and how they become in-toto Statements in the log.

A `Fact` is one thing that happened, as a service states it. Its `body` goes into the leaf and must stay readable for
ever, so it holds digests, names and pseudonyms only; whatever may be personal or secret goes into `private` and appears
in the leaf as a salted commitment, the clear text beside the log.

The stream numbers a process's entries without a gap, each naming the leaf before it, so that an omission shows.
Statement: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final, Literal, cast

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.ids import ActionId, Digest, StreamId
from interlock.domain.keyring import Suspicion, Window
from interlock.domain.moment import moment_of
from interlock.domain.note import Checkpoint
from interlock.domain.whose import spoken

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_BASE = "https://interlock.dev/evidence"

Subject = Literal[
    "action",
    "task",
    "control",
    "unwind",
    "run",
    "publication",
    "key",
    "anchor",
    "erasure",
    "hold",
    "loss",
    "enrolment",
    "use",
    "access",
    "server",
]

Phase = Literal[
    "refused",
    "decided",
    "approved",
    "rejected",
    "modified",
    "reminded",
    "escalated",
    "overdue",
    "shown",
    "asked",
    "answered",
    "delegated",
    "expired",
    "voided",
    "prepared",
    "dispatching",
    "outcome",
    "settled",
    "compensation",
    "opened",
    "closed",
    "applied",
    "stopped",
    "resumed",
    "revoked",
    "drill",
    "proposed",
    "accepted",
    "published",
    "withdrawn",
    "superseded",
    "alarm",
    "engine",
    "introduced",
    "rotated",
    "retired",
    "anchored",
    "erased",
    "placed",
    "lifted",
    "acknowledged",
    "suspended",
    "activated",
    "retiring",
    "ended",
    "offered",
    "enrolled",
    "signed_in",
    "signed_out",
    "locked",
    "password_set",
    "key_made",
    "glass_broken",
    "drifted",
    "pinned",
]

MARKED: Final = ("introduced", "rotated", "retired", "anchored", "erased")
"""Phases of few entries that are looked for by themselves (`Log.marked`), wherever they stand."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    phase: Phase
    subject: Subject
    subject_id: str
    subject_digest: Digest
    observed_at: int
    times: dict[str, int] = {}
    """Other times that belong to it, by name."""
    body: dict[str, JsonValue]
    private: dict[str, JsonValue] = {}
    action: ActionId | None = None
    seq: int = 0
    """Which of this action's facts it is, from 1."""
    under: tuple[str, str] | None = None
    """Kind and key of the record with which what is private goes, where that is not the one it is about. Not in the entry."""


def digest_of_said(phase: Phase, body: Mapping[str, JsonValue], *names: str) -> Digest:
    """The digest of a fact's subject that is no record: of all that is said of it."""
    said = "\n".join([phase, *names, *(f"{name} {body[name]}" for name in sorted(body))])
    return Digest(sha256(said.encode()).hexdigest())


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where in its stream an entry stands. `prev` is the leaf hash of the one before, hexadecimal, or empty."""

    stream: StreamId
    seq: int
    prev: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A fact's place in the log: the leaf's bytes and what it is filed under."""

    index: int
    leaf: bytes
    leaf_hash: bytes
    stream: StreamId
    seq: int
    action: ActionId | None
    phase: str
    disclosures: tuple[str, ...] = ()
    """The clear text behind the leaf's commitments (RFC 9901 section 4.2), where it has not been erased."""
    sealed: bool = False
    """Whether there is clear text that cannot be read here, for want of the vault's keys."""


class Packet(msgspec.Struct, frozen=True, kw_only=True):
    """Every entry of one action, with what proves each of them against one checkpoint: the proof-of-action."""

    action: ActionId
    checkpoint: str
    """The signed note, as text."""
    entries: tuple[Entry, ...]
    proofs: tuple[tuple[str, ...], ...]
    """For each entry the hashes of its inclusion proof, base64, from the leaf upwards."""
    keys: tuple[Entry, ...] = ()
    """The entries before the checkpoint that introduce, replace or retire keys, in order."""
    key_proofs: tuple[tuple[str, ...], ...] = ()
    """The same proofs of these."""
    losses: tuple[Entry, ...] = ()
    """The entries that acknowledge a loss of clear texts of this action, in order."""
    loss_proofs: tuple[tuple[str, ...], ...] = ()
    """The same proofs of these."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong with the log, and where."""

    place: str
    problem: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What `verify` found. `findings` empty means that everything recorded is unaltered and complete."""

    size: int
    checkpoint: Checkpoint | None
    findings: tuple[Finding, ...]
    signatures: int = 0
    streams: int = 0
    """How many runs of processes recorded."""
    unclosed: tuple[str, ...] = ()
    """Streams whose run has not ended, or did not end well: each may be a prefix of what was recorded. No finding."""
    keys: tuple[Window, ...] = ()
    """The keys of the log and its gate, and what each was in force for."""
    suspicions: tuple[Suspicion, ...] = ()
    """What stands on keys that were declared compromised: not altered, and perhaps never said by the gate."""
    erased: int = 0
    """How many entries' clear texts an erasure has destroyed."""
    lost: int = 0
    """How many entries' clear texts are lost without an erasure, and acknowledged to be by two persons."""
    sealed: int = 0
    """How many entries' clear texts are sealed with keys that are not here, and could not be compared."""
    anchors: int = 0
    """How many anchors count for whoever verifies."""
    witnessed: int = 0
    """So many entries from the first on are covered by one of them; behind them the operator is alone."""
    witnessed_at: int | None = None
    """When that was seen, UTC ms."""
    up_to: int | None = None
    """Of a packet: the index of its last entry. Whether the action has later ones no packet can show."""
    state: str = ""
    """Of a packet: the action's state at that entry."""


@lru_cache(maxsize=64)
def at(observed_at: int) -> str:
    """RFC 3339 in UTC with milliseconds, as Statements write times. One entry names the same moment several times over."""
    # In whole numbers: a float of so many milliseconds loses the last one in some centuries.
    seconds, ms = divmod(observed_at, 1000)
    moment = datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=1000 * ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ms_of(text: str) -> int:
    """UTC ms of a time as Statements write it; 0 of what is none."""
    try:
        return moment_of(text)
    except ValueError:
        return 0


def urn_of(subject: str, name: str) -> str:
    """What entries call what they are about."""
    return f"urn:interlock:{subject}:{name}"


def statement(fact: Fact, position: Position, *, record_id: str, commitments: dict[str, str]) -> dict[str, JsonValue]:
    """The in-toto Statement of `fact`, ready for canonical encoding. No body can put words into the fields of the gate."""
    predicate: dict[str, JsonValue] = {
        **fact.body,
        "recordId": f"urn:uuid:{record_id}",
        "phase": fact.phase,
        "stream": {"id": position.stream, "seq": position.seq, "prev": position.prev},
        "times": {
            **{name: at(moment) for name, moment in fact.times.items()},
            "observedAt": at(fact.observed_at),
            "clock": "asserted",
        },
    }
    if fact.action is not None:
        predicate["actionId"] = fact.action
        predicate["actionSeq"] = fact.seq
    else:
        said = spoken(fact.private)
        if said:
            predicate["fieldEvidence"] = cast(JsonValue, said)
    if commitments:
        predicate["commitments"] = {**commitments, "alg": "sha-256"}
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": urn_of(fact.subject, fact.subject_id), "digest": {"sha256": fact.subject_digest}}],
        "predicateType": f"{PREDICATE_BASE}/{fact.subject}/v1",
        "predicate": predicate,
    }
