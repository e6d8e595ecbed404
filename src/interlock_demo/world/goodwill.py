"""What makes a returning customer whole: promotional credit, and the replacement of an exchange."""

from __future__ import annotations

import msgspec

from interlock_demo.world.db import ShopRefusal, now_ms, number, once, one, writing
from interlock_demo.world.desk import find_return
from interlock_demo.world.place import Place
from interlock_demo.world.warehouse import move


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """Promotional credit given for a return."""

    credit_id: str
    return_id: str
    customer_id: str
    amount_minor: int


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A replacement on its way."""

    exchange_id: str
    return_id: str
    sku: str
    quantity: int


def grant_credit(place: Place, return_id: str, amount_minor: int, key: str) -> Credit:
    """Give the customer of a return promotional credit, once a return."""

    def grant() -> Credit:
        find_return(conn, return_id)
        if conn.execute("SELECT 1 FROM credits WHERE return_id = ? AND status = 'granted'", (return_id,)).fetchone():
            raise ShopRefusal(f"credit for `{return_id}` has been granted already")
        (customer_id,) = conn.execute(
            "SELECT customer_id FROM returns JOIN orders USING (order_id) WHERE return_id = ?", (return_id,)
        ).fetchone()
        credit_id = number(conn, "credits", "CRD-")
        row = (credit_id, return_id, customer_id, amount_minor, now_ms())
        conn.execute("INSERT INTO credits VALUES (?, ?, ?, ?, 'granted', ?)", row)
        return Credit(credit_id=credit_id, return_id=return_id, customer_id=customer_id, amount_minor=amount_minor)

    body = {"do": "grant_credit", "return_id": return_id, "amount_minor": amount_minor}
    with writing(place.shop_db) as conn:
        return once(conn, key, body, Credit, grant)


def revoke_credit(place: Place, credit_id: str, key: str) -> Credit:
    """Take granted credit back."""

    def revoke() -> Credit:
        row = conn.execute("SELECT * FROM credits WHERE credit_id = ?", (credit_id,)).fetchone()
        row = one(row, f"there is no credit `{credit_id}`")
        if row["status"] != "granted":
            raise ShopRefusal(f"`{credit_id}` is revoked already")
        conn.execute("UPDATE credits SET status = 'revoked' WHERE credit_id = ?", (credit_id,))
        return msgspec.convert(dict(row), Credit)

    with writing(place.shop_db) as conn:
        return once(conn, key, {"do": "revoke_credit", "credit_id": credit_id}, Credit, revoke)


def ship_exchange(place: Place, return_id: str, key: str) -> Exchange:
    """Ship the replacement a return asks for."""

    def ship() -> Exchange:
        taken, status = find_return(conn, return_id)
        sent = conn.execute(
            "SELECT 1 FROM exchanges WHERE return_id = ? AND status = 'shipped'", (return_id,)
        ).fetchone()
        if status != "accepted" or not taken.replacement_sku or sent is not None:
            raise ShopRefusal(f"`{return_id}` asks for no replacement that has not been sent")
        exchange_id = number(conn, "exchanges", "EXC-")
        row = (exchange_id, return_id, taken.replacement_sku, taken.quantity, now_ms())
        conn.execute("INSERT INTO exchanges VALUES (?, ?, ?, ?, 'shipped', ?)", row)
        move(conn, taken.replacement_sku, -taken.quantity, "exchange", exchange_id)
        return Exchange(
            exchange_id=exchange_id, return_id=return_id, sku=taken.replacement_sku, quantity=taken.quantity
        )

    with writing(place.shop_db) as conn:
        return once(conn, key, {"do": "ship_exchange", "return_id": return_id}, Exchange, ship)


def recall_exchange(place: Place, exchange_id: str, key: str) -> Exchange:
    """Stop a replacement on its way and put it back on the shelf."""

    def recall() -> Exchange:
        row = conn.execute("SELECT * FROM exchanges WHERE exchange_id = ?", (exchange_id,)).fetchone()
        row = one(row, f"there is no exchange `{exchange_id}`")
        if row["status"] != "shipped":
            raise ShopRefusal(f"`{exchange_id}` is recalled already")
        conn.execute("UPDATE exchanges SET status = 'recalled' WHERE exchange_id = ?", (exchange_id,))
        move(conn, row["sku"], row["quantity"], "exchange_undone", exchange_id)
        return msgspec.convert(dict(row), Exchange)

    with writing(place.shop_db) as conn:
        return once(conn, key, {"do": "recall_exchange", "exchange_id": exchange_id}, Exchange, recall)
