"""What Cedar's strict validation finds wrong, with the place that it does not tell and what may have been meant."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import cedarpy
from cedarpy import pst

from interlock.adapters.cedar.reads import children, context_path
from interlock.adapters.cedar.remark import MOST_OF_ONE, Remark
from interlock.adapters.cedar.schema import GROUPS, STAGE, Surface
from interlock.adapters.cedar.scope import about_action
from interlock.adapters.cedar.shape import Choice, Flag, Group, Integer, Many, Shape, Text, choices
from interlock.adapters.cedar.source import Statement
from interlock.adapters.cedar.words import name_text, near
from interlock.adapters.cedar.writing import written

_NOTHING_TO_APPLY_TO: Final = "unable to find an applicable action given the policy scope constraints"
_OWN_NAME: Final = re.compile(r"^for policy `policy0`[:,] ")
_ATTRIBUTE: Final = re.compile(r"attribute `([^`]*)` in context for (.*?)( not found)?", re.DOTALL)
_VALUE: Final = re.compile(r'entity `([^`]*?)::"(.*?)"` is of an enumerated entity type', re.DOTALL)
_ACTION: Final = re.compile(r'unrecognized action `Action::"(.*)"`', re.DOTALL)
_TYPE: Final = re.compile(r"unrecognized entity type `([^`]*)`")
_TYPES: Final = re.compile(r"the types .* are not compatible|unexpected type: expected .*", re.DOTALL)
_WITHOUT_MEMBERS: Final = ("Bool", "Long", "String", "Set")
_NUMBERS: Final = ("less", "less_eq", "greater", "greater_eq", "add", "sub", "mul")


def invalid(
    statement: Statement, template: pst.Template, schema: cedarpy.Schema, found: Mapping[str, Surface], *, idle: bool
) -> list[Remark]:
    """What the validator finds wrong with one policy. `idle`: it is about groups that no contract is in now, which the
    validator takes for a mistake."""
    result = cedarpy.validate_policies(statement.text, schema)  # pyright: ignore[reportUnknownMemberType]  cedarpy leaves its dicts untyped
    if result.validation_passed:
        return []
    errors = {_OWN_NAME.sub("", problem.error) for problem in result.errors} or {"it does not pass validation"}
    if idle or len(errors) > 1:
        # Beside another problem it only follows from that one.
        errors.discard(_NOTHING_TO_APPLY_TO)
    within = [surface for surface in found.values() if about_action(template, surface)]
    typed = [error for error in errors if _TYPES.fullmatch(error)]
    mistyped = list(_mistyped(template, within)) if typed else []
    # Of one operand of a wrong type Cedar may say several things. Where we see which it is, that is said instead.
    told = sorted(errors.difference(typed) if mistyped else errors)
    hinted = [_hinted(error, within, found) for error in told[:MOST_OF_ONE]]
    return [*hinted, *mistyped][:MOST_OF_ONE]


def _hinted(error: str, within: list[Surface], found: Mapping[str, Surface]) -> Remark:
    if said := _ATTRIBUTE.search(error):
        path = tuple(said[1].split("."))
        at = ".".join(("context", *path))
        if "optional attribute" in error:
            return Remark(f"{error}; ask first whether it is there: `{_asked(path)} && ...`", at, "last")
        there = set(_beside(path, within))
        if path[-1] in there:
            hint = f"; others it is about have it, so ask first: `{_asked(path)} && ...`"
            return Remark(error + hint, at, "last")
        return Remark(f"{error}{near(path[-1], there)}", at, "last")
    if said := _VALUE.search(error):
        values = {value for each in (*_choices(found.values()), STAGE) if each.name == said[1] for value in each.values}
        return Remark(f"{error}{near(said[2], values)}", f'{said[1]}::"{said[2]}"')
    if said := _ACTION.search(error):
        return Remark(f"{error}{near(said[1], (*found, *GROUPS))}", f'Action::"{said[1]}"')
    if said := _TYPE.search(error):
        types = ("Action", "Agent", "Release", "System", STAGE.name, *(each.name for each in _choices(found.values())))
        return Remark(f"{error}{near(said[1], types)}", said[1], "word")
    return Remark(_plain(error))


def _asked(path: tuple[str, ...]) -> str:
    """How to ask for a member of the context. Either form does; this is that of the documentation."""
    if path[0] == "budget":
        return f"context has {'.'.join(name_text(each) for each in path)}"
    return f"{'.'.join(('context', *path[:-1]))} has {name_text(path[-1])}"


def _choices(found: Iterable[Surface]) -> Iterator[Choice]:
    for surface in found:
        yield from choices(surface.context())


def _beside(path: tuple[str, ...], within: Iterable[Surface]) -> Iterator[str]:
    """What there is where `path` was looked for."""
    for surface in within:
        group = shape_at(surface.context(), path[:-1])
        if isinstance(group, Group):
            yield from (member.name for member in group.members)


def shape_at(shape: Shape, path: Iterable[str]) -> Shape | None:
    """The type of what stands at `path`, or None."""
    for name in path:
        if not isinstance(shape, Group):
            return None
        found = next((member.shape for member in shape.members if member.name == name), None)
        if found is None:
            return None
        shape = found
    return shape


def _plain(error: str) -> str:
    """An error without Cedar's own names for what nobody wrote."""
    return error.replace("__cedar::internal::AnyEntity", "an entity").replace(
        "__cedar::internal::OpenRecord{}", "a record"
    )


