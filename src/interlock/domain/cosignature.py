"""Cosignatures: what others sign under a checkpoint once they have seen that it continues all they saw before.

A cosignature is a signature line of the checkpoint's note with a time in it: 8 bytes of POSIX seconds, big-endian, then the
signature. Two kinds: Ed25519 (type 0x04) over the time and the three lines, ML-DSA-44 (type 0x06) over a structure that also
names the cosigner. A log may put an ML-DSA-44 line of its own under its checkpoints, beside its Ed25519 one: with time 0, as
it says nothing of what others saw.
Formats: https://c2sp.org/tlog-cosignature, https://c2sp.org/signed-note.
"""

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final, TypeAlias

import msgspec

from interlock.domain.note import KEY_ID_BYTES, Checkpoint, NoteError, SignedNote, check_name, parse_checkpoint

COSIGNER: Final = 0x04
MLDSA44: Final = 0x06
KEY_BYTES: Final = {COSIGNER: 32, MLDSA44: 1312}
SIGNATURE_BYTES: Final = {COSIGNER: 64, MLDSA44: 2420}
TIME_BYTES: Final = 8
LATEST: Final = 2**63 - 1

_SUBTREE: Final = b"subtree/v1\n\0"


class CosignerKey(msgspec.Struct, frozen=True, kw_only=True):
    """The name and public key of a cosigner: 32 bytes of kind 0x04, 1,312 bytes of kind 0x06."""

    name: str
    public: bytes
    kind: int = COSIGNER

    def __post_init__(self) -> None:
        """Refuse what could not be written as one line."""
        check_name(self.name)
        if KEY_BYTES.get(self.kind) != len(self.public):
            raise NoteError("the key is not one of a cosigner: Ed25519 (type 4) or ML-DSA-44 (type 6)")

    def key_id(self) -> bytes:
        """Give the four bytes that point to this key in a signature line."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:KEY_ID_BYTES]

    def vkey(self) -> str:
        """Give the key as one line: `<name>+<key id in hex>+<base64 of type and key>`."""
        return f"{self.name}+{self.key_id().hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"


CheckCosigner: TypeAlias = Callable[[CosignerKey, bytes, bytes], bool]
"""Says of (key, message, signature without its time) whether the signature is good."""


def parse_cosigner(line: str) -> CosignerKey:
    """Read a cosigner's key line; a key id that does not belong to the key is refused."""
    parts = line.split("+", 2)
    if len(parts) != 3:
        raise NoteError("a cosigner's key reads `name+id+key`")
    try:
        key = a2b_base64(parts[2], strict_mode=True)
    except ValueError:
        raise NoteError("the key is not base64") from None
    parsed = CosignerKey(name=parts[0], public=key[1:], kind=key[0] if key else 0)
    if parsed.vkey() != line:
        raise NoteError("the key id does not belong to the key")
    return parsed


class Cosignature(msgspec.Struct, frozen=True, kw_only=True):
    """A cosignature that was verified: whose it is, and when it was made, POSIX seconds (0: no statement)."""

    key: CosignerKey
    at_s: int


def cosigned_text(key: CosignerKey, at_s: int, checkpoint: Checkpoint) -> bytes:
    """What `key` signs under `checkpoint` at a time."""
    if not 0 <= at_s <= LATEST:
        raise NoteError("a cosignature's time is from 0 to 2^63 - 1 seconds")
    if key.kind == COSIGNER:
        return b"cosignature/v1\ntime %d\n" % at_s + checkpoint.body()
    name, origin = key.name.encode(), checkpoint.origin.encode()
    if max(len(name), len(origin)) > 255:
        raise NoteError("a name is longer than an ML-DSA-44 cosignature can hold")
    return b"".join(
        [
            _SUBTREE,
            bytes([len(name)]) + name,
            at_s.to_bytes(TIME_BYTES, "big"),
            bytes([len(origin)]) + origin,
            (0).to_bytes(8, "big"),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        ]
    )


def timestamped(at_s: int, signature: bytes) -> bytes:
    """The signature as its line holds it."""
    return at_s.to_bytes(TIME_BYTES, "big") + signature


def cosignatures(note: SignedNote, keys: Iterable[CosignerKey], check: CheckCosigner) -> tuple[Cosignature, ...]:
    """The cosignatures of `keys` under a checkpoint, the latest of each; lines by others are ignored.

    Raises NoteError where the text is no checkpoint, or a line that claims one of the keys does not verify: a note that
    somebody has worked on counts for nothing.
    """
    checkpoint = parse_checkpoint(note.text)
    known = {(key.name, key.key_id()): key for key in keys}
    found: dict[CosignerKey, int] = {}
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        at_s, signature = int.from_bytes(line.signature[:TIME_BYTES], "big"), line.signature[TIME_BYTES:]
        good = len(signature) == SIGNATURE_BYTES[key.kind] and at_s <= LATEST
        if not good or not check(key, cosigned_text(key, at_s, checkpoint), signature):
            raise NoteError(f"a cosignature by `{key.name}` does not verify")
        found[key] = max(at_s, found.get(key, 0))
    return tuple(Cosignature(key=key, at_s=at_s) for key, at_s in found.items())
