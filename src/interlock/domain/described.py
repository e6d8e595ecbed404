"""What a JSON Schema says of one value inside: its types, those of its items, whether it may be missing."""

from collections.abc import Iterator
from typing import Final

import msgspec

from interlock.domain.canonical import JsonValue

Schema = dict[str, JsonValue]

_TYPE_OF: Final = {str: "string", int: "integer", bool: "boolean", type(None): "null", list: "array", dict: "object"}


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What may stand in one place."""

    types: frozenset[str]
    """JSON types, `null` not among them. Empty where the schema does not say."""
    items: frozenset[str] = frozenset()
    """The types of an array's items."""
    absent: bool = False
    """It may be missing, or null."""


def described(schema: Schema, path: tuple[str, ...], *, defaults_given: bool) -> Described | None:
    """What `schema` says of the value at `path`, one name for each object on the way; None where there is none.

    A member with a default is always there: at the top, where binding fills it in, or everywhere if `defaults_given`.
    """
    nodes, absent = [schema], False
    for depth, name in enumerate(path):
        below: list[Schema] = []
        for node in _plain(schema, nodes):
            members = node.get("properties")
            child = members.get(name) if isinstance(members, dict) else None
            if not isinstance(child, dict):
                continue
            needed = node.get("required")
            below.append(child)
            given = "default" in child and (defaults_given or depth == 0)
            absent |= not given and not (isinstance(needed, list) and name in needed)
        if not below:
            return None
        nodes = below
        absent |= "null" in _types(schema, nodes)
    items = [each for node in _plain(schema, nodes) if isinstance(each := node.get("items"), dict)]
    return Described(types=_types(schema, nodes) - {"null"}, items=_types(schema, items), absent=absent)


def _types(root: Schema, nodes: list[Schema]) -> frozenset[str]:
    found: set[str] = set()
    for node in _plain(root, nodes):
        kinds = node.get("type")
        if isinstance(kinds, str):
            found.add(kinds)
        elif isinstance(kinds, list):
            found |= {str(kind) for kind in kinds}
        else:
            values = node.get("enum")
            values = values if isinstance(values, list) else [node["const"]] if "const" in node else []
            found |= {_TYPE_OF.get(type(value), "number") for value in values}
    return frozenset(found)


def _plain(root: Schema, nodes: list[Schema]) -> Iterator[Schema]:
    """`nodes` with references followed and alternatives side by side, each once: one that leads to itself leads nowhere."""
    pending, seen = list(nodes), set[int]()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        reference = node.get("$ref")
        if isinstance(reference, str):
            target = _target(root, reference)
            pending += [] if target is None else [target]
            continue
        branches = [
            part for word in ("anyOf", "oneOf", "allOf") if isinstance(parts := node.get(word), list) for part in parts
        ]
        if branches and not node.keys() & {"type", "enum", "const"}:
            pending += [branch for branch in branches if isinstance(branch, dict)]
            continue
        yield node


def _target(root: Schema, reference: str) -> Schema | None:
    if reference != "#" and not reference.startswith("#/"):
        return None
    node: JsonValue = root
    for step in reference.split("/")[1:]:
        node = node.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else None
