"""The solver's picture of Cedar is Cedar: one question after another, pinned down among all requests there could be."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.chance import CONTRACT, OTHER, Chance
from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.library import library_judge
from interlock.adapters.cedar.loaded import Loaded
from interlock.adapters.cedar.policies import LANGUAGE
from interlock.adapters.cedar.schema import render, surfaces
from interlock.adapters.cedar.symbolic.decision import looser
from interlock.adapters.cedar.symbolic.expressions import condition
from interlock.adapters.cedar.symbolic.pattern import Unread, expression
from interlock.adapters.cedar.symbolic.reading import question as read_back
from interlock.adapters.cedar.symbolic.slices import groups
from interlock.adapters.cedar.symbolic.terms import Terms
from interlock.adapters.cedar.symbolic.values import Unsayable
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract, NoReversal, Reversal, checked
from interlock.domain.errors import PolicyError
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.whatif import at_least_as_strict
from tests.adapters.symbolic_cases import LOGIC, by_chance, decided, pinned, true_of, z3

SEEDS = st.integers(0, 2**32)
SCHEMA = render(surfaces([CONTRACT, OTHER])[0])


def one_policy(chance: Chance) -> tuple[Bundle, Loaded]:
    """A policy that strict validation lets through."""
    while True:
        bundle = Bundle(language=LANGUAGE, sources={"p.cedar": chance.policy("p")}, schema=SCHEMA)
        try:
            return bundle, CedarPolicies().loaded(bundle)
        except PolicyError:
            continue


@given(SEEDS)
@settings(max_examples=100)
@pytest.mark.proves("whatif.no_loosening_missed")
def test_a_policy_comes_to_what_cedar_says(seed: int) -> None:
    """For policies and questions by chance the solver's term is true where cedarpy is satisfied and fails where cedarpy
    cannot evaluate, overflow and absent members among it; and every question that can be asked is among its requests."""
    chance = Chance(seed)
    bundle, loaded = one_policy(chance)
    for _ in range(3):
        asked = by_chance(chance)
        request, solver = pinned(asked)
        assert solver is not None, asked
        found = loaded.slice(CONTRACT.name, asked.agent)
        if found is None:
            return
        terms = Terms(LOGIC, request.known(request.surface))
        try:
            holds, fails = condition(terms, found.rules[0])
        except Unsayable:
            return
        if terms.unsaid:
            continue
        said = library_judge(loaded).opinions(asked)
        assert true_of(solver, fails) == bool(said.errors), (bundle.sources, asked)
        assert true_of(solver, holds) == (bool(said.satisfied) and not said.errors), (
            bundle.sources,
            asked,
        )


BIG = "context.args.n * 9007199254740991 > 5"
EDGES = (
    f"context.args.flag || {BIG}",
    f"context.args.flag && {BIG}",
    f"{BIG} || true",
    f"{BIG} && false",
    f"!({BIG})",
    f"if context.args.flag then {BIG} else true",
    f"if {BIG} then context.args.flag else !context.args.flag",
    "context.args.flag || -(context.args.m - context.args.m - 9223372036854775807 - 1) == 0",
    "context.args.n - 9223372036854775807 < context.args.m",
    "[context.args.n, context.args.n * 9007199254740991].contains(5)",
    "{a: context.args.n * 9007199254740991, b: true}.b",
    f"context.args has note || {BIG}",
    "context.args has item.n && context.args.item.n + 9223372036854775807 > 0",
    "context.args.numbers.contains(context.args.n * 9007199254740991)",
    'context.args.word like "a*b" || context.args.word like "*a\\*b*" || context.args.word like "ünï"',
    f'principal is Release in [Agent::"one", Agent::"three"] && {BIG}',
    "context.nowMs + 9223372036854775807 > 0 || context.weekday == 1",
)


@given(
    SEEDS,
    st.sampled_from(EDGES),
    st.sampled_from(["when {{ {} }}", "unless {{ {} }}", "when {{ context.undo }} unless {{ {} }}"]),
)
@settings(max_examples=200)
@pytest.mark.proves("whatif.no_loosening_missed")
def test_what_fails_fails_in_cedars_order(seed: int, edge: str, clauses: str) -> None:
    """Overflow on either side of `&&` and `||`, in a branch, a set, a record, a second clause: the policy fails exactly where
    cedarpy comes to evaluate it."""
    asked = by_chance(Chance(seed))
    text = f'@id("p") @owner("o") permit(principal, action, resource) {clauses.format(edge)};'
    loaded = CedarPolicies().loaded(Bundle(language=LANGUAGE, sources={"p.cedar": text}, schema=SCHEMA))
    request, solver = pinned(asked)
    assert solver is not None
    terms = Terms(LOGIC, request.known(request.surface))

    holds, fails = condition(terms, loaded.templates["p"])

    assert not terms.unsaid
    said = library_judge(loaded).opinions(asked)
    assert true_of(solver, fails) == bool(said.errors)
    assert true_of(solver, holds) == (bool(said.satisfied) and not said.errors)


@given(SEEDS)
@settings(max_examples=30)
def test_a_question_is_read_back_as_it_was(seed: int) -> None:
    """What was pinned down comes back out of the solver's model: arguments, facts, time, taint, roles and all."""
    asked = by_chance(Chance(seed))
    request, solver = pinned(asked)

    assert solver is not None
    found = read_back(z3, request, solver.model())

    kept = {name: value for name, value in asked.arguments.items() if name not in ("items", "tags", "numbers")}
    assert {name: found.arguments.get(name) for name in kept} == kept
    for name in ("tags", "numbers"):
        assert set(found.arguments[name]) == set(asked.arguments[name])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportUnknownVariableType]  both are lists
    assert (found.facts, found.confidence, found.initiator) == (asked.facts, asked.confidence, asked.initiator)
    around = msgspec.structs.replace(asked.around, roles=tuple(sorted(asked.around.roles)))
    assert found.around == around


