"""Sealing what an earlier version left in the clear, when a store is opened with its vault.

1. The vault is the one that the store knows, or the store learns which it is. *A crash before leaves a vault without use.*
2. Rows are sealed some at a time, each group in a transaction of its own. *A crash leaves the rest to the next opening.*
3. The file is written anew and its write-ahead log emptied, so that no freed page keeps what stood there; then it is noted
   that nothing is left. *A crash before that does this step again.*

Other processes may work meanwhile: they seal what they write.
"""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import apsw
import msgspec

from interlock.adapters.filing import cut, filed, record_of
from interlock.adapters.sqlite import statements as sql
from interlock.adapters.sqlite.connection import Connection
from interlock.adapters.sqlite.opening import Patience, connect
from interlock.adapters.sqlite.statements import place_of
from interlock.adapters.sqlite.veil import Place, Veil, has_private, key_of
from interlock.domain import dsse
from interlock.domain.action import Action
from interlock.domain.control import Control, Stop, words_of
from interlock.domain.dsse import DsseError
from interlock.domain.errors import KeyFileError
from interlock.domain.ids import BrakeId
from interlock.domain.publication import Publication
from interlock.domain.task import Task
from interlock.domain.unwind import Unwind
from interlock.ports.vault import Vault

_ANYTHING: Final = "SELECT 1 FROM action UNION ALL SELECT 1 FROM document UNION ALL SELECT 1 FROM entry LIMIT 1"

ROWS: Final = 200
"""So many rows are sealed in one transaction: others wait for no longer than these take."""


def sweep(path: Path, tenant: int, veil: Veil, *, busy_ms: int) -> None:
    """Bind store and vault together, and seal what is not. Raises KeyFileError and apsw.Error."""
    connection = connect(path, Patience(busy_ms))
    try:
        known: str | None = connection.execute(sql.VAULT, (tenant,)).get
        if veil.vault is None:
            if known is not None:
                raise KeyFileError(f"what is private in `{path}` is sealed, and no vault was given to open it with")
            return
        vault = veil.vault.begin(known)
        if known is None:
            with _transaction(connection):
                if connection.execute(sql.VAULT, (tenant,)).get is None:
                    connection.execute(sql.SET_VAULT, (vault, tenant))
            veil.vault.begin(connection.execute(sql.VAULT, (tenant,)).get)
        if connection.execute(sql.SWEPT, (tenant,)).get:
            return
        connection.pragma("secure_delete", 1)
        if connection.execute(_ANYTHING).get:
            _Sweeper(connection, tenant, veil, veil.vault).all()
            connection.execute("VACUUM")
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        with _transaction(connection):
            connection.execute(sql.SET_SWEPT, (tenant,))
    finally:
        connection.close()


