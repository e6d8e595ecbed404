"""Where Cedar alone would let something through, and what closes it. Each pitfall is shown on bare cedarpy first, so
that we notice should it ever go away; then through the judge."""

import json

import cedarpy
import pytest

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.library import heard
from interlock.domain.binding import bind
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, InProcess, checked
from interlock.domain.errors import ContractError, PolicyError
from interlock.domain.ids import ContractName
from tests.adapters.cedar_cases import (
    ALL,
    CONTRACTS,
    FACTS,
    Json,
    decided,
    forbid,
    judge_of,
    one_file,
    priced,
    question,
    satisfied,
    stored_judge,
)

RELEASE = {"type": "Release", "id": "pricing@0123456789ab"}
AGENT = {"type": "Agent", "id": "pricing"}
STORE: list[dict[str, object]] = [
    {"uid": RELEASE, "attrs": {}, "parents": [AGENT]},
    {"uid": AGENT, "attrs": {}, "parents": []},
    {"uid": {"type": "System", "id": "default"}, "attrs": {}, "parents": []},
]
SCHEMA = CedarPolicies().bundle({}, CONTRACTS).schema


def bare(*policies: str, context: str = "{}", action: str = "pricing.set_price", **release: str) -> cedarpy.AuthzResult:
    """What cedarpy alone says, with a store that was built without the schema."""
    request = {
        "principal": RELEASE | release,
        "action": {"type": "Action", "id": action},
        "resource": {"type": "System", "id": "default"},
        "context": context,
    }
    return cedarpy.is_authorized(request, "\n".join(policies), cedarpy.Entities.from_json_str(json.dumps(STORE)))


def taking(name: str, schema: Json) -> Contract:
    """A contract with the one argument `x`."""
    return checked(
        Contract(
            name=ContractName(name),
            effect="read",
            risk="low",
            target=InProcess(name=name),
            input_schema={
                "type": "object",
                "additionalProperties": False,
                "required": ["x"],
                "properties": {"x": schema},
            },
        )
    )


OVERFLOW = forbid("context.facts.floor_minor * 100 > context.args.price_minor")


@pytest.mark.proves("gate.errors_deny")
def test_1_a_forbid_that_overflows_denies() -> None:
    """Cedar skips it and allows; to us an error is a denial."""
    context: Json = {"args": {"price_minor": 1}, "facts": {"floor_minor": 2**62}}
    assert bare(ALL, OVERFLOW, context=json.dumps(context)).decision is cedarpy.Decision.Allow

    decision = decided(stored_judge(ALL, OVERFLOW), question(facts={**FACTS, "floor_minor": 2**62}))

    assert (decision.verdict, decision.because) == ("deny", ("interlock.error",))
    assert decision.reasons == (
        "policy `f` could not be evaluated: integer overflow while attempting to multiply values",
    )


@pytest.mark.proves("gate.errors_deny")
@pytest.mark.parametrize(
    "facts", [{}, {"flagship": True, "floor_minor": None}, {"flagship": True, "floor_minor": "15"}]
)
def test_1_a_fact_that_is_missing_or_of_another_type_denies(facts: dict[str, JsonValue]) -> None:
    """Cedar skips the policy that reads it; we do not ask at all."""
    rule = forbid("context.facts.flagship && context.facts.floor_minor > context.args.price_minor")
    assert bare(ALL, rule, context='{"args": {}}').decision is cedarpy.Decision.Allow

    decision = decided(judge_of(ALL, rule), question(facts=facts))

    assert (decision.verdict, decision.because) == ("deny", ("interlock.error",))


@pytest.mark.proves("policy.groups_hold")
def test_1_a_release_nobody_has_seen_is_in_its_agent() -> None:
    """Cedar finds a principal that is not in its store in no agent, without an error; ours is always in it."""
    rule = (
        '@id("f") @owner("o") @outcome("deny") @reason("no") forbid(principal in Agent::"pricing", action, resource);'
    )
    assert bare(ALL, rule, id="pricing@ffffffffffff").decision is cedarpy.Decision.Allow

    assert satisfied(judge_of(ALL, rule), question(release="f" * 64)) == ("all", "f")


