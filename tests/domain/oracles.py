"""The same chains and calls for programs that know nothing of ours: Biscuit (Datalog blocks) and Tenuo (warrants).

Chains are made by a seeded generator, half of their links by narrowing what stood before and half by chance, and signed by a
holder who does not care whether they are narrower.
"""

import random
import time
from datetime import timedelta
from typing import Any

import biscuit_auth as biscuit
import msgspec
import tenuo_core as tenuo
from tenuo.exceptions import MonotonicityError, ScopeViolation

from interlock.adapters.keys import verify
from interlock.domain.canonical import JsonValue
from interlock.domain.chain import verified
from interlock.domain.constraint import (
    All,
    AnyOf,
    Constraint,
    ConstraintError,
    Contains,
    Exact,
    NotOneOf,
    OneOf,
    Range,
    Subset,
    Wildcard,
)
from interlock.domain.grant import Grant, GrantError, Tools, meet, written
from interlock.domain.jwk import jwk, thumbprint
from interlock.domain.token import TokenError, hash_of, issuer
from tests.domain.delegations import ANA, BO, CY, ISSUERS, forged, parts, public, rooted

VALUES: tuple[JsonValue, ...] = (None, True, False, -1, 0, 1, 2, 5, 9, "", "a", "b", "c", "1", "true")
LISTS: tuple[JsonValue, ...] = ([], ["a"], ["a", "b"], ["b", "c"], [1], [1, "a"], ["a", "a"])
HOLDERS = (ANA, BO, CY)
Call = tuple[str, dict[str, JsonValue]]


class Case(msgspec.Struct, frozen=True):
    """What each holder grants the next, and calls of the last."""

    grants: tuple[Grant, ...]
    calls: tuple[Call, ...]


class Dice(random.Random):
    """Chance, and whether lists in constraints are to hold nothing but texts, as Tenuo's must."""

    texts = False

    def some(self, values: tuple[JsonValue, ...]) -> tuple[JsonValue, ...]:
        """Some of `values`."""
        values = tuple(each for each in values if isinstance(each, str)) if self.texts else values
        return tuple(self.sample(values, self.randint(1, min(4, len(values)))))


def case(seed: int, *, texts: bool = False) -> Case:
    """Up to three grants and eight calls, by chance; the same for a seed on every machine."""
    dice = Dice(seed)
    dice.texts = texts
    grants = [_grant(dice)]
    for _ in range(dice.randrange(3)):
        other = _grant(dice)
        try:
            chance = dice.random()
            child = other if chance < 0.1 else meet(grants[-1], other)
            grants.append(_tweaked(dice, child if chance < 0.5 else grants[-1]) if chance > 0.3 else child)
        except GrantError:
            grants.append(grants[-1])
        if not grants[-1].tools:
            # Tenuo has no warrant for nothing.
            grants.pop()
    return Case(grants=tuple(grants), calls=tuple(_call(dice, grants[-1]) for _ in range(8)))


def ours(case: Case) -> list[bool] | None:
    """Which calls our chain grants; None where it is refused whole."""
    texts = [rooted(case.grants[0])]
    for by, to, grant in zip(HOLDERS, HOLDERS[1:], case.grants[1:], strict=False):
        parent = parts(texts[-1])[1]
        claims = {
            **parent,
            "agent": to.verifier.name,
            "authorization_details": [{"type": "attenuating_agent_token", **_object(written(grant))}],
            "cnf": {"jwk": msgspec.to_builtins(jwk(public(to)))},
            "del_depth": parent["del_depth"] + 1,
            "iss": issuer(thumbprint(public(by))),
            "jti": f"jti-{len(texts) + 1}",
            "par_hash": hash_of(texts[-1].rpartition(".")[0].encode()),
        }
        texts.append(forged(claims, by))
    try:
        chain = verified(texts, issuers=ISSUERS, verify=verify)
    except TokenError as error:
        if error.code != "token_widened":
            raise
        return None
    return [chain.granted(*call) is None for call in case.calls]


def by_biscuit(case: Case) -> list[bool]:
    """Which calls a Biscuit grants that says each grant as the check of a block."""
    keys = biscuit.KeyPair()
    token = biscuit.BiscuitBuilder(_check(case.grants[0])).build(keys.private_key)
    for grant in case.grants[1:]:
        token = token.append(biscuit.BlockBuilder(_check(grant)))
    return [_asked(token, call) for call in case.calls]


