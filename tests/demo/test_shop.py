"""The shop's own rules: what it does once, what it refuses, and that each thing has its way back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from interlock_demo.invariants import check
from interlock_demo.world import checkout, desk, goodwill, money, pricing, warehouse
from interlock_demo.world.db import KeyReused, ShopRefusal, reading, writing
from interlock_demo.world.place import SHOP_HOME, Place, ShopNotFound, here
from interlock_demo.world.process import PaymentProcess

Step = Callable[[Place, str], object]


def dump(place: Place) -> list[str]:
    """Every row of the shop."""
    with reading(place.shop_db) as conn:
        return list(conn.iterdump())


def broken(place: Place) -> list[str]:
    """The invariants that do not hold, in words."""
    return [f"{item.name}: {item.sentence}" for item in check(place, {}) if not item.holds]


def promotional_line(place: Place) -> tuple[str, int]:
    """A line bought under a promotion."""
    with reading(place.shop_db) as conn:
        row = conn.execute("SELECT order_id, line_no FROM order_lines WHERE discount_minor > 0").fetchone()
    return row["order_id"], row["line_no"]


def cheapest(place: Place) -> str:
    """The sku of the cheapest product."""
    with reading(place.shop_db) as conn:
        sku: str = conn.execute(
            "SELECT sku FROM products JOIN stock USING (sku) ORDER BY price_minor LIMIT 1"
        ).fetchone()[0]
    return sku


def returned(place: Place, key: str = "r") -> desk.Return:
    """That line brought back for the cheapest product."""
    order_id, line_no = promotional_line(place)
    return desk.accept_return(place, order_id, line_no, "too small", cheapest(place), key)


STEPS: dict[str, Step] = {
    "change_price": lambda place, key: pricing.change_price(place, "AUR-001", 20_000, key),
    "cancel_order": lambda place, key: warehouse.cancel_order(place, "PO-0001", key),
    "reserve": lambda place, key: warehouse.reserve(place, "CUS-0001", "AUR-001", 1, key),
    "release": lambda place, key: warehouse.release(place, "RSV-0001", key),
    "place_sale": lambda place, key: checkout.place_sale(place, "RSV-0002", key),
    "cancel_sale": lambda place, key: checkout.cancel_sale(place, "ORD-0481", key),
    "accept_return": returned,
    "grant_credit": lambda place, key: goodwill.grant_credit(place, "RET-0001", 100, key),
    "ship_exchange": lambda place, key: goodwill.ship_exchange(place, "RET-0001", key),
    "revoke_credit": lambda place, key: goodwill.revoke_credit(place, "CRD-0001", key),
    "recall_exchange": lambda place, key: goodwill.recall_exchange(place, "EXC-0001", key),
    "withdraw_return": lambda place, key: desk.withdraw_return(place, "RET-0001", key),
}


def test_every_write_is_done_once_a_key(place: Place) -> None:
    """Repeating any write under its key gives the first answer and changes nothing."""
    warehouse.place_order(place, "AUR-001", 5, "ours-1")
    for number in (1, 2):
        warehouse.reserve(place, "CUS-0001", "AUR-002", 1, f"reserve-{number}")

    for name, step in STEPS.items():
        first = step(place, name)
        after = dump(place)
        assert step(place, name) == first, name
        assert dump(place) == after, name


def test_many_callers_with_one_key_are_served_once(place: Place) -> None:
    """Sixteen threads reserving under one key put one unit aside."""
    with ThreadPoolExecutor(16) as pool:
        kept = [pool.submit(warehouse.reserve, place, "CUS-0001", "AUR-001", 1, "k") for _ in range(16)]

    assert len({item.result().reservation_id for item in kept}) == 1
    assert warehouse.stock_of(place, "AUR-001").reserved == 1


def test_a_key_is_not_for_another_request(place: Place) -> None:
    """A key that comes back with other arguments is refused."""
    warehouse.reserve(place, "CUS-0001", "AUR-001", 1, "k")
    with pytest.raises(KeyReused):
        warehouse.reserve(place, "CUS-0001", "AUR-001", 2, "k")

    assert warehouse.stock_of(place, "AUR-001").reserved == 1


def test_a_price_moves_only_from_the_version_that_was_seen(place: Place) -> None:
    """Of two changes made from one version the second is refused, and the first is found again by its key."""
    seen = pricing.price_of(place, "AUR-001")
    first = pricing.change_price(place, "AUR-001", seen.price_minor - 100, "k1", seen.version)
    with pytest.raises(pricing.PriceMoved):
        pricing.change_price(place, "AUR-001", seen.price_minor - 200, "k2", seen.version)

    assert pricing.price_of(place, "AUR-001").price_minor == seen.price_minor - 100
    assert (pricing.find_change(place, "k1"), pricing.find_change(place, "k2")) == (first, None)


def test_a_reference_is_ordered_once(place: Place) -> None:
    """The supplier refuses a reference it has; the order is found by it, and cover counts what is on order."""
    before = warehouse.stock_of(place, "FJE-001")
    order = warehouse.place_order(place, "FJE-001", 40, "ours-1")
    with pytest.raises(ShopRefusal):
        warehouse.place_order(place, "FJE-001", 40, "ours-1")
    after = warehouse.stock_of(place, "FJE-001")

    assert warehouse.find_order(place, "ours-1") == order
    assert warehouse.find_order(place, "ours-2") is None
    assert after.on_order == 40
    assert after.weeks_of_cover() == before.weeks_of_cover(more=40)


@pytest.mark.parametrize(("sold", "weeks"), [(0, 80), (1, 80), (4, 20), (8, 10), (16, 5)])
def test_cover_is_counted_at_the_pace_of_sales(place: Place, sold: int, weeks: int) -> None:
    """Ten units of which four are sold in eight weeks last for twenty; what was never sold counts as sold once."""
    stock = warehouse.stock_of(place, "FJE-001")

    assert msgspec.structs.replace(stock, on_hand=7, on_order=2, sold=sold).weeks_of_cover(more=1) == weeks


REFUSED: list[Callable[[Place], object]] = [
    lambda place: pricing.price_of(place, "NO-1"),
    lambda place: warehouse.place_order(place, "NO-1", 1, "r"),
    lambda place: warehouse.reserve(place, "CUS-0001", "AUR-001", 10_000, "k"),
    lambda place: warehouse.release(place, "RSV-9999", "k"),
    lambda place: warehouse.cancel_order(place, "PO-9999", "k"),
    lambda place: desk.order_of(place, "ORD-9999"),
    lambda place: desk.accept_return(place, "ORD-0001", 9, "why", "", "k"),
    lambda place: desk.accept_return(place, "ORD-0001", 1, "why", "NO-1", "k"),
    lambda place: desk.withdraw_return(place, "RET-9999", "k"),
    lambda place: goodwill.grant_credit(place, "RET-9999", 1, "k"),
    lambda place: checkout.place_sale(place, "RSV-9999", "k"),
    lambda place: checkout.cancel_sale(place, "ORD-0001", "k"),
    lambda place: money.issue_refund(place, "RET-9999", 1, "k"),
]


@pytest.mark.parametrize("step", REFUSED)
def test_a_refusal_leaves_the_shop_as_it_was(place: Place, step: Callable[[Place], object]) -> None:
    """What cannot be is refused, and no row changes."""
    before = dump(place)
    with pytest.raises(ShopRefusal):
        step(place)

    assert dump(place) == before


def test_a_line_comes_back_once_and_can_be_withdrawn(place: Place) -> None:
    """A second return of one line is refused until the first is withdrawn."""
    first = returned(place, "r1")
    with pytest.raises(ShopRefusal):
        returned(place, "r2")
    desk.withdraw_return(place, first.return_id, "w")
    second = returned(place, "r3")

    assert desk.return_of(place, first.return_id)[1] == "withdrawn"
    assert desk.return_of(place, second.return_id)[1] == "accepted"


def test_a_dearer_replacement_is_refused(place: Place) -> None:
    """An exchange never turns into a debt of the customer."""
    with reading(place.shop_db) as conn:
        order_id = conn.execute("SELECT order_id FROM order_lines ORDER BY unit_minor LIMIT 1").fetchone()[0]
        dearest = conn.execute("SELECT sku FROM products ORDER BY price_minor DESC LIMIT 1").fetchone()[0]
    with pytest.raises(ShopRefusal, match="dearer"):
        desk.accept_return(place, order_id, 1, "wrong one", dearest, "k")


def test_a_return_across_three_systems_and_all_the_way_back(place: Place, service: PaymentProcess) -> None:
    """Return, refund, credit and exchange keep every invariant, and undone in reverse they leave none of it standing."""
    taken = returned(place)
    refund = money.issue_refund(place, taken.return_id, taken.refund_minor, "refund")
    credit = goodwill.grant_credit(place, taken.return_id, taken.credit_minor, "credit")
    exchange = goodwill.ship_exchange(place, taken.return_id, "exchange")
    assert broken(place) == []

    goodwill.recall_exchange(place, exchange.exchange_id, "u1")
    goodwill.revoke_credit(place, credit.credit_id, "u2")
    money.cancel_refund(place, refund.refund_id, "u3")
    desk.withdraw_return(place, taken.return_id, "u4")

    assert broken(place) == []
    order = desk.order_of(place, taken.order_id)
    line = order.lines[taken.line_no - 1]
    assert (
        line.paid_minor
        == taken.refund_minor + pricing.price_of(place, taken.replacement_sku).price_minor * taken.quantity
    )
    assert taken.credit_minor == line.discount_minor > 0
    assert money.find_refund(place, "refund") == refund


def test_a_sale_and_all_the_way_back(place: Place, service: PaymentProcess) -> None:
    """Reserve, order and charge keep every invariant, and so does undoing them."""
    (hit, *_) = checkout.search(place, "AURORA mug")
    kept = warehouse.reserve(place, "CUS-0001", hit.sku, 2, "k1")
    sale = checkout.place_sale(place, kept.reservation_id, "k2")
    charge = money.take_charge(place, sale.order_id, sale.total_minor, "k3")
    assert broken(place) == []
    assert sale.total_minor == 2 * hit.price_minor

    money.void_charge(place, charge.charge_id, "u1")
    checkout.cancel_sale(place, sale.order_id, "u2")

    assert broken(place) == []
    assert warehouse.stock_of(place, hit.sku).reserved == 2
    warehouse.release(place, kept.reservation_id, "u3")
    assert broken(place) == []
    assert checkout.search(place, "aurora mug")[0] == hit


def test_a_refund_whose_booking_was_lost_is_completed_by_its_key(place: Place, service: PaymentProcess) -> None:
    """Death between the payment service and the ledger shows in the books, and calling again with the key mends them."""
    taken = returned(place)
    money.issue_refund(place, taken.return_id, taken.refund_minor, "k")
    with reading(place.shop_db) as conn:
        booked = conn.execute("SELECT count(*) FROM ledger").fetchone()[0]
    with writing(place.shop_db) as conn:
        conn.execute("DELETE FROM ledger WHERE kind = 'refund'")
    assert any(line.startswith("the books agree") for line in broken(place))

    money.issue_refund(place, taken.return_id, taken.refund_minor, "k")

    with reading(place.shop_db) as conn:
        assert conn.execute("SELECT count(*) FROM ledger").fetchone()[0] == booked


def test_a_process_without_a_shop_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `SHOP_HOME`, or no payment service yet: an error in words."""
    monkeypatch.delenv(SHOP_HOME, raising=False)
    with pytest.raises(ShopNotFound, match=SHOP_HOME):
        here()
    monkeypatch.setenv(SHOP_HOME, str(tmp_path))
    with pytest.raises(ShopNotFound, match="payment service"):
        here().payments_url()
