"""Keys that replace each other: followed from any of them that is trusted, and believed only where they were in force."""

from functools import partial
from typing import Any

import anyio
import msgspec
import pytest

from interlock.adapters.keys import Keys, fresh, verify
from interlock.adapters.sealer import Handover, LogSealer
from interlock.domain import dsse
from interlock.domain.canonical import encode
from interlock.domain.change import Change
from interlock.domain.errors import KeyFileError
from interlock.domain.evidence import Entry, Fact, Position, Verification
from interlock.domain.ids import ActionId, StreamId
from interlock.domain.key_facts import introduction, rotation
from interlock.domain.keyring import keyid
from interlock.domain.merkle import leaf_hash
from interlock.domain.packet import verify_packet
from interlock.services.verifying import packet_of, verify_log
from interlock.testing.conformance.making import action, fact
from tests.domain.logs import OpenLog
from tests.domain.rotations import IDS, NOW, ORIGIN, Rotated, done


def _verified(log: Any, keys: Keys, **options: Any) -> Verification:
    work = partial(verify_log, log, keys.log.verifier, (keys.gate.verifier,), verify, **options)
    return anyio.run(work).verification


def _problems(log: Any, keys: Keys, **options: Any) -> list[tuple[str, str]]:
    return [(each.place, each.problem) for each in _verified(log, keys, **options).findings]


@pytest.fixture(name="log", scope="module")
def _log() -> Rotated:
    """0 introduces, 1-2 facts, 3 gate rotated, 4-5 facts, 6 log rotated, 7-8 facts."""
    made = Rotated()
    made.add(2)
    made.handover("gate")
    made.add(2)
    made.handover("log")
    made.add(2)
    return made


def _open(log: Rotated) -> OpenLog:
    """The same log, to be worked on."""
    opened = OpenLog(log.keys)
    opened.rows = list(anyio.run(log.store.entries, 0, 100))
    opened.tiled = [row.leaf_hash for row in opened.rows]
    opened.note = log.note(len(opened.rows))
    return opened


@pytest.mark.proves("keys.followed")
def test_a_log_is_followed_from_any_of_its_keys(log: Rotated) -> None:
    """Whether the first keys, the last or one of each are trusted: all signatures are checked and nothing is found."""
    mixed = Keys(log=log.first.log, gate=log.keys.gate)
    for trusted in (log.first, log.keys, mixed):
        found = _verified(log.store, trusted, retained=[log.note(3), log.note(7), log.note(8)])

        assert found.findings == ()
        assert (found.size, found.signatures) == (9, 9)
        assert [(each.role, each.first, each.last) for each in found.keys] == [
            ("log", 0, 6),
            ("log", 7, None),
            ("gate", 0, 3),
            ("gate", 4, None),
        ]


@pytest.mark.proves("keys.followed")
def test_a_packet_brings_the_keys_along() -> None:
    """Packets from before and after rotations verify with the first keys and with the last, and with no others."""
    log = Rotated()
    early = log.add()
    log.handover("gate")
    log.handover("log")
    late = log.add()
    for about in (early, late):
        packet = anyio.run(packet_of, log.store, ActionId(about))
        again = msgspec.json.decode(msgspec.json.encode(packet), type=type(packet))
        for trusted in (log.first, log.keys):
            assert verify_packet(again, trusted.log.verifier, (trusted.gate.verifier,), verify).findings == ()
        stranger = Keys(log=fresh(ORIGIN), gate=log.first.gate)
        found = verify_packet(again, stranger.log.verifier, (stranger.gate.verifier,), verify).findings
        assert any("is or leads to the one that is trusted" in each.problem for each in found)


@pytest.mark.proves("keys.followed")
def test_strangers_are_not_led_to(log: Rotated) -> None:
    """Who trusts a key that is not among the log's, or another gate's, is told so."""
    other_log = Keys(log=fresh(ORIGIN), gate=log.first.gate)
    other_gate = Keys(log=log.first.log, gate=fresh(f"{ORIGIN}/gate"))

    assert "no key of this log" in _problems(log.store, other_log)[0][1]
    assert "no key of its gate" in _problems(log.store, other_gate)[0][1]


