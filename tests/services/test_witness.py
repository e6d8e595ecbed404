"""A witness: it answers as the protocol says, never cosigns two histories, and forgets nothing it has signed."""

from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.keys import SigningKey, fresh, verify
from interlock.adapters.witness import WitnessMemory, check_ed25519, create, load
from interlock.api.witness import WitnessServer
from interlock.domain.cosignature import cosignatures
from interlock.domain.errors import KeyFileError
from interlock.domain.merkle import consistency_proof, leaf_hash, root_of
from interlock.domain.note import Checkpoint, NoteError, SignedNote, parse_note, signature_line
from interlock.domain.witnessing import MAX_REQUEST_BYTES, SIZE_TYPE, Request, equivocation, parse_request
from interlock.services.witnessing import Answer, Witnessing
from interlock.testing.parts import Crash, CrashAt, ManualClock, SilentSteps

LOG = fresh("a.example/log")


class History:
    """A log of so many entries, and what it would send to a witness."""

    def __init__(self, word: str = "true", key: SigningKey = LOG) -> None:
        self.word, self.key = word, key

    def leaves(self, size: int) -> list[bytes]:
        """They differ between histories from entry 3 on."""
        return [leaf_hash(f"{self.word if n > 2 else ''}{n}".encode()) for n in range(size)]

    def note(self, size: int) -> SignedNote:
        """The signed checkpoint of a size."""
        body = Checkpoint(origin=self.key.verifier.name, size=size, root=root_of(self.leaves(size))).body()
        line = signature_line(self.key.verifier.name, self.key.verifier.key_id(), self.key.sign(body))
        return parse_note(body + b"\n" + line)

    def ask(self, old: int, size: int) -> bytes:
        """A request, with the true proof where there can be one."""
        leaves = self.leaves(size)
        proof = (
            consistency_proof(old, size, lambda level, n: root_of(leaves[n << level : (n + 1) << level]))
            if 0 < old <= size
            else ()
        )
        return Request(old=old, proof=proof, note=self.note(size)).encode()


TRUE, FORK = History(), History("fork")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "witness"
    create(folder, "w.example/w1")
    memory = WitnessMemory(folder)
    memory.trust(LOG.verifier)
    memory.close()
    return folder


class Running:
    """A process that is the witness."""

    def __init__(self, folder: Path, steps: CrashAt | SilentSteps | None = None) -> None:
        self.key = load(folder)
        self.memory = WitnessMemory(folder)
        self.clock = ManualClock()
        self.witness = Witnessing(
            memory=self.memory, cosigner=self.key, verify=verify, clock=self.clock, steps=steps or SilentSteps()
        )

    def __call__(self, data: bytes) -> Answer:
        """Ask it."""
        return self.witness.add_checkpoint(data)

    def cosigned(self, history: History, size: int, answer: Answer) -> bool:
        """Whether `answer` holds this witness's cosignature of it."""
        if answer.status != 200:
            return False
        note = parse_note(history.note(size).encode() + answer.body)
        return [each.key for each in cosignatures(note, [self.key.key], check_ed25519)] == [self.key.key]


@pytest.fixture(name="witness")
def _witness(folder: Path) -> Iterator[Running]:
    running = Running(folder)
    yield running
    running.memory.close()


@pytest.mark.proves("witness.consistent")
def test_it_cosigns_what_continues_what_it_saw(witness: Running) -> None:
    """A first checkpoint, a later one, and the same once more are cosigned, with the witness's own time."""
    for old, size in ((0, 4), (4, 4), (4, 9), (9, 300)):
        assert witness.cosigned(TRUE, size, witness(TRUE.ask(old, size)))
    latest = witness.memory.latest(LOG.verifier.name)
    assert latest is not None
    assert latest.size == 300


@pytest.mark.proves("witness.consistent")
def test_every_refusal_is_the_protocols(witness: Running) -> None:
    """Unknown logs, strangers' signatures, other sizes, other roots, false proofs: each has its status, and none is cosigned."""
    stranger = History(key=fresh("a.example/log"))
    unknown = History(key=fresh("b.example/log"))
    proofless = Request(old=4, proof=(), note=TRUE.note(9)).encode()
    needless = Request(old=0, proof=(bytes(32),), note=TRUE.note(4)).encode()
    assert witness(unknown.ask(0, 4)).status == 404
    assert witness(stranger.ask(0, 4)).status == 403
    assert witness(needless).status == 422
    assert witness(TRUE.ask(0, 4)).status == 200
    for data, status in (
        (TRUE.ask(9, 4), 400),
        (b"old 4\n\nnonsense", 400),
        (proofless, 422),
        (FORK.ask(4, 9), 422),
    ):
        assert witness(data).status == status
    for data in (TRUE.ask(0, 9), TRUE.ask(3, 3), FORK.ask(4, 4), FORK.ask(0, 4)):
        assert witness(data) == (409, SIZE_TYPE, b"4\n")
    latest = witness.memory.latest(LOG.verifier.name)
    assert latest is not None
    assert latest.root == root_of(TRUE.leaves(4))


