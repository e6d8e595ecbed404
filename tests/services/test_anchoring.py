"""Anchors: heads that others saw, written back; what they prove of times and tails, and what false ones are worth."""

import asyncio
import base64
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from interlock.adapters.cosigners import check_cosigner
from interlock.adapters.keys import Keys, fresh, verify
from interlock.adapters.memory import MemoryStore
from interlock.adapters.memory.faults import Faults
from interlock.adapters.sealer import Handover, LogSealer
from interlock.adapters.witness import WitnessMemory, create, load
from interlock.domain import dsse
from interlock.domain.anchoring import SKEW_MS, Trust, anchored
from interlock.domain.change import Change
from interlock.domain.errors import IntegrityError, NotFound, StoreUnsure, WitnessError
from interlock.domain.evidence import Verification
from interlock.domain.ids import StreamId, Tenant
from interlock.domain.key_facts import rotation
from interlock.domain.note import Checkpoint, NoteError, parse_note
from interlock.domain.quorum import TrustPolicy, Witness, at_least
from interlock.services.anchoring import Anchoring
from interlock.services.verifying import verify_log
from interlock.services.witnessing import Witnessing
from interlock.testing.conformance.making import action, fact
from interlock.testing.parts import ManualClock, SilentSteps
from tests.domain.logs import OpenLog
from tests.domain.rotations import IDS, ORIGIN

Reply = tuple[int, bytes]


class Town:
    """A log, and witnesses of it that share its clock; any of them can be made to answer otherwise."""

    def __init__(self, folder: Path, count: int = 2) -> None:
        self.clock = ManualClock()
        self.keys = self.first = Keys(log=fresh(ORIGIN), gate=fresh(f"{ORIGIN}/gate"))
        self.faults = Faults()
        self.store = MemoryStore(Tenant("t"), self._sealer(), self.faults)
        self.memories: list[WitnessMemory] = []
        self.at: dict[str, Callable[[bytes], Reply]] = {}
        found: list[Witness] = []
        for n in range(count):
            key = create(folder / f"w{n}", f"w.example/w{n}")
            memory = WitnessMemory(folder / f"w{n}")
            memory.trust(self.keys.log.verifier)
            self.memories.append(memory)
            witness = Witnessing(
                memory=memory, cosigner=load(folder / f"w{n}"), verify=verify, clock=self.clock, steps=SilentSteps()
            )
            self.at[f"w{n}"] = partial(self._answer, witness)
            found.append(Witness(name=f"w{n}", key=key.key, url="http://w.example/"))
        self.witnesses = found
        self.policy = at_least(count, found)

    def _sealer(self) -> LogSealer:
        return LogSealer(self.keys, StreamId(IDS.new()), IDS, introduces=True)

    def _answer(self, witness: Witnessing, data: bytes) -> Reply:
        answer = witness.add_checkpoint(data)
        return answer.status, answer.body

    async def ask(self, witness: Witness, request: bytes) -> Reply:
        """See `Witnesses.ask`."""
        return self.at[witness.name](request)

    def add(self, count: int = 1, *, at: int | None = None) -> None:
        """Entries, observed now or at another time."""
        for _ in range(count):
            told = msgspec.structs.replace(fact(action()), observed_at=self.clock.now() if at is None else at)
            asyncio.run(self.store.commit(Change(facts=(told,))))
            self.clock.advance(10)

    def anchor(self, policy: TrustPolicy | None = None, store: MemoryStore | None = None, **more: Any) -> Any:
        """Anchor, as of now."""
        place = store or self.store
        work = Anchoring(
            store=place,
            log=place,
            policy=policy or self.policy,
            witnesses=self,
            stamper=more.pop("stamper", None),
            check=check_cosigner,
            clock=self.clock,
        )
        made = asyncio.run(work.anchor())
        self.clock.advance(10)
        return made

    def trust(self, **more: Any) -> Trust:
        """Whoever trusts these witnesses, by their policy."""
        return Trust(**{"policy": self.policy, "check": check_cosigner, "now": self.clock.now(), **more})

    def verified(self, log: Any = None, **more: Any) -> Verification:
        """The log, or another, held against the anchors."""
        gate = (self.first.gate.verifier,)
        place = log or self.store
        return anyio.run(
            partial(verify_log, place, self.first.log.verifier, gate, verify, trust=self.trust(**more))
        ).verification

    def problems(self, log: Any = None, **more: Any) -> list[tuple[str, str]]:
        """What is wrong with it."""
        return [(each.place, each.problem) for each in self.verified(log, **more).findings]

    def copy(self, stop: int = 1000) -> OpenLog:
        """The first entries of the log, to be worked on, under a head that its key signs."""
        opened = OpenLog(self.keys)
        opened.rows = list(anyio.run(self.store.entries, 0, stop))
        return opened.close()


