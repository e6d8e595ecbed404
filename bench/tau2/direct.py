"""The same calls without a gate: what a direct run of the benchmark answers and leaves behind.

This is the yardstick. `play` calls the shop's functions one after another on a state; the tools behind the gate
(`tools`) call the very same functions, so whatever differs afterwards is the gate's doing.
"""

from collections.abc import Callable
from typing import Any

from bench.tau2 import retail
from bench.tau2.data import Case
from bench.tau2.retail import ShopError
from bench.tau2.store import Shop, State, text

Given = dict[str, Any]


def play(shop: Shop, case: Case) -> list[str]:
    """Every call of the task in order, each in its own transaction; the answers as the benchmark words them."""
    answers: list[str] = []
    for call in case.calls:
        opened = shop.writing if call.writes else shop.reading
        try:
            with opened(case.state_key) as state:
                answers.append(ANSWERS[call.function](state, call.arguments))
        except ShopError as error:
            answers.append(f"Error: {error}")
    return answers


def _address(given: Given) -> dict[str, str]:
    return {name: given[name] for name in ("address1", "address2", "city", "state", "country", "zip")}


def _items(given: Given) -> tuple[str, list[str], list[str], str]:
    return given["order_id"], given["item_ids"], given["new_item_ids"], given["payment_method_id"]


ANSWERS: dict[str, Callable[[State, Given], str]] = {
    "cancel_pending_order": lambda state, given: text(retail.cancel(state, given["order_id"], given["reason"])),
    "modify_pending_order_address": lambda state, given: text(
        retail.change_address(state, given["order_id"], _address(given))
    ),
    "modify_pending_order_items": lambda state, given: text(retail.change_items(state, *_items(given))),
    "modify_pending_order_payment": lambda state, given: text(
        retail.change_payment(state, given["order_id"], given["payment_method_id"])
    ),
    "modify_user_address": lambda state, given: text(
        retail.change_user_address(state, given["user_id"], _address(given))
    ),
    "return_delivered_order_items": lambda state, given: text(
        retail.send_back(state, given["order_id"], given["item_ids"], given["payment_method_id"])
    ),
    "exchange_delivered_order_items": lambda state, given: text(retail.swap(state, *_items(given))),
    "get_order_details": lambda state, given: text(retail.shown(retail.order_of(state, given["order_id"]))),
    "get_user_details": lambda state, given: text(retail.user_of(state, given["user_id"])),
    "get_product_details": lambda state, given: text(retail.product_of(state, given["product_id"])),
    "get_item_details": lambda state, given: text(retail.item_of(state, given["item_id"])),
    "find_user_id_by_email": lambda state, given: retail.user_id_by_email(state, given["email"]),
    "find_user_id_by_name_zip": lambda state, given: retail.user_id_by_name_zip(
        state, given["first_name"], given["last_name"], given["zip"]
    ),
    "calculate": lambda _, given: retail.calculate(given["expression"]),
    "transfer_to_human_agents": lambda _, __: "Transfer successful",
}
"""Each tool of the benchmark as text out of a state and arguments. Each raises ShopError where it will not."""
