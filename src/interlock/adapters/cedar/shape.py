"""What Cedar can know of a JSON value: the part of JSON Schema that has a Cedar type.

string -> String, integer -> Long, boolean -> Bool, an enum of strings -> an entity type with those ids, array -> Set,
object -> record. What may be missing or null is optional: Cedar has no null, so the two are one for policies.
Refused are floating-point numbers and values of several types. What has no Cedar type at all (open maps, tuples,
what holds itself, anything goes) is left out, so that a policy which names it is refused and none is silently wrong.
"""

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec

from interlock.domain.canonical import JsonValue, pointer
from interlock.domain.errors import PolicyError

JsonSchema = dict[str, JsonValue]


class _Shape(msgspec.Struct, frozen=True):
    """A Cedar type."""


class Text(_Shape, frozen=True):
    """String."""


class Integer(_Shape, frozen=True):
    """Long: 64 bits, signed."""


class Flag(_Shape, frozen=True):
    """Bool."""


class Choice(_Shape, frozen=True):
    """An entity type `name` whose ids are `values`, sorted."""

    name: str
    values: tuple[str, ...]


class Many(_Shape, frozen=True):
    """Set: order and repetition of the JSON array are gone."""

    item: "Shape"


class Group(_Shape, frozen=True):
    """A record. Members are sorted by name. Of a `partial` one a value may have more, which policies do not see; this
    is known only while a bundle is formed, and is no part of the schema's text."""

    members: tuple["Member", ...] = ()
    partial: bool = False


class Member(msgspec.Struct, frozen=True):
    """One member of a record."""

    name: str
    shape: "Shape"
    optional: bool = False


Shape: TypeAlias = Text | Integer | Flag | Choice | Many | Group

# How Cedar's JSON form marks an entity or an extension value: a record with such a member would be read as one.
_ESCAPES: Final = frozenset({"__entity", "__extn", "__expr"})
# Names that mean something else in our schemas.
_TAKEN: Final = frozenset(
    "Action Agent Bool Boolean Entity Extension Long Record Release Set Stage String System".split()  # noqa: SIM905 - reads better
)


