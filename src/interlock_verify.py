#!/usr/bin/env python3
"""Check an export of Interlock's evidence without Interlock: one file, the standard library and PyNaCl.

    python verify.py EXPORT --key KEYS [--policy FILE] [--retained NOTE] [--max-age 1h] [--json]

EXPORT is the folder or zip file that `interlock audit export` wrote. KEYS are the public keys of the log and of its gate
(`name+id+base64`), or a file with such lines, which you got from the operator by another way than the export: an export that
brings its own keys proves only that it agrees with itself.

Nothing in the export is believed. Leaf hashes, tiles and the root are computed again; the checkpoint, every entry and every
change of key must be signed; streams and actions are numbered without a gap and move only as their tables allow; clear texts
must be those that were committed to, and none may be gone without an erasure; times must lie between the anchors around them.
What repeats the log beside it (the readable index, records, lists, receipts, the figures of README.md) is computed again and
must say the same. The export as a whole must be signed by the gate, so that nothing was taken out of it or put into it on
its way. What is the operator's word alone is named at the end.

Ends with 0 (verified), 4 (something is wrong: the first finding says where; or it stands on a key that was declared lost),
3 (agrees with itself, but nobody vouched for its keys), 1 (cannot be read), 2 (the command line is wrong, or a
key, policy or checkpoint brought with it is not what it must be). Formats: C2SP
signed-note, tlog-checkpoint, tlog-tiles, tlog-cosignature and tlog-policy; DSSE 1.0.2; in-toto Statement v1; RFC 9901
disclosures.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  whoever runs this file has the Python they have
    sys.exit(f"verify.py needs Python 3.11 or newer, and this is {sys.version.split()[0]}: run it with a newer one")

import argparse
import io
import json
import os
import re
import stat
import struct
import time
import zlib
from array import array
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256, sha512
from itertools import islice
from pathlib import Path
from typing import IO, Any, ClassVar, NamedTuple, NoReturn, Protocol, TypeAlias, cast

try:
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError
except ModuleNotFoundError:
    if __name__ != "__main__":
        raise
    sys.exit(
        "verify.py needs PyNaCl: `python -m venv check`, `check/bin/pip install pynacl`, `check/bin/python verify.py`"
    )

# -- limits: nothing is read that is larger, and nothing is kept that grows faster than the number of actions -----------

MAX_NOTE = 1024 * 1024
MAX_LEAF = 60_000
WIDTH = 256
HASH = 32
MAX_BUNDLE = WIDTH * (MAX_LEAF + 2)
MAX_SIZE = 2**40
MAX_LINE = 8 * 1024 * 1024
MAX_TEXT = 16 * 1024 * 1024
MAX_FILES = 1_000_000
"""However large the log is said to be."""
MAX_NAME = 200
MAX_DEPTH = 20
MAX_RATIO = 200
"""An archive whose files unpack to so many times their size is one that was made to."""
MAX_SIGNATURES = 100
MAX_FINDINGS = 100
MAX_TOLD = 20
MAX_KEPT = 100_000
"""Of so many entries whose clear texts are not there it is remembered what the first is called."""
MAX_CLEAR = 1000
"""No entry commits to so many values."""
SKEW_MS = 60_000
FORMAT = "interlock-export/v1"
SEAL = "MANIFEST.sig"
"""The gate's signature over MANIFEST, and so over the export as a whole."""
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATES = "https://interlock.dev/evidence/"
IN_TOTO = "application/vnd.in-toto+json"
ED25519, COSIGNATURE, MLDSA44 = 1, 4, 6
MLDSA44_LINE = 8 + 2420
"""A time, and a signature (FIPS 204)."""
KEY_BYTES = {ED25519: 32, COSIGNATURE: 32, MLDSA44: 1312}

MOVES: dict[str, frozenset[str]] = {
    "": frozenset({"refused", "denied", "shadowed", "held", "ready", "preparing", "dispatching"}),
    "held": frozenset({"ready", "held", "rejected", "expired", "denied", "voided"}),
    "ready": frozenset({"preparing", "dispatching", "held", "denied", "expired", "voided"}),
    "preparing": frozenset({"preparing", "prepared", "failed", "aborting"}),
    "prepared": frozenset({"dispatching", "aborting"}),
    "aborting": frozenset({"aborting", "voided", "failed"}),
    "dispatching": frozenset({"done", "failed", "unknown", "dispatching", "aborting"}),
    "unknown": frozenset({"done", "failed", "dispatching", "aborting"}),
    "done": frozenset({"undoing"}),
    "undoing": frozenset({"undone", "undo_failed"}),
    "undo_failed": frozenset({"undoing", "undone"}),
}
"""Which state of an action may follow which (`""`: none yet); a state that is not here is an end."""
TOUCHED = frozenset({"done", "unknown", "undoing", "undone", "undo_failed"})
"""No action is in these unless its intent to act was recorded before."""
CALLER = {
    "instance": re.compile(r"[A-Za-z0-9_-]{43}"),
    "credential": re.compile(r"[!-~]{1,256}"),
    "attested": re.compile(r"[!-~]{1,256}"),
    "proof": re.compile(r"[0-9a-f]{64}"),
}
"""What the first entry of an action says of who called, and in which form: all of it, or none."""
WAYS = ("link", "password", "oidc")
ATTESTED = frozenset({"local", "bootstrap", "oidc", "spire"})
"""By what an instance may have been recognised."""
KNOWN = re.compile(
    r"checkpoint|(?:actions|disclosures|records)\.jsonl|export\.json|README\.md|verify\.py|policy|keys/(?:log|gate)"
    r"|lists/[a-z0-9-]{1,40}\.(?:md|csv)|anchors/[0-9]{1,19}\.(?:checkpoint|tsr)|receipts/[0-9]{1,19}\.(?:cose|json|dsse)"
)
"""The files of an export, besides MANIFEST, its signature and those of the log itself."""


ABOUT = {
    *("format", "origin", "size", "root", "madeAt", "interlock"),
    *("disclosed", "selected", "selection", "actions", "profiles", "receipts"),
}
"""What `export.json` says."""

USAGE = frozenset({"usage", "bad_key", "bad_policy", "bad_note"})
"""What is refused because of what was brought, not because of the export: such a run says nothing about the export."""


class Refused(Exception):
    """Something is not what it must be to be read at all. `code` is stable, `detail` is for a person."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Wrong(ValueError):
    """Bytes are not the note, key, envelope or value they are said to be."""


# -- the export's files ---------------------------------------------------------------------------------------------------


_BROKEN = (OSError, EOFError, RuntimeError, OverflowError, ValueError, struct.error, zlib.error)
"""What reading a file ends in that is not what it should be."""


class Files(Protocol):
    """The files of an export, by their path with `/`."""

    def paths(self) -> list[str]:
        """Every file there is, in order."""
        ...

    def open(self, path: str) -> IO[bytes] | None:
        """A file to be read, or None where there is none."""
        ...


def most_files(checkpoint: bytes) -> int:
    """How many files an export of the log of this checkpoint can hold, else Refused: its tiles, at most three files beside
    an entry, and those that are there once."""
    try:
        size = checkpoint_of(note_of(checkpoint).text).size
    except Wrong as error:
        raise Refused("not_an_export", f"`checkpoint`: {error}") from None
    return min(3 * -(-size // WIDTH) + 3 * size + 64, MAX_FILES)


class Folder:
    """An export that lies in a folder. No link out of it is followed, and nothing but plain files is read."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._paths = sorted(self._found(most_files(needed(self, "checkpoint", MAX_NOTE))))

    def _found(self, most: int) -> Iterator[str]:
        # One name at a time: a folder of millions of files is refused before they are listed.
        count, todo = 0, [""]
        while todo:
            folder = todo.pop()
            with os.scandir(self._root / folder) as entries:
                for entry in entries:
                    count += 1
                    # Each file of the log may lie in folders of its own.
                    if count > 4 * most:
                        raise Refused("too_large", "the export holds more files and folders than one of its log does")
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    # A link to a folder is not followed; it is a file that no export holds.
                    if not entry.is_dir(follow_symlinks=False):
                        yield path
                    elif path.count("/") < MAX_DEPTH:
                        todo.append(path)
                    else:
                        raise Refused("too_large", "the export's folders are deeper than any of an export")

    def paths(self) -> list[str]:
        """Every file there is, in order."""
        return self._paths

    def holds(self, path: Path) -> bool:
        """Whether a file of the machine is one of them."""
        return path.resolve().is_relative_to(self._root)

    def open(self, path: str) -> IO[bytes] | None:
        """A file to be read, or None where there is none."""
        place = self._root / path
        try:
            if not place.resolve().is_relative_to(self._root) or not stat.S_ISREG(place.stat().st_mode):
                raise Refused("not_a_file", f"`{path}` is not a plain file of the export")
            return place.open("rb")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RuntimeError) as error:
            raise Refused("unreadable", f"`{path}` cannot be read: {error}") from None


class Member(NamedTuple):
    """One file in a zip archive: how it is packed, what its bytes are said to be, and where they lie."""

    method: int
    checksum: int
    packed: int
    size: int
    at: int


class Zip:
    """An export in one zip file (PKWARE APPNOTE 6.3), read where it lies: nothing is unpacked.

    What programs could read in different ways is refused, so that nobody unpacks other files than were verified: every
    member says the same of itself in its own header and in the directory at the end, and they lie one behind the other from
    the first byte to that directory, which ends the file.
    """

    _END = struct.Struct("<4sHHHHIIH")
    _END64 = struct.Struct("<4sQHHIIQQQQ")
    _LOCATOR = struct.Struct("<4sIQI")
    _LISTED = struct.Struct("<4sHHHHHHIIIHHHHHII")
    _LOCAL = struct.Struct("<4sHHHHHIIIHH")
    _FLAGS = 0x0806
    """How well it is packed, and that names are UTF-8: no other flag stands in an export."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._members: dict[str, Member] = {}
        try:
            with path.open("rb") as self._file:
                self._length = path.stat().st_size
                count, start, stop = self._directory()
                # The checkpoint says how many files there may be, so it is looked for before any name is kept.
                listed = self._listed(count, start, stop)
                self._members = dict(islice((each for each in listed if each[0] == "checkpoint"), 1))
                # Each file of the log may lie in folders of its own.
                if count > 4 * most_files(needed(self, "checkpoint", MAX_NOTE)):
                    raise Refused("too_large", "the export holds more files and folders than one of its log does")
                self._members = dict(sorted(self._alone(self._listed(count, start, stop))))
        except _BROKEN as error:
            raise Refused("not_an_export", f"`{path}` is neither a folder nor a zip file: {error}") from None

    def paths(self) -> list[str]:
        """Every file there is, in order."""
        return [*self._members]

    def open(self, path: str) -> IO[bytes] | None:
        """A file to be read, or None where there is none."""
        member = self._members.get(path)
        if member is None:
            return None
        if member.size > MAX_RATIO * member.packed + MAX_NOTE:
            raise Refused("too_large", f"`{path}` unpacks to more than anything in an export does")
        try:
            return cast("IO[bytes]", io.BufferedReader(Unpacked(self._path.open("rb"), member)))
        except OSError as error:
            raise Refused("unreadable", f"`{path}` cannot be read: {error}") from None

    def _odd(self, why: str) -> Refused:
        said = f"the zip file is not one that `audit export` writes: {safe(why)}. Others could read other files in it"
        return Refused("not_an_export", said)

    def _read(self, at: int, count: int) -> bytes:
        self._file.seek(at)
        data = self._file.read(count)
        if len(data) != count:
            raise self._odd("it is cut off")
        return data

    def _directory(self) -> tuple[int, int, int]:
        """How many members are listed, and from where to where."""
        end = self._length - self._END.size
        if end < 0 or self._read(0, 4) not in (b"PK\x03\x04", b"PK\x05\x06"):
            raise ValueError("it does not begin as one")
        mark, disk, first, here, count, length, start, comment = self._END.unpack(self._read(end, self._END.size))
        if mark != b"PK\x05\x06" or comment:
            raise self._odd("data follows on its end, or its end is missing")
        if 0xFFFF in (here, count) or 0xFFFFFFFF in (length, start):
            end -= self._LOCATOR.size + self._END64.size
            if end < 0:
                raise self._odd("its end is missing")
            mark, rest, _, _, disk, first, here, count, length, start = self._END64.unpack(
                self._read(end, self._END64.size)
            )
            locator = self._LOCATOR.unpack(self._read(end + self._END64.size, self._LOCATOR.size))
            if mark != b"PK\x06\x06" or rest != self._END64.size - 12 or locator != (b"PK\x06\x07", 0, end, 1):
                raise self._odd("its end is not in the one form")
        if disk or first or here != count or start + length != end:
            raise self._odd("its directory does not lie before its end")
        if count > 4 * MAX_FILES:
            raise Refused("too_large", "the export holds too many files")
        return count, start, end

    def _listed(self, count: int, first: int, stop: int) -> Iterator[tuple[str, Member]]:
        """The members in the order of the directory, each held against its own header and its place."""
        start, place = first, 0
        for _ in range(count):
            if start + self._LISTED.size > stop:
                raise self._odd("its directory lists fewer members than its end says")
            name, member, at, after = self._member(start)
            if at != place:
                raise self._odd(f"`{name}` does not lie right behind the member before it")
            yield name, member
            start, place = after, member.at + member.packed
        if (start, place) != (stop, first):
            raise self._odd("something stands in it that its directory does not list")

    def _member(self, start: int) -> tuple[str, Member, int, int]:
        """What the directory lists at `start`, where its own header begins, and where the directory goes on."""
        listed = self._LISTED.unpack(self._read(start, self._LISTED.size))
        mark, _, _, flags, method, _, _, checksum, packed, size, names, extras, comment, disk, _, _, at = listed
        if mark != b"PK\x01\x02" or comment or disk or not 0 < names <= MAX_NAME:
            raise self._odd("its directory lists what is no member of an export")
        raw = self._read(start + self._LISTED.size, names + extras)
        name = raw[:names].decode("utf-8", "backslashreplace")
        size, packed, at = self._large(raw[names:], size, packed, at)
        if flags & ~self._FLAGS or method not in (0, 8) or (not method and packed != size):
            raise self._odd(f"`{name}` is packed in a way that no export is")
        own = self._LOCAL.unpack(self._read(at, self._LOCAL.size))
        more = self._read(at + self._LOCAL.size, own[9] + own[10])
        said = (own[0], own[2], own[3], own[6], *self._large(more[own[9] :], own[8], own[7]), more[: own[9]])
        if said != (b"PK\x03\x04", flags, method, checksum, size, packed, raw[:names]):
            raise self._odd(f"`{name}` says something else of itself than the directory does")
        data = at + self._LOCAL.size + len(more)
        return name, Member(method, checksum, packed, size, data), at, start + self._LISTED.size + len(raw)

    def _large(self, extras: bytes, *small: int) -> tuple[int, ...]:
        """Sizes and places, from the extra field for large files (APPNOTE 4.5.3) where they are not in the header."""
        large = b""
        while extras:
            kind, length = struct.unpack_from("<HH", extras)
            # Times and owners tell nothing of the contents. Another field could: a second name, or encryption.
            if len(extras) < 4 + length or kind not in (1, 0x5455, 0x7875) or (kind == 1 and large):
                raise self._odd("it has an extra field that no export has")
            large = extras[4 : 4 + length] if kind == 1 else large
            extras = extras[4 + length :]
        found: list[int] = []
        for each in small:
            if each == 0xFFFFFFFF:
                found.append(struct.unpack_from("<Q", large)[0])
                large = large[8:]
            else:
                found.append(each)
        if large:
            raise self._odd("it has an extra field that no export has")
        return tuple(found)

    def _alone(self, listed: Iterable[tuple[str, Member]]) -> Iterator[tuple[str, Member]]:
        """The files among them: each has a plain name that no other has, whatever case a system goes by."""
        taken: set[str] = set()
        for name, member in listed:
            plain = name.removesuffix("/")
            odd = not (name.isascii() and name.isprintable()) or "\\" in name or ":" in name
            if odd or any(each in ("", ".", "..") for each in plain.split("/")):
                raise self._odd(f"`{name}` is no plain name")
            if plain.casefold() in taken:
                raise self._odd(f"there are two members called `{plain}`, or only their case differs")
            taken.add(plain.casefold())
            if plain != name and (member.size or member.packed):
                raise self._odd(f"the folder `{name}` has contents")
            if plain == name:
                yield name, member


class Unpacked(io.RawIOBase):
    """The bytes of one member, unpacked as they are asked for; at their end length and CRC-32 must be as they are said."""

    def __init__(self, file: IO[bytes], member: Member) -> None:
        super().__init__()
        self._file, self._member = file, member
        file.seek(member.at)
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS) if member.method else None
        self._packed = b""
        self._taken = self._given = self._checksum = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def close(self) -> None:
        """Close the archive that it is read from."""
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """The next bytes. Raises ValueError where they are not those that the archive says."""
        data = self._some(len(buffer)) if len(buffer) else b""
        self._given += len(data)
        self._checksum = zlib.crc32(data, self._checksum)
        whole = (self._member.size, self._member.checksum)
        if self._given > whole[0] or (not data and len(buffer) and (self._given, self._checksum) != whole):
            raise ValueError("its length or its CRC-32 is another one than the archive says")
        buffer[: len(data)] = data
        return len(data)

    def _some(self, most: int) -> bytes:
        while True:
            if not self._packed:
                self._packed = self._file.read(min(self._member.packed - self._taken, 65536))
                self._taken += len(self._packed)
            if self._inflate is None:
                data, self._packed = self._packed[:most], self._packed[most:]
                return data
            if self._inflate.eof:
                if self._packed:
                    raise ValueError("something stands behind what is packed in it")
                return b""
            if not self._packed:
                raise ValueError("it is cut off")
            data = self._inflate.decompress(self._packed, most)
            self._packed = self._inflate.unused_data or self._inflate.unconsumed_tail
            if data:
                return data


def files_of(path: Path) -> Files:
    """The files of the export at `path`. Raises Refused."""
    try:
        if not path.exists():
            raise Refused("missing", f"there is no `{path}`")
        return Folder(path) if path.is_dir() else Zip(path)
    except (OSError, RuntimeError) as error:
        raise Refused("unreadable", f"`{path}` cannot be read: {error}") from None


def read(files: Files, path: str, limit: int) -> bytes | None:
    """All of a file of at most `limit` bytes, or None where there is none. Raises Refused."""
    file = files.open(path)
    if file is None:
        return None
    try:
        with file:
            data = file.read(limit + 1)
    except _BROKEN as error:
        raise Refused("unreadable", f"`{path}` cannot be read: {error}") from None
    if len(data) > limit:
        raise Refused("too_large", f"`{path}` is longer than {limit} bytes")
    return data


def needed(files: Files, path: str, limit: int) -> bytes:
    """The same, of a file that must be there."""
    data = read(files, path, limit)
    if data is None:
        around = ": is it the very folder or file that `audit export` wrote, and not one around it?"
        raise Refused("missing", f"the export holds no `{path}`" + (around if path == "checkpoint" else ""))
    return data


def lines_of(files: Files, path: str) -> Iterator[bytes]:
    """The lines of a file, one at a time, each at most 8 MiB. Nothing where there is no such file. Raises Refused."""
    file = files.open(path)
    if file is None:
        return
    try:
        with file:
            while line := file.readline(MAX_LINE + 1):
                if len(line) > MAX_LINE:
                    raise Refused("too_large", f"a line of `{path}` is longer than {MAX_LINE} bytes")
                yield line
    except _BROKEN as error:
        raise Refused("unreadable", f"`{path}` cannot be read: {error}") from None


# -- values ---------------------------------------------------------------------------------------------------------------

Json: TypeAlias = Any
Object: TypeAlias = dict[str, Any]
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def _no_float(text: str) -> NoReturn:
    raise Wrong(f"`{text[:20]}` is no whole number")


def _whole(text: str) -> int:
    if len(text) > 400:
        raise Wrong("an integer is too long")
    return int(text)


def _once(pairs: list[tuple[str, Json]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Wrong("a key is given twice")
    return found


# Made once: a decoder of one's own costs more than most of what it reads.
_whole_only = json.JSONDecoder(
    object_pairs_hook=_once, parse_constant=_no_float, parse_float=_no_float, parse_int=_whole
).decode
_with_floats = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_float, parse_int=_whole).decode
_quickly = json.JSONDecoder(parse_constant=_no_float, parse_float=_no_float, parse_int=_whole).decode
_written = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def strict(data: bytes, *, floats: bool = False) -> Json:
    """Read JSON in which no key is given twice, without NaN and, unless `floats`, without floating-point numbers."""
    try:
        text = data.decode()
        value = _with_floats(text) if floats else _whole_only(text)
        if "\\u" in text:
            # Half of a character can be escaped in JSON, and no reader can write it again.
            _written(value).encode()
        return value
    except RecursionError:
        raise Wrong("nested too deep") from None
    except UnicodeError:
        raise Wrong("not UTF-8, or half of a character") from None
    except Wrong:
        raise
    except ValueError as error:
        raise Wrong(f"not JSON: {str(error)[:120]}") from None


def an_object(value: Json, what: str) -> Object:
    """`value` as a JSON object, else Wrong."""
    if not isinstance(value, dict):
        raise Wrong(f"{what} is not a JSON object")
    return cast(Object, value)


def a_list(value: Json) -> list[Json]:
    """`value` as a JSON array; anything else as an empty one."""
    return [*cast("Iterable[Json]", value)] if isinstance(value, list) else []


def listed(value: Object, name: str) -> list[Json]:
    """The JSON array under `name`, else Wrong."""
    found = value.get(name)
    if not isinstance(found, list):
        raise Wrong(f"`{name}` is not a list")
    return a_list(found)


def text_in(value: Object, name: str) -> str:
    """The string under `name`, else Wrong."""
    found = value.get(name)
    if not isinstance(found, str):
        raise Wrong(f"`{name}` is not text")
    return found


def whole_in(value: Object, name: str) -> int:
    """The integer under `name`, else Wrong."""
    found = value.get(name)
    if not isinstance(found, int) or isinstance(found, bool):
        raise Wrong(f"`{name}` is not a whole number")
    return found


def from_base64(text: str, what: str = "a value") -> bytes:
    """Standard padded base64 in its one form, else Wrong."""
    try:
        data = a2b_base64(text)
    except ValueError:
        raise Wrong(f"{what} is not base64") from None
    if b64encode(data).decode() != text:
        raise Wrong(f"{what} is not in the one form of base64")
    return data


def number(digits: str) -> int:
    """A decimal number without leading zeros below 2^63, else Wrong."""
    if not _NUMBER.fullmatch(digits):
        raise Wrong("a number is written in decimal digits, without leading zeros")
    return int(digits)


def ms_of(text: str) -> int:
    """RFC 3339 in UTC as milliseconds, else Wrong."""
    if not _TIME.fullmatch(text):
        raise Wrong(f"`{text[:40]}` is no time in UTC")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong(f"`{text[:40]}` is no time in UTC") from None
    return int(moment.replace(microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000


def ms_or_none(value: Json) -> int | None:
    """The same of any JSON value; None for what is no time."""
    try:
        return ms_of(value) if isinstance(value, str) else None
    except Wrong:
        return None


def shown(ms: int) -> str:
    """Milliseconds as a time to read."""
    try:
        return datetime.fromtimestamp(ms // 1000, tz=UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{ms} ms"


def safe(text: str) -> str:
    """Text of the export for a terminal: nothing in it moves the cursor or changes colours."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text[:500])


