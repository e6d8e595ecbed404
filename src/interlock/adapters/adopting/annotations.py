"""JSON Schemas from the annotations that a program writes, read as text: nothing is imported, nothing evaluated.

What is understood: the plain kinds, lists and tables of them, unions, `Literal`, `Annotated` with a description or bounds, and
classes of the same file (enumerations, pydantic models, dataclasses, typed dictionaries). Whatever else is not guessed: None.
"""

import ast
from collections.abc import Mapping
from typing import Final

from interlock.adapters.adopting.literals import NOTHING, literal
from interlock.domain.canonical import JsonValue

Schema = dict[str, JsonValue]

MAX_DEPTH: Final = 8
MAX_TEXT: Final = 1000
_KINDS: Final[dict[str, Schema]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "float": {"type": "number"},
    "None": {"type": "null"},
    "NoneType": {"type": "null"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "UUID": {"type": "string", "format": "uuid"},
    "Path": {"type": "string"},
    "EmailStr": {"type": "string", "format": "email"},
    "HttpUrl": {"type": "string", "format": "uri"},
    "AnyUrl": {"type": "string", "format": "uri"},
}
_LISTS: Final = frozenset(["list", "List", "Sequence", "Iterable", "Collection", "MutableSequence"])
_SETS: Final = frozenset(["set", "Set", "frozenset", "FrozenSet", "AbstractSet"])
_TABLES: Final = frozenset(["dict", "Dict", "Mapping", "MutableMapping"])
_MODELS: Final = frozenset(["BaseModel", "TypedDict", "Struct", "NamedTuple"])
_ENUMS: Final = frozenset(["Enum", "StrEnum", "IntEnum"])
_BOUNDS: Final = {
    "ge": "minimum",
    "le": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
}


class Annotations:
    """The annotations of one file. `classes` and `aliases` are what it names itself."""

    def __init__(self, classes: Mapping[str, ast.ClassDef], aliases: Mapping[str, ast.expr]) -> None:
        self._classes, self._aliases = classes, aliases

    def schema(self, node: ast.expr | None, depth: int = 0) -> Schema | None:
        """The schema of what `node` annotates, or None where that cannot be told."""
        if node is None or depth > MAX_DEPTH:
            return None
        if isinstance(node, ast.Constant):
            return self._constant(node, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._union([node.left, node.right], depth)
        if isinstance(node, ast.Subscript):
            return self._of(last_of(node.value), _members(node.slice), depth)
        name = last_of(node)
        if isinstance(node, ast.Name) and name in self._classes:
            return self._class(self._classes[name], depth)
        if isinstance(node, ast.Name) and name in self._aliases:
            return self.schema(self._aliases[name], depth + 1)
        known = _KINDS.get(name)
        return dict(known) if known is not None else None

    def fields(self, found: ast.ClassDef, depth: int = 0) -> tuple[dict[str, Schema | None], list[str]]:
        """The fields that a class annotates, and those that have a default."""
        fields: dict[str, Schema | None] = {}
        optional = list[str]()
        for each in found.body:
            if not isinstance(each, ast.AnnAssign) or not isinstance(each.target, ast.Name):
                continue
            name = each.target.id
            if name.startswith("_") or last_of(each.annotation) == "ClassVar" or name == "model_config":
                continue
            schema = self.schema(each.annotation, depth + 1)
            fields[name], has_default = with_default(schema, each.value)
            if has_default:
                optional.append(name)
        return fields, optional

    def _constant(self, node: ast.Constant, depth: int) -> Schema | None:
        if node.value is None:
            return {"type": "null"}
        if not isinstance(node.value, str) or len(node.value) > MAX_TEXT:
            return None
        try:
            # Written in quotes because it is said further down.
            return self.schema(ast.parse(node.value, mode="eval").body, depth + 1)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def _of(self, name: str, inner: list[ast.expr], depth: int) -> Schema | None:
        if name == "Optional" and len(inner) == 1:
            return self._union([inner[0], ast.Constant(None)], depth)
        if name == "Union":
            return self._union(inner, depth)
        if name == "Literal":
            values = [literal(each) for each in inner]
            fit = values and all(isinstance(each, str | int) and each is not NOTHING for each in values)
            return {"enum": [each for each in values if isinstance(each, str | int)]} if fit else None
        if name == "Annotated" and inner:
            schema = self.schema(inner[0], depth + 1)
            return None if schema is None else {**schema, **_said_of(inner[1:])}
        if name in ("Required", "NotRequired", "Final", "ReadOnly", "Field") and len(inner) == 1:
            return self.schema(inner[0], depth + 1)
        if name in _LISTS | _SETS and len(inner) == 1:
            each = self.schema(inner[0], depth + 1)
            unique: Schema = {"uniqueItems": True} if name in _SETS else {}
            return None if each is None else {"type": "array", "items": each, **unique}
        if name in ("tuple", "Tuple"):
            return self._tuple(inner, depth)
        if name in _TABLES and len(inner) == 2 and last_of(inner[0]) == "str":
            each = self.schema(inner[1], depth + 1)
            return None if each is None else {"type": "object", "additionalProperties": each}
        return None

    def _tuple(self, inner: list[ast.expr], depth: int) -> Schema | None:
        if len(inner) == 2 and isinstance(inner[1], ast.Constant) and inner[1].value is Ellipsis:
            each = self.schema(inner[0], depth + 1)
            return None if each is None else {"type": "array", "items": each}
        parts = [self.schema(each, depth + 1) for each in inner]
        sure: list[JsonValue] = [each for each in parts if each is not None]
        if len(sure) != len(parts) or not parts:
            return None
        return {"type": "array", "prefixItems": sure, "minItems": len(sure), "maxItems": len(sure)}

    def _union(self, inner: list[ast.expr], depth: int) -> Schema | None:
        parts = [self.schema(each, depth + 1) for each in inner]
        sure = [each for each in parts if each is not None]
        if len(sure) != len(parts) or not sure:
            return None
        flat = list[Schema]()
        for each in sure:
            members = each.get("anyOf")
            flat += [part for part in members if isinstance(part, dict)] if isinstance(members, list) else [each]
        return flat[0] if len(flat) == 1 else {"anyOf": list[JsonValue](flat)}

    def _class(self, found: ast.ClassDef, depth: int) -> Schema | None:
        bases = {last_of(each) for each in found.bases}
        if bases & _ENUMS:
            values = [literal(each.value) for each in found.body if isinstance(each, ast.Assign)]
            fit = values and all(isinstance(each, str | int) and each is not NOTHING for each in values)
            return {"enum": [each for each in values if isinstance(each, str | int)]} if fit else None
        plain = any(
            last_of(each.func if isinstance(each, ast.Call) else each) == "dataclass" for each in found.decorator_list
        )
        if not bases & _MODELS and not plain:
            return None
        fields, optional = self.fields(found, depth + 1)
        if not fields or any(each is None for each in fields.values()):
            return None
        sure: dict[str, JsonValue] = {name: each for name, each in fields.items() if each is not None}
        required: list[JsonValue] = [name for name in sure if name not in optional]
        return {"type": "object", "properties": sure, "required": required, "additionalProperties": False}


def with_default(schema: Schema | None, default: ast.expr | None) -> tuple[Schema | None, bool]:
    """A schema with the default that stands behind the annotation, and whether there is one."""
    if default is None:
        return schema, False
    if isinstance(default, ast.Call) and last_of(default.func) in ("Field", "field"):
        said = _said_of([default])
        given = next((each.value for each in default.keywords if each.arg == "default"), None)
        given = default.args[0] if default.args else given
        made = any(each.arg in ("default_factory", "factory") for each in default.keywords)
        schema = None if schema is None else {**schema, **said}
        if given is None or (isinstance(given, ast.Constant) and given.value is Ellipsis):
            return schema, made
        default = given
    value = literal(default)
    if schema is None or value is NOTHING:
        return schema, True
    if value is None and schema.get("type") != "null" and not _takes_null(schema):
        schema = {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "default": value}, True


def _takes_null(schema: Schema) -> bool:
    parts = schema.get("anyOf")
    return isinstance(parts, list) and {"type": "null"} in parts


def _said_of(nodes: list[ast.expr]) -> Schema:
    """What `Annotated` or `Field` add: words, and bounds."""
    said: Schema = {}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            said["description"] = node.value[:MAX_TEXT]
        for each in node.keywords if isinstance(node, ast.Call) else ():
            value = literal(each.value)
            if each.arg == "description" and isinstance(value, str):
                said["description"] = value[:MAX_TEXT]
            elif each.arg in _BOUNDS and isinstance(value, str if each.arg == "pattern" else int):
                said[_BOUNDS[each.arg]] = value
    return said


def last_of(node: ast.expr) -> str:
    """The last word of a dotted name: `typing.List` is List."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return last_of(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _members(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple) else [node]
