"""A loaded bundle names every satisfied policy, and what it leaves out or does not check makes no difference."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.reads import Reads, reads
from interlock.domain.baseline import UNUSUAL
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import PolicyError
from interlock.domain.policy import Opinions
from interlock.domain.question import Question
from interlock.ports.policies import Judge, Policies
from tests.adapters.cedar_cases import (
    ALL,
    ARGUMENTS,
    FACTS,
    RELEASE,
    Json,
    decided,
    forbid,
    judge_of,
    priced,
    question,
    satisfied,
    stored,
    stored_judge,
)

FLOOR = forbid("context.facts.flagship && context.args.price_minor < context.facts.floor_minor", name="floor")


def test_it_is_a_policy_language() -> None:
    """It is what the port asks for."""
    language: Policies = CedarPolicies()
    judge: Judge = language.load(language.bundle({}, []))

    assert judge.policies == {}


@pytest.mark.proves("policy.decides_by_arguments_and_facts")
def test_a_price_below_the_floor_is_denied_and_says_by_which_policy() -> None:
    """The README's example: a flagship's floor holds, for flagships and below the floor."""
    judge = judge_of(ALL, FLOOR)

    assert decided(judge, priced(price_minor=1500)).verdict == "allow"
    denied = decided(judge, priced(price_minor=1499))
    assert (denied.verdict, denied.because, denied.reasons) == ("deny", ("floor",), ("no",))
    assert (
        decided(judge, question(arguments={**ARGUMENTS, "price_minor": 1}, facts={**FACTS, "flagship": False})).verdict
        == "allow"
    )


@pytest.mark.proves("policy.all_satisfied_named")
def test_every_satisfied_policy_is_named_permits_and_forbids_alike() -> None:
    """Cedar alone names only the side that won."""
    judge = stored_judge(
        ALL, '@id("two") @owner("o") permit(principal, action, resource);', FLOOR, forbid("false", name="never")
    )

    assert satisfied(judge, priced(price_minor=1)) == ("all", "floor", "two")


def test_policies_see_the_task_the_stage_and_the_time() -> None:
    """What is around an action has its names, and comes from the question."""
    conditions = (
        'context.task.purpose == "weekly review"',
        'context.task.initiator == "user:ana"',
        "context.task.depth == 0",
        'context.stage == Stage::"partial"',
        "context.nowMs == 1790000000000",
        "!context.undo",
        f'principal == Release::"pricing@{RELEASE[:12]}"',
        'principal in Agent::"pricing"',
        'resource == System::"default"',
    )
    judge = judge_of(*(forbid(condition, name=f"n{place}") for place, condition in enumerate(conditions)))

    assert len(satisfied(judge, question())) == len(conditions)


@pytest.mark.proves("baseline.flags")
def test_policies_see_in_what_an_action_is_unusual() -> None:
    """One flag for each way, and one for any; a way that there is not is refused when policies are loaded."""
    judge = judge_of(*(forbid(f"context.unusual.{name}", name=name) for name in ("any", *UNUSUAL)))

    assert satisfied(judge, question()) == ()
    for name in UNUSUAL:
        assert set(satisfied(judge, question(unusual=(name,)))) == {"any", name}
    with pytest.raises(PolicyError, match="hours"):
        judge_of(forbid("context.unusual.hours"))


def test_an_undo_is_asked_about_under_its_own_contract() -> None:
    """The action is the undo's contract and `context.undo` is true, so a policy can allow it as an undo only."""
    judge = judge_of(
        '@id("back") @owner("o") permit(principal, action == Action::"pricing.restore-price", resource)'
        " when { context.undo };"
    )
    undo = question(contract="pricing.restore-price", arguments={"sku": "A-1"}, facts={})

    assert decided(judge, undo).verdict == "deny"
    assert satisfied(judge, question(contract="pricing.restore-price", arguments={"sku": "A-1"}, undo=True)) == (
        "back",
    )