HEADS = st.sampled_from(
    [
        "permit",
        "permit",
        '@obligation("tell") permit',
        '@outcome("oblige") @obligation("tell") @reason("r") forbid',
        '@outcome("oblige") @obligation("log") @reason("r") forbid',
        '@outcome("require_approval") @approver("lead") @reason("r") forbid',
        '@outcome("require_approval") @approver("lead") @quorum("2") @reason("r") forbid',
        '@outcome("require_approval") @approver("reviewer") @reason("r") forbid',
        '@outcome("escalate") @approver("auditor") @reason("r") forbid',
        '@outcome("shadow") @reason("r") forbid',
        '@outcome("deny") @reason("r") forbid',
        '@mode("shadow") @outcome("deny") @reason("r") forbid',
        '@mode("shadow") permit',
    ]
)
WHEN = st.sampled_from(
    ["true", "context.args.flag", "context.facts.known", "context.args.n > 5", "context.args.n * 9007199254740993 > 5"]
)
RULES = st.lists(st.tuples(HEADS, WHEN), min_size=1, max_size=5)
EVERYBODY = ("permit", "true")


@st.composite
def uses(draw: st.DrawFn) -> Contract:
    """A contract of any consequence."""
    undone = Reversal(contract=ContractName("chance.other"), arguments={})
    return checked(
        msgspec.structs.replace(
            CONTRACT,
            risk=draw(st.sampled_from(["low", "medium", "high"])),
            effect=draw(st.sampled_from(["read", "write", "write"])),
            reversal=draw(st.sampled_from([undone, NoReversal(why="it is gone")])),
        )
    )


def bundled(rules: list[tuple[str, str]], contract: Contract) -> Bundle:
    """Those policies, each with an id of its own."""
    texts = [
        f'@id("p{place}") @owner("o") {head}(principal, action, resource) when {{ {when} }};'
        for place, (head, when) in enumerate(rules)
    ]
    return Bundle(sources={"p.cedar": "\n".join(texts)}, schema=render(surfaces([contract, OTHER])[0]))


@given(RULES, RULES, uses(), SEEDS, st.booleans())
@settings(max_examples=100)
@pytest.mark.proves("whatif.no_loosening_missed")
def test_looser_means_what_it_means_to_us(
    old: list[tuple[str, str]], new: list[tuple[str, str]], contract: Contract, seed: int, alike: bool
) -> None:
    """Combining, our own rules by stage and reversibility, and what looser means: on any question the solver's terms say
    what the functions say that decide."""
    if alike:
        new = [*old[1:], *new[:1]]
    was, now = bundled([EVERYBODY, *old], contract), bundled([EVERYBODY, *new], contract)
    asked = msgspec.structs.replace(by_chance(Chance(seed)), contract_digest=contract.digest)
    request, solver = pinned(asked, contract)
    assert solver is not None
    ((_, before, after),) = groups(
        CedarPolicies().loaded(was), CedarPolicies().loaded(now), contract, [AgentName(asked.agent)]
    )

    said = looser(LOGIC, after.said(LOGIC, request)[0], before.said(LOGIC, request)[0])

    expected = not at_least_as_strict(decided(now, contract, asked), decided(was, contract, asked))
    assert true_of(solver, said) == expected


PATTERNS = (
    "^[a-c]{2,3}$",
    "a|^b",
    "^(?:ab)*c?$",
    "^a.c$",
    r"^\d+-\w$",
    "[-a]b",
    "^a+|b{2}$",
    r"^\$\.$",
    "^x{2,}",
    "^[a&&b]$",
    "^(a|b(c|a))$",
    "a{0}b",
)


@given(st.sampled_from(PATTERNS), st.text("abcx-_&$.10\n", max_size=5))
@pytest.mark.proves("whatif.no_loosening_missed")
def test_no_text_is_left_out_that_a_contract_lets_through(pattern: str, text: str) -> None:
    """Whatever JSON Schema finds a pattern in, the solver's expression holds."""
    schema = {"type": "object", "properties": {"word": {"type": "string", "pattern": pattern}}}
    takes = msgspec.structs.replace(CONTRACT, input_schema=schema).takes
    found = z3.simplify(z3.InRe(LOGIC.text(text), expression(z3, pattern)))

    assert z3.is_true(found) or not takes.is_valid({"word": text})
    assert z3.is_false(found) or "." in pattern or takes.is_valid({"word": text})


@pytest.mark.parametrize(
    "pattern", ["(?i)a", "[^a]", r"\bword", "a{²}", "a{,3}", "(^a)", "a*?", "é", "a(", "[b-", "a\\"]
)
def test_a_pattern_that_is_not_known_bounds_nothing(pattern: str) -> None:
    """Then the contract is asked when a request is found."""
    with pytest.raises(Unread):
        expression(z3, pattern)
