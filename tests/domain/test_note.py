"""Signed notes, checkpoints and proof files: published examples, exact forms, and nothing but NoteError for the rest."""

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from interlock.domain.merkle import ProofError, inclusion_proof, leaf_hash, root_of
from interlock.domain.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Checkpoint,
    LogProof,
    NoteError,
    Signature,
    SignedNote,
    VerifierKey,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_proof,
    parse_vkey,
    signature_line,
    verify_note,
    verify_proof,
)

# The example in the documentation of golang.org/x/mod/sumdb/note.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()

# The example in https://c2sp.org/tlog-checkpoint.
C2SP_CHECKPOINT = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
).encode()

ORIGIN = "log.example/orders"
LOG = SigningKey(bytes(range(32)))
OTHER = SigningKey(bytes(32))
LOG_KEY = VerifierKey(name=ORIGIN, public=bytes(LOG.verify_key))
OTHER_KEY = VerifierKey(name="witness.example", public=bytes(OTHER.verify_key))
LEAVES = [leaf_hash(b"%d" % index) for index in range(11)]


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Check an Ed25519 signature."""
    try:
        VerifyKey(public).verify(message, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def signed(text: bytes, *signers: tuple[SigningKey, VerifierKey]) -> SignedNote:
    """Give `text` signed by each of `signers` in turn."""
    lines = [
        Signature(name=key.name, key_id=key.key_id(), signature=signer.sign(text).signature) for signer, key in signers
    ]
    return SignedNote(text=text, signatures=tuple(lines))


def checkpoint(size: int = len(LEAVES), origin: str = ORIGIN) -> Checkpoint:
    """Give a checkpoint of the log of `LEAVES`."""
    return Checkpoint(origin=origin, size=size, root=root_of(LEAVES[:size]))


def proof_of(entry: int, **changes: Any) -> LogProof:
    """Give a good proof of one of `LEAVES`, or one with fields changed."""

    def hash_at(level: int, place: int) -> bytes:
        return root_of(LEAVES[place << level : (place + 1) << level])

    fields: dict[str, Any] = {
        "index": entry,
        "hashes": inclusion_proof(entry, len(LEAVES), hash_at),
        "checkpoint": signed(checkpoint().body(), (LOG, LOG_KEY)),
    }
    return LogProof(**(fields | changes))


def test_verifies_the_published_note_of_go() -> None:
    """The key and the note of Go's documentation are read, verified and written as they were."""
    key = parse_vkey(GO_VKEY)
    note = parse_note(GO_NOTE)

    verify_note(note, key, ed25519)
    assert key.vkey() == GO_VKEY
    assert note.encode() == GO_NOTE


def test_reads_the_published_checkpoint() -> None:
    """The example of the checkpoint specification is read and written as it was."""
    note = parse_note(C2SP_CHECKPOINT)
    read = parse_checkpoint(note.text)

    assert (read.origin, read.size) == ("example.com/behind-the-sofa", 20852163)
    assert read.body() == note.text
    assert note.encode() == C2SP_CHECKPOINT


def test_key_id_is_the_specified_hash() -> None:
    """The key id is the start of SHA-256 over name, newline, type and key."""
    expected = sha256(ORIGIN.encode() + b"\x0a\x01" + LOG_KEY.public).digest()[:4]

    assert LOG_KEY.key_id() == expected
    assert parse_vkey(LOG_KEY.vkey()) == LOG_KEY


@pytest.mark.parametrize(
    "line",
    [
        "",
        "name",
        "name+c74f20a3",
        GO_VKEY.replace("PeterNeumann", ""),
        GO_VKEY.replace("PeterNeumann", "Peter Neumann"),
        GO_VKEY.replace("PeterNeumann", "PeterNewman"),
        GO_VKEY.replace("c74f20a3", "C74F20A3"),
        GO_VKEY.replace("c74f20a3", "c74f20a4"),
        GO_VKEY.replace("c74f20a3", "c74f20a3 "),
        GO_VKEY + "\n",
        GO_VKEY + "=",
        GO_VKEY[:-4],
        "name+00000000+" + b64encode(b"\x02" + bytes(32)).decode(),
        "name+00000000+é",
    ],
)
def test_refuses_keys_in_any_other_form(line: str) -> None:
    """A key line that is not exactly as it would be written is refused."""
    with pytest.raises(NoteError):
        parse_vkey(line)


