"""What follows from taking conditions for true: for every expression its bounds or the values it may still have.

It is told from one question's point of view, so an expression has the same value wherever it stands. What is not certain
counts as possible: "never" is only said of what can be shown, and every condition costs a bounded number of steps.
"""

from collections.abc import Mapping
from typing import Final

from cedarpy import pst

from interlock.adapters.cedar.bounds import reckoned
from interlock.adapters.cedar.ranges import EITHER, LEAST, MOST, Among, Known, Ranges, Span, Wording
from interlock.adapters.cedar.reads import context_path

State = Mapping[object, Known]
"""What is known of expressions beyond what is known before anybody asks."""

NOTHING: Final[State] = {}
_STEPS: Final = 3_000
_OPPOSITE: Final = {"less": "greater_eq", "greater_eq": "less", "greater": "less_eq", "less_eq": "greater"}
_SWAPPED: Final = {"less": "greater", "greater": "less", "less_eq": "greater_eq", "greater_eq": "less_eq"}
_ARITHMETIC: Final = ("add", "sub", "mul")


class Reckoning:
    """Reckons with one contract's ranges."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges = ranges
        self._left = _STEPS

    def assume(self, node: object, truth: bool, state: State) -> State | None:
        """What is known once `node` is `truth`; None if it cannot be."""
        self._left -= 1
        if self._left < 0:
            return state
        match node:
            case pst.UnaryOp("not", arg):
                return self.assume(arg, not truth, state)
            case pst.BinaryOp("and" | "or" as op, left, right):
                if (op == "and") is truth:
                    first = self.assume(left, truth, state)
                    return None if first is None else self.assume(right, truth, first)
                return self._either(((left, truth),), ((left, not truth), (right, truth)), state)
            case pst.IfThenElse(cond, then, otherwise):
                return self._either(((cond, True), (then, truth)), ((cond, False), (otherwise, truth)), state)
            case pst.BinaryOp("less" | "less_eq" | "greater" | "greater_eq" as op, left, right):
                narrowed = self._ordered(op if truth else _OPPOSITE[op], left, right, state)
            case pst.BinaryOp("eq" | "not_eq" as op, left, right):
                narrowed = self._equal((op == "eq") is truth, left, right, state)
            case pst.BinaryOp("contains", pst.Set(elements), item):
                narrowed = self._listed(truth, elements, item, state)
            case _:
                narrowed = state
        if narrowed is None:
            return None
        known = self.known(node, narrowed)
        if isinstance(known, Among) and truth not in known.values:
            return None
        return {**narrowed, node: Among(frozenset((truth,)))}

    def known(self, node: object, state: State) -> Known:
        """What is known of an expression."""
        if isinstance(node, pst.BoolLit | pst.StringLit):
            return Among(frozenset((node.value,)))
        if isinstance(node, pst.LongLit):
            return Span(node.value, node.value)
        if isinstance(node, pst.EntityLit):
            return Among(frozenset(((str(node.value.type), node.value.id),)))
        if node in state:
            return state[node]
        self._left -= 1
        if self._left < 0:
            return None
        match node:
            case pst.UnaryOp("not", arg):
                return _negated(self.known(arg, state))
            case pst.UnaryOp("neg", arg):
                span = self.known(arg, state)
                return _fitting(Span(-span.high, -span.low)) if isinstance(span, Span) else None
            case pst.BinaryOp(op, left, right):
                return self._between(op, self.known(left, state), right, state)
            case pst.HasAttr(base, attrs):
                path = context_path(base)
                there = path is not None and self._ranges.always((*path, *attrs))
                return Among(frozenset((True,))) if there else EITHER
            case _:
                path = context_path(node)
                return self._ranges.at(path) if path else None

    def _between(self, op: str, left: Known, other: object, state: State) -> Known:
        """An operation's value. `and` and `or` stop where Cedar stops."""
        truths = left.values if isinstance(left, Among) else EITHER.values
        if op in ("and", "or"):
            stops = op == "or"
            if truths == frozenset[object]((stops,)):
                return left
            right = self.known(other, state)
            rest = right.values if isinstance(right, Among) else EITHER.values
            return Among(rest if stops not in truths else rest | {stops})
        right = self.known(other, state)
        if op in _ARITHMETIC:
            if isinstance(left, Span) and isinstance(right, Span):
                return _fitting(reckoned(op, left, right))
            return None
        if op in _OPPOSITE:
            return _compared(op, left, right)
        if op in ("eq", "not_eq"):
            same = _same(left, right)
            return same if op == "eq" else _negated(same)
        return EITHER

    def _either(
        self, one: tuple[tuple[object, bool], ...], other: tuple[tuple[object, bool], ...], state: State
    ) -> State | None:
        """What is known if one of two ways is taken: what the only possible one says, or nothing new."""
        first, second = self._all(one, state), self._all(other, state)
        if first is not None and second is not None:
            return state
        return first if first is not None else second

    def _all(self, conditions: tuple[tuple[object, bool], ...], state: State) -> State | None:
        after: State | None = state
        for node, truth in conditions:
            after = None if after is None else self.assume(node, truth, after)
        return after

    def _ordered(self, op: str, left: object, right: object, state: State) -> State | None:
        if op in ("greater", "greater_eq"):
            op, left, right = _SWAPPED[op], right, left
        one, other = self.known(left, state), self.known(right, state)
        if not (isinstance(one, Span) and isinstance(other, Span)):
            return state
        step = 1 if op == "less" else 0
        one = Span(one.low, min(one.high, other.high - step))
        other = Span(max(other.low, one.low + step), other.high)
        if one.low > one.high or other.low > other.high:
            return None
        return {**state, left: one, right: other}

    def _equal(self, same: bool, left: object, right: object, state: State) -> State | None:
        one, other = self.known(left, state), self.known(right, state)
        if same:
            both = _both(one, other)
            if _empty(both):
                return None
            return state if both is None else {**state, left: both, right: both}
        one, other = _without(one, other), _without(other, one)
        if _empty(one) or _empty(other):
            return None
        return {**state, left: one, right: other}

    def _listed(self, truth: bool, elements: tuple[object, ...], item: object, state: State) -> State | None:
        known = self.known(item, state)
        every = [self.known(each, state) for each in elements]
        values = frozenset(
            value for each in every if isinstance(each, Among) and len(each.values) == 1 for value in each.values
        )
        if len(values) < len(set(elements)) or isinstance(known, Span):
            # Something in the list is not a plain value.
            return state
        if truth:
            left = _both(known, Among(values))
            return None if _empty(left) else {**state, item: left}
        if not isinstance(known, Among):
            return state
        return {**state, item: Among(known.values - values)} if known.values - values else None


