"""A part of a policy, written as Cedar text again: for messages, and to find where it stands."""

from typing import Final

from cedarpy import pst

from interlock.adapters.cedar.words import name_text, quoted

_SIGNS: Final = {
    "eq": "==",
    "not_eq": "!=",
    "less": "<",
    "less_eq": "<=",
    "greater": ">",
    "greater_eq": ">=",
    "and": "&&",
    "or": "||",
    "add": "+",
    "sub": "-",
    "mul": "*",
    "in": "in",
}
_CALLS: Final = {"contains": "contains", "contains_all": "containsAll", "contains_any": "containsAny"}
_MOST: Final = 160


def short(node: object) -> str:
    """`written`, cut where nobody would read on."""
    text = written(node)
    return text if len(text) <= _MOST else f"{text[: _MOST - 3]}..."


def written(node: object) -> str:
    """One expression as text. What is not supported here is three dots: it is refused before anybody asks."""
    match node:
        case pst.BinaryOp(op, left, right) if op in _SIGNS:
            return f"{_operand(left)} {_SIGNS[op]} {_operand(right)}"
        case pst.BinaryOp(op, left, right) if op in _CALLS:
            return f"{_operand(left)}.{_CALLS[op]}({written(right)})"
        case pst.UnaryOp("is_empty", arg):
            return f"{_operand(arg)}.isEmpty()"
        case pst.UnaryOp("not", arg):
            return f"!{_operand(arg)}"
        case pst.UnaryOp("neg", arg):
            return f"-{_operand(arg)}"
        case pst.HasAttr(base, attrs):
            return f"{_operand(base)} has {'.'.join(name_text(each) for each in attrs)}"
        case pst.Like(base, pattern):
            text = "".join(
                "*" if isinstance(each, pst.Wildcard) else quoted(each.value)[1:-1].replace("*", "\\*")
                for each in pattern
            )
            return f'{_operand(base)} like "{text}"'
        case pst.Is(base, kind, within):
            return f"{_operand(base)} is {kind}" + ("" if within is None else f" in {_operand(within)}")
        case pst.IfThenElse(cond, then, otherwise):
            return f"if {written(cond)} then {written(then)} else {written(otherwise)}"
        case _:
            return _value(node)


def _value(node: object) -> str:
    match node:
        case pst.Var(name):
            return name
        case pst.BoolLit(value):
            return "true" if value else "false"
        case pst.LongLit(value):
            return str(value)
        case pst.StringLit(value):
            return quoted(value)
        case pst.EntityLit(uid):
            return uid_text(uid)
        case pst.GetAttr(base, attr):
            member = name_text(attr)
            return f"{_operand(base)}[{member}]" if member.startswith('"') else f"{_operand(base)}.{member}"
        case pst.Set(elements):
            return f"[{', '.join(written(each) for each in elements)}]"
        case pst.Record(fields):
            return f"{{{', '.join(f'{name_text(key)}: {written(each)}' for key, each in fields.items())}}}"
        case _:
            return "..."


def uid_text(uid: pst.EntityUid) -> str:
    """An entity as it stands in a policy."""
    return f"{uid.type}::{quoted(uid.id)}"


def _operand(node: object) -> str:
    loose = isinstance(node, pst.BinaryOp) and node.op in _SIGNS
    return (
        f"({written(node)})"
        if loose or isinstance(node, pst.IfThenElse | pst.Is | pst.Like | pst.HasAttr)
        else written(node)
    )