def test_a_signature_line_is_the_specified_one() -> None:
    """An em dash, the name, and base64 of key id and signature make the line."""
    line = signature_line("a.example", b"\x00\x01\x02\x03", b"\xff" * 2)

    assert line == b"\xe2\x80\x94 a.example " + b64encode(b"\x00\x01\x02\x03\xff\xff") + b"\n"
    assert Signature(name="a.example", key_id=b"\x00\x01\x02\x03", signature=b"\xff" * 2).line() == line


def test_lines_of_unknown_keys_are_ignored() -> None:
    """A note verifies by the wanted key, whatever else stands under it and wherever."""
    same_name = Signature(name=ORIGIN, key_id=b"else", signature=b"broken")
    same_id = Signature(name="else.example", key_id=LOG_KEY.key_id(), signature=b"broken")
    good = signed(b"text\n", (OTHER, OTHER_KEY), (LOG, LOG_KEY))
    note = SignedNote(text=good.text, signatures=(same_name, same_id, *good.signatures))

    verify_note(parse_note(note.encode()), LOG_KEY, ed25519)


def test_a_note_without_the_wanted_key_is_refused() -> None:
    """Signatures of others are no signature of ours."""
    with pytest.raises(NoteError, match="not signed"):
        verify_note(signed(b"text\n", (OTHER, OTHER_KEY)), LOG_KEY, ed25519)


def test_a_changed_text_is_refused() -> None:
    """The signature is over exactly the text."""
    note = signed(b"text\n", (LOG, LOG_KEY))

    with pytest.raises(NoteError, match="does not verify"):
        verify_note(SignedNote(text=b"Text\n", signatures=note.signatures), LOG_KEY, ed25519)


@pytest.mark.parametrize("order", [1, -1])
def test_a_broken_line_beside_a_good_one_is_refused(order: int) -> None:
    """A note with two lines that claim the wanted key needs both to verify."""
    good = signed(b"text\n", (LOG, LOG_KEY)).signatures[0]
    broken = Signature(name=good.name, key_id=good.key_id, signature=good.signature[::-1])

    with pytest.raises(NoteError, match="does not verify"):
        verify_note(SignedNote(text=b"text\n", signatures=(good, broken)[::order]), LOG_KEY, ed25519)


def test_a_note_may_hold_empty_lines_and_dashes() -> None:
    """The text ends at the last empty line, even when it looks like a note itself."""
    text = GO_NOTE + b"\n\n"
    note = signed(text, (LOG, LOG_KEY))

    assert parse_note(note.encode()) == note


LINE = signature_line("a.example", b"0123", b"signature")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n",
        b"text\n",
        b"text\n\n",
        b"text\n\n\n",
        b"text\n" + LINE,
        b"text\n\n" + LINE[:-1],
        b"text\n\n" + LINE + b"\n",
        b"text\n\n" + LINE + b" ",
        b"text\n\n" + LINE.replace(b"\n", b"\r\n"),
        b"te\x00xt\n\n" + LINE,
        b"te\txt\n\n" + LINE,
        b"te\xffxt\n\n" + LINE,
        b"text\n\n" + LINE.replace("—".encode(), b"-"),
        b"text\n\n" + LINE.replace("— ".encode(), "—".encode()),
        b"text\n\n" + LINE.replace("— ".encode(), "—  ".encode()),
        b"text\n\n" + LINE.replace("— ".encode(), "— — ".encode()),
        b"text\n\n" + LINE.replace(b"a.example", b"a+b"),
        b"text\n\n" + LINE.replace(b"a.example", "a\u00a0b".encode()),
        b"text\n\n" + LINE.replace(b"a.example", "a\u2028b".encode()),
        b"text\n\n" + LINE.replace(b"a.example", b"a\xffb"),
        b"text\n\n" + LINE.replace(b"a.example", b""),
        b"text\n\n" + LINE.replace(b"=", b""),
        b"text\n\n" + LINE.replace(b"\n", b"=\n"),
        b"text\n\n" + signature_line("a.example", b"0123", b""),
        b"text\n\n" + signature_line("a.example", b"012", b""),
        b"text\n\n" + LINE * (MAX_SIGNATURES + 1),
        b"x" * MAX_NOTE_BYTES + b"\n\n" + LINE,
    ],
)
def test_refuses_notes_in_any_other_form(data: bytes) -> None:
    """What is not exactly a note is refused, be it off by one byte."""
    with pytest.raises(NoteError):
        parse_note(data)