@pytest.fixture(name="town")
def _town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    for each in town.memories:
        each.close()


@pytest.mark.proves("anchor.recorded")
def test_an_anchor_says_who_saw_how_much(town: Town) -> None:
    """The head is cosigned by all, recorded, and counts for whoever trusts them; what came later is said to be behind it."""
    town.add(3)
    made = town.anchor()
    town.add(2)
    found = town.verified(demanded=True)

    assert (made.size, made.cosigners, made.failed) == (4, ("w.example/w0", "w.example/w1"), ())
    assert found.findings == ()
    assert (found.size, found.anchors, found.witnessed) == (7, 1, 4)
    assert parse_note(made.note.encode()).text in str(anyio.run(town.store.checkpoint_at, 4)).encode()
    assert town.anchor().size == 7
    assert town.anchor() is None
    assert town.verified().witnessed == 7


def test_an_empty_log_has_nothing_to_anchor(town: Town) -> None:
    """It is said in words, and nothing is recorded."""
    with pytest.raises(NotFound):
        town.anchor()


@pytest.mark.proves("anchor.quorum")
def test_fewer_than_the_quorum_anchor_nothing(town: Town) -> None:
    """Whatever a witness answers that is not its own cosignature of this head, it does not count; the others still do."""
    town.add()
    good = town.at["w1"]
    other = town.at["w0"]
    answers: list[Callable[[bytes], Reply]] = [
        lambda _: (500, b"gone"),
        lambda _: (200, b"nonsense"),
        lambda _: (200, b""),
        lambda _: (200, b"x" * 100_000),
        lambda _: (409, b"no number\n"),
        lambda _: (409, b"0\n"),
        other,
        lambda data: (200, good(data)[1].replace(b"w1 ", b"w1 A")),
        lambda _: (403, b"\xff"),
    ]
    for answer in answers:
        town.at["w1"] = answer
        with pytest.raises(WitnessError):
            town.anchor()
    assert anyio.run(town.store.marked, "anchored") == []
    made = town.anchor(at_least(1, town.witnesses))

    assert made.cosigners == ("w.example/w0",)
    assert made.failed[0].startswith("w1: it answered 403")
    assert town.verified().anchors == 0
    assert ("anchors", "nobody who is trusted has ever cosigned this log") in town.problems(demanded=True)
    assert town.verified(policy=at_least(1, town.witnesses), demanded=True).anchors == 1


@pytest.mark.proves("anchor.alarm")
def test_a_log_that_a_witness_has_seen_otherwise_is_an_alarm(tmp_path: Path) -> None:
    """A store put back, a fork of the same size and a fork that is longer: each is refused as an alarm, and recorded nowhere."""
    town = Town(tmp_path, 1)
    town.add(5)
    town.anchor()
    for count, said in ((2, "its end is gone"), (5, "cosigned another log"), (9, "has seen another log")):
        other = MemoryStore(Tenant("t"), town._sealer())
        for _ in range(count):
            asyncio.run(other.commit(Change(facts=(fact(action()),))))
        with pytest.raises(IntegrityError, match=said):
            town.anchor(store=other)
        assert anyio.run(other.marked, "anchored") == []
    town.memories[0].close()


@pytest.mark.proves("anchor.recorded")
@pytest.mark.parametrize("stored", ["not stored", "stored"])
def test_a_store_that_fails_leaves_an_anchor_or_none(tmp_path: Path, stored: Any) -> None:
    """Whether or not a failing store has recorded the anchor, the next one follows and everything verifies."""
    town = Town(tmp_path, 1)
    town.add(2)
    town.faults.at[town.faults.writes + 1] = stored
    with pytest.raises(StoreUnsure):
        town.anchor()
    town.store = town.store.again(town._sealer())
    town.add()

    assert town.anchor().size == (5 if stored == "stored" else 4)
    assert town.problems(demanded=True) == []
    town.memories[0].close()


