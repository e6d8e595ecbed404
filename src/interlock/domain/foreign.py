"""Arguments as a stranger's JSON Schema has them, bound: closed, exact, each of one kind.

A server of others says what its tool takes in any JSON Schema it likes: open objects, fractions, alternatives, references to
itself. Here the same arguments become a schema that a policy can be held against and that has one byte form. What has no such
form becomes a text, and `forms` says where and which (see `exact`); nothing that a client could say is lost by that, and whatever
the schema is, a contract comes of it. Only names that cannot stand in a contract at all are refused.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias, cast

import jsonschema_rs

from interlock.domain.canonical import MAX_INTEGER, CanonicalError, JsonValue, encode, pointer
from interlock.domain.closing import Schema
from interlock.domain.errors import ContractError
from interlock.domain.exact import DECIMAL, MAX_DIGITS, Forms, InexactError, Raw, bound, decimal_of

Said: TypeAlias = dict[str, Raw]
"""A schema as somebody else wrote it."""

MAX_DEPTH: Final = 12
"""Deeper in the arguments a value is a text."""
MAX_NODES: Final = 4_000

_NO_NAMES: Final = frozenset({"__entity", "__extn", "__expr", "*"})
"""Names that mean something else to policies, or to `forms`."""
_TEXT: Final = {"type": "string", "contentMediaType": "application/json"}
_KEPT: Final = {
    "string": ("minLength", "maxLength", "pattern"),
    "array": ("minItems", "maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties"),
}
_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_KINDS: Final = frozenset({"string", "integer", "number", "boolean", "array", "object"})


class Foreign(NamedTuple):
    """The arguments as a contract takes them, and what is a text in them that was something else."""

    schema: Schema
    forms: Forms


class _Node(NamedTuple):
    """A schema that is settled: of one kind, and whether it may be null. `kind` is empty where it is of none."""

    kind: str
    words: Said
    nullable: bool
    within: frozenset[str]


def foreign(schema: Said, *, whole: frozenset[str] = frozenset(), hidden: str = "") -> Foreign:
    """The arguments that `schema` describes. Those named in `whole` are integers, by their owner's word, where the schema says
    `number`; the one that is `hidden` is not the caller's to give. Raises ContractError."""
    return _Binding(schema, whole, hidden).all()


