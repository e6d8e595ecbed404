"""The service desk: orders and returns.

A returned line is owed what the customer paid for it. If the order came under a promotion, the line's share of the discount
is owed as promotional credit, so that sending one thing back does not cost the customer the promotion. With an exchange, the
replacement's present price is taken off the money owed.
"""

from __future__ import annotations

import sqlite3

import msgspec

from interlock_demo.world.db import ShopRefusal, now_ms, number, once, one, reading, writing
from interlock_demo.world.place import Place
from interlock_demo.world.warehouse import move

DAY_MS = 86_400_000


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an order, and what was really paid for it."""

    line_no: int
    sku: str
    quantity: int
    paid_minor: int
    discount_minor: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's order as the desk sees it."""

    order_id: str
    customer_id: str
    customer: str
    email: str
    status: str
    total_minor: int
    days_old: int
    lines: list[Line]


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted return and what the shop owes for it. `replacement_sku` is empty when nothing is exchanged."""

    return_id: str
    order_id: str
    line_no: int
    sku: str
    quantity: int
    replacement_sku: str
    refund_minor: int
    credit_minor: int


def order_of(place: Place, order_id: str) -> Order:
    """An order with its lines and its customer."""
    with reading(place.shop_db) as conn:
        row = conn.execute(
            "SELECT o.*, c.name AS customer, c.email FROM orders o JOIN customers c USING (customer_id) WHERE order_id = ?",
            (order_id,),
        ).fetchone()
        row = one(row, f"the shop has no order `{order_id}`")
        lines = conn.execute(
            "SELECT line_no, sku, quantity, quantity * unit_minor - discount_minor AS paid_minor, discount_minor"
            " FROM order_lines WHERE order_id = ? ORDER BY line_no",
            (order_id,),
        ).fetchall()
    return Order(
        order_id=order_id,
        customer_id=row["customer_id"],
        customer=row["customer"],
        email=row["email"],
        status=row["status"],
        total_minor=row["total_minor"],
        days_old=(now_ms() - row["placed_at"]) // DAY_MS,
        lines=[msgspec.convert(dict(line), Line) for line in lines],
    )


def accept_return(place: Place, order_id: str, line_no: int, reason: str, replacement_sku: str, key: str) -> Return:
    """Take a line of a delivered order back into stock. A line comes back once."""

    def accept() -> Return:
        line = conn.execute(
            "SELECT l.*, status FROM order_lines l JOIN orders USING (order_id) WHERE order_id = ? AND line_no = ?",
            (order_id, line_no),
        ).fetchone()
        line = one(line, f"`{order_id}` has no line {line_no}")
        taken = conn.execute(
            "SELECT 1 FROM returns WHERE order_id = ? AND line_no = ? AND status = 'accepted'", (order_id, line_no)
        ).fetchone()
        if line["status"] != "delivered" or taken is not None:
            raise ShopRefusal(f"line {line_no} of `{order_id}` cannot come back: not delivered, or back already")
        paid = line["quantity"] * line["unit_minor"] - line["discount_minor"]
        refund = paid - _replacement_value(conn, replacement_sku, line["quantity"])
        if refund < 0:
            raise ShopRefusal(f"`{replacement_sku}` is dearer than what came back")
        return_id = number(conn, "returns", "RET-")
        conn.execute(
            "INSERT INTO returns VALUES (?, ?, ?, ?, ?, ?, ?, 'accepted', ?)",
            (return_id, order_id, line_no, reason, replacement_sku or None, refund, line["discount_minor"], now_ms()),
        )
        move(conn, line["sku"], line["quantity"], "return", return_id)
        return find_return(conn, return_id)[0]

    body = {"do": "accept_return", "order_id": order_id, "line_no": line_no, "replacement_sku": replacement_sku}
    with writing(place.shop_db) as conn:
        return once(conn, key, body, Return, accept)


def withdraw_return(place: Place, return_id: str, key: str) -> Return:
    """Undo an accepted return: the goods go back to the customer."""

    def withdraw() -> Return:
        taken, status = find_return(conn, return_id)
        if status != "accepted":
            raise ShopRefusal(f"`{return_id}` is withdrawn already")
        conn.execute("UPDATE returns SET status = 'withdrawn' WHERE return_id = ?", (return_id,))
        move(conn, taken.sku, -taken.quantity, "return_undone", return_id)
        return taken

    with writing(place.shop_db) as conn:
        return once(conn, key, {"do": "withdraw_return", "return_id": return_id}, Return, withdraw)


def return_of(place: Place, return_id: str) -> tuple[Return, str]:
    """A return and its status, `accepted` or `withdrawn`."""
    with reading(place.shop_db) as conn:
        return find_return(conn, return_id)


def _replacement_value(conn: sqlite3.Connection, sku: str, quantity: int) -> int:
    if not sku:
        return 0
    row = conn.execute("SELECT price_minor FROM products WHERE sku = ?", (sku,)).fetchone()
    return int(one(row, f"the shop has no product `{sku}`")["price_minor"]) * quantity


def find_return(conn: sqlite3.Connection, return_id: str) -> tuple[Return, str]:
    """A return and its status, in the caller's transaction."""
    row = conn.execute(
        "SELECT r.*, sku, quantity FROM returns r JOIN order_lines USING (order_id, line_no) WHERE return_id = ?",
        (return_id,),
    ).fetchone()
    row = one(row, f"there is no return `{return_id}`")
    values = dict(row) | {"replacement_sku": row["replacement_sku"] or ""}
    return msgspec.convert(values, Return), row["status"]
