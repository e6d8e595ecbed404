"""Why a policy is satisfied or not, in plain words.

Nothing is evaluated here in a way of its own: whether a policy is satisfied is asked of the engine, a policy at a time, and
so is each part of a condition whose value decides. What is ours is only which part to ask about next, and the words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import cedarpy
from cedarpy import pst

from interlock.adapters.cedar.compiling import Unsupported, matcher
from interlock.adapters.cedar.compiling.functions import FAULTS
from interlock.adapters.cedar.compiling.runtime import Fields
from interlock.adapters.cedar.compiling.values import Around, around, value
from interlock.adapters.cedar.loaded import Loaded, principal
from interlock.adapters.cedar.plain import plain, short, told
from interlock.adapters.cedar.policies import CedarPolicies
from interlock.adapters.cedar.reads import children, context_path, reads
from interlock.adapters.cedar.request import AS_VALUES, Unfit, context_writer
from interlock.adapters.cedar.schema import Surface
from interlock.adapters.cedar.scope import about_action
from interlock.adapters.cedar.source import statements
from interlock.domain.bundle import Bundle
from interlock.domain.explanation import Considered, Standing
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.policy import Policy
from interlock.domain.question import Question
from interlock.ports.explainer import Written

_KEPT: Final = 16
_CLASSIFIED: Final = ("args", "facts", "parsed")
_ARITHMETIC: Final = ("add", "sub", "mul")

Found = tuple[Standing, tuple[str, ...]]


class CedarExplainer:
    """Cedar, as `ports.explainer.Explainer` wants it."""

    def __init__(self) -> None:
        self._known: dict[Digest, tuple[Loaded, Mapping[str, Written]]] = {}

    def considered(self, bundle: Bundle, question: Question, hidden: Mapping[str, str]) -> tuple[Considered, ...]:
        """Every policy of `bundle` and what becomes of it, in the order of files and lines."""
        loaded, written = self._of(bundle)
        found: list[Considered] = []
        for name, place in written.items():
            policy = loaded.policies[name]
            standing, why = _judged(loaded, loaded.rules[name], question, hidden)
            found.append(_considered(policy, place, standing, why))
        return tuple(found)

    def written(self, bundle: Bundle) -> Mapping[str, Written]:
        """Where each policy stands and its text, by id."""
        return self._of(bundle)[1]

    def about(self, bundle: Bundle, contract: ContractName, agent: AgentName) -> frozenset[str]:
        """The policies whose scope may take in that agent's use of that contract."""
        loaded = self._of(bundle)[0]
        found = loaded.slice(contract, agent) if contract in loaded.surfaces else None
        return frozenset() if found is None else frozenset(rule.id for rule in found.rules)

    def _of(self, bundle: Bundle) -> tuple[Loaded, Mapping[str, Written]]:
        digest = bundle.digest
        if digest not in self._known:
            while len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
            self._known[digest] = CedarPolicies().loaded(bundle), _written(bundle)
        return self._known[digest]


def _written(bundle: Bundle) -> Mapping[str, Written]:
    """Of a bundle that was loaded, so that every statement is one policy with an id."""
    written: dict[str, Written] = {}
    for file, text in sorted(bundle.sources.items()):
        for each in statements(file, text):
            template = next(iter(cedarpy.policies_to_pst(each.text).static_policies.values()))
            written[template.annotations["id"]] = Written(file=file, line=each.place.line, text=each.text)
    return written


def _considered(policy: Policy, place: Written, standing: Standing, why: tuple[str, ...]) -> Considered:
    return Considered(
        policy=policy.id,
        effect=policy.effect,
        verdict="allow" if policy.effect == "permit" else policy.verdict,
        owner=policy.owner,
        mode=policy.mode,
        file=place.file,
        line=place.line,
        standing=standing,
        why=why,
        reason=policy.reason,
    )