# -- keys and notes -------------------------------------------------------------------------------------------------------


class Key(NamedTuple):
    """A public key: its name, its algorithm's byte and its 32 bytes."""

    name: str
    kind: int
    public: bytes

    def id(self) -> bytes:
        """The four bytes that point to it."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def keyid(self) -> str:
        """How an envelope points to it."""
        return f"{self.name}+{self.id().hex()}"

    def line(self) -> str:
        """It as one line."""
        return f"{self.keyid()}+{b64encode(bytes([self.kind]) + self.public).decode()}"


def key_of(line: str) -> Key:
    """Read a key line `name+id+base64`, else Wrong."""
    parts = line.split("+", 2)
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
        raise Wrong("a key reads `name+id+base64`")
    data = from_base64(parts[2], "the key")
    if not data or KEY_BYTES.get(data[0]) != len(data) - 1:
        raise Wrong(f"`{safe(parts[0])}` is not a key of a kind that is known here")
    key = Key(parts[0], data[0], data[1:])
    if key.id().hex() != parts[1]:
        raise Wrong(f"the id of the key `{parts[0]}` does not belong to it")
    return key


def good(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature verifies."""
    if len(signature) != 64:
        return False
    try:
        crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


class Note(NamedTuple):
    """A text and the signatures under it: name, key id, bytes. Nothing in it is true until verified."""

    text: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def signed_by(self, key: Key) -> bool:
        """Whether `key` signed it. Every line that claims the key must verify."""
        claimed = [sig for name, id_, sig in self.signatures if (name, id_) == (key.name, key.id())]
        return bool(claimed) and all(good(key.public, self.text, each) for each in claimed)

    def cosigned_by(self, key: Key) -> int | None:
        """When, in ms, the witness `key` says it saw this checkpoint; None where it did not sign."""
        found: int | None = None
        for name, id_, data in self.signatures:
            if (name, id_) != (key.name, key.id()) or key.kind != COSIGNATURE:
                continue
            seconds = int.from_bytes(data[:8], "big")
            message = b"cosignature/v1\ntime %d\n" % seconds + self.text
            if len(data) != 72 or seconds > 2**40 or not good(key.public, message, data[8:]):
                return None
            found = seconds * 1000
        return found


_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


def note_of(data: bytes) -> Note:
    """Read a signed note, verifying nothing, else Wrong."""
    if len(data) > MAX_NOTE:
        raise Wrong("the note is too long")
    text, blank, lines = data.rpartition(b"\n\n")
    if not blank or not lines.endswith(b"\n"):
        raise Wrong("the note is not a text, an empty line and signatures")
    if lines.count(b"\n") > MAX_SIGNATURES:
        raise Wrong("the note has too many signatures")
    signatures: list[tuple[str, bytes, bytes]] = []
    try:
        if _CONTROL.search(text.decode()):
            raise Wrong("control characters have no place in a note")
        for line in lines[:-1].decode().split("\n"):
            name, space, encoded = line.removeprefix("\N{EM DASH} ").partition(" ")
            if not line.startswith("\N{EM DASH} ") or not space or not _NAME.fullmatch(name):
                raise Wrong("a signature line reads `\N{EM DASH} name signature`")
            signature = from_base64(encoded, "a signature")
            if len(signature) < 5:
                raise Wrong("a signature is too short")
            signatures.append((name, signature[:4], signature[4:]))
    except UnicodeDecodeError:
        raise Wrong("the note is not UTF-8") from None
    return Note(text + b"\n", tuple(signatures))


class Checkpoint(NamedTuple):
    """The name, size and root of a log."""

    origin: str
    size: int
    root: bytes


def checkpoint_of(text: bytes) -> Checkpoint:
    """Read the text of a checkpoint note, else Wrong."""
    try:
        lines = text.decode().split("\n")
    except UnicodeDecodeError:
        raise Wrong("the checkpoint is not UTF-8") from None
    if len(lines) != 4 or lines[3] or not _NAME.fullmatch(lines[0]):
        raise Wrong("a checkpoint is exactly three lines: name, size, root")
    root = from_base64(lines[2], "the root")
    if len(root) != HASH:
        raise Wrong("a root is 32 bytes long")
    size = number(lines[1])
    if size > MAX_SIZE:
        raise Wrong(f"a log of {size} entries is more than this program reads")
    return Checkpoint(lines[0], size, root)


class Policy(NamedTuple):
    """Which witnesses must have cosigned: C2SP tlog-policy."""

    logs: tuple[Key, ...]
    witnesses: dict[str, Key]
    groups: dict[str, tuple[int, tuple[str, ...]]]
    quorum: str

    def met(self, names: set[str], wanted: str = "") -> bool:
        """Whether the witnesses `names` make the quorum."""
        name = wanted or self.quorum
        if name == "none":
            return True
        if name in self.witnesses:
            return name in names
        least, members = self.groups[name]
        return sum(self.met(names, each) for each in members) >= least


def policy_of(text: str) -> Policy:
    """Read a policy, else Wrong. A group names only what stands above it, so that there are no circles."""
    logs: list[Key] = []
    witnesses: dict[str, Key] = {}
    groups: dict[str, tuple[int, tuple[str, ...]]] = {}
    quorum = ""
    taken: set[str] = set()
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        # No `match`: a Python that is too old must get as far as being told so.
        kind, *rest = words
        fresh = len(rest) > 1 and rest[0] not in {*witnesses, *groups, "none"}
        if kind == "log" and len(rest) in (1, 2):
            logs.append(key_of(rest[0]))
        elif kind == "witness" and len(rest) in (2, 3) and fresh:
            witnesses[rest[0]] = _witness(rest[1], witnesses.values())
        elif kind == "group" and len(rest) > 2 and fresh:
            groups[rest[0]] = _group(rest, {*witnesses, *groups}, taken)
        elif kind == "quorum" and len(rest) == 1 and not quorum and rest[0] in {*witnesses, *groups, "none"}:
            quorum = rest[0]
        else:
            raise Wrong(f"`{safe(line)[:80]}` is no line of a policy")
    if not quorum:
        raise Wrong("the policy does not say its quorum")
    return Policy(tuple(logs), witnesses, groups, quorum)


def _group(words: list[str], above: set[str], taken: set[str]) -> tuple[int, tuple[str, ...]]:
    name, least, *members = words
    if not above.issuperset(members) or taken.intersection(members):
        raise Wrong(f"the group `{name}` names what does not stand above it, or what is a member already")
    taken.update(members)
    k = {"any": 1, "all": len(members)}.get(least) or number(least)
    if not 1 <= k <= len(members) or len(set(members)) != len(members):
        raise Wrong(f"the group `{name}` cannot be met as it stands")
    return k, tuple(members)


def _witness(vkey: str, others: Iterable[Key]) -> Key:
    key = key_of(vkey)
    if key.kind == ED25519 or any(each.public == key.public for each in others):
        raise Wrong(f"`{safe(key.name)}` is not the key of a witness, or is there twice")
    return key


# -- the tree -------------------------------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962: an entry's leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962: two neighbours' parent."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: list[bytes]) -> bytes:
    """The root over these hashes."""
    if not hashes:
        return sha256(b"").digest()
    peaks: list[tuple[int, bytes]] = []
    for each in hashes:
        height, node = 0, each
        while peaks and peaks[-1][0] == height:
            node = node_hash(peaks.pop()[1], node)
            height += 1
        peaks.append((height, node))
    node = peaks[-1][1]
    for _, peak in peaks[-2::-1]:
        node = node_hash(peak, node)
    return node


