"""The benchmark's tools as contracts: same names, same arguments, and what the benchmark does not say.

What it does not say is what a gate must know: the effect, the risk, how a repeated call is recognised (every write
keeps its idempotency key in the transaction that does it), which facts policies may ask for, and how it is undone.
Each write answers with the record as the benchmark shows it and with `undo`: its changes as JSON text, because
amounts there are floats and no argument may be one. `restore_order` and `restore_user` take such text and put things
back, unless somebody changed them since; they answer alike, so an undo can be undone by the same contract.

Which file the shop is in stands in the environment, TAU2_SHOP, so that any process which imports the tools acts
on the same shop.
"""

import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import msgspec

import interlock
from bench.tau2 import facts, patch, retail
from bench.tau2.retail import ShopError
from bench.tau2.store import Doc, Shop, State, text

SHOP = "TAU2_SHOP"
OWNER = "retail-support"
STATE_KEY = "tau2/retail"


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A write's answer. `record` is JSON text of the order or user afterwards, `undo` of what changed."""

    record: str
    undo: str


def shop() -> Shop:
    """The shop this process acts on."""
    return _open(os.environ[SHOP])


@cache
def _open(path: str) -> Shop:
    return Shop(Path(path))


def _order(order_id: str, state_key: str = STATE_KEY) -> facts.OrderFacts:
    with shop().reading(state_key) as state:
        return facts.of_order(state, order_id)


def _items(
    order_id: str, *, item_ids: list[str], new_item_ids: list[str], payment_method_id: str, state_key: str = STATE_KEY
) -> facts.ItemsFacts:
    with shop().reading(state_key) as state:
        return facts.of_items(state, order_id, item_ids, new_item_ids, payment_method_id)


def _payment(order_id: str, payment_method_id: str, state_key: str = STATE_KEY) -> facts.PaymentFacts:
    with shop().reading(state_key) as state:
        return facts.of_payment(state, order_id, payment_method_id)


def _return(
    order_id: str, item_ids: list[str], payment_method_id: str, state_key: str = STATE_KEY
) -> facts.ReturnFacts:
    with shop().reading(state_key) as state:
        return facts.of_return(state, order_id, item_ids, payment_method_id)


def _user(user_id: str, state_key: str = STATE_KEY) -> facts.UserFacts:
    with shop().reading(state_key) as state:
        return facts.of_user(state, user_id)


_READ = partial(interlock.tool, effect="read", risk="low", owner=OWNER, no_effect_on=(ShopError,))
_WRITE = partial(
    interlock.tool,
    effect="write",
    owner=OWNER,
    idempotency=interlock.Keyed(retention_ms=365 * interlock.DAY),
    no_effect_on=(ShopError,),
)
_UNDO_ORDER = interlock.Reversal(
    contract="restore_order",
    arguments={"order_id": "$args.order_id", "changes": "$result.undo", "state_key": "$args.state_key"},
)
_UNDO_USER = interlock.Reversal(
    contract="restore_user",
    arguments={"user_id": "$args.user_id", "changes": "$result.undo", "state_key": "$args.state_key"},
)


def _written(call: interlock.Call, state_key: str, do: Callable[[State], Doc]) -> Changed:
    """Do it and keep the call's key in one transaction; a call whose key is there gets the first one's answer."""
    with shop().writing(state_key) as state:
        before = state.landed(call.idempotency_key)
        if before is not None:
            return Changed(record=before[0], undo=before[1])
        done = Changed(record=text(do(state)), undo=state.undo())
        state.land(call.idempotency_key, done.record, done.undo)
        return done


@_WRITE(risk="high", reversal=_UNDO_ORDER, facts=_order)
def cancel_pending_order(call: interlock.Call, order_id: str, reason: str, state_key: str = STATE_KEY) -> Changed:
    """Cancel a pending order and refund it; `reason` is `no longer needed` or `ordered by mistake`."""
    return _written(call, state_key, lambda state: retail.cancel(state, order_id, reason))


@_WRITE(risk="medium", reversal=_UNDO_ORDER, facts=_order, data={"address1": "personal", "address2": "personal"})
def modify_pending_order_address(
    call: interlock.Call,
    order_id: str,
    *,
    address1: str,
    address2: str,
    city: str,
    state: str,
    country: str,
    zip: str,  # noqa: A002 - the benchmark's name for it
    state_key: str = STATE_KEY,
) -> Changed:
    """Send a pending order to another address."""
    address = {"address1": address1, "address2": address2, "city": city}
    address |= {"state": state, "country": country, "zip": zip}
    return _written(call, state_key, lambda shop_state: retail.change_address(shop_state, order_id, address))


@_WRITE(risk="high", reversal=_UNDO_ORDER, facts=_items)
def modify_pending_order_items(
    call: interlock.Call,
    order_id: str,
    *,
    item_ids: list[str],
    new_item_ids: list[str],
    payment_method_id: str,
    state_key: str = STATE_KEY,
) -> Changed:
    """Change items of a pending order to other variants of the same products; possible once."""
    return _written(
        call,
        state_key,
        lambda state: retail.change_items(state, order_id, item_ids, new_item_ids, payment_method_id),
    )


@_WRITE(risk="high", reversal=_UNDO_ORDER, facts=_payment)
def modify_pending_order_payment(
    call: interlock.Call, order_id: str, payment_method_id: str, state_key: str = STATE_KEY
) -> Changed:
    """Pay a pending order by another of the customer's payment methods."""
    return _written(call, state_key, lambda state: retail.change_payment(state, order_id, payment_method_id))


