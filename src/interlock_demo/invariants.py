"""What must be true of the shop at the end of its day, read from the shop's and the payment service's own tables.

Nothing here knows of Interlock: the checks believe only the rows of the two databases, and each figure is recomputed from the
documents that explain it. Run them while nobody writes.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from interlock_demo.world.db import reading
from interlock_demo.world.place import Place


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must be true: whether it is, in a sentence, with the figures that show it (money in minor units)."""

    name: str
    holds: bool
    sentence: str
    figures: dict[str, int]


class Lent(msgspec.Struct, frozen=True, kw_only=True):
    """What a team was lent for its cases: so many minor units of EUR, for all of these orders together."""

    task: str
    limit_minor: int
    orders: tuple[str, ...]


class Quiet(msgspec.Struct, frozen=True, kw_only=True):
    """From when until when (UTC ms) those who serve customers were stopped."""

    name: str
    from_at: int
    until_at: int


def check(
    place: Place, original_prices: Mapping[str, int], *, lent: Sequence[Lent] = (), quiet: Sequence[Quiet] = ()
) -> list[Check]:
    """Every invariant of the shop. `original_prices` are those that must stand again, by sku; `lent` is what was not to be
    overspent, `quiet` when nothing was to happen."""
    with reading(place.shop_db) as shop, reading(place.payments_db) as payments:
        return [
            money_agrees(shop, payments),
            books_agree(shop, payments),
            charged_once(shop, payments),
            refunded_once(payments),
            no_refund_lost(shop, payments),
            credit_given_once(shop),
            replaced_once(shop),
            stock_explained(shop),
            nothing_ordered_twice(shop),
            prices_back(shop, original_prices),
            floors_kept(shop),
            mailed_once(payments),
            lent_kept(payments, lent),
            quiet_kept(shop, payments, quiet),
        ]


def euros(minor: int) -> str:
    """An amount as people write it: `1 234.50 EUR`."""
    return f"{plain(minor)} EUR"


def plain(minor: int) -> str:
    """The same without its currency."""
    return f"{minor // 100:,}.{minor % 100:02d}".replace(",", " ")


def money_agrees(shop: sqlite3.Connection, payments: sqlite3.Connection) -> Check:
    """What the payment service took less what it gave back is what the shop's orders less its returns say."""
    taken = _sum(payments, "SELECT sum(amount_minor) FROM charges WHERE status = 'taken'")
    given = _sum(payments, "SELECT sum(amount_minor) FROM refunds WHERE status = 'issued'")
    sold = _sum(shop, "SELECT sum(total_minor) FROM orders WHERE status <> 'cancelled'")
    owed = _sum(shop, "SELECT sum(refund_minor) FROM returns WHERE status = 'accepted'")
    return Check(
        name="money in equals money out",
        holds=taken == sold and given == owed,
        sentence=f"in: {euros(taken)} for {plain(sold)} sold; out: {euros(given)} for {plain(owed)} owed",
        figures={"taken_minor": taken, "sold_minor": sold, "given_minor": given, "owed_minor": owed},
    )


def books_agree(shop: sqlite3.Connection, payments: sqlite3.Connection) -> Check:
    """The shop's ledger holds exactly what the payment service did, number by number."""
    entries = shop.execute("SELECT kind, payment_id, order_id, amount_minor FROM ledger")
    booked: Counter[tuple[object, ...]] = Counter(tuple(row) for row in entries)
    done: Counter[tuple[object, ...]] = Counter()
    for table, kind, undone in (("charges", "charge", "charge_voided"), ("refunds", "refund", "refund_cancelled")):
        column = f"{kind}_id"
        for row in payments.execute(f"SELECT {column} AS id, order_id, amount_minor, status FROM {table}"):
            done[(kind, row["id"], row["order_id"], row["amount_minor"])] += 1
            if row["status"] in ("voided", "cancelled"):
                done[(undone, row["id"], row["order_id"], row["amount_minor"])] += 1
    missing, invented = (done - booked).total(), (booked - done).total()
    return Check(
        name="the books agree",
        holds=missing == 0 and invented == 0,
        sentence=f"{booked.total()} entries in the ledger, {done.total()} payments and refunds"
        + (f": {missing} missing, {invented} invented" if missing or invented else ", one for one"),
        figures={"booked": booked.total(), "moved": done.total(), "missing": missing, "invented": invented},
    )


def charged_once(shop: sqlite3.Connection, payments: sqlite3.Connection) -> Check:
    """Each order that stands was charged once, in full; each cancelled one not at all."""
    charges = _amounts(payments, "SELECT order_id, amount_minor FROM charges WHERE status = 'taken'")
    orders = shop.execute("SELECT order_id, total_minor, status FROM orders").fetchall()
    wrong = sum(
        charges.pop(row["order_id"], []) != ([] if row["status"] == "cancelled" else [row["total_minor"]])
        for row in orders
    )
    return Check(
        name="no doubled charge",
        holds=wrong == 0 and not charges,
        sentence=f"{len(orders)} orders, "
        + (f"{wrong} not charged once and in full" if wrong else "each charged once, in full"),
        figures={"orders": len(orders), "wrong": wrong, "charges_without_order": len(charges)},
    )


