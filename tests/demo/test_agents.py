"""The four agents on the shop, through the gate: what is done, what is denied, held and refused, and what is left untouched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import interlock
from interlock_demo.agents import assistant, pricing, replenishment, support
from interlock_demo.agents.assistant import Wish
from interlock_demo.agents.support import Case
from interlock_demo.agents.tally import Tally
from interlock_demo.door import kept
from interlock_demo.invariants import check
from interlock_demo.queue import PACK, queue_of
from interlock_demo.setting import Setting, set_up
from interlock_demo.tools.assistant import take_charge
from interlock_demo.tools.pricing import set_price
from interlock_demo.tools.refunds import grant_credit, issue_refund
from interlock_demo.tools.support import accept_return
from interlock_demo.world.db import reading
from interlock_demo.world.desk import Return
from interlock_demo.world.place import Place
from interlock_demo.world.pricing import price_of
from interlock_demo.world.process import PaymentProcess
from interlock_demo.world.seed import seed
from interlock_demo.world.warehouse import find_order, stock_of

MANNER = pricing.Manner(markdown_per_mille=200, raise_per_mille=40, overstocked_weeks=6)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A shop that opens today: its orders are as old as policies take them to be."""
    shop = Place(folder=tmp_path)
    seed(shop)
    return shop


def broken(place: Place) -> list[str]:
    """The invariants that do not hold, in words."""
    return [f"{item.name}: {item.sentence}" for item in check(place, {}) if not item.holds]


def dump(place: Place) -> list[str]:
    """Every row of the shop."""
    with reading(place.shop_db) as conn:
        return list(conn.iterdump())


def overstocked(place: Place, *, flagship: bool) -> str:
    """A product that has lain for long."""
    with reading(place.shop_db) as conn:
        skus: list[str] = [
            row[0] for row in conn.execute("SELECT sku FROM products WHERE flagship = ? ORDER BY sku", (flagship,))
        ]
    return next(sku for sku in skus if stock_of(place, sku).weeks_of_cover() >= MANNER.overstocked_weeks)


def large_case(place: Place) -> Case:
    """A line that was dear and recent: its refund is held for its size alone."""
    with reading(place.shop_db) as conn:
        row = conn.execute(
            "SELECT order_id, line_no FROM order_lines l JOIN orders USING (order_id)"
            " WHERE quantity * unit_minor - l.discount_minor > 30000 ORDER BY placed_at DESC"
        ).fetchone()
    return Case(order_id=row["order_id"], line_no=row["line_no"], reason="too large", writes=True)


def small_case(place: Place, *, replacement_sku: str = "") -> Case:
    """A line under a promotion, recent and not dear: everything about it is inside policy."""
    with reading(place.shop_db) as conn:
        row = conn.execute(
            "SELECT order_id, line_no FROM order_lines JOIN orders USING (order_id) WHERE order_lines.discount_minor > 0"
            " AND quantity * unit_minor BETWEEN 5000 AND 20000 ORDER BY placed_at DESC"
        ).fetchone()
    return Case(order_id=row["order_id"], line_no=row["line_no"], reason="too small", replacement_sku=replacement_sku)


@pytest.mark.proves("demo.floor")
def test_a_discount_below_a_flagship_floor_is_denied(lock: interlock.Client, place: Place) -> None:
    """The pricing agent marks down a flagship product too far: denied with the reason, and the price stands."""
    sku, tally = overstocked(place, flagship=True), Tally()
    before = dump(place)
    pricing.review(lock, sku, MANNER, tally)

    (note,) = tally.noted("denied")
    assert note.reasons == ("below the floor of a flagship product",)
    assert dump(place) == before


def test_a_discount_inside_policy_is_made_once(lock: interlock.Client, place: Place) -> None:
    """The same markdown of an everyday product is done, and the second look finds it marked down again only by its cover."""
    sku, tally = overstocked(place, flagship=False), Tally()
    wanted = pricing.wanted_price(stock_of(place, sku), MANNER)
    pricing.review(lock, sku, MANNER, tally)

    assert tally.outcomes == {"done": 1}
    assert (price_of(place, sku).price_minor, price_of(place, sku).version) == (wanted, 2)


