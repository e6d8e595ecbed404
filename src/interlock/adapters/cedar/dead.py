"""Policies that can never apply, and policies that change nothing because others say as much.

The first is a mistake: somebody believes in a rule that is none. The second is only worth a word.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from cedarpy import pst

from interlock.adapters.cedar.ranges import Among, Path, Ranges
from interlock.adapters.cedar.reads import context_paths
from interlock.adapters.cedar.reckoning import NOTHING, Reckoning, State
from interlock.adapters.cedar.remark import Remark
from interlock.adapters.cedar.schema import Surface
from interlock.adapters.cedar.scope import about_action
from interlock.adapters.cedar.writing import short, written
from interlock.domain.policy import VERDICTS, Policy

Condition = tuple[object, bool]
"""An expression, and what it must be for the policy to apply."""
Ruled = tuple[Policy, pst.Template]
_COMPARED: Final = 500
"""Policies that one is held against. It is only worth a word, so it may not take time by the square of their number."""


def dead(template: pst.Template, ranges: Mapping[str, Ranges]) -> Iterator[Remark]:
    """Why a policy never applies to any contract it is about."""
    about = [each for each in ranges.values() if about_action(template, each.surface)]
    if not about:
        yield from _about_nothing(template)
        return
    conditions = list(_conditions(template))
    first: Remark | None = None
    for each in about:
        found = _impossible(conditions, each)
        if found is None:
            return
        first = first or found
    if first is not None:
        yield first


def idle_parts(template: pst.Template, ranges: Mapping[str, Ranges]) -> Iterator[Remark]:
    """Alternatives of a condition that hold of no contract the policy is about: somebody believes in them, too."""
    about = [each for each in ranges.values() if about_action(template, each.surface)]
    for condition in _conditions(template) if about else ():
        parts = list(_alternatives(condition))
        for node, truth in parts if len(parts) > 1 else ():
            if all(Reckoning(each).assume(node, truth, NOTHING) is None for each in about):
                said = f"a part of the condition counts for nothing: {_because(node, truth, about[0])}"
                yield Remark(said, written(node), severity="warning")


def _alternatives(condition: Condition) -> Iterator[Condition]:
    """The conditions of which one must hold."""
    pending = [condition]
    while pending:
        node, truth = pending.pop()
        match node:
            case pst.UnaryOp("not", arg):
                pending.append((arg, not truth))
            case pst.BinaryOp("or", left, right) if truth:
                pending += [(right, truth), (left, truth)]
            case pst.BinaryOp("and", left, right) if not truth:
                pending += [(right, truth), (left, truth)]
            case _:
                yield node, truth


def _about_nothing(template: pst.Template) -> Iterator[Remark]:
    # A group without members is none of it: a rule on what is critical is best written before there is anything critical.
    if isinstance(template.action, pst.ActionIn) and not template.action.entities:
        yield Remark("it never applies: its list of actions is empty", "action in")


def _conditions(template: pst.Template) -> Iterator[Condition]:
    """What must hold, taken apart as far as it is a list of conditions."""
    for clause in template.clauses:
        pending: list[Condition] = [(clause.expr, isinstance(clause, pst.When))]
        while pending:
            node, truth = pending.pop()
            match node:
                case pst.UnaryOp("not", arg):
                    pending.append((arg, not truth))
                case pst.BinaryOp("and", left, right) if truth:
                    pending += [(right, truth), (left, truth)]
                case pst.BinaryOp("or", left, right) if not truth:
                    pending += [(right, truth), (left, truth)]
                case _:
                    yield node, truth


def _impossible(conditions: list[Condition], ranges: Ranges) -> Remark | None:
    """The first condition that cannot hold of a contract, beside those before it."""
    reckoning = Reckoning(ranges)
    state: State = NOTHING
    for at, (node, truth) in enumerate(conditions):
        after = reckoning.assume(node, truth, state)
        if after is None:
            alone = Reckoning(ranges).assume(node, truth, NOTHING) is None
            return _told(node, truth, "" if alone else _against(conditions[:at], (node, truth), ranges), ranges)
        state = after
    return None


def _told(node: object, truth: bool, against: str, ranges: Ranges) -> Remark:
    if against:
        never = "never true" if truth else "always true"
        return Remark(f"it never applies: `{short(node)}` is {never} beside {against}", written(node))
    return Remark(f"it never applies: {_because(node, truth, ranges)}", written(node))


def _because(node: object, truth: bool, ranges: Ranges) -> str:
    never = "never true" if truth else "always true"
    paths = [path for path in sorted(set(context_paths(node))) if ranges.at(path) is not None]
    known = "; ".join(f"`{'.'.join(path)}` is {_range(ranges, path)}" for path in paths)
    because = f" in `{ranges.surface.name}`: {known}" if known else ""
    return f"`{short(node)}` is {never}{because}"


def _against(before: list[Condition], condition: Condition, ranges: Ranges) -> str:
    """The one of them that contradicts `condition`, or all of them together."""
    for other, must in before:
        reckoning = Reckoning(ranges)
        state = reckoning.assume(other, must, NOTHING)
        if state is not None and reckoning.assume(*condition, state) is None:
            return f"`{short(other)}`"
    return "what stands before it"


def _range(ranges: Ranges, path: Path) -> str:
    known = ranges.at(path)
    if isinstance(known, Among):
        values = sorted(_value(each) for each in known.values)
        return f"one of {', '.join(values[:8])}{', ...' if len(values) > 8 else ''}"
    return str(known)


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return f"`{value[-1]}`"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


# -- what others say already -----------------------------------------------------------------------------------------


class _Said:
    """A policy as far as it can be compared with another without asking what anything means."""

    def __init__(self, ruled: Ruled, found: Mapping[str, Surface]) -> None:
        self.policy, template = ruled
        self.conditions = frozenset(_conditions(template))
        self.about = frozenset(name for name, surface in found.items() if about_action(template, surface))
        self.principal = template.principal
        self.resource = template.resource

    def covers(self, other: "_Said") -> bool:
        """Whether it applies wherever `other` does."""
        return (
            self.conditions <= other.conditions
            and self.about >= other.about
            and _wider(self.principal, other.principal)
            and _wider(self.resource, other.resource)
        )

    def settles(self, other: "_Said") -> bool:
        """Whether nothing that `other` says can matter where both apply."""
        mine, its = self.policy, other.policy
        if mine.mode != "enforce" or mine.effect != "forbid":
            return False
        if mine.verdict == "deny":
            return True
        return (
            its.effect == "forbid"
            # What would be decided outside shadow is told, too, and that is the other's word.
            and (mine.verdict != "shadow" or its.verdict == "shadow")
            and VERDICTS.index(mine.verdict) >= VERDICTS.index(its.verdict)
            and set(mine.obligations) >= set(its.obligations)
            and (
                not its.approver
                or (mine.approver == its.approver and mine.quorum >= its.quorum and mine.terms == its.terms)
            )
        )


def shadowed(rules: Sequence[Ruled], found: Mapping[str, Surface]) -> Iterator[tuple[str, Remark]]:
    """Ids of policies that change nothing, with why. Told from the text alone: that one says as much as another in
    different words is not seen."""
    said = [_Said(ruled, found) for ruled in rules]
    keyed = _Keyed(said)
    for each in said:
        if each.policy.mode != "enforce" or not each.about:
            continue
        other = next((one for one in islice(keyed.fewer(each), _COMPARED) if _hides(one, each)), None)
        if other is not None:
            yield each.policy.id, _hidden(each, other)


def _hides(one: _Said, each: _Said) -> bool:
    if one is each or not one.covers(each):
        return False
    if not one.settles(each):
        return _alike(one, each) and one.policy.id < each.policy.id
    # Of two that say the same, one is enough, and it is told of the other.
    return not (each.covers(one) and each.settles(one)) or one.policy.id < each.policy.id


def _alike(one: _Said, each: _Said) -> bool:
    """Whether they do the same in the same places."""
    mine, its = one.policy, each.policy
    same = (mine.effect, mine.verdict, mine.approver, mine.quorum, mine.terms, mine.obligations, mine.mode) == (
        its.effect,
        its.verdict,
        its.approver,
        its.quorum,
        its.terms,
        its.obligations,
        its.mode,
    )
    return same and each.covers(one)


def _hidden(each: _Said, other: _Said) -> Remark:
    name = other.policy.id
    if _alike(other, each):
        return Remark(f"it says the same as `{name}`", severity="warning")
    verdict = other.policy.verdict
    if each.policy.effect == "permit":
        return Remark(f"it grants nothing: `{name}` denies wherever it applies", severity="warning")
    return Remark(f"it changes nothing: `{name}` says `{verdict}` wherever it applies", severity="warning")


class _Keyed:
    """Policies by one of their conditions each, so that of thousands only those are compared that can matter."""

    def __init__(self, said: Iterable[_Said]) -> None:
        self._by: dict[object, list[_Said]] = {}
        said = list(said)
        often: dict[object, int] = {}
        for each in said:
            for condition in each.conditions:
                often[condition] = often.get(condition, 0) + 1
        for each in said:
            if each.conditions:
                keys: Iterable[object] = (min(each.conditions, key=lambda condition: often[condition]),)
            else:
                keys = each.about
            for key in keys:
                self._by.setdefault(key, []).append(each)

    def fewer(self, each: _Said) -> Iterator[_Said]:
        """Those whose conditions may all be among those of `each`, and that may be about as much."""
        for key in (*each.conditions, min(each.about)):
            yield from self._by.get(key, ())


def _wider(one: object, other: object) -> bool:
    """Whether one scope takes in another."""
    if isinstance(one, pst.ScopeAny) or one == other:
        return True
    match one, other:
        case pst.ScopeIn(agent), pst.ScopeEq(release) if isinstance(agent, pst.EntityUid):
            named = isinstance(release, pst.EntityUid) and str(release.type) == "Release" and str(agent.type) == "Agent"
            return named and isinstance(release, pst.EntityUid) and release.id.rpartition("@")[0] == agent.id
        case pst.ScopeIs(kind), pst.ScopeIsIn(other_kind, _):
            return kind == other_kind
        case _:
            return False