@pytest.mark.proves("witness.evidence")
def test_a_fork_is_kept_and_proves_itself(witness: Running) -> None:
    """Two checkpoints of one size are kept, and convince anybody who knows the log's key; nothing else does."""
    assert witness(TRUE.ask(0, 4)).status == 200
    for data in (FORK.ask(4, 4), FORK.ask(4, 4), FORK.ask(4, 9), TRUE.ask(2, 3)):
        witness(data)
    kept = witness.memory.evidence()

    assert len(kept) == 2
    pairs = [(parse_note(each.note), parse_note(each.beside)) for each in kept]
    assert sorted(equivocation(*pair, LOG.verifier, verify) for pair in pairs) == [False, True]
    assert not equivocation(TRUE.note(4), TRUE.note(4), LOG.verifier, verify)
    assert not equivocation(TRUE.note(4), FORK.note(5), LOG.verifier, verify)
    assert not equivocation(TRUE.note(4), History("x", fresh("a.example/log")).note(4), LOG.verifier, verify)


@pytest.mark.proves("witness.consistent")
def test_a_key_that_is_trusted_no_longer_moves_nothing(witness: Running) -> None:
    """A thief of the log's old key cannot go on from what was seen; the log under its new key can."""
    later = fresh(LOG.verifier.name)
    witness.memory.trust(later.verifier)
    assert witness(TRUE.ask(0, 3)).status == 200
    assert witness.memory.distrust(LOG.verifier)

    assert witness(FORK.ask(3, 9)).status == 403
    assert witness(History(key=later).ask(3, 9)).status == 200
    assert not witness.memory.distrust(LOG.verifier)


