"""Policy tests as they run: on both engines, with coverage, and never passing for the wrong reason."""

import anyio
import msgspec
import pytest

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.judge import CedarJudge
from interlock.adapters.parsing import LaterSql
from interlock.adapters.workspace import Problems, read_cases
from interlock.domain.bundle import Bundle
from interlock.domain.policy import Engine
from interlock.services.policy_tests import Report, run
from tests.adapters.cedar_cases import CONTRACTS

POLICIES = """\
@id("may") @owner("o") permit(principal in Agent::"pricing", action, resource);
@id("large") @owner("o") @outcome("require_approval") @approver("lead") @reason("large")
forbid(principal, action == Action::"pricing.set_price", resource) when { context.args.price_minor > 10000 };
@id("floor") @owner("o") @outcome("deny") @reason("below the floor")
forbid(principal, action == Action::"pricing.set_price", resource)
when { context.args.price_minor < context.facts.floor_minor };
@id("grave") @owner("o") @outcome("escalate") @approver("lead") @reason("grave")
forbid(principal, action in Action::"risk:critical", resource);
"""
CASES = """\
- given:
    agent: pricing
    contract: pricing.set_price
    args: {sku: A-1, price_minor: 10000, currency: EUR}
    facts: {flagship: false, floor_minor: 100}
  cases:
    - name: small
      expect: {verdict: allow, by: [may]}
    - name: large
      args: {price_minor: 10001}
      expect: {verdict: require_approval, by: [large]}
    - name: below
      args: {price_minor: 99}
      expect: {verdict: deny, by: [floor]}
"""
GRAVE = """\
- name: grave
  agent: pricing
  contract: {risk: critical}
  expect: {verdict: escalate, by: [grave]}
"""


class Skewed(CedarPolicies):
    """Policies of which one engine reads another threshold than the other."""

    def __init__(self, engine: Engine) -> None:
        """`engine` is the one that is wrong."""
        super().__init__()
        self._wrong: Engine = engine

    def load(self, bundle: Bundle, engine: Engine = "compiled") -> CedarJudge:
        """The bundle, or another."""
        text = bundle.sources["p.cedar"].replace("> 10000", "> 20000")
        other = msgspec.structs.replace(bundle, sources={"p.cedar": text})
        return super().load(other if engine == self._wrong else bundle, engine)


def reported(cases: str, policies: str = POLICIES, language: CedarPolicies | None = None) -> Report:
    """What becomes of `cases`."""
    problems = Problems("t.yaml")
    read = read_cases(cases.encode(), problems, {each.name: each for each in CONTRACTS}, ["pricing", "support"])
    assert problems.found == []

    async def work() -> Report:
        return await run(
            read,
            policies=language or CedarPolicies(),
            parser=LaterSql(),
            sources={"p.cedar": policies},
            contracts=CONTRACTS,
            tenant="default",
        )

    return anyio.run(work)


@pytest.mark.proves("policy.tests_run_on_both_engines")
def test_every_case_is_run_and_coverage_told() -> None:
    """Each case passes, and the policy that none of them makes true is named."""
    report = reported(CASES)

    assert [(each.case.name, each.differences) for each in report.results] == [
        ("small", ()),
        ("large", ()),
        ("below", ()),
    ]
    assert (report.covered, report.uncovered, report.per_cent) == (("floor", "large", "may"), ("grave",), 75)


def test_a_contract_that_is_made_up_covers_what_no_contract_is_yet() -> None:
    """A policy about a group that no contract is in is tested all the same, and the others are not influenced by it."""
    report = reported(CASES + GRAVE)

    assert report.failed == ()
    assert report.uncovered == ()


def test_policies_that_cannot_be_asked_about_what_is_made_up_are_named() -> None:
    """A policy on a whole group that reads an argument cannot be true of a contract without any; the test says so."""
    policies = POLICIES + '@id("any") @owner("o") permit(principal, action in Action::"risk:critical", resource) '
    report = reported(GRAVE, policies + "when { context.args.price_minor > 1 };")

    assert len(report.failed) == 1
    assert "cannot be asked about a contract that is made up" in report.failed[0].differences[0]


@pytest.mark.proves("policy.threshold_edit_breaks_a_test")
@pytest.mark.parametrize(
    ("right", "wrong", "broken"),
    [
        ("price_minor > 10000", "price_minor > 20000", ["large"]),
        ("price_minor > 10000", "price_minor >= 10000", ["small"]),
        ("price_minor < context", "price_minor <= context", []),
        ('@outcome("deny")', '@outcome("shadow")', ["below"]),
        ('Agent::"pricing"', 'Agent::"support"', ["small", "large"]),
    ],
)
def test_an_edit_breaks_the_test_of_its_policy(right: str, wrong: str, broken: list[str]) -> None:
    """A threshold moved by one, an outcome softened or an agent exchanged fails exactly the cases that speak of it."""
    assert right in POLICIES

    assert [each.case.name for each in reported(CASES, POLICIES.replace(right, wrong)).failed] == broken


@pytest.mark.proves("policy.tests_run_on_both_engines")
@pytest.mark.parametrize("engine", ["compiled", "cedarpy"])
def test_engines_that_disagree_fail_the_test(engine: Engine) -> None:
    """Where one engine answers otherwise than the other the case fails, whatever it expects, and names both answers."""
    report = reported(CASES, language=Skewed(engine))

    assert [each.case.name for each in report.failed] == ["large"]
    assert "the two engines disagree: compiled says" in report.failed[0].differences[0]


def test_arguments_are_refused_only_where_that_is_expected() -> None:
    """`refused` holds for arguments that do not fit, asks no policy, and fails for arguments that fit."""
    row = "  agent: pricing\n  contract: pricing.set_price\n  expect: refused\n"
    unfit = f"- name: unfit\n  args: {{sku: A-1, price_minor: 0, currency: EUR}}\n{row}"
    fit = f"- name: fit\n  args: {{sku: A-1, price_minor: 1, currency: EUR}}\n{row}"

    report = reported(unfit + fit)

    assert [(each.case.name, each.passed) for each in report.results] == [("unfit", True), ("fit", False)]
    assert report.covered == ()


def test_a_fact_that_policies_read_and_the_case_does_not_give_is_an_error() -> None:
    """What cannot be evaluated denies, as it does in the gate, and the reason names the fact."""
    report = reported(CASES.replace(", floor_minor: 100", ""))

    assert "facts.floor_minor is missing" in report.failed[0].differences[0]


def test_stage_rules_count_only_where_a_case_says_its_stage() -> None:
    """The same question is allowed by the policies, and asks somebody at the stage that the case names."""
    staged = CASES.replace("    facts:", "    with: {stage: assisted}\n    facts:")

    report = reported(staged)

    assert [each.case.name for each in report.failed] == ["small"]
    assert "interlock.stage.assisted" in report.failed[0].differences[0]


def test_words_of_people_lift_what_asks_and_never_what_denies() -> None:
    """With an approval what is large is allowed; below the floor it stays denied."""
    words = "      approvals: [{role: lead, policy: large}]\n"
    agreed = CASES.replace("      args: {price_minor: 10001}\n", "      args: {price_minor: 10001}\n" + words)
    agreed = agreed.replace("      args: {price_minor: 99}\n", "      args: {price_minor: 99}\n" + words)

    assert [each.differences for each in reported(agreed).failed] == [
        ("expected require_approval, was allow by large (large)",)
    ]
