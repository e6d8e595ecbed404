"""What entries of the log say, drawn from the types that write them: tables for a reader, JSON Schema for a program."""

import json
from typing import Any, Final, Literal, get_args, get_origin

import msgspec

from interlock.domain.evidence import PREDICATE_BASE, STATEMENT_TYPE, Subject
from interlock.domain.predicate import Part
from interlock.domain.proceedings import BODIES, Common
from interlock.domain.whose import COMMITTED, DOES_NOT_ASSERT, SAID_BY
from scripts.fields import sentences
from scripts.markdown import table

SCHEMA: Final = "docs/reference/evidence.schema.json"


def whole(subject: Subject) -> type[msgspec.Struct]:
    """The type of a whole predicate about `subject`: what every entry says, and what one about that says."""
    parts: dict[str, tuple[Any, ...]] = {}
    for kind in (Common, BODIES[subject]):
        for field in msgspec.structs.fields(kind):
            if field.required:
                given: tuple[Any, ...] = ()
            elif field.default_factory is not msgspec.NODEFAULT:
                given = (msgspec.field(default_factory=field.default_factory),)
            else:
                given = (field.default,)
            parts[field.name] = (field.name, field.type, *given)
    return msgspec.defstruct(
        f"{subject.title()}Predicate", list(parts.values()), bases=(Part,), frozen=True, kw_only=True
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of any Statement of ours, one branch for each `predicateType`."""
    kinds = {subject: whole(subject) for subject in BODIES}
    found, parts = msgspec.json.schema_components(kinds.values(), ref_template="#/$defs/{name}")
    branches = [
        {"properties": {"predicateType": {"const": f"{PREDICATE_BASE}/{subject}/v1"}, "predicate": said}}
        for subject, said in zip(kinds, found, strict=True)
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{PREDICATE_BASE}/statement.schema.json",
        "title": "A Statement in the log of Interlock",
        "type": "object",
        "properties": {
            "_type": {"const": STATEMENT_TYPE},
            "subject": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "pattern": "^urn:interlock:"},
                        "digest": {
                            "type": "object",
                            "properties": {"sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
                            "required": ["sha256"],
                            "additionalProperties": False,
                        },
                    },
                    "required": ["name", "digest"],
                    "additionalProperties": False,
                },
            },
            "predicateType": {"type": "string"},
            "predicate": {"type": "object"},
        },
        "required": ["_type", "subject", "predicateType", "predicate"],
        "additionalProperties": False,
        "oneOf": branches,
        "$defs": parts,
    }


def schema_file() -> str:
    """The schema as the file holds it."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"


def common() -> str:
    """What every entry says."""
    return _fields(Common)


def actions() -> str:
    """What an entry about an action says."""
    return _fields(BODIES["action"])


def others() -> str:
    """What the other kinds of entries say, one after the other."""
    told = [
        f"### `{PREDICATE_BASE}/{subject}/v1`\n\n{(kind.__doc__ or '').strip()}\n\n{_fields(kind)}"
        for subject, kind in BODIES.items()
        if subject != "action"
    ]
    return "\n\n".join(told)


def commitments() -> str:
    """What stands behind each commitment, and whose word it is."""
    rows = ([f"`{name}`", said, SAID_BY.get(name, "gateway-observed")] for name, said in COMMITTED.items())
    return table(["commitment", "the clear text is", "whose word"], rows)


def not_asserted() -> str:
    """What no packet asserts."""
    return "\n".join(f"- {each}" for each in DOES_NOT_ASSERT)


def _fields(kind: type[msgspec.Struct], prefix: str = "") -> str:
    rows: list[list[str]] = []
    _rows(kind, prefix, rows)
    return table(["field", "type", "what it says", "whose word"], rows)


def _rows(kind: type[msgspec.Struct], prefix: str, rows: list[list[str]]) -> None:
    said = sentences(kind)
    for field in msgspec.structs.fields(kind):
        part = _part(field.type)
        name = f"{prefix}{field.encode_name}"
        words = said.get(field.name, "")
        if part is not None and not words:
            words = " ".join((part.__doc__ or "").split())
        whose = SAID_BY.get(field.encode_name, "gateway-observed") if not prefix else ""
        rows.append([f"`{name}`", _type(field.type), words, whose])
        if part is not None:
            _rows(part, f"{name}{'[]' if _type(field.type) == 'list' else ''}.", rows)


def _part(kind: Any) -> type[msgspec.Struct] | None:
    """The part of a predicate in a field's type, if there is one."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((found for each in get_args(kind) if (found := _part(each)) is not None), None)


_WORDS: Final[dict[object, str]] = {str: "text", int: "whole number", bool: "bool", list: "list", dict: "object"}


def _type(kind: Any) -> str:
    """A field's type in words; what may be null is what it is otherwise."""
    origin, members = get_origin(kind), [each for each in get_args(kind) if each is not type(None)]
    plain = _WORDS.get(origin or kind)
    if plain is not None:
        return plain
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in members if each)
    if members:
        return " or ".join(dict.fromkeys(_type(each) for each in members))
    return "object"
