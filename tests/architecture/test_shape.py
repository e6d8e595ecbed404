"""What every file here keeps to, read from the text itself."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.sizes import Size, long_ones

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
FILES = sorted(SRC.rglob("*.py"))
MODULES = {path.relative_to(SRC).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
DOMAIN = {name: tree for name, tree in MODULES.items() if name.startswith("interlock/domain/")}

IMPURE_MODULES = frozenset(
    {
        "asyncio",
        "contextvars",
        "ctypes",
        "http",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "queue",
        "random",
        "secrets",
        "select",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
    }
)
"""Parts of the standard library through which clock, chance or the world could come into the domain."""
IMPURE_CALLS = frozenset(
    {"open", "print", "input", "exec", "eval", "__import__", "now", "today", "utcnow", "uuid4", "urandom"}
)
PURE_LIBRARIES = frozenset({"msgspec", "jsonschema_rs", "interlock"})


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module imported anywhere below `tree`, and on which line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.lineno


def inner_imports(tree: ast.AST) -> list[int]:
    """The lines of imports inside functions."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [line for function in functions for _, line in imports(function)]


def impurities(tree: ast.AST) -> list[str]:
    """What in `tree` could bring in a clock, chance or the world."""
    found: list[str] = []
    for module, _ in imports(tree):
        top = module.partition(".")[0]
        if top in IMPURE_MODULES or (top not in PURE_LIBRARIES and top not in sys.stdlib_module_names):
            found.append(module)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in IMPURE_CALLS:
                found.append(f"{name}()")
    return found


@pytest.mark.parametrize("name", DOMAIN)
def test_the_domain_is_pure(name: str) -> None:
    """Nothing in the domain imports or calls what could tell two runs apart; its only libraries hold values."""
    assert impurities(DOMAIN[name]) == []


def test_impurity_is_noticed() -> None:
    """The look at the domain sees a clock, a file, chance and a foreign library, wherever they stand."""
    text = "import datetime\ndef f():\n import os\n from requests import get\n open('x')\n datetime.datetime.now()\n"

    assert impurities(ast.parse(text)) == ["os", "requests", "open()", "now()"]


def test_every_module_says_what_it_is_for() -> None:
    """Every file of the product begins with a docstring, `__init__.py` included."""
    assert [name for name, tree in MODULES.items() if not ast.get_docstring(tree)] == []


def test_imports_stand_at_the_top() -> None:
    """No function imports: what a file needs is seen at its top."""
    assert {name: lines for name, tree in MODULES.items() if (lines := inner_imports(tree))} == {}
    assert inner_imports(ast.parse("async def f():\n    import os\n")) == [2]


def test_typed_for_those_who_build_on_it() -> None:
    """The package says that it is typed, so that a user's type checker believes its annotations (PEP 561)."""
    assert (SRC / "interlock" / "py.typed").is_file()


def test_sizes_are_counted(tmp_path: Path) -> None:
    """The report on sizes names what is over the rule of thumb, files first, and nothing that is not."""
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "short.py").write_text("def f():\n" + "    x = 1\n" * 59)
    (folder / "long.py").write_text("x = 1\n" * 190 + "def g():\n" + "    x = 1\n" * 60)

    assert long_ones(tmp_path, "src") == [Size("src/long.py", "", 251), Size("src/long.py", "g", 61)]


DOORS = {
    ("beginnings", "open"),
    ("beginnings", "resume"),
    ("delegating", "open"),
    ("delegating", "token"),
    ("enrolment", "enrol"),
    ("gate", "propose"),
    ("inquiring", "answer"),
    ("tasks", "failures"),
    ("tasks", "open"),
    ("uses", "begin"),
    ("uses", "settle"),
}
"""What the services do for agents' programs."""


def test_servers_hear_agents_through_one_door() -> None:
    """No page and no route asks that of these services: what comes for them from outside goes through `embedded.Outside`."""
    fronts = ("interlock/api/", "interlock/console/", "interlock/web/")
    asked = {
        (name, node.value.attr, node.attr)
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if name.startswith(fronts) and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)
    }
    assert asked
    assert [each for each in asked if each[1:] in DOORS or each[1] == "holders"] == []
    serving = MODULES["interlock/bootstrap/serving.py"]
    names = {node.id for node in ast.walk(serving) if isinstance(node, ast.Name)}
    assert "Outside" in names
    assert "Embedded" not in names
