"""What validation lets pass and a person would not: names that mean nobody, records compared of which a part is seen,
and measures that the contract leaves open.

A validator knows types. It does not know that `context.args.amount_minor <= 10000` also holds for -500, that a pattern
finds what it looks for in the middle of free text, or that every element of an empty list is on the list. Such bounds
belong in the contract, where they hold before any policy is asked, so a policy may measure only what is bounded there.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from cedarpy import pst

from interlock.adapters.cedar.hints import shape_at
from interlock.adapters.cedar.reads import Reads, children, context_path, reads
from interlock.adapters.cedar.remark import Remark
from interlock.adapters.cedar.schema import Surface
from interlock.adapters.cedar.scope import about_action
from interlock.adapters.cedar.shape import Group, JsonSchema, Reader, Shape, choices, in_part
from interlock.adapters.cedar.words import near, quoted
from interlock.adapters.cedar.writing import short, uid_text
from interlock.domain.contract import Contract

_ORDERED: Final = ("less", "less_eq", "greater", "greater_eq")
_ARITHMETIC: Final = ("add", "sub", "mul")
_RELEASE: Final = re.compile(r"(.+)@[0-9a-f]{12}", re.DOTALL)

Path = tuple[str, ...]


def names(template: pst.Template, agents: Collection[str] | None, tenant: str | None) -> Iterator[Remark]:
    """What is wrong with whom and what a policy names. With `agents` an unknown agent is wrong, with `tenant` another
    installation; without, nobody knows."""
    for uid in sorted(pst.entity_uids(template), key=str):
        if str(uid.type) == "Release":
            found = _RELEASE.fullmatch(uid.id)
            if found is None:
                yield Remark(f"`{uid}` is no release: `agent@` and the first 12 digits of its digest", uid_text(uid))
            elif agents is not None and found[1] not in agents:
                yield Remark(f"`{uid}` is a release of no agent there is{near(found[1], agents)}", uid_text(uid))
            else:
                # A release's digest covers its policies, so none with this policy can have been named in it.
                yield Remark(
                    f"`{uid}` can only be a release from before this policy: name the agent, or `interlock stop release:...`",
                    uid_text(uid),
                    severity="warning",
                )
        elif str(uid.type) == "System" and tenant is not None and uid.id != tenant:
            yield Remark(
                f"`{uid}` is another installation, and this policy never applies here: write `resource`", uid_text(uid)
            )
        elif str(uid.type) == "Agent" and agents is not None and uid.id not in agents:
            yield Remark(f"there is no agent `{uid.id}`{near(uid.id, agents)}", uid_text(uid))


def values(template: pst.Template, found: Iterable[Surface]) -> Iterator[Remark]:
    """Enum values that a policy names and that none of the contracts it is about has. The validator holds a value
    against those of all contracts together, because members of one name share a type."""
    within = [surface for surface in found if about_action(template, surface)]
    if not within:
        # A group that is still empty: what there will be to name, nobody knows.
        return
    known: dict[str, set[str]] = {}
    for surface in within:
        for choice in choices(surface.context()):
            known.setdefault(choice.name, set()).update(choice.values)
    for uid in sorted(pst.entity_uids(template), key=str):
        there = known.get(str(uid.type), set())
        if str(uid.type) not in ("Action", "Agent", "Release", "System") and uid.id not in there:
            meant = near(uid.id, there)
            yield Remark(f"`{uid}` is no value of any contract this policy is about{meant}", uid_text(uid))


def absent(template: pst.Template, found: Iterable[Surface]) -> Iterator[Remark]:
    """Names that a policy asks for with `has`, and that none of the contracts it is about knows. To the validator that is
    merely false, and then it does not look at what is said of them."""
    within = [surface.context() for surface in found if about_action(template, surface)]
    pending: list[object] = list(template.clauses) if within else []
    while pending:
        node = pending.pop()
        base = context_path(node.base) if isinstance(node, pst.HasAttr) else None
        if isinstance(node, pst.HasAttr) and base is not None:
            path = (*base, *node.attrs)
            groups = [group for each in within if isinstance(group := shape_at(each, path[:-1]), Group)]
            there = {member.name for group in groups for member in group.members}
            # Where there is no such group, the validator says so, or it was asked for just before.
            if groups and path[-1] not in there:
                where = ".".join(("context", *path[:-1]))
                yield Remark(f"`{where}` never has `{path[-1]}`{near(path[-1], there)}", path[-1], "word")
        pending.extend(children(node))


def wholes(template: pst.Template, found: Iterable[Surface]) -> Iterator[Remark]:
    """Records that a policy compares as a whole and sees in part: two that differ might be equal to it."""
    read = reads([template])
    for surface in found:
        if about_action(template, surface):
            for path in _seen_in_part(surface.context(), read, ()):
                at = ".".join(("context", *path))
                yield Remark(f"it uses all of `{at}`, of which policies on `{surface.name}` see a part", at)


def _seen_in_part(shape: Shape, read: Reads, path: Path) -> Iterator[Path]:
    if read.whole:
        if in_part(shape):
            yield path
    elif isinstance(shape, Group):
        for member in shape.members:
            if member.name in read.members:
                yield from _seen_in_part(member.shape, read.members[member.name], (*path, member.name))


def measures(template: pst.Template, found: Mapping[str, Surface], contracts: Iterable[Contract]) -> Iterator[Remark]:
    """Arguments that a policy measures and a contract it is about leaves open."""
    measured = _measured(template)
    for contract in contracts:
        if not measured or not about_action(template, found[contract.name]):
            continue
        schema = Reader(contract.name, contract.input_schema, defaults_everywhere=False)
        for path, kind in sorted(measured):
            node = schema.described(path)
            if node is not None and not _bounded(node, kind):
                argument = f"`{contract.name}` argument `{'.'.join(path)}`"
                yield Remark(f"it {_WHY[kind].format(argument)}", ".".join(("context", "args", *path)))


_WHY: Final = {
    "order": "compares {} by size, and the contract gives no `minimum`: a negative number would pass as small",
    "like": "looks for a pattern in {}, and the contract gives no `pattern` it must have: use a fact, or bound the text",
    "all": "asks whether all of {} are contained, and the contract gives no `minItems`: an empty list would pass",
}


def _measured(template: pst.Template) -> set[tuple[Path, str]]:
    """Paths below `args` and how they are measured."""
    found: set[tuple[Path, str]] = set()
    minded: set[Path] = set()
    pending: list[object] = list(template.clauses)
    while pending:
        node = pending.pop()
        match node:
            case pst.BinaryOp(op, left, right) if op in _ORDERED:
                found.update((path, "order") for side in (left, right) for path in _terms(side))
            case pst.BinaryOp("contains_all", _, right):
                found.update((path, "all") for path in _argument(right))
            case pst.UnaryOp("is_empty", arg):
                minded.update(_argument(arg))
            case pst.Like(base, _):
                found.update((path, "like") for path in _argument(base))
            case _:
                pass
        pending.extend(children(node))
    return {(path, kind) for path, kind in found if kind != "all" or path not in minded}


def _terms(node: object) -> Iterator[Path]:
    """The arguments that a sum, difference or product is made of."""
    match node:
        case pst.BinaryOp(op, left, right) if op in _ARITHMETIC:
            yield from _terms(left)
            yield from _terms(right)
        case pst.UnaryOp("neg", arg):
            yield from _terms(arg)
        case _:
            yield from _argument(node)


def _argument(node: object) -> Iterator[Path]:
    path = context_path(node)
    if path is not None and len(path) > 1 and path[0] == "args":
        yield path[1:]


def _bounded(node: JsonSchema, kind: str) -> bool:
    if "enum" in node or "const" in node:
        return True
    match kind:
        case "order":
            return "minimum" in node or "exclusiveMinimum" in node
        case "like":
            return "pattern" in node
        case _:
            least = node.get("minItems")
            return isinstance(least, int) and least > 0


def taint(template: pst.Template) -> Iterator[Remark]:
    """A policy on what nobody says yet."""
    read = reads([template]).members
    for name in ("taint", "taintedAny"):
        if name in read:
            said = "until boundaries mark what comes from outside, it is always false"
            at = f"context.{name}"
            yield Remark(f"it reads `{at}`: {said}", at, severity="warning")


def vocabulary(
    template: pst.Template, found: Mapping[str, Surface], contracts: Iterable[Contract], roles: Collection[str] | None
) -> Iterator[Remark]:
    """Words that a policy looks for among roles and data classes, and that are none. Both are text, because they come
    and go without any contract changing, so the validator lets any word pass."""
    within = [contract for contract in contracts if about_action(template, found[contract.name])]
    classes = {kind for contract in within for kind in contract.data_classes.values()}
    pending: list[object] = list(template.clauses)
    while pending:
        node = pending.pop()
        if isinstance(node, pst.BinaryOp):
            for side, other in ((node.left, node.right), (node.right, node.left)):
                path = context_path(side)
                if path == ("user", "roles") and roles is not None:
                    yield from _none_of(node, other, roles, "nobody has the role `{}`")
                elif path == ("data",):
                    yield from _none_of(node, other, classes, "no argument it is about is of the data class `{}`")
        pending.extend(children(node))


def _none_of(node: object, words: object, known: Collection[str], why: str) -> Iterator[Remark]:
    elements = words.elements if isinstance(words, pst.Set) else (words,)
    unknown = [each.value for each in elements if isinstance(each, pst.StringLit) and each.value not in known]
    said = short(node) if unknown else ""
    for value in unknown:
        yield Remark(f"{why.format(value)}{near(value, known)}: `{said}`", quoted(value))
