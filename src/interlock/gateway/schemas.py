"""What a client is told of what tools take and give, as the protocol wants it: objects, and room for what is said instead."""

from typing import Final, cast

from mcp_types import ToolAnnotations

from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, Reversal

RESULT: Final = "result"
"""Under what a result stands that is no object."""
INSTEAD: Final[dict[str, JsonValue]] = {
    "type": "object",
    "properties": {"ticket": {"type": "string"}, "state": {"type": "string"}},
    "required": ["ticket", "state"],
}
"""What is given in place of a result: a ticket, or what may be told of a result that was masked or withheld."""
_DEFINITIONS: Final = ("$defs", "definitions")
_LOCAL: Final = ("#/$defs/", "#/definitions/")


def taken(contract: Contract) -> dict[str, JsonValue]:
    """The schema of the arguments."""
    schema = contract.input_schema
    return schema if schema.get("type") == "object" else {**schema, "type": "object"}


def given(schema: dict[str, JsonValue]) -> dict[str, JsonValue] | None:
    """The schema of what a call gives: what the tool promises, or what is said instead. None where nothing is promised, or it
    points into itself in a way that does not survive being one of two."""
    if not schema or not _survives(schema):
        return None
    hoisted: dict[str, JsonValue] = {key: schema[key] for key in _DEFINITIONS if key in schema}
    own: dict[str, JsonValue] = {key: value for key, value in schema.items() if key not in (*_DEFINITIONS, "$schema")}
    if own.get("type") != "object":
        own = {"type": "object", "properties": {RESULT: own}, "required": [RESULT]}
    return {**hoisted, "type": "object", "anyOf": [own, cast(JsonValue, INSTEAD)]}


def structured(value: JsonValue) -> dict[str, JsonValue]:
    """A result as an object."""
    return value if isinstance(value, dict) else {RESULT: value}


def fits(schema: dict[str, JsonValue]) -> bool:
    """Whether results by `schema` are objects themselves."""
    return schema.get("type") == "object"


def hints(contract: Contract) -> ToolAnnotations:
    """What the contract says of the effect, in the protocol's words. The server's own are not repeated."""
    reads = contract.effect == "read"
    return ToolAnnotations(
        read_only_hint=reads,
        destructive_hint=not reads and not isinstance(contract.reversal, Reversal),
        idempotent_hint=reads or type(contract.idempotency).__name__ != "Blind",
        open_world_hint=contract.effect == "external",
    )


def _survives(value: JsonValue) -> bool:
    """Whether every pointer in it goes to a definition at the top, which stays there."""
    if isinstance(value, dict):
        to = value.get("$ref", "#/$defs/")
        if "$id" in value or "$dynamicRef" in value or not isinstance(to, str) or not to.startswith(_LOCAL):
            return False
        return all(_survives(each) for each in value.values())
    return all(_survives(each) for each in value) if isinstance(value, list) else True