@pytest.mark.parametrize(
    "build",
    [
        lambda: SignedNote(text=b"no newline", signatures=signed(b"\n", (LOG, LOG_KEY)).signatures),
        lambda: SignedNote(text=b"\xff\n", signatures=signed(b"\n", (LOG, LOG_KEY)).signatures),
        lambda: SignedNote(text=b"\r\n", signatures=signed(b"\n", (LOG, LOG_KEY)).signatures),
        lambda: SignedNote(text=b"unsigned\n", signatures=()),
        lambda: SignedNote(text=b"\n", signatures=signed(b"\n", (LOG, LOG_KEY)).signatures * 101),
        lambda: VerifierKey(name="", public=bytes(32)),
        lambda: VerifierKey(name="a b", public=bytes(32)),
        lambda: VerifierKey(name="a\nb", public=bytes(32)),
        lambda: VerifierKey(name="\ud800", public=bytes(32)),
        lambda: VerifierKey(name="a", public=bytes(31)),
        lambda: Signature(name="a+b", key_id=bytes(4), signature=b"s"),
        lambda: Signature(name="a", key_id=bytes(3), signature=b"s"),
        lambda: Signature(name="a", key_id=bytes(4), signature=b""),
        lambda: Checkpoint(origin="", size=0, root=bytes(32)),
        lambda: Checkpoint(origin="a\n1", size=0, root=bytes(32)),
        lambda: Checkpoint(origin="a", size=-1, root=bytes(32)),
        lambda: Checkpoint(origin="a", size=2**63, root=bytes(32)),
        lambda: Checkpoint(origin="a", size=0, root=bytes(33)),
        lambda: proof_of(0, index=-1),
        lambda: proof_of(0, index=len(LEAVES)),
        lambda: proof_of(0, checkpoint=signed(b"text\n", (LOG, LOG_KEY))),
        lambda: proof_of(0, hashes=(bytes(31),)),
        lambda: proof_of(0, hashes=(bytes(32),) * 64),
    ],
)
def test_cannot_build_what_could_not_be_read(build: Callable[[], object]) -> None:
    """A value that has no written form cannot be built."""
    with pytest.raises(NoteError):
        build()


def test_a_checkpoint_is_three_lines() -> None:
    """Origin, size and root stand on one line each, and read back."""
    assert checkpoint().body() == b"log.example/orders\n11\n" + b64encode(root_of(LEAVES)) + b"\n"
    assert parse_checkpoint(checkpoint().body()) == checkpoint()
    assert parse_checkpoint(checkpoint(0).body()).size == 0


