"""Every byte of what is stored: changed, and found. The short version takes some by chance, the battery takes them all."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import anyio
import msgspec
import pytest

from interlock.adapters.keys import KeyFolder, verify
from interlock.bootstrap.connecting import looking, public_keys
from interlock.domain.dsse import DsseError
from interlock.domain.entry_proof import check_entry_proof, parse_entry_proof
from interlock.domain.errors import KeyFileError
from interlock.domain.evidence import Packet
from interlock.domain.ids import ActionId
from interlock.domain.merkle import ProofError
from interlock.domain.note import NoteError
from interlock.domain.packet import verify_packet
from tests.battery.flips import Cell, cells, put
from tests.battery.lives import Life
from tests.domain.logs import KEYS, filled
from tests.foreign.files import proof_of

T = TypeVar("T")

SOME = 80
"""How many bytes the short version changes."""
PARTS = 16


def _places(life: Life) -> list[tuple[Cell, int]]:
    with life.sql() as store:
        return [(cell, place) for cell in cells(store, "entry") for place in range(cell.bytes)]


def _some(of: Sequence[T], how_many: int) -> list[T]:
    """As many, the same each time: what was found once stays found."""
    return random.Random(7).sample(of, how_many)  # noqa: S311  nothing secret hangs on it


def _unfound(life: Life, places: list[tuple[Cell, int]]) -> Iterator[tuple[Cell, int]]:
    """Those of `places` whose change nobody noticed."""
    with life.sql() as store:
        taken = {key for (key,) in store.execute("SELECT place FROM entry").fetchall()}
        for cell, place in places:
            changed = cell.flipped(place)
            if cell.column == "place" and changed in taken:
                continue
            put(store, cell, changed, cell.value)
            if not life.findings():
                yield cell, place
            put(store, cell, cell.value, changed)


@pytest.mark.proves("battery.bytes")
def test_some_bytes_of_the_log_changed_one_by_one_are_found(copy: Life) -> None:
    """Whichever byte of an entry, its hash, its filing or its clear texts is changed, the verification says so."""
    places = _some(_places(copy), SOME)

    assert copy.findings() == ()
    assert list(_unfound(copy, places)) == []
    assert copy.findings() == ()


@pytest.mark.slow
@pytest.mark.proves("battery.bytes")
@pytest.mark.parametrize("part", range(PARTS))
def test_every_byte_of_the_log_changed_one_by_one_is_found(copy: Life, part: int) -> None:
    """All of them, one after the other, in parts that several processes can share."""
    assert list(_unfound(copy, _places(copy)[part::PARTS])) == []


@pytest.mark.proves("battery.bytes")
def test_every_byte_of_an_earlier_checkpoint_changed_is_found(copy: Life) -> None:
    """A checkpoint in the middle of the log is held against the entries and the log's key like its last one."""
    with copy.sql() as store:
        cell = next(each for each in cells(store, "entry") if each.column == "checkpoint")

    assert list(_unfound(copy, [(cell, place) for place in range(cell.bytes)])) == []


def _flips(data: bytes, how_many: int | None) -> Iterator[bytes]:
    for place in range(len(data)) if how_many is None else _some(range(len(data)), how_many):
        yield data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _believed(life: Life, how_many: int | None) -> list[Packet]:
    """Of the changed bytes of a packet those that are taken for a whole one of the same action with the same entries."""

    async def packet() -> Packet:
        plane = looking(life.folder)
        found = await plane.audit.packet(ActionId(life.actions[1]))
        await plane.means.store.close()
        return found

    made = anyio.run(packet)
    keys = public_keys(life.folder)
    believed = []
    for changed in _flips(msgspec.json.encode(made), how_many):
        try:
            read = msgspec.json.decode(changed, type=Packet)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        found = verify_packet(read, keys.log_key, keys.gate_keys, keys.verify)
        # A misspelt name of a field that may be absent withholds clear texts; it says nothing that is not so.
        withheld = [msgspec.structs.replace(each, disclosures=()) for each in read.entries]
        if not found.findings and withheld != [msgspec.structs.replace(each, disclosures=()) for each in made.entries]:
            believed.append(read)
    return believed


@pytest.mark.proves("battery.bytes")
def test_some_bytes_of_a_packet_changed_are_found(life: Life) -> None:
    """A packet that says anything else is no packet."""
    assert _believed(life, 250) == []


@pytest.mark.slow
@pytest.mark.proves("battery.bytes")
def test_every_byte_of_a_packet_changed_is_found(life: Life) -> None:
    """All of them."""
    assert _believed(life, None) == []


@pytest.mark.proves("battery.bytes")
def test_every_byte_of_a_proof_file_changed_is_found() -> None:
    """A proof file that was changed in any byte, the entry in it or what proves it, proves nothing to anybody."""
    log = filled(300)
    keys = (KEYS.log.verifier,), (KEYS.gate.verifier,)
    good = proof_of(log, 77)
    assert check_entry_proof(parse_entry_proof(good), *keys, verify).size == 300
    believed = []
    for changed in _flips(good, None):
        try:
            check_entry_proof(parse_entry_proof(changed), *keys, verify)
        except (NoteError, ProofError, DsseError):
            continue
        believed.append(changed)

    assert believed == []


@pytest.mark.proves("battery.bytes")
@pytest.mark.parametrize("name", ["log.pub", "gate.pub", "log.key", "gate.key"])
def test_every_byte_of_a_key_file_changed_is_found(life: Life, tmp_path: Path, name: str) -> None:
    """A key file changed in any byte is refused, or the log does not verify with it."""
    copy = life.copy(tmp_path / "keys")
    path = copy.keys / name
    good = path.read_bytes()
    believed = []
    for place, changed in enumerate(_flips(good, None)):
        path.write_bytes(changed)
        if not _refused(copy, name):
            believed.append(place)
    # The newline at the end of the line is not part of the key.
    assert [place for place in believed if place < len(good.rstrip())] == []


def _refused(life: Life, name: str) -> bool:
    if name.endswith(".pub"):
        return bool(life.findings())
    try:
        KeyFolder(life.keys).load()
    except KeyFileError:
        return True
    return False