DAY = 86_400_000


@pytest.mark.proves("anchor.sandwich")
@pytest.mark.parametrize(
    ("offset", "place", "said"),
    [
        (-DAY, 5, "before the anchor in entry 3"),
        (DAY, 5, "after the anchor in entry 6"),
        (-SKEW_MS - 2_000, 5, "before the anchor"),
        (SKEW_MS + 2_000, 5, "after the anchor"),
        (-SKEW_MS + 2_000, None, ""),
        (SKEW_MS - 2_000, None, ""),
    ],
)
def test_every_entry_stands_between_two_anchors(town: Town, offset: int, place: int | None, said: str) -> None:
    """An entry whose time lies before the anchor behind it, or after the one ahead, by more than the skew, is named."""
    town.add(2)
    town.anchor()
    town.add()
    town.add(at=town.clock.now() + offset)
    town.anchor()
    town.add()

    found = town.problems()
    assert [where for where, _ in found] == ([] if place is None else [f"entry {place}"])
    assert all(said in what for _, what in found)
    assert town.problems(skew_ms=2 * DAY) == []


@pytest.mark.proves("anchor.sandwich")
def test_the_ends_are_held_on_one_side(town: Town) -> None:
    """What stands before the first anchor cannot be later than it; what stands behind the last cannot be earlier."""
    town.add()
    town.add(at=town.clock.now() + DAY)
    town.anchor()
    town.add(at=town.clock.now() - DAY)
    town.add(at=town.clock.now() + DAY)

    assert [where for where, _ in town.problems()] == ["entry 2", "entry 4"]


@pytest.mark.proves("anchor.fresh")
def test_an_old_anchor_is_not_enough_for_who_wants_a_fresh_one(town: Town) -> None:
    """With a greatest age a log whose latest anchor is older does not verify, nor one that was cut back behind it."""
    town.add()
    town.anchor()
    town.clock.advance(3_600_000)
    town.add()
    town.anchor()

    assert town.problems(max_age_ms=60_000) == []
    assert "may be withheld" in town.problems(town.copy(3), max_age_ms=60_000)[-1][1]
    town.clock.advance(100_000)
    assert "may be withheld" in town.problems(max_age_ms=60_000)[-1][1]


@pytest.mark.proves("anchor.own_log")
def test_false_anchors_are_found(town: Town) -> None:
    """A cosignature that was worked on, a checkpoint of another history, one that covers itself, and one that is no note."""
    town.add(2)
    made = town.anchor()
    good = parse_note(made.note.encode())
    broken = msgspec.structs.replace(
        good, signatures=(good.signatures[0], msgspec.structs.replace(good.signatures[1], signature=bytes(72)))
    )
    body = anchored(good, 2, None, town.clock.now())
    for note in (broken, good):
        said = msgspec.structs.replace(body, body={"checkpoint": note.encode().decode(), "cosignatures": 2})
        asyncio.run(town.store.commit(Change(facts=(said,))))
    none = msgspec.structs.replace(body, body={"checkpoint": "nonsense", "cosignatures": 2})
    asyncio.run(town.store.commit(Change(facts=(none,))))

    found = dict(town.problems())
    assert set(found) == {"entry 4", "entry 6"}
    assert "does not verify" in found["entry 4"]
    assert town.verified().anchors == 2


@pytest.mark.proves("anchor.own_log")
def test_an_anchor_of_another_history_is_found(tmp_path: Path) -> None:
    """Even with the keys of log and gate, entries exchanged under an anchor do not fit it any more."""
    town = Town(tmp_path, 1)
    town.add(3)
    town.anchor()
    other = Town(tmp_path / "other", 1)
    other.keys = other.first = town.keys
    other.store = MemoryStore(Tenant("t"), other._sealer())
    other.add(3)
    anchor_fact = anchored(parse_note(str(town.copy().note).encode()), 1, None, town.clock.now())
    kept = anyio.run(town.store.marked, "anchored")[0]
    said = msgspec.json.decode(dsse.parse(kept.leaf).payload)["predicate"]
    moved = msgspec.structs.replace(
        anchor_fact, body={"checkpoint": said["checkpoint"], "cosignatures": said["cosignatures"]}
    )
    asyncio.run(other.store.commit(Change(facts=(moved,))))

    found = town.problems(other.store)
    assert found == [("entry 4", "the checkpoint it anchors is not this log's: its root is not that of these entries")]
    for each in (*town.memories, *other.memories):
        each.close()


