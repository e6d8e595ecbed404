"""The tools in a program's source, and the MCP servers it names there."""

import ast
from collections.abc import Iterator
from typing import Final

from interlock.adapters.adopting.annotations import last_of
from interlock.adapters.adopting.frameworks import (
    BASES,
    MAKERS,
    MANY,
    SERVERS,
    TAKERS,
    decorated,
    framework_of,
    names_of,
)
from interlock.adapters.adopting.functions import MAX_TEXT, tool_of
from interlock.adapters.adopting.literals import literal, text_of, written
from interlock.adapters.adopting.shapes import Entry, list_of, table_of
from interlock.adapters.adopting.source import Function, Source
from interlock.domain.adoption import FoundTool, Framework
from interlock.domain.canonical import JsonValue

_NAMES: Final = ("name", "name_override", "title")
_DESCRIPTIONS: Final = ("description", "description_override")
_FUNCTIONS: Final = ("func", "function", "coroutine", "f")


class Project:
    """All files of a project that were read, so that a function is found where it stands."""

    def __init__(self, sources: list[Source]) -> None:
        self._sources = sources

    def tools(self) -> Iterator[FoundTool]:
        """Every tool once: where several ways name one function, the first."""
        seen = set[tuple[str, int]]()
        for source in self._sources:
            for tool in [*_decorated(source), *_classes(source), *self._made(source), *_plain(source)]:
                if (tool.file, tool.line) not in seen:
                    seen.add((tool.file, tool.line))
                    yield tool

    def ready_made(self) -> Iterator[tuple[str, int, str]]:
        """What agents are handed out of packages that were not read: file, line, and the name it is imported by."""
        for source in self._sources:
            for node in source.nodes:
                if (
                    isinstance(node, ast.Call)
                    and last_of(node.func) in TAKERS
                    and framework_of(source.dotted(node.func))
                ):
                    for each in _given(source, node):
                        name = _imported(source, each)
                        module = name.rpartition(".")[0]
                        if module and not self._read(module) and not MAKERS.intersection(name.split(".")):
                            yield source.file, each.lineno, name

    def _read(self, module: str) -> bool:
        return any(each.module == module or each.module.endswith(f".{module}") for each in self._sources)

    def _made(self, source: Source) -> Iterator[FoundTool]:
        """Tools that are made by a call, or handed to an agent as functions."""
        for node in source.nodes:
            if not isinstance(node, ast.Call):
                continue
            dotted = source.dotted(node.func)
            last = dotted.rpartition(".")[2] or last_of(node.func)
            framework = framework_of(dotted) or (_agents(source) if last == "bind_tools" else None)
            if framework is None:
                continue
            if last in MAKERS:
                yield from self._from_call(source, node, framework)
            elif last in TAKERS:
                yield from self._handed(source, node, framework)

    def _from_call(self, source: Source, node: ast.Call, framework: Framework) -> Iterator[FoundTool]:
        given = _keyword(node, *_FUNCTIONS) or next(iter(node.args), None)
        if last_of(node.func) == "Tool" and framework == "langchain" and _keyword(node, *_FUNCTIONS) is None:
            given = node.args[1] if len(node.args) > 1 else None
        found = self._function(source, given)
        if found is not None:
            where, function = found
            model = _class_named(source, _keyword(node, "args_schema"))
            name, description = _said(node, _NAMES), _said(node, _DESCRIPTIONS)
            yield tool_of(where, function, framework, name=name, description=description, model=model)

    def _handed(self, source: Source, node: ast.Call, framework: Framework) -> Iterator[FoundTool]:
        for each in _given(source, node):
            found = self._function(source, each)
            # One with a decorator of a framework is found by that.
            if found is not None and not any(decorated(found[0], way) for way in found[1].decorator_list):
                yield tool_of(*found, framework)

    def _function(self, source: Source, node: ast.expr | None) -> tuple[Source, Function] | None:
        """The function that `node` names, here or in the file it is imported from."""
        if not isinstance(node, ast.Name | ast.Attribute):
            return None
        if isinstance(node, ast.Name) and node.id in source.functions:
            return source, source.functions[node.id]
        module, _, name = source.dotted(node).rpartition(".")
        for other in self._sources:
            if module and (other.module == module or other.module.endswith(f".{module}")) and name in other.functions:
                return other, other.functions[name]
        return None


def _given(source: Source, node: ast.Call) -> list[ast.expr]:
    """The tools that an agent is handed, also those that an adapter of ours governs already."""
    given = _keyword(node, "tools", "workbench")
    if given is None and last_of(node.func) in ("ToolNode", "create_react_agent", "create_agent", "bind_tools"):
        given = next((each for each in node.args if isinstance(each, ast.List | ast.Tuple)), None)
    if isinstance(given, ast.Call) and last_of(given.func) == "governed" and len(given.args) > 1:
        given = given.args[1]
    if isinstance(given, ast.Name):
        given = source.assigned.get(given.id)
    return given.elts if isinstance(given, ast.List | ast.Tuple) else []


def _imported(source: Source, node: ast.expr) -> str:
    """The dotted name by which a thing, or what makes it, is imported; nothing for what this file makes itself."""
    if isinstance(node, ast.Name):
        node = source.assigned.get(node.id, node)
    called = node.func if isinstance(node, ast.Call) else node
    root = called
    while isinstance(root, ast.Attribute):
        root = root.value
    return source.dotted(called) if isinstance(root, ast.Name) and root.id in source.imports else ""


