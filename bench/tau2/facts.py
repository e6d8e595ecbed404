"""What the written policy speaks of and the arguments do not carry: looked up in the shop, typed, without floats.

Each function reads one state and answers for one call; it raises nothing. Where the order, the user or an item is
not known the facts say the least that is true (`known` false, no owner), and the policies forbid on that.
Amounts are whole cents. `owner` is a task's initiator as the gate spells one: `user:` and the user id.
"""

from collections import Counter

import msgspec

from bench.tau2.store import Doc, State


class OrderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One order: whose it is and where it stands."""

    known: bool = False
    owner: str = ""
    status: str = ""


class ItemsFacts(OrderFacts, frozen=True, kw_only=True):
    """One order and a change of its items, paid or refunded by one method.

    `one_for_one`: as many new items as old ones. `all_in_order`: each old item is in the order, as often as it is
    named. `same_product`, `another_option`, `available`: true of every pair of old and new item.
    `difference_minor`: what the new items cost more, negative if less, counted over the pairs that are known.
    """

    one_for_one: bool = False
    all_in_order: bool = False
    same_product: bool = False
    another_option: bool = False
    available: bool = False
    difference_minor: int = 0
    method_known: bool = False
    gift_card: bool = False
    balance_minor: int = 0


class PaymentFacts(OrderFacts, frozen=True, kw_only=True):
    """One order, how it was paid first and how much, and another method to pay it by."""

    original_method: str = ""
    total_minor: int = 0
    method_known: bool = False
    gift_card: bool = False
    balance_minor: int = 0


class ReturnFacts(OrderFacts, frozen=True, kw_only=True):
    """One order, items to return, and where the refund is to go."""

    all_in_order: bool = False
    original_method: str = ""
    method_known: bool = False
    gift_card: bool = False


class UserFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One user profile."""

    known: bool = False
    owner: str = ""


def of_order(state: State, order_id: str) -> OrderFacts:
    """Facts of an order."""
    order = state.find("orders", order_id)
    return OrderFacts() if order is None else OrderFacts(**_standing(order))


def of_items(state: State, order_id: str, old: list[str], new: list[str], method_id: str) -> ItemsFacts:
    """Facts of a change of items."""
    order = state.find("orders", order_id)
    if order is None:
        return ItemsFacts()
    in_order = {item["item_id"]: item for item in order["items"]}
    product_of = {item_id: product for product in state.all("products") for item_id in product["variants"]}
    pairs = [(in_order.get(a), product_of.get(b), b) for a, b in zip(old, new, strict=False)]
    known = [(item, product, product["variants"][b]) for item, product, b in pairs if item and product]
    all_known = len(known) == len(pairs)
    return ItemsFacts(
        **_standing(order),
        **_method(state, order, method_id),
        one_for_one=bool(old) and len(old) == len(new),
        all_in_order=_all_in(order, old),
        same_product=all_known and all(item["product_id"] == product["product_id"] for item, product, _ in known),
        another_option=all_known and all(item["item_id"] != variant["item_id"] for item, _, variant in known),
        available=all_known and all(variant["available"] for _, _, variant in known),
        difference_minor=sum(_minor(variant["price"]) - _minor(item["price"]) for item, _, variant in known),
    )


def of_payment(state: State, order_id: str, method_id: str) -> PaymentFacts:
    """Facts of another way to pay an order."""
    order = state.find("orders", order_id)
    if order is None:
        return PaymentFacts()
    first = order["payment_history"][0]
    return PaymentFacts(
        **_standing(order),
        **_method(state, order, method_id),
        original_method=first["payment_method_id"],
        total_minor=_minor(first["amount"]),
    )


def of_return(state: State, order_id: str, item_ids: list[str], method_id: str) -> ReturnFacts:
    """Facts of a return."""
    order = state.find("orders", order_id)
    if order is None:
        return ReturnFacts()
    method = _method(state, order, method_id)
    return ReturnFacts(
        **_standing(order),
        all_in_order=_all_in(order, item_ids),
        original_method=order["payment_history"][0]["payment_method_id"],
        method_known=method["method_known"],
        gift_card=method["gift_card"],
    )


def of_user(state: State, user_id: str) -> UserFacts:
    """Facts of a user profile."""
    return UserFacts() if state.find("users", user_id) is None else UserFacts(known=True, owner=f"user:{user_id}")


def _standing(order: Doc) -> Doc:
    return {"known": True, "owner": f"user:{order['user_id']}", "status": order["status"]}


def _method(state: State, order: Doc, method_id: str) -> Doc:
    user = state.find("users", order["user_id"]) or {"payment_methods": {}}
    method = user["payment_methods"].get(method_id)
    if method is None:
        return {"method_known": False, "gift_card": False, "balance_minor": 0}
    gift_card = method["source"] == "gift_card"
    balance = _minor(method["balance"]) if gift_card else 0
    return {"method_known": True, "gift_card": gift_card, "balance_minor": balance}


def _all_in(order: Doc, item_ids: list[str]) -> bool:
    return bool(item_ids) and not Counter(item_ids) - Counter(item["item_id"] for item in order["items"])


def _minor(amount: float) -> int:
    """Whole cents. The database's floats lie within a billionth of a cent's multiple, so rounding is exact."""
    return round(amount * 100)
