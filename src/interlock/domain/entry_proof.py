"""One entry with all that proves it offline: a C2SP tlog-proof file whose extra data is the entry itself.

The format (https://c2sp.org/tlog-proof) leaves extra data to the application and trusts none of it. Ours is the leaf, so
that the file needs nothing beside it: whoever holds it hashes the leaf, follows the hashes to the root, and holds that
against the signed checkpoint. A program that knows only the format ignores the line and takes the leaf from elsewhere.
"""

from collections.abc import Iterable

import msgspec

from interlock.domain import dsse
from interlock.domain.dsse import DsseError
from interlock.domain.keyring import keyid
from interlock.domain.merkle import leaf_hash
from interlock.domain.note import (
    Checkpoint,
    LogProof,
    NoteError,
    VerifierKey,
    VerifyFunction,
    parse_checkpoint,
    parse_note,
    parse_proof,
    verify_proof,
)


class EntryProof(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log, and what proves it to be there."""

    index: int
    size: int
    """How many entries the log had when its checkpoint was signed."""
    origin: str
    """The log's name."""
    phase: str
    """What the entry says happened, such as `outcome`."""
    action_id: str = ""
    """Which action it is about; empty where it is about none."""
    observed_at: str = ""
    """When, as the gate's clock said it: RFC 3339 in UTC."""
    text: str
    """The tlog-proof file: keep it, or hand it on."""


class Continuation(msgspec.Struct, frozen=True, kw_only=True):
    """That a log of `new` entries begins with the `old` ones of before. Roots are hexadecimal, hashes base64."""

    origin: str
    old: int
    old_root: str
    new: int
    new_root: str
    hashes: tuple[str, ...]


class _Times(msgspec.Struct, frozen=True, rename="camel"):
    observed_at: str = ""


class _Predicate(msgspec.Struct, frozen=True, rename="camel"):
    phase: str
    action_id: str = ""
    times: _Times = _Times()


class _Statement(msgspec.Struct, frozen=True):
    predicate: _Predicate


def entry_proof(index: int, leaf: bytes, hashes: tuple[bytes, ...], note: str) -> EntryProof:
    """Put the file together. Raises NoteError for what no such file can hold."""
    proof = LogProof(index=index, hashes=hashes, checkpoint=parse_note(note.encode()), extra=leaf)
    return _told(proof, proof.encode())


def parse_entry_proof(data: bytes) -> EntryProof:
    """Read such a file, of at most 1 MiB, verifying nothing. Raises NoteError."""
    return _told(parse_proof(data), data)


def check_entry_proof(
    proof: EntryProof, log_keys: Iterable[VerifierKey], gate_keys: Iterable[VerifierKey], verify: VerifyFunction
) -> Checkpoint:
    """Give the checkpoint that covers the entry, once one of `log_keys` is shown to have signed it and one of `gate_keys`
    the entry. Raises NoteError, ProofError and DsseError, each saying what does not hold."""
    try:
        data = proof.text.encode()
    except UnicodeEncodeError:
        raise NoteError("the proof is not text") from None
    read = parse_proof(data)
    leaf = _leaf(read)
    if _told(read, data) != proof:
        raise NoteError("what is said of the proof is not what stands in it")
    envelope = dsse.parse(leaf)
    message = dsse.pae(envelope.payload_type, envelope.payload)
    keys = {keyid(key): key.public for key in gate_keys}
    if not any(each.keyid in keys and verify(keys[each.keyid], message, each.sig) for each in envelope.signatures):
        raise DsseError(f"the entry is signed by `{envelope.signatures[0].keyid}`, and by none of the gate's keys")
    refused: NoteError = NoteError("there is no key of a log to hold it against")
    for key in log_keys:
        try:
            return verify_proof(read, leaf_hash(leaf), key, verify)
        except NoteError as error:
            refused = error
    raise refused


def _leaf(proof: LogProof) -> bytes:
    if proof.extra is None:
        raise NoteError("the proof does not carry its entry")
    return proof.extra


def _told(proof: LogProof, data: bytes) -> EntryProof:
    checkpoint = parse_checkpoint(proof.checkpoint.text)
    try:
        said = msgspec.json.decode(dsse.parse(_leaf(proof)).payload, type=_Statement).predicate
    except (DsseError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoteError(f"the entry in the proof cannot be read: {error}") from None
    return EntryProof(
        index=proof.index,
        size=checkpoint.size,
        origin=checkpoint.origin,
        phase=said.phase,
        action_id=said.action_id,
        observed_at=said.times.observed_at,
        text=data.decode(),
    )
