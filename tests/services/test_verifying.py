"""Verification: an honest log has no findings, and each way of tampering is found and named where it is."""

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.filing import text_of
from interlock.adapters.keys import Keys, fresh, verify
from interlock.domain import dsse
from interlock.domain.account import told
from interlock.domain.action import Action
from interlock.domain.canonical import encode
from interlock.domain.errors import IntegrityError, NotFound
from interlock.domain.evidence import Entry, Packet, Verification
from interlock.domain.ids import ActionId, StreamId
from interlock.domain.keyring import keyid
from interlock.domain.merkle import leaf_hash
from interlock.domain.note import VerifierKey
from interlock.domain.packet import verify_packet
from interlock.domain.trails import Trail, disagreement, latest_states
from interlock.domain.verification import LOST, MAX_FINDINGS
from interlock.services.verifying import LogReading, cross_check, packet_of, verify_log
from interlock.testing.world import World, contract
from tests.domain.logs import KEYS, OpenLog, filled

LOG, GATE = KEYS.log.verifier, KEYS.gate.verifier


def _verified(log: OpenLog, **options: Any) -> Verification:
    reading: LogReading = anyio.run(partial(verify_log, log, LOG, (GATE,), verify, **options))
    return reading.verification


def _first(log: OpenLog, **options: Any) -> tuple[str, str]:
    """Place and problem of the first finding; there is one."""
    found = _verified(log, **options).findings
    assert found
    return found[0].place, found[0].problem


def _resigned(entry: Entry, keys: Keys = KEYS, **predicate: Any) -> Entry:
    """The entry with other words in its Statement, signed again: what only a gate could do."""
    said = msgspec.json.decode(dsse.parse(entry.leaf).payload)
    said["predicate"].update(predicate)
    return _enveloped(entry, encode(said), keys)


def _enveloped(entry: Entry, payload: bytes, keys: Keys = KEYS, kind: str = dsse.IN_TOTO) -> Entry:
    signature = dsse.Signature(keyid=keyid(keys.gate.verifier), sig=keys.gate.sign(dsse.pae(kind, payload)))
    leaf = dsse.encode(dsse.Envelope(payload=payload, payload_type=kind, signatures=(signature,)))
    return msgspec.structs.replace(entry, leaf=leaf, leaf_hash=leaf_hash(leaf))


# -- the log ---------------------------------------------------------------------------------------------------------


@pytest.mark.proves("evidence.verify_complete")
@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 600])
def test_an_honest_log_verifies(size: int) -> None:
    """Whatever its size, an untouched log has no findings, and every entry's signature was checked."""
    log = filled(size)
    seen: list[tuple[int, int]] = []
    reading = anyio.run(
        partial(verify_log, log, LOG, (GATE,), verify, progress=lambda done, of: seen.append((done, of)))
    )

    assert reading.verification.findings == ()
    assert (reading.verification.size, reading.verification.signatures) == (size, size)
    assert reading.verification.checkpoint is not None
    assert reading.verification.checkpoint.size == size
    assert seen[-1] == (size, size)
    assert reading.trails == latest_states(log.rows)


@pytest.mark.slow
def test_a_log_of_three_levels_verifies() -> None:
    """Tiles of the third level are checked too."""
    base = filled(256)
    log = OpenLog()
    for n in range(65_537):
        log.add(None, f"run-{n % 2}")
    log.close()

    assert _verified(base).findings == ()
    assert _verified(log).findings == ()
    log.missing_tiles.add((2, 0))
    assert _first(log) == ("tile/2/000.p/1", "it is missing")


def test_the_empty_log_verifies() -> None:
    """A log without entries and without a checkpoint has nothing wrong."""
    found = _verified(OpenLog())

    assert (found.size, found.checkpoint, found.findings) == (0, None, ())


