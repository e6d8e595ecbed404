"""Prices: read one, change one, find a change again by the key it was made under."""

from __future__ import annotations

import sqlite3

import msgspec

from interlock_demo.world.db import ShopRefusal, now_ms, one, reading, writing
from interlock_demo.world.place import Place


class PriceMoved(ShopRefusal):
    """Somebody else changed the price first."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """A product's price as it stands. `version` counts its changes."""

    sku: str
    name: str
    flagship: bool
    price_minor: int
    floor_minor: int
    cost_minor: int
    version: int


class PriceChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was made."""

    sku: str
    was_minor: int
    now_minor: int
    version: int


def price_of(place: Place, sku: str) -> Price:
    """The present price of `sku`."""
    with reading(place.shop_db) as conn:
        return _price(conn, sku)


def change_price(place: Place, sku: str, price_minor: int, key: str, version: int | None = None) -> PriceChange:
    """Set the price of `sku`, once per `key`, and only while its version is still `version`."""
    with writing(place.shop_db) as conn:
        made = _change(conn, key)
        if made is not None:
            return made
        price = _price(conn, sku)
        if version is not None and version != price.version:
            raise PriceMoved(f"the price of `{sku}` is at version {price.version}, not {version} any more")
        change = PriceChange(sku=sku, was_minor=price.price_minor, now_minor=price_minor, version=price.version + 1)
        conn.execute(
            "UPDATE products SET price_minor = ?, price_version = ? WHERE sku = ?", (price_minor, change.version, sku)
        )
        row = (key, sku, change.was_minor, change.now_minor, change.version, now_ms())
        conn.execute("INSERT INTO price_changes VALUES (?, ?, ?, ?, ?, ?)", row)
    return change


def find_change(place: Place, key: str) -> PriceChange | None:
    """The change made under `key`, if it was made."""
    with reading(place.shop_db) as conn:
        return _change(conn, key)


def _price(conn: sqlite3.Connection, sku: str) -> Price:
    row = one(
        conn.execute("SELECT * FROM products WHERE sku = ?", (sku,)).fetchone(), f"the shop has no product `{sku}`"
    )
    return Price(
        sku=row["sku"],
        name=row["name"],
        flagship=bool(row["flagship"]),
        price_minor=row["price_minor"],
        floor_minor=row["floor_minor"],
        cost_minor=row["cost_minor"],
        version=row["price_version"],
    )


def _change(conn: sqlite3.Connection, key: str) -> PriceChange | None:
    row = conn.execute("SELECT * FROM price_changes WHERE change_id = ?", (key,)).fetchone()
    if row is None:
        return None
    return PriceChange(
        sku=row["sku"], was_minor=row["was_minor"], now_minor=row["now_minor"], version=row["price_version"]
    )
