"""Stock: what is there, what sells, what was ordered from suppliers, what is put aside for a customer."""

from __future__ import annotations

import sqlite3

import msgspec

from interlock_demo.world.db import ShopRefusal, now_ms, number, once, one, reading, writing
from interlock_demo.world.place import Place
from interlock_demo.world.seed import WEEKS

SLOW_UNITS_A_WEEK = 2


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """What is there of one product, and how fast it goes. `sold` is the units of the last eight weeks."""

    sku: str
    name: str
    on_hand: int
    reserved: int
    on_order: int
    sold: int
    unit_cost_minor: int
    price_minor: int

    @property
    def free(self) -> int:
        """How many can be sold or put aside."""
        return self.on_hand - self.reserved

    @property
    def slow_seller(self) -> bool:
        """Whether fewer than two are sold a week."""
        return self.sold < SLOW_UNITS_A_WEEK * WEEKS

    def weeks_of_cover(self, more: int = 0) -> int:
        """For how many whole weeks the stock lasts, with `more` units, at the pace of the last ones; a product that was never
        sold is counted as sold once."""
        return (self.on_hand + self.on_order + more) * WEEKS // max(self.sold, 1)


class PurchaseOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order placed with a supplier under the shop's own reference."""

    po_id: str
    reference: str
    sku: str
    supplier_id: str
    quantity: int
    total_minor: int
    status: str


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """Units put aside for a customer."""

    reservation_id: str
    customer_id: str
    sku: str
    quantity: int


def stock_of(place: Place, sku: str) -> Stock:
    """The stock of `sku` as it stands."""
    with reading(place.shop_db) as conn:
        row = conn.execute(
            """SELECT sku, name, on_hand, reserved, cost_minor AS unit_cost_minor, price_minor,
                   (SELECT coalesce(sum(units), 0) FROM weekly_sales w WHERE w.sku = p.sku) AS sold,
                   (SELECT coalesce(sum(quantity), 0) FROM purchase_orders o
                     WHERE o.sku = p.sku AND status = 'placed') AS on_order
               FROM products p JOIN stock USING (sku) WHERE sku = ?""",
            (sku,),
        ).fetchone()
    return msgspec.convert(dict(one(row, f"the shop has no product `{sku}`")), Stock)


def place_order(place: Place, sku: str, quantity: int, reference: str) -> PurchaseOrder:
    """Order `quantity` units from the product's supplier. The supplier takes a reference only once."""
    with writing(place.shop_db) as conn:
        if _purchase(conn, "reference", reference) is not None:
            raise ShopRefusal(f"the reference `{reference}` is on an order already")
        product = conn.execute("SELECT supplier_id, cost_minor FROM products WHERE sku = ?", (sku,)).fetchone()
        product = one(product, f"the shop has no product `{sku}`")
        po_id = number(conn, "purchase_orders", "PO-")
        conn.execute(
            "INSERT INTO purchase_orders VALUES (?, ?, ?, ?, ?, ?, 'placed', ?)",
            (po_id, reference, sku, product["supplier_id"], quantity, product["cost_minor"], now_ms()),
        )
        return _order(conn, po_id)


def find_order(place: Place, reference: str) -> PurchaseOrder | None:
    """The purchase order with this reference, if the supplier has it."""
    with reading(place.shop_db) as conn:
        return _purchase(conn, "reference", reference)


def order_of(place: Place, po_id: str) -> PurchaseOrder:
    """A purchase order."""
    with reading(place.shop_db) as conn:
        return _order(conn, po_id)


def cancel_order(place: Place, po_id: str, key: str) -> PurchaseOrder:
    """Cancel a purchase order that has been placed."""

    def cancel() -> PurchaseOrder:
        if _order(conn, po_id).status != "placed":
            raise ShopRefusal(f"`{po_id}` is cancelled already")
        conn.execute("UPDATE purchase_orders SET status = 'cancelled' WHERE po_id = ?", (po_id,))
        return _order(conn, po_id)

    with writing(place.shop_db) as conn:
        return once(conn, key, {"do": "cancel_order", "po_id": po_id}, PurchaseOrder, cancel)