def refunded_once(payments: sqlite3.Connection) -> Check:
    """No return has two refunds that stand."""
    refunds = _amounts(payments, "SELECT return_id, amount_minor FROM refunds WHERE status = 'issued'")
    doubled = sum(len(amounts) > 1 for amounts in refunds.values())
    asked = _sum(payments, "SELECT count(*) FROM calls WHERE path = '/refunds'")
    return Check(
        name="no doubled refund",
        holds=doubled == 0,
        sentence=f"{asked} calls asked for a refund, {len(refunds)} returns were paid, {doubled or 'none'} twice",
        figures={"calls": asked, "returns": len(refunds), "doubled": doubled},
    )


def no_refund_lost(shop: sqlite3.Connection, payments: sqlite3.Connection) -> Check:
    """Each accepted return was paid exactly what it is owed; each withdrawn one nothing."""
    refunds = _amounts(payments, "SELECT return_id, amount_minor FROM refunds WHERE status = 'issued'")
    rows = shop.execute("SELECT return_id, refund_minor, status FROM returns").fetchall()
    wrong = 0
    for row in rows:
        owed = [row["refund_minor"]] if row["status"] == "accepted" and row["refund_minor"] else []
        wrong += refunds.pop(row["return_id"], []) != owed
    return Check(
        name="no lost refund",
        holds=wrong == 0 and not refunds,
        sentence=f"{len(rows)} returns, "
        + (f"{wrong} paid too little or too much" if wrong else "each paid what it is owed"),
        figures={"returns": len(rows), "wrong": wrong, "refunds_without_return": len(refunds)},
    )


def credit_given_once(shop: sqlite3.Connection) -> Check:
    """Each accepted return has its promotional credit once; each withdrawn one has none."""
    given = _amounts(shop, "SELECT return_id, amount_minor FROM credits WHERE status = 'granted'")
    rows = shop.execute("SELECT return_id, credit_minor, status FROM returns").fetchall()
    wrong = 0
    for row in rows:
        owed = [row["credit_minor"]] if row["status"] == "accepted" and row["credit_minor"] else []
        wrong += given.get(row["return_id"], []) != owed
    return Check(
        name="promotional credit given once",
        holds=wrong == 0,
        sentence=f"{len(given)} customers kept their promotion's worth, "
        + (f"{wrong} wrongly" if wrong else "once each"),
        figures={"credits": len(given), "wrong": wrong},
    )


def replaced_once(shop: sqlite3.Connection) -> Check:
    """Each accepted exchange was shipped once; each withdrawn one not at all."""
    shipped = _amounts(shop, "SELECT return_id, 1 FROM exchanges WHERE status = 'shipped'")
    rows = shop.execute("SELECT return_id, replacement_sku IS NOT NULL AND status = 'accepted' FROM returns").fetchall()
    wrong = sum(len(shipped.get(return_id, [])) != due for return_id, due in rows)
    return Check(
        name="each exchange shipped once",
        holds=wrong == 0,
        sentence=f"{len(shipped)} replacements shipped, " + (f"{wrong} too many or too few" if wrong else "once each"),
        figures={"shipped": len(shipped), "wrong": wrong},
    )


def stock_explained(shop: sqlite3.Connection) -> Check:
    """Each unit on the shelf is explained by a movement, and each movement by a document that stands."""
    shelves = _sum(
        shop,
        """SELECT count(*) FROM stock s WHERE
             on_hand <> opening + (SELECT coalesce(sum(quantity), 0) FROM stock_moves m WHERE m.sku = s.sku)
             OR reserved <> (SELECT coalesce(sum(quantity), 0) FROM reservations r WHERE r.sku = s.sku AND status = 'held')""",
    )
    documents = _sum(
        shop,
        """WITH due (document, sku, quantity) AS (
             SELECT order_id, sku, -quantity FROM orders JOIN order_lines USING (order_id) WHERE status = 'placed'
             UNION ALL SELECT return_id, sku, quantity FROM returns JOIN order_lines USING (order_id, line_no)
               WHERE status = 'accepted'
             UNION ALL SELECT exchange_id, sku, -quantity FROM exchanges WHERE status = 'shipped'),
           moved (document, sku, quantity) AS (
             SELECT document, sku, sum(quantity) FROM stock_moves GROUP BY document, sku HAVING sum(quantity) <> 0)
           SELECT (SELECT count(*) FROM (SELECT * FROM due EXCEPT SELECT * FROM moved))
                + (SELECT count(*) FROM (SELECT * FROM moved EXCEPT SELECT * FROM due))""",
    )
    moves = _sum(shop, "SELECT count(*) FROM stock_moves")
    return Check(
        name="stock is conserved",
        holds=shelves == 0 and documents == 0,
        sentence=f"{moves} movements explain every shelf"
        + (
            f" but {shelves}, and {documents} documents do not add up" if shelves or documents else " to the last piece"
        ),
        figures={"moves": moves, "shelves_wrong": shelves, "documents_wrong": documents},
    )


