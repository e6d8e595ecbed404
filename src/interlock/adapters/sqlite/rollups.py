"""Figures in an SQLite file of their own, beside the store: sums by hour and day, and a row for each action that is told of.

Agents, contracts, releases and policies stand in it by name, sums in the clear; persons as keyed digests (BLAKE2b, 128 bits)
under a random key of this file. What an action counts for is worked out anew with each of its entries, and the difference is
added to the sums: so they are what they would be if all of it were counted now.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from interlock.adapters.sqlite.connection import Connection, Value
from interlock.adapters.sqlite.derived import Derived
from interlock.adapters.sqlite.naming import Names
from interlock.adapters.sqlite.summing import GRAINS, KNOWN_BAD, SERIES, WENT_WRONG, Step
from interlock.domain.course import Sighting
from interlock.domain.ids import ActionId, ContractName
from interlock.ports.derived import Reached
from interlock.ports.rollups import Grain, Ruled, Series, Spoken, Tallied


class SqliteRollups(Derived):
    """See `ports.rollups.Rollups`."""

    VERSION = 6
    """2: what expired is a case, too. 3: what people ruled is summed by day. 4: items known to be bad are told apart. 5: what
    people said is summed by day, too. 6: how sure agents said they are is held against what people made of it."""
    APPLICATION_ID = 0x696E7466
    """`intf`."""
    SCHEMA = """
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE tally (grain INTEGER, series INTEGER, at INTEGER, name INTEGER, what INTEGER, n INTEGER NOT NULL,
    PRIMARY KEY (grain, series, at, name, what)) WITHOUT ROWID;
CREATE TABLE course (id TEXT PRIMARY KEY, began_at INTEGER, agent INTEGER, release INTEGER, contract INTEGER, task TEXT,
    undoes INTEGER, state TEXT, blocked_by INTEGER, asked_at INTEGER, asked_by INTEGER, ruling TEXT, ruled_at INTEGER,
    modified INTEGER, alike INTEGER, took_ms INTEGER, sure INTEGER) WITHOUT ROWID;
CREATE INDEX course_ruled ON course (contract, ruled_at, asked_by) WHERE ruling IN ('approved', 'rejected', 'expired');
CREATE TABLE asked (day INTEGER, agent INTEGER, contract INTEGER, asked_by INTEGER, ruling TEXT, modified INTEGER,
    error INTEGER, in_vain INTEGER, waited INTEGER, n INTEGER NOT NULL,
    PRIMARY KEY (day, agent, contract, asked_by, ruling, modified, error, in_vain, waited)) WITHOUT ROWID;
CREATE TABLE word (at INTEGER, course TEXT, person BLOB, verdict TEXT, error INTEGER, waited INTEGER);
CREATE INDEX word_course ON word (course);
CREATE TABLE said (day INTEGER, person BLOB, verdict TEXT, error INTEGER, waited INTEGER, n INTEGER NOT NULL,
    PRIMARY KEY (day, person, verdict, error, waited)) WITHOUT ROWID;