def _flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.proves("evidence.tampering_found")
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_byte_of_any_leaf_is_found_at_its_entry(data: st.DataObject) -> None:
    """For all entries and all bytes: one flipped bit is found, and the first finding names that entry."""
    log = filled(40)
    index = data.draw(st.integers(0, 39))
    leaf = log.rows[index].leaf
    changed = _flip(leaf, data.draw(st.integers(0, len(leaf) - 1)))
    if data.draw(st.booleans()):
        # Somebody careful also puts the new hash and the new tiles in place; the root and the signature they cannot.
        log.change(index, leaf=changed, leaf_hash=leaf_hash(changed))
        log.tiled[index] = leaf_hash(changed)
    else:
        log.change(index, leaf=changed)

    assert _first(log)[0] == f"entry {index}"


Tamper = Callable[[OpenLog], object]


def _swap(log: OpenLog) -> None:
    log.rows[10], log.rows[11] = log.rows[11], log.rows[10]
    log.renumber(log.rows)


def _cut(log: OpenLog) -> None:
    del log.rows[17]
    log.renumber(log.rows)


def _wrong_above(log: OpenLog) -> None:
    log.wrong_above = True


def _exchanged_texts(log: OpenLog) -> None:
    texts = log.rows[3].disclosures
    log.change(3, disclosures=(log.rows[4].disclosures[0], texts[1]))


TAMPERED: dict[str, tuple[Tamper, str, str]] = {
    "an entry is gone": (lambda log: log.rows.__delitem__(17), "entry 17", "missing"),
    "an entry was cut out and the rest moved up": (_cut, "entry 17", "tree holds another"),
    "two entries changed places": (_swap, "entry 10", "tree holds another"),
    "the first is gone": (lambda log: log.rows.__delitem__(0), "entry 0", "missing"),
    "the last is gone": (lambda log: log.rows.__delitem__(-1), "entry 299", "missing"),
    "an entry was added": (lambda log: log.add("a-1"), "entry 300", "does not cover it"),
    "a leaf hash was changed": (lambda log: log.change(5, leaf_hash=bytes(32)), "entry 5", "hash they are filed"),
    "a leaf is no envelope": (lambda log: log.change(5, leaf=b"{}"), "entry 5", "hash they are filed"),
    "it is filed under another action": (
        lambda log: log.change(5, action=ActionId("a-9")),
        "entry 5",
        "the action `a-9`",
    ),
    "it is filed under no action": (lambda log: log.change(5, action=None), "entry 5", "the action `None`"),
    "it is filed under another phase": (lambda log: log.change(5, phase="outcome"), "entry 5", "the phase `outcome`"),
    "it is filed under another stream": (lambda log: log.change(5, stream=StreamId("x")), "entry 5", "the stream `x`"),
    "it is filed under another place": (lambda log: log.change(5, seq=9), "entry 5", "place in its stream `9`"),
    "clear texts were exchanged": (_exchanged_texts, "entry 3", "`toolArgs` is not the one committed"),
    "a clear text was added": (
        lambda log: log.change(3, disclosures=(*log.rows[3].disclosures, log.rows[4].disclosures[0])),
        "entry 3",
        "two clear texts of `toolArgs`",
    ),
    "a clear text is garbage": (lambda log: log.change(3, disclosures=("!",)), "entry 3", "cannot be read"),
    "a hash in a tile was changed": (lambda log: log.tiled.__setitem__(7, bytes(32)), "entry 7", "tree holds another"),
    "a hash in the last tile was changed": (
        lambda log: log.tiled.__setitem__(299, bytes(32)),
        "entry 299",
        "tree holds another",
    ),
    "a hash in a tile of the upper level was changed": (_wrong_above, "tile/1/000.p/1", "not the tile"),
    "a full tile is gone": (lambda log: log.missing_tiles.add((0, 0)), "tile/0/000", "missing"),
    "a partial tile is gone": (lambda log: log.missing_tiles.add((0, 1)), "tile/0/001.p/44", "missing"),
    "a tile of the upper level is gone": (lambda log: log.missing_tiles.add((1, 0)), "tile/1/000.p/1", "missing"),
    "the checkpoint was edited": (
        lambda log: setattr(log, "note", str(log.note).replace("\n300\n", "\n299\n")),
        "checkpoint",
        "does not verify",
    ),
    "the checkpoint is by another key": (
        lambda log: setattr(log, "note", OpenLog(Keys(log=fresh("test/log"), gate=KEYS.gate)).close().note),
        "checkpoint",
        "not signed by",
    ),
    "the checkpoint is no note": (lambda log: setattr(log, "note", "\ud800"), "checkpoint", ""),
    "the checkpoint is gone": (lambda log: setattr(log, "note", None), "entry 0", "does not cover it"),
}


