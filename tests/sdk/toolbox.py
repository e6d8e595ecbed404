"""A module of tools, as a person writes it."""

from typing import Annotated

import msgspec

import interlock


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of price did."""

    sku: str
    was_minor: int


class PriceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What policies may read."""

    flagship: bool
    floor_minor: int


def price_facts(sku: str) -> PriceFacts:
    """Facts about a product."""
    return PriceFacts(flagship=sku == "A", floor_minor=100)


def find_change(call: interlock.Call) -> interlock.Landed | None:
    """Whether it happened."""
    return None if call.attempt == 1 else interlock.Landed({"sku": "A", "was_minor": 1})


async def price_is(sku: str, result: Change) -> bool:
    """Whether it did what it said."""
    return sku == result.sku


def reserve(sku: str) -> None:
    """The first of two phases."""


def release(call: interlock.Call) -> None:
    """The way back out of it."""


@interlock.tool(
    name="pricing.set_price",
    version="3",
    effect="write",
    risk="medium",
    idempotency=interlock.Lookup(quarantine_ms=interlock.MINUTE),
    reversal=interlock.Reversal(
        contract="pricing.set_price", arguments={"sku": "$args.sku", "price_minor": "$result.was_minor"}
    ),
    lookup=find_change,
    facts=price_facts,
    postcondition=price_is,
    two_phase=(reserve, release),
    cost=interlock.Cost(unit="EUR", amount="$args.price_minor"),
    timeout_ms=5 * interlock.SECOND,
    owner="pricing-team",
    data={"sku": "internal"},
    no_effect_on=(KeyError,),
)
def set_price(call: interlock.Call, sku: str, price_minor: Annotated[int, msgspec.Meta(ge=1)] = 100) -> Change:
    """Give a product a new price.

    More about it, which is not the description.
    """
    return Change(sku=sku, was_minor=price_minor + call.attempt)


@interlock.tool(effect="read", risk="low")
async def stock(sku: str) -> int:
    """How many there are."""
    return len(sku)


also_stock = stock
