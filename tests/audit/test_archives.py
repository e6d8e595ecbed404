"""An export in a zip file: one that programs could unpack to other files than were verified is refused."""

import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import interlock_verify as alone
from tests.audit.ledger import checked, filled

LISTED, LOCAL = b"PK\x01\x02", b"PK\x03\x04"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive as `audit export` writes it, without a clear text. Not to be changed."""
    place = tmp_path_factory.mktemp("archives") / "made.zip"
    filled(3).export(place, durable=True)
    assert checked(place).verdict == "verified"
    return place


def _refused(place: Path) -> str:
    with pytest.raises(alone.Refused) as refused:
        checked(place)
    return refused.value.detail


def _packed(place: Path, made: Path, change: Callable[[zipfile.ZipFile], object]) -> Path:
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(place, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
        change(new)
    return place


def _empty(archive: zipfile.ZipFile, name: str) -> None:
    archive.writestr(name, "")


def _put(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _shifted(data: bytes, by: int) -> bytes:
    """The same archive `by` bytes further on, as its directory sees it."""
    out, at = bytearray(data), -1
    while (at := out.find(LISTED, at + 1)) >= 0:
        (offset,) = struct.unpack_from("<I", out, at + 42)
        struct.pack_into("<I", out, at + 42, offset + by)
    (start,) = struct.unpack_from("<I", out, len(out) - 6)
    struct.pack_into("<I", out, len(out) - 6, start + by)
    return bytes(out)


def _hidden(data: bytes) -> bytes:
    """A member that no directory lists, before the directory."""
    (start,) = struct.unpack_from("<I", data, len(data) - 6)
    unlisted = struct.pack("<4sHHHHHIIIHH", LOCAL, 20, 0, 0, 0, 0, 0, 0, 0, 4, 0) + b"evil"
    moved = data[:start] + unlisted + data[start:]
    return _put(moved, len(moved) - 6, struct.pack("<I", start + len(unlisted)))


BYTES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "another name in its own header": (lambda data: _put(data, data.find(LOCAL) + 30, b"B"), "says something else"),
    "other flags in its own header": (lambda data: _put(data, data.find(LOCAL) + 6, b"\2"), "says something else"),
    "another method in its own header": (lambda data: _put(data, data.find(LOCAL) + 8, b"\0"), "says something else"),
    "another CRC in its own header": (lambda data: _put(data, data.find(LOCAL) + 14, b"aaaa"), "says something else"),
    "another size in its own header": (
        lambda data: _put(data, data.find(LOCAL) + 30 + len("actions.jsonl") + 4, b"aaaa"),
        "says something else",
    ),
    "encrypted": (lambda data: _put(data, data.find(LISTED) + 8, b"\1"), "packed in a way"),
    "sizes behind the data": (lambda data: _put(data, data.find(LISTED) + 8, b"\x08"), "packed in a way"),
    "packed by LZMA": (lambda data: _put(data, data.find(LISTED) + 10, b"\x0e"), "packed in a way"),
    "data behind its end": (lambda data: data + b"more", "data follows"),
    "a comment": (lambda data: _put(data, len(data) - 2, b"\4\0") + b"more", "data follows"),
    "data before it": (lambda data: b"#!" + _shifted(data, 2), "does not begin"),
    "another archive before it": (lambda data: data + _shifted(data, len(data)), "does not lie right behind"),
    "a member that is not listed": (_hidden, "does not list"),
    "fewer members than it says": (
        lambda data: _put(data, len(data) - 14, struct.pack("<HH", 99, 99)),
        "lists fewer members",
    ),
    "more members than it says": (lambda data: _put(data, len(data) - 14, struct.pack("<HH", 9, 9)), "does not list"),
    "cut off": (lambda data: data[:-30], "its end is missing"),
}


@pytest.mark.proves("audit.archive")
@pytest.mark.parametrize("what", BYTES)
def test_an_archive_that_could_be_read_otherwise_is_refused(made: Path, tmp_path: Path, what: str) -> None:
    """Own headers that differ from the directory, gaps, hidden members, data around it: refused, and it is said why."""
    change, said = BYTES[what]
    (tmp_path / "odd.zip").write_bytes(change(made.read_bytes()))

    assert said in _refused(tmp_path / "odd.zip")


@pytest.mark.proves("audit.archive")
@pytest.mark.parametrize(
    "name", ["../policy", "/policy", "a/../policy", "C:policy", "a\\policy", "a//b", "./b", "p\u00f6"]
)
def test_a_name_that_leads_elsewhere_is_refused(made: Path, tmp_path: Path, name: str) -> None:
    """Absolute, upwards, with a drive or a backslash, or not in plain letters."""
    place = _packed(tmp_path / "odd.zip", made, lambda archive: archive.writestr(name, "x"))

    assert "is no plain name" in _refused(place)


@pytest.mark.proves("audit.archive")
def test_two_members_of_one_name_are_refused(made: Path, tmp_path: Path) -> None:
    """Also where a system that knows no case would take them for one, and where one is a folder."""
    for number, name in enumerate(("Checkpoint", "KEYS/LOG", "checkpoint/")):
        place = _packed(tmp_path / f"{number}.zip", made, partial(_empty, name=name))
        assert "two members called" in _refused(place)
    odd = _packed(tmp_path / "full.zip", made, lambda archive: archive.writestr("more/", "x"))
    assert "has contents" in _refused(odd)


def test_what_others_pack_is_read(made: Path, tmp_path: Path) -> None:
    """Stored or deflated, with entries for folders, with sizes for large files: it verifies, and every byte was read."""
    with zipfile.ZipFile(made) as archive:
        archive.extractall(tmp_path / "folder")
    with zipfile.ZipFile(tmp_path / "other.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted((tmp_path / "folder").rglob("*")):
            archive.write(path, path.relative_to(tmp_path / "folder").as_posix())
    stored = _packed(tmp_path / "stored.zip", made, lambda archive: archive.mkdir("empty"))

    assert checked(tmp_path / "other.zip").verdict == checked(stored).verdict == "verified"


@pytest.mark.proves("audit.bad_input")
def test_whatever_is_done_to_an_archive_is_found_or_refused(made: Path, tmp_path: Path) -> None:
    """Bytes exchanged, left out, put in between, anywhere: no error but a refusal, and it verifies only as it was."""
    honest, place = made.read_bytes(), tmp_path / "odd.zip"

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def found(data: st.DataObject) -> None:
        changed = bytearray(honest)
        # Half of them where the structure is, at the end.
        first = data.draw(st.sampled_from([0, len(honest) - 1200]))
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(first, len(changed)))
            end = data.draw(st.sampled_from([at, at, min(at + 1, len(changed)), min(at + 4, len(changed))]))
            changed[at:end] = data.draw(
                st.sampled_from([b"", b"\0", b"\xff\xff", b"PK\5\6", LISTED, LOCAL, b"\1\0\0\0"])
            )
        place.write_bytes(changed)
        try:
            report = checked(place)
        except alone.Refused:
            return
        # When it was made, and how well it is packed, are nobody's concern; the files are as they were.
        assert report.verdict == "failed" or _same(made, place)

    found()


def _same(one: Path, other: Path) -> bool:
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        return {name: first.read(name) for name in first.namelist()} == {
            name: second.read(name) for name in second.namelist()
        }


LIMITED = """\
import resource, sys
sys.path[:0] = ["src"]
import interlock_verify as alone
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (160_000_000, 160_000_000))
try:
    alone.verify_export(Path(sys.argv[1]), alone.Options())
