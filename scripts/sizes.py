"""What is longer than the rule of thumb: files over 250 lines, functions over 60. A report to read, never a gate."""

import ast
import sys
from pathlib import Path
from typing import NamedTuple

FILE_LINES = 250
FUNCTION_LINES = 60


class Size(NamedTuple):
    """One thing that may hold two ideas. `name` is empty for a whole file."""

    file: str
    name: str
    lines: int


def long_ones(root: Path, *folders: str) -> list[Size]:
    """Every file and function below `root`'s `folders` that is over its limit, longest first."""
    found: list[Size] = []
    for file in sorted(path for folder in folders for path in (root / folder).rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        name = file.relative_to(root).as_posix()
        lines = text.count("\n")
        if lines > FILE_LINES:
            found.append(Size(name, "", lines))
        for node in ast.walk(ast.parse(text, filename=name)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > FUNCTION_LINES:
                    found.append(Size(name, node.name, length))
    return sorted(found, key=lambda size: (bool(size.name), -size.lines, size.file))


def main() -> None:
    """Print them."""
    sizes = long_ones(Path(__file__).parent.parent, "src")
    total = len(list((Path(__file__).parent.parent / "src").rglob("*.py")))
    sys.stdout.write(f"sizes: {total} files, {len(sizes)} over the rule of thumb\n")
    for size in sizes:
        sys.stdout.write(f"  {size.lines:>4} lines  {size.file}{f'  {size.name}()' if size.name else ''}\n")


if __name__ == "__main__":
    main()