@pytest.mark.proves("evidence.tampering_found")
@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_named_where_it_is(how: str) -> None:
    """The first finding says which entry, tile or checkpoint is wrong, and what is wrong with it."""
    tamper, place, problem = TAMPERED[how]
    log = filled(300)
    tamper(log)
    found_place, found_problem = _first(log)

    assert found_place == place
    assert any(part in found_problem for part in problem.split("|"))


@pytest.mark.proves("evidence.tampering_found")
def test_a_whole_tree_made_anew_is_found_at_the_root() -> None:
    """Entries of two streams exchanged with everything above them still lead to a root that nobody signed."""
    log = filled(300)
    _swap(log)
    note = log.note
    log.close().note = note

    assert _verified(log).findings[0].place == "checkpoint of 300"
    assert "root is not that of these entries" in _first(log)[1]


@pytest.mark.proves("evidence.insider_found")
@pytest.mark.parametrize(
    ("predicate", "problem"),
    [
        ({"actionSeq": 7}, "it is fact 7 of action `a-0`, after fact 1"),
        ({"stream": {"id": "run-2", "seq": 3, "prev": ""}}, "number 3 of stream `run-2`, after number 1"),
        ({"stream": {"id": "run-2", "seq": 2, "prev": "ab" * 32}}, "does not name the entry before it"),
        ({"stream": "none"}, "not a Statement of ours"),
        ({"commitments": {"alg": "sha-256"}}, "clear text of `toolArgs` was never committed"),
        ({"commitments": {"alg": "sha-256", "toolArgs": "x"}}, "`toolArgs` is not the one committed to"),
    ],
)
def test_what_a_gate_signed_wrongly_is_found(predicate: dict[str, Any], problem: str) -> None:
    """Even with the keys of gate and log, a gap in a stream or an action, or a false commitment, shows."""
    log = filled(30)
    log.rows[5] = _resigned(log.rows[5], **predicate)
    if isinstance(predicate.get("stream"), dict):
        log.change(5, seq=predicate["stream"]["seq"])
    log.close()

    place, said = _first(log)
    assert (place, problem in said) == ("entry 5", True), said


def test_envelopes_of_strangers_are_found() -> None:
    """A leaf by a key that nobody named, of another type, or with another Statement is no entry of ours."""
    stranger = Keys(log=KEYS.log, gate=fresh("test/log/gate"))
    payload = dsse.parse(filled(6).rows[5].leaf).payload
    other = payload.replace(b"https://in-toto.io/Statement/v1", b"https://in-toto.io/Statement/v0")
    cases: list[tuple[Callable[[Entry], Entry], str]] = [
        (lambda entry: _resigned(entry, stranger), "whom nobody named"),
        (lambda entry: _enveloped(entry, payload, kind="text/plain"), "holds a `text/plain`"),
        (lambda entry: _enveloped(entry, other), "not a Statement of ours"),
        (lambda entry: _enveloped(entry, b"[]"), "not a Statement of ours"),
    ]
    for row, problem in cases:
        log = filled(6)
        log.rows[5] = row(log.rows[5])
        log.close()

        assert any(problem in each.problem for each in _verified(log).findings)


