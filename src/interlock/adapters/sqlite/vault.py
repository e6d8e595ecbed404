"""The vault in a SQLite file of its own, apart from the store: one row for each block of 1,024 keys.

1. A process reserves a block before it uses the first key of it: one durable row. *A crash wastes at most the block.*
2. To shred keys is to write what is left of their blocks over the blocks' rows, and which keys it was, in one transaction.
   *A crash before the commit leaves all, after it nothing.*
3. `renew` makes a new key file, wraps every row under it in one transaction, and only then discards the old file. *A crash
   between two of these leaves the file that the rows are wrapped under, and perhaps one too many.*

Deleted content is overwritten, and the write-ahead log is emptied when keys were destroyed. What a file system or a backup
keeps of the rows all the same is wrapped under a key that `renew` has destroyed.
"""

import os
import secrets
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from interlock.adapters.sealing import AtHand, lock, number_in, unlock
from interlock.adapters.sqlite.connection import Connection
from interlock.adapters.sqlite.failures import meaning
from interlock.adapters.sqlite.opening import Patience, connect, create_file, look_at, write_ahead
from interlock.adapters.vault_key import discard_keys, fresh_key, load_key
from interlock.domain.erasure import Shred, keys_as_text, keys_in
from interlock.domain.errors import KeyFileError, KeyGone, StoreError, StoreReadOnly
from interlock.domain.keytree import (
    BLOCK_BITS,
    PER_BLOCK,
    SECRET_BYTES,
    Cover,
    block_of,
    number_of,
    packed,
    place_in,
    unpacked,
    whole,
    without,
)

APPLICATION_ID: Final = 0x696E746B
"""`intk` in the file's header says that it is a vault of ours."""

