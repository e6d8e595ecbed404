"""Faults that were planted into sound policies, one a test: each keeps the bundle from being formed, and is told with the
policy's id, the place of the very word, and what may have been meant."""

import pytest

from interlock.adapters.cedar import CedarPolicies
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract, InProcess, checked
from interlock.domain.finding import Finding
from interlock.domain.ids import ContractName
from tests.adapters.cedar_cases import ALL, CONTRACTS, Json, one_file

LANGUAGE = CedarPolicies(agents=["pricing", "support"], roles={"pricing_lead": 1, "reviewer": 3})

INTEGER: Json = {"type": "integer", "minimum": 0}
BOUNDED: Json = {"type": "integer", "minimum": 0, "maximum": 1_000_000}


def adding(**properties: Json) -> Contract:
    """A contract with these arguments."""
    return checked(
        Contract(
            name=ContractName("sums.add"),
            effect="read",
            risk="low",
            target=InProcess(name="add"),
            input_schema={
                "type": "object",
                "additionalProperties": False,
                "required": list(properties),
                "properties": dict(properties),
            },
        )
    )


def planted(text: str, *contracts: Contract) -> Finding:
    """The one thing found about a policy in the third line of a file."""
    sources = one_file(f"{ALL}\n// a comment\n{text}")
    found = LANGUAGE.findings(sources, contracts or CONTRACTS)
    errors = [each for each in found if each.severity == "error"]
    assert len(errors) == 1, [str(each) for each in found]
    return errors[0]


def meant(finding: Finding) -> str:
    """The letters that the caret is under."""
    source, carets = (line.removeprefix(" | ") for line in finding.caret.split("\n"))
    return source[carets.index("^") : len(carets)]


ON_PRICE = 'action == Action::"pricing.set_price"'
DENY = '@id("p") @owner("o") @outcome("deny") @reason("no")\n'
ASK = '@id("p") @owner("o") @outcome("require_approval") @reason("big") '


def when(condition: str, action: str = ON_PRICE) -> str:
    """A sound policy but for its condition, which stands on its own line."""
    return f"{DENY}forbid(principal, {action}, resource)\n  when {{ {condition} }};"