class _Binding:
    """One walk through a schema."""

    def __init__(self, root: Said, whole: frozenset[str], hidden: str) -> None:
        self.root = root
        self.whole = whole
        self.hidden = hidden
        self.forms: Forms = {}
        self.nodes = 0

    def all(self) -> Foreign:
        """The whole: an object, whatever else is said around it."""
        node = self.settled(self.root, frozenset())
        properties = node.words.get("properties")
        named = properties if isinstance(properties, dict) else {}
        if node.kind not in ("object", "") or (
            node.kind == "" and not named and node.words.keys() & {"anyOf", "oneOf"}
        ):
            raise ContractError("its arguments are no object with names", path="/input_schema")
        for name in named:
            if not _usable(name):
                raise ContractError(
                    f"it takes an argument {name[:40]!r}, a name that no contract can have", path="/input_schema"
                )
        found = self.members(named, node, "", 0)
        self.defaults(named, cast(Schema, found["properties"]))
        return Foreign(found, self.forms)

    def members(self, named: Mapping[str, Raw], node: _Node, place: str, depth: int) -> Schema:
        """An object with the members it names and no others."""
        taken = {name: part for name, part in named.items() if place or name != self.hidden}
        properties: dict[str, JsonValue] = {
            name: self.node(part, place + pointer(name), node.within, depth + 1) for name, part in taken.items()
        }
        required = node.words.get("required")
        needed: list[JsonValue] = [name for name in (required if isinstance(required, list) else []) if name in taken]
        found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return {**found, "required": needed} if needed else found

    def node(self, part: Raw, place: str, within: frozenset[str], depth: int) -> Schema:
        """One schema, bound; what cannot be is a text."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ContractError("its schema is too large to be read by anybody", path="/input_schema")
        node = self.settled(part, within)
        found = self.kind(node, place, depth)
        if found is None:
            self.forms[place] = "json"
            found = dict(_TEXT)
        elif node.nullable:
            found = _or_null(found)
        said = _words(node.words)
        if self.forms.get(place) == "json":
            said["description"] = f"{said.get('description', '')} (JSON text)".strip()
        return {**said, **found}

    def kind(self, node: _Node, place: str, depth: int) -> Schema | None:
        """A schema of one kind, or None where it is of none that has a form."""
        if depth > MAX_DEPTH:
            return None
        match node.kind:
            case "string":
                return _string(node.words)
            case "boolean":
                return {"type": "boolean"}
            case "integer":
                return _integer(node.words)
            case "number":
                return self.number(node, place)
            case "array":
                return self.array(node, place, depth)
            case "object":
                return self.object(node, place, depth)
            case _:
                return None

    def number(self, node: _Node, place: str) -> Schema | None:
        """A number: an integer where its owner says so, else its decimal text."""
        if place.removeprefix("/") in self.whole:
            return _integer(node.words)
        values = _listed(node.words)
        texts = [decimal_of(each) for each in values or () if isinstance(each, int | float)]
        if len(texts) < len(values or ()):
            return None
        self.forms[place] = "decimal"
        if values is None:
            return {"type": "string", "pattern": DECIMAL, "maxLength": MAX_DIGITS}
        return {"type": "string", "enum": cast("list[JsonValue]", texts)}

    def array(self, node: _Node, place: str, depth: int) -> Schema | None:
        """A list whose items are of one kind each; an item that may be null is a text."""
        if "prefixItems" in node.words or _listed(node.words) is not None:
            return None
        items = node.words.get("items", True)
        inner = self.settled(items, node.within)
        below = f"{place}/*"
        if inner.nullable or not inner.kind:
            self.forms[below] = "json"
            bound_items: Schema = dict(_TEXT)
        else:
            bound_items = self.node(items, below, node.within, depth + 1)
        return {"type": "array", "items": bound_items, **_sizes(node.words, "array")}

    def object(self, node: _Node, place: str, depth: int) -> Schema | None:
        """An object that names its members, or a map whose members are of one kind."""
        if _listed(node.words) is not None:
            return None
        properties, more = node.words.get("properties"), node.words.get("additionalProperties")
        if isinstance(properties, dict) and properties:
            named = properties
            if not all(map(_usable, named)):
                return None
            return self.members(named, node, place, depth)
        if more is False:
            return {"type": "object", "properties": {}, "additionalProperties": False}
        if not isinstance(more, dict) or not more:
            return None
        member = self.node(more, f"{place}/*", node.within, depth + 1)
        return {"type": "object", "additionalProperties": member, **_sizes(node.words, "object")}

    def settled(self, part: Raw, within: frozenset[str]) -> _Node:
        """What `part` is once references are followed and alternatives that are one kind are made that kind."""
        none = _Node("", {}, False, within)
        if not isinstance(part, dict):
            return none
        words = part
        reference = words.get("$ref")
        if isinstance(reference, str):
            if reference in within or len(within) > MAX_DEPTH:
                return none
            target = self.target(reference)
            if target is None:
                return none
            beside = {name: value for name, value in words.items() if name != "$ref"}
            return self.settled({**target, **beside}, within | {reference})
        parts = words.get("allOf")
        if isinstance(parts, list) and ("type" not in words or len(parts) == 1):
            beside = {name: value for name, value in words.items() if name != "allOf"}
            alone = parts[0] if len(parts) == 1 else None
            if isinstance(alone, dict):
                return self.settled({**alone, **beside}, within)
            return none._replace(words=words)
        branches = words.get("anyOf", words.get("oneOf"))
        if isinstance(branches, list) and "type" not in words:
            return self.alternatives(branches, words, within)
        return _kind_of(words, within)

    def alternatives(self, branches: list[Raw], words: Said, within: frozenset[str]) -> _Node:
        """One of several: of one kind, if they all are."""
        settled = [self.settled(each, within) for each in branches]
        real = [each for each in settled if each.kind != "null"]
        nullable = len(real) < len(settled) or any(each.nullable for each in real)
        said = {name: value for name, value in words.items() if name in ("title", "description", "default")}
        if len(real) == 1:
            return real[0]._replace(words={**real[0].words, **said}, nullable=nullable)
        kinds = {each.kind for each in real}
        lists = [_listed(each.words) for each in real]
        if kinds == {"string"} and all(each is not None for each in lists):
            return _Node("string", {**said, "enum": [x for each in lists for x in each or ()]}, nullable, within)
        if kinds <= {"integer", "number"} and kinds and not any(lists):
            return _Node("number" if "number" in kinds else "integer", said, nullable, within)
        if kinds in ({"string"}, {"boolean"}):
            return _Node(kinds.pop(), said, nullable, within)
        return _Node("", said, nullable, within)

    def target(self, reference: str) -> Said | None:
        """What a reference within the schema means; None for any other."""
        if reference != "#" and not reference.startswith("#/"):
            return None
        at = cast(Raw, self.root)
        for step in reference.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            at = at.get(name) if isinstance(at, dict) else None
        return at if isinstance(at, dict) else None

    def defaults(self, named: Mapping[str, Raw], properties: Schema) -> None:
        """The defaults of arguments, as the contract fills them in: those that fit what they are the default of."""
        for name, part in properties.items():
            node = self.settled(named.get(name), frozenset())
            if "default" not in node.words or not isinstance(part, dict):
                continue
            try:
                value = bound({name: node.words["default"]}, self.forms)[name]
                encode(value)
                if jsonschema_rs.is_valid(part, value):
                    part["default"] = value
            except (InexactError, CanonicalError):
                continue


def _kind_of(words: Said, within: frozenset[str]) -> _Node:
    """The one kind that `type` says, or that follows from what else is said."""
    said: Raw = words.get("type")
    kinds = [str(each) for each in said] if isinstance(said, list) else [] if said is None else [str(said)]
    values = _listed(words)
    if not kinds and values is not None:
        kinds = sorted({_kind_of_value(each) for each in values})
    elif not kinds and "properties" in words:
        kinds = ["object"]
    elif not kinds and "items" in words:
        kinds = ["array"]
    real = [each for each in kinds if each != "null"]
    nullable = len(real) < len(kinds) or (values is not None and None in values)
    if set(real) == {"integer", "number"}:
        real = ["number"]
    if kinds == ["null"]:
        return _Node("null", words, True, within)
    kind = real[0] if len(real) == 1 and real[0] in _KINDS else ""
    return _Node(kind, words, nullable, within)


def _kind_of_value(value: Raw) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case _:
            return "?"


def _string(words: Said) -> Schema | None:
    values = _listed(words)
    if values is None:
        found: Schema = {"type": "string", **_sizes(words, "string")}
        return found if _compiles(found) else {"type": "string"}
    texts = dict.fromkeys(each for each in values if isinstance(each, str))
    if not texts or any(each is not None and not isinstance(each, str) for each in values):
        return None
    return {"type": "string", "enum": list[JsonValue](texts)}


def _integer(words: Said) -> Schema | None:
    values = _listed(words)
    if values is not None:
        wholes = [each for each in values if isinstance(each, int) and abs(each) <= MAX_INTEGER]
        if len(wholes) < len([each for each in values if each is not None]):
            return None
        return {"type": "integer", "enum": list[JsonValue](wholes)}
    found: Schema = {"type": "integer"}
    for word in _BOUNDS:
        limit = words.get(word)
        if isinstance(limit, int | float) and abs(limit) <= MAX_INTEGER and limit == int(limit):
            found[word] = int(limit)
    return found


def _sizes(words: Said, kind: str) -> Schema:
    """The words that bound a value of `kind`, where they are what they should be."""
    found: Schema = {}
    for word in _KEPT[kind]:
        said = words.get(word)
        if (isinstance(said, str) and word == "pattern") or (isinstance(said, int) and word != "pattern"):
            found[word] = said
    return found


def _compiles(schema: Schema) -> bool:
    """Whether a pattern means anything to us; one that does not is the server's alone to hold."""
    try:
        encode(schema)
        jsonschema_rs.validator_for(schema, offline=True)
    except (ValueError, jsonschema_rs.ValidationError):
        return False
    return True


def _listed(words: Mapping[str, Raw]) -> list[Raw] | None:
    values = words.get("enum")
    if isinstance(values, list):
        return values
    return [words["const"]] if "const" in words else None


def _or_null(found: Schema) -> Schema:
    values = found.get("enum")
    either: Schema = {**found, "type": [found["type"], "null"]}
    if isinstance(values, list):
        either["enum"] = [*values, None]
    return either


def _words(words: Said) -> Schema:
    """What is said of it for people, as far as it can be recorded."""
    said: Schema = {}
    for name in ("title", "description"):
        text = words.get(name)
        if isinstance(text, str) and text:
            said[name] = text.encode(errors="replace").decode()
    return said


def _usable(name: str) -> bool:
    return bool(name) and name.isascii() and name.isprintable() and name not in _NO_NAMES
