"""A contract to change one thing in."""

from typing import Any, cast

import msgspec

from interlock.domain.contract import Contract, NoReversal, PythonTarget
from interlock.domain.ids import ContractName

PRICE = Contract(
    name=ContractName("pricing.set_price"),
    input_schema={
        "type": "object",
        "properties": {
            "sku": {"type": "string", "maxLength": 8},
            "price_minor": {"type": "integer", "minimum": 1},
            "note": {"type": "string", "default": ""},
        },
        "required": ["sku", "price_minor"],
        "additionalProperties": False,
    },
    effect="write",
    risk="medium",
    reversal=NoReversal(why="nobody remembers the old price"),
    target=PythonTarget(target="shop.prices:set_price"),
)


def but(**changes: Any) -> Contract:
    """PRICE with something else in it."""
    return msgspec.structs.replace(PRICE, **changes)


def taking(schema: Any) -> Contract:
    """PRICE with one more argument, `x`."""
    properties = cast(dict[str, Any], PRICE.input_schema["properties"]) | {"x": schema}
    return but(input_schema={**PRICE.input_schema, "properties": properties})
