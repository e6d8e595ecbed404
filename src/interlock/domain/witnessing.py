"""What a witness answers: whether a checkpoint continues the one it cosigned last, by C2SP tlog-witness.

A request is the size the log believes the witness is at, a consistency proof from there, and the new checkpoint:

    old <size>
    <base64 hash>*

    <checkpoint>

The rules are the protocol's, in its order; what a refusal says is a number a program understands. A checkpoint that the log
signed and that cannot be true beside another is kept: two of one size with different roots prove a fork to anybody
(`equivocation`).
Format: https://c2sp.org/tlog-witness.
"""

import re
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Sequence
from typing import Final

import msgspec

from interlock.domain.merkle import EMPTY_ROOT, HASH_BYTES, ProofError, check_consistency
from interlock.domain.note import (
    Checkpoint,
    NoteError,
    SignedNote,
    VerifierKey,
    VerifyFunction,
    parse_checkpoint,
    parse_note,
    verify_note,
)

MAX_REQUEST_BYTES: Final = 256 * 1024
MAX_PROOF_LINES: Final = 63
SIZE_TYPE: Final = "text/x.tlog.size"
FORKED: Final = "it signed two checkpoints of one size"
"""Why a note is kept that proves a fork. Whatever else is kept proves nothing: a bad proof may be the sender's alone."""

_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A log asks for a cosignature."""

    old: int
    proof: tuple[bytes, ...]
    note: SignedNote

    def encode(self) -> bytes:
        """Give the body of the request."""
        lines = [f"old {self.old}", *(b64encode(each).decode() for each in self.proof), "", ""]
        return "\n".join(lines).encode() + self.note.encode()


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a witness does not cosign. `status` is HTTP's; `size` is what it cosigned last, where that is the matter."""

    status: int
    said: str
    size: int | None = None
    evidence: bool = False
    """Whether what the log signed is kept: it cannot be (`FORKED`), or this request does not show that it can."""


def parse_request(data: bytes) -> Request:
    """Read a request of at most 256 KiB; anything else raises NoteError."""
    if len(data) > MAX_REQUEST_BYTES:
        raise NoteError(f"the request is longer than {MAX_REQUEST_BYTES} bytes")
    head, blank, note = data.partition(b"\n\n")
    if not blank:
        raise NoteError("the request has no checkpoint")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise NoteError("the proof is not ASCII") from None
    old = _OLD.fullmatch(first)
    if old is None:
        raise NoteError("the request does not begin with `old <size>`")
    if len(lines) > MAX_PROOF_LINES:
        raise NoteError(f"a consistency proof has at most {MAX_PROOF_LINES} lines")
    parsed = parse_note(note)
    parse_checkpoint(parsed.text)
    return Request(old=int(old[1]), proof=tuple(map(_hash, lines)), note=parsed)


def considered(
    request: Request, log_keys: Sequence[VerifierKey], latest: Checkpoint | None, verify: VerifyFunction
) -> Checkpoint | Refusal:
    """The checkpoint to cosign, or why not. `log_keys` are those trusted for its origin, `latest` what was cosigned last."""
    new = parse_checkpoint(request.note.text)
    if not log_keys:
        return Refusal(status=404, said="this log is not known here")
    if not any(_signed(request.note, key, verify) for key in log_keys):
        return Refusal(status=403, said="no key that is known for this log has signed it")
    if request.old > new.size:
        return Refusal(status=400, said="the old size is larger than the new")
    # Before anything was seen of a log, it is as if it had been seen empty.
    at = latest or Checkpoint(origin=new.origin, size=0, root=EMPTY_ROOT)
    forked = new.size == at.size and new.root != at.root
    if forked:
        return Refusal(status=409, said=FORKED, size=at.size, evidence=True)
    if request.old != at.size:
        return Refusal(status=409, said=f"{at.size}", size=at.size)
    try:
        check_consistency(at.size, new.size, at.root, new.root, request.proof)
    except ProofError as error:
        return Refusal(status=422, said=str(error), evidence=True)
    return new


def equivocation(one: SignedNote, other: SignedNote, key: VerifierKey, verify: VerifyFunction) -> bool:
    """Whether these two notes prove, to anybody who knows the log's key, that it shows different people different logs."""
    try:
        first, second = parse_checkpoint(one.text), parse_checkpoint(other.text)
        for note in (one, other):
            verify_note(note, key, verify)
    except NoteError:
        return False
    return first.origin == second.origin == key.name and first.size == second.size and first.root != second.root


def _signed(note: SignedNote, key: VerifierKey, verify: VerifyFunction) -> bool:
    try:
        verify_note(note, key, verify)
    except NoteError:
        return False
    return True


def _hash(line: str) -> bytes:
    try:
        found = a2b_base64(line, strict_mode=True)
    except ValueError:
        found = b""
    if len(found) != HASH_BYTES or b64encode(found).decode() != line:
        raise NoteError("a line of the proof is not the base64 of a hash")
    return found
