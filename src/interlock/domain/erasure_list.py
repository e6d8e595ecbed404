"""The erasures of a log, kept outside of it: each one's signed entry, with what proves it against one signed checkpoint.

Where store, vault and keys are restored together from before an erasure, nothing of what is restored knows of it. Such a
list does, and says nothing of whom it was about: it holds entries of the log, which name nobody.

What is on a list destroys keys. So nothing of it is believed: the log's key signed the checkpoint, each entry is in the
tree under it, and the gate's key in force at its place signed it. Nor is it believed to be whole: whoever wrote it signed with
the gate's key which entries it has. One without that seal is carried out as far as it goes, and told to be perhaps a part.
"""

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final, Literal, NamedTuple

import msgspec

from interlock.domain.canonical import JsonValue, encode
from interlock.domain.dsse import DsseError, pae
from interlock.domain.erasure import Shred
from interlock.domain.errors import IntegrityError
from interlock.domain.keyring import Keyring, Suspicion, keyid
from interlock.domain.merkle import ProofError, check_inclusion
from interlock.domain.note import (
    Checkpoint,
    NoteError,
    VerifierKey,
    VerifyFunction,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
)
from interlock.domain.statement import KEY_TYPE, entry_of, shred_said
from interlock.domain.testimony import Reader

FORMAT: Final = "interlock erasures v1"
SEAL_TYPE: Final = "application/vnd.interlock.erasures+json"
MAX_LIST_BYTES: Final = 256 * 1024 * 1024


