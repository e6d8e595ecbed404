"""The shop on its morning."""

from __future__ import annotations

from pathlib import Path

from interlock_demo.invariants import check
from interlock_demo.world.db import reading
from interlock_demo.world.place import Place
from interlock_demo.world.seed import seed

MORNING = 1_772_000_000_000


def dump(path: Path) -> list[str]:
    """Every row of a database."""
    with reading(path) as conn:
        return list(conn.iterdump())


def test_the_same_number_makes_the_same_shop(tmp_path: Path) -> None:
    """Two shops seeded with one number hold the same rows; another number makes another shop."""
    first, second, third = (Place(folder=tmp_path / name) for name in ("a", "b", "c"))
    for place, number in ((first, 3), (second, 3), (third, 4)):
        seed(place, number, MORNING)

    assert dump(first.shop_db) == dump(second.shop_db)
    assert dump(first.payments_db) == dump(second.payments_db)
    assert dump(first.shop_db) != dump(third.shop_db)


def test_the_shop_is_of_a_believable_size_and_every_invariant_holds(place: Place) -> None:
    """A few hundred products, customers and orders; flagship products stand above their floors; the books are in order."""
    with reading(place.shop_db) as conn:
        counts = {
            table: conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("products", "customers", "orders", "suppliers", "promotions")
        }
        (slow,) = conn.execute(
            "SELECT count(*) FROM (SELECT 1 FROM weekly_sales GROUP BY sku HAVING sum(units) < 16)"
        ).fetchone()
    checks = check(place, {})

    assert counts == {"products": 240, "customers": 320, "orders": 480, "suppliers": 5, "promotions": 3}
    assert 10 <= slow <= 80
    assert [item.sentence for item in checks if not item.holds] == []
