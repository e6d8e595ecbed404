"""One violation of each hard rule of the written policy, made from the benchmark's own records.

Each breaks one rule and no other: the policy that is meant is the only one that refuses it, so that a rule which
stopped working cannot hide behind another. Records are found by what the violation needs, the first that fits.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from bench.tau2.data import document

Given = dict[str, Any]
Doc = dict[str, Any]

ELSEWHERE = {
    "address1": "1 Quay",
    "address2": "",
    "city": "Ghent",
    "state": "EF",
    "country": "Belgium",
    "zip": "9000",
}


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, for which customer, after what (`first`, which the policy allows), and which policy refuses it."""

    policy: str
    customer: str
    function: str
    arguments: Given
    first: tuple[tuple[str, Given], ...] = ()


def violations() -> Iterator[Violation]:
    """One violation for each policy that forbids, two where a policy has two sides."""
    yield from _reach()
    yield from _orders()
    yield from _items()
    yield from _payments()


def _reach() -> Iterator[Violation]:
    order = _order("pending")
    other = next(user_id for user_id in document()["users"] if user_id != order["user_id"])
    cancel = {"order_id": order["order_id"], "reason": "no longer needed"}
    yield Violation(policy="reach.own-orders", customer=other, function="cancel_pending_order", arguments=cancel)
    yield Violation(
        policy="reach.own-profile",
        customer=other,
        function="modify_user_address",
        arguments={"user_id": order["user_id"], **ELSEWHERE},
    )
    yield Violation(
        policy="reach.own-records",
        customer=other,
        function="get_user_details",
        arguments={"user_id": order["user_id"]},
    )
    yield Violation(
        policy="reach.restore-only-as-undo",
        customer=order["user_id"],
        function="restore_order",
        arguments={"order_id": order["order_id"], "changes": "[]"},
    )


def _orders() -> Iterator[Violation]:
    def cancel(order: Doc, **more: str) -> Violation:
        given = {"order_id": order["order_id"], "reason": "ordered by mistake", **more}
        return _violation("cancel.only-pending", order, "cancel_pending_order", given)

    yield cancel(_order("processed"))
    yield cancel(_order("delivered"))
    pending = _order("pending", _another_variant)
    yield msgspec.structs.replace(cancel(pending, reason="found it cheaper"), policy="cancel.reason")
    elsewhere = {"order_id": _order("processed")["order_id"], **ELSEWHERE}
    yield _violation("modify.only-pending", _order("processed"), "modify_pending_order_address", elsewhere)
    swapped = _swap(pending, *_another_variant(pending))
    first = (("modify_pending_order_items", swapped),)
    back = swapped | {"item_ids": swapped["new_item_ids"], "new_item_ids": swapped["item_ids"]}
    yield _violation("modify.items-once", pending, "modify_pending_order_items", back, first)
    moved = {"order_id": pending["order_id"], **ELSEWHERE}
    yield _violation("modify.final", pending, "modify_pending_order_address", moved, first)
    unwanted = {"order_id": pending["order_id"], "reason": "no longer needed"}
    yield _violation("cancel.only-pending", pending, "cancel_pending_order", unwanted, first)
    yield _violation("return.only-delivered", pending, "return_delivered_order_items", _back(pending))
    yield _violation("exchange.only-delivered", pending, "exchange_delivered_order_items", swapped)
    delivered = _order("delivered", _another_variant)
    exchange = _swap(delivered, *_another_variant(delivered))
    again = (("exchange_delivered_order_items", exchange),)
    yield _violation("exchange.once", delivered, "exchange_delivered_order_items", exchange, again)
    yield _violation("return.only-delivered", delivered, "return_delivered_order_items", _back(delivered), again)


def _items() -> Iterator[Violation]:
    order = _order("delivered", _another_variant)
    old, new = _another_variant(order)
    function = "exchange_delivered_order_items"
    given = _swap(order, old, new)
    stranger = next(i for i, v in _variants().items() if i not in _ids(order))
    yield _violation("items.in-order", order, "return_delivered_order_items", _back(order) | {"item_ids": [stranger]})
    yield _violation("items.in-order", order, function, given | {"item_ids": [old] * 9, "new_item_ids": [new] * 9})
    yield _violation("items.one-for-one", order, function, given | {"new_item_ids": [new, new]})
    shoe = next(i for i, v in _variants().items() if v["product_id"] != _product(order) and v["available"])
    yield _violation("items.same-product", order, function, given | {"new_item_ids": [shoe]})
    kept = _order("delivered", lambda order: _variants()[_ids(order)[0]]["available"])
    yield _violation("items.another-option", kept, function, _swap(kept, _ids(kept)[0], _ids(kept)[0]))
    sold_out = _order("pending", _sold_out_variant)
    yield _violation(
        "items.available", sold_out, "modify_pending_order_items", _swap(sold_out, *_sold_out_variant(sold_out))
    )


