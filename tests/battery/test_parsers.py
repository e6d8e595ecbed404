"""Whatever the bytes: each parser of the evidence reads them or refuses them in the way it says, within bounds."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.battery.hostile import TARGETS, mutated, refused, ugly
from tests.battery.lives import Life

SAME = ("note", "checkpoint", "bundle", "envelope")
"""What both verifiers read: ours, and the one that stands alone. A clear text is compared with its commitment first."""


@pytest.mark.proves("battery.parsers")
@pytest.mark.parametrize("name", TARGETS)
def test_what_is_good_is_read(name: str) -> None:
    """Each is read when all is well, or the rest of this file proves nothing."""
    target = TARGETS[name]
    expected = name == "cosigner"

    assert refused(target, target.good) == expected


@pytest.mark.proves("battery.parsers")
@pytest.mark.parametrize("name", TARGETS)
def test_the_worst_is_refused_in_words(name: str) -> None:
    """Deep, long, repeated, unwritable, cut and doubled things raise what the parser says it raises, and nothing else."""
    target = TARGETS[name]

    for data in ugly(target):
        refused(target, data)


@pytest.mark.proves("battery.parsers")
@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=10, deadline=None, database=None)
@given(data=st.data())
def test_whatever_is_done_to_what_is_good(name: str, data: st.DataObject) -> None:
    """Bytes changed, dropped, moved and put in are read or refused; nothing else comes out."""
    target = TARGETS[name]

    refused(target, mutated(target.good, lambda bound: data.draw(st.integers(0, bound - 1))))


@pytest.mark.proves("battery.parsers")
@pytest.mark.parametrize("word", ["\0", "\n", "\x1f", '"', "\\", "\\n", '\\"', "\\\\", "\\u0001", "\\u0041"])
@pytest.mark.parametrize("beside", [b"application/", b'"keyid":"'])
def test_an_envelopes_words_are_escaped_nowhere(word: str, beside: bytes) -> None:
    """What JSON would have to escape, escaped or not, is in no type and no key id that either verifier reads."""
    ours, alone = TARGETS["envelope"], TARGETS["alone: envelope"]
    changed = ours.good.replace(beside, beside + word.encode())

    assert changed != ours.good
    assert (refused(ours, changed), refused(alone, changed)) == (True, True)


@pytest.mark.proves("battery.parsers")
@pytest.mark.parametrize("name", SAME)
@settings(max_examples=30, deadline=None, database=None)
@given(data=st.data())
def test_both_verifiers_read_the_same(name: str, data: st.DataObject) -> None:
    """What one of the two verifiers reads the other reads too: no bytes mean something to one auditor only."""
    ours, alone = TARGETS[name], TARGETS[f"alone: {name}"]
    changed = mutated(ours.good, lambda bound: data.draw(st.integers(0, bound - 1)))

    assert refused(ours, changed) == refused(alone, changed), changed


@pytest.mark.proves("battery.parsers")
def test_a_packet_that_is_no_text_is_refused_by_the_program(copy: Life) -> None:
    """Bytes that are not UTF-8 in a packet's file end in a sentence and an exit code, not in a traceback."""
    (copy.folder / "packet.json").write_bytes(b'{"action":"\xff"}')
    command = (sys.executable, "-m", "interlock", "verify", "--packet", "packet.json")
    done = subprocess.run(command, cwd=copy.folder, capture_output=True, text=True, timeout=60, check=False)

    assert "is not a packet" in done.stderr
    assert "Traceback" not in done.stderr


SIGNED = "key entry"
"""What the test itself would have to sign: a gigabyte of which nobody could."""


def _within(bytes_free: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (bytes_free, bytes_free))


@pytest.mark.slow
@pytest.mark.proves("battery.parsers")
@pytest.mark.parametrize("name", [name for name in TARGETS if not name.startswith("alone") and name != SIGNED])
def test_a_gigabyte_is_refused_without_copies(name: str) -> None:
    """A gigabyte of one character, handed over in memory, is refused within another gigabyte and five seconds. (The verifier
    that stands alone reads files, and bounds each before it parses any of it.)"""
    script = f"""
import time
from tests.battery.hostile import TARGETS, refused
target = TARGETS[{name!r}]
data = bytes([target.good[0]]) * 2**30
began = time.process_time()
print(refused(target, data), time.process_time() - began < 5)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: _within(3 * 2**30),
    )

    assert done.stdout.strip().endswith("True"), done.stderr[-500:]
