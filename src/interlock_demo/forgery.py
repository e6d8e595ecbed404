"""Somebody who can write to the log's file, knows its tables and has switched off its triggers. For use on copies."""

import hashlib
import json
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

Forgery = Callable[[sqlite3.Connection], str]


def forge(workspace: Path, forgery: Forgery) -> str:
    """Commit `forgery` in the log of `workspace`; what was done, in words."""
    with closing(sqlite3.connect(workspace / ".interlock" / "interlock.db", isolation_level=None)) as conn:
        triggers = [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for trigger in triggers:
            conn.execute(f"DROP TRIGGER {trigger}")
        return forgery(conn)


def other_refund(conn: sqlite3.Connection) -> str:
    """Put what is sealed of one paid refund in the place of another's: neither can be read by who has only the store."""
    rows = conn.execute(
        "SELECT idx, sealed FROM entry WHERE sealed IS NOT NULL AND phase = 'outcome' AND action IN"
        " (SELECT id FROM action WHERE contract = 'refunds.issue' AND state = 'done') ORDER BY idx LIMIT 2"
    ).fetchall()
    if len(rows) < 2:
        raise LookupError("no refunds to forge")
    (first, sealed), (second, other) = rows
    conn.executemany("UPDATE entry SET sealed = ? WHERE idx = ?", ((other, first), (sealed, second)))
    return "what two refunds came to changes places"


def kinder_word(conn: sqlite3.Connection) -> str:
    """Turn a person's no into a yes, inside the signed leaf, and file the leaf under the hash it now has."""
    index, leaf = conn.execute("SELECT idx, leaf FROM entry WHERE phase = 'rejected' ORDER BY idx").fetchone()
    envelope = json.loads(leaf)
    statement = b64decode(envelope["payload"]).replace(b'"verdict":"reject"', b'"verdict":"approve"')
    envelope["payload"] = b64encode(statement).decode()
    forged = json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode()
    leaf_hash = hashlib.sha256(b"\x00" + forged).digest()  # RFC 6962 section 2.1
    conn.execute("UPDATE entry SET leaf = ?, leaf_hash = ? WHERE idx = ?", (forged, leaf_hash, index))
    return "a person's no becomes a yes, filed under its new hash"
