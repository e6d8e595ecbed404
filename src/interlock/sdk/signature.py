"""A function's signature as the arguments of a contract.

`schema_of` reads the annotations once; `arguments_of` turns a call into the plain object that the gate binds, whether
an argument came by position, by name or not at all; `values_of` turns that object back into what the function asks
for. A parameter annotated `Call` is filled by the gate and nobody else.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast, get_args, get_origin, get_type_hints

import jsonschema_rs
import msgspec

from interlock.domain.call import Call
from interlock.domain.canonical import CanonicalError, JsonValue, encode, pointer
from interlock.domain.closing import Schema
from interlock.domain.errors import ContractError
from interlock.sdk.schema import schema_for
from interlock.sdk.values import from_plain, plain_result, to_plain

__all__ = ["Schemas", "accepts", "arguments_of", "facts_schema", "plain_result", "returned", "schema_of", "values_of"]

Function = Callable[..., Any]

_EMPTY: Final = inspect.Parameter.empty


class Schemas(NamedTuple):
    """What a function takes and gives. `parameters` are the annotations of its arguments, the gate's own left out."""

    input_schema: Schema
    output_schema: Schema
    parameters: dict[str, Any]


def schema_of(function: Function) -> Schemas:
    """The schemas of `function`. Raises ContractError, with the parameter as path, where it cannot be a contract."""
    read = _read(function)
    properties: Schema = {}
    required: list[JsonValue] = []
    defs: Schema = {}
    for name, parameter in read.signature.parameters.items():
        path = f"/{name}"
        if parameter.annotation is _EMPTY:
            raise ContractError(f"parameter `{name}` has no annotation; say what it is", path=path)
        schema, more = schema_for(parameter.annotation, path, exact=True)
        _merge(defs, more, path)
        if parameter.default is _EMPTY:
            required.append(name)
        elif parameter.default is not msgspec.UNSET:
            schema = {**schema, "default": _default(parameter, schema, more)}
        properties[name] = schema
    closed: Schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    given: Schema = {}
    if read.returns is not _EMPTY:
        given, more = schema_for(read.returns, "/result", exact=False)
        given = _with(given, more)
    return Schemas(_sound(_with(closed, defs)), _sound(given), read.types)


def facts_schema(function: Function) -> Schema:
    """The schema of what a facts function returns: one closed object of named, exact values."""
    returns = _read(function).returns
    if returns is _EMPTY:
        raise ContractError(f"`{function.__name__}` must say which facts it returns: a Struct, TypedDict or dataclass")
    schema, defs = schema_for(returns, "/facts", exact=True)
    if schema.get("type") != "object" or "properties" not in schema:
        raise ContractError(
            f"`{function.__name__}` must return named facts: a Struct, TypedDict or dataclass", path="/facts"
        )
    return _sound(_with(schema, defs))


def arguments_of(function: Function, args: Sequence[object], kwargs: Mapping[str, object]) -> dict[str, JsonValue]:
    """A call's arguments by name, as plain JSON. Arguments left to their default are not there: the contract has them.

    Raises ContractError whose path is the parameter that is missing, unknown, given twice or has no JSON form.
    """
    signature = _read(function).signature
    for name in kwargs:
        if name not in signature.parameters:
            raise ContractError(f"`{function.__name__}` takes no argument `{name}`", path=pointer(name))
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        named = re.search(r"'(\w+)'", str(error))
        detail = str(error).replace("'", "`")
        raise ContractError(f"`{function.__name__}`: {detail}", path=f"/{named[1]}" if named else "") from None
    return {name: to_plain(value, f"/{name}") for name, value in bound.arguments.items() if value is not msgspec.UNSET}