@pytest.mark.proves("keys.windows")
@pytest.mark.parametrize(
    ("index", "which", "said"), [(7, "first", "from entry 0 to 3"), (1, "last", "whom nobody named")]
)
def test_a_key_counts_only_where_it_was_in_force(log: Rotated, index: int, which: str, said: str) -> None:
    """An entry signed by the gate's key before it was put in force, or after it was replaced, is found and named."""
    opened = _open(log)
    key = (log.first if which == "first" else log.keys).gate
    envelope = dsse.parse(opened.rows[index].leaf)
    signature = dsse.Signature(
        keyid=keyid(key.verifier), sig=key.sign(dsse.pae(envelope.payload_type, envelope.payload))
    )
    leaf = dsse.encode(msgspec.structs.replace(envelope, signatures=(signature,)))
    opened.change(index, leaf=leaf, leaf_hash=leaf_hash(leaf))
    opened.close()

    assert any(place == f"entry {index}" and said in problem for place, problem in _problems(opened, log.first))


@pytest.mark.proves("keys.windows")
def test_a_checkpoint_is_signed_by_the_key_in_force_at_its_end(log: Rotated) -> None:
    """The replaced key of the log signs no later checkpoint; the one that covers its replacement it must sign itself."""
    opened = _open(log)
    opened.keys = log.first
    opened.close()
    assert _problems(opened, log.first)[0][0] == "checkpoint"

    short = _open(log)
    short.rows, short.keys = short.rows[:7], log.keys
    short.close()
    assert "not signed by" in _problems(short, log.first)[0][1]
    short.keys = log.first
    assert _problems(short.close(), log.first) == []


@pytest.mark.proves("keys.retained")
def test_a_checkpoint_that_was_kept_says_what_its_signature_means(log: Rotated) -> None:
    """One of a later key says that the end is missing, with the change of keys; one that a replaced key signed after its place
    that a copy went on or a key was stolen; one of another log, that it is of another."""
    short = _open(log)
    short.rows, short.keys = short.rows[:6], log.first
    short.close()

    def said(opened: OpenLog, note: str) -> str:
        return " ".join(each.problem for each in _verified(opened, log.first, retained=[note]).findings)

    later, fork = log.note(len(_open(log).rows)), _open(log)
    fork.keys = log.first
    fork.close()
    assert fork.note is not None
    assert "by a later key, and the end of the log is missing here" in said(short, later)
    stolen = said(_open(log), fork.note)
    assert "was replaced in entry" in stolen
    assert "a copy of this log from before that went on" in stolen
    other = _open(log)
    other.keys = Keys(log=fresh(ORIGIN), gate=log.keys.gate)
    other.rows = other.rows[:3]
    other.close()
    assert other.note is not None
    assert "it is of another log of that name" in said(_open(log), other.note)
    assert said(_open(log), later) == ""


@pytest.mark.proves("keys.stolen_old_key")
def test_a_stolen_old_key_deceives_nobody_who_knows_the_new(log: Rotated) -> None:
    """A history that the replaced key signs as if it had never been replaced, or cut before that, is refused."""
    forged = OpenLog(log.first)
    forged.rows = list(anyio.run(log.store.entries, 0, 3))
    cut = OpenLog(log.first)
    cut.rows = list(anyio.run(log.store.entries, 0, 7))

    for deceiving, said in ((forged.close(), "no key of this log"), (cut.close(), "has replaced")):
        assert any(said in problem for _, problem in _problems(deceiving, log.keys))
        assert _problems(deceiving, log.first) == []


class Forging(Handover):
    """Signs a handover not as it should."""

    change: dict[str, str]

    def seal(self, fact: Fact, index: int, position: Position) -> Entry:
        """With some of the body changed after it was signed, and the envelope signed again."""
        entry = super().seal(fact, index, position)
        said = msgspec.json.decode(dsse.parse(entry.leaf).payload)
        said["predicate"].update(self.change)
        payload = encode(said)
        signature = dsse.Signature(
            keyid=keyid(self._keys.gate.verifier), sig=self._keys.gate.sign(dsse.pae(dsse.IN_TOTO, payload))
        )
        leaf = dsse.encode(dsse.Envelope(payload=payload, payload_type=dsse.IN_TOTO, signatures=(signature,)))
        return msgspec.structs.replace(entry, leaf=leaf, leaf_hash=leaf_hash(leaf))


@pytest.mark.proves("keys.endorsed")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"endorsement": ""}, "the old key did not sign"),
        ({"endorsement": "A" * 86 + "=="}, "the old key did not sign"),
        ({"possession": "no base64"}, "the new key did not sign"),
        ({"key": fresh(f"{ORIGIN}/gate").verifier.vkey()}, "the old key did not sign"),
        ({"key": fresh("other/gate").verifier.vkey()}, "of another name"),
        ({"key": "nonsense"}, "no key"),
        ({"replaces": fresh(f"{ORIGIN}/gate").verifier.vkey()}, "was not in force"),
        ({"role": "log"}, "was not in force"),
    ],
)
def test_a_handover_that_both_did_not_sign_is_not_followed(change: dict[str, str], said: str) -> None:
    """Whatever of a handover is not as both keys signed it is found at its entry, and the new key signs nothing."""
    log = Rotated()
    log.add()
    new = fresh(f"{ORIGIN}/gate")
    sealer = Forging(log.keys, "gate", new, StreamId(IDS.new()), IDS)
    sealer.change = change
    handing = log._first.again(sealer)
    done(handing.commit(Change(facts=(rotation(ORIGIN, "gate", log.keys.gate.verifier, new.verifier, NOW, {}),))))

    found = _problems(handing, log.first)
    assert found
    assert found[0][0] == "entry 2"
    assert said in found[0][1]


