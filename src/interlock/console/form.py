"""The form in which a reviewer changes arguments: one field each, of the kind that the contract's schema says.

What is typed is text. What stands in a field as it was put there is not changed, whatever it was; so that a value which could
not be typed, since letters in it were made visible, stays what it is. Whether it all fits is the contract's to say.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, cast

import msgspec

from interlock.console.visible import visible
from interlock.domain.canonical import JsonValue
from interlock.domain.dossier import Value
from interlock.domain.money import is_currency, minor_of, typed

Kind = Literal["choice", "integer", "money", "boolean", "text", "long", "lines", "json"]
PREFIX: Final = "arg."
"""Before the names of these fields: an argument may have any name."""
LONGEST: Final = 65_536

Shape = Mapping[str, JsonValue]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One argument in the form."""

    name: str
    kind: Kind
    text: str
    """What stands in it."""
    choices: tuple[str, ...] = ()
    values: tuple[JsonValue, ...] = ()
    """What the choices stand for."""
    optional: bool = False
    """Whether nothing typed means `null`."""
    required: bool = False
    hint: str = ""
    data_class: str = ""
    problem: str = ""
    unit: str = ""
    """Of `money`: the currency. It is typed in major units and kept in minor ones."""

    @property
    def key(self) -> str:
        """Its name in the form."""
        return PREFIX + self.name


def fields_of(schema: Shape, arguments: Iterable[Value]) -> tuple[Field, ...]:
    """The form of `arguments` as they stand, which `schema` describes."""
    shapes = _mapping(schema.get("properties"))
    required = schema.get("required")
    needed = required if isinstance(required, list) else []
    there = {each.name: each for each in arguments}
    found: list[Field] = []
    for name in dict.fromkeys((*there, *shapes)):
        value = there[name].value if name in there else None
        shape, optional = _plain(_mapping(shapes.get(name)), schema)
        field = _field(name, shape, value, optional=optional, there=name in there)
        if field.kind == "integer" and name in there and there[name].unit and isinstance(value, int):
            unit = there[name].unit
            hint = f"it was {there[name].text}, kept as {value}"
            field = msgspec.structs.replace(field, kind="money", unit=unit, text=typed(value, unit), hint=hint)
        found.append(
            msgspec.structs.replace(
                field, required=name in needed, data_class=there[name].data_class if name in there else ""
            )
        )
    return tuple(found)


def read(fields: tuple[Field, ...], sent: Mapping[str, str]) -> tuple[dict[str, JsonValue], tuple[Field, ...]]:
    """The arguments that were changed, and the fields with what was typed, and with what is wrong with it."""
    changed: dict[str, JsonValue] = {}
    after: list[Field] = []
    for field in fields:
        text = sent.get(field.key, field.text).replace("\r\n", "\n")
        if text == field.text:
            after.append(field)
            continue
        said = msgspec.structs.replace(field, text=text)
        if field.kind == "money":
            # Where the currency is an argument too, and changed in the same form, the amount is one of the new currency.
            said = msgspec.structs.replace(said, unit=_currency(fields, sent, field.unit))
        try:
            value = _value(said)
            if not (field.kind == "money" and isinstance(value, int) and typed(value, field.unit) == field.text):
                changed[field.name] = value
        except ValueError as error:
            said = msgspec.structs.replace(said, problem=str(error))
        after.append(said)
    return changed, tuple(after)


def _currency(fields: tuple[Field, ...], sent: Mapping[str, str], unit: str) -> str:
    named = [sent.get(each.key, unit) for each in fields if each.kind in ("choice", "text") and each.text == unit]
    return next((each for each in named if each != unit), unit)


def at_fault(fields: tuple[Field, ...], path: str, problem: str) -> tuple[Field, ...]:
    """`fields`, with `problem` beside the one that the JSON pointer `path` leads to."""
    name = path.removeprefix("/").partition("/")[0].replace("~1", "/").replace("~0", "~")
    return tuple(msgspec.structs.replace(each, problem=problem) if each.name == name else each for each in fields)


