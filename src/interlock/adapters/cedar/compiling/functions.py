"""The policies of one slice as one Python function.

A slice is one agent's use of one contract, so most of each policy's scope is settled before anything runs: the function
asks only which release and which system it is, and then what the clauses say.
"""

import ast
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any, Final, cast

from cedarpy import pst

from interlock.adapters.cedar.compiling import expressions as ex
from interlock.adapters.cedar.compiling.runtime import GLOBALS, Entity, Fields

FAULTS: Final = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""What evaluating may raise."""

_OUT: Final = "found"
_ARGUMENTS: Final = (ex.CONTEXT, ex.PRINCIPAL, ex.RESOURCE, ex.ACTION, ex.PARENTS, _OUT)

Function = Callable[..., None]


class Matcher:
    """Says which policies of a slice are satisfied. Safe to ask from several threads at once."""

    def __init__(self, rules: Sequence[pst.Template], agent: str, contract: str, groups: Iterable[str]) -> None:
        self._rules = rules
        self._agent = agent
        self._action: Entity = ("Action", contract)
        self._above: dict[Entity, frozenset[Entity]] = {self._action: frozenset(("Action", group) for group in groups)}
        self._agents = frozenset({("Agent", agent)})
        self._parents = any(ex.uses_parents(rule) for rule in rules)
        self._all = _function(rules, agent)

    def __call__(self, context: Fields, release: Entity, system: Entity) -> tuple[list[str], list[tuple[str, str]]]:
        """The ids of those satisfied, in the slice's order, and of those that could not be evaluated, with why."""
        up = {**self._above, release: self._agents} if self._parents else self._above
        found: list[str] = []
        try:
            self._all(context, release, system, self._action, up, found.append)
        except FAULTS:
            return self._one_by_one(context, release, system, up)
        return found, []

    def _one_by_one(
        self, context: Fields, release: Entity, system: Entity, up: dict[Entity, frozenset[Entity]]
    ) -> tuple[list[str], list[tuple[str, str]]]:
        """Find out which of them it was; the others are answered as if it were not there."""
        found: list[str] = []
        failed: list[tuple[str, str]] = []
        for name, function in self._single:
            try:
                function(context, release, system, self._action, up, found.append)
            except FAULTS as error:
                failed.append((name, _why(error)))
        return found, failed

    @cached_property
    def _single(self) -> list[tuple[str, Function]]:
        return [(rule.id, _function((rule,), self._agent)) for rule in self._rules]


def matcher(rules: Sequence[pst.Template], agent: str, contract: str, groups: Iterable[str]) -> Matcher:
    """Compile `rules`, all of which may matter to `agent`'s use of `contract`. Raises Unsupported."""
    return Matcher(rules, agent, contract, groups)


def _why(error: Exception) -> str:
    """Cedar's reason in words, without any value: it may be somebody's data, and reasons are recorded."""
    if isinstance(error, KeyError):
        return "a record does not have the member it reads"
    return str(error) if isinstance(error, ArithmeticError) else "its values do not fit"


def _function(rules: Sequence[pst.Template], agent: str) -> Function:
    body: list[ast.stmt] = []
    for rule in rules:
        parts = [*_principal(rule.principal, agent), *_resource(rule.resource)]
        if rule.clauses:
            parts.append(ex.condition(rule))
        told = ast.Expr(ast.Call(func=ex.name(_OUT), args=[ex.fixed(rule.id)], keywords=[]))
        body.append(ast.If(ex.every(parts), [told], []) if parts else told)
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(arg=each) for each in _ARGUMENTS],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    defined = ast.FunctionDef("matched", arguments, body or [ast.Pass()], [])
    module = ast.fix_missing_locations(ast.Module([defined], []))
    # The module's code is never run: the one function in it is taken out and given the few names it may use.
    code = next(each for each in compile(module, "<policies>", "exec").co_consts if isinstance(each, CodeType))
    return cast(Function, FunctionType(code, cast(dict[str, Any], GLOBALS)))


def _principal(scope: object, agent: str) -> list[ast.expr]:
    """What of a principal's scope the slice leaves open: which release it is."""
    match scope:
        case pst.ScopeAny():
            return []
        case pst.ScopeIs(kind):
            return _is_kind(kind, "Release")
        case pst.ScopeEq(pst.EntityUid() as uid):
            return [ex.equal(ex.name(ex.PRINCIPAL), ex.entity(uid))]
        case pst.ScopeIn(pst.EntityUid() as uid):
            return _in_agent(uid, agent)
        case pst.ScopeIsIn(kind, pst.EntityUid() as uid):
            return [*_is_kind(kind, "Release"), *_in_agent(uid, agent)]
        case _:
            raise ex.Unsupported(f"`{type(scope).__name__}` as the principal")


def _in_agent(uid: pst.EntityUid, agent: str) -> list[ast.expr]:
    if (str(uid.type), uid.id) == ("Agent", agent):
        return []
    return [ex.equal(ex.name(ex.PRINCIPAL), ex.entity(uid))]


def _resource(scope: object) -> list[ast.expr]:
    match scope:
        case pst.ScopeAny():
            return []
        case pst.ScopeIs(kind):
            return _is_kind(kind, "System")
        case pst.ScopeEq(pst.EntityUid() as uid) | pst.ScopeIn(pst.EntityUid() as uid):
            return [ex.equal(ex.name(ex.RESOURCE), ex.entity(uid))]
        case pst.ScopeIsIn(kind, pst.EntityUid() as uid):
            return [*_is_kind(kind, "System"), ex.equal(ex.name(ex.RESOURCE), ex.entity(uid))]
        case _:
            raise ex.Unsupported(f"`{type(scope).__name__}` as the resource")


def _is_kind(kind: pst.EntityType, expected: str) -> list[ast.expr]:
    return [] if str(kind) == expected else [ex.fixed(False)]
