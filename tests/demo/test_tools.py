"""The tools' promises hold together: every way back exists, fits, and leads where it says."""

from __future__ import annotations

from types import ModuleType
from typing import Any, cast

import pytest

import interlock
from interlock_demo.tools import assistant, mail, pricing, refunds, replenishment, support

JsonObject = dict[str, Any]
MODULES: tuple[ModuleType, ...] = (assistant, mail, pricing, refunds, replenishment, support)
TOOLS: dict[str, interlock.Tool[..., Any]] = {
    tool.contract.name: tool for module in MODULES for tool in vars(module).values() if isinstance(tool, interlock.Tool)
}


def test_the_shop_has_these_tools() -> None:
    """Reads, writes and effects outside, each under its own name."""
    assert sorted(TOOLS) == [
        "cart.release",
        "cart.reserve",
        "catalog.search",
        "charges.take",
        "charges.void",
        "credits.grant",
        "credits.revoke",
        "exchanges.recall",
        "exchanges.ship",
        "mail.send",
        "orders.cancel",
        "orders.place",
        "orders.read",
        "pricing.restore_price",
        "pricing.set_price",
        "refunds.cancel",
        "refunds.issue",
        "replenishment.cancel_order",
        "replenishment.order_stock",
        "returns.accept",
        "returns.withdraw",
        "stock.check",
    ]


def properties(schema: JsonObject) -> set[str]:
    """The names of an object schema's fields, or of the one it refers to."""
    own, shapes = schema.get("properties"), schema.get("$defs")
    found = set(own) if isinstance(own, dict) else set[str]()
    for shape in shapes.values() if isinstance(shapes, dict) else ():
        found |= properties(shape) if isinstance(shape, dict) else set()
    return found


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_every_way_back_is_a_tool_that_takes_what_it_is_given(name: str) -> None:
    """A reversal names a tool of the shop, gives every argument it needs and none it does not know, from what is there."""
    contract = TOOLS[name].contract
    if contract.effect == "read" or isinstance(contract.reversal, interlock.NoReversal):
        return
    assert contract.reversal is not None
    taken = TOOLS[contract.reversal.contract].contract.input_schema
    given = contract.reversal.arguments
    there = {"$args": properties(contract.input_schema), "$result": properties(contract.output_schema)}

    assert set(cast(list[str], taken["required"])) <= set(given)
    assert set(given) <= properties(taken)
    for source in given.values():
        root, _, field = str(source).partition(".")
        assert field in there[root]


def test_only_mail_and_withdrawn_goods_have_no_way_back() -> None:
    """What cannot be undone is said so, and is the exception."""
    final = {name for name, tool in TOOLS.items() if isinstance(tool.contract.reversal, interlock.NoReversal)}

    assert final == {"mail.send", "returns.withdraw"}