ROOT_LINE = b64encode(bytes(32))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"log\n1\n",
        b"log\n1\n" + ROOT_LINE,
        b"log\n1\n" + ROOT_LINE + b"\nextension\n",
        b"log\n1\n" + ROOT_LINE + b"\n\n",
        b"\n1\n" + ROOT_LINE + b"\n",
        b"lo g\n1\n" + ROOT_LINE + b"\n",
        b"log\n\n" + ROOT_LINE + b"\n",
        b"log\n01\n" + ROOT_LINE + b"\n",
        b"log\n+1\n" + ROOT_LINE + b"\n",
        b"log\n-1\n" + ROOT_LINE + b"\n",
        b"log\n1 \n" + ROOT_LINE + b"\n",
        b"log\n1_0\n" + ROOT_LINE + b"\n",
        b"log\n\xd9\xa1\n" + ROOT_LINE + b"\n",
        b"log\n9223372036854775808\n" + ROOT_LINE + b"\n",
        b"log\n" + b"9" * 5000 + b"\n" + ROOT_LINE + b"\n",
        b"log\n1\n" + ROOT_LINE[:-1] + b"\n",
        b"log\n1\n" + ROOT_LINE.replace(b"A=", b"B=") + b"\n",
        b"log\n1\n" + b64encode(bytes(31)) + b"\n",
        b"log\n1\n" + ROOT_LINE + b"\r\n",
        b"log\xff\n1\n" + ROOT_LINE + b"\n",
    ],
)
def test_refuses_checkpoints_in_any_other_form(body: bytes) -> None:
    """A size with a zero in front, an extension line, a loose end of base64: each is refused."""
    with pytest.raises(NoteError):
        parse_checkpoint(body)


def test_opens_the_checkpoint_of_the_named_log_only() -> None:
    """A key vouches for the log of its own name, not for another it happened to sign."""
    good = signed(checkpoint().body(), (LOG, LOG_KEY))
    foreign = signed(checkpoint(origin="other.example").body(), (LOG, LOG_KEY))

    assert open_checkpoint(good, LOG_KEY, ed25519) == checkpoint()
    with pytest.raises(NoteError, match=r"other\.example"):
        open_checkpoint(foreign, LOG_KEY, ed25519)
    with pytest.raises(NoteError, match="does not verify"):
        open_checkpoint(good, LOG_KEY, lambda *_: False)


def test_a_proof_file_is_the_specified_one() -> None:
    """Header, extra data, index, hashes, an empty line and the checkpoint stand in this order."""
    proof = proof_of(3, extra=b"context")
    lines = [
        "c2sp.org/tlog-proof@v1",
        "extra " + b64encode(b"context").decode(),
        "index 3",
        *(b64encode(each).decode() for each in proof.hashes),
        "",
        "",
    ]

    assert proof.encode() == "\n".join(lines).encode() + proof.checkpoint.encode()


@pytest.mark.proves("log.proof_offline")
@pytest.mark.parametrize("extra", [None, b"", b"context"])
@pytest.mark.parametrize("index", range(len(LEAVES)))
def test_a_proof_file_proves_its_entry_offline(index: int, extra: bytes | None) -> None:
    """From the file and the key of the log alone, each entry is shown to be in the log."""
    proof = proof_of(index, extra=extra)
    read = parse_proof(proof.encode())

    assert read == proof
    assert verify_proof(read, LEAVES[index], LOG_KEY, ed25519) == checkpoint()


@pytest.mark.proves("log.proof_offline")
def test_a_proof_file_proves_nothing_else() -> None:
    """Another entry, another index and a checkpoint by another key are refused."""
    proof = proof_of(3)
    with pytest.raises(ProofError):
        verify_proof(proof, LEAVES[4], LOG_KEY, ed25519)
    with pytest.raises(ProofError):
        verify_proof(proof_of(3, index=4), LEAVES[3], LOG_KEY, ed25519)
    with pytest.raises(NoteError):
        verify_proof(proof, LEAVES[3], OTHER_KEY, ed25519)


def test_a_log_of_one_entry_needs_no_hashes() -> None:
    """The proof of the only entry has no hash lines, and reads back."""
    proof = LogProof(index=0, hashes=(), checkpoint=signed(checkpoint(1).body(), (LOG, LOG_KEY)))

    assert verify_proof(parse_proof(proof.encode()), LEAVES[0], LOG_KEY, ed25519).size == 1


