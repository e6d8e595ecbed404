"""Whether the packet of one action says what the log holds of it, seen without the log.

Each entry is proven against the checkpoint by itself, and read as the log's own check reads it; that none is missing between
the first and the last, and that the action went only through what it may, its trail shows.
"""

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Iterable, Sequence

from interlock.domain.callers import wrong_form
from interlock.domain.evidence import Entry, Finding, Packet, Verification
from interlock.domain.keyring import Keyring
from interlock.domain.merkle import ProofError, check_inclusion, leaf_hash
from interlock.domain.note import (
    Checkpoint,
    NoteError,
    SignedNote,
    VerifierKey,
    VerifyFunction,
    parse_checkpoint,
    parse_note,
)
from interlock.domain.statement import KEY_TYPE, LOSS_TYPE, covered
from interlock.domain.testimony import Reader, Reading
from interlock.domain.trails import NOWHERE, Trails
from interlock.domain.verification import MAX_FINDINGS


def verify_packet(
    packet: Packet, log_key: VerifierKey, gate_keys: Iterable[VerifierKey], verify: VerifyFunction
) -> Verification:
    """Hold one action's packet against the keys alone, without the log.

    No findings means: these entries are in the log that the checkpoint is of, they were signed by the gate, are about this
    action, and none is missing between the first and the last. Later ones may exist. Keys that were replaced are followed
    through the entries that say so, which the packet brings along.
    """
    findings: list[Finding] = []
    ring = Keyring(log_key, gate_keys, verify)
    reader = Reader(ring, verify)
    note, checkpoint = _head_of(packet, findings)
    if not packet.entries:
        findings.append(Finding(place="packet", problem="it holds no entry"))
    if (
        len(packet.proofs) != len(packet.entries)
        or len(packet.key_proofs) != len(packet.keys)
        or (len(packet.loss_proofs) != len(packet.losses))
    ):
        findings.append(Finding(place="packet", problem="it does not have one proof for each entry"))
    for index, reading, problems in _readings(reader, packet.keys, packet.key_proofs, checkpoint):
        if reading.kind != KEY_TYPE:
            problems.append("it is no entry about keys")
        findings += (Finding(place=f"entry {index}", problem=problem) for problem in problems)
    lost = _losses(reader, packet, checkpoint, findings)
    trails, signatures = Trails(), 0
    for index, reading, problems in _readings(reader, packet.entries, packet.proofs, checkpoint):
        signatures += reading.signatures
        said = reading.said
        if said is not None and said.action_id != packet.action:
            problems.append(f"it is about `{said.action_id}`")
        if said is not None:
            problems.extend(trails.follow(reading.subject, said))
            problems.extend(wrong_form(said))
        findings += (Finding(place=f"entry {index}", problem=problem) for problem in problems)
    if note is not None and checkpoint is not None:
        findings[:0] = (Finding(place="checkpoint", problem=each) for each in ring.objections(note, checkpoint))
    size = 0 if checkpoint is None else checkpoint.size
    return Verification(
        size=size,
        checkpoint=checkpoint,
        findings=tuple(findings[:MAX_FINDINGS]),
        signatures=signatures,
        keys=ring.windows,
        suspicions=ring.suspicions(size),
        lost=len(lost.intersection(entry.index for entry in packet.entries if not entry.disclosures)),
        up_to=packet.entries[-1].index if packet.entries else None,
        state=trails.of.get(packet.action, NOWHERE).state,
    )


def _losses(reader: Reader, packet: Packet, checkpoint: Checkpoint | None, findings: list[Finding]) -> set[int]:
    """The entries of which the packet's acknowledgements say that their clear texts are lost."""
    lost: set[int] = set()
    for index, reading, problems in _readings(reader, packet.losses, packet.loss_proofs, checkpoint):
        if reading.kind != LOSS_TYPE:
            problems.append("it acknowledges no loss")
        elif not problems:
            try:
                lost.update(covered(reading.payload, index, "acknowledged"))
            except ValueError as error:
                problems.append(f"what it says is lost cannot be read: {error}")
        findings += (Finding(place=f"entry {index}", problem=problem) for problem in problems)
    return lost


def _head_of(packet: Packet, findings: list[Finding]) -> tuple[SignedNote | None, Checkpoint | None]:
    try:
        note = parse_note(packet.checkpoint.encode())
        return note, parse_checkpoint(note.text)
    except (NoteError, UnicodeEncodeError) as error:
        findings.append(Finding(place="checkpoint", problem=str(error)))
        return None, None


def _readings(
    reader: Reader, entries: Sequence[Entry], proofs: Sequence[tuple[str, ...]], checkpoint: Checkpoint | None
) -> Iterable[tuple[int, Reading, list[str]]]:
    """Entries of a packet, each with what is wrong between it, its own bytes, its proof and the one before it."""
    last = -1
    for entry, proof in zip(entries, proofs, strict=False):
        reading = reader.read(entry)
        problems = list(reading.problems)
        if entry.index <= last:
            problems.append("it stands after a later one")
        last = entry.index
        if checkpoint is not None:
            problems += _unproven(entry, proof, checkpoint)
        yield entry.index, reading, problems


def _unproven(entry: Entry, proof: tuple[str, ...], checkpoint: Checkpoint) -> Iterable[str]:
    try:
        hashes = [a2b_base64(each) for each in proof]
    except ValueError:
        hashes = []
    # Decoders differ in what they let pass; only what would be written again is a proof.
    if tuple(b64encode(each).decode() for each in hashes) != proof:
        yield "its proof is not in the one form of base64"
        return
    try:
        check_inclusion(leaf_hash(entry.leaf), entry.index, checkpoint.size, hashes, checkpoint.root)
    except ProofError as error:
        yield str(error)