def test_a_good_signature_beside_a_broken_one_is_found() -> None:
    """Every signature that claims a known key must verify."""
    log = filled(3)
    envelope = dsse.parse(log.rows[1].leaf)
    broken = msgspec.structs.replace(envelope.signatures[0], sig=bytes(64))
    leaf = dsse.encode(msgspec.structs.replace(envelope, signatures=(*envelope.signatures, broken)))
    log.change(1, leaf=leaf, leaf_hash=leaf_hash(leaf))
    log.close()

    assert _first(log)[0] == "entry 1"
    assert "does not verify" in _first(log)[1]


@pytest.mark.proves("evidence.erasure_keeps_proof")
def test_erasing_clear_texts_leaves_the_log_valid() -> None:
    """With every clear text erased, and an entry that says so, the log verifies as before; without one, each is missed."""
    log = filled(30)
    for index in range(30):
        log.change(index, disclosures=())
    missed = [(each.place, each.problem) for each in _verified(log).findings]
    log.erase("0-29")
    log.close()

    assert missed == [(f"entry {index}", LOST) for index in range(30)]

    assert _verified(log).findings == ()


@pytest.mark.proves("evidence.rollback_found")
def test_a_retained_checkpoint_shows_a_log_that_was_put_back() -> None:
    """An older copy of a log verifies by itself, but not against a checkpoint that was kept; a longer one does."""
    old, long = filled(100), filled(100)
    for n in range(200):
        long.add(f"b-{n}")
    kept = [str(long.note), str(long.close().note)]
    rewritten = filled(100)
    for n in range(200):
        rewritten.add(f"c-{n}")
    rewritten.close()

    assert _verified(old).findings == ()
    assert _verified(long, retained=kept).findings == ()
    assert _first(old, retained=kept[1:]) == (
        "retained checkpoint of 300",
        "the log here has only 100 entries: it is an older copy, or its end was cut off",
    )
    assert _first(rewritten, retained=kept) == (
        "retained checkpoint of 100",
        "its root is not that of these entries",
    )
    assert "retained one cannot be used" in _first(long, retained=["nonsense"])[1]


def test_it_stops_when_there_is_nothing_more_to_learn() -> None:
    """A log of which everything is wrong gives a bounded number of findings, in its order."""
    log = filled(400)
    for index in range(400):
        log.change(index, phase="forged")
    found = _verified(log)

    assert len(found.findings) == MAX_FINDINGS
    assert [each.place for each in found.findings[:3]] == ["entry 0", "entry 1", "entry 2"]


def test_a_checkpoint_that_claims_more_than_there_is_ends() -> None:
    """A forged size beyond all entries is not read to its end."""
    log = filled(10)
    log.note = str(log.note).replace("\n10\n", f"\n{2**62}\n")

    assert _first(log)[0] == "checkpoint"


def test_entries_added_while_reading_are_left_alone() -> None:
    """Somebody who appends and signs while the log is read makes no finding."""
    log = filled(300)

    def grow(done: int, of: int) -> None:
        log.add("late")
        log.close()

    assert _verified(log, progress=grow).findings == ()


# -- packets ---------------------------------------------------------------------------------------------------------


def _packet(log: OpenLog, action: str = "a-2") -> Packet:
    return anyio.run(partial(packet_of, log, ActionId(action)))


def _checked(packet: Packet, log_key: VerifierKey = LOG) -> list[tuple[str, str]]:
    found = verify_packet(packet, log_key, (GATE,), verify)
    return [(each.place, each.problem) for each in found.findings]


@pytest.mark.proves("evidence.packet_offline")
def test_a_packet_says_up_to_where_it_tells() -> None:
    """One whose last entries were kept back verifies, and says which entry it ends with, and the state of then."""
    whole = _packet(filled(20), "a-2")
    assert len(whole.entries) > 1
    cut = msgspec.structs.replace(whole, entries=whole.entries[:-1], proofs=whole.proofs[:-1])

    for packet in (whole, cut):
        found = verify_packet(packet, LOG, (GATE,), verify)
        assert found.findings == ()
        assert found.up_to == packet.entries[-1].index
        assert found.state == read_state(packet)
    assert verify_packet(msgspec.structs.replace(whole, entries=(), proofs=()), LOG, (GATE,), verify).up_to is None


