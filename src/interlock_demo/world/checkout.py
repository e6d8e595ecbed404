"""The shop window and the till: search, and a reservation that becomes an order."""

from __future__ import annotations

import sqlite3

import msgspec

from interlock_demo.world.db import ShopRefusal, now_ms, number, once, one, reading, writing
from interlock_demo.world.place import Place
from interlock_demo.world.warehouse import end_reservation, move, resume_reservation


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A product as a customer sees it; `free` is how many can be bought."""

    sku: str
    name: str
    price_minor: int
    free: int


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """An order of one line, at the price of the moment it was placed."""

    reservation_id: str
    order_id: str
    customer_id: str
    sku: str
    quantity: int
    total_minor: int


def search(place: Place, words: str, limit: int = 10) -> list[Hit]:
    """Products whose name holds every word, cheapest first."""
    wanted = words.split()[:8]
    with reading(place.shop_db) as conn:
        rows = conn.execute(
            "SELECT sku, name, price_minor, on_hand - reserved AS free FROM products JOIN stock USING (sku)"
            f" WHERE {' AND '.join(['instr(lower(name), lower(?))'] * len(wanted)) or '1'} ORDER BY price_minor, sku LIMIT ?",
            (*wanted, limit),
        ).fetchall()
    return [msgspec.convert(dict(row), Hit) for row in rows]


def place_sale(place: Place, reservation_id: str, key: str) -> Sale:
    """Turn a held reservation into an order and take the goods from the shelf. Nothing is charged by this."""

    def sell() -> Sale:
        kept = end_reservation(conn, reservation_id, "bought")
        row = conn.execute(
            "SELECT customer_id, price_minor FROM reservations JOIN products USING (sku) WHERE reservation_id = ?",
            (reservation_id,),
        ).fetchone()
        order_id = number(conn, "orders", "ORD-")
        total = row["price_minor"] * kept.quantity
        conn.execute(
            "INSERT INTO orders VALUES (?, ?, NULL, ?, ?, 0, ?, 'placed', ?)",
            (order_id, row["customer_id"], reservation_id, total, total, now_ms()),
        )
        line = (order_id, kept.sku, kept.quantity, row["price_minor"])
        conn.execute("INSERT INTO order_lines VALUES (?, 1, ?, ?, ?, 0)", line)
        move(conn, kept.sku, -kept.quantity, "sale", order_id)
        return _sale(conn, order_id)[0]

    with writing(place.shop_db) as conn:
        return once(conn, key, {"do": "place_sale", "reservation_id": reservation_id}, Sale, sell)


def cancel_sale(place: Place, order_id: str, key: str) -> Sale:
    """Undo a placed order: the goods are a reservation again. Its charge is voided on its own."""

    def cancel() -> Sale:
        sale, status = _sale(conn, order_id)
        if status != "placed":
            raise ShopRefusal(f"`{order_id}` is {status}: only a placed order can be cancelled")
        conn.execute("UPDATE orders SET status = 'cancelled' WHERE order_id = ?", (order_id,))
        move(conn, sale.sku, sale.quantity, "sale_undone", order_id)
        resume_reservation(conn, sale.reservation_id)
        return sale

    with writing(place.shop_db) as conn:
        return once(conn, key, {"do": "cancel_sale", "order_id": order_id}, Sale, cancel)


def sale_of(place: Place, order_id: str) -> tuple[Sale, str]:
    """An order of today and its status, `placed` or `cancelled`."""
    with reading(place.shop_db) as conn:
        return _sale(conn, order_id)


def _sale(conn: sqlite3.Connection, order_id: str) -> tuple[Sale, str]:
    row = conn.execute(
        "SELECT * FROM orders JOIN order_lines USING (order_id) WHERE order_id = ? AND reservation_id IS NOT NULL",
        (order_id,),
    ).fetchone()
    row = one(row, f"today's shop has no order `{order_id}`")
    return msgspec.convert(dict(row), Sale), row["status"]