@pytest.mark.proves("policy.groups_hold")
@pytest.mark.parametrize("group", ["any", "effect:write", "risk:high"])
def test_2_a_rule_on_a_group_of_actions_holds(group: str) -> None:
    """In a store built without the schema no group has a member, and the forbid is inert."""
    rule = forbid("true", f'action in Action::"{group}"')
    assert bare(ALL, rule).decision is cedarpy.Decision.Allow

    assert satisfied(judge_of(ALL, rule), question()) == ("all", "f")


@pytest.mark.proves("policy.unknown_contract_denies")
def test_3_a_contract_that_is_not_in_the_bundle_is_denied() -> None:
    """Cedar evaluates an unknown action like any other, and a permit for all allows it."""
    assert bare(ALL, action="pricing.set_prize").decision is cedarpy.Decision.Allow

    decision = decided(judge_of(ALL), question(contract="pricing.set_prize"))

    assert (decision.verdict, decision.because) == ("deny", ("interlock.error",))
    assert decision.reasons == ("the contract `pricing.set_prize` is not in the policy bundle",)


@pytest.mark.proves("policy.unknown_contract_denies")
@pytest.mark.parametrize("group", ["any", "risk:high"])
def test_3_a_group_is_no_contract(group: str) -> None:
    """The schema has actions that are only groups; nothing can be done by their name."""
    assert decided(judge_of(ALL), question(contract=group)).verdict == "deny"


@pytest.mark.proves("gate.errors_deny")
@pytest.mark.parametrize("context", ["{", '{"a": 1.5}', '{"a": null}', '{"a": 9223372036854775808}', "[]"])
def test_4_a_request_that_cedar_cannot_read_denies(context: str) -> None:
    """It answers NoDecision and raises nothing: neither allowed nor denied."""
    result = bare(ALL, context=context)
    assert result.decision is cedarpy.Decision.NoDecision

    assert heard(result).errors == ("the policy engine could not read the request",)


@pytest.mark.proves("gate.errors_deny")
def test_4_no_decision_denies_even_without_a_word_of_error() -> None:
    """Only Allow and Deny are decisions."""
    assert heard(cedarpy.AuthzResult({"decision": "NoDecision"})).errors == ("the policy engine came to no decision",)


@pytest.mark.proves("policy.approval_needs_permit")
def test_5_a_soft_forbid_is_not_mistaken_for_a_permit() -> None:
    """Cedar says Deny by the same policy with and without a permit; we know which, and ask nobody without one."""
    soft = (
        '@id("ask") @owner("o") @outcome("require_approval") @approver("lead") @reason("big") '
        'forbid(principal, action == Action::"pricing.set_price", resource);'
    )
    assert (
        bare(soft).diagnostics.reasons
        == bare(soft, '@id("p") permit(principal, action, resource);').diagnostics.reasons
    )

    without, with_permit = decided(judge_of(soft), question()), decided(judge_of(soft, ALL), question())

    assert (without.verdict, without.because, without.requirements) == ("deny", ("interlock.default-deny",), ())
    assert (with_permit.verdict, with_permit.because) == ("require_approval", ("ask",))


TAGS: Json = {"type": "array", "items": {"type": "string"}}
LISTED = '@id("p") @owner("o") permit(principal, action, resource) when { ["a", "b"].containsAll(context.args.x) };'
GUARDED = LISTED.replace("when { ", "when { !context.args.x.isEmpty() && ")


