"""Single entries, held against securesystemslib (DSSE), in-toto-attestation (Statements) and OpenSSL (Ed25519)."""

from base64 import b64encode
from pathlib import Path

import msgspec
import pytest
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # exported there, without saying so to mypy

from interlock.domain import dsse
from interlock.domain.keyring import keyid
from interlock.domain.note import VerifierKey, parse_note
from tests.domain.logs import KEYS
from tests.foreign.files import Files
from tests.foreign.programs import ask, program

GATE = KEYS.gate.verifier
_HEADER = bytes.fromhex("302a300506032b6570032100")
"""SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes: RFC 8410, section 4."""


def _key(verifier: VerifierKey) -> SSlibKey:
    return SSlibKey(keyid(verifier), "ed25519", "ed25519", {"public": verifier.public.hex()})


def _read(payload: bytes) -> Statement:
    made = json_format.Parse(payload, statement_pb2.Statement())
    return Statement.copy_from_pb(made)


def _envelope(leaf: bytes) -> Envelope:
    return Envelope.from_dict(msgspec.json.decode(leaf))


@pytest.mark.proves("evidence.foreign_programs")
def test_securesystemslib_verifies_every_kind_of_entry(files: Files) -> None:
    """The envelope of each entry is one that DSSE's own library reads and verifies with the gate's key."""
    for row in files.log.rows[:40]:
        assert list(_envelope(row.leaf).verify([_key(GATE)], 1)) == [keyid(GATE)]


@pytest.mark.proves("evidence.foreign_programs")
@pytest.mark.parametrize("part", ["payload", "payloadType", "sig"])
def test_securesystemslib_rejects_what_was_worked_on(files: Files, part: str) -> None:
    """Another payload, type or signature does not verify; nor does the right one with another key."""
    said = msgspec.json.decode(files.log.rows[7].leaf)
    other = msgspec.json.decode(files.log.rows[8].leaf)
    if part == "sig":
        said["signatures"][0]["sig"] = other["signatures"][0]["sig"]
    else:
        said[part] = other["payload"] if part == "payload" else "application/json"

    with pytest.raises(VerificationError):
        Envelope.from_dict(said).verify([_key(GATE)], 1)
    with pytest.raises(VerificationError):
        _envelope(files.log.rows[7].leaf).verify([_key(KEYS.log.verifier)], 1)


@pytest.mark.proves("evidence.foreign_programs")
def test_in_toto_reads_every_statement(files: Files) -> None:
    """The payload of each entry is a Statement that in-toto's own library finds valid."""
    for row in files.log.rows[:40]:
        _read(dsse.parse(row.leaf).payload).validate()


@pytest.mark.proves("evidence.foreign_programs")
@pytest.mark.parametrize(
    "change", [{"_type": "x"}, {"predicateType": ""}, {"subject": []}, {"subject": [{"name": "x"}]}]
)
def test_in_toto_rejects_what_is_no_statement(files: Files, change: dict[str, object]) -> None:
    """With another type, without a kind of predicate, a subject or a digest it is not one."""
    said = msgspec.json.decode(dsse.parse(files.log.rows[0].leaf).payload) | change

    with pytest.raises(ValueError, match=r".+"):
        _read(msgspec.json.encode(said)).validate()


def _openssl(tmp_path: Path, key: VerifierKey, message: bytes, signature: bytes) -> bool:
    public, said, sig = tmp_path / "key.pem", tmp_path / "message", tmp_path / "sig"
    encoded = b64encode(_HEADER + key.public).decode()
    public.write_text(f"-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n")
    said.write_bytes(message)
    sig.write_bytes(signature)
    command = ("pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", said, "-sigfile", sig)
    return ask(program("openssl"), *command).code == 0


@pytest.mark.proves("evidence.foreign_programs")
def test_openssl_verifies_checkpoints_and_entries(files: Files, tmp_path: Path) -> None:
    """OpenSSL finds the signatures of a checkpoint and of an entry good, and those of changed texts not."""
    note = parse_note((files.folder / "checkpoint").read_bytes())
    envelope = dsse.parse(files.log.rows[3].leaf)
    signed = dsse.pae(envelope.payload_type, envelope.payload)

    assert _openssl(tmp_path, KEYS.log.verifier, note.text, note.signatures[0].signature)
    assert not _openssl(tmp_path, KEYS.log.verifier, note.text + b"\n", note.signatures[0].signature)
    assert not _openssl(tmp_path, GATE, note.text, note.signatures[0].signature)
    assert _openssl(tmp_path, GATE, signed, envelope.signatures[0].sig)
    assert not _openssl(tmp_path, GATE, signed[:-1] + b" ", envelope.signatures[0].sig)
