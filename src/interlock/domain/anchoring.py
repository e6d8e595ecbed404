"""Anchors: checkpoints that others cosigned or time-stamped, written back into the log.

An anchor covers the entries before its checkpoint's end: these were there when it was cosigned. It stands in the log itself:
whatever comes after it was recorded after that. So every entry stands between two times that its writer does not control, as
far as a verifier trusts the cosigners it names (`Trust`).

The body of an `anchored` entry: `checkpoint`, the cosigned note as text; `cosignatures`, how many; and, where there is one,
`timestamp`, an RFC 3161 token in base64 over the SHA-256 of that text.
"""

from base64 import b64encode
from binascii import a2b_base64
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

import msgspec

from interlock.domain import dsse
from interlock.domain.canonical import JsonValue
from interlock.domain.cosignature import CheckCosigner, Cosignature, CosignerKey, cosignatures
from interlock.domain.dsse import DsseError
from interlock.domain.evidence import PREDICATE_BASE, Entry, Fact
from interlock.domain.ids import Digest
from interlock.domain.merkle import leaf_hash
from interlock.domain.note import Checkpoint, NoteError, SignedNote, parse_checkpoint, parse_note
from interlock.domain.quorum import NONE, TrustPolicy

ANCHOR_TYPE: Final = f"{PREDICATE_BASE}/anchor/v1"
SKEW_MS: Final = 60_000
"""How far a clock may be off, and how long an entry may take from being observed to being recorded, unless said."""
MAX_TOKEN_BYTES: Final = 32 * 1024

CheckStamp: TypeAlias = Callable[[bytes, bytes], int]
"""Gives the time, UTC ms, that an RFC 3161 token (first) states over data (second). Raises NoteError when it does not."""


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a verifier believes about time, and how much it demands."""

    policy: TrustPolicy | None = None
    check: CheckCosigner | None = None
    check_stamp: CheckStamp | None = None
    """None where no time-stamping authority is trusted."""
    skew_ms: int = SKEW_MS
    now: int = 0
    """UTC ms, for `max_age_ms`."""
    max_age_ms: int | None = None
    """The latest anchor must not be older."""
    demanded: bool = False
    """Whether a log without any anchor that counts is a finding."""
    second: CosignerKey | None = None
    """The log's key of a second algorithm, by which its head must be signed, too."""


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """An anchor that counts: where it stands, what it covers, and when those who are trusted saw it."""

    index: int
    note: SignedNote
    checkpoint: Checkpoint
    cosigned: tuple[Cosignature, ...]
    stamped_ms: int | None
    first_ms: int
    """The earliest time anybody trusted gives: what stands behind the anchor came later."""
    last_ms: int
    """The latest: what the anchor covers was there by then."""


class _Said(msgspec.Struct, frozen=True):
    checkpoint: str
    cosignatures: int
    timestamp: str = ""


class _Predicate(msgspec.Struct, frozen=True, rename={"predicate_type": "predicateType"}):
    predicate_type: str
    predicate: _Said


_decode: Final = msgspec.json.Decoder(_Predicate).decode


def anchored(note: SignedNote, cosigned: int, token: bytes | None, at: int) -> Fact:
    """The fact that a checkpoint was cosigned, and time-stamped where there is a token."""
    text = note.encode()
    body: dict[str, JsonValue] = {"checkpoint": text.decode(), "cosignatures": cosigned}
    if token is not None:
        body["timestamp"] = b64encode(token).decode()
    return Fact(
        phase="anchored",
        subject="anchor",
        subject_id=parse_checkpoint(note.text).origin,
        subject_digest=Digest(sha256(text).hexdigest()),
        observed_at=at,
        body=body,
    )


def note_of(entry: Entry) -> SignedNote:
    """The checkpoint in an anchor. Raises NoteError where the entry holds none; nothing is verified."""
    return parse_note(_said(entry).checkpoint.encode())


def parted(entry: Entry) -> tuple[SignedNote, Checkpoint]:
    """The checkpoint in an anchor, as it was signed and as it reads. Raises NoteError where it is none of before the entry;
    that it is this log's is for others to check."""
    note = note_of(entry)
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.size > entry.index:
        raise NoteError("it is said to cover itself")
    return note, checkpoint


def weighed(entry: Entry, trust: Trust) -> Anchor | None:
    """An anchor that counts for who trusts as `trust` says, or None. That it is in the log is for others to check.

    Where a policy is given, its quorum must be met; where a time-stamping authority is trusted, a token must be its own.
    Without either nobody's time is believed, and nothing counts. Raises NoteError for what is no anchor at all, and for one
    that bears a false cosignature or time stamp of somebody who is trusted.
    """
    said = _said(entry)
    note, checkpoint = parted(entry)
    token = _token(said.timestamp)
    times: list[int] = []
    found: tuple[Cosignature, ...] = ()
    stamped_ms: int | None = None
    if trust.policy is not None and trust.check is not None:
        found = cosignatures(note, trust.policy.keys, trust.check)
        if not trust.policy.met(each.key for each in found):
            return None
        times += (each.at_s * 1000 for each in found if each.at_s)
    if said.timestamp and trust.check_stamp is not None:
        stamped_ms = trust.check_stamp(token, said.checkpoint.encode())
        times.append(stamped_ms)
    if not times:
        return None
    return Anchor(
        index=entry.index,
        note=note,
        checkpoint=checkpoint,
        cosigned=found,
        stamped_ms=stamped_ms,
        first_ms=min(times),
        last_ms=max(times),
    )


