"""The Cedar schema generated from contracts, written and read back.

A bundle keeps the schema as text and nothing else of the contracts, so the text must say all that deciding needs: for
each contract its groups and the types of its arguments and facts. It is Cedar's own syntax, restricted to one form:
what `render` writes, `parse` reads, and anything else is refused. Everything is sorted, so the same contracts in any
order give the same text.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from interlock.adapters.cedar.shape import Choice, Flag, Group, Integer, Many, Member, Reader, Shape, Text, choices
from interlock.adapters.cedar.words import Words, name_text, quoted
from interlock.domain.agent import STAGES
from interlock.domain.baseline import UNUSUAL
from interlock.domain.contract import RISKS, Contract
from interlock.domain.errors import PolicyError
from interlock.domain.parse import Gives, gives, may_be_absent

EFFECTS: Final = ("read", "write", "external")
GROUPS: Final = ("any", *(f"effect:{e}" for e in EFFECTS), "irreversible", *(f"risk:{r}" for r in RISKS))
"""All groups exist always: a policy on what is critical must not fail to load because nothing is critical yet."""

STAGE: Final = Choice("Stage", tuple(sorted(STAGES)))
AROUND: Final = (
    Member("confidence", Integer(), optional=True),
    Member("data", Many(Text())),
    Member("minuteOfDay", Integer()),
    Member("nowMs", Integer()),
    Member("stage", STAGE),
    Member("taintedAny", Flag()),
    Member(
        "task",
        Group(
            (
                Member("depth", Integer()),
                Member("initiator", Text()),
                Member("lent", Integer()),
                Member("purpose", Text()),
            )
        ),
    ),
    Member("undo", Flag()),
    Member("unusual", Group(tuple(Member(name, Flag()) for name in sorted(("any", *UNUSUAL))))),
    Member("user", Group((Member("roles", Many(Text())),))),
    Member("weekday", Integer()),
)
"""What policies see of any action besides what its contract brings. Times are UTC; `weekday` is 1 on Mondays."""
LATER: Final = (("task", "lent"), ("unusual",))
"""What of that came up later. A bundle of before lacks some of it in its schema, and is asked as it was: whoever brings a new
version of the program to an installation need not publish anything before it decides again."""

_GIVEN: Final[dict[Gives, Shape]] = {"texts": Many(Text()), "text": Text(), "integer": Integer()}
"""What each kind of parsed fact is."""

_HEAD: Final = """\
entity Agent;
entity Release in [Agent];
entity System;
"""
_UNSEEN: Final = "// Not seen by policies: "


class Surface(msgspec.Struct, frozen=True, kw_only=True):
    """What policies see of one contract."""

    name: str
    groups: tuple[str, ...]
    args: Group
    facts: Group
    parsed: Group = Group()
    """What we read out of arguments and facts by the contract's rules."""
    budget: Group = Group()
    """What is left, by the units it draws on."""
    around: tuple[Member, ...] = AROUND
    """What its bundle knows of the rest."""

    @property
    def taint(self) -> Group:
        """One flag for each argument, so that a misspelt label is refused like a misspelt argument."""
        return Group(tuple(Member(member.name, Flag()) for member in self.args.members))

    def context(self) -> Group:
        """The whole context of a question about it."""
        own = (
            Member("args", self.args),
            Member("budget", self.budget),
            Member("facts", self.facts),
            Member("parsed", self.parsed),
            Member("taint", self.taint),
        )
        return Group(tuple(sorted((*self.around, *own), key=lambda member: member.name)))