@pytest.mark.proves("policy.measures_what_is_bounded")
def test_6_an_empty_list_is_not_let_through_as_if_all_of_it_were_listed() -> None:
    """`containsAll` is true of nothing at all, so either the contract or the policy must speak of the empty list."""
    assert bare(LISTED, context='{"args": {"x": []}}').decision is cedarpy.Decision.Allow

    bounded = taking("t", {**TAGS, "minItems": 1})
    with pytest.raises(PolicyError, match="`t` argument `x` are contained, and the contract gives no `minItems`"):
        CedarPolicies().bundle(one_file(LISTED), [taking("t", TAGS)])
    assert judge_of(LISTED, contracts=(bounded,)).policies
    with pytest.raises(ContractError, match="/x"):
        bind(bounded, {"x": []}, nonce="n")
    guarded = judge_of(GUARDED, contracts=(taking("t", TAGS),))
    assert satisfied(guarded, question(contract="t", arguments={"x": []})) == ()
    assert satisfied(guarded, question(contract="t", arguments={"x": ["a"]})) == ("p",)


@pytest.mark.proves("policy.measures_what_is_bounded")
@pytest.mark.parametrize(
    "condition",
    [
        "context.args.x <= 10000",
        "10000 > context.args.x",
        "context.args.x * 100 <= 1000000",
        "10 - context.args.x > 0",
        "-context.args.x > -100",
        'context.stage == Stage::"partial" && (if context.undo then true else context.args.x < 5)',
    ],
)
def test_7_a_number_is_compared_only_where_the_contract_bounds_it(condition: str) -> None:
    """-500 is below every cap. The contract must say how small a number may be, and refuses what is smaller."""
    rule = f'@id("p") @owner("o") permit(principal, action, resource) when {{ {condition} }};'

    with pytest.raises(PolicyError, match="`t` argument `x` by size, and the contract gives no `minimum`"):
        CedarPolicies().bundle(one_file(rule), [taking("t", {"type": "integer", "maximum": 10_000})])
    bounded = taking("t", {"type": "integer", "minimum": 1})
    assert judge_of(rule, contracts=(bounded,)).policies
    with pytest.raises(ContractError, match="/x"):
        bind(bounded, {"x": -500}, nonce="n")


@pytest.mark.proves("policy.measures_what_is_bounded")
def test_7_a_pattern_is_sought_only_where_the_contract_bounds_the_text() -> None:
    """`like "*@acme.com"` also finds the second of two addresses, and does not fold case."""
    rule = '@id("p") @owner("o") permit(principal, action, resource) when { context.args.x like "*@acme.com" };'
    evil = '{"args": {"x": "evil@example.com, a@acme.com"}}'
    assert bare(rule, context=evil).decision is cedarpy.Decision.Allow
    assert bare(rule, context='{"args": {"x": "a@ACME.com"}}').decision is cedarpy.Decision.Deny

    with pytest.raises(PolicyError, match="`t` argument `x`, and the contract gives no `pattern`"):
        CedarPolicies().bundle(one_file(rule), [taking("t", {"type": "string"})])
    bounded = taking("t", {"type": "string", "pattern": "^[a-z]+@[a-z.]+$"})
    assert judge_of(rule, contracts=(bounded,)).policies
    with pytest.raises(ContractError, match="/x"):
        bind(bounded, {"x": "evil@example.com, a@acme.com"}, nonce="n")


def test_7_what_only_other_contracts_leave_open_does_not_matter() -> None:
    """A bound is asked for in the contracts a policy is about."""
    rule = forbid("context.args.x < 5", 'action == Action::"bounded"')
    contracts = (taking("bounded", {"type": "integer", "minimum": 0}), taking("open", {"type": "integer"}))

    assert judge_of(rule, contracts=contracts).policies


def test_8_not_before_has_is_refused() -> None:
    """`!context.args has note` negates the record: Cedar would skip the policy as an error."""
    rule = forbid("!context.args has note")
    assert bare(ALL, rule, context='{"args": {}}').decision is cedarpy.Decision.Allow

    with pytest.raises(PolicyError, match="binds before `has`"):
        CedarPolicies().bundle(one_file(rule), CONTRACTS)
    meant = judge_of(ALL, forbid("!(context.args has note)"))
    assert satisfied(meant, question()) == ("all", "f")
    assert satisfied(meant, priced(note="x")) == ("all",)
