"""One Cedar expression as a solver's term: what it comes to, and when it cannot be evaluated.

The same nodes as `compiling.expressions`, with Cedar's order of evaluation: the right side of `&&` fails only where the
left side is true. Of what cannot be said exactly a comparison becomes an unknown truth, the same one wherever the same
words stand: that may show a loosening which is none, and hides none.
"""

from collections.abc import Callable
from typing import Any, Final

from cedarpy import pst

from interlock.adapters.cedar.compiling.runtime import LEAST
from interlock.adapters.cedar.symbolic.terms import Terms
from interlock.adapters.cedar.symbolic.values import (
    Being,
    Fields,
    Flag,
    Listed,
    Number,
    Pick,
    Text,
    Unsayable,
    Value,
    Z,
)

_DEPTH: Final = 120

Result = tuple[Value, Z]


def condition(terms: Terms, template: pst.Template) -> tuple[Z, Z]:
    """Whether a policy is satisfied, and whether it cannot be evaluated; never both. Raises Unsayable."""
    logic = terms.logic
    holds, fails = terms.scope(template), logic.false
    for clause in template.clauses:
        value, wrong = expression(terms, clause.expr)
        truth = _flag(value)
        fails = logic.any(fails, logic.all(holds, wrong))
        holds = logic.all(holds, logic.no(truth) if isinstance(clause, pst.Unless) else truth)
    return logic.all(holds, logic.no(fails)), fails


def expression(terms: Terms, node: object, depth: int = 0) -> Result:
    """What `node` comes to, and whether it cannot be evaluated. Raises Unsayable."""
    if depth > _DEPTH:
        raise Unsayable("an expression that nests too deep")
    write = _WRITERS.get(type(node))
    if write is None:
        raise Unsayable(f"`{type(node).__name__}`")
    return write(terms, node, depth + 1)


def _flag(value: Value) -> Z:
    if not isinstance(value, Flag):
        raise Unsayable("a condition that is no truth")
    return value.term


def _number(value: Value) -> Z:
    if not isinstance(value, Number):
        raise Unsayable("a sum of what is no number")
    return value.term


def _var(t: Terms, node: pst.Var, depth: int) -> Result:
    del depth
    known: dict[str, Value] = {
        "context": t.known.context,
        "principal": t.known.principal,
        "action": t.known.action,
        "resource": t.known.resource,
    }
    if node.name not in known:
        raise Unsayable(f"the variable `{node.name}`")
    return known[node.name], t.logic.false


def _literal(t: Terms, node: pst.BoolLit | pst.LongLit | pst.StringLit, depth: int) -> Result:
    del depth
    match node:
        case pst.BoolLit(value):
            return Flag(t.logic.flag(value=value)), t.logic.false
        case pst.LongLit(value):
            return Number(t.logic.z.IntVal(value)), t.logic.false
        case pst.StringLit(value):
            return Text(t.logic.text(value)), t.logic.false


def _entity(t: Terms, node: pst.EntityLit, depth: int) -> Result:
    del depth
    return t.entity(node.value), t.logic.false


def _unary(t: Terms, node: pst.UnaryOp, depth: int) -> Result:
    value, fails = expression(t, node.arg, depth)
    match node.op:
        case "not":
            return Flag(t.logic.no(_flag(value))), fails
        case "neg":
            return Number(-_number(value)), t.logic.any(fails, _number(value) == LEAST)
        case "is_empty":
            return _told(t, node, lambda: t.logic.empty(value)), fails
        case _:
            raise Unsayable(f"`{node.op}`")


_COMPARE: Final[dict[str, Callable[[Z, Z], Z]]] = {
    "less": lambda left, right: left < right,
    "less_eq": lambda left, right: left <= right,
    "greater": lambda left, right: left > right,
    "greater_eq": lambda left, right: left >= right,
}
_SUMS: Final[dict[str, Callable[[Z, Z], Z]]] = {
    "add": lambda left, right: left + right,
    "sub": lambda left, right: left - right,
    "mul": lambda left, right: left * right,
}


