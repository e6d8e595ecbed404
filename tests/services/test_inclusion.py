"""Proofs out of the log: each one given holds, anywhere, and none is given that does not."""

from base64 import b64decode
from functools import partial

import anyio
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.keys import fresh, verify
from interlock.domain.dsse import DsseError
from interlock.domain.entry_proof import EntryProof, check_entry_proof, parse_entry_proof
from interlock.domain.errors import IntegrityError, NotFound
from interlock.domain.ids import ActionId
from interlock.domain.merkle import ProofError, check_consistency, root_of
from interlock.domain.note import Checkpoint, NoteError, VerifierKey, open_checkpoint, parse_note, parse_proof
from interlock.domain.tiles import WIDTH
from interlock.services.inclusion import continuation, proof_of_action, proof_of_entry
from tests.domain.leaves import Leaves, signed
from tests.domain.logs import KEYS, OpenLog, filled

LOG, GATE = KEYS.log.verifier, KEYS.gate.verifier


def _opened(note: str, key: VerifierKey = LOG) -> Checkpoint:
    return open_checkpoint(parse_note(note.encode()), key, verify)


def prove(log: OpenLog, index: int, note: str | None = None) -> EntryProof:
    """Entry `index`."""
    return anyio.run(partial(proof_of_entry, log, index, _opened, note=note))


def check(proof: EntryProof, log_key: VerifierKey = LOG, gate_key: VerifierKey = GATE) -> Checkpoint:
    """With public keys alone."""
    return check_entry_proof(proof, (log_key,), (gate_key,), verify)


@pytest.fixture(name="log", scope="module")
def _log() -> OpenLog:
    return filled(300)


@pytest.mark.proves("log.entry_proof")
@pytest.mark.parametrize("index", [0, 1, 128, 255, 256, 299])
def test_a_proof_holds_with_public_keys_alone(log: OpenLog, index: int) -> None:
    """Whatever entry it is of, its file carries all that is needed, and says what it is about."""
    proof = prove(log, index)
    again = parse_entry_proof(proof.text.encode())

    assert again == proof
    assert check(again).size == 300
    assert (proof.index, proof.size, proof.origin, proof.phase) == (index, 300, "test/log", log.rows[index].phase)
    assert proof.observed_at == "2027-01-15T08:00:00.000Z"
    assert proof.action_id == (log.rows[index].action or "")


@pytest.mark.proves("log.entry_proof")
def test_any_changed_character_of_a_proof_is_noticed(log: OpenLog) -> None:
    """No character of the file can be exchanged without its being refused."""
    text = prove(log, 256).text
    for place in range(0, len(text), 7):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with pytest.raises((NoteError, ProofError, DsseError)):
            check(parse_entry_proof(changed.encode()))


@settings(max_examples=100)
@given(st.data())
def test_what_is_no_proof_is_refused_in_our_words(log: OpenLog, data: st.DataObject) -> None:
    """Bytes that are no proof, or were one before something was cut out, put in or doubled, are refused by one of three errors,
    and by no other; only the very proof holds."""
    true = prove(log, 7).text.encode()
    start = data.draw(st.integers(0, len(true)))
    end = data.draw(st.integers(start, min(len(true), start + 200)))
    filling = data.draw(
        st.sampled_from([b"", b"\n", b"\n\n", b"A", b"\xff", b"9" * 400, b"extra AA==\n", true[start:end] * 2])
    )
    changed = true[:start] + filling + true[end:]

    assert bool(_refusal(changed)) == (changed != true)


def _refusal(data: bytes) -> str:
    """Why it is refused, empty where it holds."""
    try:
        check(parse_entry_proof(data))
    except (NoteError, ProofError, DsseError) as error:
        return str(error) or "without a word"
    return ""


def test_words_that_cannot_be_written_are_no_proof(log: OpenLog) -> None:
    """Half of a surrogate pair in a proof that was made up is refused like anything else."""
    with pytest.raises(NoteError, match="not text"):
        check(msgspec.structs.replace(prove(log, 7), text="\ud800"))


@pytest.mark.proves("log.entry_proof")
def test_keys_of_others_do_not_do(log: OpenLog) -> None:
    """Another log's key, another gate's key, or none, is refused by name."""
    proof = prove(log, 7)
    with pytest.raises(NoteError, match=r"is not signed by|does not verify"):
        check(proof, log_key=fresh("test/log").verifier)
    with pytest.raises(DsseError, match="by none of the gate's keys"):
        check(proof, gate_key=fresh("test/log/gate").verifier)
    with pytest.raises(NoteError, match="no key"):
        check_entry_proof(proof, (), (GATE,), verify)


def test_what_is_said_beside_a_proof_does_not_count(log: OpenLog) -> None:
    """A proof whose words were changed, and not its file, is refused."""
    proof = msgspec.structs.replace(prove(log, 7), phase="refused")

    with pytest.raises(NoteError, match="is not what stands in it"):
        check(proof)