class Tree:
    """The hashes above the entries as computed here: 32 bytes for each 256 entries, twice over."""

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]
        """Level k holds the roots of complete subtrees of 256 * 2^k entries."""
        self.rest: list[bytes] = []
        """The leaf hashes after the last full tile."""

    @property
    def size(self) -> int:
        """How many entries were added."""
        return len(self._levels[0]) // HASH * WIDTH + len(self.rest)

    def add(self, hashes: list[bytes]) -> None:
        """Add the leaf hashes of one tile."""
        if len(hashes) < WIDTH:
            self.rest = hashes
            return
        node, level = root_of(hashes), 0
        while True:
            if level == len(self._levels):
                self._levels.append(bytearray())
            row = self._levels[level]
            row += node
            if len(row) // HASH % 2:
                return
            node, level = node_hash(bytes(row[-2 * HASH : -HASH]), bytes(row[-HASH:])), level + 1

    def tile_roots(self, start: int, stop: int) -> list[bytes]:
        """The roots of the full lowest tiles from `start` up to `stop`."""
        row = self._levels[0]
        return [bytes(row[n * HASH : (n + 1) * HASH]) for n in range(start, stop)]

    def root_at(self, tiles: int, rest: list[bytes]) -> bytes:
        """The root over the first `tiles` full tiles and the leaf hashes `rest` after them."""
        peaks: list[bytes] = []
        place = 0
        for level in range(tiles.bit_length() - 1, -1, -1):
            if tiles >> level & 1:
                row = self._levels[level]
                n = place >> level
                peaks.append(bytes(row[n * HASH : (n + 1) * HASH]))
                place += 1 << level
        if rest or not peaks:
            peaks.append(root_of(rest))
        node = peaks[-1]
        for peak in peaks[-2::-1]:
            node = node_hash(peak, node)
        return node

    def path(self, index: int, hashes: list[bytes]) -> list[bytes]:
        """RFC 6962: what leads from entry `index` to the root, the lowest first. `hashes` are the leaves of its tile."""
        # From 256 entries on a tree splits between tiles, so that above them each tile is like one leaf.
        tiles = len(self._levels[0]) // HASH + bool(self.rest)
        low = audit_path(index % WIDTH, 0, len(hashes), lambda start, stop: root_of(hashes[start:stop]))
        return low + audit_path(index // WIDTH, 0, tiles, self._over)

    def _over(self, start: int, stop: int) -> bytes:
        """The root over some tiles that have a node of their own."""
        count, full = stop - start, len(self._levels[0]) // HASH
        if stop <= full and count & (count - 1) == 0:
            level = count.bit_length() - 1
            return bytes(self._levels[level][(start >> level) * HASH :][:HASH])
        if count == 1:
            return root_of(self.rest)
        half = 1 << (count - 1).bit_length() - 1
        return node_hash(self._over(start, start + half), self._over(start + half, stop))


def audit_path(place: int, start: int, stop: int, root: Callable[[int, int], bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1: the neighbours on the way from `place` up, where `root` gives the root over some leaves."""
    found: list[bytes] = []
    while stop - start > 1:
        middle = start + (1 << (stop - start - 1).bit_length() - 1)
        if place < middle:
            found.append(root(middle, stop))
            stop = middle
        else:
            found.append(root(start, middle))
            start = middle
    return found[::-1]


def tile_path(level: str, n: int, width: int) -> str:
    """C2SP tlog-tiles: the path of a tile or bundle."""
    digits = str(n)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    suffix = "" if width == WIDTH else f".p/{width}"
    return "/".join(["tile", level, *("x" + each for each in groups[:-1]), groups[-1]]) + suffix


def entries_of(bundle: bytes, width: int) -> list[bytes]:
    """The entries of a bundle, else Wrong."""
    entries: list[bytes] = []
    place = 0
    while place < len(bundle):
        end = place + 2 + int.from_bytes(bundle[place : place + 2], "big")
        if end > len(bundle) or end - place - 2 > MAX_LEAF:
            raise Wrong(f"its entry {len(entries)} is cut off or too long")
        entries.append(bundle[place + 2 : end])
        place = end
    if len(entries) != width:
        raise Wrong(f"it holds {len(entries)} entries, not {width}")
    return entries


# -- entries --------------------------------------------------------------------------------------------------------------


class Said(NamedTuple):
    """What an entry's Statement says, as far as it is checked here."""

    kind: str
    subject: str
    digest: str
    phase: str
    stream: str
    seq: int
    prev: str
    observed_at: int
    action: str
    action_seq: int
    state: str
    commitments: Object
    predicate: Object


_ENVELOPE = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/=]+)","payloadType":"([^"\\\x00-\x1f]+)","signatures":\[(.+)\]\}', re.DOTALL
)
_SIGNATURE = re.compile(rb'\{"keyid":"([^"\\\x00-\x1f]*)","sig":"([A-Za-z0-9+/=]+)"\}')


def envelope_of(data: bytes) -> tuple[bytes, str, list[tuple[str, bytes]]]:
    """Payload, its type and signatures of a DSSE envelope in its one form, else Wrong."""
    found = _ENVELOPE.fullmatch(data)
    if found is None:
        raise Wrong("it is not an envelope in its one form")
    signatures: list[tuple[str, bytes]] = []
    try:
        kind = found[2].decode()
        rest, place = found[3], 0
        while place < len(rest):
            if place:
                if rest[place : place + 1] != b",":
                    raise Wrong("it is not an envelope in its one form")
                place += 1
            one = _SIGNATURE.match(rest, place)
            if one is None or len(signatures) >= MAX_SIGNATURES:
                raise Wrong("it is not an envelope in its one form")
            signatures.append((one[1].decode(), from_base64(one[2].decode(), "a signature")))
            place = one.end()
        return from_base64(found[1].decode(), "its payload"), kind, signatures
    except UnicodeDecodeError:
        raise Wrong("it is not an envelope in its one form") from None


def pae(kind: str, payload: bytes) -> bytes:
    """DSSE: what is signed."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def statement_of(payload: bytes) -> Said:
    """Read a Statement of ours, else Wrong."""
    said = an_object(_canonical(payload), "its payload")
    predicate = an_object(said.get("predicate"), "its predicate")
    kind = text_in(said, "predicateType")
    if said.get("_type") != STATEMENT or not kind.startswith(PREDICATES):
        raise Wrong(f"its payload is a `{safe(kind)}`, not a Statement of ours")
    subjects = a_list(said.get("subject"))
    if len(subjects) != 1:
        raise Wrong("it is not about one subject")
    subject = an_object(subjects[0], "its subject")
    stream = an_object(predicate.get("stream"), "its stream")
    times = an_object(predicate.get("times"), "its times")
    has_action = predicate.get("actionId") is not None
    if has_action and not predicate["actionId"]:
        raise Wrong("it is about an action without a name")
    commitments = an_object(predicate.get("commitments", {}), "its commitments")
    if not all(isinstance(each, str) for each in commitments.values()):
        raise Wrong("what it commits to is not text")
    return Said(
        kind=kind.removeprefix(PREDICATES),
        subject=text_in(subject, "name"),
        digest=text_in(an_object(subject.get("digest"), "its digest"), "sha256"),
        phase=text_in(predicate, "phase"),
        stream=text_in(stream, "id"),
        seq=whole_in(stream, "seq"),
        prev=text_in(stream, "prev"),
        observed_at=ms_of(text_in(times, "observedAt")),
        action=text_in(predicate, "actionId") if has_action else "",
        action_seq=whole_in(predicate, "actionSeq") if has_action else 0,
        state=str(predicate.get("state")),
        commitments=commitments,
        predicate=predicate,
    )


_LONG = re.compile(rb"[:\[,]-?[0-9]{16}")
"""Where an integer may be longer than every program can hold."""


def _canonical(payload: bytes) -> Json:
    """Read the payload, which is written in one way only, else Wrong: so no key is given twice."""
    try:
        value = _quickly(payload.decode())
        if _written(value).encode() == payload and not _LONG.search(payload):
            return value
    except (ValueError, RecursionError):
        pass
    value = strict(payload)
    if _written(value).encode() != payload:
        raise Wrong("its payload is not in its one form: keys in order and once, no spaces")
    _small(value)
    return value


def _small(value: Json) -> None:
    if isinstance(value, int) and abs(value) >= 2**53:
        raise Wrong(f"`{str(value)[:20]}` is more than every program can hold")
    for each in cast(Object, value).values() if isinstance(value, dict) else a_list(value):
        _small(each)


# -- time stamps ----------------------------------------------------------------------------------------------------------

_SIGNED_DATA, _TST_INFO = bytes.fromhex("2a864886f70d010702"), bytes.fromhex("2a864886f70d0109100104")
_DIGESTS = {bytes.fromhex("608648016503040201"): sha256, bytes.fromhex("608648016503040203"): sha512}
_MOMENT = re.compile(rb"\d{14}(\.\d{1,6})?Z")


def _inside(data: bytes, *tags: int) -> list[bytes]:
    """The contents of DER values (X.690) one behind the other, which begin with these tags, else Wrong."""
    found: list[bytes] = []
    while data and len(found) < len(tags):
        length, start = data[1] if len(data) > 1 else 0x80, 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start], "big") if 2 < start < 7 else len(data)
        if data[0] != tags[len(found)] or len(data) < start + length:
            break
        found.append(data[start : start + length])
        data = data[start + length :]
    if len(found) != len(tags):
        raise Wrong("it is not in the form of RFC 3161")
    return found


def stamped(token: bytes, data: bytes) -> int:
    """When, in ms, an RFC 3161 answer says that there was `data`, else Wrong. Who signed it is not looked at."""
    (answer,) = _inside(token, 0x30)
    status, content = _inside(answer, 0x30, 0x30)
    kind, signed = _inside(content, 0x06, 0xA0)
    (signed,) = _inside(signed, 0x30)
    *_, holder = _inside(signed, 0x02, 0x31, 0x30)
    holds, info = _inside(holder, 0x06, 0xA0)
    if (kind, holds) != (_SIGNED_DATA, _TST_INFO) or _inside(status, 0x02)[0] not in (b"\0", b"\1"):
        raise Wrong("it is not in the form of RFC 3161")
    (info,) = _inside(_inside(info, 0x04)[0], 0x30)
    *_, imprint, _, moment = _inside(info, 0x02, 0x06, 0x30, 0x02, 0x18)
    algorithm, digest = _inside(imprint, 0x30, 0x04)
    hashed = _DIGESTS.get(_inside(algorithm, 0x06)[0])
    if hashed is None or hashed(data).digest() != digest:
        raise Wrong("it is over other bytes than the checkpoint beside it")
    if not _MOMENT.fullmatch(moment):
        raise Wrong("it states no time in UTC")
    text = moment.decode()
    return ms_of(f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:]}")


# -- what is found --------------------------------------------------------------------------------------------------------


@dataclass
class Report:
    """What was checked, what is wrong, and what nobody vouched for."""

    export: str
    origin: str = ""
    size: int = 0
    root: str = ""
    entries: int = 0
    signatures: int = 0
    actions: int = 0
    streams: int = 0
    unclosed: int = 0
    disclosures: int = 0
    erased: int = 0
    """How many entries lost their clear texts to an erasure, by the log's own word, whatever clear texts were asked for."""
    lost: int = 0
    """How many lost theirs without one, and two persons acknowledged it."""
    anchors: int = 0
    witnessed: int = 0
    """How many entries, from the first on, a quorum of the witnesses asked for has seen."""
    cosignatures: dict[str, str] = field(default_factory=dict[str, str])
    log_keys: list[str] = field(default_factory=list[str])
    gate_keys: list[str] = field(default_factory=list[str])
    disclosed: str = ""
    """Which clear texts the operator says were asked for: `all`, or their names."""
    sealed: str = ""
    """The gate's key that signed the export as a whole; empty where none did."""
    unread: list[str] = field(default_factory=list[str])
    """What was held against nothing in the log. Where the export is signed as a whole, the operator's word; else nobody's."""
    stamps: list[Object] = field(default_factory=list[Object])
    """The RFC 3161 time stamps: over which anchor, and when by their own word. Who signed them is not checked here."""
    unchecked: list[str] = field(default_factory=list[str])
    """Signature lines under checkpoints that were not checked, and why."""
    vouched: bool = False
    suspicions: list[Object] = field(default_factory=list[Object])
    """What stands on keys that were declared lost: not altered, and perhaps never said by the gate."""
    accept_suspect: bool = False
    findings: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    warnings: list[str] = field(default_factory=list[str])

    def found(self, place: str, problem: str) -> None:
        """Note one thing wrong."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append((safe(place), safe(problem)))

    def warn(self, text: str) -> None:
        """Note what nobody vouched for, or what was not looked at."""
        if safe(text) not in self.warnings and len(self.warnings) < MAX_FINDINGS:
            self.warnings.append(safe(text))

    @property
    def enough(self) -> bool:
        """Whether there is so much wrong that reading on is of no use."""
        return len(self.findings) >= MAX_FINDINGS

    @property
    def verdict(self) -> str:
        """`failed`, `unvouched`, `suspect` or `verified`."""
        if self.findings:
            return "failed"
        if not self.vouched:
            return "unvouched"
        return "suspect" if self.suspicions and not self.accept_suspect else "verified"

    @property
    def exit_code(self) -> int:
        """What the program ends with."""
        return {"verified": 0, "unvouched": 3, "failed": 4, "suspect": 4}[self.verdict]

    def value(self) -> Object:
        """It as one JSON value."""
        findings = [{"place": place, "problem": problem} for place, problem in self.findings]
        return {**asdict(self), "findings": findings, "verdict": self.verdict}


class Window(NamedTuple):
    """A key and the entries it is good for: from index `start` up to `stop` - 1, or without end."""

    key: Key
    start: int
    stop: int | None
    suspect: int | None = None
    """From this entry on it may have been in somebody else's hands."""


class Keyring:
    """The keys of one role, each from where the log says: from the first on, or those that were brought if it says nothing."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.brought = frozenset(keys)
        self.windows = [Window(each, 0, None) for each in self.brought]
        self.introduced = False

    def begin(self, key: Key) -> None:
        """The log says that it began with `key`: it counts for nothing unless it leads to one that was brought."""
        self.windows, self.introduced = [Window(key, 0, None)], True

    def trusted(self) -> list[Key]:
        """From the first that was brought on: one that such a key has replaced could sign another history."""
        first = next((n for n, each in enumerate(self.windows) if each.key in self.brought), len(self.windows))
        return [each.key for each in self.windows[first:]]

    def related(self) -> list[Window]:
        """All of the log's, where they lead to one that was brought."""
        return self.windows if self.trusted() else []

    def rotate(self, old: Key, new: Key, index: int) -> None:
        """From the entry after `index` on, `new` stands for `old`, else Wrong."""
        now = self.windows[-1] if self.introduced or len(self.windows) == 1 else None
        if now is None or now.key != old:
            raise Wrong(f"`{old.keyid()}` was not in force, and cannot name who follows it")
        self.windows = [*self.windows[:-1], now._replace(stop=index + 1), Window(new, index + 1, None)]

    def at(self, index: int) -> dict[str, Key]:
        """The keys that are good for entry `index`, by keyid."""
        return {
            each.key.keyid(): each.key
            for each in self.windows
            if each.start <= index and (each.stop is None or index < each.stop)
        }

    def retire(self, key: Key, since: int, index: int) -> None:
        """Say that `key`, which was replaced before entry `index`, may have been in other hands from `since` on, else Wrong."""
        found = next((each for each in self.windows if each.key == key), None)
        if found is None or found.stop is None or not 0 <= since <= index:
            raise Wrong("it speaks of a key that was not replaced before it")
        doubt = since if found.suspect is None else min(since, found.suspect)
        self.windows = [each._replace(suspect=doubt) if each.key == key else each for each in self.windows]

    def suspicions(self, role: str, size: int) -> Iterator[Object]:
        """What keys signed that may have been lost by then, among the first `size` entries."""
        for each in self.windows:
            last = size - 1 if each.stop is None else min(each.stop, size) - 1
            first = size if each.suspect is None else max(each.start, each.suspect)
            if first <= last:
                yield {"role": role, "key": each.key.keyid(), "first": first, "last": last}


@dataclass
class Anchor:
    """An anchor entry: which size was seen from outside, where the log says so, and when it was seen (ms)."""

    index: int
    size: int
    times: dict[str, int]
    """By witness."""

    @property
    def earliest(self) -> int:
        """When the first of them saw it."""
        return min(each for each in self.times.values() if each)

    @property
    def latest(self) -> int:
        """When the last of them did."""
        return max(self.times.values())


class Asked(NamedTuple):
    """What is asked of people about an action that is held, and who agreed so far."""

    hold: Object
    words: tuple[Object, ...]
    walked: int
    """How many of the hold's steps came to pass."""
    proof: str
    """What the first entry names as the digest of the proof of the call."""
    handed: bool = False
    """Whether somebody handed it on."""


def hold_of(value: Json) -> Object:
    """What is asked of people, else Wrong."""
    hold = an_object(value, "the hold")
    text_in(hold, "binding")
    for each in listed(hold, "requirements"):
        need = an_object(each, "a requirement")
        text_in(need, "role")
        whole_in(need, "quorum")
        told_in(need, "policy")
        texts_in(need, "delegate")
    for each in listed(hold, "steps") if "steps" in hold else ():
        step = an_object(each, "a step")
        text_in(step, "at")
        text_in(step, "what")
        told_in(step, "role")
        told_in(step, "policy")
    return hold


def told_in(value: Object, name: str) -> None:
    """Return if what `name` says, if it is there, is text."""
    if name in value:
        text_in(value, name)


def texts_in(value: Object, name: str) -> frozenset[str]:
    """The texts in the list that `name` may have, else Wrong."""
    found = listed(value, name) if name in value else []
    if not all(isinstance(each, str) for each in found):
        raise Wrong(f"`{name}` is no list of texts")
    return frozenset(str(each) for each in found)


def counts_for(word: Object, need: Object, roles: set[Json]) -> bool:
    """Whether a word was spoken in one of `roles`, held, or lent where that may be handed to such as them."""
    lent, delegates = texts_in(word, "lent"), texts_in(need, "delegate")
    held = texts_in(word, "roles") - lent
    if not roles.isdisjoint(held):
        return True
    return ("anyone" in delegates or not held.isdisjoint(delegates)) and not roles.isdisjoint(lent)


def steps_of(hold: Object, walked: int) -> list[Object]:
    """The first of what happens while nobody answers."""
    steps = [an_object(each, "a step") for each in listed(hold, "steps")] if "steps" in hold else []
    return steps[:walked]


def word_of(value: Json) -> Object:
    """One person's word, else Wrong."""
    word = an_object(value, "a word")
    text_in(word, "verdict")
    text_in(word, "binding")
    if not all(isinstance(each, str) for each in listed(word, "roles")):
        raise Wrong("a role is not text")
    texts_in(word, "lent")
    return word


def asked_of(value: Json, proof: str) -> Asked:
    """What is asked from here on, where nobody has answered yet."""
    hold = hold_of(value)
    return Asked(hold, (), whole_in(hold, "walked") if "walked" in hold else 0, proof)


def known_bad_mark(opens: str) -> str:
    """The mark, in place of a proof, of an item known to be bad that this opens."""
    return sha256(f"interlock: known to be bad\0{opens}".encode()).hexdigest()


class Trail(NamedTuple):
    """What the log has said of an action so far."""

    seq: int
    state: str
    intended: bool


class Row(NamedTuple):
    """What the log has said of an action so far, as far as `actions.jsonl` repeats it."""

    entries: int
    """The first eight bytes of a hash over the indexes of its entries."""
    said: tuple[tuple[str, ...], ...]
    """By the names in ROW: one text each, or a list of them."""


ROW: dict[str, tuple[str, ...]] = {
    "task": ("taskId",),
    "agent": ("agent", "id"),
    "release": ("agent", "release"),
    "contract": ("resource", "id"),
    "verdict": ("decision", "reported"),
    "effect": ("effect", "observed"),
    "undone_by": ("compensation", "ref"),
}
"""Where the fields of a row stand in an entry. Of the first four the first word counts, of the others the last."""
NOTHING = ((),) * (len(ROW) + 2)


def within(value: Json, *steps: str) -> Json:
    """What stands under these names, one below the other, or an empty text."""
    for step in steps:
        value = cast(Object, value).get(step, "") if isinstance(value, dict) else ""
    return value


def row_after(before: tuple[tuple[str, ...], ...], said: Object) -> tuple[tuple[str, ...], ...]:
    """What a row says after one more entry."""
    fields = [*before]
    for place, steps in enumerate(ROW.values()):
        if steps[0] in said and (place > 3 or not before[place]):
            word = str(within(said, *steps))
            fields[place] = (word,) if word else before[place]
    if "decision" in said:
        fields[-2] = tuple(map(str, a_list(within(said, "decision", "policies")))) or before[-2]
    if "approvals" in said:
        words = [each for each in a_list(said["approvals"]) if within(each, "verdict") == "approve"]
        fields[-1] = before[-1] + tuple("/".join(map(str, a_list(within(each, "roles")))) for each in words)
    return tuple(fields)


def entries_after(before: int, index: int) -> int:
    """The hash over the indexes of an action's entries after one more."""
    return int.from_bytes(sha256(b"%d %d" % (before, index)).digest()[:8], "big")


class Records:
    """The records of the export (draft-sharif-agent-audit-trail), each held against the entry it was made from."""

    TYPES: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("decided", "approved", "rejected", "modified"), "decision"),
        **dict.fromkeys(("dispatching", "compensation"), "tool_call"),
        **dict.fromkeys(("outcome", "settled"), "tool_response"),
        "refused": "error",
    }
    OUTCOMES: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("done", "undone"), "success"),
        **dict.fromkeys(("failed", "undo_failed"), "failure"),
        **dict.fromkeys(("unknown", "expired"), "timeout"),
        **dict.fromkeys(("denied", "refused", "rejected", "shadowed"), "denied"),
        "held": "escalated",
    }
    BEFORE = frozenset({"decided", "approved", "rejected", "modified", "prepared", "dispatching", "refused"})

    def __init__(self, files: Files, report: Report) -> None:
        self._lines = lines_of(files, "records.jsonl")
        self._report = report
        self._previous = "0" * 64
        self._last: dict[str, str] = {}
        self._who: dict[str, tuple[str, ...]] = {}
        self._alike: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._wrong = False

    def take(self, index: int, action: str, said: Object) -> None:
        """Hold the next record against entry `index`. After one that is wrong the others say nothing."""
        if self._wrong:
            return
        wanted = self._record(index, action, said)
        line = next(self._lines, b"").rstrip(b"\n")
        try:
            if not line or strict(line) != wanted:
                raise Wrong("is missing" if not line else "is not what that entry says")
        except Wrong as error:
            self._wrong = True
            self._report.found("records.jsonl", f"the record of entry {index} {error}")
        self._previous = sha256(line).hexdigest()

    def finish(self) -> None:
        """Say what belongs to no entry."""
        if not self._wrong and next(self._lines, None) is not None:
            self._report.found("records.jsonl", "it holds records of no entry")

    def _record(self, index: int, action: str, said: Object) -> Object:
        # Only an action's first entry says who acts, in which task and by which contract.
        if action not in self._who:
            places = (("agent", "id"), ("agent", "release"), ("taskId",), ("resource", "id"))
            words = tuple(str(within(said, *each)) for each in places)
            self._who[action] = self._alike.setdefault(words, words)
        agent, release, task, contract = self._who[action]
        phase, state, name = (str(said.get(each, "")) for each in ("phase", "state", "recordId"))
        before, self._last[action] = self._last.get(action), name
        return {
            "record_id": name,
            "timestamp": str(within(said, "times", "observedAt")),
            "agent_id": f"urn:interlock:agent:{agent or 'unsaid'}",
            "agent_version": f"0.0.0+{release[:12] or 'unsaid'}",
            "session_id": task or action,
            "action_type": "escalation" if state == "held" else self.TYPES.get(phase, "lifecycle"),
            "action_detail": {"action": action, "contract": contract, "entry": index, "phase": phase, "state": state},
            "outcome": self.OUTCOMES.get(state, "success"),
            "trust_level": "L1",
            "parent_record_id": before,
            "prev_hash": self._previous,
            "record_phase": "pre_execution" if phase in self.BEFORE else "post_execution",
        }


