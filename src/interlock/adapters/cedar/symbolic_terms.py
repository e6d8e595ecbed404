"""One Cedar expression as a solver's term: what it comes to, and when it cannot be evaluated.

The same nodes as `compiling.expressions`, with Cedar's order of evaluation: the right side of `&&` fails only where the
left side is true. Of what cannot be said exactly a comparison becomes an unknown truth, the same one wherever the same
words stand: that may show a loosening which is none, and hides none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cedarpy import pst

from interlock.adapters.cedar.compiling.runtime import LEAST
from interlock.adapters.cedar.symbolic_values import (
    Being,
    Fields,
    Flag,
    Listed,
    Logic,
    Number,
    Pick,
    Text,
    Unsayable,
    Value,
    Z,
)

_DEPTH: Final = 120
_KINDS: Final = ("Action", "Agent", "Release", "System")


@dataclass(frozen=True)
class Known:
    """What the variables of a policy stand for."""

    context: Fields
    principal: Being
    action: Being
    resource: Being
    enums: Mapping[str, tuple[str, ...]]
    """Values by type, in the order in which they are numbered."""


@dataclass
class Terms:
    """Writes expressions about one request."""

    logic: Logic
    known: Known
    unsaid: set[str] = field(default_factory=set[str])
    """What had to be left unknown, in words."""

    def condition(self, template: pst.Template) -> tuple[Z, Z]:
        """Whether a policy is satisfied, and whether it cannot be evaluated; never both."""
        holds, fails = self._scope(template), self.logic.false
        for clause in template.clauses:
            value, wrong = self.of(clause.expr)
            truth = _flag(value)
            fails = self.logic.any(fails, self.logic.all(holds, wrong))
            holds = self.logic.all(holds, self.logic.no(truth) if isinstance(clause, pst.Unless) else truth)
        return self.logic.all(holds, self.logic.no(fails)), fails

    def of(self, node: object, depth: int = 0) -> tuple[Value, Z]:
        """What `node` comes to, and whether it cannot be evaluated. Raises Unsayable."""
        if depth > _DEPTH:
            raise Unsayable("an expression that nests too deep")
        write = _WRITERS.get(type(node))
        if write is None:
            raise Unsayable(f"`{type(node).__name__}`")
        value, fails = write(self, node, depth + 1)
        return value, fails

    # -- scope -------------------------------------------------------------------------------------------------

    def _scope(self, template: pst.Template) -> Z:
        """Of the scope what the slice leaves open: which release it is, and which system."""
        return self.logic.all(
            self._constrained(template.principal, self.known.principal),
            self._constrained(template.resource, self.known.resource),
        )

    def _constrained(self, scope: object, being: Being) -> Z:
        match scope:
            case pst.ScopeAny():
                return self.logic.true
            case pst.ScopeIs(kind):
                return self.logic.flag(value=str(kind) == being.kind)
            case pst.ScopeEq(pst.EntityUid() as uid):
                return self.logic.same(being, self.entity(uid))
            case pst.ScopeIn(pst.EntityUid() as uid):
                return self.within(being, self.entity(uid))
            case pst.ScopeIsIn(kind, pst.EntityUid() as uid):
                within = self.within(being, self.entity(uid))
                return self.logic.all(self.logic.flag(value=str(kind) == being.kind), within)
            case _:
                raise Unsayable(f"`{type(scope).__name__}` in a scope")

    # -- parts the writers share -------------------------------------------------------------------------------

    def entity(self, uid: pst.EntityUid) -> Value:
        """An entity, written out."""
        kind = str(uid.type)
        if kind in _KINDS:
            return Being(kind, self.logic.text(uid.id))
        values = self.known.enums.get(kind, ())
        return Pick(kind, self.logic.z.IntVal(values.index(uid.id) if uid.id in values else -1))

    def within(self, left: Value, right: Value) -> Z:
        """`left in right`."""
        if isinstance(right, Listed):
            return self.logic.any(*(self.within(left, each) for each in right.items))
        if not isinstance(right, Being | Pick) or not isinstance(left, Being | Pick):
            raise Unsayable("`in` with what is no entity")
        same = self.logic.same(left, right)
        if isinstance(left, Pick) or isinstance(right, Pick):
            return same
        above = [self.logic.text(name) == right.id for kind, name in left.above if kind == right.kind]
        return self.logic.any(same, *above)

    def guess(self, node: object, why: Unsayable) -> Z:
        """An unknown truth for `node`."""
        self.unsaid.add(str(why))
        return self.logic.z.Bool(f"unknown {node!r}")


Result = tuple[Value, Z]


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
    value, fails = t.of(node.arg, depth)
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
    left, fails = t.of(node.left, depth)
    right, wrong = t.of(node.right, depth)
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
    value, fails = t.of(node.base, depth)
    if not isinstance(value, Fields) or node.attr not in value.members:
        raise Unsayable(f"`{node.attr}`, which is not there for both")
    there, member = value.members[node.attr]
    return member, t.logic.any(fails, t.logic.no(there))


def _has(t: Terms, node: pst.HasAttr, depth: int) -> Result:
    value, fails = t.of(node.base, depth)
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
    value, fails = t.of(node.base, depth)
    if not isinstance(value, Text):
        raise Unsayable("a pattern for what is no text")
    z = t.logic.z
    anything = z.Full(z.ReSort(z.StringSort()))
    parts = [anything if isinstance(each, pst.Wildcard) else z.Re(t.logic.text(each.value)) for each in node.pattern]
    if not parts:
        return Flag(value.term == t.logic.text("")), fails
    return Flag(z.InRe(value.term, z.Concat(*parts) if len(parts) > 1 else parts[0])), fails


def _is(t: Terms, node: pst.Is, depth: int) -> Result:
    value, fails = t.of(node.base, depth)
    if not isinstance(value, Being | Pick):
        raise Unsayable("`is` of what is no entity")
    kind = t.logic.flag(value=value.kind == str(node.entity_type))
    if node.in_expr is None:
        return Flag(kind), fails
    above, wrong = t.of(node.in_expr, depth)
    within = _told(t, node, lambda: t.within(value, above))
    return Flag(t.logic.all(kind, within.term)), t.logic.any(fails, t.logic.all(kind, wrong))


def _choice(t: Terms, node: pst.IfThenElse, depth: int) -> Result:
    cond, fails = t.of(node.cond, depth)
    (one, wrong), (other, bad) = t.of(node.then_expr, depth), t.of(node.else_expr, depth)
    when = _flag(cond)
    value = t.logic.choose(when, one, other)
    return value, t.logic.any(fails, t.logic.all(when, wrong), t.logic.all(t.logic.no(when), bad))


def _set(t: Terms, node: pst.Set, depth: int) -> Result:
    items = [t.of(each, depth) for each in node.elements]
    return Listed(tuple(value for value, _ in items)), t.logic.any(*(fails for _, fails in items))


def _record(t: Terms, node: pst.Record, depth: int) -> Result:
    items = {name: t.of(each, depth) for name, each in node.fields.items()}
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
