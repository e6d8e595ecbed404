"""Cedar expressions and values in plain words: `args.amount is greater than 10000 and not undo`.

For people who own a policy and do not write Cedar. It is only ever read, never parsed.
"""

from datetime import UTC, datetime
from typing import Any, Final, cast

from cedarpy import pst

from interlock.adapters.cedar.compiling.runtime import Entity, Fields
from interlock.adapters.cedar.reads import context_path

_BETWEEN: Final = {
    "less": "is less than",
    "less_eq": "is at most",
    "greater": "is greater than",
    "greater_eq": "is at least",
    "add": "+",
    "sub": "-",
    "mul": "*",
    "contains_all": "contains all of",
    "contains_any": "contains any of",
}
_NOT: Final = {
    "less": "is at least",
    "less_eq": "is greater than",
    "greater": "is at most",
    "greater_eq": "is less than",
    "contains_all": "does not contain all of",
    "contains_any": "contains none of",
}
_LONG_TEXT: Final = 120
_MANY: Final = 12
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_VARS: Final = {"principal": "the release", "action": "the contract", "resource": "the system"}


def plain(node: object) -> str:
    """An expression in words."""
    match node:
        case pst.UnaryOp("not", arg):
            return _negated(arg)
        case pst.UnaryOp("neg", arg):
            return f"-{_inner(arg)}"
        case pst.UnaryOp(_, arg):
            return f"{_inner(arg)} is empty"
        case pst.BinaryOp():
            return _binary(node)
        case pst.HasAttr(base, attrs):
            return f"{_below(base, attrs)} is given"
        case pst.Like(base):
            return f"{_inner(base)} looks like {_pattern(node)}"
        case pst.Is(base, kind, within):
            also = "" if within is None else f" in {plain(within)}"
            return f"{_inner(base)} is of type {kind}{also}"
        case pst.IfThenElse(cond, then_expr, else_expr):
            return f"if {plain(cond)} then {_inner(then_expr)} else {_inner(else_expr)}"
        case _:
            return _term(node)


def told(path: tuple[str, ...], value: Any) -> str:
    """A value in words; that of the context's member at `path`, in its unit."""
    if type(value) is int and path == ("nowMs",):
        return f"{value} ({_moment(value)})"
    if type(value) is int and path == ("minuteOfDay",):
        return f"{value} ({value // 60:02}:{value % 60:02} UTC)"
    if type(value) is int and path == ("weekday",) and 1 <= value <= len(_DAYS):
        return f"{value} ({_DAYS[value - 1]})"
    return _value(value)


def path_text(path: tuple[str, ...]) -> str:
    """`args.sku`; names that are no words in quotes."""
    return ".".join(name if name.isidentifier() else f'"{name}"' for name in path)


def short(path: tuple[str, ...]) -> str:
    """The same, without saying that it is an argument or a fact."""
    return path_text(path[1:] if len(path) > 1 and path[0] in ("args", "facts", "parsed") else path)


def _moment(ms: int) -> str:
    try:
        return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return "no time on any calendar"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value if len(value) <= _LONG_TEXT else value[:_LONG_TEXT] + "…"}"'
    if isinstance(value, tuple):
        kind, name = cast(Entity, value)
        return name if kind in ("Agent", "Release", "System", "Action") else f'"{name}"'
    if isinstance(value, frozenset):
        items = sorted(_value(each) for each in cast(frozenset[object], value))
        more = [f"and {len(items) - _MANY} more"] if len(items) > _MANY else []
        return f"[{', '.join([*items[:_MANY], *more])}]"
    if isinstance(value, Fields):
        return "{" + ", ".join(f"{name}: {_value(each)}" for name, each in sorted(value.items())) + "}"
    return str(value)


def _term(node: object) -> str:
    path = context_path(node)
    if path is not None:
        return path_text(path) if path else "the context"
    match node:
        case pst.Var(name):
            return _VARS.get(name, name)
        case pst.BoolLit(value) | pst.LongLit(value) | pst.StringLit(value):
            return _value(value)
        case pst.EntityLit(uid):
            return _entity(uid)
        case pst.GetAttr(base, attr):
            return f"{_inner(base)}.{path_text((attr,))}"
        case pst.Set(elements):
            return f"[{', '.join(plain(each) for each in elements)}]"
        case pst.Record(fields):
            return "{" + ", ".join(f"{name}: {plain(each)}" for name, each in fields.items()) + "}"
        case _:
            return str(node)