def test_policies_of_other_agents_and_actions_do_not_answer() -> None:
    """A policy counts for whom and what its scope names, whoever asked before."""
    judge = judge_of(
        '@id("a") @owner("o") permit(principal in Agent::"pricing", action, resource);',
        '@id("b") @owner("o") permit(principal is Release in Agent::"support", action, resource);',
        f'@id("c") @owner("o") permit(principal == Release::"pricing@{RELEASE[:12]}", action, resource);',
        '@id("d") @owner("o") permit(principal is Release, action in [Action::"pricing.list", Action::"mail.send"], resource);',
        '@id("e") @owner("o") permit(principal, action in Action::"irreversible", resource);',
        '@id("f") @owner("o") permit(principal, action, resource == System::"elsewhere");',
    )
    mail = {"contract": "mail.send", "arguments": {"to": "x", "reason": "news"}}

    assert satisfied(judge, question()) == ("a", "c")
    assert satisfied(judge, question(agent="support")) == ("b",)
    assert satisfied(judge, question(release="f" * 64)) == ("a",)
    assert satisfied(judge, question(**mail)) == ("a", "c", "d", "e")
    assert satisfied(judge, question(contract="pricing.list", arguments={}, agent="ops")) == ("d",)
    assert satisfied(judge, question(tenant="elsewhere")) == ("a", "c", "f")


def test_an_enum_is_compared_as_its_type() -> None:
    """Values of an enum are entities to Cedar; in sets, too."""
    judge = judge_of(ALL, forbid('context.args.currency == Currency::"USD"'))

    assert satisfied(judge, priced(currency="USD")) == ("all", "f")
    assert satisfied(judge, priced(currency="EUR")) == ("all",)


def test_null_is_absent() -> None:
    """An optional fact that is null is not there."""
    judge = judge_of(ALL, forbid("context.facts has season"))

    assert satisfied(judge, question(facts={**FACTS, "season": None})) == ("all",)
    assert satisfied(judge, question(facts={**FACTS, "season": ""})) == ("all", "f")


READ_ALL = forbid(
    'context.args.sku == "x" && context.stage == Stage::"partial" && '
    "context.args.tags.contains(context.task.purpose) && "
    'context.args.currency == Currency::"USD" && context.args has note && context.args.note == "" && '
    "context.facts.flagship && context.facts.floor_minor == context.nowMs && "
    'context.facts has season && context.facts.season == ""'
)
MIXED: list[JsonValue] = ["sale", 5]
UNFIT: list[tuple[dict[str, object], str]] = [
    ({"arguments": {**ARGUMENTS, "sku": 5}}, "args.sku is not text"),
    ({"arguments": {**ARGUMENTS, "sku": None}}, "args.sku is missing"),
    ({"arguments": {**ARGUMENTS, "sku": {"__entity": {"type": "Agent", "id": "x"}}}}, "args.sku is not text"),
    ({"arguments": {**ARGUMENTS, "tags": "sale"}}, "args.tags is not an array"),
    ({"arguments": {**ARGUMENTS, "tags": MIXED}}, "args.tags[] is not text"),
    ({"arguments": {**ARGUMENTS, "tags": [None]}}, "args.tags[] is not text"),
    ({"arguments": {**ARGUMENTS, "note": 1}}, "args.note is not text"),
    ({"arguments": {**ARGUMENTS, "currency": "GBP"}}, "args.currency is none of the values"),
    ({"arguments": {**ARGUMENTS, "currency": ["EUR"]}}, "args.currency is none of the values"),
    ({"arguments": {}}, "args.currency is missing"),
    ({"arguments": [ARGUMENTS]}, "args is not an object"),
    ({"arguments": None}, "args is missing"),
    ({"facts": {}}, "facts.flagship is missing"),
    ({"facts": {**FACTS, "flagship": 1}}, "facts.flagship is not true or false"),
    ({"facts": {**FACTS, "floor_minor": True}}, "facts.floor_minor is not a whole number"),
    ({"facts": {**FACTS, "floor_minor": 1.0}}, "facts.floor_minor is not a whole number"),
    ({"facts": {**FACTS, "floor_minor": float("nan")}}, "facts.floor_minor is not a whole number"),
    ({"facts": {**FACTS, "floor_minor": 2**63}}, "facts.floor_minor is not a whole number"),
    ({"stage": None}, "stage is missing"),
    ({"asked_at": "now"}, "nowMs is not a whole number"),
    ({"arguments": {**ARGUMENTS, "sku": "\ud800"}}, "args.sku is not text"),
    ({"agent": 5}, "ValueError"),
    ({"agent": []}, "TypeError"),
    ({"contract": []}, "TypeError"),
    ({"release": None}, "TypeError"),
    ({"tenant": 5}, "ValueError"),
    ({"tenant": "\ud800"}, "UnicodeEncodeError"),
]


