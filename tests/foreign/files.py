"""The log's files as an auditor would be given them, for programs that know nothing of ours; and what may befall them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import anyio
import msgspec

from interlock.adapters.keys import Keys, fresh
from interlock.adapters.shelf import FolderShelf
from interlock.domain.merkle import root_of
from interlock.domain.tiles import WIDTH, TileId, entries_path
from interlock.services.inclusion import proof_of_entry
from interlock.services.showing import publish_log, unverified
from tests.domain.logs import KEYS, OpenLog, filled

SIZE = 600
EARLIER = 300


class Files(msgspec.Struct, frozen=True):
    """A folder with a log's files, the log behind it, and an earlier checkpoint of it."""

    folder: Path
    log: OpenLog
    earlier: Path


def write(log: OpenLog, folder: Path) -> None:
    """Publish a closed log, as `interlock log publish` does, in the place of whatever is in the folder."""
    # Over another log it would be refused, which is not what is tried here.
    shutil.rmtree(folder, ignore_errors=True)
    anyio.run(publish_log, log, FolderShelf(folder))


def make(folder: Path) -> Files:
    """A log of 600 entries that once had 300."""
    log = filled(EARLIER)
    assert log.note is not None
    earlier = folder / "earlier"
    _put(earlier, log.note.encode())
    for n in range(EARLIER, SIZE):
        log.add(f"a-{n % 5}", f"run-{n % 3}", toolArgs={"n": n})
    write(log.close(), folder / "log")
    return Files(folder=folder / "log", log=log, earlier=earlier)


def proof_of(log: OpenLog, index: int) -> bytes:
    """The tlog-proof file of one entry, as `interlock log proof` writes it."""
    return anyio.run(proof_of_entry, log, index, unverified).text.encode()


def copied(files: Files, to: Path) -> Path:
    """A copy of the folder that may be worked on."""
    return Path(shutil.copytree(files.folder, to))


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


# -- what somebody who can write the folder, and has no key, could do -------------------------------------------------

L0, L1 = TileId(level=0, n=1), TileId(level=1, n=0, width=2)
LAST = TileId(level=0, n=2, width=SIZE - 2 * WIDTH)


def _flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def _exchange(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def _lines(folder: Path, change: Callable[[list[str]], None]) -> None:
    lines = (folder / "checkpoint").read_text().split("\n")
    change(lines)
    (folder / "checkpoint").write_text("\n".join(lines))


def _rehashed(folder: Path) -> None:
    """One entry changed and everything above it computed again, with the signature that was there."""
    other = filled(EARLIER)
    for n in range(EARLIER, SIZE):
        other.add(f"a-{n % 5}", f"run-{n % 3}", toolArgs={"n": -n})
    note = (folder / "checkpoint").read_text().split("\n")
    write(other.close(), folder)
    forged = (folder / "checkpoint").read_text().split("\n")
    (folder / "checkpoint").write_text("\n".join([*forged[:3], *note[3:]]))


def _other_key(folder: Path) -> None:
    """The whole log signed by a key of the same name that nobody trusts."""
    write(filled_with(Keys(log=fresh(KEYS.log.verifier.name), gate=KEYS.gate)), folder)


def filled_with(keys: Keys) -> OpenLog:
    """As many entries, by other keys."""
    log = OpenLog(keys)
    for n in range(SIZE):
        log.add(f"a-{n % 5}", f"run-{n % 3}", toolArgs={"n": n})
    return log.close()


def _forged_size(lines: list[str]) -> None:
    lines[1] = str(SIZE - 1)


def _forged_root(lines: list[str]) -> None:
    lines[2] = lines[2][::-1] if lines[2][0] != "=" else lines[2]
    lines[2] = "A" + lines[2].strip("=")[1:] + "="


def _entry_dropped(folder: Path) -> None:
    bundle = folder / entries_path(0)
    data = bundle.read_bytes()
    bundle.write_bytes(data[2 + int.from_bytes(data[:2], "big") :])


def _entry_twice(folder: Path) -> None:
    bundle = folder / entries_path(0)
    data = bundle.read_bytes()
    bundle.write_bytes(data[: 2 + int.from_bytes(data[:2], "big")] + data)


TAMPERS: dict[str, Callable[[Path], object]] = {
    "a byte of an entry": lambda folder: _flip(folder / entries_path(1), 700),
    "a byte of a tile": lambda folder: _flip(folder / L0.path(), 77),
    "a byte of a tile above": lambda folder: _flip(folder / L1.path(), 33),
    "a byte of the last tile": lambda folder: _flip(folder / LAST.path(), 5),
    "bundles exchanged": lambda folder: _exchange(folder / entries_path(0), folder / entries_path(1)),
    "tiles exchanged": lambda folder: _exchange(folder / TileId(level=0, n=0).path(), folder / L0.path()),
    "an entry dropped": _entry_dropped,
    "an entry twice": _entry_twice,
    "the last bundle gone": lambda folder: (folder / entries_path(2, SIZE - 2 * WIDTH)).unlink(),
    "the last tile gone": lambda folder: (folder / LAST.path()).unlink(),
    "a bundle emptied": lambda folder: (folder / entries_path(1)).write_bytes(b""),
    "another size": lambda folder: _lines(folder, _forged_size),
    "another root": lambda folder: _lines(folder, _forged_root),
    "a byte of the signature": lambda folder: _flip(folder / "checkpoint", -30),
    "another origin": lambda folder: _lines(folder, lambda lines: lines.__setitem__(0, "other/log")),
    "no signature": lambda folder: _lines(folder, lambda lines: lines.__setitem__(4, "")),
    "the checkpoint emptied": lambda folder: (folder / "checkpoint").write_bytes(b""),
    "made anew without the key": _rehashed,
    "made anew with another key": _other_key,
}


def forked(folder: Path) -> None:
    """The same number of entries, another history, signed with the log's own key: only an earlier checkpoint tells."""
    other = OpenLog(KEYS)
    for n in range(SIZE):
        other.add(f"b-{n % 5}", f"run-{n % 3}", toolArgs={"n": n})
    write(other.close(), folder)


def cut(folder: Path) -> None:
    """The end cut off, and what is left signed with the log's own key: only an earlier checkpoint tells."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    write(filled(EARLIER - 1), folder)


def root(log: OpenLog) -> bytes:
    """The root over all leaves, computed from them."""
    return root_of([row.leaf_hash for row in log.rows])