except alone.Refused as refused:
    print(refused.code, refused.detail)
"""


def _in_little_memory(place: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(place)], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr


@pytest.mark.proves("audit.bad_input")
def test_a_flood_of_small_files_is_refused_in_little_memory(made: Path, tmp_path: Path) -> None:
    """A log of seven entries has few files: 400,000 members, or 20,000 files, are refused before their names are kept."""
    data = made.read_bytes()
    (start,) = struct.unpack_from("<I", data, len(data) - 6)
    body = data[start:-22]
    count = 400_000
    flood = b"".join(
        struct.pack("<4sHHHHHHIIIHHHHHII", LISTED, 20, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, n) + b"%07d" % n
        for n in range(count)
    )
    end = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(body + flood), start)
    at = start + len(body + flood)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, at, 1)
    tail = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    (tmp_path / "flood.zip").write_bytes(data[:start] + body + flood + end + locator + tail)
    with zipfile.ZipFile(made) as archive:
        archive.extractall(tmp_path / "folder")
    (tmp_path / "folder/more").mkdir()
    for n in range(20_000):
        (tmp_path / f"folder/more/{n}").touch()

    for name in ("flood.zip", "folder"):
        said = _in_little_memory(tmp_path / name)
        assert said == "too_large the export holds more files and folders than one of its log does\n"
