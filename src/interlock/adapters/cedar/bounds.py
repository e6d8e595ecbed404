"""Arithmetic that could leave 64 bits. Cedar's validator accepts it, and at run time it is an error, which denies
everything the policy is about: so it is refused before, wherever the contract's bounds do not exclude it."""

from collections.abc import Iterator, Mapping
from typing import Final

from cedarpy import pst

from interlock.adapters.cedar.ranges import LEAST, MOST, Ranges, Span
from interlock.adapters.cedar.reads import children, context_path, context_paths
from interlock.adapters.cedar.remark import Remark
from interlock.adapters.cedar.scope import about_action
from interlock.adapters.cedar.writing import short, written
from interlock.domain.canonical import MAX_INTEGER

_DOES: Final = {"add": "the sum", "sub": "the difference", "mul": "the product", "neg": "the negative"}
_WIDEST: Final = Span(LEAST, MOST)


def overflows(template: pst.Template, ranges: Mapping[str, Ranges]) -> Iterator[Remark]:
    """Every smallest part of a policy that can overflow for a contract it is about, told of the first such contract."""
    sums = list(_arithmetic(template.clauses))
    for each in ranges.values() if sums else ():
        if not about_action(template, each.surface):
            continue
        reckoning = _Reckoning(each)
        for node in sums:
            reckoning.span(node)
        if reckoning.beyond:
            yield from (_told(node, span, each) for node, span in reckoning.beyond.items())
            return


class _Reckoning:
    def __init__(self, ranges: Ranges) -> None:
        self._ranges = ranges
        self.beyond: dict[pst.BinaryOp | pst.UnaryOp, Span] = {}
        """What can overflow, and between which numbers it would be."""

    def span(self, node: object) -> Span:
        """Between which numbers an expression is, if nothing in it overflows."""
        match node:
            case pst.LongLit(value):
                return Span(value, value)
            case pst.UnaryOp("neg", arg):
                low, high = self.span(arg)
                return self._kept(node, Span(-high, -low))
            case pst.BinaryOp("add" | "sub" | "mul" as op, left, right):
                return self._kept(node, reckoned(op, self.span(left), self.span(right)))
            case pst.IfThenElse(cond, then, otherwise):
                for each in _arithmetic(cond):
                    self.span(each)
                one, other = self.span(then), self.span(otherwise)
                return Span(min(one.low, other.low), max(one.high, other.high))
            case _:
                path = context_path(node)
                known = self._ranges.at(path) if path else None
                for each in _arithmetic(tuple(children(node))):
                    # What makes up a record overflows whichever member is taken of it.
                    self.span(each)
                return known if isinstance(known, Span) else _WIDEST

    def _kept(self, node: pst.BinaryOp | pst.UnaryOp, span: Span) -> Span:
        if span.low >= LEAST and span.high <= MOST:
            return span
        self.beyond.setdefault(node, span)
        # What is around it would only overflow because of this.
        return Span(0, 0)


def _arithmetic(node: object) -> Iterator[pst.BinaryOp | pst.UnaryOp]:
    """The outermost sums, differences and products in an expression, in their order."""
    pending = [node]
    while pending:
        inner = pending.pop()
        if isinstance(inner, pst.BinaryOp | pst.UnaryOp) and inner.op in _DOES:
            yield inner
        else:
            pending.extend(reversed(list(children(inner))))


def reckoned(op: str, left: Span, right: Span) -> Span:
    """Between which numbers a sum, difference or product is."""
    if op == "add":
        return Span(left.low + right.low, left.high + right.high)
    if op == "sub":
        return Span(left.low - right.high, left.high - right.low)
    corners = [one * other for one in left for other in right]
    return Span(min(corners), max(corners))


def _told(node: pst.BinaryOp | pst.UnaryOp, span: Span, ranges: Ranges) -> Remark:
    low, high = span
    reach = f"as far as {high if high > MOST else low}"
    said = f"{_DOES[node.op]} `{short(node)}` can get {reach} in `{ranges.surface.name}`, and numbers have 64 bits"
    return Remark(f"{said}: {_advice(node, ranges)}", written(node))


def _advice(node: object, ranges: Ranges) -> str:
    """What to bound, where, so that it fits."""
    advice: list[str] = []
    paths = sorted(set(context_paths(node)))
    for path in paths:
        ends = ranges.open(path)
        if ends:
            whose = "facts" if path[0] == "facts" else "contract"
            many = f"`{'` and `'.join(ends)}`"
            advice.append(f"give `{'.'.join(path)}` a {many} in the {whose} of `{ranges.surface.name}`")
    if advice:
        return ", ".join(advice)
    wide = ", ".join(f"`{'.'.join(path)}` ({ranges.at(path)})" for path in paths)
    return f"make the bounds of {wide} narrower" if wide else f"use numbers up to {MAX_INTEGER}"
