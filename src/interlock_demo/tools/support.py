"""The service desk: look at an order, take a line of it back, send the replacement of an exchange.

A whole case goes across three systems: these tools write to the shop's database, `refunds.py` to the payment service as well,
`mail.py` to the mail.
"""

import interlock
from interlock import Call
from interlock_demo.tools.promises import KEPT_BY_THE_SHOP, TIMEOUT_MS
from interlock_demo.tools.words import LineNo, OrderId, ReplacementSku, ReturnId, Text
from interlock_demo.world import desk, goodwill
from interlock_demo.world.db import ShopRefusal
from interlock_demo.world.desk import Order, Return
from interlock_demo.world.goodwill import Exchange
from interlock_demo.world.place import here


@interlock.tool(
    name="orders.read",
    effect="read",
    risk="low",
    touches={"order": "$args.order_id"},
    owner="support-team",
    timeout_ms=TIMEOUT_MS,
)
def read_order(order_id: OrderId) -> Order:
    """An order with its lines and its customer."""
    return desk.order_of(here(), order_id)


@interlock.tool(
    name="returns.accept",
    effect="write",
    risk="medium",
    idempotency=KEPT_BY_THE_SHOP,
    reversal=interlock.Reversal(
        contract="returns.withdraw", arguments={"return_id": "$result.return_id"}, within_ms=14 * interlock.DAY
    ),
    touches={"order": "$args.order_id"},
    owner="support-team",
    timeout_ms=TIMEOUT_MS,
    no_effect_on=(ShopRefusal,),
)
def accept_return(
    call: Call, order_id: OrderId, line_no: LineNo, reason: Text, replacement_sku: ReplacementSku = ""
) -> Return:
    """Take one line of a delivered order back; name a replacement if the customer wants an exchange."""
    return desk.accept_return(here(), order_id, line_no, reason, replacement_sku, call.idempotency_key)


@interlock.tool(
    name="returns.withdraw",
    effect="write",
    risk="low",
    idempotency=KEPT_BY_THE_SHOP,
    reversal=interlock.NoReversal(why="the goods have left for the customer; they come back as a new return"),
    touches={"return": "$args.return_id"},
    owner="support-team",
    timeout_ms=TIMEOUT_MS,
    no_effect_on=(ShopRefusal,),
)
def withdraw_return(call: Call, return_id: ReturnId) -> Return:
    """Take back that a return was accepted."""
    return desk.withdraw_return(here(), return_id, call.idempotency_key)


@interlock.tool(
    name="exchanges.ship",
    effect="write",
    risk="medium",
    idempotency=KEPT_BY_THE_SHOP,
    reversal=interlock.Reversal(
        contract="exchanges.recall", arguments={"exchange_id": "$result.exchange_id"}, within_ms=interlock.DAY
    ),
    touches={"return": "$args.return_id"},
    owner="support-team",
    timeout_ms=TIMEOUT_MS,
    no_effect_on=(ShopRefusal,),
)
def ship_exchange(call: Call, return_id: ReturnId) -> Exchange:
    """Send the replacement a return asks for."""
    return goodwill.ship_exchange(here(), return_id, call.idempotency_key)


@interlock.tool(
    name="exchanges.recall",
    effect="write",
    risk="low",
    idempotency=KEPT_BY_THE_SHOP,
    reversal=interlock.Reversal(contract="exchanges.ship", arguments={"return_id": "$result.return_id"}),
    touches={"exchange": "$args.exchange_id"},
    owner="support-team",
    timeout_ms=TIMEOUT_MS,
    no_effect_on=(ShopRefusal,),
)
def recall_exchange(call: Call, exchange_id: str) -> Exchange:
    """Stop a replacement on its way."""
    return goodwill.recall_exchange(here(), exchange_id, call.idempotency_key)