def servers_named(source: Source) -> Iterator[tuple[str, object, int]]:
    """The MCP servers that a program connects to: name, what is said of it, and the line."""
    for node in source.nodes:
        if not isinstance(node, ast.Call):
            continue
        last = source.dotted(node.func).rpartition(".")[2]
        if last in MANY:
            given = _keyword(node, "connections") or next(iter(node.args), None)
            given = source.assigned.get(given.id) if isinstance(given, ast.Name) else given
            for name, each in (table_of(written(given)) or {}).items() if isinstance(given, ast.Dict) else ():
                yield name, each, node.lineno
        elif last in SERVERS:
            entry: Entry = {each.arg: written(each.value) for each in node.keywords if each.arg}
            inner = table_of(entry.get("params")) or entry
            if node.args and isinstance(text := written(node.args[0]), str):
                inner = {"url" if "http" in last.lower() else "command": text, **inner}
            name = entry.get("name") or entry.get("tool_prefix") or _program(inner)
            yield str(name), inner, node.lineno


def unknown_decorators(source: Source) -> Iterator[int]:
    """Lines of functions that something called `tool` decorates, of which we cannot tell whose it is."""
    for node in source.nodes:
        if isinstance(node, Function):
            for each in node.decorator_list:
                if names_of(source, each) in ("tool", "function_tool") and decorated(source, each) is None:
                    yield node.lineno


def _decorated(source: Source) -> Iterator[FoundTool]:
    for node in source.nodes:
        if not isinstance(node, Function):
            continue
        for each in node.decorator_list:
            framework = decorated(source, each)
            if framework is None:
                continue
            call = each if isinstance(each, ast.Call) else None
            name = _said(call, _NAMES) or (text_of(call.args[0]) if call and call.args else "")
            hints = literal(_keyword(call, "annotations")) if call else None
            # CrewAI's name is for people; the model is told it in other letters.
            yield tool_of(
                source,
                node,
                framework,
                name=name,
                description=_said(call, _DESCRIPTIONS),
                model=_class_named(source, _keyword(call, "args_schema")),
                hints=hints if isinstance(hints, dict) else _hints(_keyword(call, "annotations")),
            )
            break


def _hints(node: ast.expr | None) -> dict[str, JsonValue]:
    """`ToolAnnotations(readOnlyHint=True)`."""
    if not isinstance(node, ast.Call):
        return {}
    said = {each.arg: literal(each.value) for each in node.keywords if each.arg}
    return {name: value for name, value in said.items() if isinstance(value, bool)}


def _classes(source: Source) -> Iterator[FoundTool]:
    """Classes that are tools: `class Pay(BaseTool)` with `_run`."""
    for found in source.classes.values():
        made: list[Framework | None] = [
            framework_of(source.dotted(base)) for base in found.bases if last_of(base) in BASES
        ]
        framework = made[0] if made else None
        methods = {each.name: each for each in found.body if isinstance(each, Function)}
        run = methods.get("_run") or methods.get("_arun") or methods.get("run")
        if framework is None or run is None:
            continue
        said = {
            target.id: value
            for each in found.body
            if isinstance(each, ast.Assign | ast.AnnAssign) and (value := each.value) is not None
            for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
            if isinstance(target, ast.Name)
        }
        yield tool_of(
            source,
            run,
            framework,
            name=text_of(said.get("name")) or found.name,
            description=text_of(said.get("description")) or (ast.get_docstring(found) or ""),
            model=_class_named(source, said.get("args_schema")),
            line=found.lineno,
        )


def _plain(source: Source) -> Iterator[FoundTool]:
    """Tools that are written out as a model's API takes them: `{"type": "function", "function": {...}}`."""
    for node in source.nodes:
        if not isinstance(node, ast.Dict) or not node.keys:
            continue
        table = literal(node)
        if not isinstance(table, dict):
            continue
        inner = table.get("function") if table.get("type") == "function" else None
        said = inner if isinstance(inner, dict) else table
        schema = said.get("parameters") if table.get("type") == "function" else said.get("input_schema")
        name = said.get("name")
        if not isinstance(name, str) or not isinstance(schema, dict) or not name:
            continue
        parts, needed = schema.get("properties"), schema.get("required")
        properties = parts if isinstance(parts, dict) else {}
        required = needed if isinstance(needed, list) else []
        yield FoundTool(
            name=name,
            framework="plain",
            file=source.file,
            line=node.lineno,
            description=str(said.get("description") or "")[:MAX_TEXT],
            arguments=dict(properties),
            optional=tuple(each for each in properties if each not in required),
            signs=(),
        )


def _agents(source: Source) -> Framework | None:
    return "langchain" if source.uses("langchain", "langchain_core", "langgraph") else None


def _keyword(node: ast.Call | None, *names: str) -> ast.expr | None:
    if node is None:
        return None
    return next((each.value for each in node.keywords if each.arg in names), None)


def _said(node: ast.Call | None, names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := text_of(_keyword(node, name)))), "")


def _class_named(source: Source, node: ast.expr | None) -> ast.ClassDef | None:
    return source.classes.get(node.id) if isinstance(node, ast.Name) else None


def _program(entry: Entry) -> str:
    """What to call a server that its program does not name."""
    words = list_of(entry.get("args")) or []
    last = next((str(each) for each in reversed(words) if "mcp" in str(each)), "")
    text = last or str(entry.get("command") or entry.get("url") or "server")
    return text.rstrip("/").rpartition("/")[2].removesuffix(".py")
