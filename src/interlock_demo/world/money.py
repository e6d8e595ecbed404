"""Money in and out: the payment service moves it, and the shop's ledger says so.

Two systems and no transaction over both. Each function asks the payment service first and books what it answered, booking
twice books once; so after a crash anywhere in between, calling again with the same key completes it.
"""

from __future__ import annotations

from interlock_demo.world import payments_client
from interlock_demo.world.db import now_ms, reading, writing
from interlock_demo.world.payments_client import Charge, Mail, Refund
from interlock_demo.world.place import Place
from interlock_demo.world.seed import CURRENCY


def take_charge(place: Place, order_id: str, amount_minor: int, key: str) -> Charge:
    """Charge the customer of an order."""
    body: dict[str, object] = {"order_id": order_id, "amount_minor": amount_minor, "currency": CURRENCY}
    charge = payments_client.post(place, "/charges", body, key, Charge)
    _book(place, "charge", charge.charge_id, order_id, None, charge.amount_minor)
    return charge


def void_charge(place: Place, charge_id: str, key: str) -> Charge:
    """Give a whole charge back as if it had not been taken."""
    charge = payments_client.post(place, "/charges/void", {"charge_id": charge_id}, key, Charge)
    _book(place, "charge_voided", charge_id, charge.order_id, None, charge.amount_minor)
    return charge


def issue_refund(place: Place, return_id: str, amount_minor: int, key: str) -> Refund:
    """Pay money back for a return. The payment service refuses more than the order was charged."""
    with reading(place.shop_db) as conn:
        row = conn.execute("SELECT order_id FROM returns WHERE return_id = ?", (return_id,)).fetchone()
    if row is None:
        raise payments_client.PaymentRefused(f"there is no return `{return_id}`")
    body: dict[str, object] = {
        "order_id": row["order_id"],
        "return_id": return_id,
        "amount_minor": amount_minor,
        "currency": CURRENCY,
    }
    refund = payments_client.post(place, "/refunds", body, key, Refund)
    _book(place, "refund", refund.refund_id, refund.order_id, return_id, refund.amount_minor)
    return refund


def cancel_refund(place: Place, refund_id: str, key: str) -> Refund:
    """Call a refund back before it reaches the customer's bank."""
    refund = payments_client.post(place, "/refunds/cancel", {"refund_id": refund_id}, key, Refund)
    _book(place, "refund_cancelled", refund_id, refund.order_id, refund.return_id, refund.amount_minor)
    return refund


def refunded_for(place: Place, return_id: str) -> int:
    """What was paid for a return and not called back, by the ledger."""
    with reading(place.shop_db) as conn:
        (paid,) = conn.execute(
            "SELECT coalesce(sum(CASE kind WHEN 'refund' THEN amount_minor ELSE -amount_minor END), 0) FROM ledger"
            " WHERE return_id = ? AND kind IN ('refund', 'refund_cancelled')",
            (return_id,),
        ).fetchone()
    return int(paid)


def find_refund(place: Place, key: str) -> Refund | None:
    """The refund issued under `key`, as far as the payment service knows now."""
    return payments_client.find(place, "/refunds", key, Refund)


def find_charge(place: Place, key: str) -> Charge | None:
    """The charge taken under `key`, as far as the payment service knows now."""
    return payments_client.find(place, "/charges", key, Charge)


def send_mail(place: Place, recipient: str, subject: str, body: str) -> Mail:
    """Send one mail. Calling again sends another one."""
    letter: dict[str, object] = {"recipient": recipient, "subject": subject, "body": body}
    return payments_client.post(place, "/mail", letter, "", Mail)


def _book(place: Place, kind: str, payment_id: str, order_id: str, return_id: str | None, amount_minor: int) -> None:
    with writing(place.shop_db) as conn:
        conn.execute(
            "INSERT INTO ledger (kind, payment_id, order_id, return_id, amount_minor, booked_at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, payment_id) DO NOTHING",
            (kind, payment_id, order_id, return_id, amount_minor, now_ms()),
        )
