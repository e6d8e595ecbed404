"""Which test claims which promise, read from the text of the tests, so that it holds whatever is collected or deselected."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Claim(NamedTuple):
    """One test's claim on one promise. `test` is empty where the mark stands on something pytest does not run."""

    promise: str
    test: str
    place: str
    """File and line, for a person."""


def claims(tests: Path) -> list[Claim]:
    """Every claim under the folder `tests`, in the order of the files. A mark whose id is not plain text claims `?`."""
    return [claim for file in sorted(tests.rglob("*.py")) for claim in _of_file(file, tests.parent)]


def _of_file(file: Path, root: Path) -> list[Claim]:
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    name = file.relative_to(root).as_posix()
    runs = file.name.startswith("test_")
    owners: dict[ast.Call, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            is_test = runs and node.name.startswith(("test", "Test"))
            for decorator in node.decorator_list:
                owners.update(dict.fromkeys(_marks(decorator), f"{name}::{node.name}" if is_test else ""))
    # What stands on no function is a whole file's mark, or a row's in a table that tests share.
    found = [(call, owners.get(call, name if runs else "")) for call in _marks(tree)]
    return [
        Claim(promise, test, f"{name}:{call.lineno}")
        for call, test in sorted(found, key=lambda each: each[0].lineno)
        for promise in _claimed(call)
    ]


def _marks(root: ast.AST) -> Iterator[ast.Call]:
    """Every `pytest.mark.proves(...)` below `root`."""
    for node in ast.walk(root):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "proves":
            yield node


def _claimed(call: ast.Call) -> list[str]:
    texts = [each.value if isinstance(each, ast.Constant) else None for each in call.args]
    return [text if isinstance(text, str) else "?" for text in texts] or ["?"]