def test_a_proof_of_another_entry_under_the_same_hashes_is_refused(log: OpenLog) -> None:
    """An entry cannot be exchanged for another of the same gate."""
    mine, other = parse_proof(prove(log, 7).text.encode()), parse_proof(prove(log, 8).text.encode())
    swapped = msgspec.structs.replace(mine, extra=other.extra)

    with pytest.raises(ProofError):
        check(parse_entry_proof(swapped.encode()))


@pytest.mark.proves("log.entry_proof")
def test_an_action_is_proven_by_its_last_entry(log: OpenLog) -> None:
    """The proof of an action is of the latest thing recorded of it; under an older checkpoint, of the latest that covers."""
    last = max(row.index for row in log.rows if row.action == "a-3")
    proof = anyio.run(proof_of_action, log, ActionId("a-3"), _opened)
    older = filled(100)
    earlier = anyio.run(partial(proof_of_action, log, ActionId("a-3"), _opened, note=_kept(log, 100)))

    assert (proof.index, proof.action_id) == (last, "a-3")
    assert (earlier.index, earlier.size) == (
        max(row.index for row in older.rows if row.action == "a-3"),
        100,
    )
    assert check(proof).size == 300
    assert check(earlier).size == 100


def _kept(log: OpenLog, size: int) -> str:
    """A checkpoint as it was at `size`."""
    before = OpenLog(log.keys)
    before.rows = log.rows[:size]
    note = before.close().note
    assert note is not None
    return note


def test_what_is_not_there_is_not_proven(log: OpenLog) -> None:
    """An entry that was never recorded, or stands after the checkpoint, and an unknown action have no proof."""
    for index in (-1, 300, 10**12):
        with pytest.raises(NotFound, match="it has 300"):
            prove(log, index)
    with pytest.raises(NotFound, match="stands after the 100"):
        prove(log, 100, note=_kept(log, 100))
    with pytest.raises(NotFound, match="no entry of action"):
        anyio.run(proof_of_action, log, ActionId("nobody"), _opened)
    with pytest.raises(NotFound, match="it has 0"):
        prove(OpenLog(), 0)


@pytest.mark.proves("log.entry_proof")
def test_a_damaged_log_gives_an_error_and_no_proof() -> None:
    """A changed entry, a changed hash, a missing tile or a head of others: no proof is given that would fail elsewhere."""
    log = filled(300)
    log.change(7, leaf=log.rows[8].leaf)
    with pytest.raises(IntegrityError, match="cannot be proven"):
        prove(log, 7)
    log = filled(300)
    log.tiled[6] = bytes(32)
    with pytest.raises(IntegrityError, match="cannot be proven"):
        prove(log, 7)
    log = filled(300)
    log.missing_tiles.add((0, 0))
    with pytest.raises(IntegrityError, match="missing"):
        prove(log, 7)
    log.note = signed(300, root_of(log.tiled))
    with pytest.raises(IntegrityError, match="cannot be used"):
        prove(log, 7)


@pytest.mark.proves("log.continues")
@settings(max_examples=40)
@given(st.data())
def test_a_log_continues_every_one_of_its_pasts(data: st.DataObject) -> None:
    """For any two sizes there is a proof, which holds by itself."""
    new = data.draw(st.integers(1, 600))
    old = data.draw(st.integers(0, new))
    made = anyio.run(continuation, Leaves(600), old, new)
    hashes = [b64decode(each) for each in made.hashes]

    check_consistency(old, new, Leaves(old).root, Leaves(new).root, hashes)
    assert (made.old_root, made.new_root) == (Leaves(old).root.hex(), Leaves(new).root.hex())


@pytest.mark.proves("log.continues")
def test_a_log_does_not_continue_another_past() -> None:
    """A checkpoint over other entries, of another log, or of more entries than there are is named, not passed over."""
    log = Leaves(600)
    forged = Leaves(300, word="forged")
    for kept, said in (
        (Checkpoint(origin="test/log", size=300, root=forged.root), "was signed over"),
        (Checkpoint(origin="other/log", size=300, root=Leaves(300).root), "was signed over"),
        (Checkpoint(origin="test/log", size=601, root=Leaves(601).root), "it is an older copy, or its end was cut off"),
    ):
        with pytest.raises(IntegrityError, match=said):
            anyio.run(continuation, log, kept)
    log.levels[0][WIDTH + 1] = bytes(32)
    with pytest.raises(IntegrityError):
        anyio.run(continuation, log, 300, Checkpoint(origin="test/log", size=600, root=log.root))


def test_sizes_are_given_in_order() -> None:
    """The old size comes first, and no log is of a negative one."""
    for old, new in ((5, 4), (0, 601), (-1, 3)):
        with pytest.raises(NotFound):
            anyio.run(continuation, Leaves(600), old, new)
    with pytest.raises(NotFound, match="empty"):
        anyio.run(continuation, Leaves(0), 0)