# -- what repeats the log for other readers --------------------------------------------------------------------------------


PROFILES = {
    "eu-ai-act": ("EU AI Act: evidence by article", "4e20cb34cc6f57214226c9bf488cab29faa8a686f8ad752dd391e541c3925c0f"),
    "soc2": ("SOC 2: evidence by criterion", "6e570b3c9b04ea4a9d369c6b54cc62ba3a8c4810f369ae9a69b6ebbf1ab9db4a"),
}
"""The lists of evidence: what each is called, and the SHA-256 over its clauses and the rules that they go by."""


class Pick(NamedTuple):
    """Entries that show something about a clause: `control phase=stopped|resumed`; empty means any."""

    subject: str
    phases: frozenset[str]
    states: frozenset[str]
    first: bool

    def takes(self, kind: str, said: Object) -> bool:
        """Whether an entry is one of them."""
        return (
            self.subject in ("any", kind)
            and (not self.phases or said.get("phase") in self.phases)
            and (not self.states or said.get("state") in self.states)
            and (not self.first or said.get("actionSeq") == 1)
        )


def pick_of(text: str) -> Pick:
    """Read one, else Wrong."""
    found = re.fullmatch(r"([a-z]+)(?: phase=([a-z_|]+))?(?: state=([a-z_|]+))?( first)?", text)
    if found is None:
        raise Wrong(f"`{safe(text)[:80]}` is no rule")
    phases, states = (frozenset(each.split("|")) if each else frozenset[str]() for each in found.group(2, 3))
    return Pick(found[1], phases, states, bool(found[4]))


class Clause:
    """One row of a list: its words, the rule it goes by, and which entries that comes to as they pass."""

    def __init__(self, cells: list[str]) -> None:
        if len(cells) != 6 or any('"' in each for each in cells):
            raise Wrong("a row has not the six cells of a list")
        (*self.words, self.count, entries) = cells
        self.picks = [pick_of(each) for each in cells[3].split(" or ")]
        # A clause can name each second entry of a large log: hashes are enough to compare.
        self.entries = sha256(entries.encode()).digest()
        self._found = 0
        self._begun, self._last = -1, -1
        self._hashed = sha256()

    def take(self, index: int, kind: str, said: Object) -> None:
        """One more entry."""
        if any(pick.takes(kind, said) for pick in self.picks):
            if self._last + 1 != index or self._begun < 0:
                self._close(", ")
                self._begun = index
            self._found, self._last = self._found + 1, index

    def _close(self, gap: str) -> None:
        if self._begun >= 0:
            run = f"{self._begun}-{self._last}" if self._begun < self._last else f"{self._last}"
            self._hashed.update(f"{run}{gap}".encode())

    def right(self) -> bool:
        """Whether the row names exactly these entries."""
        self._close("")
        return (str(self._found), self._hashed.digest()) == (self.count, self.entries)

    def in_words(self, line: str) -> bool:
        """Whether a row for people says the same."""
        clause, asks, shown_by, _ = self.words
        begin, end = f"| {clause} | {asks} | {shown_by} | {self.count} | ", " |\n"
        if not line.startswith(begin) or not line.endswith(end):
            return False
        entries = line[len(begin) : -len(end)]
        return sha256(b"" if entries == "none" else entries.encode()).digest() == self.entries


class Lists:
    """The lists of evidence of the export: each row is recomputed by the rule that it names."""

    def __init__(self, files: Files, report: Report) -> None:
        self._files, self._report = files, report
        self._first = self._last = ""
        self._clauses: dict[str, list[Clause]] = {}
        for name in [each for each in PROFILES if f"lists/{each}.csv" in files.paths()]:
            try:
                rows = [_cells(line) for line in lines_of(files, f"lists/{name}.csv")]
                if rows[:1] != [["clause", "asks", "shown by", "rule", "count", "entries"]]:
                    raise Wrong("it does not begin with the names of its columns")
                self._clauses[name] = [Clause(each) for each in rows[1:]]
            except Wrong as error:
                report.found(f"lists/{name}.csv", str(error))

    def take(self, index: int, kind: str, said: Object) -> None:
        """Put one entry where it belongs."""
        self._last = str(within(said, "times", "observedAt"))
        self._first = self._first or self._last
        for clauses in self._clauses.values():
            for each in clauses:
                each.take(index, kind, said)

    def finish(self, head: Checkpoint, promised: list[Json]) -> Iterator[str]:
        """Hold them against what the entries came to, and give those whose words this program does not know."""
        here = {path[6:].rpartition(".")[0] for path in self._files.paths() if path.startswith("lists/")}
        if here != {str(each) for each in promised}:
            self._report.found("lists", "these are not the lists that export.json names")
        for name in sorted(here - PROFILES.keys()):
            yield f"lists/{name}"
        for name, clauses in self._clauses.items():
            title, digest = PROFILES[name]
            wrong = next((each for each in clauses if not each.right()), None)
            if wrong is not None:
                problem = f"`{safe(wrong.words[0])}` names other entries than its rule comes to"
                self._report.found(f"lists/{name}.csv", problem)
            elif not self._in_words(name, title, head):
                self._report.found(f"lists/{name}.md", "it says something else than the list for programs beside it")
            if sha256("\n".join("\t".join(each.words) for each in clauses).encode()).hexdigest() != digest:
                self._report.warn(f"lists/{name}.csv goes by clauses or rules that this program does not know")
                yield f"lists/{name}"

    def _in_words(self, name: str, title: str, head: Checkpoint) -> bool:
        begin = (
            f"# {title}\n\nLog `{head.origin}`, {head.size} entries, from {self._first} to {self._last} (the operator's "
            "clock; anchors bound it).\nNumbers are indexes of entries of this log. This list says where to look; whether a "
            "duty is met is yours to judge.\n\n| clause | asks | shown by | entries | which |\n"
            "| --- | --- | --- | --- | --- |\n"
        )
        lines = (line.decode("utf-8", "replace") for line in lines_of(self._files, f"lists/{name}.md"))
        if "".join(islice(lines, begin.count("\n"))) != begin:
            return False
        rows = [*self._clauses[name]]
        return all(rows and rows.pop(0).in_words(line) for line in lines) and not rows


def _cells(line: bytes) -> list[str]:
    """The cells of a line of a list (RFC 4180, each quoted, without quotes in it), else Wrong."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise Wrong("it is not UTF-8") from None
    if not text.endswith("\r\n"):
        raise Wrong("its lines do not end in CR LF (RFC 4180): git or an editor may have changed them")
    if not text.startswith('"') or not text.endswith('"\r\n'):
        raise Wrong("a row has not the six cells of a list")
    return text[1:-3].split('","')


def cbor(value: Json) -> bytes:
    """CBOR (RFC 8949) in its deterministic form, as far as receipts have any: whole numbers, text, bytes, lists, maps."""
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return _cbor_head(0, value) if value >= 0 else _cbor_head(1, -1 - value)
    if isinstance(value, bytes):
        return _cbor_head(2, len(value)) + value
    if isinstance(value, str):
        return _cbor_head(3, len(value.encode())) + value.encode()
    if isinstance(value, dict):
        pairs = sorted((cbor(key), cbor(each)) for key, each in cast("dict[object, object]", value).items())
        return _cbor_head(5, len(pairs)) + b"".join(key + each for key, each in pairs)
    items = a_list(value)
    return _cbor_head(4, len(items)) + b"".join(cbor(each) for each in items)


def _cbor_head(major: int, count: int) -> bytes:
    if count < 24:
        return bytes([major << 5 | count])
    size = next(each for each in range(4) if count < 1 << (8 << each))
    return bytes([major << 5 | 24 + size]) + count.to_bytes(1 << size, "big")


def receipt_by(key: Key, index: int, head: Checkpoint, path: list[bytes]) -> tuple[bytes, bytes]:
    """A COSE receipt (RFC 9942) of an entry up to its signature, in the one form the log writes; and what is signed."""
    protected = cbor({1: -8, 4: key.id(), 15: {1: key.name, 2: f"entry {index}"}, 395: 1})
    proof = cbor([head.size, index, path])
    # Tag 18, four parts: the protected headers, the proof, no payload (it is the root), 64 bytes of signature.
    begin = b"\xd2\x84" + cbor(protected) + cbor({396: {-1: [proof]}}) + b"\xf6\x58\x40"
    return begin, cbor(["Signature1", protected, b"", head.root])


AUDIT_RECORD = "https://probityai.github.io/agent-evidence-vectors/predicate/v1/agent-audit-record"
NO_DIGEST = sha256(b"").hexdigest()
AUDIT_FIELDS = ("agent", "correlation", "decision", "delegation", "posture", "remediation", "resource")
UNSAID = (
    "on whose behalf it was done: that stands behind a commitment in the entries",
    "that the agent proved who it is: it holds no credential here",
    "anything of the agent's network: the weakest posture stands where nobody assessed one",
    "whether it was undone later",
)


class Audited:
    """One action as an agent audit record (draft-gilda-audit-agent-audit-record), made from its entries as they pass."""

    def __init__(self, action: str, index: int, said: Object, entry: bytes) -> None:
        self.action, self.first, self.begun, self.last = action, said, index, index
        self.opened = self.ended = (_at(said), sha256(entry).hexdigest())
        self.last_at = self.ended[0]
        self.digest = self.decided_at = ""
        self.decision: Json = None
        self.let = self.sealed = False
        self.observed = "none"
        self.take(index, said, entry)

    def take(self, index: int, said: Object, entry: bytes) -> None:
        """Add what one more entry says. What was only overheard adds nothing."""
        if not said.get("actionSeq"):
            return
        here = (_at(said), sha256(entry).hexdigest())
        self.last, self.last_at = index, here[0]
        self.digest = str(within(said, "actionDigest")) or self.digest
        if within(said, "decision"):
            self.decision, self.decided_at, self.let = within(said, "decision"), here[0], False
        self.let = self.let or said.get("state") in ("ready", "preparing", "prepared", "dispatching")
        if said.get("phase") == "dispatching":
            self.opened, self.sealed, self.observed = here, False, "unknown"
        observed = str(within(said, "effect", "observed"))
        if observed in ("occurred", "none", "unknown"):
            self.ended, self.sealed, self.observed = here, True, observed

    def payload(self, origin: str, issued_at: str) -> bytes:
        """The Statement."""
        correlation, said = f"urn:interlock:action:{self.action}", self.first
        resource: Object = {
            "kind": "tool",
            "id": str(within(said, "resource", "id")) or "unsaid",
            **(
                {"binding": "digest-bound", "argumentsDigest": self.digest}
                if self.digest
                else {"binding": "not-bindable"}
            ),
        }
        asked = {"action": "call", "resourceId": resource["id"], "resourceKind": "tool"}
        request = _digest({**asked, **({"argumentsDigest": self.digest} if self.digest else {})})
        chain = [str(each) for each in a_list(said.get("delegation"))]
        words = {
            "delegation": chain,
            "release": str(within(said, "agent", "release")),
            "task": str(within(said, "taskId")),
        }
        effect = self._effect(request)
        reported = self._reported()
        predicate: Object = {
            "recordId": f"urn:interlock:audit-record:{self.action}:{self.last}",
            "tier": "voluntary",
            "hashAlgorithm": "sha256",
            "agent": {
                "id": f"urn:interlock:agent:{within(said, 'agent', 'id') or 'unsaid'}",
                "credentialDigest": NO_DIGEST,
                "authentication": "none",
                "signers": [],
            },
            "delegation": {"subject": "none", "subjectKind": "none", "authorityDigest": _digest(words)},
            "resource": resource,
            "decision": {
                "action": "call",
                "requestDigest": request,
                "reported": reported,
                "decisionPointId": f"urn:interlock:log:{origin}",
                "policyDigest": str(within(self.decision, "policyDigest")) or NO_DIGEST,
                "reportedAt": self.decided_at or _at(said),
            },
            "effect": effect,
            "agreement": self._agreement(reported),
            "correlation": {"id": correlation, "scope": "producer", "timeBasis": "asserted"},
            "posture": {
                "reported": "unsafe_bypass_egress",
                "reportedDigest": NO_DIGEST,
                "observed": "unsafe_bypass_egress",
                "observedDigest": NO_DIGEST,
                "assessedAt": _at(said),
                "agreement": "agree",
            },
            "remediation": [],
            "observation": {"vantage": "self", "coverage": {"scopeComplete": False, "gaps": []}},
            "fieldEvidence": dict.fromkeys(AUDIT_FIELDS, "producer-asserted"),
            "doesNotAssert": [*map(str, a_list(said.get("doesNotAssert"))), *UNSAID],
            "issuedAt": issued_at,
            "evaluation": self._evaluation(),
        }
        subject = [
            {"name": correlation, "digest": {"sha256": request}},
            {"name": f"{correlation}/after", "digest": {"sha256": effect["interval"]["afterRoot"]}},
        ]
        statement = {"_type": STATEMENT, "subject": subject, "predicateType": AUDIT_RECORD, "predicate": predicate}
        return _written(statement).encode()

    def _reported(self) -> str:
        verdict = within(self.decision, "reported")
        if verdict == "allow":
            return "permit"
        let = verdict in ("require_approval", "escalate") and self.let
        return "permit-with-conditions" if verdict == "oblige" or let else "deny"

    def _agreement(self, reported: str) -> str:
        if self.observed == "unknown":
            return "indeterminate"
        if reported == "deny":
            return "agree" if self.observed == "none" else "disagree"
        return "agree" if self.observed == "occurred" else "not-exercised"

    def _effect(self, request: str) -> Object:
        scope = f"/actions/{self.action}"
        before = self.opened[1]
        sealed, after = self.ended if self.sealed else (self.last_at, before)
        by = request if self.observed == "occurred" else "unattributed"
        states = {"preStateDigest": before, "postStateDigest": after}
        writes = [{"path": f"{scope}/effect", **states, "requestDigest": by, "inScope": True}]
        interval = {
            "beforeRoot": before,
            "afterRoot": before if self.observed == "none" else after,
            "baseResolution": "supplied",
            "openedAt": self.opened[0],
            "sealedAt": sealed,
        }
        nothing = self.observed == "none"
        return {
            "observed": self.observed,
            "interval": interval,
            "pathScope": [scope],
            "writes": [] if nothing else writes,
        }

    def _evaluation(self) -> Object:
        source = {"input": "policy-source", "maxAge": 0}
        if not self.decision:
            return {"status": "evaluated", "inputs": []}
        if within(self.decision, "evaluation", "status") == "not-evaluated":
            missing = {"unavailableInput": ["policy-source"]}
            return {"status": "not-evaluated", "inputs": [{**source, "lastResult": "none"}], **missing}
        return {"status": "evaluated", "inputs": [{**source, "lastResult": self.decided_at}]}


_ISSUED = re.compile(rb'"issuedAt":"([0-9TZ:.-]{20,27})"')
"""When an agent audit record says that it was issued."""

README_REST = "a5c5e896c2298b6c48d109adaeda3024b886c32592d11b4e8d3c0ffb27900840"
"""The SHA-256 of `README.md` after its figures."""


def readme_head(about: Object) -> str:
    """How `README.md` begins: the figures of an export, as `export.json` has them."""
    disclosed = about.get("disclosed")
    names = ", ".join(f"`{each}`" for each in a_list(disclosed)) or "none"
    return (
        f"# Evidence of the log `{about.get('origin')}`\n\nMade {about.get('madeAt')}. The log is whole: its "
        f"{about.get('size')} entries have the root `{about.get('root')}`.\nActions that the readable files are about: "
        f"{about.get('actions')}. Clear texts in it: {'all' if disclosed == 'all' else names}.\n"
    )


def _at(said: Object) -> str:
    return str(within(said, "times", "observedAt"))


def _digest(value: Json) -> str:
    return sha256(_written(value).encode()).hexdigest()


class Selection(NamedTuple):
    """Which actions `export.json` says were asked for; of an action that tells its agent, and when it began and ended."""

    since: int | None
    until: int | None
    agent: str
    actions: frozenset[str]

    def takes(self, action: str, agent: str, begun: int, ended: int) -> bool:
        """Whether it is about this action."""
        return (
            (not self.actions or action in self.actions)
            and self.agent in ("", agent)
            and (self.since is None or ended >= self.since)
            and (self.until is None or begun < self.until)
        )

    def takes_others(self, at: int) -> bool:
        """Whether it is about what was recorded then, and is about no action."""
        asked = self.agent or self.actions
        return not asked and (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def told(self) -> str:
        """It in words."""
        words = [f"agent `{self.agent}`"] if self.agent else []
        words += [f"since {shown(self.since)}"] if self.since is not None else []
        words += [f"until {shown(self.until)}"] if self.until is not None else []
        words += [f"{len(self.actions)} named"] if self.actions else []
        return ", ".join(words)


def selection_of(about: Object) -> Selection | None:
    """What `export.json` says was asked for; None: everything. Else Wrong."""
    said = an_object(about.get("selection"), "`selection`")
    since, until = (None if said.get(each) is None else ms_of(text_in(said, each)) for each in ("since", "until"))
    names = frozenset(map(str, a_list(said.get("actions"))))
    found = Selection(since, until, text_in(said, "agent"), names)
    if about.get("selected") is not (found != (None, None, "", frozenset())):
        raise Wrong("`selected` and `selection` say different things")
    return found if about["selected"] else None


@dataclass
class Options:
    """What the auditor brings."""

    keys: tuple[Key, ...] = ()
    policy: Policy | None = None
    retained: tuple[Note, ...] = ()
    max_age_ms: int | None = None
    skew_ms: int = SKEW_MS
    accept_suspect: bool = False
    """Whether to end well though a key that signed was declared lost."""
    before: tuple[Key, ...] = ()
    """Keys of the log that came after this export: the log need not know them."""
    now_ms: int = 0
    progress: Callable[[int, int], None] | None = None


class Disclosed:
    """The clear texts of the export, read side by side with the entries: both are in the log's order."""

    def __init__(self, files: Files, report: Report) -> None:
        self._lines = lines_of(files, "disclosures.jsonl")
        self._report = report
        self._next = self._read()

    def of(self, index: int) -> list[str]:
        """The clear texts beside entry `index`."""
        texts: list[str] = []
        length = 0
        while self._next is not None and self._next[0] <= index and not self._report.enough:
            length += len(self._next[1])
            if self._next[0] != index:
                self._report.found("disclosures.jsonl", f"the clear text of entry {self._next[0]} is out of order")
            elif len(texts) < MAX_CLEAR and length <= 2 * MAX_LINE:
                texts.append(self._next[1])
            else:
                self._report.found("disclosures.jsonl", f"there is more of entry {index} than an entry commits to")
            self._next = self._read()
        return texts

    def finish(self) -> None:
        """Say what belongs to no entry."""
        if self._next is not None:
            self._report.found("disclosures.jsonl", f"there is no entry {self._next[0]} to belong to")

    def _read(self) -> tuple[int, str] | None:
        for line in self._lines:
            try:
                value = an_object(strict(line), "a line")
                return whole_in(value, "index"), text_in(value, "disclosure")
            except Wrong as error:
                self._report.found("disclosures.jsonl", str(error))
                if self._report.enough:
                    return None
        return None


