"""Policies account for themselves: in plain words, with the values that mattered, and by the engine's own semantics."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.chance import CONTRACT, OTHER, Chance
from interlock.adapters.cedar.compiled import compiled_judge
from interlock.adapters.cedar.explaining import CedarExplainer
from interlock.adapters.cedar.policies import LANGUAGE, CedarPolicies
from interlock.adapters.cedar.schema import render, surfaces
from interlock.domain.bundle import Bundle
from interlock.domain.errors import PolicyError
from interlock.domain.explanation import Considered
from interlock.domain.question import Question
from tests.adapters.cedar_cases import (
    ALL,
    CONTRACTS,
    FACTS,
    forbid,
    priced,
    question,
)

EUR = 'Currency::"EUR"'


def bundle(*policies: str) -> Bundle:
    """Policies as one file, whatever a lint would say of them."""
    return Bundle(language=LANGUAGE, sources={"p.cedar": "\n".join(policies)}, schema=render(*surfaces(CONTRACTS)))


def told(policy: str, asked: Question, **hidden: str) -> Considered:
    """What becomes of one policy."""
    return CedarExplainer().considered(bundle(policy), asked, hidden)[0]


SAID: list[tuple[str, str, tuple[str, ...]]] = [
    (
        "context.args.price_minor > 10000",
        "unsatisfied",
        ("`args.price_minor is greater than 10000` is false: price_minor is 500",),
    ),
    (
        "context.facts.flagship && context.args.price_minor < context.facts.floor_minor",
        "satisfied",
        (
            "`facts.flagship` is true",
            "`args.price_minor is less than facts.floor_minor` is true: price_minor is 500, floor_minor is 1500",
        ),
    ),
    (
        "context.facts.flagship && context.args.price_minor > 1000 && context.undo",
        "unsatisfied",
        ("`args.price_minor is greater than 1000` is false: price_minor is 500",),
    ),
    (
        f"context.args.currency == {EUR} || context.undo",
        "satisfied",
        ('`args.currency is "EUR"` is true: currency is "EUR"',),
    ),
    (
        f"context.args.currency != {EUR} || context.undo",
        "unsatisfied",
        ('`args.currency is not "EUR"` is false: currency is "EUR"', "`undo` is false"),
    ),
    (
        '[Currency::"USD"].contains(context.args.currency)',
        "unsatisfied",
        ('`args.currency is one of ["USD"]` is false: currency is "EUR"',),
    ),
    (
        'context.args has note && context.args.note == "x"',
        "unsatisfied",
        ("`args.note is given` is false: note is not given",),
    ),
    (
        "!context.facts.flagship",
        "unsatisfied",
        ("`not facts.flagship` is false: flagship is true",),
    ),
    (
        '!(context.args.tags.contains("sale") && context.facts.flagship)',
        "unsatisfied",
        ('`args.tags contains "sale"` is true: tags is ["sale"]', "`facts.flagship` is true"),
    ),
    (
        "context.args.price_minor * 2 + context.facts.floor_minor > 3000",
        "unsatisfied",
        (
            (
                "`args.price_minor * 2 + facts.floor_minor is greater than 3000` is false: price_minor is 500, "
                "floor_minor is 1500, args.price_minor * 2 + facts.floor_minor is 2500"
            ),
        ),
    ),
    (
        "if context.facts.flagship then context.weekday > 6 else true",
        "unsatisfied",
        ("`facts.flagship` is true", "`weekday is greater than 6 (Saturday)` is false: weekday is 1 (Monday)"),
    ),
    (
        "context.nowMs < 1000",
        "unsatisfied",
        (
            (
                "`nowMs is less than 1000 (1970-01-01 00:00:01 UTC)` is false: nowMs is 1790000000000 "
                "(2026-09-21 14:13:20 UTC)"
            ),
        ),
    ),
    (
        'context.task.initiator like "system:*"',
        "unsatisfied",
        ('`task.initiator looks like "system:*"` is false: task.initiator is "user:ana"',),
    ),
    (
        'principal in Agent::"mail"',
        "unsatisfied",
        ("`the release is in agent mail` is false: the release is pricing@0123456789ab",),
    ),
    (
        "context.facts.flagship && context.args.price_minor * 9223372036854775807 > 0",
        "failed",
        ("`args.price_minor * 9223372036854775807` cannot be evaluated: integer overflow: price_minor is 500",),
    ),
    ("true", "satisfied", ("`true` is true",)),
]


@pytest.mark.proves("policy.explained")
@pytest.mark.parametrize(("when", "standing", "why"), SAID)
def test_a_condition_is_explained_by_the_part_that_settled_it(when: str, standing: str, why: tuple[str, ...]) -> None:
    """The first false part of an `and`, every part of a false `or`: in words, with the values they looked at."""
    found = told(forbid(when), priced(price_minor=500))

    assert (found.standing, found.why) == (standing, why)


@pytest.mark.proves("policy.explained")
def test_an_exception_is_named_as_one() -> None:
    """Where `unless` held, that is why; where it did not, a satisfied policy says so."""
    policy = forbid("context.facts.flagship").replace("};", "} unless { context.undo };")

    assert told(policy, question(undo=True)).why == ("excepted: `undo` is true",)
    assert told(policy, question()).why == ("`facts.flagship` is true", "not excepted: `undo` is false")


ELSEWHERE = [
    ('principal, action == Action::"mail.send", resource', "it is about `mail.send`, and this is `pricing.set_price`"),
    (
        'principal, action in [Action::"effect:external", Action::"risk:low"], resource',
        (
            "it is about `effect:external` and `risk:low`, and this is `pricing.set_price`, which is in `any`, "
            "`effect:write` and `risk:high`"
        ),
    ),
    ('principal in Agent::"mail", action, resource', "it is about agent `mail`, and this is `pricing@0123456789ab`"),
    (
        'principal == Release::"pricing@ffffffffffff", action, resource',
        "it is about release `pricing@ffffffffffff`, and this is `pricing@0123456789ab`",
    ),
    ('principal, action, resource == System::"prod"', "it is about system `prod`, and this is `default`"),
]


@pytest.mark.proves("policy.explained")
@pytest.mark.parametrize(("scope", "why"), ELSEWHERE)
def test_a_scope_is_explained_in_words(scope: str, why: str) -> None:
    """A policy about another contract, agent, release or system says which."""
    found = told(f'@id("s") @owner("o") permit({scope});', question())

    assert (found.standing, found.why) == ("elsewhere", (why,))


def test_a_policy_that_applies_to_everything_says_so() -> None:
    """Without a condition the scope is the whole reason."""
    assert told(ALL, question()).why == ("it says so of everything in its scope",)


def test_what_does_not_fit_is_named_and_its_value_is_not() -> None:
    """A fact of another type, or none, fails the policies that read it, with its name alone."""
    found = told(forbid("context.facts.flagship"), question(facts={**FACTS, "flagship": "GBP"}))

    assert (found.standing, found.why) == (
        "failed",
        ("what it reads does not fit: facts.flagship is not true or false",),
    )


def test_a_contract_that_the_bundle_does_not_know_fails_every_policy() -> None:
    """As it denies."""
    found = told(ALL, question(contract="nobody.knows"))

    assert found.standing == "failed"


@pytest.mark.proves("policy.explanation_hides")
def test_hidden_values_are_in_no_word() -> None:
    """Values of a hidden argument, what is computed from them, and facts of that name stay out of every sentence."""
    policies = (
        forbid("context.args.price_minor + 1 > 100", name="a"),
        forbid('context.args has note && context.args.note like "*17*"', name="b"),
        forbid("context.args.price_minor * 9223372036854775807 > 0", name="c"),
        forbid("!(context.args.price_minor < context.facts.floor_minor)", name="d"),
        forbid("context.args == context.args", name="e"),
    )
    asked = priced(price_minor=98_765, note="nr 17 B")

    found = CedarExplainer().considered(bundle(*policies), asked, {"price_minor": "personal", "note": "secret"})

    said = " ".join(sentence for each in found for sentence in each.why)
    assert "98765" not in said
    assert "98766" not in said
    assert "17 B" not in said
    assert "price_minor is hidden (personal)" in said
    assert "note is hidden (secret)" in said
    assert "args is hidden (personal, secret)" in said
    assert "floor_minor is 1500" in said


@pytest.mark.proves("policy.explanation_agrees")
@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_an_explanation_says_what_the_engine_says(seed: int) -> None:
    """For policies and questions by chance, those said to be satisfied are the engine's, and so are those that failed."""
    chance = Chance(seed)
    made = _by_chance(chance)
    judge = compiled_judge(CedarPolicies().loaded(made))
    explainer = CedarExplainer()
    for _ in range(8):
        asked = chance.question()
        opinions = judge.opinions(asked)

        found = explainer.considered(made, asked, {})

        assert {each.policy for each in found if each.standing == "satisfied"} == set(opinions.satisfied)
        assert {each.policy for each in found if each.standing == "failed"} == {
            error.split("`")[1] for error in opinions.errors
        }
        assert all(each.why and all(each.why) for each in found)
        there = explainer.about(made, asked.contract, asked.agent)
        assert {each.policy for each in found if each.standing != "elsewhere"} <= there


