"""Signed checkpoints and the proofs that carry them: C2SP signed-note, tlog-checkpoint and tlog-proof@v1.

A note is a text and the signatures under it; a checkpoint is a note whose text names a log, its size and its root; a
tlog-proof file is an entry's index, its inclusion proof and a checkpoint. Whatever parses prints again as the same
bytes. No key is ever held here: who signs hands in signatures, who verifies hands in the check.
Formats: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint, https://c2sp.org/tlog-proof.
"""

import re
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable
from hashlib import sha256
from typing import Final, TypeAlias

import msgspec

from interlock.domain.merkle import HASH_BYTES, check_inclusion

MAX_NOTE_BYTES: Final = 1024 * 1024
MAX_SIGNATURES: Final = 100
MAX_PROOF_HASHES: Final = 63
"""The longest inclusion proof: sizes stay below 2^63."""

ED25519: Final = b"\x01"
KEY_ID_BYTES: Final = 4
PUBLIC_KEY_BYTES: Final = 32

VerifyFunction: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""Says of (public key, message, signature) whether the Ed25519 signature is good."""

_MAX_SIZE: Final = 2**63 - 1
_DASH: Final = "\N{EM DASH} "
_PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME: Final = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]+")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}")


class NoteError(ValueError):
    """Bytes are not the note, key, checkpoint or proof they are said to be, or a signature does not hold."""


class VerifierKey(msgspec.Struct, frozen=True, kw_only=True):
    """The name and the Ed25519 public key (32 bytes) of someone who signs notes."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        """Refuse what could not be written as one line."""
        check_name(self.name)
        if len(self.public) != PUBLIC_KEY_BYTES:
            raise NoteError(f"a public key is {PUBLIC_KEY_BYTES} bytes long, not {len(self.public)}")

    def key_id(self) -> bytes:
        """Give the four bytes that point to this key in a signature line: a hint, not a proof of anything."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:KEY_ID_BYTES]

    def vkey(self) -> str:
        """Give the key as one line: `<name>+<key id in hex>+<base64 of type and key>`."""
        return f"{self.name}+{self.key_id().hex()}+{_base64(ED25519 + self.public)}"


def parse_vkey(line: str) -> VerifierKey:
    """Read a verifier key line; a key id that does not belong to the key is refused."""
    # Base64 may hold plus signs, a name may not: the first two separate.
    parts = line.split("+", 2)
    if len(parts) != 3 or not _KEY_ID.fullmatch(parts[1]):
        raise NoteError("a verifier key reads `name+id+key`")
    key = _from_base64(parts[2], "the key")
    if key[:1] != ED25519:
        raise NoteError("the key is not an Ed25519 key")
    parsed = VerifierKey(name=parts[0], public=key[1:])
    if parsed.key_id().hex() != parts[1]:
        raise NoteError("the key id does not belong to the key")
    return parsed


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """One signature line: who claims to have signed, by name and key id, and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        """Refuse what could not be written as one line."""
        check_name(self.name)
        if len(self.key_id) != KEY_ID_BYTES or not self.signature:
            raise NoteError("a signature line needs a key id of four bytes and a signature")

    def line(self) -> bytes:
        """Give the line, with its newline."""
        return signature_line(self.name, self.key_id, self.signature)


def signature_line(name: str, key_id: bytes, signature: bytes) -> bytes:
    """Write one signature line, with its newline."""
    return f"{_DASH}{name} {_base64(key_id + signature)}\n".encode()


class SignedNote(msgspec.Struct, frozen=True, kw_only=True):
    """A text, which ends in a newline, and the 1 to 100 signatures under it. Nothing in it is true until verified."""

    text: bytes
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        """Refuse what would not read back as the same note."""
        if _CONTROL.search(_utf8(self.text)):
            raise NoteError("control characters have no place in a note")
        if not self.text.endswith(b"\n"):
            raise NoteError("the text of a note ends in a newline")
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise NoteError(f"a note has 1 to {MAX_SIGNATURES} signatures, not {len(self.signatures)}")

    def encode(self) -> bytes:
        """Give the bytes of the note."""
        return b"".join([self.text, b"\n", *(each.line() for each in self.signatures)])


def parse_note(data: bytes) -> SignedNote:
    """Read a signed note of at most 1 MiB, verifying nothing; anything but exactly a note raises NoteError."""
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"the note is longer than {MAX_NOTE_BYTES} bytes")
    # The text may hold empty lines of its own: the last one ends it.
    text, blank, lines = data.rpartition(b"\n\n")
    if not blank:
        raise NoteError("the note has no empty line before its signatures")
    if not lines.endswith(b"\n"):
        raise NoteError("the note does not end in a newline")
    if lines.count(b"\n") > MAX_SIGNATURES:
        raise NoteError(f"the note has more than {MAX_SIGNATURES} signatures")
    signatures = tuple(parse_signature(line) for line in _utf8(lines[:-1]).split("\n"))
    return SignedNote(text=text + b"\n", signatures=signatures)


def verify_note(note: SignedNote, key: VerifierKey, verify: VerifyFunction) -> None:
    """Return if `key` has signed the text of `note`, else NoteError.

    Lines by other keys are ignored, as they must be for witnesses and key changes to work. Every line that claims this
    key must verify: a good signature beside a broken one by the same key is a note someone has worked on.
    """
    key_id = key.key_id()
    claimed = [each for each in note.signatures if each.name == key.name and each.key_id == key_id]
    if not claimed:
        raise NoteError(f"the note is not signed by `{key.name}`")
    for each in claimed:
        if not verify(key.public, note.text, each.signature):
            raise NoteError(f"a signature by `{key.name}` does not verify")


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a log: its name (`origin`), its number of entries and the root hash (32 bytes) over them."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        """Refuse what could not be written as a checkpoint."""
        check_name(self.origin)
        if not 0 <= self.size <= _MAX_SIZE:
            raise NoteError(f"a log does not have {self.size} entries")
        if len(self.root) != HASH_BYTES:
            raise NoteError(f"a root hash is {HASH_BYTES} bytes long, not {len(self.root)}")

    def body(self) -> bytes:
        """Give the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n".encode()


