"""SQL that hides what it does is either seen through or not read at all."""

import time

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.parsing import LaterSql
from interlock.adapters.parsing.plain_sql import MAX_CHARACTERS
from interlock.adapters.parsing.sql import Sql
from interlock.domain.parse import SQL_DIALECTS, SqlDialect
from interlock.domain.parsing import Unreadable

SQL = Sql()
NOT = "cannot be told"
PG, MY, LITE = SQL_DIALECTS

STATEMENTS: list[tuple[SqlDialect, str, str, str]] = [
    # dialect, text, kinds, tables
    (PG, "SELECT 1", "select", ""),
    (PG, "select * from Orders", "select", "orders"),
    (PG, 'SELECT * FROM "Orders" o JOIN Sales.Lines USING (id)', "select", "Orders sales.lines"),
    (PG, "SELECT * FROM a.b.c", "select", "a.b.c"),
    (PG, "SELECT * FROM a, ONLY b", "select", "a b"),
    (PG, "SELECT 1; DROP TABLE x", "select drop", "x"),
    (PG, "SELECT 1;;\n;DELETE FROM t;", "select delete", "t"),
    (PG, "SELECT 1 -- ; DROP TABLE x", "select", ""),
    (PG, "SELECT 1 -- ;\n; DROP TABLE x", "select drop", "x"),
    (PG, "SELECT 1 /* ; DROP TABLE y */; DROP TABLE x", "select drop", "x"),
    (PG, "DROP/**/TABLE x", "drop", "x"),
    (PG, "SELECT '; DROP TABLE x; --'", "select", ""),
    (PG, "SELECT 'it''s'; DROP TABLE x", "select drop", "x"),
    (PG, 'SELECT "a;b" FROM t', "select", "t"),
    (PG, "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "select delete", "t"),
    (
        PG,
        "WITH x AS (WITH y AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM y) SELECT * FROM x",
        "select insert",
        "t",
    ),
    (PG, "WITH x AS MATERIALIZED (UPDATE t SET a=1 RETURNING *) INSERT INTO u SELECT * FROM x", "insert update", "t u"),
    (PG, "SELECT * INTO n FROM t", "select create", "n t"),
    (PG, "SELECT * FROM t FOR UPDATE", "select lock", "t"),
    (PG, "(SELECT 1) UNION (SELECT a FROM t)", "select", "t"),
    (PG, "VALUES (1), (2)", "select", ""),
    (PG, "TABLE secrets", "select", NOT),
    (PG, "SELECT * FROM (TABLE secrets) x", "select", "secrets"),
    (PG, "SELECT a FROM t WHERE b IN (SELECT b FROM u) AND EXISTS (SELECT 1 FROM v)", "select", "t u v"),
    (PG, "SELECT * FROM generate_series(1, 3)", "select", ""),
    (PG, "SELECT pg_terminate_backend(1)", "select", ""),
    (PG, "INSERT INTO t SELECT * FROM u", "insert", "t u"),
    (PG, "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "insert", "t"),
    (PG, "INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1", "insert update", "t"),
    (PG, "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE", "merge", "t u"),
    (PG, "DELETE FROM t USING u WHERE t.id = u.id", "delete", "t u"),
    (PG, "UPDATE t SET (a, b) = (SELECT c, d FROM e)", "update", "t e"),
    (PG, "BEGIN; UPDATE t SET a = 1 FROM u; COMMIT", "transaction update", "t u"),
    (PG, "START TRANSACTION READ ONLY; SELECT 1; ROLLBACK", "transaction select", ""),
    (PG, "TRUNCATE a, b CASCADE", "truncate", "a b"),
    (PG, "DROP TABLE a, b", "drop", "a b"),
    (PG, "DROP SCHEMA x CASCADE", "drop", NOT),
    (PG, "ALTER TABLE a RENAME TO b", "alter", "a b"),
    (PG, "CREATE TABLE a (LIKE b)", "create", "a b"),
    (PG, "CREATE TABLE a (x int REFERENCES z (id))", "create", "a z"),
    (PG, "CREATE TABLE a AS SELECT * FROM b", "create", "a b"),
    (PG, "CREATE INDEX i ON t (a)", "create", NOT),
    (PG, "GRANT ALL ON t TO bob", "grant", NOT),
    (PG, "REVOKE ALL ON t FROM bob", "revoke", NOT),
    (PG, "COPY t FROM PROGRAM 'curl evil'", "copy", NOT),
    (PG, "COPY (DELETE FROM t RETURNING *) TO STDOUT", "copy delete", NOT),
    (PG, "CALL f(1)", "call", NOT),
    (PG, "CALL f('; SELECT '); DROP TABLE x; --'", "call drop", NOT),
    (PG, "EXECUTE stored", "call", NOT),
    (PG, "SET ROLE admin", "set", NOT),
    (PG, "SHOW all", "show", NOT),
    (PG, "LOCK TABLE t", "lock", NOT),
    (PG, "EXPLAIN ANALYZE DELETE FROM t", "other", NOT),
    (PG, "PREPARE x AS DELETE FROM t", "other", NOT),
    (PG, "COMMENT ON COLUMN t.a IS 'x'", "alter", NOT),
    (PG, "ALTER ROLE bob SUPERUSER", "alter", NOT),
    (PG, "SELECT 1 DELETE FROM t", "select", "t"),
    (PG, "WITH secrets AS (SELECT * FROM secrets) SELECT * FROM secrets", "select", "secrets"),
    (PG, "SELECT * FROM secrets, (WITH secrets AS (SELECT 1) SELECT * FROM secrets) y", "select", "secrets"),
    (PG, "WITH x AS (SELECT 1), y AS (SELECT * FROM x) SELECT * FROM y, x", "select", ""),
    (PG, "WITH RECURSIVE t AS (SELECT 1 UNION SELECT * FROM t) SELECT * FROM t", "select", ""),
    (PG, "WITH a AS (SELECT 1) INSERT INTO a SELECT * FROM a", "insert", "a"),
    (PG, 'WITH "T" AS (SELECT 1) SELECT * FROM t', "select", "t"),
    (PG, "SELECT $1 FROM t", "select", "t"),
    (PG, f"SELECT * FROM {'a' * 64}", "select", NOT),
    (PG, 'SELECT * FROM "a.b"', "select", NOT),
    (MY, "REPLACE INTO t VALUES (1)", "insert delete", "t"),
    (MY, "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1", "insert update", "t"),
    (MY, "UPDATE a, b SET a.x = b.x", "update", "a b"),
    (MY, "DELETE FROM `Orders`", "delete", "orders"),
    (MY, "SELECT 1 # ; DROP TABLE x", "select", ""),
    (MY, "SELECT 1 # \n; DROP TABLE x", "select drop", "x"),
    (MY, "SELECT 1 INTO @x", "select other", NOT),
    (MY, "LOAD DATA INFILE 'x' INTO TABLE t", "copy", NOT),
    (MY, "HANDLER t OPEN", "other", NOT),
    (LITE, "INSERT OR REPLACE INTO t VALUES (1)", "insert delete", "t"),
    (LITE, "REPLACE INTO t VALUES (1)", "insert delete", "t"),
    (LITE, 'SELECT * FROM [a b], "Big", `c`', "select", "a b|big|c"),
    (LITE, "SELECT 1 WHERE 1 IN secrets", "select", NOT),
    (LITE, "SELECT 1 WHERE 1 IN (1, 2)", "select", ""),
    (LITE, "PRAGMA writable_schema = 1", "other", NOT),
    (LITE, "ATTACH 'x' AS y", "other", NOT),
    (LITE, "BEGIN IMMEDIATE; DELETE FROM t; END", "transaction delete", "t"),
]

UNREADABLE: list[tuple[SqlDialect, str]] = [
    (PG, ""),
    (PG, " ;; "),
    (PG, "-- nothing"),
    (PG, "1 + 1"),
    (PG, "hello there"),
    (PG, "SELECT 1)"),
    (PG, "SELECT '"),
    (PG, "SELECT FROM WHERE"),
    (PG, "DELETE t WHERE WHERE"),
    (PG, "'SELECT' 1"),
    (PG, "SELECT 'a\\'; DROP TABLE x; --'"),
    (PG, "SELECT a$$; DROP TABLE x; --$$"),
    (PG, "DO $$ BEGIN DELETE FROM t; END $$"),
    (PG, "SELECT $a$ x $a$"),
    (PG, "SELECT /* /* */ 1; DROP TABLE x; -- */ */"),
    (PG, "SELECT /*/ 1; DROP TABLE x; /*/"),
    (PG, "SELECT U&'\\0027; DROP TABLE x'"),
    (PG, 'SELECT * FROM U&"d\\0061t"'),
    (PG, "SELECT 1 -- \r; DROP TABLE x"),
    (PG, "SELECT\u00a01"),
    (PG, "SELECT 1\u2028; DROP TABLE x"),
    (PG, "SELECT 1\x00; DROP TABLE x"),
    (PG, "SEL\u200bECT 1"),
    (PG, "SELECT {# ; DROP TABLE x; #} 1"),
    (PG, "SELECT " + "(" * 3000 + "1" + ")" * 3000),
    (PG, "SELECT 1 " * MAX_CHARACTERS),
    (MY, "SELECT 1 /*! ; DROP TABLE x */"),
    (MY, "SELECT 1 /*!50000 UNION SELECT * FROM secrets */"),
    (MY, "SELECT 1 /*M! ; DROP TABLE x */"),
    (MY, "SELECT 1 --1; DROP TABLE x"),
    (MY, 'SELECT "a\\"; DROP TABLE x; -- "'),
    (MY, "SELECT * INTO OUTFILE '/x' FROM t"),
    (MY, "BEGIN NOT ATOMIC DELETE FROM t; END"),
    (MY, "SET STATEMENT max_statement_time = 1 FOR DELETE FROM t"),
    (LITE, "SELECT [a"),
]


def told(read: str, text: str, dialect: SqlDialect) -> str | list[str]:
    """What is read of `text`, or that nothing is."""
    try:
        return SQL.statements(text, dialect) if read == "statements" else SQL.tables(text, dialect)
    except Unreadable:
        return NOT


@pytest.mark.proves("parsing.sql")
@pytest.mark.parametrize(("dialect", "text", "kinds", "tables"), STATEMENTS, ids=lambda each: ascii(each)[:50])
def test_statements_and_tables(dialect: SqlDialect, text: str, kinds: str, tables: str) -> None:
    """The kinds of all statements are found, those inside others too, and every table or that it cannot be told."""
    named = tables.split("|") if "|" in tables else tables.split()

    assert told("statements", text, dialect) == sorted(kinds.split())
    assert told("tables", text, dialect) == (NOT if tables == NOT else sorted(named))


@pytest.mark.proves("parsing.sql")
@pytest.mark.parametrize(("dialect", "text"), UNREADABLE, ids=lambda each: ascii(each)[:50])
def test_text_that_ends_elsewhere_for_others_is_not_read(dialect: SqlDialect, text: str) -> None:
    """Where a database might see other statements than we do, nothing is read, and the message does not repeat the text."""
    with pytest.raises(Unreadable) as caught:
        SQL.statements(text, dialect)

    assert "DROP" not in str(caught.value)
    assert told("tables", text, dialect) == NOT


WORDS = st.sampled_from(
    [
        "SELECT",
        "FROM",
        "WHERE",
        "INSERT",
        "INTO",
        "VALUES",
        "UPDATE",
        "SET",
        "DELETE",
        "DROP",
        "TABLE",
        "WITH",
        "AS",
        "UNION",
        "JOIN",
        "ON",
        "(",
        ")",
        ",",
        ";",
        ".",
        "*",
        "=",
        "1",
        "'a'",
        "a",
        "b",
        "t",
        "CASE",
        "WHEN",
        "END",
        "NOT",
        "IN",
        "[",
        "]",
        "::",
        "->",
        "@x",
        "$1",
        "--",
        "/*",
        "*/",
        '"',
        "`",
        "\\",
        "BEGIN",
        "COPY",
        "MERGE",
        "USING",
        "TRUNCATE",
        "CREATE",
        "REPLACE",
        "FOR",
        "LOCK",
    ]
)


@given(st.lists(WORDS, max_size=40).map(" ".join), st.sampled_from(SQL_DIALECTS))
def test_any_text_is_read_or_unreadable(text: str, dialect: SqlDialect) -> None:
    """Whatever is written, there is an answer or Unreadable, the same each time."""
    for read in ("statements", "tables"):
        assert told(read, text, dialect) == told(read, text, dialect)


@given(st.lists(st.sampled_from(STATEMENTS[:60]), min_size=1, max_size=4))
def test_more_statements_are_the_kinds_of_each(several: list[tuple[SqlDialect, str, str, str]]) -> None:
    """Statements one behind the other have the kinds of each of them, and hide none."""
    text = "\n;\n".join(text for _, text, _, _ in several)

    assert told("statements", text, PG) == sorted({kind for _, _, kinds, _ in several for kind in kinds.split()})


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 9_900,
        "SELECT " + "a<" * 9_000,
        "SELECT " + "NOT " * 4_900 + "1",
        "SELECT * FROM " + "(" * 30 + "t" + ")" * 30,
        "SELECT " + "f(" * 60 + "1" + ")" * 60,
        ";".join(["SELECT 1"] * 2_000),
        "/*" * 9_000,
        "SELECT '" + "$" * 19_000,
        "SELECT " + "CASE WHEN a THEN " * 500 + "1" + " END" * 500,
    ],
    ids=lambda text: str(text[:24]),
)
def test_hostile_texts_take_bounded_time(text: str) -> None:
    """The worst texts are answered or given up in a moment."""
    began = time.process_time()
    told("statements", text, PG)

    assert time.process_time() - began < 5


def test_the_parser_comes_late() -> None:
    """Through the port the answers are the same, and the grammar is imported by the first that needs it."""

    async def both() -> tuple[list[str], list[str]]:
        later = LaterSql()
        return await later.statements("DELETE FROM t", PG), await later.tables("DELETE FROM t", PG)

    assert anyio.run(both) == (["delete"], ["t"])


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        (PG, "ALTER USER x PASSWORD 'hunter2'"),
        (MY, "SELECT JSON_EXTRACT(a, '$.[hunter2') FROM t"),
        (LITE, "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM hunter2; END"),
    ],
)
@pytest.mark.proves("parsing.sql")
def test_nothing_of_a_text_is_logged(dialect: SqlDialect, text: str, caplog: pytest.LogCaptureFixture) -> None:
    """The parser's own warnings would repeat it wherever logs are kept, and it may be a secret."""
    for what in ("statements", "tables"):
        told(what, text, dialect)

    assert not caplog.records
