"""The replenishment agent: one product a task, an order when it is about to run out."""

import interlock
from interlock_demo.agents.tally import Tally
from interlock_demo.tools.assistant import check_stock
from interlock_demo.tools.replenishment import order_stock
from interlock_demo.world.seed import WEEKS
from interlock_demo.world.warehouse import Stock

REORDER_BELOW_WEEKS = 2
COVER_WEEKS = 6


def wanted_quantity(stock: Stock) -> int:
    """How many to order for six weeks of cover; 0 when there is enough."""
    if stock.slow_seller or stock.weeks_of_cover() >= REORDER_BELOW_WEEKS:
        return 0
    return max(0, stock.sold * COVER_WEEKS // WEEKS - stock.on_hand - stock.on_order)


def replenish(lock: interlock.Client, sku: str, tally: Tally, price_list: dict[str, int]) -> None:
    """Look at one product and order what is missing. `price_list` is what suppliers say about pack sizes, by sku; the agent
    believes it, and orders one pack."""
    tally.tasks += 1
    given = {"product": [sku]}
    with lock.task("replenishment", purpose=f"cover of {sku}", on_behalf_of="system:supply", data=given) as task:
        stock = check_stock(sku)
        quantity = price_list.get(sku) or wanted_quantity(stock)
        if quantity:
            why = f"{stock.on_hand} on the shelf, {stock.sold} sold in eight weeks"
            outcome = task.propose(order_stock, sku, quantity=quantity, justification=why)
            subject = f"{quantity:,} of {stock.name}".replace(",", " ")
            tally.take(outcome, task=task, contract="replenishment.order_stock", subject=subject)
