"""The index over the log in an SQLite file of its own, beside the store.

Words stand in it as keyed digests (BLAKE2b, 128 bits) under a random key of this file: who steals the file alone can search it
for a name, and read none out of it. A word has its actions in the order in which they began, so that the question with the
rarest word is answered by walking that word's list backwards and looking into the others.

It is not evidence and not durable to the last commit: what is lost is read from the log again. A file of another version,
or a damaged one, is thrown away.
"""

import contextlib
import os
import secrets
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar, cast

import anyio.to_thread
import apsw

from interlock.adapters.sqlite.connection import Connection, Value
from interlock.adapters.sqlite.failures import meaning
from interlock.domain.card import PRIVATE, Card, Question, Word
from interlock.domain.errors import Conflict, StoreBusy, StoreCorrupt, StoreError, StoreFull
from interlock.domain.ids import ActionId
from interlock.ports.index import Reached

T = TypeVar("T")

VERSION: Final = 2
"""2: what is unusual is a word."""
APPLICATION_ID: Final = 0x696E7461
"""`inta` in the file's header."""
BUSY_MS: Final = 10_000
KNOWN: Final = 100_000
"""So many words are kept at hand while entries are taken."""
_LAST: Final = 2**62

_SCHEMA: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE word (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, count INTEGER NOT NULL DEFAULT 0);
CREATE TABLE action (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, state TEXT NOT NULL);
CREATE TABLE posting (word INTEGER, at INTEGER, num INTEGER, PRIMARY KEY (word, at, num)) WITHOUT ROWID;
CREATE TABLE private (num INTEGER, word INTEGER, PRIMARY KEY (num, word)) WITHOUT ROWID;
"""


class AuditIndex:
    """One connection, used by one thread at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = Lock()
        self._closed = False
        self._words: dict[bytes, int] = {}
        self._key = b""
        self._version = 0
        """Of the file when words and key were last read: another one where another process wrote since."""

    @classmethod
    def open(cls, path: Path | None) -> "AuditIndex":
        """The index in the file at `path`, made where there is none; None keeps it in memory. Raises StoreError."""
        for last in (False, True):
            try:
                return cls._opened(path)
            except (StoreBusy, StoreFull):
                raise  # it is in use, or there is no room: that is no reason to throw it away
            except StoreError:
                if last or path is None:
                    raise
                discard(path)
        raise AssertionError("the second attempt returns or raises")

    @classmethod
    def _opened(cls, path: Path | None) -> "AuditIndex":
        with _meant():
            if path is not None:
                with contextlib.suppress(FileExistsError):
                    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            raw = apsw.Connection(":memory:" if path is None else str(path))
            raw.set_busy_timeout(BUSY_MS)
            found = cls(cast(Connection, raw))
            try:
                found._prepare()
            except BaseException:
                raw.close()
                raise
            return found

    async def reached(self) -> Reached:
        """See `Index.reached`."""
        return await self._run(self._reached)

    async def take(
        self, cards: Sequence[Card], *, given: Reached, now: Reached, erased: Sequence[ActionId] = ()
    ) -> bool:
        """See `Index.take`."""
        return await self._run(lambda: self._take(cards, given, now, erased))

    async def find(self, question: Question, reached: int = 0) -> list[ActionId]:
        """See `Index.find`."""
        return await self._run(lambda: self._find_in(question, reached))

    async def forget(self, actions: Sequence[ActionId]) -> None:
        """See `Index.forget`."""
        await self._run(lambda: self._forget_all(actions))

    async def clear(self) -> None:
        """See `Index.clear`."""
        await self._run(self._clear)

    async def close(self) -> None:
        """See `Index.close`."""
        with self._lock:
            if not self._closed:
                self._closed = True
                cast(apsw.Connection, self._connection).close()

    async def _run(self, work: Callable[[], T]) -> T:
        def alone() -> T:
            with self._lock, _meant():
                return work()

        return await anyio.to_thread.run_sync(alone)

    # -- one thread at a time -------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        pragma = self._connection.pragma
        pragma("journal_mode", "wal")
        pragma("synchronous", "normal")
        pragma("secure_delete", 1)
        pragma("trusted_schema", 0)
        pragma("cache_size", -32_768)
        with self._writing():
            if pragma("user_version") == 0 and pragma("application_id") == 0:
                self._connection.execute(_SCHEMA)
                self._connection.execute("INSERT INTO meta VALUES ('key', ?)", (secrets.token_bytes(32),))
                pragma("user_version", VERSION)
                pragma("application_id", APPLICATION_ID)
        if pragma("user_version") != VERSION or pragma("application_id") != APPLICATION_ID:
            raise StoreError("the index is of another version")
        self._read_key()

    def _read_key(self) -> None:
        self._key = cast(bytes, self._connection.execute("SELECT value FROM meta WHERE name = 'key'").get)

    def _look_again(self) -> None:
        """Within a transaction: if another process wrote since, its words may be others, and so may the key of them all."""
        version = cast(int, self._connection.pragma("data_version"))
        if version != self._version:
            self._words.clear()
            self._read_key()
            self._version = version

    @contextmanager
    def _reading(self) -> Generator[None]:
        """One state of the file, whatever others write meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    @contextmanager
    def _writing(self) -> Generator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _reached(self) -> Reached:
        found = self._connection.execute("SELECT name, value FROM meta").fetchall()
        rows: dict[str, Any] = {row[0]: row[1] for row in found}
        return Reached(rows.get("next", 0), rows.get("leaf", b""))

    def _take(self, cards: Sequence[Card], given: Reached, now: Reached, erased: Sequence[ActionId]) -> bool:
        try:
            with self._writing():
                if self._reached() != given:
                    return False
                self._look_again()
                for card in cards:
                    self._add(card)
                self._forget(erased)
                self._note("next", now.next)
                self._note("leaf", now.leaf)
        except BaseException:
            # Words that were made in it are not there.
            self._words.clear()
            raise
        if erased:
            self._sweep()
        return True

    def _add(self, card: Card) -> None:
        run = self._connection.execute
        row = run("SELECT num, at, state FROM action WHERE id = ?", (card.action,)).fetchone()
        if row is None:
            at = _ms(card.at)
            run("INSERT INTO action (id, at, state) VALUES (?, ?, ?)", (card.action, at, card.state))
            num, state = cast(apsw.Connection, self._connection).last_insert_rowid(), ""
        else:
            num, at, state = row
        if card.state and card.state != state:
            if state:
                old = self._word(Word("state", state))
                run("DELETE FROM posting WHERE word = ? AND at = ? AND num = ?", (old, at, num))
                run("UPDATE word SET count = count - 1 WHERE id = ?", (old,))
            if row is not None:
                run("UPDATE action SET state = ? WHERE num = ?", (card.state, num))
            self._post(Word("state", card.state), at, num)
        for word in card.words:
            self._post(word, at, num)

    def _post(self, word: Word, at: int, num: int) -> None:
        run, number = self._connection.execute, self._word(word)
        run("INSERT OR IGNORE INTO posting VALUES (?, ?, ?)", (number, at, num))
        if self._connection.changes():
            run("UPDATE word SET count = count + 1 WHERE id = ?", (number,))
            if word.kind in PRIVATE:
                run("INSERT OR IGNORE INTO private VALUES (?, ?)", (num, number))

    def _digest(self, word: Word) -> bytes:
        return blake2b(f"{word.kind}\0{word.text}".encode(), key=self._key, digest_size=16).digest()

    def _word(self, word: Word) -> int:
        digest = self._digest(word)
        found = self._words.get(digest)
        if found is None:
            run = self._connection.execute
            run("INSERT OR IGNORE INTO word (digest) VALUES (?)", (digest,))
            found = cast(int, run("SELECT id FROM word WHERE digest = ?", (digest,)).get)
            if len(self._words) >= KNOWN:
                self._words.clear()
            self._words[digest] = found
        return found

    def _find_in(self, question: Question, reached: int) -> list[ActionId]:
        with self._reading():
            if self._reached().next < reached:
                raise Conflict("the index was cleared meanwhile", kind="index", key="")
            self._look_again()
            return self._find(question)

    def _find(self, question: Question) -> list[ActionId]:
        wanted = {*question.words, Word("any", "")}
        if len(question.states) == 1:
            wanted.add(Word("state", question.states[0]))
        numbers: list[tuple[int, int]] = []
        for word in wanted:
            row = self._connection.execute(
                "SELECT count, id FROM word WHERE digest = ?", (self._digest(word),)
            ).fetchone()
            if row is None:
                return []
            numbers.append((row[0], row[1]))
        first, *others = [number for _, number in sorted(numbers)]
        # CROSS JOIN keeps the order: the rarest word leads.
        joins = "".join(
            f" CROSS JOIN posting p{n} ON p{n}.word = ? AND p{n}.at = p.at AND p{n}.num = p.num"
            for n in range(len(others))
        )
        values: list[Value] = [*others, first, question.since_at or 0, question.until_at or _LAST]
        states = ""
        if len(question.states) > 1:
            states = f" AND a.state IN ({', '.join('?' * len(question.states))})"
            values += question.states
        found = self._connection.execute(
            f"SELECT a.id FROM posting p{joins} CROSS JOIN action a ON a.num = p.num "  # noqa: S608  only marks are put in
            f"WHERE p.word = ? AND p.at >= ? AND p.at < ?{states} ORDER BY p.at DESC, p.num DESC LIMIT ?",
            (*values, question.limit),
        )
        return [row[0] for row in found]

    def _forget_all(self, actions: Iterable[ActionId]) -> None:
        with self._writing():
            self._forget(actions)
        self._sweep()

    def _forget(self, actions: Iterable[ActionId]) -> None:
        run = self._connection.execute
        for action in actions:
            row = run("SELECT num, at FROM action WHERE id = ?", (action,)).fetchone()
            if row is None:
                continue
            for (word,) in run("SELECT word FROM private WHERE num = ?", (row[0],)).fetchall():
                run("DELETE FROM posting WHERE word = ? AND at = ? AND num = ?", (word, row[1], row[0]))
                run("UPDATE word SET count = count - 1 WHERE id = ?", (word,))
                run("DELETE FROM word WHERE id = ? AND count <= 0", (word,))
            run("DELETE FROM private WHERE num = ?", (row[0],))

    def _sweep(self) -> None:
        """Leave nothing of it in the WAL either."""
        self._words.clear()
        cast(apsw.Connection, self._connection).wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _clear(self) -> None:
        with self._writing():
            for name in ("posting", "private", "action", "word"):
                self._connection.execute(f"DELETE FROM {name}")  # noqa: S608  one of four words
            self._connection.execute("DELETE FROM meta WHERE name IN ('next', 'leaf')")
            self._note("key", secrets.token_bytes(32))
        self._read_key()
        self._words.clear()

    def _note(self, name: str, value: Value) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def discard(path: Path) -> None:
    """Throw the file away, with what belongs to it."""
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        each.unlink(missing_ok=True)


class IndexDamaged(StoreCorrupt):
    """The file of the index, which is no evidence, cannot be read."""

    next = "delete the file that ends in `.audit` beside the store: it is made again from the log"


@contextmanager
def _meant() -> Generator[None]:
    try:
        yield
    except apsw.Error as error:
        found = meaning(error)
        if isinstance(found, StoreCorrupt):
            raise IndexDamaged(f"the index over the log is damaged: {error}") from error
        raise found from error
    except OSError as error:
        raise StoreError(f"the index cannot be made: {error.strerror}") from error


def _ms(text: str) -> int:
    """UTC ms of a time as Statements write it; 0 of what is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0
    return int(moment.replace(microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000