def reserve(place: Place, customer_id: str, sku: str, quantity: int, key: str) -> Reservation:
    """Put `quantity` units of `sku` aside for a customer; refuses when fewer are free."""

    def put_aside() -> Reservation:
        taken = conn.execute(
            "UPDATE stock SET reserved = reserved + ? WHERE sku = ? AND on_hand - reserved >= ?",
            (quantity, sku, quantity),
        )
        if taken.rowcount == 0:
            raise ShopRefusal(f"fewer than {quantity} of `{sku}` are free")
        reservation_id = number(conn, "reservations", "RSV-")
        row = (reservation_id, customer_id, sku, quantity, now_ms())
        conn.execute("INSERT INTO reservations VALUES (?, ?, ?, ?, 'held', ?)", row)
        return Reservation(reservation_id=reservation_id, customer_id=customer_id, sku=sku, quantity=quantity)

    body = {"do": "reserve", "customer_id": customer_id, "sku": sku, "quantity": quantity}
    with writing(place.shop_db) as conn:
        return once(conn, key, body, Reservation, put_aside)


def release(place: Place, reservation_id: str, key: str) -> Reservation:
    """Give the units of a reservation free again."""
    with writing(place.shop_db) as conn:
        body = {"do": "release", "reservation_id": reservation_id}
        return once(conn, key, body, Reservation, lambda: end_reservation(conn, reservation_id, "released"))


def end_reservation(conn: sqlite3.Connection, reservation_id: str, status: str) -> Reservation:
    """Close a held reservation as `released` or `bought`, in the caller's transaction."""
    kept, before = _reservation(conn, reservation_id)
    if before != "held":
        raise ShopRefusal(f"`{reservation_id}` is {before} already")
    conn.execute("UPDATE reservations SET status = ? WHERE reservation_id = ?", (status, reservation_id))
    conn.execute("UPDATE stock SET reserved = reserved - ? WHERE sku = ?", (kept.quantity, kept.sku))
    return kept


def resume_reservation(conn: sqlite3.Connection, reservation_id: str) -> None:
    """Put the units of a bought reservation aside again, in the caller's transaction, after they are back on the shelf."""
    kept, _ = _reservation(conn, reservation_id)
    conn.execute("UPDATE reservations SET status = 'held' WHERE reservation_id = ?", (reservation_id,))
    conn.execute("UPDATE stock SET reserved = reserved + ? WHERE sku = ?", (kept.quantity, kept.sku))


def move(conn: sqlite3.Connection, sku: str, quantity: int, kind: str, document: str) -> None:
    """Book `quantity` units in (positive) or out of the warehouse, in the caller's transaction."""
    moved = conn.execute(
        "UPDATE stock SET on_hand = on_hand + ? WHERE sku = ? AND on_hand + ? >= reserved", (quantity, sku, quantity)
    )
    if moved.rowcount == 0:
        raise ShopRefusal(f"fewer than {-quantity} of `{sku}` are free")
    conn.execute(
        "INSERT INTO stock_moves (sku, quantity, kind, document, moved_at) VALUES (?, ?, ?, ?, ?)",
        (sku, quantity, kind, document, now_ms()),
    )


def _reservation(conn: sqlite3.Connection, reservation_id: str) -> tuple[Reservation, str]:
    row = conn.execute("SELECT * FROM reservations WHERE reservation_id = ?", (reservation_id,)).fetchone()
    row = one(row, f"there is no reservation `{reservation_id}`")
    return msgspec.convert(dict(row), Reservation), row["status"]


def _purchase(conn: sqlite3.Connection, column: str, value: str) -> PurchaseOrder | None:
    row = conn.execute(
        f"SELECT *, quantity * unit_cost_minor AS total_minor FROM purchase_orders WHERE {column} = ?", (value,)
    ).fetchone()
    return None if row is None else msgspec.convert(dict(row), PurchaseOrder)


def _order(conn: sqlite3.Connection, po_id: str) -> PurchaseOrder:
    order = _purchase(conn, "po_id", po_id)
    if order is None:
        raise ShopRefusal(f"there is no purchase order `{po_id}`")
    return order