CREATE TRIGGER word_said AFTER INSERT ON word BEGIN
    INSERT INTO said VALUES (NEW.at - NEW.at % 86400000, ifnull(NEW.person, x''), NEW.verdict, NEW.error, NEW.waited, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER word_changed AFTER UPDATE ON word BEGIN
    INSERT INTO said VALUES (NEW.at - NEW.at % 86400000, ifnull(NEW.person, x''), NEW.verdict, NEW.error, NEW.waited, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
    UPDATE said SET n = n - 1 WHERE day = OLD.at - OLD.at % 86400000 AND person = ifnull(OLD.person, x'')
        AND verdict = OLD.verdict AND error = OLD.error AND waited = OLD.waited;
    DELETE FROM said WHERE day = OLD.at - OLD.at % 86400000 AND person = ifnull(OLD.person, x'')
        AND verdict = OLD.verdict AND error = OLD.error AND waited = OLD.waited AND n = 0;
END;
CREATE TABLE piece (id TEXT PRIMARY KEY, began_at INTEGER, agent INTEGER, release INTEGER, bad INTEGER) WITHOUT ROWID;
CREATE TABLE streak (contract INTEGER, asked_by INTEGER, n INTEGER, PRIMARY KEY (contract, asked_by)) WITHOUT ROWID;
"""
    TABLES = ("name", "tally", "course", "asked", "word", "said", "piece", "streak")

    def __init__(self, connection: Connection, path: Path | None) -> None:
        super().__init__(connection, path)
        self._names = Names(connection)

    async def take(
        self, seen: Sequence[Sighting], *, given: Reached, now: Reached, erased: Sequence[ActionId] = ()
    ) -> bool:
        """See `Rollups.take`."""
        return await self._run(lambda: self._take(seen, given, now, erased))

    async def tallied(
        self, grain: Grain, series: Series, *, since_at: int, until_at: int, by_time: bool = False
    ) -> list[Tallied]:
        """See `Rollups.tallied`."""
        group = "CAST(at AS TEXT)" if by_time else "n.text"
        statement = (
            f"SELECT {group}, w.text, sum(t.n) FROM tally t JOIN name n ON n.id = t.name JOIN name w ON w.id = t.what"  # noqa: S608  our own words
            " WHERE grain = ? AND series = ? AND at >= ? AND at < ? GROUP BY 1, t.what HAVING sum(t.n) <> 0"
        )
        values = (GRAINS[grain], SERIES[series], since_at, until_at)
        return [Tallied(*row) for row in await self._run(lambda: self._rows(statement, values))]

    async def ruled(self, *, since_at: int, until_at: int) -> list[Ruled]:
        """See `Rollups.ruled`."""

        def work() -> list[Ruled]:
            rows = self._rows(
                "SELECT agent, contract, asked_by, ruling, modified, error, in_vain, nullif(waited, -1), sum(n) FROM asked"
                " WHERE day >= ? AND day < ? GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 HAVING sum(n) <> 0",
                (since_at, until_at),
            )
            text, listed = self._names.text, self._names.listed
            return [
                Ruled(text(row[0]), text(row[1]), listed(row[2]), row[3], *map(bool, row[4:7]), *row[7:])
                for row in rows
            ]

        return await self._run(work)

    async def spoken(self, people: Sequence[str], *, since_at: int, until_at: int) -> list[Spoken]:
        """See `Rollups.spoken`."""

        def work() -> list[Spoken]:
            known = {self._digest(each): each for each in people}
            rows = self._rows(
                "SELECT person, verdict, error, waited, sum(n) FROM said WHERE day >= ? AND day < ?"
                " GROUP BY 1, 2, 3, 4",
                (since_at, until_at),
            )
            return [
                Spoken(known.get(row[0], ""), row[1], row[2] == WENT_WRONG, row[3], row[4], row[2] == KNOWN_BAD)
                for row in rows
            ]

        return await self._run(work)

    async def near(self, contract: ContractName, limit: int) -> list[ActionId]:
        """See `Rollups.near`."""
        statement = (
            "SELECT id FROM course INDEXED BY course_ruled WHERE contract = (SELECT id FROM name WHERE text = ?)"
            " AND ruling IN ('approved', 'rejected', 'expired') ORDER BY ruled_at DESC LIMIT ?"
        )
        rows = await self._run(lambda: self._rows(statement, (contract, limit)))
        return [ActionId(row[0]) for row in rows]

    # -- one thread at a time -------------------------------------------------------------------------------------------

    def _take(self, seen: Sequence[Sighting], given: Reached, now: Reached, erased: Sequence[ActionId]) -> bool:
        def work() -> None:
            Step(self._connection, self._names, self._digest).all(seen)
            self._forget(erased)

        taken = self._step(given, now, work)
        if taken and erased:
            self._sweep()
        return taken

    def _forget(self, actions: Iterable[ActionId]) -> None:
        for action in actions:
            self._connection.execute("UPDATE word SET person = NULL WHERE course = ?", (action,))

    def _forgotten(self) -> None:
        self._names = Names(self._connection)

    def _rows(self, statement: str, values: tuple[Value, ...]) -> list[tuple[Any, ...]]:
        with self._reading():
            self._look_again()
            return self._connection.execute(statement, values).fetchall()

    def _digest(self, person: str) -> bytes:
        return blake2b(person.encode(), key=self._key, digest_size=16).digest()