@pytest.mark.proves("gate.errors_deny")
@pytest.mark.parametrize(("changes", "why"), UNFIT)
def test_a_question_that_does_not_fit_is_an_error_and_never_an_exception(changes: dict[str, object], why: str) -> None:
    """One row a way to be wrong: nothing is satisfied, the member is named, its value is not."""
    opinions = judge_of(ALL, READ_ALL).opinions(question(**changes))

    assert opinions.satisfied == ()
    assert len(opinions.errors) == 1
    assert why in opinions.errors[0]
    assert "GBP" not in opinions.errors[0]


def test_what_cannot_be_an_agent_says_anything_but_yes() -> None:
    """Names with quotes, braces and line breaks are only names."""
    judge = judge_of('@id("p") @owner("o") permit(principal in Agent::"pricing", action, resource);')

    for name in ('pricing"', '"}, "x', "pricing\n", "", "pricing\x00"):
        assert satisfied(judge, question(agent=name)) == ()


def test_no_argument_can_pass_for_anything_else() -> None:
    """Members the schema does not name are not sent, and text that looks like Cedar's escapes stays text."""
    judge = judge_of(ALL, forbid('context.args.sku == "{\\"__entity\\":1}"'))

    assert satisfied(judge, priced(sku='{"__entity":1}', __entity={"type": "Agent", "id": "x"})) == ("all", "f")


def test_an_error_does_not_repeat_the_values() -> None:
    """An argument may be somebody's data; what policies say is recorded."""
    judge = stored_judge(ALL, forbid("context.args.price_minor + context.facts.floor_minor > 0"))
    opinions = judge.opinions(question(facts={**FACTS, "floor_minor": 2**63 - 7}))

    assert opinions.errors == ("policy `f` could not be evaluated: integer overflow while attempting to add values",)


def test_it_can_be_asked_from_several_threads() -> None:
    """Slices and releases are made on first use, by whoever comes first."""
    judge = judge_of(ALL, FLOOR)
    asked = [question(agent=f"a{number % 7}", release=f"{number % 50:064x}") for number in range(400)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(judge.opinions, asked))

    assert answers == [Opinions(satisfied=("all",))] * 400


# -- what is read -----------------------------------------------------------------------------------------------


def as_read(found: Reads) -> object:
    """Reads as nested dicts; True where a part is read as a whole."""
    return True if found.whole else {name: as_read(part) for name, part in found.members.items()}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("true", {}),
        ("context.undo", {"undo": True}),
        ("context.unusual.any", {"unusual": {"any": True}}),
        ("context.args.a.b == 1 && context.args.a.c == 1", {"args": {"a": {"b": True, "c": True}}}),
        ("context.args.a.b == 1 && context.args.a == context.args.z", {"args": {"a": True, "z": True}}),
        ('context.args["a b"] == 1', {"args": {"a b": True}}),
        ("context.args has a", {"args": {"a": {}}}),
        ("context.args has a.b", {"args": {"a": {"b": {}}}}),
        ("context has args", {"args": {}}),
        ("[context.args.a].contains(context.facts)", {"args": {"a": True}, "facts": True}),
        ("{x: context.args.a}.x == 1", {"args": {"a": True}}),
        ("(if context.undo then context.args else context.facts).a == 1", {"undo": True, "args": True, "facts": True}),
        ("(if true then context else context).args.a == 1", True),
        ("context == {}", True),
        ("[context].contains({})", True),
        ("(if true then context else context) has args", True),
        ('context.args.a like "x*"', {"args": {"a": True}}),
        ("context.args.a in resource", {"args": {"a": True}}),
        ("context.args.a is Agent in context.args.b", {"args": {"a": True, "b": True}}),
    ],
)
def test_what_a_policy_reads_is_known_or_taken_to_be_everything(condition: str, expected: object) -> None:
    """Naming a member reads it, `has` only whether it is there, any other use of a part all of it."""
    for clause in ("when", "unless"):
        text = f"permit(principal, action, resource) {clause} {{ {condition} }};"
        found = cedarpy.policies_to_pst(text).static_policies

        assert as_read(reads(found.values())) == expected