class Reader:
    """Reads one JSON Schema. `unseen` collects what was left out: pointer and why."""

    def __init__(self, owner: str, schema: JsonSchema, *, defaults_everywhere: bool) -> None:
        """`owner` is for messages. A member with a default is always there: at the top, where binding fills it in,
        or everywhere when `defaults_everywhere`, because whoever makes the value writes them."""
        self._owner = owner
        self._root = schema
        self._defaults_everywhere = defaults_everywhere
        self.unseen: list[tuple[str, str]] = []

    def record(self) -> Group:
        """The whole schema as a record. Raises PolicyError where it is none, or where a member is refused."""
        node, _ = self._settled(self._root, "", frozenset())
        if node.get("type") != "object":
            raise self._refused("", "must be an object")
        return self._members(node, "", frozenset()) or Group()

    def described(self, path: tuple[str, ...]) -> JsonSchema | None:
        """What the schema says of the member at `path`, a name for each object on the way; None where there is none."""
        node, within = self._settled(self._root, "", frozenset())
        for name in path:
            members = node.get("properties")
            child = members.get(name) if isinstance(members, dict) else None
            if not isinstance(child, dict):
                return None
            node, within = self._settled(child, "", within)
        return node

    def _shape(self, node: JsonSchema, name: str, path: str, within: frozenset[str]) -> Shape | None:
        """The shape of a node that is settled, or None when it was left out."""
        values = _listed(node)
        if values is not None:
            return self._choice(values, name, path)
        match node.get("type"):
            case "string":
                return Text()
            case "integer":
                return Integer()
            case "boolean":
                return Flag()
            case "number":
                raise self._refused(path, "is a floating-point number; use integer minor units or text")
            case "array":
                return self._many(node, name, path, within)
            case "object":
                found = self._members(node, path, within)
                return found if found is not None else self._left_out(path, "an object without named members")
            case _:
                return self._left_out(path, "a value of no single type, or one that holds itself")

    def _choice(self, values: list[JsonValue], name: str, path: str) -> Shape:
        kinds = {type(value) for value in values}
        if kinds == {str}:
            return Choice(type_name(name), tuple(sorted({str(value) for value in values})))
        if kinds == {int}:
            return Integer()
        if kinds == {bool}:
            return Flag()
        raise self._refused(path, "lists values of several types, or none")

    def _many(self, node: JsonSchema, name: str, path: str, within: frozenset[str]) -> Shape | None:
        items = node.get("items")
        if not isinstance(items, dict) or not items or "prefixItems" in node:
            return self._left_out(path, "an array whose items have no single type")
        place = path + "/items"
        inner, within = self._settled(items, place, within)
        if _nullable(inner):
            raise self._refused(place, "may be null, which a set cannot hold")
        item = self._shape(inner, name, place, within)
        return None if item is None else Many(item)

    def _members(self, node: JsonSchema, path: str, within: frozenset[str]) -> Group | None:
        properties = node.get("properties")
        if not isinstance(properties, dict):
            # Closed and without members it is the empty record; open, nothing is known of it.
            return Group() if node.get("additionalProperties") is False else None
        required = node.get("required")
        needed = {str(name) for name in required} if isinstance(required, list) else set[str]()
        members: list[Member] = []
        for name, child in sorted(properties.items()):
            place = f"{path}/properties{pointer(name)}"
            if name in _ESCAPES:
                raise self._refused(place, "has a name that Cedar's JSON form keeps for itself")
            if not isinstance(child, dict):
                self._left_out(place, "a value of no single type")
                continue
            inner, inside = self._settled(child, place, within)
            given = name in needed or ("default" in child and (self._defaults_everywhere or not path))
            shape = self._shape(inner, name, place, inside)
            if shape is not None:
                members.append(Member(name, shape, not given or _nullable(inner)))
        # Members that only have to be named after a pattern are none that a policy could name.
        more = node.get("additionalProperties") is not False or bool(node.get("patternProperties"))
        return Group(tuple(members), more or len(members) < len(properties))

    def _settled(self, node: JsonSchema, path: str, within: frozenset[str]) -> tuple[JsonSchema, frozenset[str]]:
        """`node` with references followed and alternatives that are one type made that type; `nullable` says whether
        null is among them. `within` holds the references being followed, to see one that leads to itself."""
        reference = node.get("$ref")
        if isinstance(reference, str):
            if reference in within:
                return {}, within
            return self._settled(self._target(reference, path), path, within | {reference})
        alone = node.get("allOf")
        if isinstance(alone, list) and len(alone) == 1 and isinstance(alone[0], dict):
            return self._settled({**node, **alone[0], "allOf": []}, path, within)
        branches = [branch for word in ("anyOf", "oneOf") for branch in _branches(node, word)]
        # Beside a type of its own, alternatives only narrow: which members go together, which lengths.
        if branches and "type" not in node:
            return self._alternatives(branches, path, within)
        kinds = node.get("type")
        if isinstance(kinds, list):
            named = [kind for kind in kinds if kind != "null"]
            if _listed(node) is None and len(named) > 1:
                raise self._refused(path, "may be of several types; policies need one")
            kind = named[0] if named else "null"
            return {**node, "type": kind, "nullable": "null" in kinds}, within
        # `nullable` is a word of ours here: whatever the author meant by it is no JSON Schema.
        return {**node, "nullable": None in (_listed(node, null=True) or ())}, within

    def _alternatives(
        self, branches: list[JsonSchema], path: str, within: frozenset[str]
    ) -> tuple[JsonSchema, frozenset[str]]:
        settled = [self._settled(branch, path, within) for branch in branches]
        real = [(node, inside) for node, inside in settled if node.get("type") != "null"]
        nullable = len(real) < len(settled) or any(_nullable(node) for node, _ in real)
        if len(real) == 1:
            node, inside = real[0]
            return {**node, "nullable": nullable}, inside
        lists = [_listed(node) for node, _ in real]
        if real and all(each is not None for each in lists):
            return {"enum": [value for each in lists for value in each or ()], "nullable": nullable}, within
        kinds = {str(node.get("type")) for node, _ in real}
        if len(kinds) == 1 and kinds <= {"string", "integer", "boolean"}:
            return {"type": kinds.pop(), "nullable": nullable}, within
        raise self._refused(path, "may be of several types; policies need one")

    def _target(self, reference: str, path: str) -> JsonSchema:
        node: JsonValue = self._root
        for step in _steps(reference):
            node = node.get(step) if isinstance(node, dict) else None
        if not isinstance(node, dict):
            raise self._refused(path, f"refers to `{reference}`, which is not in the schema")
        return node

    def _left_out(self, path: str, why: str) -> Shape | None:
        self.unseen.append((path, why))
        return None

    def _refused(self, path: str, why: str) -> PolicyError:
        where = f"{self._owner} {path}" if path else self._owner
        return PolicyError(f"{where} {why}", next_step="mend the contract's schema")


def type_name(member: str) -> str:
    """The entity type of an enum by the name of its member: `return_reason` -> `ReturnReason`, `agent` ->
    `AgentValue`. Members of the same name share it, with the values of all of them."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", member) if word]
    name = "".join(word[0].upper() + word[1:] for word in words)
    if not name or not name[0].isalpha():
        name = f"Value{name}"
    return f"{name}Value" if name in _TAKEN else name


def choices(shape: Shape) -> Iterator[Choice]:
    """Every enum within `shape`."""
    match shape:
        case Choice():
            yield shape
        case Many():
            yield from choices(shape.item)
        case Group():
            for member in shape.members:
                yield from choices(member.shape)
        case Text() | Integer() | Flag():
            return


def in_part(shape: Shape) -> bool:
    """Whether there may be more to a value than policies see, at any depth."""
    match shape:
        case Many():
            return in_part(shape.item)
        case Group():
            return shape.partial or any(in_part(member.shape) for member in shape.members)
        case Text() | Integer() | Flag() | Choice():
            return False


def _listed(node: JsonSchema, *, null: bool = False) -> list[JsonValue] | None:
    """The values that `enum` or `const` allow, without null unless asked for; None where neither is there."""
    values = node.get("enum")
    if not isinstance(values, list):
        if "const" not in node:
            return None
        values = [node["const"]]
    found = [value for value in values if null or value is not None]
    return found if found or not values else None


def _branches(node: JsonSchema, word: str) -> list[JsonSchema]:
    found = node.get(word)
    # `true` as a branch allows anything, as does a branch without words.
    return [branch if isinstance(branch, dict) else {} for branch in found] if isinstance(found, list) else []


def _nullable(node: JsonSchema) -> bool:
    return node.get("nullable") is True or node.get("type") == "null"


def _steps(reference: str) -> list[str]:
    if reference == "#":
        return []
    if not reference.startswith("#/"):
        return [reference]
    return [step.replace("~1", "/").replace("~0", "~") for step in reference.removeprefix("#/").split("/")]