def parse_checkpoint(body: bytes) -> Checkpoint:
    """Read the text of a checkpoint note: exactly three lines, since extension lines escape every auditor."""
    lines = _utf8(body).split("\n")
    if len(lines) != 4 or lines[3]:
        raise NoteError("a checkpoint is exactly three lines")
    return Checkpoint(origin=lines[0], size=_number(lines[1]), root=_hash(lines[2]))


def open_checkpoint(note: SignedNote, key: VerifierKey, verify: VerifyFunction) -> Checkpoint:
    """Give the checkpoint in `note` once it is shown to be signed by `key` and to name the log that the key names."""
    verify_note(note, key, verify)
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != key.name:
        raise NoteError(f"the checkpoint is of `{checkpoint.origin}`, not of `{key.name}`")
    return checkpoint


class LogProof(msgspec.Struct, frozen=True, kw_only=True):
    """What proves an entry offline: its index, the hashes beside its path to the root, and the signed checkpoint.

    `extra` is carried for the application and covered by no signature.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: SignedNote
    extra: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse what would not read back as the same proof, and an entry its checkpoint does not cover."""
        size = parse_checkpoint(self.checkpoint.text).size
        if not 0 <= self.index < size:
            raise NoteError(f"a log of {size} entries has no entry {self.index}")
        if len(self.hashes) > MAX_PROOF_HASHES or any(len(each) != HASH_BYTES for each in self.hashes):
            raise NoteError(f"a proof is at most {MAX_PROOF_HASHES} hashes of {HASH_BYTES} bytes")

    def encode(self) -> bytes:
        """Give the bytes of the tlog-proof file."""
        lines = [_PROOF_HEADER]
        if self.extra is not None:
            lines.append(f"extra {_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += map(_base64, self.hashes)
        return "\n".join([*lines, "", ""]).encode() + self.checkpoint.encode()


def parse_proof(data: bytes) -> LogProof:
    """Read a tlog-proof file of at most 1 MiB, verifying nothing; anything else raises NoteError."""
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"the proof is longer than {MAX_NOTE_BYTES} bytes")
    head, blank, note = data.partition(b"\n\n")
    if not blank:
        raise NoteError("the proof has no checkpoint")
    lines = _utf8(head).split("\n")
    if lines.pop(0) != _PROOF_HEADER:
        raise NoteError(f"the proof does not begin with `{_PROOF_HEADER}`")
    extra: bytes | None = None
    if lines and lines[0].startswith("extra "):
        extra = _from_base64(lines.pop(0).removeprefix("extra "), "the extra data")
    if not lines or not lines[0].startswith("index "):
        raise NoteError("the proof does not give an index")
    index = _number(lines.pop(0).removeprefix("index "))
    if len(lines) > MAX_PROOF_HASHES:
        raise NoteError(f"a proof is at most {MAX_PROOF_HASHES} hashes")
    return LogProof(index=index, hashes=tuple(map(_hash, lines)), checkpoint=parse_note(note), extra=extra)


def verify_proof(proof: LogProof, leaf: bytes, key: VerifierKey, verify: VerifyFunction) -> Checkpoint:
    """Give the checkpoint of the log named as `key` is, in which `proof` shows the leaf hash `leaf`.

    Raises NoteError when that log did not sign the checkpoint and ProofError when the entry is not shown to be in it.
    """
    checkpoint = open_checkpoint(proof.checkpoint, key, verify)
    check_inclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return checkpoint


def parse_signature(line: str) -> Signature:
    """Read one signature line, without its newline, verifying nothing."""
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise NoteError("a signature line reads `\N{EM DASH} name signature`")
    signature = _from_base64(encoded, "a signature")
    return Signature(name=name, key_id=signature[:KEY_ID_BYTES], signature=signature[KEY_ID_BYTES:])


def check_name(name: str) -> None:
    """Raise NoteError unless `name` can stand in a signature line."""
    if not _NAME.fullmatch(name):
        raise NoteError("a name is one word of UTF-8 without spaces, control characters and plus signs")


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise NoteError("the bytes are not UTF-8") from None


def _number(digits: str) -> int:
    if not _NUMBER.fullmatch(digits):
        raise NoteError("a number is written in decimal digits, without leading zeros")
    return int(digits)


def _hash(line: str) -> bytes:
    decoded = _from_base64(line, "a hash")
    if len(decoded) != HASH_BYTES:
        raise NoteError(f"a hash is {HASH_BYTES} bytes long, not {len(decoded)}")
    return decoded


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _from_base64(text: str, what: str) -> bytes:
    try:
        data = a2b_base64(text)
    except ValueError:
        raise NoteError(f"{what} is not base64") from None
    # Decoders differ in what else they let pass; only what would be written again is accepted.
    if _base64(data) != text:
        raise NoteError(f"{what} is not in the one form of standard padded base64")
    return data