def disclosure_of(text: str) -> tuple[str, str, Json]:
    """Name, digest and value of a disclosure (RFC 9901 section 4.2), else Wrong."""
    if not text.isascii():
        raise Wrong("it is not ASCII")
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Wrong("it is not base64url") from None
    if urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise Wrong("it is not in the one form of base64url")
    value = strict(data, floats=True)
    parts = a_list(value)
    if len(parts) != 3 or not isinstance(parts[0], str) or not isinstance(parts[1], str) or len(parts[0]) < 22:
        raise Wrong("it is not salt, name and value")
    return parts[1], urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode(), parts[2]


def misfiltered(entry: Said, clear: Object) -> str:
    """What is wrong with what an entry says of filtering a result, beside its own clear texts; empty where nothing is."""
    output = entry.predicate["output"]
    if entry.phase not in ("outcome", "settled") or not {"toolResult", "outputSalt"} <= entry.commitments.keys():
        return "it says that a result was filtered, and commits to none"
    said = cast(Object, output) if isinstance(output, dict) else {}
    before, after = said.get("before"), said.get("after")
    both = [each for each in (before, after) if isinstance(each, str) and re.fullmatch("[0-9a-f]{64}", each)]
    if after not in both or (before != "" and len(both) < 2) or before == after:
        return "it does not say what its result was before and after it was filtered"
    if not a_list(said.get("taken")):
        return "it says that its result was filtered, and not what was taken"
    result = clear.get("toolResult")
    if said.get("withheld") is True and result is not None:
        return "it says that its result was withheld, and holds one"
    if len(clear) < 2 or (isinstance(result, dict) and "leftOut" in result):
        return ""
    written = _written({"result": result, "salt": str(clear["outputSalt"])}).encode()
    return "" if sha256(written).hexdigest() == after else "its result is not the one that filtering left"


# -- the check ------------------------------------------------------------------------------------------------------------


class Callers:
    """Who made each call, or was let in: forms, a proof for each call, and nobody from outside who was not let in before."""

    def __init__(self) -> None:
        self._proofs: set[bytes] = set()
        """The beginning of each call's proof."""
        self._let_in: set[tuple[str, str, str]] = set()
        """Who was recognised from outside: instance, agent, and by what."""
        self._offered: dict[str, str] = {}
        """Tokens that let one in and were not spent yet, each with its agent."""
        self._links: set[str] = set()
        """Links that were made for a person and not used yet."""

    def follow(self, said: Said) -> None:
        """Hold an entry against those before it, else Wrong."""
        if said.kind == "enrolment/v1":
            self._enrolled(said)
        elif said.kind == "access/v1":
            self._signed_in(said)
        elif said.kind == "action/v1" and said.action and said.predicate.keys() & CALLER.keys():
            self._called(said)

    def _called(self, said: Said) -> None:
        body = said.predicate
        for name, form in CALLER.items():
            if not isinstance(body.get(name), str) or not form.fullmatch(text_in(body, name)):
                raise Wrong(f"what it says of who called is not what it must be: `{name}`")
        attested = text_in(body, "attested")
        if attested not in ATTESTED:
            raise Wrong("whoever called was recognised by no way there is")
        if said.action_seq != 1:
            raise Wrong("it says who called, which only the first entry of an action does")
        proof = bytes.fromhex(text_in(body, "proof"))[:16]
        if proof in self._proofs:
            raise Wrong("the proof of its call is that of another action")
        self._proofs.add(proof)
        who = (text_in(body, "instance"), text_in(an_object(body.get("agent"), "its agent"), "id"), attested)
        if attested != "local" and who not in self._let_in:
            raise Wrong("whoever called was recognised from outside, by its own word, and was never let in")

    def _signed_in(self, said: Said) -> None:
        body = said.predicate
        if said.phase == "offered" and body.get("what") == "link":
            self._links.add(said.subject.rpartition(":")[2])
        if said.phase != "signed_in":
            return
        if body.get("way") not in WAYS:
            raise Wrong("it lets a person in by no way there is")
        link = str(body.get("link"))
        if body.get("way") == "link" and link not in self._links:
            raise Wrong("it lets a person in by a link that was not made, or was used before")
        self._links.discard(link)

    def _enrolled(self, said: Said) -> None:
        body, agent = said.predicate, text_in(said.predicate, "agent")
        if said.phase == "offered":
            self._offered[said.subject.rpartition(":")[2]] = agent
            return
        who = (text_in(body, "instance"), agent, text_in(body, "attested"))
        if said.phase != "enrolled" or who[2] == "local" or who[2] not in ATTESTED:
            raise Wrong("it lets somebody in by no way there is")
        if not CALLER["instance"].fullmatch(who[0]):
            raise Wrong("it lets in who is no instance")
        if who[2] == "bootstrap" and self._offered.pop(str(body.get("token")), None) != agent:
            raise Wrong("it lets somebody in by a token that was not offered for that agent, or was spent before")
        self._let_in.add(who)