class Proven(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the log. `proof` are the hashes of its inclusion proof, base64, from the leaf upwards."""

    index: int
    leaf: bytes
    proof: tuple[str, ...]


class Seal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The gate's word that nothing is missing: a signature over `sealed_text`."""

    keyid: str
    sig: bytes


class ErasureList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every erasure that a log tells of, and what is needed to believe it."""

    format: Literal["interlock erasures v1"] = FORMAT
    checkpoint: str
    """The signed note, as text."""
    keys: tuple[Proven, ...]
    """The entries that introduce, replace or retire keys, in order."""
    erasures: tuple[Proven, ...]
    """The entries of parts of erasures that were carried out, in order."""
    seal: Seal | None = None
    """None in a list of an earlier version."""


class Believed(NamedTuple):
    """What a list proves: parts of erasures that were carried out, in the order of the log."""

    checkpoint: Checkpoint
    shreds: tuple[Shred, ...]
    whole: bool
    """Whether it is shown that these are all that the log tells of."""


def sealed_text(made: ErasureList) -> bytes:
    """What the gate's key signs of a list: which entries it has, under which checkpoint. No entry of a log reads so."""
    said: JsonValue = {
        "format": made.format,
        "checkpoint": sha256(made.checkpoint.encode()).hexdigest(),
        "keys": [each.index for each in made.keys],
        "erasures": [each.index for each in made.erasures],
    }
    return pae(SEAL_TYPE, encode(said))


def parse_list(data: bytes) -> ErasureList:
    """Read one, verifying nothing. Raises ValueError."""
    if len(data) > MAX_LIST_BYTES:
        raise ValueError("it is larger than any such list")
    try:
        return msgspec.json.decode(data, type=ErasureList, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def checkpoint_of(made: ErasureList) -> Checkpoint:
    """The checkpoint that it stands on, whoever signed it. Raises ValueError."""
    try:
        return parse_checkpoint(parse_note(made.checkpoint.encode()).text)
    except (NoteError, UnicodeEncodeError) as error:
        raise ValueError(f"its checkpoint cannot be read: {error}") from None


def believed(
    made: ErasureList,
    log_key: VerifierKey,
    gate_keys: Iterable[VerifierKey],
    verify: VerifyFunction,
    suspect: Mapping[str, int] | None = None,
) -> Believed:
    """What `made` proves to whoever trusts these keys. `suspect`: by key id, since which entry a key may have been lost.

    Raises IntegrityError with the first thing that is wrong: then nothing of it is believed.
    """
    ring = Keyring(log_key, gate_keys, verify)
    try:
        checkpoint = checkpoint_of(made)
        reader = Reader(ring, verify)
        for each in made.keys:
            if _read(reader, each, checkpoint) != KEY_TYPE:
                raise ValueError(f"entry {each.index}: it is no entry about keys")
        shreds = [_shred(reader, each, checkpoint) for each in made.erasures]
        open_checkpoint(parse_note(made.checkpoint.encode()), ring.log_at(checkpoint.size), verify)
        for wrong in ring.mistrusted(checkpoint.size):
            raise ValueError(wrong)
        _check_seal(made, ring, verify)
    except (ValueError, NoteError) as error:
        raise IntegrityError(
            f"the list of erasures does not hold: {error}",
            next_step="nothing was destroyed; it is another log's, or was altered: take another copy of it",
        ) from None
    for doubt in (*_doubts(ring, suspect or {}, checkpoint.size), *ring.suspicions(checkpoint.size)):
        if doubt.role == "identity":
            continue  # it signs nothing that the list leans on
        signed = [each.index for each in made.erasures] if doubt.role == "gate" else [checkpoint.size - 1]
        if any(doubt.first <= index <= doubt.last for index in signed):
            raise IntegrityError(
                f"the list leans on `{doubt.key}` for what it signed after it may have been lost: it is not believed",
                next_step="nothing was destroyed; propose these erasures anew: `interlock erase --propose`",
            )
        if made.seal is not None and doubt.key == made.seal.keyid and doubt.first < checkpoint.size <= doubt.last + 1:
            made = msgspec.structs.replace(made, seal=None)  # others may have sealed less than there was
    return Believed(checkpoint, tuple(shreds), made.seal is not None)


def _check_seal(made: ErasureList, ring: Keyring, verify: VerifyFunction) -> None:
    """Raises ValueError where it is sealed, and not as it is by the gate's key in force at its end."""
    if made.seal is None:
        return
    window = ring.gate(made.seal.keyid)
    if window is None or window.last is not None:
        raise ValueError("it is sealed by another key than the gate's that was in force when it was written")
    if not verify(window.key.public, sealed_text(made), made.seal.sig):
        raise ValueError("it is not whole: other entries were on it when it was sealed")


def _doubts(ring: Keyring, suspect: Mapping[str, int], size: int) -> Iterable[Suspicion]:
    """What keys signed in the log of the list that others know to have been lost since some entry."""
    for each in ring.windows:
        if (name := keyid(each.key)) in suspect:
            last = size - 1 if each.last is None else min(each.last, size - 1)
            yield Suspicion(each.role, name, max(each.first, suspect[name]), last)


def _shred(reader: Reader, each: Proven, checkpoint: Checkpoint) -> Shred:
    _read(reader, each, checkpoint)
    said = shred_said(each.leaf)
    if said is None:
        raise ValueError(f"entry {each.index}: it is no erasure that was carried out")
    return said


def _read(reader: Reader, each: Proven, checkpoint: Checkpoint) -> str:
    """Hold one entry against its bytes, keys and proof; give what kind it is of."""
    place = f"entry {each.index}"
    try:
        entry = entry_of(each.index, each.leaf)
        reading = reader.read(entry)
        hashes = [a2b_base64(one, strict_mode=True) for one in each.proof]
        if tuple(b64encode(one).decode() for one in hashes) != each.proof:
            raise ValueError("its proof is not in the one form of base64")
        check_inclusion(entry.leaf_hash, each.index, checkpoint.size, hashes, checkpoint.root)
    except (ValueError, ProofError, DsseError) as error:
        raise ValueError(f"{place}: {error}") from None
    for problem in reading.problems:
        raise ValueError(f"{place}: {problem}")
    if not reading.signatures:
        raise ValueError(f"{place}: no key of the gate signed it")
    return reading.kind