@pytest.mark.proves("policy.planted_faults")
@pytest.mark.parametrize(
    ("text", "line", "letters", "words"),
    [
        pytest.param(
            when('context.args.sku == "a" && context.args.prise_minor == 1'),
            5,
            "prise_minor",
            '`args.prise_minor` in context for Action::"pricing.set_price" not found; did you mean `price_minor`?',
            id="misspelt argument",
        ),
        pytest.param(
            when("context.args.price_minor == 1", 'action in [Action::"pricing.set_price", Action::"mail.send"]'),
            5,
            "price_minor",
            "others it is about have it, so ask first: `context.args has price_minor && ...`",
            id="argument of only one of the contracts",
        ),
        pytest.param(
            when("context.taint.skuu"), 5, "skuu", "`taint.skuu` in context for", id="misspelt taint label"
        ),
        pytest.param(
            when('context.args.currency == Currency::"EURO"'),
            5,
            'Currency::"EURO"',
            '`"EURO"` is not declared as a valid eid; did you mean `EUR`?',
            id="bad enum value",
        ),
        pytest.param(
            when("true", 'action == Action::"pricing.set_prize"'),
            4,
            'Action::"pricing.set_prize"',
            "did you mean `pricing.set_price`?",
            id="misspelt tool",
        ),
        pytest.param(
            when('context.args.note == "x"'),
            5,
            "note",
            'optional attribute `args.note` in context for Action::"pricing.set_price"; ask first whether it is there: '
            "`context.args has note && ...`",
            id="optional argument without has",
        ),
        pytest.param(
            when('context.args.sku == "a" && context.args.price_minor == "100"'),
            5,
            'context.args.price_minor == "100"',
            '`context.args.price_minor` is a Long and `"100"` a String',
            id="string for Long",
        ),
        pytest.param(
            f'{ASK.replace("require_approval", "requre_approval")}@approver("reviewer")\n'
            f"forbid(principal, {ON_PRICE}, resource);",
            3,
            '"requre_approval"',
            "a forbid has an `@outcome`: one of `oblige`, `require_approval`, `escalate`, `shadow`, `deny`; "
            "did you mean `require_approval`?",
            id="unknown outcome",
        ),
        pytest.param(
            f'{ASK}@approver("pricing_laed")\nforbid(principal, {ON_PRICE}, resource);',
            3,
            '"pricing_laed"',
            "nobody has the role `pricing_laed`; did you mean `pricing_lead`?",
            id="unknown approver role",
        ),
        pytest.param(
            f'{ASK}@approver("pricing_lead") @quorum("2")\nforbid(principal, {ON_PRICE}, resource);',
            3,
            '"2"',
            "it takes 2 people in the role `pricing_lead`, and there is 1",
            id="more people than have the role",
        ),
        pytest.param(
            f'@owner("o")\n@id("all") permit(principal, {ON_PRICE}, resource);',
            4,
            '"all"',
            "`@id` is taken by the policy at policies/p.cedar:1:1",
            id="duplicate id",
        ),
        pytest.param(
            f'@id("p") @owner("o")\n@outcome("deny") permit(principal, {ON_PRICE}, resource);',
            4,
            "outcome",
            "`@outcome` belongs on a forbid: a permit only grants",
            id="permit with an outcome",
        ),
        pytest.param(
            f'{DENY}forbid(principal in Agent::"pricign", action, resource);',
            4,
            'Agent::"pricign"',
            "there is no agent `pricign`; did you mean `pricing`?",
            id="misspelt entity id",
        ),
        pytest.param(
            when('context.args has nota && context.args.nota == "x"'),
            5,
            "nota",
            "`context.args` never has `nota`; did you mean `note`?",
            id="misspelt name after has",
        ),
        pytest.param(
            when("!(context has budget.clals)"),
            5,
            "clals",
            "`context.budget` never has `clals`; did you mean `calls`?",
            id="misspelt name within has",
        ),
        pytest.param(
            when("context has budgte.calls"),
            5,
            "budgte",
            "`context` never has `budgte`; did you mean `budget`?",
            id="misspelt group within has",
        ),
        pytest.param(
            when('context.undo && principal == Agent::"pricing"'),
            5,
            'principal == Agent::"pricing"',
            'is never true: who asks is a release of an agent, write `principal in Agent::"pricing"`',
            id="an agent as if it were a release",
        ),
        pytest.param(
            when('Agent::"pricing" != principal'),
            5,
            'Agent::"pricing" != principal',
            'is always true: who asks is a release of an agent, write `!(principal in Agent::"pricing")`',
            id="an agent as if it were a release, otherwise",
        ),
        pytest.param(
            when("principal is Agent"), 5, "principal is Agent", "who asks is a release of an agent", id="is an agent"
        ),
        pytest.param(
            when('action == Action::"risk:high"'),
            5,
            'action == Action::"risk:high"',
            'is never true: write `action in Action::"risk:high"`',
            id="a group as if it were a contract, in a condition",
        ),
        pytest.param(
            f'{DENY}forbid(principal == Agent::"pricing", action, resource);',
            4,
            'principal == Agent::"pricing"',
            'write `principal in Agent::"pricing"`',
            id="an agent as if it were a release, in the scope",
        ),
        pytest.param(
            f"{DENY}forbid(principal is Agent, action, resource);",
            4,
            "principal is Agent",
            "who asks is a release of an agent",
            id="is an agent, in the scope",
        ),
        pytest.param(
            when('principal == Release::"pricing@0123456789a"'),
            5,
            'Release::"pricing@0123456789a"',
            "is no release: `agent@` and the first 12 digits of its digest",
            id="mangled release",
        ),
        pytest.param(
            f'@id("p") @owner("o")\n@reasn("no") permit(principal, {ON_PRICE}, resource);',
            4,
            "reasn",
            "`@reasn` is not known; did you mean `@reason`?",
            id="misspelt annotation",
        ),
        pytest.param(
            when('context.user.roles.containsAny(["reviewer", "pricing_laed"])'),
            5,
            '"pricing_laed"',
            "nobody has the role `pricing_laed`; did you mean `pricing_lead`?",
            id="misspelt role in a set",
        ),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found_at_its_word(text: str, line: int, letters: str, words: str) -> None:
    """One fault, one finding: the id, the line, the letters underlined, and the words."""
    finding = planted(text)

    assert finding.policy in ("p", "all")
    assert (finding.file, finding.line, meant(finding)) == ("p.cedar", line, letters)
    assert words in finding.message


@pytest.mark.parametrize("stage", ["shadow", "bounded"])
def test_a_rule_on_a_group_that_is_still_empty_may_name_a_stage(stage: str) -> None:
    """What is there for every contract is no mistake where there is none yet; what is there for none still is."""
    group = 'action in Action::"risk:critical"'
    sound = when(f'context.stage == Stage::"{stage}"', group)

    assert LANGUAGE.findings(one_file(sound), CONTRACTS) == ()
    assert "did you mean `shadow`?" in planted(when('context.stage == Stage::"shadwo"', group)).message


@pytest.mark.parametrize(
    "condition", ['context.task.initiator == "{}"', '["user:ana", "{}"].contains(context.task.initiator)']
)
def test_an_initiator_without_its_kind_is_doubted(condition: str) -> None:
    """It is `user:ana` or `system:nightly`, so a bare name is most likely nobody; a caller may hand over any text, though."""
    [found] = LANGUAGE.findings(one_file(when(condition.format("bob"))), CONTRACTS)

    assert (found.severity, meant(found)) == ("warning", '"bob"')
    assert 'did you mean "user:bob"?' in found.message
    assert LANGUAGE.findings(one_file(when(condition.format("user:bob"))), CONTRACTS) == ()


def test_a_bundle_of_before_with_a_comparison_refused_today_still_loads() -> None:
    """What is in force answers as before; only a new bundle is held against what is known by now."""
    sources = one_file(ALL + when('principal == Agent::"pricing"'))
    schema = LANGUAGE.bundle({}, CONTRACTS).schema

    assert LANGUAGE.load(Bundle(sources=dict(sources), schema=schema)).policies.keys() == {"all", "p"}


@pytest.mark.proves("policy.planted_faults")
def test_not_before_has_is_explained() -> None:
    """`!` binds before `has`: of which Cedar finds two things wrong, and we say once what to write."""
    [found] = LANGUAGE.findings(one_file(when("!context.args has note")), CONTRACTS)

    assert (found.policy, found.line, meant(found)) == ("p", 3, "!context.args")
    assert found.message == "`!` binds before `has`: write `!(context.args has note)`"


@pytest.mark.proves("policy.planted_faults")
@pytest.mark.parametrize(
    ("condition", "letters", "advice"),
    [
        ("context.args.a * context.args.b > 5", "context.args.a * context.args.b", "give `args.a` a `maximum`"),
        ("5 < 3 + context.args.a * context.args.b", "context.args.a * context.args.b", "`args.b` a `maximum`"),
        ("context.args.a * 1025 > 5", "context.args.a * 1025", "give `args.a` a `maximum`"),
        ("context.nowMs * 2000 > 5", "context.nowMs * 2000", "narrower"),
        ("context.args.a * -1025 < 5", "context.args.a * -1025", "give `args.a` a `maximum`"),
        (
            "(if context.undo then context.args.b else 7) * context.args.a > 5",
            # Brackets are no part of what is looked for.
            "if context.undo then context.args.b else 7) * context.args.a",
            "give `args.a` a `maximum`",
        ),
        ("{n: context.args.a * context.args.b}.n + 0 > 5", "context.args.a * context.args.b", "`args.b` a `maximum`"),
        (
            "{n: (if context.args.a * 2000 > 5 then context.undo else true)}.n",
            "context.args.a * 2000",
            "give `args.a` a `maximum`",
        ),
    ],
)
def test_a_product_that_may_overflow_is_refused(condition: str, letters: str, advice: str) -> None:
    """The smallest part that can leave 64 bits is underlined, and it says what must be bounded where."""
    finding = planted(when(condition, "action"), adding(a=INTEGER, b=INTEGER))

    assert (finding.policy, finding.line, meant(finding)) == ("p", 5, letters)
    assert "in `sums.add`, and numbers have 64 bits" in finding.message
    assert advice in finding.message


@pytest.mark.proves("policy.planted_faults")
@pytest.mark.parametrize(
    "condition",
    [
        "context.args.a * 1023 > 5",
        "context.args.a * -1023 < -5",
        "context.args.a + context.args.b > 5",
        "context.args.c * context.args.c > 5",
        "(if context.undo then context.args.c else 7) * context.args.c > 5",
        "-context.args.a < 5",
    ],
)
def test_arithmetic_that_fits_is_not_refused(condition: str) -> None:
    """Arguments have at most 53 bits, so a factor up to 1,023 is safe; two that are bounded may be multiplied."""
    contract = adding(a=INTEGER, b=INTEGER, c=BOUNDED)

    assert LANGUAGE.findings(one_file(when(condition, "action")), [contract]) == ()