_SCHEMA: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL, wrapped BLOB) STRICT;
CREATE TABLE block (number INTEGER PRIMARY KEY, cover BLOB NOT NULL) STRICT;
CREATE TABLE shred (
    n INTEGER PRIMARY KEY, erasure TEXT NOT NULL, part INTEGER NOT NULL, keys TEXT NOT NULL, UNIQUE (erasure, part)
) STRICT;
"""
_COVER: Final = "SELECT cover FROM block WHERE number = ?"
_NOTED: Final = (
    "INSERT INTO shred (erasure, part, keys) VALUES (?, ?, ?)"
    " ON CONFLICT (erasure, part) DO UPDATE SET keys = excluded.keys"
)
_MARK: Final = "mark"


class SqliteVault:
    """See `Vault`. `path` is its file, `folder` where the key over its keys lies. Nothing is made before `begin`."""

    def __init__(self, path: Path, folder: Path, *, busy_ms: int = 5000, writable: bool = True) -> None:
        self._path = path.absolute()
        self._folder = folder
        self._writable = writable
        self._patience = Patience(busy_ms)
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self._kek: tuple[str, bytes] = ("", b"")
        self._mark = b""
        self._at_hand = AtHand(self._load)
        self._block = 0
        self._used = PER_BLOCK

    def begin(self, vault: str | None) -> str:
        """See `Vault.begin`."""
        with self._lock, _ours():
            if not self._path.is_file() and (vault is not None or not self._writable):
                raise KeyFileError(
                    f"the vault `{self._path}` is missing, and with it the keys of what was sealed",
                    next_step="restore its backup; without its keys what was sealed cannot be read",
                )
            if self._connection is None:
                self._open()
            found: str = self._value("SELECT value FROM meta WHERE name = 'id'")
            if vault not in (None, found):
                raise KeyFileError(
                    f"`{self._path}` is the vault `{found}`, and what was sealed needs the vault `{vault}`",
                    next_step="restore the vault that belongs to this store",
                )
            self._key()
            if self._writable and self._value("SELECT value FROM meta WHERE name = 'due'"):
                self.renew()
            return found

    def fresh(self) -> int:
        """See `Vault.fresh`."""
        with self._lock:
            if self._used == PER_BLOCK:
                self._reserve()
            self._used += 1
            return number_of(self._block, self._used - 1)

    def seal(self, number: int, about: bytes, text: bytes) -> bytes:
        """See `Vault.seal`."""
        with self._lock:
            key = self._at_hand.key(number)
        return lock(key, number, about, text)

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """See `Vault.open`."""
        number = number_in(sealed)
        with self._lock:
            key = self._at_hand.key(number)
        return unlock(key, sealed, about)

    def mark(self, text: str) -> str:
        """See `Vault.mark`."""
        return blake2b(text.encode(), key=self._mark, digest_size=32, person=b"interlock mark").hexdigest()

    def shred(self, shred: Shred) -> None:
        """See `Vault.shred`."""
        places: dict[int, list[int]] = {}
        with self._lock:
            with self._writing() as (connection, name, key):
                of_part = (shred.erasure, shred.part)
                row = connection.execute("SELECT keys FROM shred WHERE erasure = ? AND part = ?", of_part).get
                before = set[int]() if row is None else set(_numbers(row))
                for number in sorted(set(shred.keys) - before):
                    places.setdefault(block_of(number), []).append(place_in(number))
                for block, gone in places.items():
                    wrapped = connection.execute(_COVER, (block,)).get
                    if wrapped is None:  # restored from before the block was reserved: its keys are gone anyway
                        continue
                    left = packed(without(unpacked(self._unwrapped(wrapped, name, key, block)), gone))
                    connection.execute(
                        "UPDATE block SET cover = ? WHERE number = ?", (self._wrapped(left, name, key, block), block)
                    )
                if row is None or places:
                    text = msgspec.json.encode(keys_as_text(before | set(shred.keys))).decode()
                    connection.execute(_NOTED, (*of_part, text))
                    connection.execute("UPDATE meta SET value = 'yes' WHERE name = 'due'")
            self._at_hand.forget()
            if self._block in places:
                self._used = PER_BLOCK  # of a block that is not whole no key is given any more
            self._empty()

    def shreds(self) -> list[Shred]:
        """See `Vault.shreds`."""
        with self._lock, _ours():
            rows = self._opened().execute("SELECT erasure, part, keys FROM shred ORDER BY n").fetchall()
        return [Shred(erasure=erasure, part=part, keys=_numbers(keys)) for erasure, part, keys in rows]

    def renew(self) -> None:
        """See `Vault.renew`."""
        with self._lock:
            with self._writing() as (connection, name, key):
                new, its = fresh_key(self._folder)
                for block, wrapped in connection.execute("SELECT number, cover FROM block").fetchall():
                    cover = self._unwrapped(wrapped, name, key, block)
                    row = (self._wrapped(cover, new, its, block), block)
                    connection.execute("UPDATE block SET cover = ? WHERE number = ?", row)
                wrapped = connection.execute("SELECT wrapped FROM meta WHERE name = ?", (_MARK,)).get
                mark = self._wrapped(self._unwrapped(wrapped, name, key, _MARK), new, its, _MARK)
                connection.execute("UPDATE meta SET wrapped = ? WHERE name = ?", (mark, _MARK))
                connection.execute("UPDATE meta SET value = ? WHERE name = 'kek'", (new,))
                connection.execute("UPDATE meta SET value = '' WHERE name = 'due'")
            self._tidy()

    def close(self) -> None:
        """See `Vault.close`."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    # -- parts -------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        if not self._writable:
            self._connection = look_at(self._path, self._patience)
            return
        create_file(self._path)
        connection = self._connection = connect(self._path, self._patience)
        write_ahead(connection, self._patience.limit_ms)
        connection.pragma("secure_delete", 1)
        connection.execute("BEGIN IMMEDIATE")
        try:
            owner = connection.pragma("application_id")
            if not owner and not connection.execute("SELECT 1 FROM sqlite_schema").get:
                self._make(connection)
            elif owner != APPLICATION_ID:
                raise KeyFileError(f"`{self._path}` is not a vault of Interlock")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        self._tidy()

    def _make(self, connection: Connection) -> None:
        connection.execute(_SCHEMA)
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", 1)
        name, key = fresh_key(self._folder)
        add = "INSERT INTO meta (name, value, wrapped) VALUES (?, ?, ?)"
        connection.execute(add, ("id", secrets.token_hex(8), None))
        connection.execute(add, ("kek", name, None))
        connection.execute(add, ("due", "", None))  # whether keys were destroyed since the key over them was exchanged
        connection.execute(add, (_MARK, "", self._wrapped(os.urandom(SECRET_BYTES), name, key, _MARK)))

    def _tidy(self) -> None:
        """Discard the keys over all keys that are not in use: under the write lock, or another's new one might be among
        them. Whoever reads meanwhile finds the one it needs."""
        with self._writing() as (_, name, _key):
            discard_keys(self._folder, but=name)
        self._empty()

    def _empty(self) -> None:
        """Leave nothing of what was overwritten in the write-ahead log. Readers may keep it for a while."""
        with suppress(apsw.Error):
            self._opened().wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _reserve(self) -> None:
        with self._writing() as (connection, name, key):
            block, cover = secrets.randbits(BLOCK_BITS), whole(secrets.token_bytes(SECRET_BYTES))
            row = (block, self._wrapped(packed(cover), name, key, block))
            connection.execute("INSERT INTO block (number, cover) VALUES (?, ?)", row)
        self._at_hand.keep(block, cover)
        self._block, self._used = block, 0

    def _load(self, block: int) -> Cover | None:
        with _ours():
            for _ in range(2):  # somebody may exchange the key between our two looks
                name, key = self._key()
                wrapped = self._value(_COVER, (block,))
                if wrapped is None:
                    return None
                with suppress(KeyGone):
                    return unpacked(self._unwrapped(wrapped, name, key, block))
        raise KeyGone("the block of its key is damaged")

    def _key(self) -> tuple[str, bytes]:
        """The key over all keys, by its id."""
        name: str = self._value("SELECT value FROM meta WHERE name = 'kek'")
        if name != self._kek[0]:
            key = load_key(self._folder, name)
            wrapped = self._value("SELECT wrapped FROM meta WHERE name = ?", (_MARK,))
            try:  # before anything is wrapped under it
                self._mark = self._unwrapped(wrapped, name, key, _MARK)
            except KeyGone:
                raise KeyFileError(f"the key `{name}` in `{self._folder}` is not the one of this vault") from None
            self._kek = (name, key)
        return self._kek

    def _wrapped(self, text: bytes, name: str, key: bytes, what: int | str) -> bytes:
        return lock(key, 0, f"vault {name} {what}".encode(), text)

    def _unwrapped(self, wrapped: Any, name: str, key: bytes, what: int | str) -> bytes:
        return unlock(key, wrapped if isinstance(wrapped, bytes) else b"", f"vault {name} {what}".encode())

    def _value(self, statement: str, values: tuple[int | str, ...] = ()) -> Any:
        return self._opened().execute(statement, values).get

    def _opened(self) -> Connection:
        if self._connection is None:
            raise StoreError("the vault is closed")
        return self._connection

    @contextmanager
    def _writing(self) -> Generator[tuple[Connection, str, bytes]]:
        """One transaction, with the key that its rows are wrapped under. It is durable when this ends without an error."""
        if not self._writable:
            raise StoreReadOnly("the vault was opened to be looked at")
        connection = self._opened()
        with _ours():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection, *self._key()
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


def _numbers(text: str) -> tuple[int, ...]:
    """The keys of a part, as the list of the vault has them."""
    return keys_in(msgspec.json.decode(text, type=dict[str, str]))


@contextmanager
def _ours() -> Generator[None]:
    try:
        yield
    except (apsw.Error, UnicodeDecodeError) as error:
        raise meaning(error) from error
