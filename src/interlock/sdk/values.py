"""Python values to plain JSON and back: what a person writes in code, and what the gate looks at.

On the way in, Structs, dataclasses, pydantic models, enums, dates, UUIDs and Decimals become what msgspec makes of
them; plain values stay as they are, so that the gate can refuse what has no place in an argument, such as NaN or an
integer beyond 2^53, under the field's own path. On the way back, values become what the annotation says, without coercion.
Pydantic is never imported: a class is taken for a model by its `model_validate` and `model_dump`.
"""

import re
from collections.abc import Callable
from typing import Any, Protocol, TypeGuard, cast

import msgspec

from interlock.domain.canonical import MAX_DEPTH, CanonicalError, JsonValue, encode, pointer
from interlock.domain.errors import ContractError

MAX_VALUES = 1_000_000
"""How many values one argument may hold: a small list may hold one other list a billion times."""


class Model(Protocol):
    """The part of a pydantic model that is used here."""

    @classmethod
    def model_validate(cls, obj: object, /) -> object:
        """An instance made of plain values."""
        ...

    @classmethod
    def model_json_schema(cls, *, ref_template: str, mode: str) -> dict[str, Any]:
        """The JSON Schema of what it accepts (`validation`) or gives (`serialization`)."""
        ...

    def model_dump(self, *, mode: str, by_alias: bool) -> dict[str, Any]:
        """The model as plain values."""
        ...


def is_model(kind: object) -> TypeGuard[type[Model]]:
    """Whether `kind` is a class that behaves as a pydantic model does."""
    words = ("model_validate", "model_dump", "model_json_schema")
    return isinstance(kind, type) and all(callable(getattr(kind, word, None)) for word in words)


def to_plain(value: object, path: str = "") -> JsonValue:
    """`value` as JSON knows it. Raises ContractError, with a pointer that begins with `path`, for what has no such form."""
    return _Walk().plain(value, path, 0)


def plain_result(value: object) -> JsonValue:
    """What a tool returned, as the log keeps it.

    Raises ContractError with the path of what cannot be recorded: a float, a value of an unknown class. The tool has run by
    then, so whoever asks must treat the action as landed.
    """
    result = to_plain(value)
    try:
        encode(result)
    except CanonicalError as error:
        raise ContractError(f"the result cannot be recorded: {error}", path=error.path) from None
    return result


def from_plain(value: JsonValue, kind: Any, path: str = "") -> Any:
    """`value` as the annotation `kind` says. Raises ContractError with the path of what does not fit."""
    try:
        return msgspec.convert(value, kind, strict=True, dec_hook=_from_model)
    except (msgspec.ValidationError, RecursionError) as error:
        said, _, place = str(error).partition(" - at `$")
        where = path + _as_pointer(place)
        raise ContractError(f"`{where or 'value'}`: {said.splitlines()[0]}", path=where) from None
    except Exception as error:  # noqa: BLE001  a person's own class may raise anything while it is made
        raise ContractError(f"`{path or 'value'}`: {error}", path=path) from None


class _Walk:
    """One conversion, which stops when it has seen too much."""

    def __init__(self) -> None:
        self.room = MAX_VALUES

    def plain(self, value: object, path: str, depth: int) -> JsonValue:
        """`value` and everything in it."""
        self.room -= 1
        if self.room < 0 or depth > MAX_DEPTH:
            raise ContractError(
                f"`{path.split('/')[1] if path else 'value'}` is too large or nested too deep", path=path
            )
        if value is None or type(value) in (str, int, bool, float):
            return cast(JsonValue, value)
        if isinstance(value, list | tuple):
            items = cast(list[object], value)
            return [self.plain(item, path + pointer(place), depth + 1) for place, item in enumerate(items)]
        if type(value) is dict:
            members = cast(dict[object, object], value)
            return {
                (name := self.key(key, path)): self.plain(item, path + pointer(name), depth + 1)
                for key, item in members.items()
            }
        return self.plain(self.opened(value, path), path, depth)

    def key(self, key: object, path: str) -> str:
        """The name of a member. Numbers, enums and dates name members too, as in msgspec."""
        if type(key) is str:
            return key
        ((name, _),) = cast(dict[str, None], self.opened({key: None}, path)).items()
        return str(name)

    def opened(self, value: object, path: str) -> object:
        """What an object stands for, one or more levels of it plain."""
        try:
            return msgspec.to_builtins(value, str_keys=True, enc_hook=_known)
        except (TypeError, ValueError, RecursionError) as error:
            raise ContractError(f"`{path or 'value'}`: {error}", path=path) from None


def _known(value: object) -> object:
    """Objects msgspec does not know: pydantic models, and subclasses of plain types, which lose their class."""
    if is_model(type(value)):
        return cast(Model, value).model_dump(mode="json", by_alias=True)
    for plain, strip in _SUBCLASSED:
        if isinstance(value, plain):
            return strip(value)
    raise TypeError(f"a value of type `{type(value).__name__}` has no JSON form")


_SUBCLASSED: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (dict, dict),
)


def _from_model(kind: type, value: object) -> object:
    if not is_model(kind):
        raise TypeError(f"arguments cannot become `{kind.__name__}`")
    return kind.model_validate(value)


_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def _as_pointer(place: str) -> str:
    """`.a[0]` as `/a/0`. msgspec does not name the members of a mapping (`[...]`): the pointer ends before one."""
    known = place.rstrip("`").split("[...]")[0]
    return "".join(pointer(name or index) for name, index in _STEP.findall(known))
