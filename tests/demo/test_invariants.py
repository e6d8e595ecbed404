"""Each invariant sees its own kind of damage: every one is broken on purpose, in the tables, and must say so."""

from __future__ import annotations

import pytest

from interlock_demo.invariants import Check, Lent, Quiet, check, euros
from interlock_demo.world import checkout, desk, goodwill, money, pricing, warehouse
from interlock_demo.world.db import reading, writing
from interlock_demo.world.place import Place
from interlock_demo.world.process import PaymentProcess


@pytest.fixture
def busy(place: Place, service: PaymentProcess) -> Place:
    """A shop after a little trade: one sale, one full return with credit and exchange, one change of price, one order."""
    with reading(place.shop_db) as conn:
        order_id, line_no = conn.execute(
            "SELECT order_id, line_no FROM order_lines WHERE discount_minor > 0"
        ).fetchone()
        cheapest = conn.execute("SELECT sku FROM products ORDER BY price_minor LIMIT 1").fetchone()[0]
    taken = desk.accept_return(place, order_id, line_no, "too small", cheapest, "r")
    money.issue_refund(place, taken.return_id, taken.refund_minor, "rf")
    goodwill.grant_credit(place, taken.return_id, taken.credit_minor, "c")
    goodwill.ship_exchange(place, taken.return_id, "x")
    kept = warehouse.reserve(place, "CUS-0001", "AUR-002", 1, "rs")
    sale = checkout.place_sale(place, kept.reservation_id, "s")
    money.take_charge(place, sale.order_id, sale.total_minor, "ch")
    money.send_mail(place, "ana@example.com", "Your return", "It is on its way.")
    price = pricing.price_of(place, "AUR-001")
    pricing.change_price(place, "AUR-001", price.floor_minor, "p")
    warehouse.place_order(place, "AUR-003", 20, "ours-1")
    return place


def failing(checks: list[Check]) -> set[str]:
    """The names of those that do not hold."""
    return {item.name for item in checks if not item.holds}


def test_honest_trade_breaks_nothing(busy: Place) -> None:
    """After a return, a sale, a price change and an order every invariant holds, and each has its sentence."""
    checks = check(busy, {"AUR-002": pricing.price_of(busy, "AUR-002").price_minor})

    assert failing(checks) == set()
    assert all(item.sentence and item.figures for item in checks)
    assert len({item.name for item in checks}) == len(checks)


SHOP_DAMAGE = [
    ("DELETE FROM ledger WHERE kind = 'refund'", {"the books agree"}),
    ("UPDATE ledger SET amount_minor = amount_minor + 1 WHERE kind = 'charge' AND entry_id = 5", {"the books agree"}),
    ("UPDATE returns SET refund_minor = refund_minor + 1", {"money in equals money out", "no lost refund"}),
    (
        "UPDATE returns SET status = 'withdrawn'",
        {
            "money in equals money out",
            "no lost refund",
            "promotional credit given once",
            "each exchange shipped once",
            "stock is conserved",
        },
    ),
    ("UPDATE credits SET status = 'revoked'", {"promotional credit given once"}),
    (
        "INSERT INTO credits SELECT 'CRD-2', return_id, customer_id, amount_minor, status, granted_at FROM credits",
        {"promotional credit given once"},
    ),
    (
        "INSERT INTO exchanges SELECT 'EXC-2', return_id, sku, quantity, status, shipped_at FROM exchanges",
        {"each exchange shipped once", "stock is conserved"},
    ),
    ("UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'BRK-001'", {"stock is conserved"}),
    ("UPDATE stock SET reserved = 1 WHERE sku = 'BRK-001'", {"stock is conserved"}),
    (
        (
            "INSERT INTO purchase_orders SELECT 'PO-2', 'ours-2', sku, supplier_id, quantity, unit_cost_minor, status, placed_at"
            " FROM purchase_orders"
        ),
        {"nothing ordered twice"},
    ),
    ("UPDATE products SET price_minor = floor_minor - 1 WHERE sku = 'AUR-004'", {"no flagship below its floor"}),
    ("UPDATE price_changes SET now_minor = 1", {"no flagship below its floor"}),
]