def _by_chance(chance: Chance) -> Bundle:
    """Twelve policies that pass strict validation."""
    schema, texts = render(*surfaces((CONTRACT, OTHER))), dict[str, str]()
    while len(texts) < 12:
        name = f"p{len(texts)}.cedar"
        made = Bundle(language=LANGUAGE, sources={name: chance.policy(f"p{len(texts)}")}, schema=schema)
        with contextlib.suppress(PolicyError):
            CedarPolicies().loaded(made)
            texts |= made.sources
    return Bundle(language=LANGUAGE, sources=texts, schema=schema)


def test_places_are_those_in_the_files() -> None:
    """Each policy is found at the file and line at which it begins."""
    made = Bundle(
        language=LANGUAGE,
        sources={"b.cedar": f"// head\n\n{ALL}\n", "a.cedar": "\n" + forbid("true")},
        schema=render(*surfaces(CONTRACTS)),
    )

    written = CedarExplainer().written(made)

    assert {name: (each.file, each.line) for name, each in written.items()} == {
        "f": ("a.cedar", 2),
        "all": ("b.cedar", 3),
    }
    assert written["all"].text == ALL


def test_a_broken_bundle_is_refused() -> None:
    """A bundle that could not be loaded is not explained either."""
    with pytest.raises(PolicyError):
        CedarExplainer().considered(bundle("permit(principal);"), question(), {})
