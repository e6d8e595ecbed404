"""What a class says of its own fields: the sentence that stands below each, read from its source."""

import ast
import inspect
from textwrap import dedent


def sentences(kind: type) -> dict[str, str]:
    """The docstring below each field or member of `kind`, on one line; a field without one is left out."""
    [node] = ast.parse(dedent(inspect.getsource(kind))).body
    if not isinstance(node, ast.ClassDef):
        raise TypeError(f"{kind.__name__} is not written as a class")
    found: dict[str, str] = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        target = (
            field.target
            if isinstance(field, ast.AnnAssign)
            else field.targets[0]
            if isinstance(field, ast.Assign)
            else None
        )
        if isinstance(target, ast.Name) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[target.id] = " ".join(str(below.value.value).split())
    return found
