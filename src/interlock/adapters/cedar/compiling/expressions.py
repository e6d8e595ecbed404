"""One Cedar expression as one Python expression, both as trees.

Every node is known or refused: what a later engine may add means nothing here until somebody says what. The trees come
out of Cedar's strict validation, so types are as they must be, and only what Cedar does otherwise than Python is a call.
"""

import ast
from collections.abc import Callable
from typing import Any, Final, cast

from cedarpy import pst

from interlock.adapters.cedar.reads import children

CONTEXT: Final = "c"
PRINCIPAL: Final = "p"
RESOURCE: Final = "r"
ACTION: Final = "a"
PARENTS: Final = "up"

_VARS: Final = {"context": CONTEXT, "principal": PRINCIPAL, "resource": RESOURCE, "action": ACTION}
_COMPARE: Final[dict[str, type[ast.cmpop]]] = {
    "less": ast.Lt,
    "less_eq": ast.LtE,
    "greater": ast.Gt,
    "greater_eq": ast.GtE,
}
_CALLS: Final = {"add": "_add", "sub": "_sub", "mul": "_mul"}
_DEPTH: Final = 120
"""cedarpy gives no tree deeper than 100; a tree made otherwise is refused before Python's own stack would be."""


class Unsupported(ValueError):
    """A part of Cedar that this engine does not know. The message names it."""


def refusal(template: pst.Template) -> str | None:
    """What in a policy this engine does not know, or None."""
    try:
        condition(template)
    except Unsupported as error:
        return str(error)
    return None


def condition(template: pst.Template) -> ast.expr:
    """All clauses of a policy as one expression over the names above. Raises Unsupported."""
    parts: list[ast.expr] = []
    for clause in template.clauses:
        if type(clause) is pst.When:
            parts.append(expression(clause.expr))
        elif type(clause) is pst.Unless:
            parts.append(ast.UnaryOp(ast.Not(), expression(clause.expr)))
        else:
            raise Unsupported(f"a clause `{type(clause).__name__}`")
    return every(parts)


def every(parts: list[ast.expr]) -> ast.expr:
    """True where each of `parts` is, asked in order."""
    if not parts:
        return fixed(True)
    return parts[0] if len(parts) == 1 else ast.BoolOp(ast.And(), parts)


def fixed(value: object) -> ast.Constant:
    """A value, written out: text, numbers, and tuples and frozensets of them."""
    return ast.Constant(value=cast(Any, value))


def name(word: str) -> ast.expr:
    """A name that is read."""
    return ast.Name(id=word, ctx=ast.Load())


def entity(uid: pst.EntityUid) -> ast.expr:
    """An entity, written out."""
    return fixed((str(uid.type), uid.id))


def equal(left: ast.expr, right: ast.expr) -> ast.expr:
    """Plain Python equality."""
    return ast.Compare(left, [ast.Eq()], [right])


def call(function: str, *arguments: ast.expr) -> ast.expr:
    """A call of one of `runtime.GLOBALS`."""
    return ast.Call(func=name(function), args=list(arguments), keywords=[])


def expression(node: object, depth: int = 0) -> ast.expr:
    """`node` as Python. Raises Unsupported, naming what is not known."""
    if depth > _DEPTH:
        raise Unsupported(f"an expression nested more than {_DEPTH} deep")
    write = _WRITERS.get(type(node))
    if write is None:
        raise Unsupported(f"`{type(node).__name__}`")
    return write(node, depth + 1)


def _var(node: pst.Var, depth: int) -> ast.expr:
    del depth
    if node.name not in _VARS:
        raise Unsupported(f"the variable `{node.name}`")
    return name(_VARS[node.name])


def _literal(node: pst.BoolLit | pst.LongLit | pst.StringLit, depth: int) -> ast.expr:
    del depth
    return fixed(node.value)


def _entity_literal(node: pst.EntityLit, depth: int) -> ast.expr:
    del depth
    return entity(node.value)


def _unary(node: pst.UnaryOp, depth: int) -> ast.expr:
    match node.op:
        case "not" | "is_empty":
            return ast.UnaryOp(ast.Not(), expression(node.arg, depth))
        case "neg":
            return call("_neg", expression(node.arg, depth))
        case _:
            raise Unsupported(f"`{node.op}`")


