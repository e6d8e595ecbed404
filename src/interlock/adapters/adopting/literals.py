"""Values that stand written out in a program's source. Nothing is evaluated: what is not written out is NOTHING."""

import ast
from typing import Final

from interlock.domain.canonical import JsonValue

MAX_DEPTH: Final = 20
MAX_MEMBERS: Final = 1000
MAX_DIGITS: Final = 15


class _Nothing(str):
    """What is not written out. A text, so that it has a type of JSON's; compared by `is`."""

    __slots__ = ()


NOTHING: Final[JsonValue] = _Nothing("?")


def literal(node: ast.expr | None, depth: int = 0) -> JsonValue:
    """The value of `node`: text, whole numbers, booleans, None, and lists and tables of them; or NOTHING."""
    if node is None or depth > MAX_DEPTH:
        return NOTHING
    if isinstance(node, ast.Constant):
        return _constant(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = literal(node.operand, depth + 1)
        return -value if isinstance(value, int) and not isinstance(value, bool) else NOTHING
    if isinstance(node, ast.List | ast.Tuple) and len(node.elts) <= MAX_MEMBERS:
        items = [literal(each, depth + 1) for each in node.elts]
        return NOTHING if any(each is NOTHING for each in items) else items
    if isinstance(node, ast.Dict) and len(node.keys) <= MAX_MEMBERS:
        table: dict[str, JsonValue] = {}
        for key, each in zip(node.keys, node.values, strict=True):
            name, value = literal(key, depth + 1), literal(each, depth + 1)
            if not isinstance(name, str) or name is NOTHING or value is NOTHING:
                return NOTHING
            table[name] = value
        return table
    return NOTHING


def _constant(value: object) -> JsonValue:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and abs(value) < 10**MAX_DIGITS:
        return value
    return NOTHING


def text_of(node: ast.expr | None) -> str:
    """A text that is written out, or nothing. Texts beside each other and f-strings with nothing in them are one."""
    value = literal(node)
    return value if isinstance(value, str) and value is not NOTHING else ""


def written(node: ast.expr | None, depth: int = 0) -> object:
    """Like `literal`, for the settings of a server: what is taken from the environment is `${NAME}`, whatever else is not
    written out `${WORD}` of the name that stands there."""
    if isinstance(node, ast.List | ast.Tuple) and depth < MAX_DEPTH:
        return [written(each, depth + 1) for each in node.elts[:MAX_MEMBERS]]
    if isinstance(node, ast.Dict) and depth < MAX_DEPTH:
        pairs = list(zip(node.keys, node.values, strict=True))[:MAX_MEMBERS]
        return {name: written(each, depth + 1) for key, each in pairs if (name := text_of(key))}
    if isinstance(node, ast.JoinedStr):
        return "".join(
            text_of(each) if isinstance(each, ast.Constant) else str(written(each.value, depth + 1))
            for each in node.values
            if isinstance(each, ast.Constant | ast.FormattedValue)
        )
    value = literal(node)
    if value is not NOTHING:
        return value
    return "${" + (_from_environment(node) or _word(node) or "VALUE") + "}"


def _from_environment(node: ast.expr | None) -> str:
    """The variable that `os.environ["X"]`, `os.environ.get("X")` or `os.getenv("X")` reads."""
    if isinstance(node, ast.Subscript):
        return _fit(text_of(node.slice))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "getenv"):
        return _fit(text_of(node.args[0])) if node.args else ""
    return ""


def _word(node: ast.expr | None) -> str:
    if isinstance(node, ast.Attribute):
        return _fit(node.attr.upper())
    return _fit(node.id.upper()) if isinstance(node, ast.Name) else ""


def _fit(name: str) -> str:
    return name if name.isidentifier() and name.isascii() and len(name) <= 64 else ""
