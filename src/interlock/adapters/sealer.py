"""Facts into signed leaves: an in-toto Statement in a DSSE envelope, private values behind salted commitments.

A fact must always be recordable, since what is not recorded may not run, and what has run must be recorded. So a
private value that is too long, or that JSON cannot write, is replaced by a statement of that: its size and, where it has
bytes, their SHA-256. The statement is committed to like any value, which leaves no unsalted digest in the log.
"""

import os
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Final, NamedTuple, cast

import msgspec

from interlock.adapters.keys import Keys, SigningKey
from interlock.domain.canonical import CanonicalError, JsonValue, encode
from interlock.domain.disclosure import MIN_SALT_BYTES, Disclosure, DisclosureError, OpenValue, digest_of
from interlock.domain.dsse import IN_TOTO, DsseError, Envelope, Signature, pae
from interlock.domain.dsse import encode as encode_envelope
from interlock.domain.errors import InterlockError, KeyFileError
from interlock.domain.evidence import Entry, Fact, Position, statement
from interlock.domain.ids import StreamId, WorkerId
from interlock.domain.key_facts import introduction
from interlock.domain.keyring import Role, keyid, rotation_text
from interlock.domain.merkle import leaf_hash
from interlock.domain.note import Checkpoint, signature_line
from interlock.domain.run_facts import Run, run_closed, run_opened
from interlock.ports.clock import Clock, Ids

MAX_PRIVATE_BYTES: Final = 256 * 1024
"""The longest disclosure that is kept, as its base64 text."""

_plainly: Final[Callable[[object], bytes]] = msgspec.json.Encoder(order="sorted").encode


class Author(NamedTuple):
    """Who records in a stream."""

    worker: WorkerId
    clock: Clock

    def run(self, stream: StreamId, gate: str) -> Run:
        """The run whose `stream` it is, signed with the key `gate`."""
        return Run(stream=stream, worker=self.worker, gate=gate)


class LogSealer:
    """Signs with the keys of one installation, in the stream of one run of one process.

    With `introduces` a log that begins with it begins with its keys; with `author` the stream says which run it is of.
    """

    def __init__(
        self, keys: Keys, stream: StreamId, ids: Ids, *, introduces: bool = False, author: Author | None = None
    ) -> None:
        self._keys = keys
        self._introduces = introduces
        self._stream = stream
        self._ids = ids
        self._log = keys.log.verifier
        self._log_id = self._log.key_id()
        self._keyid = keyid(keys.gate.verifier)
        self._clock = None if author is None else author.clock
        self._run = None if author is None else author.run(stream, self.gate_key)

    @property
    def stream(self) -> StreamId:
        """The stream of this process's run."""
        return self._stream

    @property
    def log_key(self) -> str:
        """The log's public key as a vkey."""
        return self._log.vkey()

    @property
    def gate_key(self) -> str:
        """The gate's public key as a vkey."""
        return self._keys.gate.verifier.vkey()

    @property
    def identity_key(self) -> str | None:
        """See `Sealer.identity_key`."""
        return None if self._keys.identity is None else self._keys.identity.verifier.vkey()

    def introduction(self, at: int) -> Fact | None:
        """See `Sealer.introduction`."""
        return introduction(self._log, self._keys.gate.verifier, at) if self._introduces else None

    def opening(self, at: int) -> Fact | None:
        """See `Sealer.opening`."""
        return None if self._run is None else run_opened(self._run, at)

    def closing(self, entries: int) -> Fact | None:
        """See `Sealer.closing`."""
        if self._run is None or self._clock is None:
            return None
        return run_closed(self._run, entries, self._clock.now())

    def seal(self, fact: Fact, index: int, position: Position) -> Entry:
        """The signed leaf of `fact`, to stand at `index`.

        Raises InterlockError where the fact's body has no place in a leaf: it is too long or no canonical JSON.
        """
        disclosures: list[str] = []
        commitments: dict[str, str] = {}
        for name, value in fact.private.items():
            text = _disclosed(name, value)
            disclosures.append(text)
            commitments[name] = digest_of(text)
        said = statement(fact, position, record_id=self._ids.new(), commitments=commitments)
        try:
            payload = encode(said)
            signature = Signature(keyid=self._keyid, sig=self._keys.gate.sign(pae(IN_TOTO, payload)))
            leaf = encode_envelope(Envelope(payload=payload, payload_type=IN_TOTO, signatures=(signature,)))
        except (CanonicalError, DsseError) as error:
            raise InterlockError(
                f"the fact `{fact.phase}` of `{fact.subject_id}` cannot be recorded: {error}"
            ) from None
        return Entry(
            index=index,
            leaf=leaf,
            leaf_hash=leaf_hash(leaf),
            stream=position.stream,
            seq=position.seq,
            action=fact.action,
            phase=fact.phase,
            disclosures=tuple(disclosures),
        )

    def checkpoint(self, size: int, root: bytes) -> str:
        """The signed note over the log's head."""
        head = Checkpoint(origin=self._log.name, size=size, root=root)
        body = head.body()
        line = signature_line(self._log.name, self._log_id, self._keys.log.sign(body))
        # A log says nothing of what others saw, so its second line is of no time.
        second = b"" if self._keys.second is None else self._keys.second.cosign(head, 0)
        return (body + b"\n" + line + second).decode()


class Handover(LogSealer):
    """Signs once more with the old keys: the entry by which `new` takes over from one of them."""

    def __init__(self, keys: Keys, role: Role, new: SigningKey, stream: StreamId, ids: Ids) -> None:
        super().__init__(keys, stream, ids, introduces=True)
        self._role: Role = role
        self._old = key_of(keys, role)
        self._new = new

    def seal(self, fact: Fact, index: int, position: Position) -> Entry:
        """As `LogSealer.seal`; a handover is signed by both keys, for the index it has."""
        if fact.phase == "rotated":
            old, new = self._old.verifier.vkey(), self._new.verifier.vkey()
            text = rotation_text(self._log.name, self._role, old, new, index)
            signed: dict[str, JsonValue] = {
                "endorsement": b64encode(self._old.sign(text)).decode(),
                "possession": b64encode(self._new.sign(text)).decode(),
            }
            fact = msgspec.structs.replace(fact, body=fact.body | signed)
        return super().seal(fact, index, position)


def key_of(keys: Keys, role: Role) -> SigningKey:
    """The key of a role. Raises KeyFileError where there is none."""
    found = {"log": keys.log, "gate": keys.gate, "identity": keys.identity}[role]
    if found is None:
        raise KeyFileError("this process holds no key to sign credentials with")
    return found


def _disclosed(name: str, value: JsonValue) -> str:
    """The text to keep for `value`, or for the statement that it was left out."""
    salt = os.urandom(MIN_SALT_BYTES)
    try:
        # Whatever has a canonical form may be disclosed; the types are recursive, so no checker sees it.
        text = Disclosure(salt=salt, name=name, value=cast(OpenValue, value)).encoded()
    except DisclosureError as error:
        return Disclosure(salt=salt, name=name, value=_left_out(value, str(error))).encoded()
    if len(text) > MAX_PRIVATE_BYTES:
        return Disclosure(salt=salt, name=name, value=_left_out(value, "it is too long to keep")).encoded()
    return text


def _left_out(value: JsonValue, why: str) -> OpenValue:
    """What is said of a value instead of it. The digest is over its JSON as `_plainly` writes it: keys in order."""
    try:
        data = _plainly(value)
    except (ValueError, TypeError, RecursionError):
        return {"leftOut": why}
    return {"leftOut": why, "bytes": len(data), "sha256": sha256(data).hexdigest()}
