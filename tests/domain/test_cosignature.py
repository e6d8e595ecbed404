"""Cosignatures: what is signed, byte for byte as the format says, and what counts as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.keys import fresh
from interlock.adapters.witness import WitnessKey, check_ed25519
from interlock.domain.cosignature import (
    MLDSA44,
    CosignerKey,
    cosignatures,
    cosigned_text,
    parse_cosigner,
    timestamped,
)
from interlock.domain.note import Checkpoint, NoteError, SignedNote, parse_note, signature_line

LOG = fresh("a.example/log")
WITNESS = WitnessKey("w.example/w1", bytes(range(32)))
CHECKPOINT = Checkpoint(origin="a.example/log", size=7, root=bytes(32))


def _note(*lines: bytes) -> SignedNote:
    body = CHECKPOINT.body()
    own = signature_line(LOG.verifier.name, LOG.verifier.key_id(), LOG.sign(body))
    return parse_note(b"".join([body, b"\n", own, *lines]))


def test_what_is_signed_is_what_the_format_says() -> None:
    """Ed25519 signs the time and the three lines; ML-DSA-44 signs name, time, origin, the range and the root."""
    pq = CosignerKey(name="w", public=bytes(1312), kind=MLDSA44)

    assert cosigned_text(WITNESS.key, 1679315147, CHECKPOINT) == (
        b"cosignature/v1\ntime 1679315147\na.example/log\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    )
    assert cosigned_text(pq, 258, CHECKPOINT) == (
        b"subtree/v1\n\0"
        b"\x01w" + bytes(6) + b"\x01\x02" + b"\x0da.example/log" + bytes(8) + bytes(7) + b"\x07" + bytes(32)
    )
    assert len(timestamped(1, bytes(64))) == 72


@pytest.mark.proves("witness.cosignature")
def test_the_latest_cosignature_of_each_known_key_counts() -> None:
    """Lines of strangers are ignored; of two by one key the later time counts; each says when it was made."""
    stranger = WitnessKey("w.example/w1", bytes(32))
    note = _note(*(key.cosign(CHECKPOINT, at) for key, at in ((WITNESS, 5), (stranger, 9), (WITNESS, 4))))
    found = cosignatures(note, [WITNESS.key], check_ed25519)

    assert [(each.key, each.at_s) for each in found] == [(WITNESS.key, 5)]
    assert cosignatures(note, [], check_ed25519) == ()
    assert parse_cosigner(WITNESS.key.vkey()) == WITNESS.key


@pytest.mark.proves("witness.cosignature")
@given(flip=st.integers(0, 8 * 72 - 1))
def test_any_changed_bit_of_a_cosignature_is_refused(flip: int) -> None:
    """Whichever bit of time or signature differs: the note counts for nothing."""
    line = bytearray(parse_note(CHECKPOINT.body() + b"\n" + WITNESS.cosign(CHECKPOINT, 2**40)).signatures[0].signature)
    line[flip // 8] ^= 1 << flip % 8
    note = _note(signature_line(WITNESS.key.name, WITNESS.key.key_id(), bytes(line)))
    with pytest.raises(NoteError):
        cosignatures(note, [WITNESS.key], check_ed25519)


def test_a_cosignature_is_good_for_its_own_checkpoint_only() -> None:
    """Moved under another root, cut short, or in the log's own kind it does not verify."""
    other = Checkpoint(origin="a.example/log", size=7, root=bytes([1]) * 32)
    short = signature_line(WITNESS.key.name, WITNESS.key.key_id(), bytes(71))
    for line in (WITNESS.cosign(other, 5), short):
        with pytest.raises(NoteError):
            cosignatures(_note(line), [WITNESS.key], check_ed25519)
    assert LOG.verifier.key_id() != CosignerKey(name=LOG.verifier.name, public=LOG.verifier.public).key_id()


@pytest.mark.parametrize(
    "line",
    ["", "a+b", "w+00000000+BAAA", f"{WITNESS.key.vkey()}x", LOG.verifier.vkey(), "a b+0+0"],
    ids=["nothing", "no key", "too short", "too long", "a log's", "spaces"],  # keys are fresh: their text is no name
)
def test_what_is_no_cosigners_key_is_refused(line: str) -> None:
    """A key of another kind or length, or with an id that is not its own, is refused."""
    with pytest.raises(NoteError):
        parse_cosigner(line)