class Check:
    """One pass over an export. Keeps a place for each stream, a trail and a digest for each action, 13 bytes for each entry."""

    def __init__(self, files: Files, options: Options, report: Report) -> None:
        self.files, self.options, self.report = files, options, report
        self.tree = Tree()
        self.log, self.gate, self.identity = Keyring(()), Keyring(()), Keyring(())
        self.origin = ""
        self.streams: dict[str, tuple[int, bytes]] = {}
        self.opened: set[str] = set()
        self.closed: set[str] = set()
        self.handed: set[str] = set()
        self.trails: dict[str, Trail] = {}
        self.held: dict[str, Asked] = {}
        self.known_bad: set[str] = set()
        self.callers = Callers()
        self.shared: dict[Trail, Trail] = {}
        self.rows: dict[str, Row] = {}
        self.words: dict[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]] = {}
        self.times = array("q")
        self.anchors: list[Anchor] = []
        self.lines: dict[tuple[str, bytes], tuple[str, int]] = {}
        """The signature lines under checkpoints: where each stands first, and how long it is."""
        self.leaves: dict[int, list[bytes]] = {}
        self.missing, self.used = bytearray(), set[str]()
        """For each entry how many clear texts should be there and are not (255: or more); and the files that were read."""
        self.names: dict[int, str] = {}
        """Of some of them, what the first is called."""
        self.erased, self.lost, self.clear, self.private = bytearray(), bytearray(), bytearray(), bytearray()
        """For each entry whether an erasure covers it, whether two persons acknowledged that its clear texts are lost, whether
        clear texts of it are here, and whether it commits to any."""
        self.whole = False
        """Whether the log was read to its end."""
        self.expected: frozenset[str] | None = frozenset()
        """Which clear texts the export says it brings; None: all."""
        self.asked: set[str] | None = None
        """Of which actions; None: of all."""
        self.about: Object = {}
        """What it says of itself."""
        self.selection: Selection | None = None
        """Which actions it says were asked for; None: all."""
        self.spans: dict[str, tuple[str, int, int]] = {}
        """Where not all were asked for, of each action its agent, and when its first and its last entry were recorded."""
        self.records, self.lists = Records(files, report), Lists(files, report)
        self.audited: dict[str, Audited] = {}
        """Where receipts were asked for, each action as it comes to its agent audit record."""
        self.misdated = False
        """Whether these say another time than `export.json`: that is one finding, not one for each."""
        self.listed: Json = None
        """How many actions it says there are."""
        self.receipts: list[int] = []
        """The entries that there must be receipts for."""
        self.said_keys: dict[str, list[str]] = {}
        """The keys of each role as the log says them, where it introduces any."""

    def run(self) -> None:
        """Check everything. Raises Refused where the export cannot be read."""
        self._promised()
        try:
            note = note_of(needed(self.files, "checkpoint", MAX_NOTE))
            head = checkpoint_of(note.text)
        except Wrong as error:
            raise Refused("not_an_export", f"`checkpoint`: {error}") from None
        self.origin = self.report.origin = head.origin
        self.report.size, self.report.root = head.size, head.root.hex()
        for kept in self.options.retained:
            self._same_log(kept, head)
        self._trust()
        disclosed = Disclosed(self.files, self.report)
        for n in range(-(-head.size // WIDTH)):
            if not self._tile(n, min(WIDTH, head.size - n * WIDTH), disclosed) or self.report.enough:
                break
            if self.options.progress is not None:
                self.options.progress(self.tree.size, head.size)
        else:
            self.whole = True
            disclosed.finish()
            self.records.finish()
            self._above(head.size)
            if self.tree.root_at(head.size // WIDTH, self.tree.rest) != head.root:
                self.report.found("checkpoint", "its root is not that of these entries")
            self._retained(head)
            self._sandwich()
            self._actions()
            self._gone()
            self._receipts(head)
            self._copies()
            self.report.unread += self.lists.finish(head, a_list(self.about.get("profiles")))
        self._signed(note, head)
        self._lines("checkpoint", note)
        self._unchecked()
        self._readme(head)
        self._sealed(head)
        self._manifest()
        self._told()

    # -- what is brought --------------------------------------------------------------------------------------------------

    def _promised(self) -> None:
        """What the export says it holds: only for finding out what is missing from it."""
        try:
            about = an_object(strict(needed(self.files, "export.json", MAX_TEXT)), "export.json")
            if about.get("format") != FORMAT:
                raise Wrong(f"its format is not `{FORMAT}`")
            self.about = about
            names = about.get("disclosed")
            if names == "all":
                self.expected = None
            elif isinstance(names, list):
                self.expected = frozenset(str(each) for each in a_list(names))
            else:
                raise Wrong("`disclosed` is neither `all` nor a list")
            self.listed = about.get("actions")
            self.selection = selection_of(about)
            if self.selection is not None:
                self.asked = set()
                most = WIDTH * sum(path.startswith("tile/entries/") for path in self.files.paths())
                for line in lines_of(self.files, "actions.jsonl"):
                    self.asked.add(text_in(an_object(strict(line), "a line"), "action"))
                    if len(self.asked) > most:
                        raise Wrong("it lists more actions than there can be entries")
        except Wrong as error:
            raise Refused("not_an_export", f"`export.json` or `actions.jsonl`: {error}") from None

    def _same_log(self, kept: Note, head: Checkpoint) -> None:
        """A checkpoint of a log of another name is the wrong file, and no sign of anything."""
        try:
            origin = checkpoint_of(kept.text).origin
        except Wrong as error:
            raise Refused("bad_note", f"--retained: it is no checkpoint: {error}") from None
        if origin != head.origin:
            said = f"--retained: it is a checkpoint of `{origin}`, and this export is of `{head.origin}`: another file?"
            raise Refused("bad_note", said)

    def _trust(self) -> None:
        """Which keys to begin with: those that the auditor brought, or else, with a warning, the export's own."""
        brought = self.options.keys
        logs = [each for each in brought if each.name == self.origin and each not in self.options.before]
        gates = [each for each in brought if each.name != self.origin]
        self.report.vouched = bool(logs)
        for each in self.options.before:
            if each not in brought:
                said = f"--before: `{each.keyid()}` is none of the keys you brought: bring it with --key as well, or leave it out"
                raise Refused("bad_key", said)
        if brought and not logs:
            said = f"the export is of `{self.origin}`, and none of the keys you brought is that log's: another file?"
            if any(each.name == self.origin for each in brought):
                said = "each key of the log that you brought is one that it is from before: bring the one in force then"
            raise Refused("bad_key", said)
        self.log = Keyring(logs or self._own("keys/log"))
        self.gate = Keyring(gates)
        # It signs no entry. The log names it when it is first replaced, and nobody brings it.
        self.identity = Keyring(())
        if not brought:
            self.report.warn(
                "THE KEYS ARE THE EXPORT'S OWN: whoever made it could have made them. Bring the log's key with --key."
            )

    def _own(self, path: str) -> list[Key]:
        try:
            lines = (read(self.files, path, MAX_NOTE) or b"").decode().split("\n")
            return [key_of(each) for each in lines if each][:1]
        except (Wrong, UnicodeDecodeError) as error:
            self.report.found(path, str(error))
            return []

    # -- entries ----------------------------------------------------------------------------------------------------------

    def _tile(self, n: int, width: int, disclosed: Disclosed) -> bool:
        """Check the entries of the lowest tile `n`. False where they cannot be told apart, so that nothing more can be."""
        path = tile_path("entries", n, width)
        data = read(self.files, path, MAX_BUNDLE)
        self.used.add(path)
        try:
            if data is None:
                raise Wrong("it is missing")
            entries = entries_of(data, width)
        except Wrong as error:
            self.report.found(path, str(error))
            return False
        hashes = [leaf_hash(each) for each in entries]
        path = tile_path("0", n, width)
        stored = read(self.files, path, WIDTH * HASH)
        self.used.add(path)
        if stored is None:
            self.report.found(path, "it is missing")
        elif stored != b"".join(hashes):
            place = next((i for i, each in enumerate(hashes) if stored[i * HASH : (i + 1) * HASH] != each), 0)
            self.report.found(f"entry {n * WIDTH + place}", f"{path} holds another entry in its place")
        self.leaves[n] = hashes
        self.leaves.pop(n - 4, None)
        for place, entry in enumerate(entries):
            index = n * WIDTH + place
            self._entry(index, entry, hashes[place], disclosed.of(index))
        self.tree.add(hashes)
        self.report.entries += width
        return True

    def _entry(self, index: int, entry: bytes, leaf: bytes, texts: list[str]) -> None:
        place = f"entry {index}"
        try:
            payload, kind, signatures = envelope_of(entry)
            if kind != IN_TOTO:
                raise Wrong(f"it holds a `{safe(kind)}`, not an in-toto Statement")
            said = statement_of(payload)
        except Wrong as error:
            self.report.found(place, str(error))
            self._time(self.times[-1] if self.times else 0)
            return
        self._time(said.observed_at)
        if said.kind == "key/v1":
            self._key(index, place, said)
        self._entry_signed(index, place, pae(kind, payload), signatures)
        self._stream(place, said, leaf)
        self._row(index, said, entry)
        self._trail(place, said)
        try:
            self.callers.follow(said)
        except Wrong as error:
            self.report.found(place, str(error))
        self._clear(index, place, said, texts)
        if said.kind == "anchor/v1" or said.phase == "anchored":
            self._anchor(index, place, said)
        elif said.kind == "erasure/v1" and said.phase == "erased":
            self._covered(place, said, self.erased)
        elif said.kind == "loss/v1" and said.phase == "acknowledged":
            self._covered(place, said, self.lost)

    def _time(self, observed_at: int) -> None:
        """Make room for one more entry."""
        self.times.append(observed_at)
        self.missing.append(0)
        self.erased.append(0)
        self.lost.append(0)
        self.clear.append(0)
        self.private.append(0)

    def _entry_signed(self, index: int, place: str, message: bytes, signatures: list[tuple[str, bytes]]) -> None:
        keys = self.gate.at(index)
        known = [(keys[keyid], sig) for keyid, sig in signatures if keyid in keys]
        if not known and not self.gate.windows:
            # Neither the auditor nor the log's first entry named a gate.
            self.gate = Keyring(self._own("keys/gate"))
            self.report.vouched = False
            self.report.warn("THE GATE'S KEY IS THE EXPORT'S OWN: nobody vouched for who signed the entries.")
            keys = self.gate.at(index)
            known = [(keys[keyid], sig) for keyid, sig in signatures if keyid in keys]
        for key, sig in known:
            if good(key.public, message, sig):
                self.report.signatures += 1
            else:
                self.report.found(place, f"the signature by `{key.keyid()}` does not verify")
        if not known:
            name = signatures[0][0]
            other = any(each.key.keyid() == name for each in self.gate.windows)
            why = "whose key was not in force there" if other else "whom nobody named as a gate"
            self.report.found(place, f"it is signed by `{safe(name)}`, {why}")

    def _stream(self, place: str, said: Said, leaf: bytes) -> None:
        before, prev = self.streams.get(said.stream, (0, b""))
        name = safe(said.stream)
        if said.seq != before + 1:
            self.report.found(place, f"it is number {said.seq} of stream `{name}`, after number {before}")
        elif said.prev != prev.hex():
            self.report.found(place, f"it does not name the entry before it in stream `{name}`")
        if said.stream in self.closed or said.stream in self.handed:
            self.report.found(place, f"it stands in stream `{name}`, which was closed before")
        if said.kind == "run/v1" and said.phase == "opened":
            if said.stream in self.opened:
                self.report.found(place, f"it opens stream `{name}` once more")
            self.opened.add(said.stream)
        # Who handed its key over records nothing more.
        if said.kind == "key/v1" and said.phase == "rotated":
            self.handed.add(said.stream)
        if said.kind == "run/v1" and said.phase == "closed":
            count = said.predicate.get("entries")
            if count != said.seq:
                self.report.found(
                    place, f"it closes a stream of {safe(str(count))} entries, and is its number {said.seq}"
                )
            self.closed.add(said.stream)
        self.streams[said.stream] = (said.seq, leaf)

    def _row(self, index: int, said: Said, entry: bytes) -> None:
        """Keep what the readable files should say of this entry, where they are about it."""
        kind = said.kind.partition("/")[0]
        if not said.action:
            if self.selection is None or self.selection.takes_others(said.observed_at):
                self.lists.take(index, kind, said.predicate)
            return
        if self.asked is not None:
            agent, begun, _ = self.spans.get(said.action, ("", said.observed_at, 0))
            agent = agent or sys.intern(str(within(said.predicate, "agent", "id")))
            self.spans[said.action] = (agent, begun, said.observed_at)
            if said.action not in self.asked:
                return
        self.records.take(index, said.action, said.predicate)
        self.lists.take(index, kind, said.predicate)
        if self.about.get("receipts"):
            self._receipt(index, said, entry)
        before = self.rows.get(said.action, Row(0, NOTHING))
        words = row_after(before.said, said.predicate)
        self.rows[said.action] = Row(entries_after(before.entries, index), self.words.setdefault(words, words))

    def _trail(self, place: str, said: Said) -> None:
        if not said.action:
            return
        name = safe(said.action)
        if said.action in self.known_bad:
            self.report.found(place, f"action `{name}` was known to be bad and is over, and this is said of it")
            return
        if not said.action_seq:
            return
        if said.subject.rpartition(":")[2] != said.action:
            self.report.found(place, f"it is about `{safe(said.subject)}`, and says it is of action `{name}`")
        before = self.trails.get(said.action, Trail(0, "", intended=False))
        intended = before.intended or said.phase == "dispatching"
        if said.action_seq != before.seq + 1:
            self.report.found(place, f"it is fact {said.action_seq} of action `{name}`, after fact {before.seq}")
        elif said.state not in reachable(before.state) and not (before.seq and said.state == before.state):
            was = before.state or "not there"
            self.report.found(place, f"action `{name}` is {safe(said.state)}, which cannot follow on {was}")
        elif said.state in TOUCHED and not intended:
            self.report.found(place, f"action `{name}` is {said.state} without a recorded intent to act")
        else:
            if "opens" in said.predicate:
                self._opened(place, said, before, intended=intended)
            self._agreed(place, said, before)
        now = Trail(said.action_seq, said.state, intended)
        # Actions end in few ways: sharing them keeps a million of them small.
        self.trails[said.action] = self.shared.setdefault(now, now)

    def _opened(self, place: str, said: Said, before: Trail, *, intended: bool) -> None:
        """An item known to be bad goes from `held` to its end, and nobody calls one what was not marked as one."""
        self.known_bad.add(said.action)
        asked, opens = self.held.get(said.action), said.predicate["opens"]
        name = safe(said.action)
        if intended or before.state != "held" or reachable(said.state):
            self.report.found(place, f"action `{name}` was known to be bad, and did more than wait for people")
        elif asked is None or not isinstance(opens, str) or known_bad_mark(opens) != asked.proof:
            what = "is said to have been known to be bad, and was not marked so from the first"
            self.report.found(place, f"action `{name}` {what}")

    def _agreed(self, place: str, said: Said, before: Trail) -> None:
        """Who agreed, agreed to this: each word is bound to what was shown, and what was held needs enough of them.

        An entry tells only the words that are new in it. What is asked anew voids those that were given before.
        """
        body = said.predicate
        if said.action not in self.held and "hold" not in body and "approvals" not in body:
            return
        asked = self.held.pop(said.action, None)
        try:
            proof = str(body.get("proof", "")) if asked is None else asked.proof
            handed = asked is not None and (asked.handed or said.phase == "delegated")
            asked = asked_of(body["hold"], proof) if "hold" in body else asked
            walked = whole_in(body, "walked") if "walked" in body else None
            words = [word_of(each) for each in listed(body, "approvals")] if "approvals" in body else []
        except Wrong as error:
            self.report.found(place, f"who was asked, or who agreed: {error}")
            return
        agreed = [each for each in words if each["verdict"] == "approve"]
        if asked is None:
            if agreed:
                self.report.found(place, "an approval of what nobody was asked")
            return
        if any(each["binding"] != asked.hold["binding"] for each in agreed):
            self.report.found(place, "an approval is bound to something else than what was shown")
        if not handed and any(each.get("lent") for each in agreed):
            self.report.found(place, "an approval in a role that nobody handed on")
        if walked is not None:
            self._walk(place, said, asked, walked)
        walked = asked.walked if walked is None else walked
        asked = Asked(asked.hold, (*asked.words, *agreed), walked, asked.proof, handed)
        if said.state == "held":
            self.held[said.action] = asked
        elif before.state == "held" and said.state in ("ready", "preparing", "dispatching"):
            self._enough(place, asked)

    def _walk(self, place: str, said: Said, asked: Asked, walked: int) -> None:
        """Nobody else is let answer before the time that was bound into what was shown, nor once more by going back."""
        steps = steps_of(asked.hold, walked)
        if not asked.walked <= walked <= len(steps):
            what = "what happens while nobody answers is not what was bound into what was shown"
            self.report.found(place, what)
        elif any(each["at"] > str(within(said.predicate, "times", "observedAt")) for each in steps):
            self.report.found(place, "it was escalated before its time")

    def _enough(self, place: str, asked: Asked) -> None:
        gone_on = [each for each in steps_of(asked.hold, asked.walked) if each["what"] == "escalate"]
        for need in asked.hold["requirements"]:
            others = {each.get("role") for each in gone_on if each.get("policy") == need.get("policy")}
            roles = {need["role"], *others}
            count = sum(counts_for(each, need, roles) for each in asked.words)
            if count < need["quorum"]:
                said = f"it left `held` with {count} of {need['quorum']} approvals by a `{safe(need['role'])}`"
                self.report.found(place, said)

    def _clear(self, index: int, place: str, said: Said, texts: list[str]) -> None:
        """Hold the clear texts beside an entry against its commitments, and note which are not there."""
        here: set[str] = set()
        filtering: Object = {}
        self.private[index] = bool(said.commitments.keys() - {"alg"})
        for text in texts:
            try:
                name, digest, value = disclosure_of(text)
            except Wrong as error:
                self.report.found(place, f"a clear text beside it cannot be read: {error}")
                continue
            if name in here:
                self.report.found(place, f"there are two clear texts of `{safe(name)}`")
            elif name == "alg" or name not in said.commitments:
                self.report.found(place, f"the clear text of `{safe(name)}` was never committed to")
            elif said.commitments[name] != digest:
                self.report.found(place, f"the clear text of `{safe(name)}` is not the one committed to")
            elif name in ("toolResult", "outputSalt"):
                filtering[name] = value
            here.add(name)
            self.clear[index] = 1
            self.report.disclosures += 1
        if "output" in said.predicate and (problem := misfiltered(said, filtering)):
            self.report.found(place, problem)
        if self.asked is not None and said.action not in self.asked:
            return
        for name in said.commitments:
            wanted = name != "alg" and (self.expected is None or name in self.expected)
            if wanted and name not in here:
                self.missing[index] = min(self.missing[index] + 1, 255)
                if len(self.names) < MAX_KEPT:
                    self.names.setdefault(index, name)

    # -- keys, anchors, erasures ------------------------------------------------------------------------------------------

    def _key(self, index: int, place: str, said: Said) -> None:
        body = said.predicate
        try:
            if said.phase == "introduced":
                self._introduced(index, body)
            elif said.phase == "rotated":
                self._rotated(index, body)
            elif said.phase == "retired":
                self._ring(body).retire(key_of(text_in(body, "key")), whole_in(body, "since"), index)
            else:
                raise Wrong(f"`{safe(said.phase)}` means nothing of a key")
        except Wrong as error:
            self.report.found(place, f"a key: {error}")

    def _introduced(self, index: int, body: Object) -> None:
        if index != 0:
            raise Wrong("keys are introduced by the first entry alone")
        log, gate = key_of(text_in(body, "log")), key_of(text_in(body, "gate"))
        # Whoever brought a later key sees at the end whether this one leads to it.
        self.log.begin(log)
        # What the trusted log itself says counts for its gates; never for the log's own key.
        self.gate.begin(gate)
        self.said_keys = {"log": [log.line()], "gate": [gate.line()]}

    def _ring(self, body: Object) -> Keyring:
        role = text_in(body, "role")
        ring = {"log": self.log, "gate": self.gate, "identity": self.identity}.get(role)
        if ring is None:
            raise Wrong(f"there is no role `{safe(role)}`")
        return ring

    def _rotated(self, index: int, body: Object) -> None:
        role, ring = text_in(body, "role"), self._ring(body)
        old, new = key_of(text_in(body, "replaces")), key_of(text_in(body, "key"))
        message = f"interlock key rotation v1\n{self.origin}\n{role}\n{old.line()}\n{new.line()}\n{index}\n".encode()
        there = [each.key.public for each in self.log.windows + self.gate.windows + self.identity.windows]
        if role == "identity" and not self.identity.windows:
            if old.public in there:
                raise Wrong("a key that signs the log signs no credentials")
            there.append(old.public)
        if old.name != new.name or new.public in there:
            raise Wrong("the new key is not another one of the same name, or it was there before")
        if not good(old.public, message, from_base64(text_in(body, "endorsement"))):
            raise Wrong(f"`{old.keyid()}` has not endorsed `{new.keyid()}`")
        if not good(new.public, message, from_base64(text_in(body, "possession"))):
            raise Wrong(f"`{new.keyid()}` has not shown that it is held")
        if role == "identity" and not self.identity.windows:
            self.identity.begin(old)
        ring.rotate(old, new, index)
        if role in self.said_keys:
            self.said_keys[role].append(new.line())

    def _anchor(self, index: int, place: str, said: Said) -> None:
        self.report.anchors += 1
        try:
            if (said.kind, said.phase) != ("anchor/v1", "anchored"):
                raise Wrong("only an anchor anchors")
            whole_in(said.predicate, "cosignatures")
            text = text_in(said.predicate, "checkpoint").encode()
            self._copy(f"anchors/{index}.checkpoint", text)
            if "timestamp" in said.predicate:
                self._stamped(index, text, from_base64(text_in(said.predicate, "timestamp"), "the time stamp"))
            note = note_of(text)
            seen = checkpoint_of(note.text)
        except (Wrong, UnicodeEncodeError) as error:
            self.report.found(place, f"its checkpoint: {error}")
            return
        if seen.origin != self.origin or seen.size > index:
            self.report.found(place, "it anchors another log, or entries after itself")
            return
        if seen.root != self._root_at(seen.size):
            self.report.found(place, f"it anchors another log of {seen.size} entries than this one")
        if not any(note.signed_by(each) for each in self.log.at(max(seen.size - 1, 0)).values()):
            self.report.found(place, "the checkpoint it anchors is not signed by the key that this log had there")
        policy = self.options.policy
        self._lines(f"anchors/{index}.checkpoint", note)
        times = self._cosigned(note, policy)
        # A time of 0 is a signature that states no time.
        if policy is not None and policy.met(set(times)) and any(times.values()):
            self.anchors.append(Anchor(index, seen.size, times))

    def _stamped(self, index: int, data: bytes, token: bytes) -> None:
        path = f"anchors/{index}.tsr"
        self._copy(path, token)
        try:
            moment = stamped(token, data)
        except Wrong as error:
            self.report.found(path, f"the time stamp: {error}")
            return
        if len(self.report.stamps) < MAX_KEPT:
            self.report.stamps.append({"entry": index, "at": shown(moment)})

    def _lines(self, place: str, note: Note) -> None:
        """Keep which lines stand under a checkpoint: at the end it is known which of them anybody's key was there for."""
        for name, id_, data in note.signatures:
            if len(self.lines) < MAX_FINDINGS or (name, id_) in self.lines:
                self.lines.setdefault((name, id_), (place, len(data)))

    def _unchecked(self) -> None:
        witnesses = self.options.policy.witnesses.values() if self.options.policy else ()
        known = {(key.name, key.id()) for key in witnesses if key.kind == COSIGNATURE}
        known |= {(each.key.name, each.key.id()) for each in self.log.related()}
        for (name, id_), (place, length) in self.lines.items():
            if (name, id_) not in known:
                why = (
                    "ML-DSA-44, which this program cannot check"
                    if length == MLDSA44_LINE
                    else "by one whose key you did not bring"
                )
                self.report.unchecked.append(safe(f"{name}+{id_.hex()} under {place} ({why})"))

    def _copy(self, path: str, data: bytes) -> None:
        """A file that is the copy of something in the log: others are told to check that copy."""
        self.used.add(path)
        stored = read(self.files, path, MAX_NOTE)
        if stored != data:
            self.report.found(path, "it is missing" if stored is None else "it is not what the log holds")

    def _receipt(self, index: int, said: Said, entry: bytes) -> None:
        """An entry for which receipts were asked: its copy is here, and it goes into the record of its action."""
        self.receipts.append(index)
        self._copy(f"receipts/{index}.json", entry)
        known = self.audited.get(said.action)
        if known is None:
            self.audited[said.action] = Audited(said.action, index, said.predicate, entry)
        else:
            known.take(index, said.predicate, entry)

    def _receipts(self, head: Checkpoint) -> None:
        """Receipts are in the one form in which the log writes them, and signed by its key in force, as are audit records."""
        # A checkpoint that ends with a change of the log's key is signed by the one before, what was made since by the next.
        keys = {**self.log.at(max(head.size - 1, 0)), **self.log.at(head.size)}.values()
        tile, hashes = -1, list[bytes]()
        for index in self.receipts:
            if index // WIDTH != tile:
                tile = index // WIDTH
                stored = (
                    read(self.files, tile_path("0", tile, min(WIDTH, head.size - tile * WIDTH)), WIDTH * HASH) or b""
                )
                hashes = [stored[at : at + HASH] for at in range(0, len(stored), HASH)]
            path = f"receipts/{index}.cose"
            self.used.add(path)
            data, proof = read(self.files, path, MAX_NOTE), self.tree.path(index, hashes)
            if data is None:
                self.report.found(path, "it is missing")
                continue
            made = [(key, *receipt_by(key, index, head, proof)) for key in keys]
            if not any(data[:-64] == begin and good(key.public, signed, data[-64:]) for key, begin, signed in made):
                self.report.found(path, "it is no receipt of this entry that the log's key signed")
        for record in self.audited.values():
            path = f"receipts/{record.begun}.dsse"
            self.used.add(path)
            try:
                self._audit_record(path, record, head, [*keys])
            except Wrong as error:
                self.report.found(path, str(error))
            if self.report.enough:
                return

    def _audit_record(self, path: str, record: Audited, head: Checkpoint, keys: list[Key]) -> None:
        """An agent audit record is what its entries come to, and signed by the log's key, else Wrong."""
        data = read(self.files, path, MAX_NOTE)
        if data is None:
            raise Wrong("it is missing")
        payload, kind, signatures = envelope_of(data)
        made_at = str(self.about.get("madeAt"))
        if kind != IN_TOTO or payload != record.payload(head.origin, made_at):
            issued = _ISSUED.search(payload)
            at = issued[1].decode() if issued is not None else ""
            if kind != IN_TOTO or not at or payload != record.payload(head.origin, at):
                raise Wrong(f"it does not say what the entries of action `{safe(record.action)}` do")
            if not self.misdated:
                self.misdated = True
                said = f"it says that it was made at {safe(made_at)[:40]}, and {path} that it was made at {at}"
                self.report.found("export.json", said)
        (name, signature), message = signatures[0], pae(kind, payload)
        signed = any(key.keyid() == name and good(key.public, message, signature) for key in keys)
        if len(signatures) != 1 or not signed:
            raise Wrong("it is not signed by the log's key")

    def _readme(self, head: Checkpoint) -> None:
        """What `export.json` and `README.md` say of the export."""
        about, report = self.about, self.report
        if [about.get(name) for name in ("origin", "size", "root")] != [head.origin, head.size, head.root.hex()]:
            report.found("export.json", "it is about another log, or another size of it, than the checkpoint")
        if ms_or_none(about.get("madeAt")) is None or about.keys() - ABOUT:
            report.found("export.json", "it says when it was made in no way that an export does, or says more than one")
        begin = readme_head(about).encode()
        data = read(self.files, "README.md", MAX_NOTE) or b""
        if not data.startswith(begin):
            report.found("README.md", "its figures are not those of this export")
        elif sha256(data[len(begin) :]).hexdigest() != README_REST:
            report.unread.append("README.md (not the words this program knows)")

    def _copies(self) -> None:
        """The files beside the log are those of an export, and what repeats the log repeats this one."""
        for role, keys in self.said_keys.items():
            self._copy(f"keys/{role}", "".join(f"{each}\n" for each in keys).encode())
        for path in self.files.paths():
            copy = path.startswith(("anchors/", "receipts/"))
            if path not in self.used and path not in ("MANIFEST", SEAL) and (copy or not KNOWN.fullmatch(path)):
                self.report.found(path, "it is no file of this export")

    def _cosigned(self, note: Note, policy: Policy | None) -> dict[str, int]:
        """Which witnesses of the policy signed, and when each says it saw it."""
        found: dict[str, int] = {}
        for name, key in policy.witnesses.items() if policy is not None else ():
            moment = note.cosigned_by(key)
            if moment is not None:
                found[name] = moment
        return found

    def _covered(self, place: str, said: Said, marks: bytearray) -> None:
        """Mark the entries of which an entry says that their clear texts were erased, or are lost."""
        try:
            if "part" in said.predicate:
                whole_in(said.predicate, "part")
            keys = an_object(said.predicate.get("keys", {}), "`keys`")
            covers = text_in(said.predicate, "covers") if "covers" in said.predicate else ""
            if not all(isinstance(each, str) for each in keys.values()):
                raise Wrong("`keys` does not name keys")
            for run in covers.split(",") if covers else ():
                first, dash, last = run.partition("-")
                start, stop = number(first), number(last if dash else first)
                if not start <= stop < len(self.times) - 1:
                    raise Wrong("it covers what was not recorded before it")
                marks[start : stop + 1] = b"\1" * (stop + 1 - start)
        except Wrong as error:
            what = "was erased" if marks is self.erased else "is lost"
            self.report.found(place, f"what it says {what}: {error}")

    def _root_at(self, size: int) -> bytes:
        """The root of the log's first `size` entries, from what was computed here."""
        tiles, rest = divmod(size, WIDTH)
        if not rest:
            return self.tree.root_at(tiles, [])
        hashes = self.leaves.get(tiles)
        if hashes is None:
            width = min(WIDTH, self.report.size - tiles * WIDTH)
            stored = read(self.files, tile_path("0", tiles, width), WIDTH * HASH) or b""
            hashes = [stored[at : at + HASH] for at in range(0, len(stored), HASH)]
        return self.tree.root_at(tiles, hashes[:rest])

    # -- the whole --------------------------------------------------------------------------------------------------------

    def _above(self, size: int) -> None:
        """Hold every tile above the lowest against the one computed."""
        level, nodes = 1, self.tree.tile_roots(0, size // WIDTH)
        while nodes:
            parents: list[bytes] = []
            for n in range(-(-len(nodes) // WIDTH)):
                part = nodes[n * WIDTH : (n + 1) * WIDTH]
                path = tile_path(str(level), n, len(part))
                self.used.add(path)
                stored = read(self.files, path, WIDTH * HASH)
                if stored != b"".join(part):
                    said = "it is missing" if stored is None else "it is not the tile of these entries"
                    self.report.found(path, said)
                if len(part) == WIDTH:
                    parents.append(root_of(part))
            level, nodes = level + 1, parents

    def _signed(self, note: Note, head: Checkpoint) -> None:
        # The checkpoint that first covers a change of the log's key is still signed by the key before.
        if self.whole:
            self._trusted(note, head)
        policy = self.options.policy
        if policy is not None and any(each.kind == MLDSA44 for each in policy.witnesses.values()):
            self.report.warn("witnesses who sign by ML-DSA-44 count as if they had not signed: it is not checked here")
        if policy is None:
            if self.options.max_age_ms is not None:
                self.report.found("checkpoint", "nobody outside says how old it is: a maximum age needs --policy")
            return
        if policy.logs and not any(each in policy.logs for each in (window.key for window in self.log.related())):
            self.report.found("policy", "the policy is about another log")
        times, covered = self._cosigned(note, policy), head.size
        if not policy.met(set(times)) and self.anchors:
            # A log that goes on is always a little ahead of its witnesses: what they saw last is in it as an anchor.
            last = max(self.anchors, key=lambda each: each.size)
            times, covered = last.times, last.size
        self.report.cosignatures = {name: shown(moment) for name, moment in sorted(times.items())}
        if not policy.met(set(times)):
            self.report.found("checkpoint", f"the witnesses who cosigned it ({len(times)}) do not make the quorum")
            return
        self.report.witnessed = covered
        if covered < head.size:
            self.report.warn(
                f"the last {head.size - covered} entries were seen by no quorum yet: they are the operator's word"
            )
        if self.options.max_age_ms is not None:
            since = self.options.now_ms - self.options.max_age_ms
            if not policy.met({name for name, moment in times.items() if moment >= since}):
                self.report.found("checkpoint", f"it is too old: no quorum saw it after {shown(since)}")

    def _trusted(self, note: Note, head: Checkpoint) -> None:
        """The keys that were brought lead to the one that signed. Of a log that was not read to its end nobody knows its keys."""
        keys = [each for each in self.log.at(max(head.size - 1, 0)).values() if each in self.log.trusted()]
        if not any(note.signed_by(each) for each in keys):
            self.report.found("checkpoint", self._stranger(note, head))
        if self.log.introduced and not self.log.trusted():
            self.report.found(
                "keys", f"the log began with `{self.log.windows[0].key.keyid()}`, which leads to none you brought"
            )
        self._unheard([each for each in keys if note.signed_by(each)])
        if self.gate.brought and not self.gate.trusted():
            self.report.found("keys", "none of the gates you brought is one of this log")
        known = {each.key.keyid(): each.start for each in self.log.windows}
        latest = self.log.windows[-1] if self.log.introduced else None
        trusted = [each.keyid() for each in self.options.keys if each.keyid() in known]
        if latest is not None and trusted and latest.key not in self.options.keys:
            last = max(trusted, key=known.__getitem__)
            self.report.warn(
                f"the key of the log that you trust, `{last}`, was replaced: from entry {latest.start} on this log's key is "
                f"`{latest.key.keyid()}`. Get that one from the operator, by another way than the export, and bring it"
            )

    def _unheard(self, signers: list[Key]) -> None:
        """Of several keys that were brought, each is one that the log leads to or from: else an old one alone would do."""
        joined = {each.key for each in self.log.windows} if self.log.introduced else {*signers}
        brought = [each for each in self.options.keys if each.name == self.origin and each not in self.options.before]
        for key in dict.fromkeys(brought) if signers and len({*brought}) > 1 else ():
            if key not in joined:
                said = (
                    f"the log never heard of `{key.keyid()}`, which you brought beside others: it is from before that key, or "
                    "made by somebody who holds an older one. If you know that it is from before, say `--before` and that key"
                )
                self.report.found("keys", said)
        for key in self.options.before:
            if key in joined and self.log.introduced:
                start = next(each.start for each in self.log.windows if each.key == key)
                said = f"--before: the log of this export holds `{key.keyid()}`, from entry {start} on: it is not from before it"
                raise Refused("bad_key", said)
            self.report.warn(
                f"that this is from before the key `{key.keyid()}` is your word: whoever held an older one since could have "
                "made it. Hold it against a checkpoint that you kept (--retained)"
            )

    def _stranger(self, note: Note, head: Checkpoint) -> str:
        names = ", ".join(f"{name}+{id_.hex()}" for name, id_, _ in note.signatures if name == head.origin)
        problem = f"it is not signed by a key of `{head.origin}` that is in force"
        if self.report.vouched and names and not any(each.keyid() in names for each in self.log.trusted()):
            return f"{problem}, but by `{names}`, which none that you brought leads to: the wrong key file, or forged"
        return problem

    def _retained(self, head: Checkpoint) -> None:
        for note in self.options.retained:
            try:
                kept = checkpoint_of(note.text)
            except Wrong as error:
                self.report.found("retained checkpoint", str(error))
                continue
            place = f"retained checkpoint of {kept.size}"
            keys = [each.key for each in self.log.related()]
            if kept.size <= head.size:
                keys = [each for each in self.log.at(max(kept.size - 1, 0)).values() if each in keys]
            longer = (
                f"the export has only {head.size} entries: it is older than that checkpoint, or its end was cut off"
            )
            if kept.origin != head.origin or not any(note.signed_by(each) for each in keys):
                said = (
                    "it is not signed by this log: the file of another one, or this log was begun anew under its name"
                )
                if kept.size > head.size:
                    names = ", ".join(
                        f"`{name}+{id_.hex()}`" for name, id_, _ in note.signatures if name == head.origin
                    )
                    said = (
                        f"it is signed by {names or 'nobody of its name'}, which this export does not know. Perhaps it is a "
                        f"later key of this log, and {longer}; or another log was begun under its name"
                    )
                self.report.found(place, said)
            elif kept.size > head.size:
                self.report.found(place, longer)
            elif kept.root != self._root_at(kept.size):
                self.report.found(place, "its root is not that of these entries")

    def _sandwich(self) -> None:
        """Each entry was recorded after what is anchored before it, and before what is anchored over it."""
        if not self.anchors:
            return
        skew = self.options.skew_ms
        until: list[tuple[int, int, int]] = []
        latest = 2**62
        for each in sorted(self.anchors, key=lambda one: one.size, reverse=True):
            latest = min(latest, each.latest)
            until.append((each.size, latest, each.index))
        until.reverse()
        earliest, anchor, start = -(2**62), 0, 0
        bounds = iter(until)
        size, most, over = next(bounds, (2**62, 2**62, 0))
        begins = iter(sorted(self.anchors, key=lambda one: one.index))
        begun = next(begins, None)
        for index in range(start, len(self.times)):
            while begun is not None and begun.index <= index:
                if begun.earliest > earliest:
                    earliest, anchor = begun.earliest, begun.index
                begun = next(begins, None)
            while index >= size:
                size, most, over = next(bounds, (2**62, 2**62, 0))
            moment = self.times[index]
            if moment > most + skew:
                said = f"it says {shown(moment)}, and witnesses saw it by {shown(most)} (anchor of entry {over})"
                self.report.found(f"entry {index}", said)
            elif moment < earliest - skew:
                said = f"it says {shown(moment)}, and stands after what was seen at {shown(earliest)} (entry {anchor})"
                self.report.found(f"entry {index}", said)

    def _actions(self) -> None:
        """The readable index says what the log says."""
        listed = 0
        told: set[str] = set()
        if self.selection is not None and self.asked is not None:
            wanted = {name for name, span in self.spans.items() if self.selection.takes(name, *span)}
            for name in sorted(wanted ^ self.asked)[:1]:
                said = "is not listed, and was" if name in wanted else "is listed, and was not"
                self.report.found("actions.jsonl", f"action `{safe(name)}` {said} asked for, by what export.json says")
        for line in lines_of(self.files, "actions.jsonl"):
            listed += 1
            try:
                value = an_object(strict(line), "a line")
                name, facts, state = text_in(value, "action"), whole_in(value, "facts"), text_in(value, "state")
            except Wrong as error:
                self.report.found("actions.jsonl", str(error))
                continue
            trail = self.trails.get(name)
            if name in told:
                self.report.found("actions.jsonl", f"action `{safe(name)}` is listed twice")
            elif trail is not None:
                told.add(name)
            if trail is None or (trail.seq, trail.state) != (facts, state):
                said = "the log has never heard of it" if trail is None else f"the log says {safe(trail.state)}"
                self.report.found("actions.jsonl", f"action `{safe(name)}` is listed as {safe(state)}: {said}")
            elif wrong := self._misread(name, value):
                self.report.found("actions.jsonl", f"`{wrong}` of action `{safe(name)}` is not what its entries say")
            if self.report.enough:
                return
        known = len(self.trails) if self.asked is None else self.listed
        if listed != known:
            self.report.found("actions.jsonl", f"it lists {listed} actions instead of {known}")
        elif listed != self.listed:
            self.report.found("export.json", f"it says {safe(str(self.listed))} actions, and {listed} are listed")

    def _misread(self, name: str, value: Object) -> str:
        """The first field of a row of the readable index that says something else than the entries it names, or none."""
        row = self.rows.get(name, Row(0, NOTHING))
        entries, hashed = a_list(value.get("entries")), 0
        for each in entries:
            hashed = entries_after(hashed, each) if isinstance(each, int) else -1
        if not entries or hashed != row.entries:
            return "entries"
        times = [ms_or_none(value.get(each)) for each in ("first_at", "last_at")]
        if times != [self.times[entries[0]], self.times[entries[-1]]]:
            return "first_at" if times[0] != self.times[entries[0]] else "last_at"
        right: Object = {name: said[0] if said else "" for name, said in zip(ROW, row.said, strict=False)}
        right |= {"policies": [*row.said[-2]], "approved_by": [*row.said[-1]]}
        return next((name for name, said in right.items() if value.get(name) != said), "")

    def _gone(self) -> None:
        """What should be there in clear and is not, was erased under an entry, or lost. What was erased is not there."""
        alive = [index for index, erased in enumerate(self.erased) if erased and self.clear[index]]
        if alive:
            self.report.warn(
                f"clear texts of entry {alive[0]} are here, and an erasure says that they are gone "
                f"(so of {len(alive)} entries): it was not carried out, or undone from a copy"
            )
        for index, count in enumerate(self.missing):
            if self.private[index] and not self.clear[index]:
                self.report.erased += self.erased[index]
                self.report.lost += self.lost[index] and not self.erased[index]
            if count and not self.erased[index] and not self.lost[index]:
                name = f"`{safe(self.names[index])}`" if index in self.names else "a value"
                said = f"the clear text of {name} is missing, and no erasure says why"
                self.report.found(f"entry {index}", said)

    def _sealed(self, head: Checkpoint) -> None:
        """The gate whose key is in force at the end of the log signed MANIFEST: what is in the export, and what is not."""
        data = read(self.files, SEAL, MAX_NOTE)
        since = (
            "clear texts, lists or other files may have been taken out of it, put into it or changed since it was made"
        )
        if data is None:
            self.report.found(SEAL, f"it is missing: nobody signed the export as a whole, and {since}")
            return
        root = b64encode(head.root).decode()
        wanted = f"{FORMAT}\n{head.origin}\n{head.size}\n{root}\n{self._digest('MANIFEST')}\n".encode()
        try:
            note = note_of(data)
        except Wrong as error:
            self.report.found(SEAL, f"{error}; {since}")
            return
        if note.text != wanted:
            self.report.found(SEAL, f"it is over another MANIFEST, or another checkpoint, than those here: {since}")
        elif self.whole:
            signer = next((each for each in self.gate.at(head.size).values() if note.signed_by(each)), None)
            if signer is not None:
                self.report.sealed = signer.keyid()
                return
            names = ", ".join(f"`{name}+{id_.hex()}`" for name, id_, _ in note.signatures)
            said = f"it is signed by {names}, and not by the gate's key that is in force at the end of the log"
            self.report.found(SEAL, f"{said}, or the signature does not verify: {since}")

    def _manifest(self) -> None:
        """Every file is listed with its digest, and none but these is there."""
        if not self._listed():
            return
        # Both are in the order of paths, and are held against each other as they pass.
        there = (path for path in self.files.paths() if path not in ("MANIFEST", SEAL))
        awaited, path = next(there, None), ""
        for line in lines_of(self.files, "MANIFEST"):
            digest, _, path = line.decode("utf-8", "replace").rstrip("\n").partition("  ")
            while awaited is not None and awaited < path:
                self.report.found(awaited, "it is not listed in MANIFEST")
                awaited = next(there, None)
            if awaited != path:
                self.report.found(path, "MANIFEST lists it, and it is not there")
            else:
                if digest != self._digest(path):
                    self.report.found(path, "it is not the file that MANIFEST lists")
                awaited = next(there, None)
            if self.report.enough:
                return
        while awaited is not None and not self.report.enough:
            self.report.found(awaited, "it is not listed in MANIFEST")
            awaited = next(there, None)

    def _listed(self) -> bool:
        """Whether MANIFEST is a list in its one form: else what is wrong with it is told, and nothing of any file."""
        last = ""
        for line in lines_of(self.files, "MANIFEST"):
            digest, gap, path = line.decode("utf-8", "replace").rstrip("\n").partition("  ")
            if not gap or len(digest) != 64:
                self.report.found(
                    "MANIFEST", f"`{safe(path or digest)[:80]}` is not a line of it; no file was held against it"
                )
                return False
            if path <= last:
                said = "the lines are not in the order of paths, or one is there twice; no file was held against it"
                self.report.found("MANIFEST", f"`{safe(path)[:80]}` stands behind `{safe(last)[:80]}`: {said}")
                return False
            last = path
        if not last:
            self.report.found("MANIFEST", "it is missing or empty")
        return bool(last)

    def _digest(self, path: str) -> str:
        file = self.files.open(path)
        hashed = sha256()
        try:
            with file or open(os.devnull, "rb") as source:  # noqa: PTH123  nothing to read is read as nothing
                while chunk := source.read(1 << 20):
                    hashed.update(chunk)
        except _BROKEN as error:
            raise Refused("unreadable", f"`{path}` cannot be read: {error}") from None
        return hashed.hexdigest()

    def _itself(self) -> str:
        """What is to be said of the verifier that goes along: a program can tell only of another copy what it is."""
        there, here = read(self.files, "verify.py", MAX_TEXT), Path(str(globals().get("__file__", "")))
        try:
            if isinstance(self.files, Folder) and here.is_file() and self.files.holds(here):
                return "the program that says this"
            return "" if there == here.read_bytes() else "another program than this one"
        except OSError:
            # Read from a pipe, a program does not know its own text.
            return "not compared: this program did not come from a file"

    def _told(self) -> None:
        report = self.report
        report.actions, report.streams = len(self.trails), len(self.streams)
        report.unclosed = len(self.streams.keys() - self.closed - self.handed)
        rings = {"log": self.log, "gate": self.gate, "identity": self.identity}
        report.suspicions = [each for role, ring in rings.items() for each in ring.suspicions(role, report.size)]
        report.log_keys = [each.key.line() for each in self.log.related()]
        report.gate_keys = [each.key.line() for each in self.gate.windows]
        report.disclosed = "all" if self.expected is None else ", ".join(sorted(self.expected))
        if self.asked is not None:
            told = self.selection.told() if self.selection else ""
            chosen = f"only {len(self.asked)} of {len(self.trails)} actions were asked for ({told}): no clear text of the others"
            if len(self.asked) == len(self.trails):
                chosen = (
                    f"not everything was asked for ({told}), which comes to all of the actions: no other clear text"
                )
            report.warn(f"the operator says that {chosen} need be here")
        report.unread.append("export.json (what was asked for, when it was made, and by which version)")
        report.unread += ["policy (the export's own)"] if read(self.files, "policy", MAX_NOTE) is not None else []
        report.unread += [f"verify.py ({said})" for said in [self._itself()] if said]
        report.unread.sort()
        if self.options.policy is None:
            report.warn(
                "no witness was asked for (--policy): that this is the latest checkpoint is the operator's word"
            )
        if report.anchors and not self.anchors:
            report.warn("the anchors in the log count for nothing without a policy that their witnesses meet")


_REACHABLE: dict[str, frozenset[str]] = {}


def reachable(state: str) -> frozenset[str]:
    """The states that some moves lead to from `state`. Not every move leaves a fact of its own."""
    if state not in _REACHABLE:
        seen: set[str] = set()
        todo = [state]
        while todo:
            for each in MOVES.get(todo.pop(), frozenset()) - seen:
                seen.add(each)
                todo.append(each)
        _REACHABLE[state] = frozenset(seen)
    return _REACHABLE[state]


def verify_export(export: Path, options: Options) -> Report:
    """Check the export at `export`. Raises Refused where it cannot be read as one."""
    report = Report(export=str(export), accept_suspect=options.accept_suspect)
    Check(files_of(export), options, report).run()
    return report


# -- the program ----------------------------------------------------------------------------------------------------------


def keys_from(text: str) -> list[Key]:
    """The keys that a word of the command line means: one key, or the lines of a file. Raises Refused."""
    path = Path(text)
    try:
        if "+" in text and not path.exists():
            return [key_of(text)]
        with path.open("rb") as file:
            # Editors on some systems begin a file with a mark of its encoding.
            lines = file.read(MAX_NOTE).decode("utf-8-sig").split("\n")
        keys = [key_of(each.strip()) for each in lines if each.strip() and not each.startswith("#")]
    except FileNotFoundError:
        raise Refused("bad_key", f"`{text}` is no key, and there is no such file") from None
    except OSError as error:
        raise Refused("bad_key", f"`{text}` cannot be read: {error.strerror}") from None
    except ValueError as error:
        if not isinstance(error, Wrong):
            raise Refused("bad_key", f"`{text}` is neither a key nor a file of keys") from None
        raise Refused("bad_key", f"`{text}`: {error}") from None
    if not keys:
        raise Refused("bad_key", f"`{text}` holds no key")
    return keys


_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SPAN = re.compile(r"([0-9]{1,12})(ms|s|m|h|d)")


def span(text: str) -> int:
    """Milliseconds of `90s`, `1h30m`, `30d`, as `interlock verify` reads them, else argparse's error."""
    parts = _SPAN.findall(text)
    if not parts or "".join(count + unit for count, unit in parts) != text:
        raise argparse.ArgumentTypeError(f"`{text}` is not a duration such as 90s, 1h30m or 30d")
    found = sum(int(count) * _UNITS[unit] for count, unit in parts)
    if not found:
        raise argparse.ArgumentTypeError("a duration must be longer than nothing")
    return found


def _file(path: Path, code: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE + 1)
    except OSError as error:
        raise Refused(code, f"`{path}` cannot be read: {error.strerror}") from None


def options_from(
    keys: Iterable[str],
    policy: Path | None,
    retained: Iterable[Path],
    max_age_ms: int | None,
    skew_ms: int,
    now_ms: int,
    *,
    accept_suspect: bool = False,
    before: Iterable[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Options:
    """What the auditor brings, read from files. Raises Refused, with a code of USAGE."""
    if max_age_ms is not None and policy is None:
        raise Refused("usage", "--max-age asks how recent the witnesses' word is: say which witnesses with --policy")
    try:
        rules = None if policy is None else policy_of(_file(policy, "bad_policy").decode())
    except (Wrong, UnicodeDecodeError) as error:
        raise Refused("bad_policy", f"`{policy}`: {error}") from None
    notes: list[Note] = []
    for path in retained:
        try:
            # A note holds no carriage return: where there is one, some program put it there.
            notes.append(note_of(_file(path, "bad_note").replace(b"\r\n", b"\n")))
        except Wrong as error:
            raise Refused("bad_note", f"`{path}`: {error}") from None
    return Options(
        keys=tuple(each for word in keys for each in keys_from(word)),
        policy=rules,
        retained=tuple(notes),
        max_age_ms=max_age_ms,
        skew_ms=skew_ms,
        now_ms=now_ms,
        accept_suspect=accept_suspect,
        before=tuple(each for word in before for each in keys_from(word)),
        progress=progress,
    )


def counted(count: int, what: str) -> str:
    """A count in words: `1 action`, `2 actions`."""
    return f"{count} {what[:-3] + 'y' if what == 'entries' else what[:-1]}" if count == 1 else f"{count} {what}"


def gone(report: Report) -> str:
    """Of how many entries clear texts are gone by the log's own word, in words that end in a comma."""
    lost = f"of {counted(report.lost, 'entries')} LOST (acknowledged by two persons), " if report.lost else ""
    return f"clear texts of {counted(report.erased, 'entries')} erased, {lost}"


def words_for(report: Report) -> list[str]:
    """Who stands for the export as a whole, and for what was held against nothing in the log."""
    words = ", ".join(report.unread)
    if not report.sealed:
        return [f"for reading alone, signed by nobody: {words}"] if words else []
    said = f"its MANIFEST is signed by {safe(report.sealed)}"
    if report.verdict in ("verified", "suspect"):
        said = f"signed as a whole by {safe(report.sealed)}: nothing was taken out of it or changed since it was made"
    return [said, *([f"the operator's word alone, held against nothing: {words}"] if words else [])]


def told(report: Report) -> str:
    """A report in words."""
    lines = [f"warning: {each}" for each in report.warnings]
    if report.findings:
        (place, problem), *others = report.findings
        lines += ["THE EXPORT DOES NOT VERIFY", f"first: {place}: {problem}"]
        lines += [f"       {place}: {problem}" for place, problem in others[:9]]
        if len(others) > 9:
            lines.append(f"       and {len(others) - 9} more")
    else:
        verified = {
            "verified": "the export verifies",
            "suspect": "the export agrees with itself, but stands on a key that may be lost",
        }.get(report.verdict, "the export agrees with itself, but nobody vouched for it")
        lines.append(
            f"{verified}: {counted(report.entries, 'entries')} of `{safe(report.origin)}` under root {report.root[:16]}"
        )
    lines.append(
        f"{counted(report.signatures, 'signatures')}, {counted(report.actions, 'actions')}, "
        f"{counted(report.disclosures, 'clear texts')} ({safe(report.disclosed) or 'none'} asked for), "
        f"{gone(report)}"
        f"{counted(report.anchors, 'anchors')}, {counted(report.streams, 'streams')} "
        f"({report.unclosed} without an end), {counted(len(report.cosignatures), 'cosignatures')}"
    )
    lines += [
        f"SUSPECT: entries {each['first']} to {each['last']} stand on {safe(each['key'])}, which was declared lost"
        for each in report.suspicions
    ]
    lines += [
        f"time stamp of entry {each['entry']}: {each['at']} by its own word. It is over that anchor; who signed it: openssl ts "
        f"-verify -data anchors/{each['entry']}.checkpoint -in anchors/{each['entry']}.tsr -CAfile ROOT.pem -untrusted TSA.pem"
        for each in report.stamps[:MAX_TOLD]
    ]
    if len(report.stamps) > MAX_TOLD:
        lines.append(f"and {counted(len(report.stamps) - MAX_TOLD, 'time stamps')} more, named with --json")
    lines += [f"not checked: the line of {each}" for each in report.unchecked]
    lines += words_for(report)
    lines += [f"seen by {safe(name)} at {moment}" for name, moment in report.cosignatures.items()]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run the program and give its exit code."""
    parser = argparse.ArgumentParser(
        prog="verify.py",
        description="Check an export of Interlock's evidence.",
        epilog="Ends with 0: verified; 3: it agrees with itself, but nobody vouched for its keys; 4: it does not verify, or "
        "stands on a key that was declared lost; 1: it cannot be read; 2: the command line, or a key, policy or "
        "checkpoint brought with it, is wrong.",
    )
    parser.add_argument("export", type=Path, help="the folder or zip file")
    parser.add_argument("--key", action="append", default=[], help="a public key, or a file of them; may be repeated")
    parser.add_argument(
        "--before",
        action="append",
        default=[],
        metavar="KEY",
        help="a key of the log, among those brought, that came after this export; may be repeated",
    )
    parser.add_argument("--policy", type=Path, help="which witnesses must have cosigned (C2SP tlog-policy)")
    parser.add_argument(
        "--retained",
        type=Path,
        action="append",
        default=[],
        help="a checkpoint kept earlier, which the log must continue; may be repeated",
    )
    parser.add_argument(
        "--max-age",
        type=span,
        metavar="SPAN",
        help="how old the cosignatures may be: 90s, 1h30m (with --policy; without it any age)",
    )
    parser.add_argument(
        "--skew",
        type=span,
        default=f"{SKEW_MS // 1000}s",
        metavar="SPAN",
        help="how far clocks may differ (%(default)s)",
    )
    parser.add_argument("--accept-suspect", action="store_true", help="end with 0 though a key that signed may be lost")
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    given = parser.parse_args(arguments)
    try:
        now = time.time_ns() // 1_000_000
        options = options_from(
            given.key,
            given.policy,
            given.retained,
            given.max_age,
            given.skew,
            now,
            accept_suspect=given.accept_suspect,
            before=given.before,
        )
        report = verify_export(given.export, options)
    except Refused as refused:
        error = {"error": {"code": refused.code, "detail": refused.detail}}
        sys.stdout.write(json.dumps(error) + "\n" if given.json else f"refused: {safe(refused.detail)}\n")
        return 2 if refused.code in USAGE else 1
    sys.stdout.write((json.dumps(report.value(), indent=2) if given.json else told(report)) + "\n")
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