def nothing_ordered_twice(shop: sqlite3.Connection) -> Check:
    """No product is on order from its supplier twice."""
    placed = _sum(shop, "SELECT count(*) FROM purchase_orders WHERE status = 'placed'")
    twice = _sum(
        shop,
        "SELECT count(*) FROM (SELECT 1 FROM purchase_orders WHERE status = 'placed' GROUP BY sku HAVING count(*) > 1)",
    )
    return Check(
        name="nothing ordered twice",
        holds=twice == 0,
        sentence=f"{placed} purchase orders stand, {twice or 'no'} products are on more than one",
        figures={"placed": placed, "twice": twice},
    )


def prices_back(shop: sqlite3.Connection, original_prices: Mapping[str, int]) -> Check:
    """Each product of `original_prices` costs what it did."""
    prices: dict[str, int] = dict(shop.execute("SELECT sku, price_minor FROM products").fetchall())
    wrong = sum(prices.get(sku) != price for sku, price in original_prices.items())
    changes = _sum(shop, "SELECT count(*) FROM price_changes")
    return Check(
        name="prices back to what they were",
        holds=wrong == 0,
        sentence=f"{len(original_prices) - wrong} of {len(original_prices)} undone prices stand as before; "
        f"{changes} changes in all",
        figures={"skus": len(original_prices), "wrong": wrong, "changes": changes},
    )


def floors_kept(shop: sqlite3.Connection) -> Check:
    """No flagship product stands below its floor, or ever did."""
    flagships = _sum(shop, "SELECT count(*) FROM products WHERE flagship")
    below = _sum(shop, "SELECT count(*) FROM products WHERE flagship AND price_minor < floor_minor")
    ever = _sum(
        shop, "SELECT count(*) FROM price_changes JOIN products USING (sku) WHERE flagship AND now_minor < floor_minor"
    )
    return Check(
        name="no flagship below its floor",
        holds=below == 0 and ever == 0,
        sentence=f"{flagships} flagship products, {below or 'none'} below their floor now, {ever or 'none'} at any time",
        figures={"flagships": flagships, "below": below, "ever": ever},
    )


def mailed_once(payments: sqlite3.Connection) -> Check:
    """No customer got the same mail twice."""
    sent = _sum(payments, "SELECT count(*) FROM mails")
    different = _sum(payments, "SELECT count(*) FROM (SELECT DISTINCT recipient, subject, body FROM mails)")
    return Check(
        name="no mail sent twice",
        holds=sent == different,
        sentence=f"{sent} {'mail' if sent == 1 else 'mails'} sent, {sent - different or 'none'} of them a second time",
        figures={"sent": sent, "repeated": sent - different},
    )


def lent_kept(payments: sqlite3.Connection, lent: Sequence[Lent]) -> Check:
    """No team paid more than it was lent."""
    paid: Counter[str] = Counter()
    for row in payments.execute("SELECT order_id, amount_minor FROM refunds WHERE status = 'issued'"):
        paid[row["order_id"]] += row["amount_minor"]
    spent = [sum(paid[order] for order in each.orders) for each in lent]
    over = sum(amount > each.limit_minor for each, amount in zip(lent, spent, strict=True))
    limit = sum(each.limit_minor for each in lent)
    return Check(
        name="no team over its budget",
        holds=over == 0,
        sentence=f"{euros(sum(spent))} paid by workers who had {euros(limit)} together",
        figures={"teams": len(lent), "over": over, "spent_minor": sum(spent), "limit_minor": limit},
    )


def quiet_kept(shop: sqlite3.Connection, payments: sqlite3.Connection, quiet: Sequence[Quiet]) -> Check:
    """Nothing that serves a customer happened while those who do were stopped."""
    happened = sum(
        conn.execute(
            f"SELECT count(*) FROM {table} WHERE {when} > ? AND {when} < ?", (each.from_at, each.until_at)
        ).fetchone()[0]
        for each in quiet
        for conn, table, when in (*((shop, *named) for named in _OF_SHOP), *((payments, *named) for named in _OF_MONEY))
    )
    lasted = sum(each.until_at - each.from_at for each in quiet)
    return Check(
        name="nothing while it was stopped",
        holds=happened == 0,
        sentence=f"in {lasted} ms of brakes and drills {happened or 'no'} rows were written for customers",
        figures={"spans": len(quiet), "lasted_ms": lasted, "happened": happened},
    )


_OF_SHOP = (
    ("reservations", "reserved_at"),
    ("returns", "accepted_at"),
    ("credits", "granted_at"),
    ("exchanges", "shipped_at"),
)
_OF_MONEY = (("charges", "taken_at"), ("refunds", "issued_at"), ("mails", "sent_at"))
"""What agents of the cohort write, and when: tables of the shop, and of its payment service."""


def _sum(conn: sqlite3.Connection, query: str) -> int:
    return int(conn.execute(query).fetchone()[0] or 0)


def _amounts(conn: sqlite3.Connection, query: str) -> dict[str, list[int]]:
    """The second column of `query` gathered by the first."""
    found: dict[str, list[int]] = {}
    for name, amount in conn.execute(query):
        found.setdefault(name, []).append(amount)
    return found