@pytest.mark.proves("witness.evidence")
def test_bad_requests_leave_room_for_a_fork(witness: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends a log's true checkpoints with bad proofs proves nothing against it, and crowds out no fork."""
    monkeypatch.setattr("interlock.adapters.witness.MOST_EVIDENCE", 3)
    assert witness(TRUE.ask(0, 4)).status == 200
    assert witness(FORK.ask(4, 6)).status == 422
    for size in range(7, 15):
        assert witness(Request(old=4, proof=(bytes(32),), note=TRUE.note(size)).encode()).status == 422
    assert [(each.evidence, each.unproven) for each in witness.memory.seen()] == [(0, 3)]

    assert witness(FORK.ask(4, 4)).status == 409
    assert [(each.evidence, each.unproven) for each in witness.memory.seen()] == [(1, 3)]
    fork = witness.memory.evidence()[0]
    assert equivocation(parse_note(fork.note), parse_note(fork.beside), LOG.verifier, verify)

    # A note that was kept without proving anything proves a fork once its size was cosigned.
    assert witness(TRUE.ask(4, 6)).status == 200
    assert witness(FORK.ask(6, 6)).status == 409
    assert [(each.evidence, each.unproven) for each in witness.memory.seen()] == [(2, 2)]


@pytest.mark.proves("witness.durable")
def test_what_it_signed_it_remembers_over_restarts(folder: Path) -> None:
    """Another process on its memory refuses the fork of what the first cosigned, and goes on with the true one."""
    first = Running(folder)
    assert first(TRUE.ask(0, 5)).status == 200
    first.memory.close()
    again = Running(folder)

    assert again(FORK.ask(0, 5)).status == 409
    assert again(FORK.ask(5, 9)).status == 422
    assert again.cosigned(TRUE, 9, again(TRUE.ask(5, 9)))
    again.memory.close()


@pytest.mark.proves("witness.durable")
def test_it_remembers_before_it_signs(folder: Path) -> None:
    """Dying between memory and cosignature leaves the memory: the log asks again, and no fork is ever cosigned."""
    dying = Running(folder, CrashAt("witness.remembered"))
    with pytest.raises(Crash):
        dying(TRUE.ask(0, 5))
    dying.memory.close()
    again = Running(folder)

    assert again(FORK.ask(0, 5)).status == 409
    assert again(TRUE.ask(0, 5)) == (409, SIZE_TYPE, b"5\n")
    assert again.cosigned(TRUE, 5, again(TRUE.ask(5, 5)))
    again.memory.close()


class Forgetful(WitnessMemory):
    """Fails on the next change, before or after it was made."""

    stores = False

    def advance(self, before: Checkpoint | None, after: Checkpoint, note: bytes, at_s: int) -> bool:
        """Fail."""
        if self.stores:
            super().advance(before, after, note, at_s)
        raise KeyFileError("the disk is gone")


@pytest.mark.proves("witness.durable")
@pytest.mark.parametrize("stores", [False, True])
def test_what_is_not_surely_remembered_is_not_signed(folder: Path, stores: bool) -> None:
    """A memory that fails, having stored or not, lets no cosignature out; afterwards the witness is consistent."""
    failing = Running(folder)
    failing.memory.close()
    memory = Forgetful(folder)
    memory.stores = stores
    failing.witness._memory = memory
    with pytest.raises(KeyFileError):
        failing(TRUE.ask(0, 5))
    memory.close()
    again = Running(folder)

    assert again(TRUE.ask(0, 5)).status == (409 if stores else 200)
    assert again(FORK.ask(0, 5)).status == 409
    again.memory.close()


@pytest.mark.proves("witness.consistent")
def test_of_two_histories_at_once_one_is_cosigned(folder: Path) -> None:
    """However two processes race for two forks, one history gets every cosignature."""
    two = [Running(folder), Running(folder)]
    won: list[bool] = []
    with ThreadPoolExecutor(2) as pool:
        for old, size in ((0, 5), (5, 6), (6, 9)):
            asked = [(two[0], TRUE.ask(old, size)), (two[1], FORK.ask(old, size))]
            answers = list(pool.map(lambda pair: pair[0](pair[1]).status == 200, asked))
            assert sorted(answers) == [False, True]
            won.append(answers[0])
    assert len(set(won)) == 1
    for each in two:
        each.memory.close()


@given(
    data=st.one_of(st.binary(max_size=400), st.just(TRUE.ask(4, 9))), cut=st.integers(0, 400), flip=st.integers(0, 2000)
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_a_request_or_are_refused(data: bytes, cut: int, flip: int) -> None:
    """Whatever is read is written again as the same bytes, or is a NoteError."""
    changed = bytearray(data[: max(cut, len(data) - cut)])
    if changed:
        changed[flip % len(changed)] ^= 1 << flip % 8
    try:
        request = parse_request(bytes(changed))
    except NoteError:
        return
    assert request.encode() == bytes(changed)


def test_hostile_requests_are_refused() -> None:
    """Too long, too many lines, hashes of other lengths and spellings: refused before anything is made of them."""
    note = TRUE.note(4).encode()
    line = b64encode(bytes(32)) + b"\n"
    for head in (
        b"old 4\n" + line * 64,
        b"old 04\n",
        b"old -1\n",
        b"old 4\nAAAA\n",
        b"old 4\n" + line[:-3] + b"\n",
        b"\xff",
    ):
        with pytest.raises(NoteError):
            parse_request(head + b"\n" + note)
    with pytest.raises(NoteError):
        parse_request(b"x" * (MAX_REQUEST_BYTES + 1))


@pytest.mark.anyio
async def test_over_http_it_is_the_protocol(witness: Running) -> None:
    """POST /add-checkpoint, and nothing else; the status and type are those of the answer."""
    server = WitnessServer(witness.witness.add_checkpoint, witness.key.key.vkey())
    transport = httpx.ASGITransport(app=server)
    async with httpx.AsyncClient(transport=transport, base_url="http://w.example") as client:
        good = await client.post("/add-checkpoint", content=TRUE.ask(0, 4))
        conflict = await client.post("/add-checkpoint", content=TRUE.ask(0, 9))

        assert witness.cosigned(TRUE, 4, Answer(good.status_code, "", good.content))
        assert (conflict.status_code, conflict.headers["content-type"], conflict.text) == (409, SIZE_TYPE, "4\n")
        assert (await client.get("/add-checkpoint")).status_code == 405
        assert (await client.post("/other", content=b"")).status_code == 404
        assert (await client.get("/")).text == witness.key.key.vkey() + "\n"
        assert (await client.post("/add-checkpoint", content=b"x" * (MAX_REQUEST_BYTES + 1))).status_code == 413


def test_a_witness_is_made_once_and_its_key_is_its_own(folder: Path) -> None:
    """It is never overwritten; a key file that others may read, of a log or damaged is refused."""
    with pytest.raises(KeyFileError):
        create(folder, "w.example/w1")
    with pytest.raises(KeyFileError):
        create(folder.parent / "other", "two words")
    good = (folder / "witness.key").read_text()
    assert good.split("+")[3:] != []
    assert "witness.key" not in repr(load(folder))
    assert good.strip() not in repr(load(folder))
    for bad in (LOG.line() + "\n", good.replace("w1", "w2"), good[:-8] + "\n", "x\n"):
        (folder / "witness.key").write_text(bad)
        with pytest.raises(KeyFileError):
            load(folder)
    (folder / "witness.key").write_text(good)
    (folder / "witness.key").chmod(0o644)
    with pytest.raises(KeyFileError):
        load(folder)
