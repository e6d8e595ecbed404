"""The shop's database: the benchmark's document in a SQLite file, one row a record, exact to the byte.

A *state* is one task's own copy of the shop: what it changed lies over the records everybody shares, so a fresh
state costs nothing. `dump` of an untouched state is the very text the document was loaded from.
Every change runs in one transaction together with the idempotency key it was called with: a second call with the
same key gets the first one's answer.
"""

import json
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import apsw

from bench.tau2 import patch

Doc = dict[str, Any]
"""One record (a user, an order, a product) as the document holds it. Amounts are floats there, so they are here."""

KINDS = ("products", "users", "orders")

_TABLES = """
CREATE TABLE IF NOT EXISTS shared (kind TEXT, key TEXT, place INTEGER, body TEXT NOT NULL, PRIMARY KEY (kind, key));
CREATE TABLE IF NOT EXISTS changed (
    state_key TEXT, kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (state_key, kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS landed (
    idempotency_key TEXT PRIMARY KEY, answer TEXT NOT NULL, undo TEXT NOT NULL
) WITHOUT ROWID;
"""


class Shop:
    """One open database file. Threads take turns on it; processes meet in `BEGIN IMMEDIATE`."""

    def __init__(self, path: Path) -> None:
        self._db = apsw.Connection(str(path))
        self._turn = threading.Lock()
        self._db.set_busy_timeout(10_000)
        self._db.pragma("journal_mode", "wal")
        self._db.pragma("synchronous", "full")
        self._db.execute(_TABLES)

    def load(self, document: dict[str, dict[str, Doc]]) -> None:
        """Make `document` what every state starts from. Only an empty file can be loaded."""
        rows = [
            (kind, key, place, text(record))
            for kind in KINDS
            for place, (key, record) in enumerate(document[kind].items())
        ]
        with self._turn, self._db:
            self._db.executemany("INSERT INTO shared VALUES (?, ?, ?, ?)", rows)

    @contextmanager
    def reading(self, state_key: str) -> Generator["State"]:
        """One consistent look at a state."""
        with self._turn:
            self._db.execute("BEGIN")
            try:
                yield State(self._db, state_key)
            finally:
                self._db.execute("ROLLBACK")

    @contextmanager
    def writing(self, state_key: str) -> Generator["State"]:
        """A look at a state whose changes are kept together, or not at all if the body raises."""
        with self._turn:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield State(self._db, state_key)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def dump(self, state_key: str) -> str:
        """The whole document as `json.dumps(document, indent=4)` would print it, with this state's changes."""
        with self.reading(state_key) as state:
            blocks = [
                f"    {json.dumps(kind)}: {{\n"
                + ",\n".join(f"        {json.dumps(key)}: {_printed(body)}" for key, body in state.bodies(kind))
                + "\n    }"
                for kind in KINDS
            ]
        return "{\n" + ",\n".join(blocks) + "\n}"

    def close(self) -> None:
        """Give the file back."""
        self._db.close()


class State:
    """One state inside one transaction. It remembers what each record was before it was put."""

    def __init__(self, db: apsw.Connection, state_key: str) -> None:
        self._db = db
        self._state_key = state_key
        self._before: dict[tuple[str, str], str] = {}

    def find(self, kind: str, key: str) -> Doc | None:
        """A copy of the record, or None."""
        body = self._body(kind, key)
        return None if body is None else json.loads(body)

    def all(self, kind: str) -> Iterator[Doc]:
        """Every record of a kind, in the document's order."""
        for _, body in self.bodies(kind):
            yield json.loads(body)

    def bodies(self, kind: str) -> Iterator[tuple[str, str]]:
        """Key and text of every record of a kind, in the document's order."""
        yield from self._db.execute(
            "SELECT s.key, coalesce(c.body, s.body) FROM shared s LEFT JOIN changed c"
            " ON c.state_key = ? AND c.kind = s.kind AND c.key = s.key WHERE s.kind = ? ORDER BY s.place",
            (self._state_key, kind),
        )

    def put(self, kind: str, key: str, record: Doc) -> None:
        """Replace a record that exists. New records are nothing this shop knows how to make."""
        body = self._body(kind, key)
        if body is None:
            raise KeyError(key)
        self._before.setdefault((kind, key), body)
        self._db.execute(
            "INSERT INTO changed VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
            (self._state_key, kind, key, text(record)),
        )

    def undo(self) -> str:
        """What `patch.undone` needs to take back everything put so far: JSON text."""
        changes = [
            change
            for (kind, key), before in self._before.items()
            for change in patch.between(kind, key, json.loads(before), self.find(kind, key) or {})
        ]
        return patch.written(changes)

    def landed(self, idempotency_key: str) -> tuple[str, str] | None:
        """The answer and undo text recorded under this key, if the call with it has happened."""
        rows = self._db.execute("SELECT answer, undo FROM landed WHERE idempotency_key = ?", (idempotency_key,))
        return next(iter(rows), None)

    def land(self, idempotency_key: str, answer: str, undo: str) -> None:
        """Record that the call with this key happened, in the same transaction as what it did."""
        self._db.execute("INSERT INTO landed VALUES (?, ?, ?)", (idempotency_key, answer, undo))

    def _body(self, kind: str, key: str) -> str | None:
        rows = self._db.execute(
            "SELECT body FROM changed WHERE state_key = ? AND kind = ? AND key = ?"
            " UNION ALL SELECT body FROM shared WHERE kind = ? AND key = ? LIMIT 1",
            (self._state_key, kind, key, kind, key),
        )
        return next((body for (body,) in rows), None)


def text(value: object) -> str:
    """JSON text as the benchmark writes it: its separators, its escapes, floats by their shortest exact form."""
    return json.dumps(value)


@lru_cache(maxsize=8192)
def _printed(body: str) -> str:
    """A record printed two levels deep. JSON strings hold no raw line break, so every one may be indented."""
    return json.dumps(json.loads(body), indent=4).replace("\n", "\n        ")
