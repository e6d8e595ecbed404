"""A shop on the morning of its day: a few hundred products, customers and orders, the same for the same number.

Two files are written: the shop's own database and the payment service's, which already holds the charge of every past order.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from contextlib import closing

from interlock_demo.world import catalogue, schema
from interlock_demo.world.db import connect, now_ms
from interlock_demo.world.place import Place

DAY_MS = 86_400_000
CUSTOMERS = 320
ORDERS = 480
WEEKS = 8
CURRENCY = "EUR"


def seed(place: Place, number: int = 7, opened_at: int | None = None) -> None:
    """Write the shop into `place.folder`, which must not hold one yet. `opened_at` is the morning, UTC milliseconds."""
    morning = now_ms() if opened_at is None else opened_at
    place.folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(number)  # noqa: S311  a shop, not a secret
    with closing(connect(place.shop_db)) as shop, closing(connect(place.payments_db)) as payments:
        shop.executescript(schema.SHOP)
        payments.executescript(schema.PAYMENTS)
        shop.execute("BEGIN IMMEDIATE")
        payments.execute("BEGIN IMMEDIATE")
        _suppliers_and_promotions(shop)
        _products(shop, chance)
        _customers(shop, chance)
        _orders(shop, payments, chance, morning)
        shop.execute("COMMIT")
        payments.execute("COMMIT")


def _suppliers_and_promotions(shop: sqlite3.Connection) -> None:
    shop.executemany("INSERT INTO suppliers VALUES (?, ?, ?, ?)", catalogue.SUPPLIERS)
    shop.executemany("INSERT INTO promotions VALUES (?, ?, ?)", catalogue.PROMOTIONS)


def _products(shop: sqlite3.Connection, chance: random.Random) -> None:
    for maker in catalogue.MAKERS:
        numbers = itertools.count(1)
        for item, variant in itertools.product(catalogue.ITEMS, maker.variants):
            sku = f"{maker.prefix}-{next(numbers):03d}"
            everyday = chance.randint(item.low_minor, item.high_minor) * maker.level_per_mille // 1000
            price = everyday // 100 * 100 + 90
            cost = price * chance.randint(420, 600) // 1000
            floor = price * 850 // 1000 if maker.flagship else 0
            name = " ".join(word for word in (maker.name, item.name, variant and f"({variant})") if word)
            shop.execute(
                "INSERT INTO products (sku, name, category, flagship, supplier_id, cost_minor, floor_minor, price_minor)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (sku, name, item.category, maker.flagship, maker.supplier_id, cost, floor, price),
            )
            _stock_and_sales(shop, chance, sku)


def _stock_and_sales(shop: sqlite3.Connection, chance: random.Random, sku: str) -> None:
    """One product in seven sells a unit a week at most; the others sell briskly and some are running out."""
    slow = chance.random() < 1 / 7
    pace = chance.randint(0, 1) if slow else chance.randint(5, 40)
    for week in range(1, WEEKS + 1):
        units = 0 if pace == 0 else max(0, pace + chance.randint(-pace // 3, pace // 3))
        shop.execute("INSERT INTO weekly_sales VALUES (?, ?, ?)", (sku, week, units))
    cover_tenths = chance.choice((4, 8, 12, 30, 45, 60, 80))
    on_hand = 12 + pace * cover_tenths // 10
    shop.execute("INSERT INTO stock (sku, opening, on_hand) VALUES (?, ?, ?)", (sku, on_hand, on_hand))


def _customers(shop: sqlite3.Connection, chance: random.Random) -> None:
    names = [(first, last) for first in catalogue.FIRST_NAMES for last in catalogue.LAST_NAMES]
    for count, (first, last) in enumerate(chance.sample(names, CUSTOMERS), start=1):
        email = f"{first}.{last}@example.com".lower()
        row = (f"CUS-{count:04d}", f"{first} {last}", email, chance.choice(catalogue.CITIES))
        shop.execute("INSERT INTO customers VALUES (?, ?, ?, ?)", row)


def _orders(shop: sqlite3.Connection, payments: sqlite3.Connection, chance: random.Random, morning: int) -> None:
    prices: dict[str, int] = dict(shop.execute("SELECT sku, price_minor FROM products ORDER BY sku").fetchall())
    for count in range(1, ORDERS + 1):
        order_id = f"ORD-{count:04d}"
        placed_at = morning - chance.randint(3 * DAY_MS, 45 * DAY_MS)
        skus = chance.sample(sorted(prices), chance.choice((1, 1, 2, 2, 3)))
        lines = [(sku, chance.choice((1, 1, 1, 2)), prices[sku]) for sku in skus]
        promotion = chance.choice(catalogue.PROMOTIONS) if chance.random() < 0.4 else None
        discounts = [quantity * unit * (promotion[2] if promotion else 0) // 1000 for _, quantity, unit in lines]
        buyer = f"CUS-{chance.randint(1, CUSTOMERS):04d}"
        goods, discount = sum(quantity * unit for _, quantity, unit in lines), sum(discounts)
        shop.execute(
            "INSERT INTO orders VALUES (?, ?, ?, NULL, ?, ?, ?, 'delivered', ?)",
            (order_id, buyer, promotion[0] if promotion else None, goods, discount, goods - discount, placed_at),
        )
        for line_no, ((sku, quantity, unit), share) in enumerate(zip(lines, discounts, strict=True), start=1):
            shop.execute(
                "INSERT INTO order_lines VALUES (?, ?, ?, ?, ?, ?)", (order_id, line_no, sku, quantity, unit, share)
            )
        charge_id = f"ch_{count:06d}"
        payments.execute(
            "INSERT INTO charges VALUES (?, ?, ?, ?, ?, 'taken', ?)",
            (charge_id, f"seed:{order_id}", order_id, goods - discount, CURRENCY, placed_at),
        )
        shop.execute(
            "INSERT INTO ledger (kind, payment_id, order_id, amount_minor, booked_at) VALUES ('charge', ?, ?, ?, ?)",
            (charge_id, order_id, goods - discount, placed_at),
        )