@pytest.mark.parametrize(("damage", "names"), SHOP_DAMAGE)
@pytest.mark.proves("demo.invariants_see")
def test_damage_in_the_shop_is_seen(busy: Place, damage: str, names: set[str]) -> None:
    """One changed row in the shop's tables breaks exactly the invariants it concerns."""
    with writing(busy.shop_db) as conn:
        assert conn.execute(damage).rowcount >= 1

    assert failing(check(busy, {})) == names


PAYMENT_DAMAGE = [
    (
        "INSERT INTO refunds SELECT 're_2', 'k2', order_id, return_id, amount_minor, currency, status, issued_at FROM refunds",
        {"money in equals money out", "the books agree", "no doubled refund", "no lost refund"},
    ),
    ("DELETE FROM refunds", {"money in equals money out", "the books agree", "no lost refund"}),
    ("UPDATE refunds SET status = 'cancelled'", {"money in equals money out", "the books agree", "no lost refund"}),
    (
        "INSERT INTO charges SELECT 'ch_x', 'k2', order_id, amount_minor, currency, status, taken_at FROM charges LIMIT 1",
        {"money in equals money out", "the books agree", "no doubled charge"},
    ),
    (
        "UPDATE charges SET amount_minor = amount_minor - 1 WHERE charge_id = 'ch_000003'",
        {"money in equals money out", "the books agree", "no doubled charge"},
    ),
    ("INSERT INTO mails SELECT 'ml_2', recipient, subject, body, sent_at FROM mails", {"no mail sent twice"}),
]


@pytest.mark.parametrize(("damage", "names"), PAYMENT_DAMAGE)
@pytest.mark.proves("demo.invariants_see")
def test_damage_at_the_payment_service_is_seen(busy: Place, damage: str, names: set[str]) -> None:
    """One changed row at the payment service breaks exactly the invariants it concerns."""
    with writing(busy.payments_db) as conn:
        assert conn.execute(damage).rowcount >= 1

    assert failing(check(busy, {})) == names


@pytest.mark.proves("demo.invariants_see")
def test_a_price_that_did_not_come_back_is_seen(busy: Place) -> None:
    """The listed prices must stand again to the cent; others may have moved."""
    price = pricing.price_of(busy, "AUR-001").price_minor

    assert failing(check(busy, {"AUR-001": price})) == set()
    assert failing(check(busy, {"AUR-001": price + 1})) == {"prices back to what they were"}
    assert failing(check(busy, {"NO-1": price})) == {"prices back to what they were"}


@pytest.mark.proves("demo.shared_budget")
def test_a_team_that_pays_more_than_it_was_lent_is_seen(busy: Place) -> None:
    """What was paid for a team's orders is held against what it had: one cent less, and it is over."""
    with reading(busy.payments_db) as conn:
        order_id, paid = conn.execute("SELECT order_id, amount_minor FROM refunds").fetchone()

    for limit, names in ((paid, set()), (paid - 1, {"no team over its budget"})):
        lent = Lent(task="t", limit_minor=limit, orders=(order_id,))
        assert failing(check(busy, {}, lent=[lent])) == names


@pytest.mark.parametrize(
    ("database", "table", "when"),
    [("shop", "reservations", "reserved_at"), ("shop", "returns", "accepted_at"), ("payments", "mails", "sent_at")],
)
@pytest.mark.proves("demo.stopped")
def test_whatever_is_done_for_a_customer_while_that_is_stopped_is_seen(
    busy: Place, database: str, table: str, when: str
) -> None:
    """A row of the shop or of its payments within the span of a brake breaks the promise; one at its end does not."""
    with reading(busy.shop_db if database == "shop" else busy.payments_db) as conn:
        (at,) = conn.execute(f"SELECT max({when}) FROM {table}").fetchone()

    over = [Quiet(name="before", from_at=0, until_at=1), Quiet(name="after", from_at=at + 60_000, until_at=at + 90_000)]
    assert failing(check(busy, {}, quiet=over)) == set()
    within = Quiet(name="within", from_at=at - 1, until_at=at + 1)
    assert failing(check(busy, {}, quiet=[*over, within])) == {"nothing while it was stopped"}


@pytest.mark.parametrize(("minor", "words"), [(0, "0.00 EUR"), (5, "0.05 EUR"), (123_456_789, "1 234 567.89 EUR")])
def test_amounts_read_as_people_write_them(minor: int, words: str) -> None:
    """Minor units become euros with two decimals and spaces between thousands."""
    assert euros(minor) == words