class _Sweeper:
    """One pass over the rows of a tenant."""

    def __init__(self, connection: Connection, tenant: int, veil: Veil, vault: Vault) -> None:
        self._connection = connection
        self._tenant = tenant
        self._veil = veil
        self._vault = vault

    def all(self) -> None:
        """Seal everything."""
        self._repeat(self._actions, 0)
        for kind in (Task, Publication, Unwind):
            self._repeat(partial(self._documents, kind), "")
        self._repeat(self._entries, -1)
        with _transaction(self._connection):
            self._brakes()

    def _repeat(self, some: "Callable[[int | str], int | str | None]", after: int | str) -> None:
        """Call `some` with the last row it did, until there is none."""
        last: int | str | None = after
        while last is not None:
            with _transaction(self._connection):
                last = some(last)

    def _actions(self, after: int | str) -> int | None:
        last = None
        rows = self._connection.execute(sql.CLEAR_ACTIONS, (after, self._tenant, ROWS)).fetchall()
        for rowid, key, _agent, body in rows:
            last = rowid
            action = record_of(Action, body, key)
            if action.withheld:
                continue
            place = (Action.kind, key)
            public, sealed = self._veil.clear(self._vault, cut(action), place, self._number(place))
            marks = (
                self._veil.key_column(action.agent, action.idempotency_key),
                self._veil.fingerprint_column(action.fingerprint),
            )
            self._connection.execute(sql.VEIL_ACTION, (public, sealed, *marks, self._tenant, key))
        return last

    def _documents(self, kind: type[Task | Publication | Unwind], after: int | str) -> str | None:
        last = None
        rows = self._connection.execute(sql.CLEAR_DOCUMENTS, (after, self._tenant, kind.kind, ROWS)).fetchall()
        for key, body in rows:
            last = key
            record = record_of(kind, body, key)
            if record.withheld:
                continue
            place = (kind.kind, key)
            public, sealed = self._veil.clear(self._vault, cut(record), place, self._number(place))
            self._connection.execute(sql.VEIL_DOCUMENT, (public, sealed, self._tenant, *place))
        return last

    def _brakes(self) -> None:
        """Take words of people out of the standing orders, into records of their own. Their revision rises, so that no
        process goes on with what it read before."""
        place = (Control.kind, "control")
        row = self._connection.execute(sql.DOCUMENT_ROW, (self._tenant, *place)).fetchone()
        control = None if row is None else record_of(Control, row[0], "control")
        if control is None or not any(each.why or each.by for each in control.stops):
            return
        stops: list[Stop] = []
        for stop in control.stops:
            if not stop.words:
                named = msgspec.structs.replace(stop, words=BrakeId(os.urandom(16).hex()), why="", by="")
                words = filed(words_of(named, why=stop.why, by=stop.by))
                added = (self._tenant, words.kind, words.key, *self._veil.row(words, None))
                self._connection.execute(sql.ADD_DOCUMENT, added)
                stops.append(named)
            else:
                stops.append(stop)
        after = filed(msgspec.structs.replace(control, stops=tuple(stops)))
        saved = (after.revision + 1, after.body, None, self._tenant, *place, after.revision)
        self._connection.execute(sql.SAVE_DOCUMENT, saved)

    def _entries(self, after: int | str) -> int | None:
        last = None
        within = (place_of(self._tenant, 0), place_of(self._tenant + 1, 0))
        rows = self._connection.execute(sql.CLEAR_ENTRIES, (after, *within, ROWS)).fetchall()
        for at, action, leaf, leaf_hash, disclosed in rows:
            last = at
            about = (Action.kind, action) if action is not None else _about(leaf)
            number = self._vault.fresh() if about is None else self._number(about)
            sealed = self._veil.entry(leaf_hash, tuple(disclosed.split("\n")), number)[1]
            self._connection.execute(sql.VEIL_ENTRY, (sealed, at))
        return last

    def _number(self, place: Place) -> int:
        """The number of the key for everything about a record, its row's where that is sealed already."""
        known = self._veil.known(place)
        if known is not None:
            return known
        kind, key = place
        if kind == Action.kind:
            number = key_of(self._connection.execute(sql.ACTION_SEALED, (self._tenant, key)).get)
        else:
            number = key_of(self._connection.execute(sql.DOCUMENT_SEALED, (self._tenant, kind, key)).get)
        number = self._vault.fresh() if number is None else number
        self._veil.remember(place, number)
        return number


class _Subject(msgspec.Struct, frozen=True):
    name: str


class _Statement(msgspec.Struct, frozen=True):
    subject: tuple[_Subject, ...]


_statement: Final = msgspec.json.Decoder(_Statement)


def _about(leaf: bytes) -> Place | None:
    """The record that an entry is about, if it is of a kind that has something private."""
    try:
        name = _statement.decode(dsse.parse(leaf).payload).subject[0].name
    except (DsseError, msgspec.DecodeError, UnicodeDecodeError, IndexError):
        return None
    _, _, kind, key = f"{name}:::".split(":", 3)
    return (kind, key.rstrip(":")) if has_private(kind) else None


@contextmanager
def _transaction(connection: Connection) -> Generator[None]:
    connection.execute(sql.BEGIN)
    try:
        yield
        connection.execute(sql.COMMIT)
    finally:
        if connection.in_transaction:
            connection.execute(sql.ROLLBACK)
