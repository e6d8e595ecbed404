"""The shopping assistant: look, put aside, order, charge; and every step back."""

from typing import Annotated

import msgspec

import interlock
from interlock import Call
from interlock_demo.tools.promises import KEPT_BY_PAYMENTS, KEPT_BY_THE_SHOP, TIMEOUT_MS
from interlock_demo.tools.words import CustomerId, Minor, OrderId, ReservationId, Sku, Text
from interlock_demo.world import checkout, money, warehouse
from interlock_demo.world.checkout import Hit, Sale
from interlock_demo.world.db import ShopRefusal
from interlock_demo.world.payments_client import Charge
from interlock_demo.world.place import here
from interlock_demo.world.warehouse import Reservation, Stock

OWNER = "shop-team"


class SaleFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the order really costs, whatever the agent says."""

    placed: bool
    total_minor: int


def sale_facts(order_id: str) -> SaleFacts:
    """The order as it stands."""
    sale, status = checkout.sale_of(here(), order_id)
    return SaleFacts(placed=status == "placed", total_minor=sale.total_minor)


def find_charge(call: Call) -> interlock.Landed | None:
    """The charge of this action, if the payment service knows of one."""
    charge = money.find_charge(here(), call.idempotency_key)
    return None if charge is None else interlock.Landed(msgspec.to_builtins(charge))


@interlock.tool(name="catalog.search", effect="read", risk="low", touches="nothing", owner=OWNER, timeout_ms=TIMEOUT_MS)
def search(words: Text, limit: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10) -> list[Hit]:
    """Products whose name holds every word, cheapest first."""
    return checkout.search(here(), words, limit)


@interlock.tool(
    name="stock.check", effect="read", risk="low", touches={"product": "$args.sku"}, owner=OWNER, timeout_ms=TIMEOUT_MS
)
def check_stock(sku: Sku) -> Stock:
    """What is there of a product."""
    return warehouse.stock_of(here(), sku)


@interlock.tool(
    name="cart.reserve",
    effect="write",
    risk="low",
    idempotency=KEPT_BY_THE_SHOP,
    reversal=interlock.Reversal(
        contract="cart.release", arguments={"reservation_id": "$result.reservation_id"}, within_ms=interlock.DAY
    ),
    timeout_ms=TIMEOUT_MS,
    touches={"customer": "$args.customer_id", "product": "$args.sku"},
    owner=OWNER,
    no_effect_on=(ShopRefusal,),
)
def reserve(
    call: Call, customer_id: CustomerId, sku: Sku, quantity: Annotated[int, msgspec.Meta(ge=1, le=20)]
) -> Reservation:
    """Put a few pieces aside for a customer."""
    return warehouse.reserve(here(), customer_id, sku, quantity, call.idempotency_key)


@interlock.tool(
    name="cart.release",
    effect="write",
    risk="low",
    idempotency=KEPT_BY_THE_SHOP,
    reversal=interlock.Reversal(
        contract="cart.reserve",
        arguments={"customer_id": "$result.customer_id", "sku": "$result.sku", "quantity": "$result.quantity"},
    ),
    timeout_ms=TIMEOUT_MS,
    touches={"cart": "$args.reservation_id"},
    owner=OWNER,
    no_effect_on=(ShopRefusal,),
)
def release(call: Call, reservation_id: ReservationId) -> Reservation:
    """Give a reservation free."""
    return warehouse.release(here(), reservation_id, call.idempotency_key)


@interlock.tool(
    name="orders.place",
    effect="write",
    risk="medium",
    idempotency=KEPT_BY_THE_SHOP,
    reversal=interlock.Reversal(
        contract="orders.cancel", arguments={"order_id": "$result.order_id"}, within_ms=interlock.DAY
    ),
    timeout_ms=TIMEOUT_MS,
    touches={"cart": "$args.reservation_id"},
    owner=OWNER,
    no_effect_on=(ShopRefusal,),
)
def place_order(call: Call, reservation_id: ReservationId) -> Sale:
    """Turn a reservation into an order."""
    return checkout.place_sale(here(), reservation_id, call.idempotency_key)


@interlock.tool(
    name="orders.cancel",
    effect="write",
    risk="low",
    idempotency=KEPT_BY_THE_SHOP,
    reversal=interlock.Reversal(contract="orders.place", arguments={"reservation_id": "$result.reservation_id"}),
    timeout_ms=TIMEOUT_MS,
    touches={"order": "$args.order_id"},
    owner=OWNER,
    no_effect_on=(ShopRefusal,),
)
def cancel_order(call: Call, order_id: OrderId) -> Sale:
    """Turn an order of today back into a reservation."""
    return checkout.cancel_sale(here(), order_id, call.idempotency_key)


@interlock.tool(
    name="charges.take",
    effect="external",
    risk="high",
    idempotency=KEPT_BY_PAYMENTS,
    reversal=interlock.Reversal(
        contract="charges.void", arguments={"charge_id": "$result.charge_id"}, within_ms=interlock.DAY
    ),
    lookup=find_charge,
    facts=sale_facts,
    timeout_ms=TIMEOUT_MS,
    touches={"order": "$args.order_id"},
    owner=OWNER,
    no_effect_on=(ShopRefusal,),
)
def take_charge(call: Call, order_id: OrderId, amount_minor: Minor) -> Charge:
    """Charge a customer for an order."""
    return money.take_charge(here(), order_id, amount_minor, call.idempotency_key)


@interlock.tool(
    name="charges.void",
    effect="external",
    risk="medium",
    idempotency=KEPT_BY_PAYMENTS,
    reversal=interlock.Reversal(
        contract="charges.take", arguments={"order_id": "$result.order_id", "amount_minor": "$result.amount_minor"}
    ),
    timeout_ms=TIMEOUT_MS,
    touches={"payment": "$args.charge_id"},
    owner=OWNER,
    no_effect_on=(ShopRefusal,),
)
def void_charge(call: Call, charge_id: str) -> Charge:
    """Give a whole charge back as if it had not been taken."""
    return money.void_charge(here(), charge_id, call.idempotency_key)
