"""One entry of the log, read by its own bytes: what its signed Statement says, and whether anything about it is wrong.

What an entry is filed under in the store is only an index over its Statement, and its clear texts only count as far as the
Statement commits to them; each is compared, none is believed.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from interlock.domain import disclosure, dsse
from interlock.domain.canonical import CanonicalError, encode
from interlock.domain.disclosure import DisclosureError
from interlock.domain.dsse import DsseError
from interlock.domain.evidence import PREDICATE_BASE, STATEMENT_TYPE, Entry
from interlock.domain.filtering import misstated
from interlock.domain.keyring import Keyring
from interlock.domain.merkle import leaf_hash
from interlock.domain.note import VerifyFunction
from interlock.domain.statement import KEY_TYPE, UNREADABLE, Said, decoded, keys_said, moment_said


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


_LONG: Final = re.compile(rb"[:\[,]-?[0-9]{16}")
"""Where an integer may be longer than canonical JSON lets it be."""
_sorted: Final = msgspec.json.Encoder(order="sorted")


def _no_float(text: str) -> object:
    raise CanonicalError("", f"`{text[:20]}` is no whole number")


_anything: Final = msgspec.json.Decoder(float_hook=_no_float)


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
            statement = decoded(envelope.payload)
        except UNREADABLE as error:
            good = self._signatures(entry.index, envelope, problems)
            return Reading(None, [*problems, f"its payload is not a Statement of ours: {error}"], good)
        kind, at = statement.predicate_type, statement.predicate.times.observed_at
        subject = statement.subject[0].name
        introduces = kind == KEY_TYPE and statement.predicate.phase == "introduced"
        if introduces:
            # It is signed by the key that it introduces.
            self._keys(entry.index, envelope.payload, at, problems)
        before = len(problems)
        good = self._signatures(entry.index, envelope, problems)
        if kind == KEY_TYPE and not introduces and len(problems) == before:
            self._keys(entry.index, envelope.payload, at, problems)
        if statement.kind != STATEMENT_TYPE or not statement.predicate_type.startswith(f"{PREDICATE_BASE}/"):
            problems.append(f"its payload is a `{statement.predicate_type}`, not a Statement of ours")
        problems += _unlike(envelope.payload, statement.predicate)
        problems += _misfiled(entry, statement.predicate)
        problems += _undisclosed(entry, statement.predicate.commitments)
        if statement.predicate.output is not None:
            problems += _misfiltered(entry, statement.predicate)
        observed_ms = moment_said(at)
        return Reading(statement.predicate, problems, good, kind, envelope.payload, subject, observed_ms)

    def _keys(self, index: int, payload: bytes, at: str, problems: list[str]) -> None:
        try:
            said = keys_said(payload)
        except UNREADABLE as error:
            problems.append(f"what it says of keys cannot be read: {error}")
            return
        if moment_said(at) is not None:
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
    if moment_said(said.times.observed_at) is None:
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