# -- the same answers as Cedar gives when it checks and is sent everything -----------------------------------------

SCOPES = (
    "principal, action, resource",
    'principal in Agent::"pricing", action == Action::"pricing.set_price", resource',
    'principal in Agent::"support", action in Action::"effect:write", resource',
    'principal is Release in Agent::"pricing", action in [Action::"mail.send", Action::"pricing.set_price"], resource',
    f'principal == Release::"pricing@{RELEASE[:12]}", action in Action::"risk:high", resource == System::"default"',
)
GUARD = "context.args has price_minor && context.facts has flagship && "
CONDITIONS = (
    "",
    "unless { context.undo }",
    "when { context.unusual.any && !context.unusual.hour }",
    f"when {{ {GUARD}context.args.price_minor < context.facts.floor_minor }}",
    f"when {{ {GUARD}context.args.price_minor * 3 > context.facts.floor_minor + 5 }}",
    f"when {{ {GUARD}context.facts.floor_minor - context.args.price_minor > context.nowMs }}",
    f'when {{ {GUARD}context.args.currency == Currency::"USD" }}',
    f'when {{ {GUARD}context.args.tags.contains("sale") }} unless {{ context.facts.flagship }}',
    f"when {{ {GUARD}context.args.tags.containsAny([context.args.sku, context.task.purpose]) }}",
    f"when {{ {GUARD}context.facts has season && context.facts.season == context.args.sku }}",
    f"when {{ {GUARD}context.args has note && context.args.note == context.task.initiator }}",
    f"when {{ {GUARD}context.args == context.args && context.facts == context.facts }}",
    'when { context.task.depth > 1 || context.stage == Stage::"partial" }',
)
policy_texts = st.lists(
    st.tuples(st.sampled_from(["permit", "forbid"]), st.sampled_from(SCOPES), st.sampled_from(CONDITIONS)), max_size=6
)
words = st.one_of(
    st.sampled_from(["sale", "a", "", "user:ana"]), st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
)
longs = st.one_of(
    st.integers(-3, 3), st.sampled_from([2**53 - 1, 2**62, 2**63 - 1, -(2**63)]), st.integers(-(2**63), 2**63 - 1)
)
arguments = st.fixed_dictionaries(
    {
        "sku": words,
        "price_minor": longs,
        "currency": st.sampled_from(["EUR", "USD"]),
        "tags": st.lists(words, max_size=3),
    },
    optional={"note": words},
)
facts = st.fixed_dictionaries({"flagship": st.booleans(), "floor_minor": longs, "season": st.one_of(st.none(), words)})
questions = st.builds(
    question,
    arguments=arguments,
    facts=facts,
    agent=st.sampled_from(["pricing", "support", "ops"]),
    purpose=words,
    depth=st.integers(0, 3),
    lent=st.integers(0, 2),
    stage=st.sampled_from(["partial", "bounded"]),
    undo=st.booleans(),
    unusual=st.sets(st.sampled_from(UNUSUAL)).map(lambda found: tuple(sorted(found))),
    asked_at=st.one_of(st.just(1_790_000_000_000), longs),
)


