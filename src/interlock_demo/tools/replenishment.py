"""Ordering stock from suppliers, and cancelling an order.

The supplier takes no key of ours, but every order carries our reference and can be looked up by it: after a crash the gate asks
whether the order is there before it would ever place another one.
"""

import msgspec

import interlock
from interlock import Call
from interlock_demo.tools.promises import KEPT_BY_THE_SHOP, TIMEOUT_MS
from interlock_demo.tools.words import Sku, Units
from interlock_demo.world import warehouse
from interlock_demo.world.db import ShopRefusal
from interlock_demo.world.place import here
from interlock_demo.world.warehouse import PurchaseOrder


class OrderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy may know of the order: how long the stock would last with it, and what it ties up."""

    slow_seller: bool
    sold_in_eight_weeks: int
    weeks_of_cover: int
    weeks_of_cover_after: int
    order_value_minor: int


def order_facts(sku: str, quantity: int) -> OrderFacts:
    """The product's stock and sales as they stand."""
    stock = warehouse.stock_of(here(), sku)
    return OrderFacts(
        slow_seller=stock.slow_seller,
        sold_in_eight_weeks=stock.sold,
        weeks_of_cover=stock.weeks_of_cover(),
        weeks_of_cover_after=stock.weeks_of_cover(more=quantity),
        order_value_minor=quantity * stock.unit_cost_minor,
    )


def find_order(call: Call) -> interlock.Landed | None:
    """The purchase order of this action, if the supplier has it."""
    order = warehouse.find_order(here(), call.idempotency_key)
    return None if order is None else interlock.Landed(msgspec.to_builtins(order))


@interlock.tool(
    name="replenishment.order_stock",
    effect="external",
    risk="medium",
    idempotency=interlock.Lookup(quarantine_ms=2 * interlock.SECOND),
    reversal=interlock.Reversal(
        contract="replenishment.cancel_order", arguments={"po_id": "$result.po_id"}, within_ms=3 * interlock.DAY
    ),
    lookup=find_order,
    facts=order_facts,
    changes={
        "weeks of cover": interlock.Changing(before="$facts.weeks_of_cover", after="$facts.weeks_of_cover_after"),
        "ordered": interlock.Changing(after="$args.quantity", unit="pieces"),
        "order value": interlock.Changing(after="$facts.order_value_minor", money="EUR"),
    },
    timeout_ms=TIMEOUT_MS,
    touches={"product": "$args.sku"},
    owner="supply-team",
    no_effect_on=(ShopRefusal,),
)
def order_stock(call: Call, sku: Sku, quantity: Units) -> PurchaseOrder:
    """Order more of a product from its supplier."""
    return warehouse.place_order(here(), sku, quantity, call.idempotency_key)


@interlock.tool(
    name="replenishment.cancel_order",
    effect="external",
    risk="low",
    idempotency=KEPT_BY_THE_SHOP,
    reversal=interlock.Reversal(
        contract="replenishment.order_stock",
        arguments={"sku": "$result.sku", "quantity": "$result.quantity"},
        within_ms=interlock.DAY,
    ),
    timeout_ms=TIMEOUT_MS,
    touches={"purchase": "$args.po_id"},
    owner="supply-team",
    no_effect_on=(ShopRefusal,),
)
def cancel_order(call: Call, po_id: str) -> PurchaseOrder:
    """Cancel a purchase order before it is delivered."""
    return warehouse.cancel_order(here(), po_id, call.idempotency_key)
