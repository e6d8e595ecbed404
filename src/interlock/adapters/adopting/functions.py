"""A tool from a function of a program: what it is called, takes, and says of itself."""

import ast
from collections.abc import Iterator
from typing import Final

from interlock.adapters.adopting.annotations import Schema, last_of, with_default
from interlock.adapters.adopting.signs import signs_in
from interlock.adapters.adopting.source import Function, Source
from interlock.domain.adoption import FoundTool, Framework
from interlock.domain.canonical import JsonValue
from interlock.domain.tool_words import words

MAX_TEXT: Final = 2000
MAX_ARGUMENTS: Final = 100
_GIVEN: Final = words(
    "RunContext RunContextWrapper ToolContext Context CallbackManagerForToolRun AsyncCallbackManagerForToolRun "
    "RunnableConfig ToolRuntime InvocationContext CallbackContext InjectedState InjectedStore InjectedToolCallId "
    "InjectedToolArg CancellationToken Request"
)
"""Kinds of what a framework gives to a tool by itself: the model does not say them."""
_NAMED: Final = frozenset(["self", "cls", "tool_context", "run_manager", "callbacks"])


def tool_of(
    source: Source,
    function: Function,
    framework: Framework,
    *,
    name: str = "",
    description: str = "",
    model: ast.ClassDef | None = None,
    hints: dict[str, JsonValue] | None = None,
    line: int = 0,
) -> FoundTool:
    """The tool that `function` is. `model` is the class that says its arguments, where one does."""
    found = _model(source, model) if model is not None else _signature(source, function)
    arguments, optional, unclear = found
    return FoundTool(
        name=name or function.name,
        framework=framework,
        file=source.file,
        line=line or function.lineno,
        description=(description or ast.get_docstring(function) or "")[:MAX_TEXT],
        arguments=arguments,
        optional=optional,
        unclear=unclear,
        signs=signs_in(function),
        hints=hints or {},
    )


Taken = tuple[dict[str, JsonValue], tuple[str, ...], tuple[str, ...]]
"""The schemas of arguments, which are optional, and which nobody could tell."""


def _signature(source: Source, function: Function) -> Taken:
    arguments: dict[str, JsonValue] = {}
    optional, unclear = list[str](), list[str]()
    for argument, default in _parameters(function):
        if argument.arg in _NAMED or _is_given(argument.annotation):
            continue
        schema, has_default = with_default(source.annotations.schema(argument.annotation), default)
        _add(argument.arg, schema, arguments, unclear)
        if has_default:
            optional.append(argument.arg)
    if function.args.vararg is not None or function.args.kwarg is not None:
        unclear.append("")
    return arguments, tuple(optional), tuple(unclear)


def _model(source: Source, model: ast.ClassDef) -> Taken:
    arguments: dict[str, JsonValue] = {}
    unclear = list[str]()
    fields, optional = source.annotations.fields(model)
    for name, schema in fields.items():
        _add(name, schema, arguments, unclear)
    return arguments, tuple(optional), tuple(unclear)


def _add(name: str, schema: Schema | None, arguments: dict[str, JsonValue], unclear: list[str]) -> None:
    if len(arguments) >= MAX_ARGUMENTS:
        return
    if schema is None:
        unclear.append(name)
    arguments[name] = schema if schema is not None else {"type": "string"}


def _parameters(function: Function) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """Every named parameter with its default."""
    placed = [*function.args.posonlyargs, *function.args.args]
    lacking = len(placed) - len(function.args.defaults)
    for place, argument in enumerate(placed):
        yield argument, function.args.defaults[place - lacking] if place >= lacking else None
    yield from zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)


def _is_given(annotation: ast.expr | None) -> bool:
    """Whether a parameter is given by the framework."""
    if annotation is None:
        return False
    for number, node in enumerate(ast.walk(annotation)):
        if number > 50:
            return False
        if isinstance(node, ast.Name | ast.Attribute) and last_of(node) in _GIVEN:
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.split("[")[0] in _GIVEN:
            return True
    return False