def _asked(token: Any, call: Call) -> bool:
    tool, arguments = call
    facts = [f"tool({_literal(tool)})", f"args({_literal(sorted(arguments))})"]
    facts += [f"arg({_literal(name)}, {_literal(value)})" for name, value in arguments.items()]
    builder: Any = biscuit.AuthorizerBuilder("; ".join(facts) + "; allow if true;")
    limits = builder.limits()
    # By default it has a millisecond of wall time, after which a valid token is refused on a machine with other work.
    limits.max_time, limits.max_facts, limits.max_iterations = timedelta(seconds=30), 100_000, 100_000
    builder.set_limits(limits)
    try:
        builder.build(token).authorize()
    except biscuit.AuthorizationError as error:
        if "the following checks failed" not in str(error):
            raise
        return False
    return True


def _check(grant: Grant) -> str:
    """A grant as one check: a tool, the names of its arguments, and an expression for each of them."""
    ways = []
    for tool, constraints in grant.tools.items():
        terms = [f"tool({_literal(tool)})"]
        if constraints:
            terms.append(f"args({_literal(sorted(constraints))})")
        for place, (name, constraint) in enumerate(constraints.items()):
            terms += [f"arg({_literal(name)}, $v{place})", _expression(constraint, f"$v{place}")]
        ways.append(", ".join(terms))
    return "check if " + (" or ".join(ways) or "false")


def _expression(constraint: Constraint, variable: str) -> str:
    is_list = f'{variable}.type() == "array"'
    match constraint:
        case Exact():
            return f"{variable} == {_literal(constraint.value)}"
        case OneOf():
            return _joined("||", [f"{variable} == {_literal(each)}" for each in constraint.values])
        case NotOneOf():
            return _joined("&&", [f"{variable} != {_literal(each)}" for each in constraint.excluded])
        case Range():
            bounds = ((">=", constraint.min), ("<=", constraint.max))
            terms = [f"{variable} {sign} {bound}" for sign, bound in bounds if bound is not None]
            return _joined("&&", [f'{variable}.type() == "integer"', *terms])
        case Subset():
            allowed = _literal(list(constraint.allowed))
            return f"{is_list} && {variable}.all($i -> {allowed}.contains($i))"
        case Contains():
            return _joined("&&", [is_list, *(f"{variable}.contains({_literal(each)})" for each in constraint.required)])
        case Wildcard():
            return "true"
        case All():
            return _joined("&&", [f"({_expression(each, variable)})" for each in constraint.constraints])
        case AnyOf():
            return _joined("||", [f"({_expression(each, variable)})" for each in constraint.constraints])


def _joined(word: str, terms: list[str]) -> str:
    return f" {word} ".join(f"({term})" for term in terms)


def _literal(value: JsonValue | list[str]) -> str:
    return msgspec.json.encode(value).decode()


# -- Tenuo -------------------------------------------------------------------------------------------------------------
def by_tenuo(case: Case) -> list[bool] | None:
    """Which calls a chain of Tenuo's warrants grants; None where it does not let a holder hand on so much.

    Raises Unsaid where its constraints cannot say what ours do: they name nothing but texts.
    """
    plane = tenuo.SigningKey.generate()
    keys = [tenuo.SigningKey.generate() for _ in case.grants]
    warrant = tenuo.Warrant.issue(
        plane, capabilities=_capabilities(case.grants[0]), ttl_seconds=600, holder=keys[0].public_key
    )
    chain = [warrant]
    for by, to, grant in zip(keys, keys[1:], case.grants[1:], strict=False):
        try:
            warrant = warrant.attenuate(_capabilities(grant), by, ttl_seconds=600, holder=to.public_key)
        except MonotonicityError:
            return None
        chain.append(warrant)
    judge = tenuo.Authorizer(trusted_roots=[plane.public_key])
    return [_allowed(judge, chain, keys[-1], call) for call in case.calls]


def _allowed(judge: Any, chain: list[Any], key: Any, call: Call) -> bool:
    tool, arguments = call
    proof = chain[-1].sign(key, tool, arguments, int(time.time()))
    try:
        judge.check_chain(chain, tool, arguments, signature=bytes(proof))
    except ScopeViolation:
        return False
    return True


def _capabilities(grant: Grant) -> dict[str, Any]:
    return {
        tool: {name: _theirs(constraint) for name, constraint in constraints.items()}
        for tool, constraints in grant.tools.items()
    }


class Unsaid(Exception):
    """Tenuo cannot say it."""


def _theirs(constraint: Constraint) -> Any:
    match constraint:
        case Exact():
            return tenuo.Exact(*_texts((constraint.value,)))
        case OneOf():
            return tenuo.OneOf(_texts(constraint.values))
        case NotOneOf():
            return tenuo.NotOneOf(_texts(constraint.excluded))
        case Range():
            return tenuo.Range(constraint.min, constraint.max)
        case Subset():
            return tenuo.Subset(_texts(constraint.allowed))
        case Contains():
            return tenuo.Contains(_texts(constraint.required))
        case Wildcard():
            return tenuo.Wildcard()
        case All():
            return tenuo.All([_theirs(each) for each in constraint.constraints])
        case AnyOf():
            return tenuo.AnyOf([_theirs(each) for each in constraint.constraints])