def _field(name: str, shape: Shape, value: JsonValue, *, optional: bool, there: bool) -> Field:
    choices = shape.get("enum")
    hint = str(shape.get("description", ""))
    if isinstance(choices, list) and choices:
        words = tuple(_text(each) for each in choices)
        text = _text(value) if there and value is not None else ""
        return Field(
            name=name,
            kind="choice",
            text=text,
            choices=words if text in words else (text, *words),
            values=tuple(choices) if text in words else (value, *choices),
            optional=optional,
            hint=hint,
        )
    kind = _kind(shape, value)
    if not there or value is None:
        text = ""
    elif kind == "lines":
        text = "\n".join(str(each) for each in cast(list[JsonValue], value))
    elif kind == "json":
        text = _pretty(value)
    else:
        text = _text(value)
    return Field(name=name, kind=kind, text=visible(text), optional=optional, hint=_hint(hint, kind, optional))


def _kind(shape: Shape, value: JsonValue) -> Kind:
    """What kind of field takes such a value. A value that is not of the schema's kind is shown as it is."""
    match shape.get("type"):
        case "integer" if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return "integer"
        case "boolean" if value is None or isinstance(value, bool):
            return "boolean"
        case "string" if value is None or isinstance(value, str):
            return "long" if isinstance(value, str) and (len(value) > 60 or "\n" in value) else "text"
        case "array" if _mapping(shape.get("items")).get("type") == "string" and _is_lines(value):
            return "lines"
        case _:
            return "json"


def _is_lines(value: JsonValue) -> bool:
    return value is None or (
        isinstance(value, list) and all(isinstance(each, str) and each.strip() and "\n" not in each for each in value)
    )


def _value(field: Field) -> JsonValue:
    """What `field` says. Raises ValueError with the words for whoever typed it."""
    text = field.text
    if len(text) > LONGEST:
        raise ValueError("that is too long")
    if not text.strip() and field.optional:
        return None
    match field.kind:
        case "choice":
            if text not in field.choices:
                raise ValueError("choose one of the values")
            return field.values[field.choices.index(text)]
        case "integer":
            return _integer(text)
        case "money":
            if not is_currency(field.unit):
                raise ValueError("the currency is no longer one: change one of the two at a time")
            return minor_of(text, field.unit)
        case "boolean":
            if text not in ("true", "false"):
                raise ValueError("choose true or false")
            return text == "true"
        case "text" | "long":
            return text
        case "lines":
            return [each.strip() for each in text.split("\n") if each.strip()]
        case "json":
            try:
                return cast(JsonValue, msgspec.json.decode(text.encode()))
            except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
                raise ValueError("this is no JSON value: text stands in quotation marks") from None


def _integer(text: str) -> int:
    digits = text.strip().removeprefix("-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 18:
        raise ValueError("a whole number is wanted here, such as 2500")
    return int(text.strip())


def _plain(shape: Shape, schema: Shape) -> tuple[Shape, bool]:
    """The shape itself, followed through references and past `null`; and whether `null` is among what it takes."""
    optional = False
    for _ in range(8):
        reference, branches, kinds = shape.get("$ref"), shape.get("anyOf"), shape.get("type")
        if isinstance(reference, str) and reference.startswith("#/$defs/"):
            shape = _mapping(_mapping(schema.get("$defs")).get(reference.removeprefix("#/$defs/")))
        elif isinstance(branches, list):
            others = [each for each in branches if _mapping(each).get("type") != "null"]
            optional = optional or len(others) < len(branches)
            if len(others) != 1:
                return {}, optional
            shape = {**{name: value for name, value in shape.items() if name != "anyOf"}, **_mapping(others[0])}
        elif isinstance(kinds, list):
            left = [each for each in kinds if each != "null"]
            optional = optional or len(left) < len(kinds)
            if len(left) != 1:
                return {}, optional
            shape = {**shape, "type": left[0]}
        else:
            break
    return shape, optional


def _hint(hint: str, kind: Kind, optional: bool) -> str:
    more = {"lines": "one a line", "json": "as JSON", "integer": "a whole number"}.get(kind, "")
    return "; ".join(each for each in (hint.removesuffix("."), more, "may be empty" if optional else "") if each)


def _mapping(value: JsonValue) -> Shape:
    return value if isinstance(value, dict) else {}


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _pretty(value: JsonValue) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