def _binary(t: Terms, node: pst.BinaryOp, depth: int) -> Result:
    op = node.op
    left, fails = expression(t, node.left, depth)
    right, wrong = expression(t, node.right, depth)
    logic = t.logic
    if op in {"and", "or"}:
        asked = _flag(left) if op == "and" else logic.no(_flag(left))
        both = logic.all if op == "and" else logic.any
        return Flag(both(_flag(left), _flag(right))), logic.any(fails, logic.all(asked, wrong))
    fails = logic.any(fails, wrong)
    if op in _COMPARE:
        return Flag(_COMPARE[op](_number(left), _number(right))), fails
    if op in _SUMS:
        total = _SUMS[op](_number(left), _number(right))
        return Number(total), logic.any(fails, logic.overflows(total))
    tell: dict[str, Callable[[], Z]] = {
        "eq": lambda: logic.same(left, right),
        "not_eq": lambda: logic.no(logic.same(left, right)),
        "in": lambda: t.within(left, right),
        "contains": lambda: logic.contains(left, right),
        "contains_all": lambda: logic.contains_all(left, right),
        "contains_any": lambda: logic.contains_any(left, right),
    }
    if op not in tell:
        raise Unsayable(f"`{op}`")
    return _told(t, node, tell[op]), fails


def _told(t: Terms, node: object, tell: Callable[[], Z]) -> Flag:
    try:
        return Flag(tell())
    except Unsayable as why:
        return Flag(t.guess(node, why))


def _attribute(t: Terms, node: pst.GetAttr, depth: int) -> Result:
    value, fails = expression(t, node.base, depth)
    if not isinstance(value, Fields) or node.attr not in value.members:
        raise Unsayable(f"`{node.attr}`, which is not there for both")
    there, member = value.members[node.attr]
    return member, t.logic.any(fails, t.logic.no(there))


def _has(t: Terms, node: pst.HasAttr, depth: int) -> Result:
    value, fails = expression(t, node.base, depth)
    found = t.logic.true
    for name in node.attrs:
        if not isinstance(value, Fields):
            raise Unsayable("a member of what is no record")
        if name not in value.members:
            return Flag(t.logic.false), fails
        there, value = value.members[name]
        found = t.logic.all(found, there)
    return Flag(found), fails


def _like(t: Terms, node: pst.Like, depth: int) -> Result:
    value, fails = expression(t, node.base, depth)
    if not isinstance(value, Text):
        raise Unsayable("a pattern for what is no text")
    z = t.logic.z
    anything = z.Full(z.ReSort(z.StringSort()))
    parts = [anything if isinstance(each, pst.Wildcard) else z.Re(t.logic.text(each.value)) for each in node.pattern]
    if not parts:
        return Flag(value.term == t.logic.text("")), fails
    return Flag(z.InRe(value.term, z.Concat(*parts) if len(parts) > 1 else parts[0])), fails


def _is(t: Terms, node: pst.Is, depth: int) -> Result:
    value, fails = expression(t, node.base, depth)
    if not isinstance(value, Being | Pick):
        raise Unsayable("`is` of what is no entity")
    kind = t.logic.flag(value=value.kind == str(node.entity_type))
    if node.in_expr is None:
        return Flag(kind), fails
    above, wrong = expression(t, node.in_expr, depth)
    within = _told(t, node, lambda: t.within(value, above))
    return Flag(t.logic.all(kind, within.term)), t.logic.any(fails, t.logic.all(kind, wrong))


def _choice(t: Terms, node: pst.IfThenElse, depth: int) -> Result:
    cond, fails = expression(t, node.cond, depth)
    (one, wrong), (other, bad) = expression(t, node.then_expr, depth), expression(t, node.else_expr, depth)
    when = _flag(cond)
    value = t.logic.choose(when, one, other)
    return value, t.logic.any(fails, t.logic.all(when, wrong), t.logic.all(t.logic.no(when), bad))


def _set(t: Terms, node: pst.Set, depth: int) -> Result:
    items = [expression(t, each, depth) for each in node.elements]
    return Listed(tuple(value for value, _ in items)), t.logic.any(*(fails for _, fails in items))


def _record(t: Terms, node: pst.Record, depth: int) -> Result:
    items = {name: expression(t, each, depth) for name, each in node.fields.items()}
    members = {name: (t.logic.true, value) for name, (value, _) in items.items()}
    return Fields(members), t.logic.any(*(fails for _, fails in items.values()))


_WRITERS: Final[dict[type, Callable[[Terms, Any, int], Result]]] = {
    pst.Var: _var,
    pst.BoolLit: _literal,
    pst.LongLit: _literal,
    pst.StringLit: _literal,
    pst.EntityLit: _entity,
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
"""By exact type, as `compiling.expressions` has it."""