def _judged(loaded: Loaded, rule: pst.Template, question: Question, hidden: Mapping[str, str]) -> Found:
    """What the engine says of one policy, and why."""
    surface = loaded.surfaces.get(question.contract)
    if surface is None:
        return "failed", (f"the contract `{question.contract}` is not in the policy bundle",)
    elsewhere = _elsewhere(rule, surface, question)
    if elsewhere:
        return "elsewhere", (elsewhere,)
    try:
        context = context_writer(surface, reads((rule,)), AS_VALUES)(question)
    except Unfit as error:
        return "failed", (f"what it reads does not fit: {error}",)
    release, system = ("Release", principal(question)), ("System", question.tenant)
    asked = matcher((rule,), question.agent, surface.name, surface.groups)
    satisfied, failed = asked(context, release, system)
    here = around(context, question.agent, release, system, surface.name, surface.groups)
    telling = _Telling(here, hidden)
    if failed:
        return "failed", tuple(telling.failure(rule, failed[0][1]))
    if satisfied:
        return "satisfied", tuple(telling.fulfilled(rule)) or ("it says so of everything in its scope",)
    return "unsatisfied", tuple(telling.unfulfilled(rule))


def _elsewhere(rule: pst.Template, surface: Surface, question: Question) -> str:
    """What its scope is about instead, or nothing. Whether it is, the engine says: of the policy without its clauses."""
    if not about_action(rule, surface):
        grouped = isinstance(rule.action, pst.ActionIn) and any(":" in each.id for each in rule.action.entities)
        groups = f", which is in {_listed(surface.groups)}" if grouped else ""
        return f"it is about {_actions(rule.action)}, and this is `{surface.name}`{groups}"
    release, system = ("Release", principal(question)), ("System", question.tenant)
    bare = replace(rule, clauses=())
    for scope, what, this in (
        (replace(bare, resource=pst.ScopeAny()), rule.principal, release[1]),
        (replace(bare, principal=pst.ScopeAny()), rule.resource, system[1]),
    ):
        asked = matcher((scope,), question.agent, surface.name, surface.groups)
        if not asked(Fields(), release, system)[0]:
            return f"it is about {_whom(what)}, and this is `{this}`"
    return ""


def _actions(scope: object) -> str:
    match scope:
        case pst.ActionEq(entity):
            return f"`{entity.id}`"
        case pst.ActionIn(entities):
            return _listed(tuple(entity.id for entity in entities))
        case _:
            return "every contract"


def _listed(names: tuple[str, ...]) -> str:
    *others, last = (f"`{name}`" for name in names)
    return f"{', '.join(others)} and {last}" if others else last


def _whom(scope: object) -> str:
    match scope:
        case pst.ScopeEq(pst.EntityUid(kind, name)) | pst.ScopeIn(pst.EntityUid(kind, name)):
            return f"{str(kind).lower()} `{name}`"
        case pst.ScopeIsIn(_, pst.EntityUid(kind, name)):
            return f"{str(kind).lower()} `{name}`"
        case pst.ScopeIs(kind):
            return f"what is of type {kind}"
        case _:
            return "anybody"


