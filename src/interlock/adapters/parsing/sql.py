"""SQL taken apart by sqlglot, with the doubtful left out.

sqlglot passes over what it does not know: an unknown statement becomes a `Command` whose text runs to the next semicolon,
wherever that is. Here statements are split by ourselves, each is known by its first word, and those that carry data are
read whole or not at all. Reading is bounded by the steps of the parser, so that the same text always ends alike.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.parser import Parser
from sqlglot.parsers.mysql import MySQLParser
from sqlglot.parsers.postgres import PostgresParser
from sqlglot.parsers.sqlite import SQLiteParser
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

from interlock.adapters.parsing.plain_sql import must_be_plain
from interlock.adapters.parsing.sql_tables import tables_in
from interlock.domain.parse import SqlDialect
from interlock.domain.parsing import Unreadable

MAX_STEPS: Final = 200_000
"""How often the parser may move, forwards or back. A statement of a thousand words takes a few thousand."""

_READ: Final = frozenset({"SELECT", "WITH", "VALUES", "INSERT", "UPDATE", "DELETE", "MERGE"})
"""Statements whose kinds are told by all of their text."""

_KINDS: Final[dict[str, str]] = {
    "TABLE": "select",
    "CREATE": "create",
    "ALTER": "alter",
    "RENAME": "alter",
    "COMMENT": "alter",
    "DROP": "drop",
    "TRUNCATE": "truncate",
    "GRANT": "grant",
    "REVOKE": "revoke",
    "COPY": "copy",
    "CALL": "call",
    "EXEC": "call",
    "EXECUTE": "call",
    "LOCK": "lock",
    "UNLOCK": "lock",
    "SET": "set",
    "RESET": "set",
    "SHOW": "show",
    "BEGIN": "transaction",
    "COMMIT": "transaction",
    "END": "transaction",
    "ROLLBACK": "transaction",
    "ABORT": "transaction",
    "SAVEPOINT": "transaction",
    "RELEASE": "transaction",
    **dict.fromkeys(
        "ANALYZE ATTACH CHECKPOINT CLOSE CLUSTER DEALLOCATE DECLARE DESC DESCRIBE DETACH DISCARD DO EXPLAIN FETCH FLUSH "  # noqa: SIM905 - reads better
        "HANDLER IMPORT KILL LISTEN LOAD MOVE NOTIFY OPTIMIZE PRAGMA PREPARE REASSIGN REFRESH REINDEX SECURITY START STOP "
        "UNLISTEN USE VACUUM".split(),
        "other",
    ),
}
"""Statements that are known by their first word."""

_BEGINS: Final = frozenset(
    "BEGIN TRANSACTION WORK DEFERRED IMMEDIATE EXCLUSIVE ISOLATION LEVEL READ WRITE ONLY COMMITTED UNCOMMITTED REPEATABLE "  # noqa: SIM905 - reads better
    "SERIALIZABLE NOT DEFERRABLE ,".split()
)
_DEFINES: Final = ("create", "alter", "drop", "truncate")
_ACTS: Final = {
    TokenType.INSERT: "insert",
    TokenType.UPDATE: "update",
    TokenType.DELETE: "delete",
    TokenType.MERGE: "merge",
}
_TREES: Final[tuple[tuple[type[exp.Expr], str], ...]] = (
    (exp.Insert, "insert"),
    (exp.Update, "update"),
    (exp.Delete, "delete"),
    (exp.Merge, "merge"),
    (exp.Lock, "lock"),
)


class _Counting(Parser):
    """A parser that gives up."""

    _steps = 0

    def _advance(self, times: int = 1) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise Unreadable("it is too intricate to be read")
        super()._advance(times)

    def _warn_unsupported(self) -> None:
        # sqlglot would write the statement into the log: it may be somebody's data.
        raise Unreadable("it is no SQL that can be read")


class _Postgres(_Counting, PostgresParser):
    pass


class _MySql(_Counting, MySQLParser):
    pass


class _Sqlite(_Counting, SQLiteParser):
    pass


_PARSERS: Final[dict[SqlDialect, type[Parser]]] = {"postgres": _Postgres, "mysql": _MySql, "sqlite": _Sqlite}


class Sql:
    """Reads the three dialects."""

    def statements(self, text: str, dialect: SqlDialect) -> list[str]:
        """The kinds of the statements in `text`, sorted. Raises Unreadable."""
        found: set[str] = set()
        for chunk in _chunks(text, dialect):
            word = _word(chunk)
            if word == "REPLACE":
                _tree(chunk, text, dialect)
                found |= {"insert", "delete"}
            elif word in _READ:
                found |= set(_acts(_tree(chunk, text, dialect), dialect)) | _beside(chunk)
            elif word in _KINDS:
                # `COPY (DELETE ...) TO`, and whatever else takes a statement in parentheses.
                found |= {_kind(word, chunk)} | _beside(chunk)
            else:
                raise Unreadable("a statement that is not known")
        return sorted(found)

    def tables(self, text: str, dialect: SqlDialect) -> list[str]:
        """The tables that the statements in `text` name, sorted. Raises Unreadable."""
        found: set[str] = set()
        for chunk in _chunks(text, dialect):
            word = _word(chunk)
            kind = _kind(word, chunk) if word in _KINDS else ""
            if kind == "transaction":
                continue
            if word not in _READ and word != "REPLACE" and kind not in _DEFINES:
                raise Unreadable("a statement that does not say which tables it touches")
            found |= set(tables_in(_tree(chunk, text, dialect), dialect))
        return sorted(found)


def _chunks(text: str, dialect: SqlDialect) -> Iterator[list[Token]]:
    """The statements of `text`, each as its tokens, at least one."""
    must_be_plain(text, dialect)
    chunk, some = list[Token](), False
    for token in [*_tokens(text, dialect), Token(TokenType.SEMICOLON, ";")]:
        if token.token_type != TokenType.SEMICOLON:
            chunk.append(token)
        elif chunk:
            yield chunk
            chunk, some = [], True
    if not some:
        raise Unreadable("there is no statement in it")


def _tokens(text: str, dialect: SqlDialect) -> list[Token]:
    known = _known(dialect)

    class Plain(known.tokenizer_class):  # type: ignore[name-defined,misc] # each dialect brings its own
        # As a command, whatever follows up to a semicolon would be one token, strings and comments and all.
        COMMANDS: Final = frozenset[TokenType]()

    try:
        tokenizer: Tokenizer = Plain(dialect=known)
        return tokenizer.tokenize(text)
    except SqlglotError:
        raise Unreadable("it is no SQL that can be read") from None


def _known(dialect: SqlDialect) -> Dialect:
    found = Dialect.get_or_raise(dialect)
    # Or else a path that is none is written into the log.
    found.STRICT_JSON_PATH_SYNTAX = False  # pyright: ignore[reportAttributeAccessIssue]  untyped there, so taken for `True`
    return found


def _word(chunk: list[Token]) -> str:
    """The first word of a statement, behind opening parentheses."""
    for token in chunk:
        if token.token_type != TokenType.L_PAREN:
            quoted = token.token_type in (TokenType.STRING, TokenType.IDENTIFIER)
            return "" if quoted else token.text.upper().partition(" ")[0]
    return ""


def _kind(word: str, chunk: list[Token]) -> str:
    following = chunk[1].text.upper() if len(chunk) > 1 else ""
    if (word == "BEGIN" and not _begins(chunk)) or (word, following) == ("SET", "STATEMENT"):
        # MariaDB: a whole program, or a statement of any kind behind a setting.
        raise Unreadable("a statement that begins another")
    if word == "START" and following == "TRANSACTION":
        return "transaction"
    if word == "LOAD" and following in ("DATA", "XML"):
        return "copy"
    return _KINDS[word]


def _begins(chunk: list[Token]) -> bool:
    """Whether it begins a transaction and nothing else."""
    return all(token.text.upper() in _BEGINS for token in chunk)


def _tree(chunk: list[Token], text: str, dialect: SqlDialect) -> exp.Expr:
    """One statement as sqlglot understands it, if it understands all of it."""
    if _word(chunk) == "REPLACE":
        first = chunk[0]
        chunk = [Token(TokenType.INSERT, "INSERT", first.line, first.col, first.start, first.end), *chunk[1:]]
    parser = _PARSERS[dialect](error_level=ErrorLevel.IMMEDIATE, dialect=_known(dialect))
    try:
        trees = parser.parse(chunk, text)
        tree = trees[0] if len(trees) == 1 else None
        if tree is None or tree.find(exp.Command) is not None:
            raise Unreadable("it is no SQL that can be read")
    except (SqlglotError, RecursionError, ValueError, AttributeError, TypeError, IndexError, KeyError) as error:
        # sqlglot's own slips on odd text are no reason for ours.
        raise error if isinstance(error, Unreadable) else Unreadable("it is no SQL that can be read") from None
    return tree


def _acts(tree: exp.Expr, dialect: SqlDialect) -> Iterator[str]:
    """The kinds of a statement that carries data, with those of statements inside it."""
    if isinstance(tree, exp.Query | exp.Values):
        yield "select"
    elif not isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Merge):
        raise Unreadable("it is no SQL that can be read")
    for node in tree.walk():
        yield from (kind for shape, kind in _TREES if isinstance(node, shape))
        if isinstance(node, exp.Into):
            # A new table in PostgreSQL, a file or a variable in MySQL.
            yield "create" if dialect == "postgres" else "other"
        if isinstance(node, exp.OnConflict) and "NOTHING" not in str(node.args.get("action")).upper():
            yield "update"
        if isinstance(node, exp.Insert) and (node.args.get("alternative") or node.args.get("overwrite")):
            yield "delete"


def _beside(chunk: list[Token]) -> set[str]:
    """Kinds by the words alone: a statement in parentheses is found whatever the tree makes of it."""
    return {
        _ACTS[each.token_type]
        for before, each in pairwise(chunk)
        if before.token_type == TokenType.L_PAREN and each.token_type in _ACTS
    }