def whole_context(asked: Question) -> Json:
    """All of a question about a price, written down without a thought for speed."""
    around = asked.around
    args: Json = {**asked.arguments, "currency": {"__entity": {"type": "Currency", "id": asked.arguments["currency"]}}}
    unusual: Json = {"any": bool(around.unusual)}
    unusual |= {name: name in around.unusual for name in UNUSUAL}
    return {
        "args": args,
        "budget": dict(around.budget),
        **({} if asked.confidence is None else {"confidence": asked.confidence}),
        "data": list(asked.data),
        "facts": {name: value for name, value in asked.facts.items() if value is not None},
        "minuteOfDay": around.asked_at // 60_000 % 1440,
        "nowMs": around.asked_at,
        "parsed": {},
        "stage": {"__entity": {"type": "Stage", "id": around.stage}},
        "taint": {name: name in around.tainted for name in ("currency", "note", "price_minor", "sku", "tags")},
        "taintedAny": bool(around.tainted),
        "task": {
            "depth": around.depth,
            "initiator": asked.initiator,
            "lent": around.lent,
            "purpose": around.purpose,
        },
        "undo": around.undo,
        "unusual": unusual,
        "user": {"roles": list(around.roles)},
        "weekday": (around.asked_at // 86_400_000 + 3) % 7 + 1,
    }


def as_cedar_says(policies: Mapping[str, str], schema: str, asked: Question) -> tuple[set[str], bool]:
    """The satisfied policies and whether there was an error, asked as Cedar's manual has it: every policy, the whole
    context, entities given with the request, the schema checked; permits and forbids apart, to see both."""
    agent, release = (
        {"type": "Agent", "id": asked.agent},
        {"type": "Release", "id": f"{asked.agent}@{asked.release[:12]}"},
    )
    system = {"type": "System", "id": asked.tenant}
    entities: list[dict[str, object]] = [
        {"uid": release, "attrs": {}, "parents": [agent]},
        {"uid": agent, "attrs": {}, "parents": []},
        {"uid": system, "attrs": {}, "parents": []},
    ]
    request = {
        "principal": release,
        "action": {"type": "Action", "id": asked.contract},
        "resource": system,
        "context": whole_context(asked),
    }
    named, wrong = set[str](), False
    for effect in ("permit", "forbid"):
        mine = [text for text in policies.values() if f" {effect}(" in text]
        result = cedarpy.is_authorized(request, "\n".join(mine), entities, schema)
        assert result.decision is not cedarpy.Decision.NoDecision, result.diagnostics.errors
        named |= set(result.diagnostics.id_annotations_by_reason.values())
        wrong = wrong or bool(result.diagnostics.errors)
    return named, wrong


def annotated(drawn: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """Policies by id."""
    return {
        f"p{place}": f'@id("p{place}") @owner("o") '
        + ('@outcome("deny") @reason("no") ' if effect == "forbid" else "")
        + f"{effect}({scope}) {condition};"
        for place, (effect, scope, condition) in enumerate(drawn)
    }


@pytest.mark.proves("policy.all_satisfied_named")
@settings(max_examples=200)
@given(policy_texts, st.lists(questions, min_size=1, max_size=4))
def test_slices_lean_contexts_and_own_checks_change_no_answer(
    drawn: list[tuple[str, str, str]], asked: list[Question]
) -> None:
    """For any policies and any question that fits, the judge and Cedar asked in full name the same policies, and where
    one has an error so has the other."""
    policies = annotated(drawn)
    bundle = stored(*policies.values())
    judge = CedarPolicies().load(bundle)

    for each in asked:
        opinions = judge.opinions(each)
        named, wrong = as_cedar_says(policies, bundle.schema, each)

        assert bool(opinions.errors) == wrong
        assert set(opinions.satisfied) == named


anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        longs,
        st.floats(),
        st.text(max_size=3),
        st.just({"__entity": {"type": "System", "id": "default"}}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["sku", "__extn", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@pytest.mark.proves("gate.errors_deny")
@given(st.sampled_from(sorted([*ARGUMENTS, "note"])), anything)
def test_what_no_contract_would_let_through_is_never_evaluated(name: str, value: JsonValue) -> None:
    """Replace any argument that policies read by anything: either it is of its type or nothing is satisfied."""
    judge = judge_of(ALL, READ_ALL, forbid("context.args.price_minor == 1", name="g"))
    opinions = judge.opinions(priced(**{name: value}))

    fits = {
        "sku": isinstance(value, str),
        "note": isinstance(value, str) or value is None,
        "price_minor": type(value) is int and -(2**63) <= value < 2**63,
        "currency": value in ("EUR", "USD"),
        "tags": isinstance(value, list) and all(isinstance(each, str) for each in value),
    }[name]
    assert (opinions.errors == ()) == fits
    assert fits or opinions.satisfied == ()