@_WRITE(risk="medium", reversal=_UNDO_USER, facts=_user, data={"address1": "personal", "address2": "personal"})
def modify_user_address(
    call: interlock.Call,
    user_id: str,
    *,
    address1: str,
    address2: str,
    city: str,
    state: str,
    country: str,
    zip: str,  # noqa: A002 - the benchmark's name for it
    state_key: str = STATE_KEY,
) -> Changed:
    """Give a customer another default address."""
    address = {"address1": address1, "address2": address2, "city": city}
    address |= {"state": state, "country": country, "zip": zip}
    return _written(call, state_key, lambda shop_state: retail.change_user_address(shop_state, user_id, address))


@_WRITE(risk="high", reversal=_UNDO_ORDER, facts=_return)
def return_delivered_order_items(
    call: interlock.Call, order_id: str, item_ids: list[str], payment_method_id: str, state_key: str = STATE_KEY
) -> Changed:
    """Ask for items of a delivered order to be returned and refunded to a payment method."""
    return _written(call, state_key, lambda state: retail.send_back(state, order_id, item_ids, payment_method_id))


@_WRITE(risk="high", reversal=_UNDO_ORDER, facts=_items)
def exchange_delivered_order_items(
    call: interlock.Call,
    order_id: str,
    *,
    item_ids: list[str],
    new_item_ids: list[str],
    payment_method_id: str,
    state_key: str = STATE_KEY,
) -> Changed:
    """Ask for items of a delivered order to be exchanged for other variants of the same products; possible once."""
    return _written(
        call, state_key, lambda state: retail.swap(state, order_id, item_ids, new_item_ids, payment_method_id)
    )


@_WRITE(risk="high", reversal=_UNDO_ORDER)
def restore_order(call: interlock.Call, order_id: str, changes: str, state_key: str = STATE_KEY) -> Changed:
    """Take back what a write did to an order and to the gift cards it moved money on."""
    wanted = _changes(changes)
    if any(change.key != order_id for change in wanted if change.kind == "orders"):
        raise ShopError(f"these changes are not those of `{order_id}`")
    return _written(call, state_key, lambda state: retail.restore(state, wanted))


@_WRITE(risk="high", reversal=_UNDO_USER)
def restore_user(call: interlock.Call, user_id: str, changes: str, state_key: str = STATE_KEY) -> Changed:
    """Take back what a write did to a customer's profile."""
    wanted = _changes(changes)
    if any((change.kind, change.key) != ("users", user_id) for change in wanted):
        raise ShopError(f"these changes are not those of `{user_id}`")
    return _written(call, state_key, lambda state: retail.restore(state, wanted))


@_READ(facts=_order)
def get_order_details(order_id: str, state_key: str = STATE_KEY) -> str:
    """An order as JSON text."""
    with shop().reading(state_key) as state:
        return text(retail.shown(retail.order_of(state, order_id)))


@_READ(facts=_user)
def get_user_details(user_id: str, state_key: str = STATE_KEY) -> str:
    """A customer's profile as JSON text."""
    with shop().reading(state_key) as state:
        return text(retail.user_of(state, user_id))


@_READ()
def get_product_details(product_id: str, state_key: str = STATE_KEY) -> str:
    """A product and its variants as JSON text."""
    with shop().reading(state_key) as state:
        return text(retail.product_of(state, product_id))


@_READ()
def list_all_product_types(state_key: str = STATE_KEY) -> str:
    """Every product's name and id as JSON text, by name."""
    with shop().reading(state_key) as state:
        return text(dict(sorted((product["name"], product["product_id"]) for product in state.all("products"))))


@_READ()
def get_item_details(item_id: str, state_key: str = STATE_KEY) -> str:
    """A variant as JSON text."""
    with shop().reading(state_key) as state:
        return text(retail.item_of(state, item_id))


@_READ()
def find_user_id_by_email(email: str, state_key: str = STATE_KEY) -> str:
    """The id of the customer with this email."""
    with shop().reading(state_key) as state:
        return retail.user_id_by_email(state, email)


@_READ()
def find_user_id_by_name_zip(
    first_name: str,
    last_name: str,
    zip: str,  # noqa: A002 - the benchmark's name for it
    state_key: str = STATE_KEY,
) -> str:
    """The id of the customer with this name at this zip code."""
    with shop().reading(state_key) as state:
        return retail.user_id_by_name_zip(state, first_name, last_name, zip)


@_READ()
def calculate(
    expression: str,
    state_key: str = STATE_KEY,  # noqa: ARG001 - every tool of the benchmark takes it
) -> str:
    """The value of an arithmetic expression, to two places, as text."""
    return retail.calculate(expression)


@_READ()
def transfer_to_human_agents(
    summary: str,  # noqa: ARG001 - it is for the person who takes over
    state_key: str = STATE_KEY,  # noqa: ARG001 - every tool of the benchmark takes it
) -> str:
    """Hand the conversation to a person. Nothing in the shop changes by it."""
    return "Transfer successful"


def _changes(given: str) -> list[patch.Change]:
    try:
        return patch.read(given)
    except msgspec.DecodeError:
        raise ShopError("`changes` is not what a write answered") from None
