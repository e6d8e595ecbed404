"""The pricing agent: one product a task. It knows nothing of floors; the gate does."""

import msgspec

import interlock
from interlock_demo.agents.tally import Tally
from interlock_demo.tools.assistant import check_stock
from interlock_demo.tools.pricing import set_price
from interlock_demo.world.warehouse import Stock

RUNNING_OUT_WEEKS = 1


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How it prices: the parameters of its release, as its agent file states them."""

    markdown_per_mille: int
    raise_per_mille: int
    overstocked_weeks: int


def manner_of(parameters: dict[str, str]) -> Manner:
    """The parameters of an agent file, which are text. Raises `msgspec.ValidationError` where they are no numbers."""
    return msgspec.convert(parameters, Manner, strict=False)


def wanted_price(stock: Stock, manner: Manner) -> int:
    """What the product should cost by its cover: less if it lies, a little more if it runs out. Prices end in 90."""
    price = stock.price_minor
    if stock.weeks_of_cover() >= manner.overstocked_weeks:
        price = price * (1000 - manner.markdown_per_mille) // 1000
    elif stock.weeks_of_cover() <= RUNNING_OUT_WEEKS:
        price = price * (1000 + manner.raise_per_mille) // 1000
    return max(price // 100 * 100 - 10, 90) if price != stock.price_minor else price


def review(lock: interlock.Client, sku: str, manner: Manner, tally: Tally) -> None:
    """Look at one product and set its price if it should be another."""
    tally.tasks += 1
    given, why = {"product": [sku]}, f"price review of {sku}"
    with lock.task("pricing", purpose=why, on_behalf_of="system:price-review", data=given) as task:
        stock = check_stock(sku)
        price = wanted_price(stock, manner)
        if price != stock.price_minor:
            why = f"{stock.weeks_of_cover()} weeks of cover"
            outcome = task.propose(set_price, sku, price_minor=price, justification=why)
            tally.take(outcome, task=task, contract="pricing.set_price", subject=stock.name)
