"""What the payment service knows and does, without HTTP: each request is one transaction in its own database.

Charges and refunds honour an idempotency key: the same key with the same body gets the first answer, whatever happened in
between, and with another body 422. Mail honours nothing: each request is one more mail.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec

from interlock_demo.world.db import now_ms, number, reading, writing


class Refused(Exception):
    """The request was understood and declined; nothing happened. `status` is the HTTP status."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class ChargeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """POST /charges."""

    order_id: str
    amount_minor: int
    currency: str


class VoidRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """POST /charges/void."""

    charge_id: str


class RefundRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """POST /refunds."""

    order_id: str
    return_id: str
    amount_minor: int
    currency: str


class CancelRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """POST /refunds/cancel."""

    refund_id: str


class MailRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """POST /mail."""

    recipient: str
    subject: str
    body: str


class Reply(msgspec.Struct, frozen=True):
    """An HTTP status and a JSON body, and whether this very request changed anything."""

    status: int
    body: bytes
    effect: bool = False


Effect = Callable[[sqlite3.Connection, str, bytes], dict[str, object]]


def keyed(db: Path, path: str, key: str, body: bytes) -> Reply:
    """Answer a request under its idempotency key. The effect and the remembered answer are one transaction."""
    effect = EFFECTS[path]
    with writing(db) as conn:
        row = conn.execute("SELECT path, body, status, answer FROM answers WHERE key = ?", (key,)).fetchone()
        if row is not None:
            if (row["path"], row["body"]) != (path, body.decode()):
                return _error(422, f"the key `{key}` was used before for another request")
            return Reply(row["status"], row["answer"].encode())
        try:
            reply = Reply(201, msgspec.json.encode(effect(conn, key, body)), effect=True)
        except Refused as refusal:
            reply = _error(refusal.status, str(refusal))
        row = (key, path, body.decode(), reply.status, reply.body.decode())
        conn.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", row)
    return reply


def mail(db: Path, body: bytes) -> Reply:
    """Send one more mail."""
    request = msgspec.json.decode(body, type=MailRequest)
    with writing(db) as conn:
        mail_id = number(conn, "mails", "ml_", 6)
        row = (mail_id, request.recipient, request.subject, request.body, now_ms())
        conn.execute("INSERT INTO mails VALUES (?, ?, ?, ?, ?)", row)
    return Reply(202, msgspec.json.encode({"mail_id": mail_id}), effect=True)


def find(db: Path, path: str, key: str) -> Reply:
    """The answer given under `key`, or 404. A 404 says nothing about a request still on its way."""
    with reading(db) as conn:
        row = conn.execute("SELECT status, answer FROM answers WHERE key = ? AND path = ?", (key, path)).fetchone()
    if row is None or row["status"] != 201:
        return _error(404, f"nothing happened under the key `{key}`")
    return Reply(200, row["answer"].encode())


def count_call(db: Path, path: str, key: str) -> None:
    """Note that a call arrived, before anything else is done about it."""
    with writing(db) as conn:
        conn.execute("INSERT INTO calls (path, key, called_at) VALUES (?, ?, ?)", (path, key, now_ms()))


def figures(db: Path) -> dict[str, int]:
    """How many calls arrived and how many effects there were, by kind."""
    tables = {"charges": "/charges", "refunds": "/refunds", "mails": "/mail"}
    with reading(db) as conn:
        counts: dict[str, int] = {}
        for table, path in tables.items():
            (counts[table],) = conn.execute(f"SELECT count(*) FROM {table}").fetchone()
            (counts[f"{table}_calls"],) = conn.execute("SELECT count(*) FROM calls WHERE path = ?", (path,)).fetchone()
    return counts


def _error(status: int, words: str) -> Reply:
    return Reply(status, msgspec.json.encode({"error": words}))


def _charge(conn: sqlite3.Connection, key: str, body: bytes) -> dict[str, object]:
    request = msgspec.json.decode(body, type=ChargeRequest)
    if request.amount_minor <= 0:
        raise Refused(400, "a charge is more than nothing")
    charge_id = number(conn, "charges", "ch_", 6)
    row = (charge_id, key, request.order_id, request.amount_minor, request.currency, "taken", now_ms())
    conn.execute("INSERT INTO charges VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return {"charge_id": charge_id, "order_id": request.order_id, "amount_minor": request.amount_minor}


def _void(conn: sqlite3.Connection, _key: str, body: bytes) -> dict[str, object]:
    request = msgspec.json.decode(body, type=VoidRequest)
    row = conn.execute("SELECT * FROM charges WHERE charge_id = ?", (request.charge_id,)).fetchone()
    if row is None or row["status"] != "taken":
        raise Refused(409, f"there is no charge `{request.charge_id}` to void")
    conn.execute("UPDATE charges SET status = 'voided' WHERE charge_id = ?", (request.charge_id,))
    return {"charge_id": request.charge_id, "order_id": row["order_id"], "amount_minor": row["amount_minor"]}


def _refund(conn: sqlite3.Connection, key: str, body: bytes) -> dict[str, object]:
    request = msgspec.json.decode(body, type=RefundRequest)
    if request.amount_minor <= 0:
        raise Refused(400, "a refund is more than nothing")
    (taken,) = conn.execute(
        "SELECT coalesce(sum(amount_minor), 0) FROM charges WHERE order_id = ? AND status = 'taken' AND currency = ?",
        (request.order_id, request.currency),
    ).fetchone()
    (given,) = conn.execute(
        "SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE order_id = ? AND status = 'issued'",
        (request.order_id,),
    ).fetchone()
    if given + request.amount_minor > taken:
        raise Refused(409, f"`{request.order_id}` was charged {taken}, and {given} of that has gone back already")
    refund_id = number(conn, "refunds", "re_", 6)
    row = (
        refund_id,
        key,
        request.order_id,
        request.return_id,
        request.amount_minor,
        request.currency,
        "issued",
        now_ms(),
    )
    conn.execute("INSERT INTO refunds VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    return _refund_answer(conn, refund_id)


def _cancel(conn: sqlite3.Connection, _key: str, body: bytes) -> dict[str, object]:
    request = msgspec.json.decode(body, type=CancelRequest)
    row = conn.execute("SELECT * FROM refunds WHERE refund_id = ?", (request.refund_id,)).fetchone()
    if row is None or row["status"] != "issued":
        raise Refused(409, f"there is no refund `{request.refund_id}` to cancel")
    conn.execute("UPDATE refunds SET status = 'cancelled' WHERE refund_id = ?", (request.refund_id,))
    return _refund_answer(conn, request.refund_id)


def _refund_answer(conn: sqlite3.Connection, refund_id: str) -> dict[str, object]:
    row = conn.execute(
        "SELECT refund_id, order_id, return_id, amount_minor FROM refunds WHERE refund_id = ?", (refund_id,)
    ).fetchone()
    return dict(row)


EFFECTS: dict[str, Effect] = {
    "/charges": _charge,
    "/charges/void": _void,
    "/refunds": _refund,
    "/refunds/cancel": _cancel,
}
