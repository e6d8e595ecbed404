"""Forming a bundle is all or nothing, and says where each thing is wrong."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.source import Place, statements
from interlock.domain.bundle import Bundle
from interlock.domain.deadline import Terms
from interlock.domain.duration import MINUTE
from interlock.domain.errors import PolicyError
from interlock.domain.policy import Engine, Policy
from interlock.ports.policies import Policies
from tests.adapters.cedar_cases import ALL, CONTRACTS, decided, forbid, judge_of, one_file, question

FORBID = "forbid(principal, action, resource);"
PERMIT = "permit(principal, action, resource);"
NAMED = '@id("x") @owner("o") '
PRICING = f'{NAMED}permit(principal, action == Action::"pricing.set_price", resource)'
MAIL = f'{NAMED}permit(principal, action == Action::"mail.send", resource)'
DENY = f'{NAMED}@outcome("deny") @reason("no") '
UNUSUAL_THEN = "".join(
    (
        "    unusual: {\n",
        *(f"      {name}: Bool,\n" for name in ("amount", "any", "contract", "hour", "rate")),
        "      record: Bool\n    },\n",
    )
)
ASK = f'{NAMED}@outcome("require_approval") @reason("no") '


def refusal(text: str, *, language: Policies | None = None) -> PolicyError:
    """How a bundle of one file is refused."""
    with pytest.raises(PolicyError) as caught:
        (language or CedarPolicies()).bundle(one_file(text), CONTRACTS)
    return caught.value


WRONG: list[tuple[str, str]] = [
    (f'@owner("o") {PERMIT}', "`@id` must be given"),
    (f'@id @owner("o") {PERMIT}', "`@id` must be given"),
    (f'@id("a b") @owner("o") {PERMIT}', "`@id` must be given"),
    (f'@id("interlock.error") @owner("o") {PERMIT}', "kept for rules that no policy can loosen"),
    (f'@id("x") {PERMIT}', "`@owner` must be given"),
    (f'@id("x") @owner(" ") {PERMIT}', "`@owner` must be given"),
    (f'{NAMED}@sevrity("high") {PERMIT}', "`@sevrity` is not known"),
    (f'{NAMED}@expires("never") {PERMIT}', "`@expires` is the last day"),
    (f'{NAMED}@expires("2027-02-29") {PERMIT}', "`@expires` is the last day"),
    (f'{NAMED}@risk("hihg") {PERMIT}', "`@risk` is one of `low`, `medium`, `high`, `critical`; did you mean `high`?"),
    (f'{NAMED}@outcome("deny") {PERMIT}', "`@outcome` belongs on a forbid"),
    (f'{NAMED}@approver("lead") {PERMIT}', "`@approver` belongs on a forbid"),
    (f'{NAMED}@reason("r") {FORBID}', "a forbid has an `@outcome`"),
    (f'{NAMED}@reason("r") @outcome("allow") {FORBID}', "a forbid has an `@outcome`"),
    (f'{NAMED}@reason("r") @outcome("Deny") {FORBID}', "a forbid has an `@outcome`"),
    (f'{NAMED}@outcome("deny") {FORBID}', "a forbid has a `@reason`"),
    (f"{ASK}{FORBID}", "`require_approval` needs an `@approver`"),
    (f'{ASK}@approver("") {FORBID}', "`require_approval` needs an `@approver`"),
    (f'{NAMED}@outcome("escalate") @reason("no") {FORBID}', "`escalate` needs an `@approver`"),
    (f'{ASK}@approver("lead") @quorum("0") {FORBID}', "`@quorum` is how many people"),
    (f'{ASK}@approver("lead") @quorum("-1") {FORBID}', "`@quorum` is how many people"),
    (f'{ASK}@approver("lead") @quorum("two") {FORBID}', "`@quorum` is how many people"),
    (f'{ASK}@approver("lead") @quorum("1.5") {FORBID}', "`@quorum` is how many people"),
    (f'{ASK}@approver("lead") @delegate("") {FORBID}', "`@delegate` is whom it may be handed to"),
    (f'{ASK}@approver("lead") @delegate("anyone, boss") {FORBID}', "`anyone` stands alone"),
    (f'{ASK}@approver("lead") @default(" ") {FORBID}', "`@default` is what an exception is answered"),
    (f'{ASK}@approver("lead") @default("{"x" * 201}") {FORBID}', "`@default` is what an exception is answered"),
    (f'{ASK}@approver("lead") @default("go") @overdue("park") {FORBID}', "`@default` never comes to pass"),
    (f'{DENY}@default("go") {FORBID}', "`@default` means nothing where nobody is asked"),
    (f'{DENY}@quorum("2") {FORBID}', "`@quorum` means nothing where nobody is asked"),
    (f'{DENY}@approver("lead") {FORBID}', "`@approver` means nothing where nobody is asked"),
    (f'{DENY}@obligation("log") {FORBID}', "`@obligation` means nothing on what is denied"),
    (f'{NAMED}@outcome("oblige") @reason("no") {FORBID}', "`oblige` needs an `@obligation`"),
    (f'{NAMED}@obligation("log,,sample:0.05") {PERMIT}', "`` in `@obligation` is no word"),
    (f'{NAMED}@mode("trial") {PERMIT}', "`@mode` is `shadow` or `enforce`"),
    (f'{NAMED}@owner("p") {PERMIT}', "this is no Cedar policy: duplicate annotation"),
    (f"{NAMED}permit(principal, action, resource)", "this is no Cedar policy"),
    (f"{NAMED}permit(principal, action, resource) when {{ ( }};", "this is no Cedar policy"),
    (f"{NAMED}allow(principal, action, resource);", "this is no Cedar policy"),
    (f"{NAMED}permit(principal == ?principal, action, resource);", "a template"),
    (f'{NAMED}permit(principal, action == Action::"pricing.set_prize", resource);', "unrecognized action"),
    (f'{NAMED}permit(principal, action in Action::"risk:hihg", resource);', "unrecognized action"),
    (f'{NAMED}permit(principal, action == Action::"risk:high", resource);', "write `action in Action::"),
    (f'{NAMED}permit(principal in Agnet::"pricing", action, resource);', "unrecognized entity type"),
    (f'{NAMED}permit(principal == Agent::"pricing", action, resource);', "write `principal in Agent::"),
    (f'{NAMED}permit(principal == Release::"pricing", action, resource);', "is no release"),
    (
        f"{PRICING} when {{ context.args.prise_minor == 1 }};",
        "`args.prise_minor` in context",
    ),
    (
        f'{PRICING} when {{ context.args.note == "x" }};',
        "optional attribute `args.note`",
    ),
    (
        f"{PRICING} when {{ context.args.sku == 1 }};",
        "not compatible",
    ),
    (
        f'{PRICING} when {{ context.args.currency == Currency::"GBP" }};',
        "not declared as a valid eid",
    ),
    (
        f'{MAIL} when {{ context.args.reason == Reason::"asked" }};',
        '`Reason::"asked"` is no value of any contract this policy is about',
    ),
    (f"{NAMED}permit(principal, action, resource) when {{ context.agrs has x }};", "`agrs` in context"),
]


@pytest.mark.proves("policy.refused_at_load")
@pytest.mark.parametrize(("text", "why"), WRONG)
def test_what_is_wrong_with_a_policy_refuses_the_bundle(text: str, why: str) -> None:
    """One row a mistake: the message says what, and in which file, line and column it stands."""
    error = refusal(f"// a comment; with a semicolon\n{ALL}\n\n  {text}")

    assert why in error.detail
    assert error.detail.startswith(f"p.cedar:4:{error.members['column']}: ")
    assert {key: error.members[key] for key in ("file", "line")} == {"file": "p.cedar", "line": 4}


def test_every_problem_is_told_at_once() -> None:
    """The first is the message, with how many more there are; all of them are members of the error."""
    error = refusal(f'{ALL}\n{NAMED}{FORBID}\n@id("y") {PERMIT}')

    assert error.detail.startswith("p.cedar:2:1: policy `x`: a forbid has an `@outcome`")
    assert error.detail.endswith("(and 2 more)")
    assert error.members["policy"] == "x"
    assert error.members["problems"] == (
        "p.cedar:2:1: policy `x`: a forbid has an `@outcome`: one of `oblige`, `require_approval`, `escalate`, `shadow`, `deny`",
        "p.cedar:2:1: policy `x`: a forbid has a `@reason`: what the person who runs into it is told",
        "p.cedar:3:1: policy `y`: `@owner` must be given: who answers for this policy",
    )


def test_an_id_is_taken_once_over_all_files() -> None:
    """The second use is refused and says where the first is."""
    with pytest.raises(
        PolicyError, match=r"b\.cedar:2:5: policy `all`: `@id` is taken by the policy at policies/a\.cedar:1:1"
    ):
        CedarPolicies().bundle({"b.cedar": f"\n{ALL}", "a.cedar": ALL}, CONTRACTS)


def test_an_agent_that_is_not_there_is_refused_where_agents_are_known() -> None:
    """A misspelt agent would make a rule inert; Cedar cannot know. Without a list nobody can."""
    known = CedarPolicies(agents=["pricing"])
    misspelt = f'{DENY}forbid(principal in Agent::"pricign", action, resource);'
    release = f'{DENY}forbid(principal == Release::"pricign@0123456789ab", action, resource);'
    inside = f'{DENY}forbid(principal, action, resource) when {{ principal in Agent::"pricign" }};'

    assert "there is no agent `pricign`" in refusal(misspelt, language=known).detail
    assert "is a release of no agent" in refusal(release, language=known).detail
    assert "there is no agent `pricign`" in refusal(inside, language=known).detail
    assert known.bundle(one_file(misspelt.replace("pricign", "pricing")), CONTRACTS).sources
    assert CedarPolicies().bundle(one_file(misspelt), CONTRACTS).sources


def test_another_installation_and_a_release_to_come_are_no_names() -> None:
    """A policy on another tenant never applies. One on a release holds for older ones alone: it is part of the new one."""
    known = CedarPolicies(agents=["pricing"], tenant="acme")
    other = f'{DENY}forbid(principal, action, resource == System::"acne");'
    release = f'{DENY}forbid(principal == Release::"pricing@0123456789ab", action, resource);'

    assert "another installation" in refusal(other, language=known).detail
    assert known.bundle(one_file(other.replace("acne", "acme")), CONTRACTS).sources
    [found] = known.findings(one_file(f"{ALL}\n{release}"), CONTRACTS)
    assert (found.severity, "from before this policy" in found.message) == ("warning", True)


def test_what_a_policy_says_of_itself_reaches_the_combiner() -> None:
    """Every annotation, with its default where it is left out."""
    judge = judge_of(
        ALL,
        '@id("ask") @owner("sales") @outcome("escalate") @approver("lead") @quorum("2") @reason("big")'
        f' @deadline("30m") @default("keep it") @obligation("log, redact:pii") @mode("shadow") {FORBID}',
        f'@id("no") @owner("o") @outcome("deny") @reason("never") @mode("enforce") {FORBID}',
    )

    assert dict(judge.policies) == {
        "all": Policy(id="all", effect="permit", owner="o"),
        "ask": Policy(
            id="ask",
            effect="forbid",
            owner="sales",
            verdict="escalate",
            reason="big",
            approver="lead",
            quorum=2,
            terms=Terms(within_ms=30 * MINUTE, default="keep it"),
            obligations=("log", "redact:pii"),
            mode="shadow",
        ),
        "no": Policy(id="no", effect="forbid", owner="o", verdict="deny", reason="never"),
    }


@pytest.mark.proves("gate.absence_denies")
@pytest.mark.parametrize("sources", [{}, {"p.cedar": ""}, {"p.cedar": "// nothing\n"}])
def test_no_policies_are_a_bundle_that_denies_everything(sources: dict[str, str]) -> None:
    """A workspace without policies is in order, and nothing may be done in it."""
    language = CedarPolicies()
    decision = decided(language.load(language.bundle(sources, CONTRACTS)), question())

    assert (decision.verdict, decision.because) == ("deny", ("interlock.default-deny",))


def test_a_bundle_is_known_by_a_stable_digest() -> None:
    """The digest changes with any text or contract and with nothing else, from one version of Interlock to the next."""
    language = CedarPolicies()
    bundle = language.bundle({"a.cedar": ALL, "b.cedar": forbid("true")}, CONTRACTS)

    assert language.bundle({"b.cedar": forbid("true"), "a.cedar": ALL}, CONTRACTS[::-1]).digest == bundle.digest
    assert language.bundle({"a.cedar": ALL, "c.cedar": forbid("true")}, CONTRACTS).digest != bundle.digest
    assert language.bundle({"a.cedar": ALL + " ", "b.cedar": forbid("true")}, CONTRACTS).digest != bundle.digest
    assert language.bundle({"a.cedar": ALL, "b.cedar": forbid("true")}, CONTRACTS[:-1]).digest != bundle.digest
    assert bundle.digest == "92196affbf7c4c5c84cfe868b2b473e1a9470c7dd93471c1a1796bb0d9980f95"


@pytest.mark.proves("policy.earlier_bundles")
@pytest.mark.parametrize("engine", ["compiled", "cedarpy"])
@pytest.mark.parametrize("lacks", [("      lent: Long,\n",), (UNUSUAL_THEN,), ("      lent: Long,\n", UNUSUAL_THEN)])
def test_a_bundle_of_before_is_asked_as_it_was(lacks: tuple[str, ...], engine: Engine) -> None:
    """Its schema lacks what policies see since: it loads, decides on what it knows, and its text and digest stay what they were.
    A policy in it that looks at what it does not know is refused, and so is a schema that lacks anything else."""
    language = CedarPolicies()
    bundle = language.bundle({"a.cedar": ALL, "b.cedar": forbid("context.task.depth > 1")}, CONTRACTS)
    schema = bundle.schema
    for text in lacks:
        assert text in schema
        schema = schema.replace(text, "")
    before = msgspec.structs.replace(bundle, schema=schema)

    judge = language.load(before, engine)
    assert decided(judge, question()).verdict == "allow"
    assert decided(judge, question(depth=2, unusual=("hour",))).verdict == "deny"
    assert language.worded(before).keys() == language.worded(bundle).keys()
    with pytest.raises(PolicyError):
        language.load(msgspec.structs.replace(before, schema=schema.replace("    undo: Bool,\n", "")))
    if UNUSUAL_THEN in lacks:
        with pytest.raises(PolicyError):
            language.load(msgspec.structs.replace(before, sources=one_file(forbid("context.unusual.any"))))


def test_texts_too_long_to_be_filed_are_refused() -> None:
    """What is longer than a megabyte once it is written down has no digest."""
    with pytest.raises(PolicyError, match="cannot be filed"):
        CedarPolicies().bundle(one_file("//" + "\\" * (2**20 - 2)), [])


def test_a_stored_bundle_loads_after_a_round_trip() -> None:
    """What the store gives back is enough to decide."""
    bundle = CedarPolicies().bundle(one_file(ALL), CONTRACTS)
    again = msgspec.json.decode(msgspec.json.encode(bundle), type=Bundle)

    assert decided(CedarPolicies().load(again), question()).verdict == "allow"


@pytest.mark.parametrize(
    "changes",
    [
        {"language": "rego"},
        {"schema": ""},
        {"schema": "entity Agent;"},
        {"sources": {"p.cedar": ALL + PERMIT}},
        {"sources": {"p.cedar": f"{NAMED}permit(principal, action, resource) when {{ context.nope }};"}},
    ],
)
def test_a_stored_bundle_that_is_not_sound_does_not_load(changes: dict[str, object]) -> None:
    """Loading checks what forming checked; nothing is trusted for having been stored."""
    bundle = CedarPolicies().bundle(one_file(ALL), CONTRACTS)

    with pytest.raises(PolicyError):
        CedarPolicies().load(msgspec.structs.replace(bundle, **changes))


def test_statements_are_cut_where_cedar_ends_them() -> None:
    """Semicolons in strings and comments end nothing; lines and columns are those of the policy's first letter."""
    text = 'a "x;\\";" b; // c;\n\n  d // "\n e;f'

    assert [(each.place, each.text) for each in statements("f", text)] == [
        (Place("f", 1, 1), 'a "x;\\";" b;'),
        (Place("f", 3, 3), 'd // "\n e;'),
        (Place("f", 4, 4), "f"),
    ]