def surfaces(contracts: Sequence[Contract]) -> tuple[dict[str, Surface], tuple[str, ...]]:
    """What policies see of `contracts`, by name, and in words what they do not see. Raises PolicyError where a contract
    has arguments or facts that no policy could be held against."""
    found: dict[str, Surface] = {}
    unseen: list[str] = []
    for contract in sorted(contracts, key=lambda contract: contract.name):
        if contract.name in found or contract.name in GROUPS:
            raise PolicyError(f"two contracts, or a contract and a group of ours, are named `{contract.name}`")
        args = Reader(f"contract `{contract.name}` /input_schema", contract.input_schema, defaults_everywhere=False)
        seen_args, seen_facts = args.record(), Group()
        unseen += [f"{contract.name} args {path}: {why}" for path, why in args.unseen]
        if contract.facts is not None:
            owner = f"contract `{contract.name}` /facts/schema"
            facts = Reader(owner, contract.facts.schema, defaults_everywhere=True)
            seen_facts = facts.record()
            unseen += [f"{contract.name} facts {path}: {why}" for path, why in facts.unseen]
        found[contract.name] = Surface(
            name=contract.name,
            groups=groups(contract),
            args=seen_args,
            facts=seen_facts,
            parsed=_parsed(contract),
            budget=Group(tuple(Member(unit, Integer(), optional=True) for unit in units(contract))),
        )
    return found, tuple(unseen)


def _parsed(contract: Contract) -> Group:
    """The parsed facts by name; those whose argument may be missing are optional."""
    return Group(
        tuple(
            Member(name, _GIVEN[gives(rule)], optional=may_be_absent(rule, contract.input_schema))
            for name, rule in sorted(contract.parses.items())
        )
    )


def groups(contract: Contract) -> tuple[str, ...]:
    """The action groups a contract is in, sorted."""
    irreversible = ("irreversible",) if contract.irreversible else ()
    return ("any", f"effect:{contract.effect}", *irreversible, f"risk:{contract.risk}")


def units(contract: Contract) -> tuple[str, ...]:
    """The units a use of `contract` may draw on, sorted: its calls, and what it costs."""
    if contract.cost is None:
        return ("calls",)
    unit = contract.cost.unit
    if not unit.startswith("$args."):
        return tuple(sorted({"calls", unit}))
    reader = Reader(contract.name, contract.input_schema, defaults_everywhere=False)
    node = reader.described(tuple(unit.removeprefix("$args.").split("."))) or {}
    values = node.get("enum")
    named = {value for value in values if isinstance(value, str)} if isinstance(values, list) else set[str]()
    return tuple(sorted({"calls", *named}))


def render(found: Mapping[str, Surface], unseen: Iterable[str] = ()) -> str:
    """The schema as Cedar text."""
    lines = [f"{_UNSEEN}{quoted(each)}\n" for each in sorted(unseen)]
    lines.append(_HEAD)
    for name, values in sorted(_enums(found.values()).items()):
        lines.append(f"entity {name} enum [{', '.join(quoted(value) for value in values)}];\n")
    lines += [f"action {quoted(group)};\n" for group in GROUPS]
    for name, surface in sorted(found.items()):
        within = ", ".join(quoted(group) for group in surface.groups)
        lines.append(
            f"action {quoted(name)} in [{within}] appliesTo {{\n"
            f"  principal: [Release],\n  resource: [System],\n  context: {_typed(surface.context(), '  ')}\n}};\n"
        )
    return "".join(lines)


def parse(text: str) -> dict[str, Surface]:
    """Read back what `render` wrote. Raises PolicyError for anything else."""
    words = Words(text)
    for word in Words(_HEAD).rest():
        words.expect(word)
    enums: dict[str, tuple[str, ...]] = {}
    while words.take("entity"):
        name = words.identifier()
        words.expect("enum", "[")
        enums[name] = _strings(words)
        words.expect(";")
    for group in GROUPS:
        words.expect("action", quoted(group), ";")
    found: dict[str, Surface] = {}
    while words.take("action"):
        surface = _surface(words, enums)
        found[surface.name] = surface
    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(_UNSEEN))
    if render(found) != body:
        raise words.wrong("it is not in the one form there is")
    return found