def _fitting(span: Span) -> Span:
    return Span(max(span.low, LEAST), min(span.high, MOST))


def _negated(known: Known) -> Known:
    return Among(frozenset(not value for value in known.values)) if isinstance(known, Among) else EITHER


def _compared(op: str, left: Known, right: Known) -> Known:
    if not (isinstance(left, Span) and isinstance(right, Span)):
        return EITHER
    if op in ("greater", "greater_eq"):
        op, left, right = _SWAPPED[op], right, left
    step = 1 if op == "less" else 0
    if left.high + step <= right.low:
        return Among(frozenset((True,)))
    return Among(frozenset((False,))) if left.low + step > right.high else EITHER


def _same(left: Known, right: Known) -> Among:
    if left is None or right is None:
        return EITHER
    if _empty(_both(left, right)):
        return Among(frozenset((False,)))
    return Among(frozenset((True,))) if left == right and _single(left) else EITHER


def _single(known: Known) -> bool:
    if isinstance(known, Span):
        return known.low == known.high
    return isinstance(known, Among) and len(known.values) == 1


def _both(left: Known, right: Known) -> Known:
    """What two that are equal may be."""
    if isinstance(left, Span) and isinstance(right, Span):
        return Span(max(left.low, right.low), min(left.high, right.high))
    if isinstance(left, Among) and isinstance(right, Among):
        return Among(left.values & right.values)
    if isinstance(left, Wording) and isinstance(right, Among):
        return Among(left.allowed(right.values))
    if isinstance(left, Among) and isinstance(right, Wording):
        return _both(right, left)
    return left if right is None else right


def _empty(known: Known) -> bool:
    if isinstance(known, Span):
        return known.low > known.high
    return isinstance(known, Among) and not known.values


def _without(known: Known, other: Known) -> Known:
    """What `known` may be if it is not `other`."""
    if not _single(other):
        return known
    if isinstance(known, Among) and isinstance(other, Among):
        return Among(known.values - other.values)
    if isinstance(known, Span) and isinstance(other, Span):
        value = other.low
        return Span(known.low + (known.low == value), known.high - (known.high == value))
    return known
