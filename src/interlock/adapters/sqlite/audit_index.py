"""The index over the log in an SQLite file of its own, beside the store.

Words stand in it as keyed digests (BLAKE2b, 128 bits) under a random key of this file: who steals the file alone can search it
for a name, and read none out of it. A word has its actions in the order in which they began, so that the question with the
rarest word is answered by walking that word's list backwards and looking into the others.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final, cast

import apsw

from interlock.adapters.sqlite.connection import Connection, Value
from interlock.adapters.sqlite.derived import Derived
from interlock.domain.card import PRIVATE, Card, Question, Word
from interlock.domain.errors import Conflict
from interlock.domain.evidence import ms_of
from interlock.domain.ids import ActionId
from interlock.ports.derived import Reached

KNOWN: Final = 100_000
"""So many words are kept at hand while entries are taken."""
_LAST: Final = 2**62


class AuditIndex(Derived):
    """See `ports.index.Index`."""

    VERSION = 2
    """2: what is unusual is a word."""
    APPLICATION_ID = 0x696E7461
    """`inta`."""
    SCHEMA = """
CREATE TABLE word (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, count INTEGER NOT NULL DEFAULT 0);
CREATE TABLE action (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, state TEXT NOT NULL);
CREATE TABLE posting (word INTEGER, at INTEGER, num INTEGER, PRIMARY KEY (word, at, num)) WITHOUT ROWID;
CREATE TABLE private (num INTEGER, word INTEGER, PRIMARY KEY (num, word)) WITHOUT ROWID;
"""
    TABLES = ("posting", "private", "action", "word")

    def __init__(self, connection: Connection, path: Path | None) -> None:
        super().__init__(connection, path)
        self._words: dict[bytes, int] = {}

    async def take(
        self, cards: Sequence[Card], *, given: Reached, now: Reached, erased: Sequence[ActionId] = ()
    ) -> bool:
        """See `Index.take`."""
        return await self._run(lambda: self._take(cards, given, now, erased))

    async def find(self, question: Question, reached: int = 0) -> list[ActionId]:
        """See `Index.find`."""
        return await self._run(lambda: self._find_in(question, reached))

    # -- one thread at a time -------------------------------------------------------------------------------------------

    def _take(self, cards: Sequence[Card], given: Reached, now: Reached, erased: Sequence[ActionId]) -> bool:
        def work() -> None:
            for card in cards:
                self._add(card)
            self._forget(erased)

        taken = self._step(given, now, work)
        if taken and erased:
            self._sweep()
        return taken

    def _forgotten(self) -> None:
        self._words.clear()

    def _add(self, card: Card) -> None:
        run = self._connection.execute
        row = run("SELECT num, at, state FROM action WHERE id = ?", (card.action,)).fetchone()
        if row is None:
            at = ms_of(card.at)
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
        if question.before is not None:
            states += " AND (p.at, p.num) < (SELECT at, num FROM action WHERE id = ?)"
            values.append(question.before)
        found = self._connection.execute(
            f"SELECT a.id FROM posting p{joins} CROSS JOIN action a ON a.num = p.num "  # noqa: S608  only marks are put in
            f"WHERE p.word = ? AND p.at >= ? AND p.at < ?{states} ORDER BY p.at DESC, p.num DESC LIMIT ?",
            (*values, question.limit),
        )
        return [row[0] for row in found]

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
