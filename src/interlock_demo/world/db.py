"""The shop's database: a connection per call, and every write in one `BEGIN IMMEDIATE` transaction.

Rules: a write happens whole or not at all; a caller's key gets its first answer again; a refusal means nothing happened.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

BUSY_SECONDS = 20.0

Answer = TypeVar("Answer", bound=msgspec.Struct)


class ShopRefusal(Exception):
    """The shop said no, and nothing happened."""


class KeyReused(ShopRefusal):
    """The same key came with another request."""


def now_ms() -> int:
    """The present, UTC milliseconds."""
    return time.time_ns() // 1_000_000


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode: transactions are begun by name, or not at all."""
    conn = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    conn.row_factory = sqlite3.Row
    # The WAL is folded back only when the last connection closes. Many systems carry an SQLite older than 3.51.3, in which
    # a checkpoint beside a writer can, very rarely, lose pages; a shop of one day never needs one.
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "wal_autocheckpoint = 0"):
        conn.execute(f"PRAGMA {pragma}")
    return conn


@contextmanager
def reading(path: Path) -> Generator[sqlite3.Connection, None, None]:
    """One consistent view of the database."""
    with closing(connect(path)) as conn:
        conn.execute("BEGIN")
        yield conn
        conn.execute("COMMIT")


@contextmanager
def writing(path: Path) -> Generator[sqlite3.Connection, None, None]:
    """One transaction: committed if the block ends, undone if it raises or the process dies."""
    with closing(connect(path)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        yield conn  # an exception skips the commit, and closing the connection rolls back
        conn.execute("COMMIT")


def once(
    conn: sqlite3.Connection,
    key: str,
    body: Mapping[str, object],
    answer_type: type[Answer],
    make: Callable[[], Answer],
) -> Answer:
    """The answer `key` got the first time, or the one `make` gives now, recorded in the caller's transaction.

    Raises `KeyReused` when the key came before with another `body`.
    """
    text = msgspec.json.encode(body, order="sorted").decode()
    row = conn.execute("SELECT body, answer FROM answers WHERE key = ?", (key,)).fetchone()
    if row is not None:
        if row["body"] != text:
            raise KeyReused(f"the key `{key}` was used before for another request")
        return msgspec.json.decode(row["answer"], type=answer_type)
    answer = make()
    conn.execute("INSERT INTO answers VALUES (?, ?, ?)", (key, text, msgspec.json.encode(answer).decode()))
    return answer


def number(conn: sqlite3.Connection, table: str, prefix: str, digits: int = 4) -> str:
    """The next document number of `table`, such as `RET-0007`. Rows are never deleted, so counting is enough."""
    (rows,) = conn.execute(f"SELECT count(*) FROM {table}").fetchone()
    return f"{prefix}{rows + 1:0{digits}d}"


def one(row: sqlite3.Row | None, words: str) -> sqlite3.Row:
    """`row`, or a refusal in `words` when there is none."""
    if row is None:
        raise ShopRefusal(words)
    return row
