"""A witness's own key and its own memory: one SQLite file, apart from everything of the log it watches.

    witness.key   PRIVATE+KEY+<name>+<key id>+<base64 of 0x04 and the 32-byte seed>
    witness.pub   <name>+<key id>+<base64 of 0x04 and the public key>                 what verifiers are given
    witness.db    the logs that are trusted, what was cosigned last of each, and what was kept as evidence

Every change is synced before it is answered for. Several processes may share one folder: each change is made only if what it
follows on is still what was cosigned last.
"""

import secrets
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, cast

import apsw
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from interlock.adapters.keys import SEED_BYTES, SIGNATURE_BYTES, verify
from interlock.adapters.line_files import PRIVATE_FILE, PRIVATE_FOLDER, read_line, sync_folder, write_line
from interlock.adapters.sqlite.connection import Connection, Row, Values
from interlock.domain.cosignature import COSIGNER, CosignerKey, cosigned_text, parse_cosigner, timestamped
from interlock.domain.errors import KeyFileError, StoreBusy, StoreCorrupt, StoreError
from interlock.domain.note import (
    Checkpoint,
    NoteError,
    VerifierKey,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    signature_line,
)
from interlock.domain.witnessing import FORKED

MOST_EVIDENCE: Final = 1000
"""Notes that are kept of one log, of those that prove a fork and of the others: it can sign as many as it likes."""
BUSY_MS: Final = 5000

_PREFIX: Final = "PRIVATE+KEY+"
_APPLICATION_ID: Final = 0x696E7477
_SCHEMA: Final = """
CREATE TABLE log (origin TEXT NOT NULL, vkey TEXT NOT NULL, PRIMARY KEY (origin, vkey)) STRICT, WITHOUT ROWID;
CREATE TABLE latest (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL,
    at_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE evidence (origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL,
    beside BLOB NOT NULL, why TEXT NOT NULL, at_s INTEGER NOT NULL, PRIMARY KEY (origin, size, root)) STRICT, WITHOUT ROWID;
PRAGMA application_id = 1768846455;
PRAGMA user_version = 1;
"""


class Seen(NamedTuple):
    """A log, by name, as a witness has seen it. `size` is None before anything was cosigned."""

    origin: str
    vkeys: tuple[str, ...]
    size: int | None
    root: str
    at_s: int
    evidence: int
    """How many notes prove a fork of it."""
    unproven: int
    """How many were not shown to continue what was cosigned: another log, or a bad proof of whoever sent them."""


class Kept(NamedTuple):
    """Two notes a log signed: they cannot both be true (`FORKED`), or were not shown to be."""

    origin: str
    why: str
    at_s: int
    note: bytes
    beside: bytes


class WitnessKey:
    """A cosigner's private key. Shows nothing of it when printed."""

    __slots__ = ("_secret", "_seed", "key")

    def __init__(self, name: str, seed: bytes) -> None:
        public, self._secret = crypto_sign_seed_keypair(seed)
        self._seed = seed
        self.key = CosignerKey(name=name, public=public)

    def __repr__(self) -> str:
        return f"WitnessKey({self.key.vkey()!r})"

    def cosign(self, checkpoint: Checkpoint, at_s: int) -> bytes:
        """See `Cosigner.cosign`."""
        signature = crypto_sign(cosigned_text(self.key, at_s, checkpoint), self._secret)[:SIGNATURE_BYTES]
        return signature_line(self.key.name, self.key.key_id(), timestamped(at_s, signature))

    def line(self) -> str:
        """The private key as one line, to be shown to nobody."""
        said = b64encode(bytes([COSIGNER]) + self._seed).decode()
        return f"{_PREFIX}{self.key.name}+{self.key.key_id().hex()}+{said}"