PROOF = proof_of(3).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"c2sp.org/tlog-proof@v1\n",
        b"c2sp.org/tlog-proof@v1\n\n" + PROOF.partition(b"\n\n")[2],
        PROOF.replace(b"@v1", b"@v2"),
        PROOF.replace(b"index 3", b"index 03"),
        PROOF.replace(b"index 3", b"index"),
        PROOF.replace(b"index 3", b"index  3"),
        PROOF.replace(b"index 3", b"index 3 "),
        PROOF.replace(b"index 3\n", b"index 3\nextra AAAA\n"),
        PROOF.replace(b"index 3\n", b"extra AAAA\nextra AAAA\nindex 3\n"),
        PROOF.replace(b"index 3\n", b"extra AAA\nindex 3\n"),
        PROOF.replace(b"index 3\n", b"extra\nindex 3\n"),
        PROOF.replace(b"index 3\n", b"index 3\nAAAA\n"),
        PROOF.replace(b"index 3\n", b"index 3\n" + (ROOT_LINE + b"\n") * 64),
        PROOF.replace(b"index 3\n", b"index 3\n\n"),
        PROOF.replace(b"index 3\n", b"index 3\r\n"),
        PROOF[:-1],
        PROOF + b"\n",
        b"\n" + PROOF,
        PROOF + b"\xff\n",
        b"x" * MAX_NOTE_BYTES + PROOF,
    ],
)
def test_refuses_proof_files_in_any_other_form(data: bytes) -> None:
    """What is not exactly a proof file is refused, be it off by one byte."""
    with pytest.raises(NoteError):
        parse_proof(data)


def mangled(*samples: bytes) -> st.SearchStrategy[bytes]:
    """Give any bytes at all, and good examples with one stretch replaced."""

    def replace(sample: bytes, place: int, length: int, patch: bytes) -> bytes:
        place %= len(sample) + 1
        return sample[:place] + patch + sample[place + length :]

    patch = st.binary(max_size=8) | st.text(alphabet="\n\r — +=0A\u2028", max_size=4).map(str.encode)
    return st.binary(max_size=200) | st.builds(
        replace, st.sampled_from(samples), st.integers(0, 2000), st.integers(0, 80), patch
    )


@pytest.mark.proves("log.parsers_closed")
@given(mangled(GO_NOTE, C2SP_CHECKPOINT, proof_of(3).checkpoint.encode()))
def test_hostile_notes_give_a_typed_error(data: bytes) -> None:
    """Any bytes are the one form of some note, or NoteError; so is its text as a checkpoint."""
    try:
        note = parse_note(data)
        assert note.encode() == data
        assert parse_checkpoint(note.text).body() == note.text
    except NoteError:
        return


@pytest.mark.proves("log.parsers_closed")
@given(mangled(proof_of(3).encode(), proof_of(0, extra=b"context").encode()))
def test_hostile_proof_files_give_a_typed_error(data: bytes) -> None:
    """Any bytes are the one form of some proof, or NoteError; a proof still holds only as it was, or for its extra."""
    try:
        proof = parse_proof(data)
    except NoteError:
        return
    assert proof.encode() == data
    try:
        verify_proof(proof, LEAVES[3], LOG_KEY, ed25519)
    except (NoteError, ProofError):
        return
    assert (proof.index, proof.hashes) == (3, proof_of(3).hashes)


@pytest.mark.proves("log.parsers_closed")
@given(st.text(max_size=120) | mangled(GO_VKEY.encode()).map(lambda data: data.decode(errors="surrogateescape")))
def test_hostile_key_lines_give_a_typed_error(line: str) -> None:
    """Any text is the one form of some key, or NoteError."""
    try:
        key = parse_vkey(line)
    except NoteError:
        return
    assert key.vkey() == line


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="+"), min_size=1)


@given(NAMES, st.binary(min_size=32, max_size=32), st.binary(min_size=1, max_size=80))
def test_any_name_can_sign(name: str, public: bytes, signature: bytes) -> None:
    """Keys and notes with any permitted name read back."""
    key = VerifierKey(name=name, public=public)
    line = Signature(name=name, key_id=key.key_id(), signature=signature)
    note = SignedNote(text=f"{name}\n".encode(), signatures=(line,))

    assert parse_vkey(key.vkey()) == key
    assert parse_note(note.encode()) == note