def read_state(packet: Packet) -> str:
    """The state in the last entry, as its signed bytes say it."""
    said = told(0, packet.entries[-1].leaf)
    assert said is not None
    return said.state


@pytest.mark.proves("evidence.packet_offline")
@pytest.mark.parametrize("size", [3, 7, 256, 300, 513, 700])
def test_a_packet_proves_itself_offline(size: int) -> None:
    """Whatever the size of the log, an action's packet verifies after a journey as JSON, with the public keys alone."""
    packet = msgspec.json.decode(msgspec.json.encode(_packet(filled(size))), type=Packet)
    found = verify_packet(packet, LOG, (GATE,), verify)

    assert found.findings == ()
    assert (found.size, found.signatures) == (size, len(packet.entries))


@pytest.mark.proves("evidence.packet_offline")
@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_changed_byte_of_a_packet_is_found(data: st.DataObject) -> None:
    """For all bytes of a packet's JSON that still read as a packet: a changed one is found, or only withholds clear texts."""
    packet = _packet(filled(30))
    text = msgspec.json.encode(packet)
    changed = _flip(text, data.draw(st.integers(0, len(text) - 1)))
    try:
        read = msgspec.json.decode(changed, type=Packet)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return

    # A misspelt `disclosures` withholds an entry's clear texts, which whoever hands out a packet may do.
    shown = [one.disclosures for one in read.entries]
    entries = tuple(
        msgspec.structs.replace(one, disclosures=() if withheld == () else one.disclosures)
        for one, withheld in zip(packet.entries, shown, strict=False)
    )
    assert read == msgspec.structs.replace(packet, entries=entries) or _checked(read)


@pytest.mark.parametrize(
    ("tamper", "place"),
    [
        (lambda p: {"entries": p.entries[1:], "proofs": p.proofs[1:]}, "entry 7"),
        (lambda p: {"entries": (p.entries[0], *p.entries[2:]), "proofs": (p.proofs[0], *p.proofs[2:])}, "entry 12"),
        (lambda p: {"entries": p.entries[::-1], "proofs": p.proofs[::-1]}, "entry 27"),
        (lambda p: {"proofs": (p.proofs[1], *p.proofs[1:])}, "entry 2"),
        (lambda p: {"proofs": (("*",), *p.proofs[1:])}, "entry 2"),
        (lambda p: {"proofs": p.proofs[:-1]}, "packet"),
        (lambda _: {"entries": (), "proofs": ()}, "packet"),
        (lambda _: {"action": "a-3"}, "entry 2"),
        (lambda _: {"checkpoint": "nonsense"}, "checkpoint"),
        (lambda _: {"checkpoint": "\ud800"}, "checkpoint"),
    ],
)
def test_a_packet_that_was_worked_on_is_found(tamper: Callable[[Packet], dict[str, Any]], place: str) -> None:
    """Facts left out or moved, proofs exchanged and other actions' entries are named."""
    packet = _packet(filled(30))

    assert _checked(msgspec.structs.replace(packet, **tamper(packet)))[0][0] == place


def test_a_fact_beside_the_numbered_ones_is_shown_once() -> None:
    """What was overheard of an action belongs to its packet without a number, and cannot be shown twice or earlier."""
    log = filled(30)
    log.add("a-2", numbered=False, late=True)
    packet = _packet(log.close())
    twice = msgspec.structs.replace(
        packet, entries=(*packet.entries, packet.entries[-1]), proofs=(*packet.proofs, packet.proofs[-1])
    )

    assert _verified(log).findings == ()
    assert len(packet.entries) == 7
    assert _checked(packet) == []
    assert _checked(twice) == [("entry 30", "it stands after a later one")]


