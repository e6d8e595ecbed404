"""Prices: set one, and put it back."""

import msgspec

import interlock
from interlock import Call
from interlock_demo.tools.promises import TIMEOUT_MS
from interlock_demo.tools.words import Minor, Sku
from interlock_demo.world import pricing
from interlock_demo.world.db import ShopRefusal
from interlock_demo.world.place import here
from interlock_demo.world.pricing import PriceChange


class PriceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy may know of the product, and the version of its price the decision is made on."""

    flagship: bool
    floor_minor: int
    current_minor: int
    cost_minor: int
    price_version: int


def price_facts(sku: str) -> PriceFacts:
    """The product as it stands."""
    price = pricing.price_of(here(), sku)
    return PriceFacts(
        flagship=price.flagship,
        floor_minor=price.floor_minor,
        current_minor=price.price_minor,
        cost_minor=price.cost_minor,
        price_version=price.version,
    )


def find_price_change(call: Call) -> interlock.Landed | None:
    """The change made by this action, if it was made."""
    change = pricing.find_change(here(), call.idempotency_key)
    return None if change is None else interlock.Landed(msgspec.to_builtins(change))


def price_is(sku: str, price_minor: int) -> bool:
    """Whether the product now costs what was asked for."""
    return pricing.price_of(here(), sku).price_minor == price_minor


def seen_version(call: Call) -> int:
    """The version of the price that policy looked at. A change of a price nobody looked at is refused."""
    if call.precondition is None or not isinstance(version := call.precondition.get("price_version"), int):
        raise interlock.NoEffect("the price to be changed was not looked at first")
    return version


@interlock.tool(
    name="pricing.set_price",
    effect="write",
    risk="medium",
    idempotency=interlock.Conditional(),
    reversal=interlock.Reversal(
        contract="pricing.restore_price",
        arguments={"sku": "$args.sku", "price_minor": "$result.was_minor", "instead_of_minor": "$result.now_minor"},
        within_ms=30 * interlock.DAY,
    ),
    lookup=find_price_change,
    facts=price_facts,
    changes={"price": interlock.Changing(before="$facts.current_minor", after="$args.price_minor", money="EUR")},
    postcondition=price_is,
    timeout_ms=TIMEOUT_MS,
    touches={"product": "$args.sku"},
    owner="pricing-team",
    no_effect_on=(ShopRefusal,),
)
def set_price(call: Call, sku: Sku, price_minor: Minor) -> PriceChange:
    """Give a product a new price."""
    return pricing.change_price(here(), sku, price_minor, call.idempotency_key, seen_version(call))


@interlock.tool(
    name="pricing.restore_price",
    effect="write",
    risk="low",
    idempotency=interlock.Conditional(),
    reversal=interlock.Reversal(
        contract="pricing.set_price", arguments={"sku": "$args.sku", "price_minor": "$args.instead_of_minor"}
    ),
    lookup=find_price_change,
    facts=price_facts,
    postcondition=price_is,
    timeout_ms=TIMEOUT_MS,
    touches={"product": "$args.sku"},
    owner="pricing-team",
    no_effect_on=(ShopRefusal,),
)
def restore_price(call: Call, sku: Sku, price_minor: Minor, instead_of_minor: Minor) -> PriceChange:
    """Put a price back, unless somebody has changed it again since: then a person must look at it."""
    place = here()
    made = pricing.find_change(place, call.idempotency_key)
    if made is None and pricing.price_of(place, sku).price_minor != instead_of_minor:
        raise interlock.NoEffect(f"the price of `{sku}` is not {instead_of_minor} any more")
    return pricing.change_price(place, sku, price_minor, call.idempotency_key, seen_version(call))
