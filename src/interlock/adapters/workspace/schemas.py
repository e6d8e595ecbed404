"""Schemas in a contract's file: a whole JSON Schema, or the arguments by name.

arguments:
  sku: string                                  # short for {type: string}
  count: {type: integer, minimum: 1}
  note: {type: string, default: ""}            # all are required but those with a default
"""

from typing import Final

from interlock.adapters.workspace.fields import Section, at, json_of, near
from interlock.adapters.workspace.nodes import Node, Scalar, Table
from interlock.domain.canonical import JsonValue
from interlock.domain.closing import Flaw, Schema, closed, inexact

_KINDS: Final = ("string", "integer", "boolean", "array", "object", "null", "number")


def is_whole(table: Table) -> bool:
    """Whether a table is a whole JSON Schema rather than one argument a name."""
    kind = table.entries.get("type")
    return isinstance(kind, Scalar) and kind.text == "object"


def schema_behind(section: Section, name: str, *, exact: bool) -> Schema:
    """The schema behind `name`; an empty, closed one where there are no arguments, none at all where no result is said."""
    node = section.take(name)
    if node is None:
        return {"type": "object", "properties": {}, "additionalProperties": False} if exact else {}
    if not isinstance(node, Table):
        section.wrong(f"`{name}` must be a table: the JSON Schema of each, by name", node)
        return {}
    return schema_in(section, node, exact=exact)


def schema_in(section: Section, table: Table, *, exact: bool) -> Schema:
    """The schema that `table` writes out, or the object of the arguments it names. `exact`: closed, and all of it said."""
    whole = is_whole(table)
    if whole:
        written = json_of(table, section.problems)
        schema: Schema = written if isinstance(written, dict) else {}
    else:
        named = {name: _property(section, name, node) for name, node in table.entries.items()}
        required: list[JsonValue] = [name for name, part in named.items() if "default" not in part]
        schema = {"type": "object", "properties": dict[str, JsonValue](named), "required": required}
    shut, flaws = closed(schema) if exact else (schema, inexact(schema))
    for flaw in flaws:
        _flawed(section, table, flaw, whole=whole)
    return shut


def _property(section: Section, name: str, node: Node) -> Schema:
    """One argument: its schema, or only its kind."""
    if isinstance(node, Scalar) and node.text in _KINDS:
        return {"type": node.text}
    if isinstance(node, Table):
        schema = json_of(node, section.problems)
        return schema if isinstance(schema, dict) else {}
    said = node.text if isinstance(node, Scalar) else ""
    section.wrong(f"`{name[:64]}` must be a JSON Schema or a kind such as string{near(said, _KINDS)}", node)
    return {"type": "null"}


def _flawed(section: Section, table: Table, flaw: Flaw, *, whole: bool) -> None:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in flaw.schema.split("/")[1:]]
    if not whole and steps[:1] == ["properties"]:
        steps = steps[1:]
    section.wrong(f"`{flaw.value or 'it'}` {flaw.detail}", at(table, steps))