@pytest.mark.proves("keys.endorsed")
def test_a_handover_moved_to_another_place_is_not_followed(log: Rotated) -> None:
    """The signatures of one handover are good for no other place in the log."""
    opened = _open(log)
    opened.renumber([*opened.rows[:2], *opened.rows[3:5], opened.rows[2]])

    assert any(
        place == "entry 2" and "did not sign" in problem for place, problem in _problems(opened.close(), log.first)
    )


@pytest.mark.proves("keys.introduced")
def test_keys_are_introduced_once_and_first(log: Rotated) -> None:
    """The first entry of a log introduces its keys, and no later one can."""
    assert anyio.run(log.store.entries, 0, 1)[0].phase == "introduced"
    thief = Rotated()
    thief.add()
    other = fresh(ORIGIN)
    done(thief.store.commit(Change(facts=(introduction(other.verifier, thief.keys.gate.verifier, NOW),))))

    assert _problems(thief.store, thief.first) == [
        ("entry 2", "it introduces keys, which only the first entry of a log does")
    ]


@pytest.mark.proves("keys.old_refused")
@pytest.mark.parametrize("role", ["gate", "log"])
def test_who_holds_the_old_key_is_refused(role: Any) -> None:
    """After a rotation every process with the old key is refused: one that ran on, one that starts, the one that did it."""
    log = Rotated()
    log.add()
    running = log.again()
    handing, keys = log.handover(role)

    for store in (running, handing):
        for _ in range(2):
            with pytest.raises(KeyFileError):
                done(store.commit(Change(facts=(fact(action()),))))
    with pytest.raises(KeyFileError):
        log.again(log.first)
    log.add()
    assert _problems(log.store, log.first) == []
    assert _problems(log.store, keys) == []


def test_nothing_stands_behind_a_handover_in_its_transaction() -> None:
    """A handover is the last entry under its checkpoint: a change that would add another is refused whole."""
    log = Rotated()
    log.add()
    new = fresh(f"{ORIGIN}/gate")
    handing = log._first.again(Handover(log.keys, "gate", new, StreamId(IDS.new()), IDS))
    over = rotation(ORIGIN, "gate", log.keys.gate.verifier, new.verifier, NOW, {})
    with pytest.raises(KeyFileError):
        done(handing.commit(Change(facts=(over, fact(action())))))

    assert len(anyio.run(log.store.entries, 0, 9)) == 2


@pytest.mark.proves("keys.suspect")
def test_what_a_lost_key_signed_is_suspect() -> None:
    """Entries that a key signed after it may have been lost are named for ever; the others verify as before."""
    log = Rotated()
    log.add(4)
    log.handover("gate")
    log.retire("gate", log.first.gate, 3)
    log.retire("gate", log.first.gate, 4)
    log.handover("log")
    log.retire("log", log.first.log, 5)
    found = _verified(log.store, log.first)

    assert found.findings == ()
    assert [(each.role, each.first, each.last) for each in found.suspicions] == [("log", 5, 8), ("gate", 3, 5)]


def test_only_a_replaced_key_is_retired() -> None:
    """A retirement of a key in force, of a stranger, or from an entry to come is found and counts for nothing."""
    log = Rotated()
    log.add()
    log.retire("gate", log.first.gate, 0)
    log.retire("gate", fresh(f"{ORIGIN}/gate"), 0)
    found = _verified(log.store, log.first)

    assert [each.problem for each in found.findings] == ["it speaks of a key that was not replaced before it"] * 2
    assert found.suspicions == ()


def test_a_log_without_introduction_is_verified_with_what_is_trusted() -> None:
    """Who records without introducing keys is verified with the trusted keys, as ever."""
    plain = OpenLog(Keys(log=fresh(ORIGIN), gate=fresh(f"{ORIGIN}/gate")))
    sealer = LogSealer(plain.keys, StreamId("x"), IDS)
    plain.add("a-1")

    assert sealer.introduction(NOW) is None
    assert _problems(plain.close(), plain.keys) == []