def _texts(values: tuple[JsonValue, ...]) -> list[JsonValue]:
    if not all(isinstance(each, str) for each in values):
        raise Unsaid
    return list(values)


# -- by chance ---------------------------------------------------------------------------------------------------------
def _grant(dice: Dice) -> Grant:
    tools: Tools = {}
    for tool in ("t.one", "t.two"):
        if dice.random() < 0.8:
            names = ("n", "to")[: dice.choice((0, 1, 2, 2))]
            tools[tool] = {name: _constraint(dice) for name in names}
    return Grant(tools=tools or {"t.one": {}})


def _constraint(dice: Dice, depth: int = 0) -> Constraint:
    kind = dice.randrange(9 if depth < 2 else 7)
    try:
        match kind:
            case 0:
                return Exact(value=dice.some(VALUES)[0])
            case 1:
                low, high = sorted((dice.randint(-2, 6), dice.randint(-2, 9)))
                return dice.choice((Range(min=low, max=high), Range(min=low), Range(max=high)))
            case 2:
                return OneOf(values=dice.some(VALUES))
            case 3:
                return NotOneOf(excluded=dice.some(VALUES))
            case 4:
                return Subset(allowed=dice.some(("a", "b", "c", 1)))
            case 5:
                return Contains(required=dice.some(("a", "b", 1))[:2])
            case 6:
                return Wildcard()
            case _:
                inner = tuple(_constraint(dice, depth + 1) for _ in range(dice.randint(1, 3)))
                return All(constraints=inner) if kind == 7 else AnyOf(constraints=inner)
    except ConstraintError:
        return Wildcard()


def _tweaked(dice: Dice, grant: Grant) -> Grant:
    """The same with one constraint a little wider or narrower: what nearly is its parent's, and what an attacker would try."""
    places = [(tool, name) for tool, constraints in grant.tools.items() for name in constraints]
    if not places:
        return grant
    tool, name = dice.choice(places)
    try:
        constraints = {**grant.tools[tool], name: _shifted(dice, grant.tools[tool][name])}
        return Grant(tools={**grant.tools, tool: constraints})
    except ConstraintError:
        return grant


def _shifted(dice: Dice, constraint: Constraint) -> Constraint:
    by = dice.choice((-1, 1))
    match constraint:
        case Range(min=low, max=high):
            if low is not None and (high is None or dice.random() < 0.5):
                return Range(min=low + min(by, 0), max=high) if high is not None else Range(min=low + by)
            return Range(min=low, max=(high or 0) + max(by, 0)) if low is not None else Range(max=(high or 0) + by)
        case OneOf():
            return OneOf(values=(*constraint.values[by > 0 :], *dice.some(VALUES)[:1]))
        case NotOneOf():
            return NotOneOf(excluded=(*constraint.excluded[by > 0 :], *dice.some(VALUES)[:1]))
        case Subset():
            return Subset(allowed=(*constraint.allowed[by > 0 :], *dice.some(("a", "b", "c"))[:1]))
        case Contains():
            return Contains(required=(*constraint.required[by > 0 :], *dice.some(("a", "b"))[:1]))
        case All():
            first, *rest = constraint.constraints
            return All(constraints=(_shifted(dice, first), *rest))
        case AnyOf():
            first, *rest = constraint.constraints
            return AnyOf(constraints=(_shifted(dice, first), *rest))
        case _:
            return _constraint(dice)


def _call(dice: Dice, grant: Grant) -> Call:
    """A call that has some chance to be granted: mostly of a tool that is, with the arguments it has."""
    tool = dice.choice(("t.one", "t.two")) if dice.random() < 0.2 or not grant.tools else dice.choice(list(grant.tools))
    names = list(grant.tools.get(tool) or ()) if dice.random() < 0.9 else ["n", "to"]
    return tool, {name: _likely(dice, grant.tools.get(tool, {}).get(name)) for name in names}


def _likely(dice: Dice, constraint: Constraint | None) -> JsonValue:
    while isinstance(constraint, All | AnyOf):
        constraint = dice.choice(constraint.constraints)
    if dice.random() < 0.6:
        match constraint:
            case Exact():
                return constraint.value
            case OneOf():
                return dice.choice(constraint.values)
            case Range():
                return dice.choice([each for each in (constraint.min, constraint.max) if each is not None])
            case Subset():
                return list(constraint.allowed[: dice.randint(0, 2)])
            case Contains():
                return list(constraint.required)
            case _:
                pass
    return dice.choice((*VALUES, *LISTS))


def _object(value: JsonValue) -> dict[str, JsonValue]:
    assert isinstance(value, dict)
    return value