def _binary(node: pst.BinaryOp, depth: int) -> ast.expr:
    left, right = expression(node.left, depth), expression(node.right, depth)
    op = node.op
    if op in {"and", "or"}:
        return ast.BoolOp(ast.And() if op == "and" else ast.Or(), [left, right])
    if op in _COMPARE:
        return ast.Compare(left, [_COMPARE[op]()], [right])
    if op in _CALLS:
        return call(_CALLS[op], left, right)
    match op:
        case "eq":
            # To Python true is 1, but validation lets nothing compare a Bool with a Long.
            return equal(left, right)
        case "not_eq":
            return ast.UnaryOp(ast.Not(), equal(left, right))
        case "in":
            return call("_within", left, right, name(PARENTS))
        case "contains":
            return ast.Compare(right, [ast.In()], [left])
        case "contains_all":
            return ast.Compare(right, [ast.LtE()], [left])
        case "contains_any":
            apart = ast.Call(func=ast.Attribute(left, "isdisjoint", ast.Load()), args=[right], keywords=[])
            return ast.UnaryOp(ast.Not(), apart)
        case _:
            raise Unsupported(f"`{op}`")


def _attribute(node: pst.GetAttr, depth: int) -> ast.expr:
    _must_be_record(node.base)
    return ast.Subscript(expression(node.base, depth), fixed(node.attr), ast.Load())


def _has(node: pst.HasAttr, depth: int) -> ast.expr:
    _must_be_record(node.base)
    return call("_has", expression(node.base, depth), fixed(tuple(node.attrs)))


def _must_be_record(node: object) -> None:
    """No entity of our schemas has attributes."""
    if isinstance(node, pst.EntityLit) or (isinstance(node, pst.Var) and node.name != "context"):
        raise Unsupported("an attribute of an entity")


def _like(node: pst.Like, depth: int) -> ast.expr:
    parts = [""]
    for element in node.pattern:
        if type(element) is pst.Wildcard:
            parts.append("")
        elif type(element) is pst.Char:
            parts[-1] += element.value
        else:
            raise Unsupported(f"`{type(element).__name__}` in a pattern")
    return call("_like", expression(node.base, depth), fixed(tuple(parts)))


def _is(node: pst.Is, depth: int) -> ast.expr:
    base = expression(node.base, depth)
    kind = equal(ast.Subscript(base, fixed(0), ast.Load()), fixed(str(node.entity_type)))
    if node.in_expr is None:
        return kind
    return every([kind, call("_within", base, expression(node.in_expr, depth), name(PARENTS))])


def _choice(node: pst.IfThenElse, depth: int) -> ast.expr:
    return ast.IfExp(expression(node.cond, depth), expression(node.then_expr, depth), expression(node.else_expr, depth))


def _set(node: pst.Set, depth: int) -> ast.expr:
    items = [expression(item, depth) for item in node.elements]
    known = [item.value for item in items if isinstance(item, ast.Constant)]
    if len(known) == len(items):
        return fixed(frozenset(known))
    return call("_set", ast.Tuple(elts=items, ctx=ast.Load()))


def _record(node: pst.Record, depth: int) -> ast.expr:
    keys: list[ast.expr | None] = [fixed(key) for key in node.fields]
    return call("_record", ast.Dict(keys=keys, values=[expression(each, depth) for each in node.fields.values()]))


_WRITERS: Final[dict[type, Callable[..., ast.expr]]] = {
    pst.Var: _var,
    pst.BoolLit: _literal,
    pst.LongLit: _literal,
    pst.StringLit: _literal,
    pst.EntityLit: _entity_literal,
    pst.UnaryOp: _unary,
    pst.BinaryOp: _binary,
    pst.GetAttr: _attribute,
    pst.HasAttr: _has,
    pst.Like: _like,
    pst.Is: _is,
    pst.IfThenElse: _choice,
    pst.Set: _set,
    pst.Record: _record,
}
"""By exact type: a node that is somehow another kind of one of these is not known."""


def uses_parents(template: pst.Template) -> bool:
    """Whether anything in its clauses asks what is above an entity."""
    pending: list[object] = list(template.clauses)
    while pending:
        node = pending.pop()
        if (isinstance(node, pst.BinaryOp) and node.op == "in") or (
            isinstance(node, pst.Is) and node.in_expr is not None
        ):
            return True
        pending.extend(children(node))
    return False