def _entity(uid: pst.EntityUid) -> str:
    kind = str(uid.type)
    if kind in ("Agent", "Release", "System"):
        return f"{kind.lower()} {uid.id}"
    return uid.id if kind == "Action" else f'"{uid.id}"'


def _inner(node: object) -> str:
    """As a part of something larger: what would read otherwise there gets brackets."""
    loose = isinstance(node, pst.BinaryOp | pst.HasAttr | pst.Like | pst.Is | pst.IfThenElse) or (
        isinstance(node, pst.UnaryOp) and node.op != "neg"
    )
    return f"({plain(node)})" if loose else plain(node)


def _binary(node: pst.BinaryOp) -> str:
    if node.op in ("and", "or"):
        return f" {node.op} ".join(_joined(each, node.op) for each in (node.left, node.right))
    left, right = _sides(node)
    match node.op:
        case "eq" | "not_eq":
            known = isinstance(node.right, _KNOWN) or isinstance(node.left, _KNOWN)
            says = ("is", "is not") if known else ("equals", "does not equal")
            return f"{left} {says[node.op == 'not_eq']} {right}"
        case "in":
            return f"{left} is one of {right}" if isinstance(node.right, pst.Set) else f"{left} is in {right}"
        case "contains":
            return f"{right} is one of {left}" if isinstance(node.left, pst.Set) else f"{left} contains {right}"
        case _:
            return f"{left} {_BETWEEN.get(node.op, node.op)} {right}"


_KNOWN: Final = (pst.BoolLit, pst.LongLit, pst.StringLit, pst.EntityLit)


def _joined(node: object, op: str) -> str:
    """One side of an `and` or `or`: only the other of the two, and a condition, would be read otherwise."""
    other = isinstance(node, pst.BinaryOp) and node.op in ("and", "or") and node.op != op
    return f"({plain(node)})" if other or isinstance(node, pst.IfThenElse) else plain(node)


def _sides(node: pst.BinaryOp) -> tuple[str, str]:
    """Both sides; a number beside a time in the unit of the time."""
    sides: list[str] = []
    for this, other in ((node.left, node.right), (node.right, node.left)):
        path = context_path(other)
        if isinstance(this, pst.LongLit) and path is not None:
            sides.append(told(path, this.value))
        elif isinstance(this, pst.BinaryOp) and this.op in ("add", "sub", "mul") and node.op not in ("sub", "mul"):
            sides.append(plain(this))
        else:
            sides.append(_inner(this))
    return sides[0], sides[1]


def _negated(arg: object) -> str:
    match arg:
        case pst.BinaryOp():
            return _not_both(arg)
        case pst.HasAttr(base, attrs):
            return f"{_below(base, attrs)} is not given"
        case pst.Like(base):
            return f"{_inner(base)} does not look like {_pattern(arg)}"
        case pst.UnaryOp("is_empty", inner):
            return f"{_inner(inner)} is not empty"
        case _:
            return f"not {_inner(arg)}"


def _not_both(node: pst.BinaryOp) -> str:
    left, right = _sides(node)
    match node.op:
        case "eq":
            return _binary(pst.BinaryOp("not_eq", node.left, node.right))
        case "not_eq":
            return _binary(pst.BinaryOp("eq", node.left, node.right))
        case "contains":
            fixed = isinstance(node.left, pst.Set)
            return f"{right} is none of {left}" if fixed else f"{left} does not contain {right}"
        case "in":
            return f"{left} is none of {right}" if isinstance(node.right, pst.Set) else f"{left} is not in {right}"
        case _ if node.op in _NOT:
            return f"{left} {_NOT[node.op]} {right}"
        case _:
            return f"not {_inner(node)}"


def _below(base: object, attrs: tuple[str, ...]) -> str:
    path = context_path(base)
    return f"{_inner(base)}.{path_text(tuple(attrs))}" if path is None else path_text((*path, *attrs))


def _pattern(node: pst.Like) -> str:
    return '"' + "".join(each.value if isinstance(each, pst.Char) else "*" for each in node.pattern) + '"'