def values_of(
    function: Function, arguments: Mapping[str, JsonValue], *, call: Call | None = None, **known: JsonValue
) -> dict[str, Any]:
    """What `function` asks for by name, as its annotations say: of `arguments`, then of what else is `known`
    (a postcondition may ask for `result` and `args`), and `call` where it is annotated so.

    A function that takes fewer arguments gets those it names. Raises ContractError where one has no value or does not fit.
    """
    read = _read(function)
    values: dict[str, Any] = {} if call is None else dict.fromkeys(read.injected, call)
    for name, parameter in read.signature.parameters.items():
        if name in arguments:
            value = arguments[name]
        elif name in known:
            value = known[name]
        elif parameter.default is _EMPTY:
            raise ContractError(f"`{function.__name__}` asks for `{name}`, which nobody gave", path=f"/{name}")
        else:
            continue
        values[name] = value if parameter.annotation is _EMPTY else from_plain(value, parameter.annotation, f"/{name}")
    return values


def returned(function: Function, value: JsonValue) -> Any:
    """`value`, which `function` gave as JSON, as its return annotation says. Raises ContractError where it does not fit."""
    kind = _read(function).returns
    return value if kind is _EMPTY else from_plain(value, kind, "/result")


def accepts(function: Function) -> dict[str, bool]:
    """The names `function` asks for, and whether it must have each. What the gate injects is not among them."""
    return {name: parameter.default is _EMPTY for name, parameter in _read(function).signature.parameters.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class _Read:
    """A signature with its annotations resolved and the gate's own parameters taken out."""

    signature: inspect.Signature
    injected: tuple[str, ...]
    returns: Any

    @property
    def types(self) -> dict[str, Any]:
        return {name: parameter.annotation for name, parameter in self.signature.parameters.items()}


@lru_cache(maxsize=4096)
def _read(function: Function) -> _Read:
    name = getattr(function, "__name__", type(function).__name__)
    if not (inspect.isfunction(function) or inspect.ismethod(function)):
        raise ContractError(f"`{name}` is not a function")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ContractError(f"`{name}` yields; a tool returns one result")
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise ContractError(f"`{name}` has an annotation that cannot be resolved: {error}") from None
    kept: list[inspect.Parameter] = []
    injected: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        annotation = hints.get(parameter.name, _EMPTY)
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise ContractError(f"`{name}` takes `{parameter}`; name every parameter", path=f"/{parameter.name}")
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            raise ContractError(
                f"`{parameter.name}` of `{name}` has no name for callers; remove the `/`", path=f"/{parameter.name}"
            )
        if _is_call(annotation):
            injected.append(parameter.name)
        else:
            kept.append(parameter.replace(annotation=annotation))
    return _Read(inspect.Signature(kept), tuple(injected), hints.get("return", _EMPTY))


def _is_call(annotation: Any) -> bool:
    """`Call`, `Call | None` or either of them annotated further."""
    if annotation is Call:
        return True
    return get_origin(annotation) is not None and Call in get_args(annotation)


def _default(parameter: inspect.Parameter, schema: Schema, defs: Schema) -> JsonValue:
    path = f"/{parameter.name}"
    default = to_plain(parameter.default, path)
    try:
        encode(default)
    except CanonicalError as error:
        raise ContractError(f"the default of `{parameter.name}`: {error}", path=path + error.path) from None
    if not jsonschema_rs.is_valid(_with(schema, defs), default):
        raise ContractError(f"the default of `{parameter.name}` is not what its annotation says", path=path)
    return default


def _merge(defs: Schema, more: Schema, path: str) -> None:
    for name, schema in more.items():
        if defs.setdefault(name, schema) != schema:
            raise ContractError(f"`{path}`: two types are called `{name}`; rename one", path=path)


def _with(schema: Schema, defs: Schema) -> Schema:
    return {**schema, "$defs": defs} if defs else schema


def _sound(schema: Schema) -> Schema:
    """`schema` with nothing shared and nothing that could not be digested (a constraint such as `ge=0.5`)."""
    try:
        encode(schema)
    except CanonicalError as error:
        raise ContractError(f"the schema cannot be written down: {error}", path=error.path) from None
    return cast(Schema, msgspec.json.decode(msgspec.json.encode(schema)))
