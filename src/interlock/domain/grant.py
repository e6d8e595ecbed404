"""A grant: which tools may be called, with which arguments. Tokens, a person's rights and a task's context all say it so.

The JSON form is the `tools` of an `attenuating_agent_token` (see `constraint.py`): an object by tool of objects by argument.
The world is closed: a tool that is not named is not granted, and a tool's arguments are exactly those named, no other and
none missing. Only where a tool names no argument at all may its arguments be anything, as in the draft: a tool is named by
somebody, so that says something; `tools` itself never permits by being empty.

What is held against a grant are bound arguments: complete with the defaults of the contract's schema.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Final, TypeAlias, cast

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.constraint import AnyOf, Constraint, ConstraintError, Wildcard, admits, said, unread
from interlock.domain.names import listed
from interlock.domain.narrowing import meet as meet_of
from interlock.domain.narrowing import narrower as narrower_of

MAX_TOOLS: Final = 128
MAX_ARGUMENTS: Final = 64
"""Of one tool."""
MAX_NAME: Final = 256

ByArgument: TypeAlias = dict[str, Constraint]
Tools: TypeAlias = dict[str, ByArgument]


class GrantError(ValueError):
    """Not a grant, or more than we would hold."""


class Grant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tools, each with what its arguments may be."""

    tools: Tools

    def __post_init__(self) -> None:
        check_tools(self.tools)

    def admits(self, tool: str, arguments: Mapping[str, JsonValue]) -> str | None:
        """Why a call of `tool` with `arguments` is not granted, as a sentence that repeats no value, or None."""
        constraints = self.tools.get(tool)
        if constraints is None:
            return f"`{tool}` is not among what is granted: {listed(sorted(self.tools)) or 'nothing'}"
        if not constraints:
            return None
        for name, constraint in constraints.items():
            if name not in arguments:
                return f"`{tool}` is granted only with the argument `{name}`, which is missing"
            words = admits(constraint, arguments[name])
            if words is not None:
                return f"`{name}` of `{tool}` {words}"
        for name in arguments:
            if name not in constraints:
                return f"`{tool}` is granted without the argument `{name[:MAX_NAME]}`"
        return None

    def words(self) -> tuple[str, ...]:
        """The grant for people, a line for each tool: `shop.refund: amount at most 500; order anything`."""
        return tuple(_line(tool, constraints) for tool, constraints in sorted(self.tools.items()))


def anything_with(tools: Iterable[str]) -> Grant:
    """Every one of `tools`, with any arguments."""
    return Grant(tools={tool: {} for tool in tools})


def read_grant(value: JsonValue) -> Grant:
    """The grant that a JSON object `{"tools": {...}}` says. Raises GrantError, also for constraints that are not known."""
    try:
        return msgspec.convert(value, Grant)
    except (msgspec.ValidationError, RecursionError) as error:
        raise GrantError(f"no grant of ours: {unread(error)}") from None


def written(grant: Grant) -> JsonValue:
    """The JSON object that says `grant`."""
    return cast(JsonValue, msgspec.json.decode(msgspec.json.encode(grant)))


def narrower(child: Grant, parent: Grant) -> str | None:
    """Why `child` may grant a call that `parent` does not, as a sentence, or None: then it surely grants no such call."""
    for tool, constraints in child.tools.items():
        allowed = parent.tools.get(tool)
        if allowed is None:
            return f"`{tool}` is not among what was granted before: {listed(sorted(parent.tools)) or 'nothing'}"
        if not allowed:
            continue
        if constraints.keys() != allowed.keys():
            return f"`{tool}` was granted with exactly {listed(sorted(allowed))}, not with {_names(constraints)}"
        for name, constraint in constraints.items():
            words = narrower_of(constraint, allowed[name])
            if words is not None:
                return f"`{name}` of `{tool}`: {words}"
    return None


def meet(*grants: Grant) -> Grant:
    """The calls that every one of `grants` grants, and no other. Raises GrantError where that is too much to say."""
    if not grants:
        raise GrantError("what no grant at all allows is nothing: there is none to meet")
    try:
        return reduce(_meet, grants)
    except ConstraintError as error:
        raise GrantError(str(error)) from None


def join(*grants: Grant) -> Grant:
    """The calls that at least one of `grants` grants, and no other. Raises GrantError where no grant says just that: of two that
    differ in two arguments of one tool each may be lent with its own only."""
    try:
        return reduce(_join, grants, NOTHING)
    except ConstraintError as error:
        raise GrantError(str(error)) from None


def _join(one: Grant, other: Grant) -> Grant:
    tools: Tools = dict(one.tools)
    for tool, constraints in other.tools.items():
        tools[tool] = _either(tool, tools[tool], constraints) if tool in tools else constraints
    return Grant(tools=tools)


def _either(tool: str, one: ByArgument, other: ByArgument) -> ByArgument:
    """What one tool's arguments may be under at least one of two."""
    if not one or not other:
        return {}
    if one.keys() == other.keys():
        wider = {name for name in one if narrower_of(one[name], other[name]) is not None}
        slimmer = {name for name in one if narrower_of(other[name], one[name]) is not None}
        if not wider or not slimmer:
            return one if wider else other
        if len(wider | slimmer) == 1:
            [name] = wider
            return {**one, name: AnyOf(constraints=(*_options(one[name]), *_options(other[name])))}
    raise GrantError(f"what may be lent of `{tool}` differs in more than one argument, and cannot be said as one")


def _options(constraint: Constraint) -> tuple[Constraint, ...]:
    return constraint.constraints if isinstance(constraint, AnyOf) else (constraint,)


def _meet(one: Grant, other: Grant) -> Grant:
    tools: Tools = {}
    for tool, constraints in one.tools.items():
        if tool in other.tools:
            both = _both(constraints, other.tools[tool])
            if both is not None:
                tools[tool] = both
    return Grant(tools=tools)


def _both(one: ByArgument, other: ByArgument) -> ByArgument | None:
    """What one tool's arguments may be under both, or None: no call is granted by both."""
    if not one or not other:
        return one or other
    if one.keys() != other.keys():
        return None
    found: ByArgument = {}
    for name, constraint in one.items():
        both = meet_of(constraint, other[name])
        if both is None:
            return None
        found[name] = both
    return found


def check_tools(tools: Tools) -> None:
    """Raise GrantError where there are more tools or arguments, or longer names, than we hold."""
    if len(tools) > MAX_TOOLS:
        raise GrantError(f"{len(tools)} tools are more than {MAX_TOOLS}")
    for tool, constraints in tools.items():
        if len(constraints) > MAX_ARGUMENTS:
            raise GrantError(f"{len(constraints)} arguments are more than {MAX_ARGUMENTS}")
        for name in (tool, *constraints):
            if not proper(name):
                raise GrantError(f"a tool's or argument's name has 1 to {MAX_NAME} printable ASCII characters")


def proper(name: str) -> bool:
    """Whether `name` may be a name in JSON of ours: not empty, not long, printable ASCII (see `canonical.py`)."""
    return 0 < len(name) <= MAX_NAME and name.isascii() and name.isprintable()


def _names(constraints: ByArgument) -> str:
    return listed(sorted(constraints)) or "any arguments"


def _line(tool: str, constraints: ByArgument) -> str:
    if all(isinstance(each, Wildcard) for each in constraints.values()):
        return f"{tool}: any {listed(sorted(constraints)) or 'arguments'}"
    return f"{tool}: " + "; ".join(f"{name} {said(each)}" for name, each in sorted(constraints.items()))


NOTHING: Final = Grant(tools={})
"""Grants nothing."""