@pytest.mark.proves("anchor.own_log")
def test_an_anchor_cannot_be_hidden_or_made_up(town: Town) -> None:
    """A store that files an anchor as something else, or something else as an anchor, is found out."""
    town.add(2)
    town.anchor()
    town.add()
    hidden, made_up = town.copy(), town.copy()
    hidden.change(3, phase="decided")
    made_up.change(4, phase="anchored")

    assert ("entry 3", "the store lists other anchors than the log holds") in town.problems(hidden)
    assert ("entry 4", "the store lists other anchors than the log holds") in town.problems(made_up)


@pytest.mark.proves("anchor.recorded")
def test_anchors_go_on_over_a_rotation_of_the_logs_key(town: Town) -> None:
    """A witness that was told of the new key goes on; one that was not refuses; anchors of both times count."""
    town.add(2)
    town.anchor()
    new = fresh(ORIGIN)
    handing = town.store.again(Handover(town.keys, "log", new, StreamId(IDS.new()), IDS))
    old = town.keys.log.verifier
    asyncio.run(handing.commit(Change(facts=(rotation(ORIGIN, "log", old, new.verifier, town.clock.now(), {}),))))
    town.keys = Keys(log=new, gate=town.keys.gate)
    town.store = town.store.again(town._sealer())
    town.add()
    with pytest.raises(WitnessError, match="403"):
        town.anchor()
    for each in town.memories:
        each.trust(new.verifier)

    assert town.anchor().size == 6
    found = town.verified(demanded=True)
    assert (found.findings, found.anchors, found.witnessed) == ((), 2, 6)


class Stamps:
    """A time-stamping authority whose tokens are the time and what was stamped."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock

    async def stamp(self, data: bytes) -> bytes:
        """See `Stamper.stamp`."""
        return b"%d " % self.clock.now() + data

    def check(self, token: bytes, data: bytes) -> int:
        """See `Stamper.check`."""
        at, _, stamped = token.partition(b" ")
        if stamped != data:
            raise NoteError("its time stamp is over other bytes")
        return int(at)


@pytest.mark.proves("anchor.stamped")
def test_a_time_stamp_alone_anchors(tmp_path: Path) -> None:
    """Without witnesses a trusted authority's stamp counts; moved to another checkpoint, or cut, it is a finding."""
    town = Town(tmp_path, 1)
    stamps = Stamps(town.clock)
    nobody = TrustPolicy(quorum="none")
    town.add(2)
    made = town.anchor(nobody, stamper=stamps)
    assert made.stamped
    trust = {"policy": None, "check_stamp": stamps.check, "demanded": True}
    assert (town.problems(**trust), town.verified(**trust).witnessed) == ([], 3)
    assert town.verified().anchors == 0
    town.add()
    note = parse_note(town.anchor(nobody, stamper=stamps).note.encode())
    wrong = anchored(note, 0, b"1 other", town.clock.now())
    text = msgspec.structs.replace(wrong, body=wrong.body | {"timestamp": "no base64"})
    for each in (wrong, text):
        asyncio.run(town.store.commit(Change(facts=(each,))))
    found = town.problems(**trust)

    assert [where for where, _ in found] == ["entry 6", "entry 7"]
    assert "over other bytes" in found[0][1]
    town.memories[0].close()


def test_the_body_is_what_auditors_read(town: Town) -> None:
    """An anchor's predicate holds the whole cosigned note, how many cosigned, and the token in base64."""
    note = parse_note(Checkpoint(origin=ORIGIN, size=1, root=bytes(32)).body() + b"\n\xe2\x80\x94 x AAAAAAAA\n")
    said = anchored(note, 1, b"token", 5)

    assert said.body == {
        "checkpoint": note.encode().decode(),
        "cosignatures": 1,
        "timestamp": base64.b64encode(b"token").decode(),
    }
    assert (said.subject, said.phase) == ("anchor", "anchored")
