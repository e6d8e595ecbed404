"""JSON Schemas as contracts need them: closed, exact, and saying what everything is.

Whoever writes a schema elsewhere (a person in YAML, another server's tool, a library from annotations) leaves objects
open because that is JSON Schema's default. Here an object takes the fields it names and no others; a number that is
not an integer has no exact form; and what may be anything cannot be held against a policy or shown to a reviewer.
"""

from typing import Final, NamedTuple

from interlock.domain.canonical import MAX_DEPTH, JsonValue, pointer

Schema = dict[str, JsonValue]

SCHEMA_MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""Keywords whose members are schemas under names of the user's."""

SCHEMA_DATA: Final = frozenset({"enum", "const", "default", "examples", "required", "type", "dependentRequired"})
"""Keywords that hold values, not schemas."""

_SAYS: Final = frozenset({"type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf", "not"})
_INSIDE: Final = {"items": "/*", "prefixItems": "/*", "additionalProperties": "/*", "contains": "/*"}


class Flaw(NamedTuple):
    """What cannot be closed. `schema` points into the schema, `value` to the part of a value that is meant."""

    schema: str
    value: str
    detail: str


_WHOLE: Final = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else"})
"""Keywords whose schemas speak of the same value again."""

_NUMBER: Final = "is a floating-point number, which has no exact form; use integer minor units, or text"
_ANYTHING: Final = "may be anything; say what it is"


def closed(schema: Schema, *, narrow: bool = False) -> tuple[Schema, tuple[Flaw, ...]]:
    """A copy of `schema` whose objects take no fields but those they name, and what stands in the way of that.

    An object that says it is open is a flaw, or is closed all the same if `narrow`: for schemas of others, who accept more
    than we send.
    """
    closing = _Closing(narrow=narrow)
    return closing.node(schema, _At("", "", 0)), tuple(closing.flaws)


def inexact(schema: Schema) -> tuple[Flaw, ...]:
    """Only what is a floating-point number, for schemas of results, which may be open."""
    return tuple(flaw for flaw in closed(schema, narrow=True)[1] if flaw.detail == _NUMBER)


class _At(NamedTuple):
    """Where we are: in the schema, in the value, how deep; and whether the value's kind is said further out."""

    schema: str
    value: str
    depth: int
    again: bool = False

    def step(self, word: str | int, value: str = "", *, again: bool = False) -> "_At":
        return _At(self.schema + pointer(word), self.value + value, self.depth + 1, again)


class _Closing:
    """One walk through a schema."""

    def __init__(self, *, narrow: bool) -> None:
        self.narrow = narrow
        self.flaws: list[Flaw] = []

    def flaw(self, at: _At, detail: str) -> None:
        self.flaws.append(Flaw(at.schema, at.value, detail))

    def node(self, node: Schema, at: _At) -> Schema:
        """One schema, closed."""
        if at.depth > MAX_DEPTH:
            self.flaw(at, "is nested too deep")
            return {}
        result = {word: self.member(word, part, node, at) for word, part in node.items()}
        kinds = node.get("type")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if "number" in kinds:
            self.flaw(at, _NUMBER)
        if at.again:
            return result
        if not node.keys() & _SAYS:
            self.flaw(at, _ANYTHING)
        if isinstance(parts := node.get("allOf"), list) and len(parts) > 1 and "type" not in node:
            self.flaw(at, "is put together by `allOf`, which cannot be closed; write it out as one object")
        if "array" in kinds and not node.keys() & {"items", "prefixItems"}:
            self.flaw(at, "is a list of anything; say of what")
        if ("object" in kinds or "properties" in node) and node.get("additionalProperties", True) in (True, {}):
            self.shut(node, result, at)
        return result

    def shut(self, node: Schema, result: Schema, at: _At) -> None:
        """An object that is open: closed where it names fields, unless it means to be open."""
        names = node.keys() & {"properties", "patternProperties"}
        if not names or ("additionalProperties" in node and not self.narrow):
            self.flaw(at, "is an open object; name its fields, or say of what kind its values are")
        result["additionalProperties"] = False

    def member(self, word: str, part: JsonValue, node: Schema, at: _At) -> JsonValue:
        """What stands under one keyword of `node`."""
        if word in SCHEMA_DATA:
            return part
        if word in SCHEMA_MAPS and isinstance(part, dict):
            inside = word in ("properties", "patternProperties")
            return {
                name: self.child(child, at.step(word).step(name, pointer(name) if inside else "", again=False))
                for name, child in part.items()
            }
        if word == "additionalProperties" and part in (True, {}):
            return part  # the object's own business
        again = word in _WHOLE and ("type" in node or at.again)
        below = at.step(word, _INSIDE.get(word, ""), again=again)
        if isinstance(part, list):
            return [self.child(child, below.step(place, again=again)) for place, child in enumerate(part)]
        return self.child(part, below)

    def child(self, child: JsonValue, at: _At) -> JsonValue:
        """A schema, or a value that stands where one might."""
        if isinstance(child, dict):
            return self.node(child, at)
        if child is True and not at.again:
            self.flaw(at, _ANYTHING)
        return child
