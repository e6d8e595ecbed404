"""What stands where it can never be: an agent or a group of actions where one release or one contract is asked about.

To the validator an entity may be compared with any other, so all of it is right by its types, and never true.
"""

from collections.abc import Iterator
from typing import Final

from cedarpy import pst

from interlock.adapters.cedar.reads import children, context_path
from interlock.adapters.cedar.remark import Remark
from interlock.adapters.cedar.schema import GROUPS
from interlock.adapters.cedar.words import quoted
from interlock.adapters.cedar.writing import uid_text, written

_IS: Final = {"principal": "Release", "action": "Action", "resource": "System"}
"""What each of them is."""
_WHAT: Final = {
    "principal": "who asks is a release of an agent",
    "action": "what is asked for is a contract",
    "resource": "what it is asked of is a system",
}


def misplaced(template: pst.Template) -> Remark | None:
    """The first of them in the scope."""
    return next(_scope(template), None)


def never_the_same(template: pst.Template) -> Iterator[Remark]:
    """All of them in conditions."""
    pending: list[object] = list(template.clauses)
    while pending:
        node = pending.pop()
        match node:
            case pst.BinaryOp("eq" | "not_eq" as op, left, right):
                for side, other in ((left, right), (right, left)):
                    if isinstance(side, pst.Var) and isinstance(other, pst.EntityLit):
                        yield from _compared(side.name, other.value, written(node), truth=op == "eq")
            case pst.Is(pst.Var(name), kind, _):
                yield from _kind(name, str(kind), f"{name} is {kind}")
            case _:
                pass
        pending.extend(children(node))


def unprefixed(template: pst.Template) -> Iterator[Remark]:
    """Initiators that a policy compares without saying what kind of initiator they are."""
    pending: list[object] = list(template.clauses)
    while pending:
        node = pending.pop()
        match node:
            case pst.BinaryOp("eq" | "not_eq" | "contains", left, right):
                for side, other in ((left, right), (right, left)):
                    if context_path(side) == ("task", "initiator"):
                        yield from _without_kind(other)
            case _:
                pass
        pending.extend(children(node))


def _without_kind(node: object) -> Iterator[Remark]:
    for each in node.elements if isinstance(node, pst.Set) else (node,):
        if isinstance(each, pst.StringLit) and ":" not in each.value:
            message = f"an initiator is `user:...` or `system:...`; did you mean {quoted(f'user:{each.value}')}?"
            yield Remark(message, quoted(each.value), severity="warning")


def _scope(template: pst.Template) -> Iterator[Remark]:
    match template.principal:
        case pst.ScopeEq(pst.EntityUid() as uid):
            yield from _compared("principal", uid, f"principal == {uid_text(uid)}", truth=True)
        case pst.ScopeIs(kind) | pst.ScopeIsIn(kind, _):
            yield from _kind("principal", str(kind), f"principal is {kind}")
        case _:
            pass
    if isinstance(template.action, pst.ActionEq):
        uid = template.action.entity
        yield from _compared("action", uid, f"action == {uid_text(uid)}", truth=True)


def _compared(name: str, uid: pst.EntityUid, said: str, *, truth: bool) -> Iterator[Remark]:
    kind, entity = str(uid.type), uid_text(uid)
    never = "never true" if truth else "always true"
    meant = f"{name} in {entity}" if truth else f"!({name} in {entity})"
    if (name, kind) == ("principal", "Agent") or (name == "action" and kind == "Action" and uid.id in GROUPS):
        why = "" if name == "action" else f"{_WHAT[name]}, "
        yield Remark(f"`{said}` is {never}: {why}write `{meant}`", said)
    elif name in _IS and kind in {*_IS.values(), "Agent"} and kind != _IS[name]:
        yield Remark(f"`{said}` is {never}: {_WHAT[name]}", said)


def _kind(name: str, kind: str, said: str) -> Iterator[Remark]:
    if name in _IS and kind in {*_IS.values(), "Agent"} and kind != _IS[name]:
        yield Remark(f"`{said}` is never true: {_WHAT[name]}", said)
