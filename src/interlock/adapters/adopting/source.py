"""One file of Python, read as text: what its names stand for, and what it defines."""

import ast
import warnings
from typing import Final

from interlock.adapters.adopting.annotations import Annotations

MAX_NODES: Final = 400_000
MAX_BRACKETS: Final = 100
MAX_ROW: Final = 150
"""No person nests more than this, or writes so many signs in a row; Python's own parser is spared what does."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source:
    """A module. `file` is its path below the project, `module` what it is imported as from the project's folder."""

    def __init__(self, file: str, text: str) -> None:
        """Raises ValueError for what is no Python, with the reason."""
        self.file = file
        self.module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self.tree = _parsed(text)
        self.nodes: list[ast.AST] = []
        self.imports: dict[str, str] = {}
        """What a name that was imported stands for, dotted."""
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        self.assigned: dict[str, ast.expr] = {}
        for node in ast.walk(self.tree):
            self.nodes.append(node)
            if len(self.nodes) > MAX_NODES:
                raise ValueError("holds more than anybody writes")
            self._take(node)
        self.annotations = Annotations(self.classes, self.assigned)

    def dotted(self, node: ast.expr | None) -> str:
        """What `node` names, through the imports of this file: `tool` is `langchain_core.tools.tool`. Nothing for no name."""
        parts = list[str]()
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Call):
            # `StructuredTool(...)` in `StructuredTool(...).x` is a thing of that kind.
            return ".".join([self.dotted(node.func), *reversed(parts)]) if len(parts) < MAX_BRACKETS else ""
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self.imports.get(node.id, node.id), *reversed(parts)])

    def kind_of(self, name: str) -> str:
        """What was called to make the thing of this name: `agent = Agent(...)` is `pydantic_ai.Agent`."""
        value = self.assigned.get(name)
        return self.dotted(value.func) if isinstance(value, ast.Call) else self.imports.get(name, "")

    def uses(self, *packages: str) -> bool:
        """Whether anything is imported from one of these packages."""
        return any(within(path, each) for path in self.imports.values() for each in packages)

    def _take(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for each in node.names:
                self.imports[each.asname or each.name.split(".")[0]] = (
                    each.name if each.asname else each.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            before = self._package(node.level) + (node.module or "")
            for each in node.names:
                self.imports[each.asname or each.name] = f"{before}.{each.name}"
        elif isinstance(node, Function):
            self.functions.setdefault(node.name, node)
        elif isinstance(node, ast.ClassDef):
            self.classes.setdefault(node.name, node)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self.assigned.setdefault(node.targets[0].id, node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            self.assigned.setdefault(node.target.id, node.value)
        elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            self.assigned.setdefault(node.optional_vars.id, node.context_expr)

    def _package(self, level: int) -> str:
        """What `from . import` begins from."""
        parts = self.module.split(".")
        return ".".join(parts[: max(len(parts) - level, 0)]) + "." if level else ""


def within(path: str, package: str) -> bool:
    """Whether a dotted name is of a package."""
    return path == package or path.startswith(f"{package}.")


def _parsed(text: str) -> ast.Module:
    if _deep(text):
        raise ValueError("is nested deeper than anybody writes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        raise ValueError(f"is no Python that we can read: line {error.lineno}") from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise ValueError("is no Python that we can read") from None


def _deep(text: str) -> bool:
    """Whether brackets are nested, or signs stand in a row, as in no program; those in texts count as well."""
    depth = row = 0
    for letter in text:
        if letter in "([{":
            depth += 1
            if depth > MAX_BRACKETS:
                return True
        elif letter in ")]}":
            depth = max(depth - 1, 0)
        row = row + 1 if letter in "-+~.!@\\" else row if letter in " \t" else 0
        if row > MAX_ROW:
            return True
    return False