@given(st.text(st.sampled_from('ab;"/\\\n '), max_size=30))
@example("//;\n;\\")
def test_cutting_loses_nothing_but_blanks_and_comments(text: str) -> None:
    """Every statement is in the text where it says it is, and what is between two is blank or comment."""
    lines = text.split("\n")
    done = 0
    for each in statements("f", text):
        start = sum(len(line) + 1 for line in lines[: each.place.line - 1]) + each.place.column - 1
        assert text.startswith(each.text, start)
        assert is_idle(text[done:start])
        done = start + len(each.text)

    assert is_idle(text[done:])


def is_idle(text: str) -> bool:
    """Whether it is blank or comment."""
    return all(not line.strip() or line.strip().startswith("//") for line in text.split("\n"))


REAL = Path(__file__).parents[2] / "bench" / "tau2" / "workspace" / "policies"


@pytest.mark.skipif(not REAL.is_dir(), reason="the benchmark's workspace is not in this installation")
def test_real_policy_files_are_cut_into_policies_that_parse() -> None:
    """The retail benchmark's policies, written by others than the one who cuts them, have no syntax error."""
    sources = {path.name: path.read_text() for path in sorted(REAL.glob("*.cedar"))}
    with pytest.raises(PolicyError) as caught:
        CedarPolicies().bundle(sources, [])

    problems = caught.value.members["problems"]
    assert isinstance(problems, tuple)
    assert not [problem for problem in problems if "no Cedar policy" in str(problem)]


@pytest.mark.parametrize(
    ("when", "looks"),
    [
        ('context.user.roles.contains("lead")', True),
        ('context["us\\u{65}r"].roles.contains("lead")', True),
        ('{a: context.user}.a.roles.contains("lead")', True),
        ('context.task.initiator == "user:ana"', False),
    ],
)
@pytest.mark.proves("publish.owners")
def test_whether_a_policy_looks_at_roles(when: str, looks: bool) -> None:
    """Told from what it reads and not from how that is written: a change of people may loosen such a policy."""
    language = CedarPolicies()
    bundle = language.bundle(one_file(f"{PRICING} when {{ {when} }};"), CONTRACTS)

    assert language.worded(bundle)["x"].roles is looks