class _Telling:
    """Finds the parts of a condition that decided, and says what they came to."""

    def __init__(self, here: Around, hidden: Mapping[str, str]) -> None:
        self._here = here
        self._hidden = hidden

    def unfulfilled(self, rule: pst.Template) -> Iterator[str]:
        """The first clause that did not hold, and in it the first part because of which."""
        for clause in rule.clauses:
            held = value(clause.expr, self._here) is True
            if isinstance(clause, pst.When) and not held:
                yield from self._because(clause.expr, False)
                return
            if isinstance(clause, pst.Unless) and held:
                yield from (f"excepted: {each}" for each in self._because(clause.expr, True))
                return

    def fulfilled(self, rule: pst.Template) -> Iterator[str]:
        """Every part because of which each clause held."""
        for clause in rule.clauses:
            if isinstance(clause, pst.When):
                yield from self._because(clause.expr, True)
            else:
                yield from (f"not excepted: {each}" for each in self._because(clause.expr, False))

    def failure(self, rule: pst.Template, why: str) -> Iterator[str]:
        """The innermost part that could not be evaluated."""
        for clause in rule.clauses:
            part = self._broken(clause.expr)
            if part is not None:
                yield f"`{plain(part)}` cannot be evaluated: {why}{self._values(part)}"
                return
        yield why

    def _broken(self, node: object) -> object | None:
        """The innermost part of `node` that fails, of those that are looked at."""
        try:
            value(node, self._here)
        except Unsupported:
            return None  # no expression: a record's fields, a pattern
        except FAULTS:
            inner = (self._broken(child) for child in _looked_at(node, self._here))
            return next((each for each in inner if each is not None), node)
        return None

    def _because(self, node: object, came_to: bool) -> Iterator[str]:
        """Why `node` came to what it did: the parts that settle it, in the order in which they are looked at."""
        match node:
            case pst.BinaryOp("and" | "or" as op, left, right):
                # One part settles an `and` that is false and an `or` that is true; all of them the others.
                settled_by_one = came_to is (op == "or")
                first = value(left, self._here) is came_to
                if first or not settled_by_one:
                    yield from self._because(left, came_to)
                if not (first and settled_by_one):
                    yield from self._because(right, came_to)
            case pst.UnaryOp("not", pst.BinaryOp("and" | "or") | pst.IfThenElse() | pst.UnaryOp("not") as arg):
                yield from self._because(arg, not came_to)
            case pst.IfThenElse(cond, then_expr, else_expr):
                chosen = value(cond, self._here) is True
                yield from self._because(cond, chosen)
                yield from self._because(then_expr if chosen else else_expr, came_to)
            case _:
                yield f"`{plain(node)}` is {str(came_to).lower()}{self._values(node)}"

    def _values(self, node: object) -> str:
        """`: amount_minor is 500, note is not given`: what a part looked at. Nothing where it says so itself."""
        if context_path(node) is not None:
            return ""
        said = list(dict.fromkeys(self._seen(node)))
        return f": {', '.join(said)}" if said else ""

    def _seen(self, node: object) -> Iterator[str]:
        match node:
            case pst.HasAttr(base, attrs) if (path := context_path(base)) is not None:
                yield self._member((*path, *attrs), _reached(base, attrs))
                return
            case pst.Var(name):
                if name != "context":
                    yield f"{plain(node)} is {self._text((), node)}"
                return
            case _ if (path := context_path(node)) is not None:
                yield self._member(path, node)
                return
            case _:
                for child in children(node):
                    yield from self._seen(child)
        if isinstance(node, pst.BinaryOp) and node.op not in _ARITHMETIC:
            for side in (node.left, node.right):
                if isinstance(side, pst.BinaryOp) and side.op in _ARITHMETIC and not self._is_hidden(side):
                    yield f"{plain(side)} is {self._text((), side)}"

    def _member(self, path: tuple[str, ...], node: object) -> str:
        if self._is_hidden(node):
            kinds = sorted({self._hidden[name] for name in self._names(node)})
            return f"{short(path)} is hidden ({', '.join(kinds)})"
        return f"{short(path)} is {self._text(path, node)}"

    def _text(self, path: tuple[str, ...], node: object) -> str:
        try:
            return told(path, value(node, self._here))
        except FAULTS as error:
            return "not given" if isinstance(error, LookupError) else "not to be told"

    def _is_hidden(self, node: object) -> bool:
        return any(True for _ in self._names(node))

    def _names(self, node: object) -> Iterator[str]:
        """The hidden names whose values are part of what `node` comes to."""
        path = context_path(node)
        if path is None:
            for child in children(node):
                yield from self._names(child)
        elif len(path) > 1 and path[0] in _CLASSIFIED:
            yield from (name for name in self._hidden if name == path[1])
        elif not path or path[0] in _CLASSIFIED:
            yield from self._hidden


def _reached(base: pst.Expr, attrs: tuple[str, ...]) -> pst.Expr:
    for name in attrs:
        base = pst.GetAttr(base, name)
    return base


def _looked_at(node: object, here: Around) -> Iterator[object]:
    """The parts of `node` that are evaluated for it, in their order."""
    match node:
        case pst.BinaryOp("and" | "or" as op, left, right):
            yield left
            try:
                settled = value(left, here) is (op == "or")
            except FAULTS:
                return
            if not settled:
                yield right
        case pst.IfThenElse(cond, then_expr, else_expr):
            yield cond
            try:
                chosen = value(cond, here)
            except FAULTS:
                return
            yield then_expr if chosen is True else else_expr
        case pst.GetAttr() if context_path(node) is not None:
            return
        case _:
            yield from children(node)