def _payments() -> Iterator[Violation]:
    pending, delivered = _order("pending", _another_variant), _order("delivered", _another_variant)
    theirs = _method_of(next(user for user in document()["users"].values() if user["user_id"] != pending["user_id"]))
    for function, order in (("modify_pending_order_items", pending), ("exchange_delivered_order_items", delivered)):
        given = _swap(order, *_another_variant(order)) | {"payment_method_id": theirs}
        yield _violation("payment.own-method", order, function, given)
    for status, function in (
        ("pending", "modify_pending_order_items"),
        ("delivered", "exchange_delivered_order_items"),
    ):
        order = _order(status, _dearer_than_the_gift_card)
        old, new, card = _dearer_than_the_gift_card(order)
        given = _swap(order, old, new) | {"payment_method_id": card}
        yield _violation("payment.gift-card-covers-difference", order, function, given)
    order = _order("pending", _short_gift_card)
    given = {"order_id": order["order_id"], "payment_method_id": _short_gift_card(order)}
    yield _violation("payment.gift-card-covers-order", order, "modify_pending_order_payment", given)
    order = _order("pending", lambda order: not _paid_by(order).startswith("gift_card"))
    same = {"order_id": order["order_id"], "payment_method_id": _paid_by(order)}
    yield _violation("payment.must-differ", order, "modify_pending_order_payment", same)
    order = _order("delivered", _second_card)
    given = _back(order) | {"payment_method_id": _second_card(order)}
    yield _violation("return.refund-method", order, "return_delivered_order_items", given)


def _violation(
    policy: str, order: Doc, function: str, arguments: Given, first: tuple[tuple[str, Given], ...] = ()
) -> Violation:
    return Violation(policy=policy, customer=order["user_id"], function=function, arguments=arguments, first=first)


def _order(status: str, fits: Callable[[Doc], Any] = bool) -> Doc:
    """The first order that stands so and has what `fits` looks for."""
    orders = document()["orders"].values()
    return next(order for order in orders if order["status"] == status and fits(order))


def _swap(order: Doc, old: str, new: str) -> Given:
    return {
        "order_id": order["order_id"],
        "item_ids": [old],
        "new_item_ids": [new],
        "payment_method_id": _paid_by(order),
    }


def _back(order: Doc) -> Given:
    return {"order_id": order["order_id"], "item_ids": _ids(order)[:1], "payment_method_id": _paid_by(order)}


def _ids(order: Doc) -> list[str]:
    return [item["item_id"] for item in order["items"]]


def _product(order: Doc) -> str:
    return str(order["items"][0]["product_id"])


def _paid_by(order: Doc) -> str:
    return str(order["payment_history"][0]["payment_method_id"])


def _variants() -> dict[str, Doc]:
    """Every variant by item id, each with its product's id."""
    return {
        item_id: variant | {"product_id": product["product_id"]}
        for product in document()["products"].values()
        for item_id, variant in product["variants"].items()
    }


def _others(order: Doc, *, available: bool) -> list[tuple[str, Doc]]:
    """Variants of the first item's product that are not in the order."""
    return [
        (item_id, variant)
        for item_id, variant in _variants().items()
        if variant["product_id"] == _product(order) and variant["available"] == available and item_id not in _ids(order)
    ]


def _another_variant(order: Doc) -> Any:
    """The first item, itself still available, and an available other variant; not where a gift card paid the order."""
    apart = _paid_by(order).startswith("gift_card") or not _variants()[_ids(order)[0]]["available"]
    found = [] if apart else _others(order, available=True)
    return (_ids(order)[0], found[0][0]) if found else None


def _sold_out_variant(order: Doc) -> Any:
    found = [] if _paid_by(order).startswith("gift_card") else _others(order, available=False)
    return (_ids(order)[0], found[0][0]) if found else None


def _dearer_than_the_gift_card(order: Doc) -> Any:
    """The first item, a variant that costs more, and a gift card of the customer's with less than the difference."""
    for item_id, variant in _others(order, available=True):
        for method in _methods(order):
            if method.get("balance", 1e9) < variant["price"] - order["items"][0]["price"] - 0.01:
                return _ids(order)[0], item_id, method["id"]
    return None


def _short_gift_card(order: Doc) -> Any:
    """A gift card of the customer's that did not pay the order and has less than its total."""
    total = order["payment_history"][0]["amount"]
    short = (method["id"] for method in _methods(order) if method.get("balance", 1e9) < total - 0.01)
    return next((method_id for method_id in short if method_id != _paid_by(order)), None)


def _second_card(order: Doc) -> Any:
    """A method of the customer's that is no gift card and did not pay the order."""
    others = (method["id"] for method in _methods(order) if method["source"] != "gift_card")
    return next((method_id for method_id in others if method_id != _paid_by(order)), None)


def _methods(order: Doc) -> list[Doc]:
    return list(document()["users"][order["user_id"]]["payment_methods"].values())


def _method_of(user: Doc) -> str:
    return str(next(iter(user["payment_methods"])))
