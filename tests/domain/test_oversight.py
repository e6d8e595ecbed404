"""Our own rules over a decision: a table of what each stage makes of it, and that nothing is ever loosened."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.agent import STAGES, Stage
from interlock.domain.contract import RISKS, Contract, Effect, InProcess, NoReversal, Reversal, Risk
from interlock.domain.ids import ContractName, Digest
from interlock.domain.oversight import REVIEWER, oversee, oversee_undo
from interlock.domain.policy import VERDICTS, Decision, Requirement, Verdict
from interlock.domain.sureness import Below, Sureness

BACK = Reversal(contract=ContractName("t.back"), arguments={})
GONE = NoReversal(why="sent is sent")


def contract_for(
    effect: Effect = "write", risk: Risk = "low", reversal: Reversal | NoReversal | None = BACK
) -> Contract:
    """A contract of that effect and risk."""
    return Contract(
        name=ContractName("t.do"),
        input_schema={"type": "object", "additionalProperties": False},
        effect=effect,
        risk=risk,
        reversal=reversal,
        target=InProcess(name="t.do"),
    )


def decision_for(verdict: Verdict, *, asked: str = "lead") -> Decision:
    """What a policy named `p` decides; where it asks somebody, `asked`."""
    asking = verdict in ("require_approval", "escalate")
    return Decision(
        verdict=verdict,
        because=("p",),
        reasons=("policy says so",),
        requirements=(Requirement(role=asked, quorum=2, policy="p"),) if asking else (),
        obligations=("log",) if verdict != "deny" else (),
        would_be="allow" if verdict == "shadow" else None,
        bundle=Digest("b"),
    )


TABLE: list[tuple[Stage, Risk, Reversal | NoReversal, Verdict, Verdict, str]] = [
    # stage, risk, reversal, what policy decided -> what becomes of it, and the rule of ours that made it so
    ("shadow", "low", BACK, "allow", "shadow", "interlock.stage.shadow"),
    ("shadow", "low", BACK, "oblige", "shadow", "interlock.stage.shadow"),
    ("shadow", "low", BACK, "require_approval", "shadow", "interlock.stage.shadow"),
    ("shadow", "high", GONE, "escalate", "shadow", "interlock.stage.shadow"),
    ("shadow", "high", GONE, "shadow", "shadow", ""),
    ("shadow", "high", GONE, "deny", "deny", ""),
    ("assisted", "low", BACK, "allow", "allow", ""),
    ("assisted", "low", BACK, "oblige", "oblige", ""),
    ("assisted", "medium", BACK, "allow", "require_approval", "interlock.stage.assisted"),
    ("assisted", "high", BACK, "oblige", "require_approval", "interlock.stage.assisted"),
    ("assisted", "critical", BACK, "require_approval", "require_approval", ""),
    ("assisted", "critical", BACK, "escalate", "escalate", ""),
    ("assisted", "low", GONE, "allow", "require_approval", "interlock.irreversible"),
    ("assisted", "medium", GONE, "shadow", "shadow", ""),
    ("assisted", "medium", GONE, "deny", "deny", ""),
    ("partial", "critical", BACK, "allow", "allow", ""),
    ("partial", "critical", BACK, "escalate", "escalate", ""),
    ("partial", "low", GONE, "allow", "require_approval", "interlock.irreversible"),
    ("partial", "low", GONE, "oblige", "require_approval", "interlock.irreversible"),
    ("partial", "low", GONE, "require_approval", "require_approval", ""),
    ("partial", "low", GONE, "escalate", "escalate", ""),
    ("partial", "low", GONE, "deny", "deny", ""),
    ("bounded", "critical", BACK, "allow", "allow", ""),
    ("bounded", "critical", BACK, "require_approval", "require_approval", ""),
    ("bounded", "low", GONE, "allow", "deny", "interlock.stage.bounded"),
    ("bounded", "low", GONE, "require_approval", "deny", "interlock.stage.bounded"),
    ("bounded", "low", GONE, "shadow", "deny", "interlock.stage.bounded"),
]


@pytest.mark.proves("gate.stages", "gate.irreversible")
@pytest.mark.parametrize(("stage", "risk", "reversal", "decided", "expected", "rule"), TABLE)
def test_each_stage_makes_of_a_decision_what_the_table_says(
    stage: Stage, risk: Risk, reversal: Reversal | NoReversal, decided: Verdict, expected: Verdict, rule: str
) -> None:
    """The verdict is the table's; where a rule of ours made it, that rule is the one named."""
    before = decision_for(decided)
    after = oversee(before, contract_for("write", risk, reversal), stage)

    assert after.verdict == expected
    assert after.because == ((rule,) if rule else before.because)
    if not rule:
        assert after == before


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_reads_pass_as_policy_decided(stage: Stage, verdict: Verdict) -> None:
    """Whatever changes nothing needs no oversight, in no stage."""
    before = decision_for(verdict)

    assert oversee(before, contract_for("read", "critical", None), stage) is before


def test_shadow_remembers_what_would_have_been() -> None:
    """The record of a shadowed action says what policy decided."""
    after = oversee(decision_for("escalate"), contract_for(), "shadow")

    assert (after.verdict, after.would_be) == ("shadow", "escalate")


def test_a_rule_of_ours_asks_a_reviewer_only_where_policy_asks_nobody() -> None:
    """Policy has chosen whom to ask; else it is any reviewer."""
    asked = oversee(decision_for("allow"), contract_for("external", "low", GONE), "partial")
    chosen = oversee(decision_for("require_approval"), contract_for("external", "low", GONE), "partial")

    assert asked.requirements == (Requirement(role=REVIEWER, quorum=1, policy="interlock.irreversible"),)
    assert [requirement.role for requirement in chosen.requirements] == ["lead"]