def test_a_packet_of_another_log_is_found() -> None:
    """A packet is held against the log's key that the reader brings along."""
    assert _checked(_packet(filled(30)), fresh("test/log").verifier)[0][0] == "checkpoint"


def test_a_packet_that_cannot_be_made_says_why() -> None:
    """An unknown action, a missing tile and a head that does not cover the entry each have their own error."""
    log = filled(30)
    with pytest.raises(NotFound):
        _packet(log, "no-such-action")

    log.missing_tiles.add((0, 0))
    with pytest.raises(IntegrityError, match=r"tile/0/000\.p/30 of the log is missing"):
        _packet(log)
    log.add("a-2")
    with pytest.raises(IntegrityError, match="entry 30 stands after"):
        _packet(log)
    log.note = "nonsense"
    with pytest.raises(IntegrityError, match="cannot be read"):
        _packet(log)


# -- the store beside the log ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trail", "entries", "state", "problem"),
    [
        (Trail(3, "done"), 3, "done", None),
        (None, 1, "held", "never heard"),
        (Trail(2, "dispatching"), 3, "done", "counts 3 facts, the log 2"),
        (Trail(3, "dispatching"), 3, "done", "says it is done, the log that it is dispatching"),
    ],
)
def test_a_row_is_held_against_the_log(trail: Trail | None, entries: int, state: str, problem: str | None) -> None:
    """Number of facts and last state must be those of the log."""
    said = disagreement(trail, entries=entries, state=state)

    assert said is None if problem is None else problem in str(said)


async def _lived() -> tuple[World, Action]:
    world = World()
    await world.apply(contract())
    task = await world.task()
    first = await world.propose(task)
    await world.propose(task, n=2)
    return world, first


async def _read(world: World) -> LogReading:
    return await verify_log(world.store, world.keys.log.verifier, (world.keys.gate.verifier,), verify)


@pytest.mark.proves("evidence.store_agrees")
def test_what_the_gate_did_verifies_and_agrees() -> None:
    """The log of a living control plane verifies, its packets prove themselves, and its store agrees with it."""

    async def body() -> None:
        world, action = await _lived()
        reading = await _read(world)
        packet = await packet_of(world.store, action.id)

        assert reading.verification.findings == ()
        assert reading.trails[action.id] == Trail(action.entries, "done", intended=True)
        assert await cross_check(world.store, world.store, reading.trails) == ()
        found = verify_packet(packet, world.keys.log.verifier, (world.keys.gate.verifier,), verify)
        assert found.findings == ()

    anyio.run(body)


@pytest.mark.proves("evidence.store_agrees")
def test_a_state_that_the_log_does_not_know_is_found() -> None:
    """A row changed behind the log's back, one that was removed and one that was invented are each named."""

    async def body() -> None:
        world, action = await _lived()
        trails = (await _read(world)).trails
        rows = world.store._truth.rows

        def put(key: str, record: Action) -> None:
            rows[Action.kind, key] = (record.revision, text_of(record), record)

        put(action.id, msgspec.structs.replace(action, state="failed"))
        (found,) = await cross_check(world.store, world.store, trails)
        assert (found.place, found.problem) == (
            f"action {action.id}",
            "the store says it is failed, the log that it is done",
        )

        del rows[Action.kind, action.id]
        (found,) = await cross_check(world.store, world.store, trails)
        assert found.problem == "the log knows it, and the store does not"

        put("zzz", msgspec.structs.replace(action, id=ActionId("zzz")))
        found, _ = await cross_check(world.store, world.store, trails)
        assert (found.place, "never heard" in found.problem) == ("action zzz", True)

    anyio.run(body)


def test_an_action_that_moves_while_it_is_read_is_no_finding() -> None:
    """A reading that is older than the store is looked at again before anything is said."""

    async def body() -> None:
        world, action = await _lived()
        stale = {each: Trail(1, "held") for each in (await _read(world)).trails}

        assert action.id in stale
        assert await cross_check(world.store, world.store, stale) == ()

    anyio.run(body)
