"""Who answers for an agent: owners against people, what counts as raising it, and what is not escalated to nobody."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.agent import STAGES, Agent, Owners, Stage
from interlock.domain.answering import absent, gone, holders, raised
from interlock.domain.contract import Contract, InProcess, Reversal
from interlock.domain.ids import AgentName, ContractName, Digest, Person
from interlock.domain.oversight import oversee
from interlock.domain.policy import VERDICTS, Decision, Requirement, Verdict

PEOPLE = {Person("ann"): ("lead",), Person("ben"): ("data", "lead")}
PUT = ContractName("thing.put")
OWNED = Owners(decision="ann (sales)", policy="lead", data="carl", engineering="")
TOOL = Contract(
    name=PUT,
    input_schema={"type": "object", "additionalProperties": False},
    effect="write",
    risk="low",
    reversal=Reversal(contract=ContractName("thing.take"), arguments={}),
    target=InProcess(name="t.do"),
)


def agent(stage: Stage, put: Stage | None = None) -> Agent:
    """An agent with all its owners, that may use `thing.put`."""
    return Agent(
        name=AgentName("a"),
        purpose="p",
        owners=Owners(decision="ann", policy="ann", data="ann", engineering="ann"),
        stage=stage,
        stages={} if put is None else {PUT: put},
        capabilities=(PUT,),
    )


def decided(verdict: Verdict) -> Decision:
    """What a policy says; where it asks, it asks a lead."""
    asks = (Requirement(role="lead", quorum=1, policy="p"),) if verdict in ("escalate", "require_approval") else ()
    return Decision(verdict=verdict, because=("p",), reasons=("so",), requirements=asks, bundle=Digest("b"))


@pytest.mark.proves("registry.owners")
def test_an_owner_is_a_person_or_a_role_somebody_holds() -> None:
    """What stands in brackets is for readers; an owner that is neither is told with the office; one that is not named at
    all is missing, not absent. Where nobody is named, nobody is said to have left."""
    assert holders("lead", PEOPLE) == {"ann", "ben"}
    assert holders("", PEOPLE) == frozenset()
    assert absent(OWNED, PEOPLE) == {"data": "carl"}
    assert gone(OWNED, PEOPLE) == "`carl` (data owner) is nobody in people.yaml"
    assert gone(msgspec.structs.replace(OWNED, policy="dan"), PEOPLE).endswith("are nobody in people.yaml")
    assert absent(OWNED, {}) == {}


@given(st.sampled_from(STAGES), st.sampled_from(STAGES))
def test_raised_is_what_goes_further_than_before(was: Stage, becomes: Stage) -> None:
    """By the order of the stages, each contract by itself; what was not in force comes from shadow."""
    further = STAGES.index(becomes) > STAGES.index(was)

    assert raised(agent(was), agent(becomes)) == ((PUT,) if further else ())
    assert raised(agent(was, put=was), agent(was, put=becomes)) == ((PUT,) if further else ())
    assert raised(None, agent(becomes)) == ((PUT,) if becomes != "shadow" else ())


@pytest.mark.proves("registry.owners")
def test_an_escalation_that_nobody_would_take_is_denied() -> None:
    """With an owner who is nobody any more `escalate` is refused with who is missing; other verdicts are as they were."""
    for verdict in VERDICTS:
        found = oversee(decided(verdict), TOOL, "partial", unanswered=gone(OWNED, PEOPLE))
        if verdict == "escalate":
            assert (found.verdict, found.because) == ("deny", ("interlock.owner",))
            assert "`carl` (data owner)" in found.reasons[0]
        else:
            assert found == oversee(decided(verdict), TOOL, "partial")


@pytest.mark.proves("registry.approvals")
@given(st.sampled_from(VERDICTS), st.sampled_from(STAGES), st.sampled_from(["read", "write"]))
def test_the_role_an_agents_file_asks_is_asked_whatever_policies_say(
    verdict: Verdict, stage: Stage, effect: str
) -> None:
    """Beside whomever policy asks; a denial and a shadow stay what they are, and nothing is ever allowed by it."""
    tool = msgspec.structs.replace(TOOL, effect=effect)
    before, after = oversee(decided(verdict), tool, stage), oversee(decided(verdict), tool, stage, approver="cfo")

    if before.verdict in ("deny", "shadow"):
        assert after == before
    else:
        assert after.verdict in ("require_approval", "escalate")
        assert "cfo" in {need.role for need in after.requirements} >= {need.role for need in before.requirements}