def test_a_denial_asks_nobody() -> None:
    """What a bounded agent may not do leaves no approval open and obliges nobody."""
    after = oversee(decision_for("escalate"), contract_for("write", "low", GONE), "bounded")

    assert (after.verdict, after.requirements, after.obligations) == ("deny", (), ())


contracts = st.builds(
    contract_for, st.sampled_from(get_args(Effect)), st.sampled_from(RISKS), st.sampled_from([BACK, GONE, None])
)
decisions = st.builds(
    Decision,
    verdict=st.sampled_from(VERDICTS),
    because=st.just(("p",)),
    requirements=st.sampled_from(
        [(), (Requirement(role="lead", quorum=2, policy="p"),), (Requirement(role=REVIEWER, quorum=1, policy="p"),)]
    ),
    obligations=st.sampled_from([(), ("log",)]),
)
stages = st.sampled_from(STAGES)
approvers = st.sampled_from([None, "finance", REVIEWER])


def assert_not_loosened(before: Decision, after: Decision) -> None:
    """No verdict falls, nobody who had to agree is dropped, nothing that had to be done is forgotten."""
    assert VERDICTS.index(after.verdict) >= VERDICTS.index(before.verdict)
    if after.verdict != "deny":
        assert set(before.requirements) <= set(after.requirements)
        assert set(before.obligations) <= set(after.obligations)


@pytest.mark.proves("oversight.never_loosens")
@given(decisions, contracts, stages)
def test_oversight_never_loosens(decision: Decision, contract: Contract, stage: Stage) -> None:
    """Whatever was decided, however oddly, the stage makes it at least as strict."""
    assert_not_loosened(decision, oversee(decision, contract, stage))


@pytest.mark.proves("gate.irreversible")
@given(decisions, contracts, stages)
def test_what_cannot_be_undone_never_runs_unattended(decision: Decision, contract: Contract, stage: Stage) -> None:
    """An action without a reversal comes out allowed in no stage, and asks somebody wherever it is held."""
    after = oversee(decision, contract, stage)

    if contract.irreversible:
        assert after.verdict not in ("allow", "oblige")
        assert after.requirements or after.verdict in ("shadow", "deny")


@given(decisions, contracts)
def test_in_shadow_nothing_that_acts_gets_through(decision: Decision, contract: Contract) -> None:
    """An agent in shadow touches nothing: what acts is shadowed or denied."""
    if contract.acts:
        assert oversee(decision, contract, "shadow").verdict in ("shadow", "deny")


@given(decisions, contracts, stages)
def test_overseeing_twice_changes_no_verdict(decision: Decision, contract: Contract, stage: Stage) -> None:
    """A decision that went through our rules comes out of them as it went in."""
    once = oversee(decision, contract, stage)

    assert oversee(once, contract, stage) == once


@pytest.mark.proves("oversight.never_loosens")
@given(decisions, approvers)
def test_overseeing_an_undo_never_loosens(decision: Decision, approver: str | None) -> None:
    """The reversal's approver comes on top of whatever policy decided about the undo."""
    assert_not_loosened(decision, oversee_undo(decision, approver))


@given(decisions, st.sampled_from(["finance", REVIEWER]))
def test_the_approver_a_reversal_names_is_asked(decision: Decision, approver: str) -> None:
    """Whoever the reversal names must agree to the undo, unless it does not run at all."""
    after = oversee_undo(decision, approver)

    assert after.verdict in ("shadow", "deny") or approver in {each.role for each in after.requirements}


def test_an_undo_without_a_named_approver_runs_as_policy_decided() -> None:
    """The rules for stages and irreversible actions are not for undos."""
    before = decision_for("allow")

    assert oversee_undo(before, None) is before


@pytest.mark.proves("confidence.thresholds")
@pytest.mark.parametrize(
    ("confidence", "verdict", "below", "after"),
    [
        (900, "allow", "escalate", "allow"),
        (899, "allow", "escalate", "require_approval"),
        (600, "oblige", "deny", "require_approval"),
        (599, "allow", "escalate", "escalate"),
        (599, "require_approval", "escalate", "escalate"),
        (599, "allow", "deny", "deny"),
        (None, "allow", "escalate", "escalate"),
        (None, "allow", "deny", "deny"),
        (0, "escalate", "escalate", "escalate"),
        (0, "shadow", "escalate", "shadow"),
        (1000, "deny", "escalate", "deny"),
    ],
)
def test_how_sure_an_agent_is_decides_whether_it_acts_by_itself(
    confidence: int | None, verdict: Verdict, below: Below, after: Verdict
) -> None:
    """From `act` on as policies say, from `ask` on with a person, below it people take over; silence is not sure at all."""
    contract = msgspec.structs.replace(contract_for(), confidence=Sureness(act=900, ask=600, below=below))
    found = oversee(decision_for(verdict), contract, "partial", confidence=confidence)

    assert found.verdict == after
    assert_not_loosened(decision_for(verdict), found)
    if after in ("require_approval", "escalate"):
        assert found.requirements
    if found != decision_for(verdict):
        assert found.because[-1] == "interlock.confidence"
    assert oversee(found, contract, "partial", confidence=confidence) == found


def test_a_contract_without_thresholds_asks_nobody_how_sure_they_are() -> None:
    """And where nobody answers for the agent any more, nobody takes over: it is denied."""
    assert oversee(decision_for("allow"), contract_for(), "partial", confidence=None).verdict == "allow"
    contract = msgspec.structs.replace(contract_for(), confidence=Sureness(act=900, ask=600))
    assert oversee(decision_for("allow"), contract, "partial", confidence=1, unanswered="pia").verdict == "deny"