def check_ed25519(key: CosignerKey, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 cosigner has signed; of a key of another kind it knows nothing, and says no."""
    return key.kind == COSIGNER and verify(key.public, message, signature)


def create(folder: Path, name: str) -> WitnessKey:
    """Make a witness in `folder`, which appears whole or not at all. KeyFileError where there is one."""
    beside = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
    try:
        key = WitnessKey(name, secrets.token_bytes(SEED_BYTES))
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside.mkdir(mode=PRIVATE_FOLDER)
        write_line(beside / "witness.key", key.line(), PRIVATE_FILE)
        write_line(beside / "witness.pub", key.key.vkey(), 0o644)
        connection = cast(Connection, apsw.Connection(str(beside / "witness.db")))
        connection.pragma("synchronous", "full")
        connection.execute(_SCHEMA)
        connection.close()
        sync_folder(beside)
        beside.rename(folder)
        sync_folder(folder.parent)
    except NoteError as error:
        raise KeyFileError(
            f"`{name}` cannot name a witness: {error}", next_step="choose a name without spaces"
        ) from None
    except OSError as error:
        for each in beside.glob("*"):
            each.unlink()
        if beside.is_dir():
            beside.rmdir()
        said = "it exists; a witness is never overwritten" if folder.exists() else error.strerror
        raise KeyFileError(f"no witness can be made in `{folder}`: {said}", next_step="name another folder") from None
    return key


def load(folder: Path) -> WitnessKey:
    """The witness's key. KeyFileError where it is missing, open to others or damaged."""
    path = folder / "witness.key"
    line = read_line(path, private=True)
    name, _, rest = line.removeprefix(_PREFIX).partition("+")
    try:
        secret = a2b_base64(rest.partition("+")[2], strict_mode=True)
        if len(secret) != 1 + SEED_BYTES:
            raise NoteError("it is too short")
        key = WitnessKey(name, secret[1:])
        public = parse_cosigner(read_line(folder / "witness.pub", private=False))
    except (ValueError, NoteError) as error:
        raise KeyFileError(f"`{path}` is damaged: {error}") from None
    if key.line() != line or key.key != public:
        raise KeyFileError(f"`{path}` and `witness.pub` are not one pair of a witness")
    return key


class WitnessMemory:
    """See `ports.witness.Memory`. To be closed."""

    def __init__(self, folder: Path) -> None:
        path = folder / "witness.db"
        try:
            raw = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            raw.set_busy_timeout(BUSY_MS)
            self._connection = cast(Connection, raw)
            self._connection.pragma("synchronous", "extra")
            if self._connection.pragma("application_id") != _APPLICATION_ID:
                raise StoreCorrupt(f"`{path}` is not the memory of a witness")
        except apsw.Error as error:
            raise StoreError(f"the witness's memory `{path}` cannot be opened: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def trust(self, key: VerifierKey) -> None:
        """Cosign for the log that `key` names, also under this key."""
        self._write("INSERT INTO log (origin, vkey) VALUES (?, ?) ON CONFLICT DO NOTHING", (key.name, key.vkey()))

    def distrust(self, key: VerifierKey) -> bool:
        """Cosign nothing more that this key alone has signed; False where it was not trusted. What was cosigned stays."""
        return self._write("DELETE FROM log WHERE origin = ? AND vkey = ?", (key.name, key.vkey()))

    def log_keys(self, origin: str) -> Sequence[VerifierKey]:
        """See `Memory.log_keys`."""
        found = self._read("SELECT vkey FROM log WHERE origin = ? ORDER BY vkey", (origin,))
        return [parse_vkey(cast(str, row[0])) for row in found]

    def latest(self, origin: str) -> Checkpoint | None:
        """See `Memory.latest`."""
        for size, root in self._read("SELECT size, root FROM latest WHERE origin = ?", (origin,)):
            return Checkpoint(origin=origin, size=cast(int, size), root=cast(bytes, root))
        return None

    def note(self, origin: str) -> bytes:
        """See `Memory.note`."""
        found = self._read("SELECT note FROM latest WHERE origin = ?", (origin,))
        return cast(bytes, found[0][0]) if found else b""

    def advance(self, before: Checkpoint | None, after: Checkpoint, note: bytes, at_s: int) -> bool:
        """See `Memory.advance`."""
        if before is None:
            return self._write(
                "INSERT INTO latest (origin, size, root, note, at_s) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (after.origin, after.size, after.root, note, at_s),
            )
        return self._write(
            "UPDATE latest SET size = ?, root = ?, note = ?, at_s = ? WHERE origin = ? AND size = ? AND root = ?",
            (after.size, after.root, note, at_s, after.origin, before.size, before.root),
        )

    def keep(self, note: bytes, beside: bytes, why: str, at_s: int) -> None:
        """See `Memory.keep`. The first of each kind is kept, and so many of one log at most."""
        said = parse_checkpoint(parse_note(note).text)
        self._write(
            "INSERT INTO evidence (origin, size, root, note, beside, why, at_s) SELECT ?, ?, ?, ?, ?, ?, ?"
            " WHERE (SELECT count(*) FROM evidence WHERE origin = ? AND (why = ?) = ?) < ?"
            # What was kept without proving anything may come again and prove a fork.
            " ON CONFLICT DO UPDATE SET note = excluded.note, beside = excluded.beside, why = excluded.why,"
            " at_s = excluded.at_s WHERE excluded.why = ? AND evidence.why <> excluded.why",
            (
                *(said.origin, said.size, said.root, note, beside, why, at_s),
                *(said.origin, FORKED, why == FORKED),
                *(MOST_EVIDENCE, FORKED),
            ),
        )

    def seen(self) -> list[Seen]:
        """Every log that is trusted."""
        found: list[Seen] = []
        for (origin,) in self._read("SELECT DISTINCT origin FROM log ORDER BY origin", ()):
            name = cast(str, origin)
            latest = self._read("SELECT size, root, at_s FROM latest WHERE origin = ?", (name,))
            forks, others = self._read(
                "SELECT count(*) FILTER (WHERE why = ?1), count(*) FILTER (WHERE why <> ?1) FROM evidence WHERE origin = ?2",
                (FORKED, name),
            )[0]
            vkeys = tuple(each.vkey() for each in self.log_keys(name))
            size, root, at_s = latest[0] if latest else (None, b"", 0)
            found.append(
                Seen(
                    *(name, vkeys, cast("int | None", size), cast(bytes, root).hex()),
                    *(cast(int, at_s), cast(int, forks), cast(int, others)),
                )
            )
        return found

    def evidence(self) -> list[Kept]:
        """Everything that was kept: what proves a fork first, then oldest first."""
        rows = self._read(
            "SELECT origin, why, at_s, note, beside FROM evidence ORDER BY why <> ?, at_s, origin, size", (FORKED,)
        )
        return [Kept(*cast("tuple[str, str, int, bytes, bytes]", row)) for row in rows]

    def _read(self, statement: str, values: Values) -> list[Row]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except apsw.Error as error:
            raise _failed(error) from error

    def _write(self, statement: str, values: Values) -> bool:
        """One statement, which is one synced transaction; whether it changed anything."""
        try:
            self._connection.execute(statement, values)
            return self._connection.changes() > 0
        except apsw.Error as error:
            raise _failed(error) from error


def _failed(error: apsw.Error) -> StoreError:
    kind = StoreBusy if isinstance(error, apsw.BusyError) else StoreError
    return kind(f"the witness's memory failed: {error}", next_step="look at its disk and file; nothing was cosigned")