def test_halving_a_price_needs_a_person(lock: interlock.Client, place: Place) -> None:
    """A price below half of what it was is held, not done."""
    sku = overstocked(place, flagship=False)
    before = price_of(place, sku)
    with lock.task("pricing", purpose="a test", on_behalf_of="system:price-review") as task:
        outcome = task.propose(set_price, sku, price_minor=before.price_minor // 2 - 1)

    assert isinstance(outcome, interlock.Held)
    assert price_of(place, sku) == before


@pytest.mark.proves("demo.slow_seller")
def test_ten_thousand_of_a_slow_seller_are_held(lock: interlock.Client, place: Place) -> None:
    """The price list says grams, the agent reads pieces: held for two reasons, and nothing is ordered."""
    ((sku, pack),) = queue_of(place).price_list.items()
    tally = Tally()
    replenishment.replenish(lock, sku, tally, {sku: pack})

    (note,) = tally.noted("held")
    assert pack == PACK
    assert len(note.reasons) == 2
    assert stock_of(place, sku).on_order == 0


def test_what_runs_out_is_ordered_once_under_the_gates_key(lock: interlock.Client, place: Place) -> None:
    """A fast seller that runs out is ordered; the supplier knows the order by the action's key."""
    sku = next(sku for sku in queue_of(place).cover if replenishment.wanted_quantity(stock_of(place, sku)))
    tally = Tally()
    wanted = replenishment.wanted_quantity(stock_of(place, sku))
    for _ in range(2):
        replenishment.replenish(lock, sku, tally, {})

    assert tally.outcomes == {"done": 1}
    assert stock_of(place, sku).on_order == wanted
    assert find_order(place, "") is None
    assert broken(place) == []


def test_a_whole_case_across_three_systems(lock: interlock.Client, place: Place) -> None:
    """Return, refund, promotional credit and replacement are done in one task, and every invariant holds after it."""
    with reading(place.shop_db) as conn:
        cheapest = conn.execute("SELECT sku FROM products ORDER BY price_minor").fetchone()[0]
    tally = Tally()
    support.settle(lock, small_case(place, replacement_sku=cheapest), tally)

    assert tally.outcomes == {"done": 4}
    assert broken(place) == []
    with reading(place.shop_db) as conn:
        counts = [
            conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("returns", "credits", "exchanges")
        ]
    assert counts == [1, 1, 1]


def test_a_case_is_settled_once_however_often_it_is_brought(lock: interlock.Client, place: Place) -> None:
    """The agent is started twice on one case and says everything again: it gets the first answers, and nothing is done twice."""
    case, tally = small_case(place), Tally()
    support.settle(lock, case, tally)
    after = dump(place)
    support.settle(lock, case, tally)

    assert tally.outcomes == {"done": 3, "repeated": 3}
    assert dump(place) == after
    assert broken(place) == []


def test_a_second_refund_of_one_return_is_denied(lock: interlock.Client, place: Place) -> None:
    """An agent that forgets its keys asks for the same refund as something new: the shop's books say that it was paid."""
    support.settle(lock, small_case(place), Tally())
    with reading(place.shop_db) as conn:
        return_id, owed = conn.execute("SELECT return_id, refund_minor FROM returns").fetchone()
    with lock.task("support", purpose="a test", on_behalf_of="system:service-desk") as task:
        outcome = task.propose(issue_refund, return_id, amount_minor=owed)

    assert isinstance(outcome, interlock.Denied)
    assert broken(place) == []


def test_a_large_refund_and_a_mail_wait(lock: interlock.Client, place: Place) -> None:
    """Nothing is paid and nothing is sent before a person has spoken."""
    tally = Tally()
    support.settle(lock, large_case(place), tally)

    held = {note.contract: note.reasons for note in tally.noted("held")}
    assert held == {"refunds.issue": ("a refund above 250 EUR",), "mail.send": ("a mail cannot be unsent",)}
    with reading(place.payments_db) as conn:
        assert conn.execute("SELECT (SELECT count(*) FROM refunds) + (SELECT count(*) FROM mails)").fetchone()[0] == 0


@pytest.mark.parametrize("more", [-1, 1])
def test_only_what_is_owed_is_paid(lock: interlock.Client, place: Place, more: int) -> None:
    """A cent more or less than the shop's own books owe is denied, for refunds and for credit."""
    case = small_case(place)
    with lock.task("support", purpose="a test", on_behalf_of="system:service-desk") as task:
        accepted = task.propose(accept_return, case.order_id, line_no=case.line_no, reason="too small")
        assert isinstance(accepted, interlock.Done)
        taken = accepted.result
        assert isinstance(taken, Return)
        refund = task.propose(issue_refund, taken.return_id, amount_minor=taken.refund_minor + more)
        credit = task.propose(grant_credit, taken.return_id, amount_minor=taken.credit_minor + more)

    assert isinstance(refund, interlock.Denied)
    assert isinstance(credit, interlock.Denied)


@pytest.fixture(name="opened", scope="module")
def _opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    """A shop whose door the assistant comes through: workspace, gateway and payment service as the day has them."""
    with (
        set_up(tmp_path_factory.mktemp("opened"), 7) as setting,
        PaymentProcess(setting.place),
        kept(setting.program, setting.door),
    ):
        yield setting


@pytest.mark.proves("demo.assistant_through_gateway")
def test_a_conversation_said_twice_buys_once(opened: Setting) -> None:
    """The assistant, an MCP client, repeats reserve, order and charge word for word: one reservation, one order, one charge."""
    place, tally = opened.place, Tally()
    assistant.serve(opened.door, Wish(customer_id="CUS-0001", words="brook mug", quantity=1, repeats=True), tally)

    assert tally.outcomes == {"done": 3, "repeated": 3}
    assert broken(place) == []
    with reading(place.shop_db) as conn:
        assert conn.execute("SELECT count(*) FROM orders WHERE status = 'placed'").fetchone()[0] == 1


def test_a_customers_text_is_no_instruction(opened: Setting) -> None:
    """What a customer talked the assistant into is refused: a refund, for which it has no capability, and putting aside something
    for another customer, who is not the one that its task was given."""
    tally = Tally()
    with reading(opened.place.payments_db) as conn:
        before = conn.execute("SELECT count(*) FROM calls").fetchone()[0]
    wish = Wish(customer_id="CUS-0001", words="nothing like this", quantity=1, says="Refund me 999 EUR.")
    assistant.serve(opened.door, wish, tally)

    assert tally.outcomes == {"refused": 2}
    assert "touches a `customer` that the task was not given" in tally.noted("refused")[1].reasons[-1]
    with reading(opened.place.payments_db) as conn:
        assert conn.execute("SELECT count(*) FROM calls").fetchone()[0] == before
    asked = opened.program.json("actions", "--agent", "assistant", "--state", "refused")
    assert {each["contract"] for each in asked} == {"refunds.issue", "cart.reserve"}


def test_a_charge_is_what_the_order_costs(lock: interlock.Client, place: Place) -> None:
    """A charge for an order of another day, or of another amount, is denied."""
    with lock.task("assistant", purpose="a test", on_behalf_of="user:CUS-0001") as task:
        outcome = task.propose(take_charge, "ORD-0001", amount_minor=100)

    assert isinstance(outcome, interlock.Denied)
    assert broken(place) == []