def _surface(words: Words, enums: Mapping[str, tuple[str, ...]]) -> Surface:
    name = words.string()
    words.expect("in", "[")
    within = _strings(words)
    words.expect("appliesTo", "{", "principal", ":", "[", "Release", "]", ",")
    words.expect("resource", ":", "[", "System", "]", ",", "context", ":")
    context = _type(words, enums)
    words.expect("}", ";")
    members = {member.name: member.shape for member in context.members} if isinstance(context, Group) else {}
    args, facts = members.get("args"), members.get("facts")
    parsed, budget = members.get("parsed"), members.get("budget")
    if isinstance(args, Group) and isinstance(facts, Group) and isinstance(parsed, Group) and isinstance(budget, Group):
        around = _around(members)
        surface = Surface(name=name, groups=within, args=args, facts=facts, parsed=parsed, budget=budget, around=around)
        if surface.context() == context and set(within) <= set(GROUPS):
            return surface
    raise words.wrong(f"`{name}` is not described as this version describes a contract")


def _around(members: Mapping[str, Shape]) -> tuple[Member, ...]:
    """What is around an action for who has these members in the context: all of it but what came up later and is not there."""
    around = Group(AROUND)
    for path in LATER:
        there: Shape | None = Group(tuple(Member(name, shape) for name, shape in members.items()))
        for name in path:
            there = (
                next((each.shape for each in there.members if each.name == name), None)
                if isinstance(there, Group)
                else None
            )
        if there is None:
            around = _without(around, path)
    return around.members


def _without(group: Group, path: tuple[str, ...]) -> Group:
    """`group` without the member at `path`."""
    name, *below = path
    kept: list[Member] = []
    for member in group.members:
        if member.name != name:
            kept.append(member)
        elif below and isinstance(member.shape, Group):
            kept.append(Member(name, _without(member.shape, tuple(below)), member.optional))
    return Group(tuple(kept))


def _enums(found: Iterable[Surface]) -> dict[str, tuple[str, ...]]:
    values: dict[str, set[str]] = {STAGE.name: set(STAGE.values)}
    for surface in found:
        for choice in choices(surface.context()):
            values.setdefault(choice.name, set()).update(choice.values)
    return {name: tuple(sorted(each)) for name, each in values.items()}


def _typed(shape: Shape, indent: str) -> str:
    match shape:
        case Text():
            return "String"
        case Integer():
            return "Long"
        case Flag():
            return "Bool"
        case Choice():
            return shape.name
        case Many():
            return f"Set<{_typed(shape.item, indent)}>"
        case Group():
            if not shape.members:
                return "{}"
            inner = indent + "  "
            rows = (
                f"{inner}{name_text(member.name)}{'?' if member.optional else ''}: {_typed(member.shape, inner)}"
                for member in shape.members
            )
            return "{\n" + ",\n".join(rows) + f"\n{indent}}}"


def _type(words: Words, enums: Mapping[str, tuple[str, ...]]) -> Shape:
    if words.take("{"):
        return _group(words, enums)
    name = words.identifier()
    match name:
        case "String":
            return Text()
        case "Long":
            return Integer()
        case "Bool":
            return Flag()
        case "Set":
            words.expect("<")
            item = _type(words, enums)
            words.expect(">")
            return Many(item)
        case _ if name in enums:
            return Choice(name, enums[name])
        case _:
            raise words.wrong(f"`{name}` is no type")


def _group(words: Words, enums: Mapping[str, tuple[str, ...]]) -> Group:
    members: list[Member] = []
    while not words.take("}"):
        if members:
            words.expect(",")
        name = words.name()
        optional = words.take("?")
        words.expect(":")
        members.append(Member(name, _type(words, enums), optional))
    return Group(tuple(members))


def _strings(words: Words) -> tuple[str, ...]:
    values: list[str] = []
    while not words.take("]"):
        if values:
            words.expect(",")
        values.append(words.string())
    return tuple(values)
