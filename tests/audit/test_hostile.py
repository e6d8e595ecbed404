"""Whatever bytes they are given, the stand-alone verifier's readers refuse in one way; and a kill leaves no half export."""

import os
import signal
import subprocess
import sys
import time
from binascii import a2b_base64
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import interlock_verify as alone
from interlock.adapters.sqlite.audit_index import AuditIndex
from interlock.domain.card import Question
from tests.audit.ledger import GATE, LOG, filled, token

T = TypeVar("T")
LEDGER = filled(1)
LEAF = LEDGER.rows[1].leaf
NOTE = LEDGER.checkpoint()
PAYLOAD = alone.envelope_of(LEAF)[0]
TEXT = LEDGER.rows[1].disclosures[0]
RULES = (
    f"log {LOG.verifier.vkey()}\nwitness w {alone.Key('w', 4, GATE.verifier.public).line()}\ngroup g any w\nquorum g\n"
)


def _done(work: Callable[[], Awaitable[T]]) -> T:
    return anyio.run(work)


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


def _checkpoint(data: bytes) -> object:
    return alone.checkpoint_of(alone.note_of(data).text)


READERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "note": (_checkpoint, NOTE),
    "envelope": (alone.envelope_of, LEAF),
    "statement": (alone.statement_of, PAYLOAD),
    "disclosure": (_text(alone.disclosure_of), TEXT.encode()),
    "key": (_text(alone.key_of), LOG.verifier.vkey().encode()),
    "time stamp": (lambda data: alone.stamped(data, b"x"), a2b_base64(token(b"x"))),
    "rule": (_text(alone.pick_of), b"action phase=approved|rejected state=held first"),
    "policy": (_text(alone.policy_of), RULES.encode()),
    "time": (_text(alone.ms_of), b"2026-11-21T10:00:00.000Z"),
    "bundle": (lambda data: alone.entries_of(data, 1), len(LEAF).to_bytes(2, "big") + LEAF),
}


@st.composite
def worked_on(draw: st.DrawFn, good: bytes) -> bytes:
    """Good bytes with some exchanged, left out, doubled or put in between; or any bytes at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(len(data), at + 40)))
        data[at:end] = draw(
            st.one_of(st.binary(max_size=8), st.just(bytes(data[at:end]) * 2), st.just(b"\xed\xa0\x80"))
        )
    return bytes(data)


@pytest.mark.proves("audit.bad_input")
@pytest.mark.parametrize("name", READERS)
def test_whatever_it_is_given_a_reader_refuses_in_one_way(name: str) -> None:
    """It reads what is good, and of anything else it raises Wrong, never another error."""
    read, good = READERS[name]
    read(good)

    @settings(max_examples=150, deadline=None)
    @given(worked_on(good))
    @example(b"")
    @example(b"\xff")
    @example(good[:-1])
    def refuses(data: bytes) -> None:
        try:
            read(data)
        except alone.Wrong:
            return

    refuses()


EXPORTING = """\
import sys, time
from pathlib import Path
from interlock.adapters.parcel import parcel_at
with parcel_at(Path(sys.argv[1])) as parcel:
    parcel.add("checkpoint", b"x" * 100_000)
    parcel.put("keys/log", b"y")
    print("writing", flush=True)
    time.sleep(60)
    parcel.seal(bytes)
"""


@pytest.mark.proves("audit.export_whole")
@pytest.mark.parametrize("name", ["made", "made.zip"])
def test_a_kill_leaves_nothing_in_the_place(tmp_path: Path, name: str) -> None:
    """A process that is killed while it exports leaves no file under the name that was asked for, and none is in the way."""
    place = tmp_path / name
    with subprocess.Popen([sys.executable, "-c", EXPORTING, str(place)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        os.kill(process.pid, signal.SIGKILL)
    assert not place.exists()
    filled(1).export(place, durable=True)

    assert place.exists()


READING = """\
import sys, anyio
from pathlib import Path
from interlock.adapters.sqlite.audit_index import AuditIndex
from interlock.domain.card import ANY, Card, Word
from interlock.ports.derived import Reached
async def work():
    index = AuditIndex.open(Path(sys.argv[1]))
    n = 0
    while True:
        cards = [Card(f"a-{n + i}", "2026-11-21T10:00:00.000Z", "done", frozenset({ANY})) for i in range(10)]
        assert await index.take(cards, given=Reached(n, b"l" if n else b""), now=Reached(n + 10, b"l"))
        n += 10
        print(n, flush=True)
anyio.run(work)
"""


@pytest.mark.proves("audit.query_derived")
def test_a_kill_while_the_log_is_read_loses_nothing_but_time(tmp_path: Path) -> None:
    """Whenever it is killed, the index holds exactly the actions of the steps it says it has read."""
    path = tmp_path / "x.audit"
    with subprocess.Popen([sys.executable, "-c", READING, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    index = AuditIndex.open(path)
    reached = _done(index.reached)

    assert reached.next >= 10
    assert len(_done(partial(index.find, Question(limit=1_000_000)))) == reached.next
    _done(index.close)
