"""Searching for what is treated more loosely: nothing is missed, and what is found is put to both engines."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.chance import CONTRACT, OTHER, Chance
from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.policies import LANGUAGE
from interlock.adapters.cedar.schema import render, surfaces
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract, Reversal, checked
from interlock.domain.errors import PolicyError
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.policy import ENGINES
from interlock.domain.whatif import direction
from interlock.services.proving import grave
from tests.adapters.cedar_cases import ALL, CONTRACTS, LIST_PRICES, SET_PRICE, forbid
from tests.adapters.symbolic_cases import answers, by_chance, decided, proving, searched

ALONE = render(surfaces([CONTRACT])[0])
BOTH = render(surfaces([CONTRACT, OTHER])[0])
AGENTS = [AgentName("one"), AgentName("two")]
ANYBODY = '@id("all") @owner("o") permit(principal, action, resource);'
DENY = '@id("d{}") @owner("o") @outcome("deny") @reason("r") forbid(principal, action, resource) when {{ {} }};'
ASK = (
    '@id("a{}") @owner("o") @outcome("require_approval") @approver("lead") @reason("r") '
    "forbid(principal, action, resource) when {{ {} }};"
)
BOUND = st.integers(-200, 20_000)
TRUTHS = st.one_of(
    st.builds("context.args.n > {}".format, BOUND),
    st.builds("context.args.n + context.args.m >= {}".format, BOUND),
    st.builds("context.facts.limit < {}".format, BOUND),
    st.builds("context.args.n * {} > context.facts.limit".format, st.sampled_from([2, 2**40])),
    st.builds('context.args.word like "{}"'.format, st.sampled_from(["a*", "*b", "*", "*a*b*", ""])),
    st.builds('context.args.tags.contains("{}")'.format, st.sampled_from(["a", "b"])),
    st.sampled_from(
        [
            'principal in Agent::"two"',
            'principal == Release::"one@0123456789ab"',
            "context.args has note && context.args.note == context.args.word",
            "context has confidence && context.confidence < 850",
            'context.args.currency == Currency::"EUR"',
            'context.stage == Stage::"bounded"',
            "context.taintedAny",
            "context.undo",
            'context.user.roles.containsAny(["lead"])',
            "context.args.numbers.containsAll([1, context.args.n])",
            "context has budget.calls && context.budget.calls < 3",
            "context.weekday > 5",
        ]
    ),
)
RULES = st.lists(st.tuples(st.sampled_from([DENY, ASK]), TRUTHS), max_size=3)


def bundled(rules: list[tuple[str, str]]) -> Bundle:
    """Everybody may, but for those."""
    texts = [form.format(place, truth) for place, (form, truth) in enumerate(rules)]
    return Bundle(language=LANGUAGE, sources={"p.cedar": "\n".join((ANYBODY, *texts))}, schema=ALONE)


def held_to(old: Bundle, new: Bundle, seed: int, *others: Contract) -> set[str]:
    """Search, and hold every answer against cedarpy. Gives the answers."""
    searches = proving("here").loosenings(old, new, (CONTRACT, *others), AGENTS, timeout_ms=500)
    found = [each for each in searches if each.contract == CONTRACT.name]
    chance = Chance(seed)
    asked = [msgspec.structs.replace(by_chance(chance), tenant="here") for _ in range(12)]
    searched = {agent: each for each in found for agent in each.agents}
    for question in asked:
        proof = searched.get(question.agent)
        if proof is None or proof.answer == "none":
            looser = direction(decided(old, CONTRACT, question), decided(new, CONTRACT, question))
            assert looser != "loosened", question
    for proof in found:
        if proof.question is not None and proof.confirmed:
            for engine in ENGINES:
                was = decided(old, CONTRACT, proof.question, engine)
                now = decided(new, CONTRACT, proof.question, engine)
                assert direction(was, now) == "loosened"
                assert (was.verdict, now.verdict) == (proof.old, proof.new)
        assert proof.confirmed == (proof.answer == "found" and not proof.why)
    return {each.answer for each in found}


@given(RULES, RULES, st.integers(0, 2**32), st.booleans())
@settings(max_examples=60)
@pytest.mark.proves("whatif.no_loosening_missed")
def test_where_none_is_found_there_is_none(
    old: list[tuple[str, str]], new: list[tuple[str, str]], seed: int, more: bool
) -> None:
    """Where the search says that nothing is looser, no question by chance is; what is confirmed both engines decide so; and
    where policies are only added nothing is found at all."""
    found = held_to(bundled(old), bundled([*old, *new] if more else new), seed)

    assert not more or "found" not in found


@given(st.integers(0, 2**32))
@settings(max_examples=25)
@pytest.mark.proves("whatif.no_loosening_missed")
def test_in_all_of_the_language_none_is_missed(seed: int) -> None:
    """The same for policies by chance out of everything the language has, also what the solver has no words for."""
    chance = Chance(seed)
    texts = list[str]()
    while len(texts) < 4:
        text = chance.policy(f"p{len(texts)}")
        try:
            CedarPolicies().loaded(Bundle(language=LANGUAGE, sources={"p.cedar": text}, schema=BOTH))
        except PolicyError:
            continue
        texts.append(text)
    old, new = (
        Bundle(language=LANGUAGE, sources={"p.cedar": "\n".join((ANYBODY, *each))}, schema=BOTH)
        for each in (texts[:3], texts[1:])
    )

    held_to(old, new, seed, OTHER)


@pytest.mark.proves("whatif.no_loosening_missed")
def test_a_looser_bound_is_found_and_a_tighter_one_is_not() -> None:
    """With the request on the bound, decided by both engines as the search says."""
    low, high = (forbid(f"context.args.price_minor > {bound}") for bound in (10_000, 20_000))

    (found,) = searched([ALL, low], [ALL, high])

    assert (found.answer, found.old, found.new, found.confirmed, found.why) == ("found", "deny", "allow", True, "")
    assert found.question is not None
    price = found.question.arguments["price_minor"]
    assert isinstance(price, int)
    assert 10_000 < price <= 20_000
    assert answers(searched([ALL, high], [ALL, low])) == {("pricing.set_price", ("pricing",)): "none"}


LEAD = '@outcome("require_approval") @approver("lead")'


@pytest.mark.proves("whatif.no_loosening_missed")
@pytest.mark.parametrize(
    ("old", "new", "back"),
    [
        (f'{LEAD} @quorum("2")', LEAD, "none"),
        (LEAD, LEAD.replace("lead", "auditor"), "found"),
        (LEAD.replace("require_approval", "escalate"), LEAD, "none"),
        ('@outcome("shadow")', LEAD.replace("require_approval", "escalate"), "none"),
        ('@outcome("deny")', '@outcome("shadow")', "none"),
        ('@outcome("oblige") @obligation("tell,log")', '@outcome("oblige") @obligation("log")', "none"),
        ('@outcome("oblige") @obligation("tell")', '@outcome("oblige") @obligation("log")', "found"),
        (LEAD, '@outcome("oblige") @obligation("log")', "found"),
        (LEAD, f'{LEAD} @mode("shadow")', "none"),
    ],
)
def test_whatever_is_asked_less_is_found(old: str, new: str, back: str) -> None:
    """Fewer people, others, a softer outcome, one obligation less, a policy on trial only: found, and confirmed."""
    was, now = (forbid("context.args.price_minor > 5").replace('@outcome("deny")', each) for each in (old, new))

    (found,) = searched([ALL, was], [ALL, now])

    assert (found.answer, found.confirmed) == ("found", True)
    assert [each.answer for each in searched([ALL, now], [ALL, was])] == [back]


@pytest.mark.proves("whatif.no_loosening_missed")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('principal in Agent::"beta"', 'principal in Agent::"beta" && context.args.price_minor > 5'),
        (
            'principal == Release::"beta@0123456789ab"',
            "context.args.price_minor > 99999 && context.args.price_minor < 0",
        ),
    ],
)
def test_an_agent_that_a_clause_names_is_searched_alone(old: str, new: str) -> None:
    """What is looser only for one agent, or for one release of it, is found for that agent and no other."""
    found = answers(searched([ALL, forbid(old)], [ALL, forbid(new)], agents=("alpha", "beta", "gamma")))

    assert found == {
        ("pricing.set_price", ("alpha", "gamma")): "none",
        ("pricing.set_price", ("beta",)): "found",
    }


@pytest.mark.proves("whatif.no_loosening_missed")
def test_a_release_in_the_scope_is_searched_for_its_own_agent() -> None:
    """A forbid of one release is no policy about the first agent that happens to share the slice."""
    one = forbid("true").replace("forbid(principal,", 'forbid(principal == Release::"beta@0123456789ab",')

    found = answers(searched([ALL, one], [ALL], agents=("alpha", "beta")))

    assert found[("pricing.set_price", ("beta",))] == "found"


@pytest.mark.proves("whatif.no_loosening_missed")
def test_an_overflow_that_denied_is_missed_by_nobody() -> None:
    """A policy that failed denied; without it the request is allowed, and that is looser."""
    (found,) = searched([ALL, forbid("context.args.price_minor * 9007199254740991 < 0")], [ALL])

    assert (found.answer, found.confirmed, found.old, found.new) == ("found", True, "deny", "allow")


def changed(base: Contract = SET_PRICE, **fields: Any) -> Contract:
    """A contract of another version."""
    return checked(msgspec.structs.replace(base, **fields))


def taking(**properties: Any) -> Contract:
    """A contract that takes these, none of them required, and the first of them is personal."""
    return changed(
        facts=None,
        input_schema={"type": "object", "additionalProperties": False, "properties": properties},
        data_classes={next(iter(properties)): "personal"},
    )


NULL = taking(note={"anyOf": [{"type": "string"}, {"type": "null"}]})
OPEN = taking(extra={"type": "object"}, word={"type": "string"})


@pytest.mark.proves("whatif.no_loosening_missed")
@pytest.mark.parametrize(
    ("contract", "old", "confirmed"),
    [
        (NULL, '!(context.args has note) && context.data.contains("personal")', True),
        (OPEN, 'context.data.contains("personal")', False),
        (OPEN, "context.taintedAny && !context.taint.word", True),
        (SET_PRICE, "context.nowMs > 4102444800000", True),
        (LIST_PRICES, '!(Reason::"asked" == Reason::"wrong")', True),
    ],
    ids=["null", "unseen class", "unseen taint", "next century", "enum of others"],
)
def test_what_is_rare_is_a_request_too(contract: Contract, old: str, confirmed: bool) -> None:
    """Arguments given as null, what policies do not see of a contract, and the year
    2101: a forbid of it that is dropped is a loosening."""
    contracts = (contract, *(each for each in CONTRACTS if each.name != contract.name))
    policy = forbid(old, f'action == Action::"{contract.name}"')

    (found,) = searched([ALL, policy], [ALL], contracts=contracts)

    assert (found.answer, found.confirmed) == ("found", confirmed), found


@pytest.mark.proves("whatif.no_loosening_missed")
def test_facts_are_within_what_their_contract_promises() -> None:
    """The gate denies on any other, so nothing is looser beyond the bounds, and what is within them is found."""
    facts = SET_PRICE.facts
    assert facts is not None
    bounded = msgspec.json.encode(facts.schema).replace(b'"default":0', b'"default":0,"minimum":0')
    contract = changed(facts=msgspec.structs.replace(facts, schema=msgspec.json.decode(bounded)))
    contracts = (contract, *CONTRACTS[1:])

    beyond, within = (
        searched([ALL, forbid(f"context.facts.floor_minor < {bound}")], [ALL], contracts=contracts) for bound in (0, 1)
    )

    assert [each.answer for each in (*beyond, *within)] == ["none", "found"]


@pytest.mark.proves("whatif.no_loosening_missed")
def test_the_same_policies_say_something_else_of_another_contract() -> None:
    """A contract that left the group a clause asks for is searched; so is one with a value that old policies cannot read."""
    rule = forbid('action in Action::"risk:high"')
    calmer = changed(risk="low")
    rest = CONTRACTS[1:]
    (found,) = searched([ALL, rule], [ALL, rule], contracts=(calmer, *rest), before=CONTRACTS)
    assert (found.answer, found.confirmed) == ("found", True)

    schema = msgspec.json.decode(msgspec.json.encode(SET_PRICE.input_schema).replace(b'"EUR"]', b'"EUR","GBP"]'))
    wider, rule = changed(input_schema=schema), forbid('context.args.currency == Currency::"USD"')
    (found,) = searched([ALL, rule], [ALL, rule], contracts=(wider, *rest), before=CONTRACTS)
    assert (found.answer, found.confirmed, found.old) == ("found", True, "deny")
    assert found.question is not None
    assert found.question.arguments["currency"] == "GBP"
    assert searched([ALL], [ALL], contracts=(wider, *rest)) == []


def by(contract: Contract, policies: str, without: str, timeout_ms: int = 2_000) -> tuple[str, str]:
    """The answer, and why, where a forbid is dropped from a bundle."""
    sources = [{"p.cedar": f"{ANYBODY}\n{each}"} for each in (policies, without)]
    old, new = (Bundle(language=LANGUAGE, sources=each, schema=ALONE) for each in sources)
    (found,) = proving("here").loosenings(old, new, (contract,), AGENTS[:1], timeout_ms=timeout_ms)
    assert not found.confirmed
    return found.answer, found.why


@pytest.mark.proves("whatif.no_loosening_missed")
def test_what_nobody_knows_is_not_called_none() -> None:
    """A search out of time, a part without words and a contract that is another one are unknown, with their reason; what
    rests on a guess is to be checked."""
    names = ("context.args.n", "context.args.m", "context.facts.limit")
    bounds = " && ".join(f"{each} > 1 && {each} < 100000" for each in names)
    first, second, third = (f"{each} * {each} * {each}" for each in names)
    fermat = DENY.format(1, f"{bounds} && {first} + {second} == {third}")
    assert by(CONTRACT, fermat, "", timeout_ms=50) == ("unknown", "no answer within 50 ms")
    whole = "(if context.args.flag then context.args.item else {n: 1, t: context.args.word}).n > 1"
    assert by(CONTRACT, DENY.format(1, whole), "") == (
        "unknown",
        "the solver has no words for a choice between records or lists",
    )
    other = changed(CONTRACT, input_schema={"type": "object", "additionalProperties": False, "properties": {}})
    assert by(other, DENY.format(1, "context.args.flag"), "")[0] == "unknown"
    guessed = DENY.format(1, "context.args.items.contains({n: context.args.n, t: context.args.word})")
    answer, why = by(CONTRACT, guessed, "")
    assert answer == "found"
    assert "no words for" in why
    assert by_words(guessed) == "none"


def by_words(policy: str) -> str:
    """The answer where another policy is added to one that cannot be said: the same words mean the same."""
    old, new = (bundled([]), bundled([(DENY, "context.args.flag")]))
    texts = [
        msgspec.structs.replace(each, sources={"p.cedar": each.sources["p.cedar"] + policy}) for each in (old, new)
    ]
    (found,) = proving("here").loosenings(texts[0], texts[1], (CONTRACT,), AGENTS[:1], timeout_ms=2_000)
    return found.answer


@pytest.mark.proves("whatif.consent")
def test_consent_is_asked_where_a_search_cannot_rule_it_out() -> None:
    """Of what was found, and of what nobody knows, where it is of consequence: the owner is named; what is certain, and what
    is harmless, asks nobody."""
    grave_one = changed(owner="pricing-lead")
    harmless = changed(
        LIST_PRICES, effect="write", reversal=Reversal(contract=ContractName("pricing.restore-price"), arguments={})
    )
    contracts = (grave_one, *CONTRACTS[1:3], harmless)
    rule = (
        '@id("f") @owner("o") @outcome("deny") @reason("r") forbid(principal, action, resource) when { context.undo };'
    )
    found = searched([ALL, rule], [ALL], contracts=contracts)
    known = {str(each.name): each for each in contracts}
    assert {each.answer for each in found} == {"found"}

    asked = grave(found, known, known)
    unsure = grave([msgspec.structs.replace(each, answer="unknown", why="time") for each in found], known, known)
    sure = grave([msgspec.structs.replace(each, answer="none") for each in found], known, known)

    assert {each.contract: each.owner for each in asked} == {
        "pricing.set_price": "pricing-lead",
        "pricing.restore-price": "",
        "mail.send": "",
    }
    assert [each.contract for each in unsure] == [each.contract for each in asked]
    assert {each.doubt for each in unsure} == {"time"}
    assert sure == ()
    assert [each.contract for each in grave(found[:1], {}, {})] == [found[0].contract]