def _mistyped(template: pst.Template, within: list[Surface]) -> Iterator[Remark]:
    """Every operand that plainly has a wrong type. Which one Cedar meant it does not say."""
    context = within[0].context() if within else Group()
    pending: list[object] = list(reversed(template.clauses))
    while pending:
        node = pending.pop()
        found = list(_wrong_operands(node, context))
        yield from found
        if not found or not isinstance(node, pst.HasAttr | pst.GetAttr):
            pending.extend(reversed(list(children(node))))


def _wrong_operands(node: object, context: Group) -> Iterator[Remark]:
    match node:
        case pst.HasAttr(pst.UnaryOp("not", base), attrs):
            meant = written(pst.HasAttr(base, attrs))
            yield Remark(f"`!` binds before `has`: write `!({meant})`", f"!{written(base)}")
        case pst.GetAttr(base, attr):
            kind = _kind(base, context)
            if kind in _WITHOUT_MEMBERS:
                said = f"`{written(base)}` is {_a(kind)} and has no `{attr}`"
                yield Remark(said, written(node), "last" if context_path(base) else "all")
        case pst.BinaryOp(op, left, right) if op in _NUMBERS:
            yield from (_not_a("Long", side, context) for side in (left, right) if _is_not("Long", side, context))
        case pst.BinaryOp("eq" | "not_eq", left, right):
            kinds = (_kind(left, context), _kind(right, context))
            if "" not in kinds and kinds[0] != kinds[1]:
                said = f"`{written(left)}` is {_a(kinds[0])} and `{written(right)}` {_a(kinds[1])}"
                said += _as_value(kinds[0], right) or _as_value(kinds[1], left)
                yield Remark(f"the types {kinds[0]} and {kinds[1]} are not compatible: {said}", written(node))
        case pst.BinaryOp("in", left, right) if _kind(left, context) in _WITHOUT_MEMBERS:
            hint = f": write `{written(pst.BinaryOp('contains', right, left))}`" if isinstance(right, pst.Set) else ""
            said = f"`in` is for entities, and `{written(left)}` is {_a(_kind(left, context))}{hint}"
            yield Remark(said, written(node))
        case _:
            tested = _tested(node)
            yield from (_not_a("Bool", side, context) for side in tested if _is_not("Bool", side, context))


def _as_value(kind: str, node: object) -> str:
    """How text is written as a value of an enum."""
    if not isinstance(node, pst.StringLit) or kind in (*_WITHOUT_MEMBERS, "record"):
        return ""
    return f"; write `{kind}::{written(node)}`"


def _tested(node: object) -> tuple[object, ...]:
    """What of it must be true or false."""
    match node:
        case pst.When(expr) | pst.Unless(expr):
            return (expr,)
        case pst.BinaryOp("and" | "or", left, right):
            return (left, right)
        case pst.UnaryOp("not", arg):
            return (arg,)
        case pst.IfThenElse(cond, _, _):
            return (cond,)
        case _:
            return ()


def _is_not(kind: str, node: object, context: Group) -> bool:
    return _kind(node, context) not in (kind, "")


def _not_a(kind: str, node: object, context: Group) -> Remark:
    said = f"`{written(node)}` is {_a(_kind(node, context))}, and {_a(kind)} is wanted here"
    return Remark(said, written(node))


def _a(kind: str) -> str:
    return f"a {kind}" if kind in ("Bool", "Long", "String", "Set", "record") else f"of type {kind}"


def _kind(node: object, context: Group) -> str:
    """The name of a type, as far as it is plain; else nothing."""
    match node:
        case pst.LongLit() | pst.UnaryOp("neg", _) | pst.BinaryOp("add" | "sub" | "mul", _, _):
            return "Long"
        case pst.StringLit():
            return "String"
        case (
            pst.BoolLit() | pst.UnaryOp("not" | "is_empty", _) | pst.HasAttr() | pst.Like() | pst.Is() | pst.BinaryOp()
        ):
            return "Bool"
        case pst.Set():
            return "Set"
        case pst.EntityLit(uid):
            return str(uid.type)
        case _:
            return _named(shape_at(context, context_path(node) or ("",)))


def _named(shape: Shape | None) -> str:
    match shape:
        case Text():
            return "String"
        case Integer():
            return "Long"
        case Flag():
            return "Bool"
        case Many():
            return "Set"
        case Choice():
            return shape.name
        case Group():
            return "record"
        case None:
            return ""