class Anchors:
    """The anchors of one log, looked at before it is read: its entries that are filed as such, in order."""

    def __init__(self, entries: Iterable[Entry], trust: Trust) -> None:
        self.trust = trust
        self.held: dict[int, tuple[SignedNote, Checkpoint]] = {}
        """By entry, the checkpoint that each holds: all must be this log's, whoever is trusted."""
        self.counting: list[Anchor] = []
        self.problems: dict[int, str] = {}
        self.hashes: dict[int, bytes] = {}
        for entry in entries:
            self.hashes[entry.index] = leaf_hash(entry.leaf)
            try:
                self.held[entry.index] = parted(entry)
                found = weighed(entry, trust)
            except NoteError as error:
                self.problems[entry.index] = str(error)
                continue
            if found is not None:
                self.counting.append(found)


class Sandwich:
    """Holds each entry, in order, between the anchors around it: the latest time that any before it gives, itself included,
    and the earliest that any gives over it."""

    def __init__(self, anchors: Sequence[Anchor], skew_ms: int) -> None:
        self._skew_ms = skew_ms
        self._behind = deque(sorted(anchors, key=lambda each: each.index))
        self._over: deque[Anchor] = deque()
        """For each of the sizes, smallest first, the anchor reaching at least so far that gives the earliest time."""
        for each in sorted(anchors, key=lambda one: one.checkpoint.size, reverse=True):
            if not self._over or each.last_ms < self._over[0].last_ms:
                self._over.appendleft(each)
            else:
                # What reaches further was seen earlier: it says more of everything before it.
                self._over.appendleft(self._over[0])
        self._sizes = deque(sorted(each.checkpoint.size for each in anchors))
        self._early: Anchor | None = None

    def squeeze(self, index: int, observed_ms: int) -> str | None:
        """What is wrong with the time that entry `index` gives, if anything."""
        while self._behind and self._behind[0].index <= index:
            each = self._behind.popleft()
            if self._early is None or each.first_ms > self._early.first_ms:
                self._early = each
        while self._sizes and self._sizes[0] <= index:
            self._sizes.popleft()
            self._over.popleft()
        early = self._early
        if early is not None and observed_ms + self._skew_ms < early.first_ms:
            return f"it says it was observed {early.first_ms - observed_ms} ms before the anchor in entry {early.index}"
        if self._over and observed_ms - self._skew_ms > self._over[0].last_ms:
            late = self._over[0]
            return f"it says it was observed {observed_ms - late.last_ms} ms after the anchor in entry {late.index}"
        return None


def lacking(anchors: Sequence[Anchor], trust: Trust) -> str | None:
    """What a verifier that demands anchors misses of them."""
    wants = trust.check_stamp is not None or (trust.policy is not None and trust.policy.quorum != NONE)
    if not anchors:
        return "nobody who is trusted has ever cosigned this log" if wants and trust.demanded else None
    if trust.max_age_ms is None or any(_young(each, trust, trust.now - trust.max_age_ms) for each in anchors[-1:]):
        return None
    age = trust.now - anchors[-1].last_ms
    return f"the latest that counts is {age} ms old, more than {trust.max_age_ms}: what came since may be withheld"


def unseconded(head: SignedNote, trust: Trust) -> str | None:
    """What is wrong with the second signature under a log's head, where a verifier demands it."""
    if trust.second is None or trust.check is None:
        return None
    try:
        found = cosignatures(head, [trust.second], trust.check)
    except NoteError as error:
        return str(error)
    return None if found else f"it is not signed by the second key of `{trust.second.name}`"


def _young(anchor: Anchor, trust: Trust, since_ms: int) -> bool:
    """Whether a quorum by itself, or the authority, saw it since then: no single witness can make an old one young."""
    if anchor.stamped_ms is not None and anchor.stamped_ms >= since_ms:
        return True
    later = [each.key for each in anchor.cosigned if each.at_s * 1000 >= since_ms]
    return trust.policy is not None and bool(later) and trust.policy.met(later)


def _said(entry: Entry) -> _Said:
    try:
        read = _decode(dsse.parse(entry.leaf).payload)
    except (DsseError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoteError(f"it is no anchor: {error}") from None
    if read.predicate_type != ANCHOR_TYPE:
        raise NoteError("it is no anchor")
    return read.predicate


def _token(text: str) -> bytes:
    if len(text) > 2 * MAX_TOKEN_BYTES:
        raise NoteError("its time stamp is longer than any")
    try:
        token = a2b_base64(text, strict_mode=True)
    except ValueError:
        token = b""
    if b64encode(token).decode() != text:
        raise NoteError("its time stamp is not in the one form of base64")
    return token
