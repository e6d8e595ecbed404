"""What a policy test asks, and how its answer is held against what it expects."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.cedar.schema import groups
from interlock.domain.agent import Agent, Approvals, Owners
from interlock.domain.contract import RISKS, Effect, Risk, checked
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.policy import VERDICTS, Decision, Requirement, Verdict
from interlock.domain.policy_case import (
    MADE_UP_TIME,
    Asked,
    Expected,
    PolicyCase,
    Word,
    answered,
    differences,
    made_up_contract,
    unknown_names,
)
from interlock.domain.question import Circumstances
from tests.domain.contracts import PRICE

HELD = Decision(
    verdict="require_approval",
    because=("large",),
    reasons=("it is large",),
    requirements=(Requirement(role="lead", quorum=2, policy="large"),),
)
YES = Word(role="lead", policy="large")


CASE = PolicyCase(
    name="n",
    file="f",
    line=1,
    column=1,
    agent=AgentName("a"),
    contract=PRICE,
    arguments={},
    around=Circumstances(purpose="p", depth=0, stage="shadow", asked_at=MADE_UP_TIME),
    expect=Expected(verdict="allow"),
)


@pytest.mark.parametrize("risk", RISKS)
@pytest.mark.parametrize("effect", ["read", "write", "external"])
@pytest.mark.parametrize("reversible", [True, False])
def test_a_contract_that_is_made_up_holds(risk: Risk, effect: Effect, reversible: bool) -> None:
    """It passes the check every contract passes, and is in exactly the groups that were asked for."""
    made = checked(made_up_contract(risk, effect, reversible=reversible))

    irreversible = ["irreversible"] if effect != "read" and not reversible else []
    assert sorted(groups(made)) == sorted(["any", f"effect:{effect}", f"risk:{risk}", *irreversible])


@pytest.mark.parametrize(
    ("words", "verdict", "open_"),
    [
        ((), "require_approval", 1),
        ((YES,), "require_approval", 1),
        ((YES, YES), "allow", 0),
        ((YES, Word(role="other", policy="large")), "require_approval", 1),
        ((YES, Word(role="lead", policy="other")), "require_approval", 1),
    ],
)
def test_words_count_for_their_policy_and_role(words: tuple[Word, ...], verdict: Verdict, open_: int) -> None:
    """What asks is answered by as many words as its quorum, each for that policy and in that role."""
    found = answered(HELD, words, obliged=False)

    assert (found.verdict, len(found.requirements)) == (verdict, open_)


def test_what_obliges_still_does_once_people_agreed() -> None:
    """An approved action that a policy obliges is obliged, not merely allowed."""
    assert answered(HELD, (YES, YES), obliged=True).verdict == "oblige"


@given(verdict=st.sampled_from(VERDICTS), words=st.lists(st.just(YES), max_size=4))
def test_no_word_lifts_a_deny(verdict: Verdict, words: list[Word]) -> None:
    """Whoever agrees: what is denied or shadowed stays so, and nothing becomes stricter."""
    decision = Decision(verdict=verdict, requirements=HELD.requirements)
    found = answered(decision, tuple(words), obliged=False)

    assert VERDICTS.index(found.verdict) <= VERDICTS.index(verdict)
    if verdict in ("deny", "shadow"):
        assert found == decision


def test_stage_rules_stand_on_top_only_where_the_case_says_its_stage() -> None:
    """Without a stage a case asks the policies alone; with one it expects what the gate would decide; never of an undo."""
    allow = Decision(verdict="allow", because=("p",))
    undo = Circumstances(purpose="p", depth=0, stage="shadow", asked_at=0, undo=True)

    staged = msgspec.structs.replace(CASE, staged=True)

    assert CASE.settled(allow, obliged=False) == allow
    assert staged.settled(allow, obliged=False).verdict == "shadow"
    assert msgspec.structs.replace(staged, around=undo).settled(allow, obliged=False) == allow


def test_the_role_that_an_agents_file_asks_is_asked_where_the_case_says_its_stage() -> None:
    """As the gate has it: whatever policies say, and of no other contract."""
    file = Agent(
        name=AgentName("a"),
        purpose="p",
        owners=Owners(decision="o", policy="o", data="o", engineering="o"),
        approvals=Approvals(required={PRICE.name: "lead"}),
    )
    allow = Decision(verdict="allow", because=("p",))
    partial = msgspec.structs.replace(CASE.around, stage="partial")
    case = msgspec.structs.replace(CASE, around=partial, staged=True)

    asked = case.of(file).settled(allow, obliged=False)

    assert ("lead", "interlock.agent.approvals") in [(each.role, each.policy) for each in asked.requirements]
    for other in (
        case.of(None),
        case.of(msgspec.structs.replace(file, approvals=Approvals(required={ContractName("other"): "lead"}))),
        msgspec.structs.replace(case.of(file), staged=False),
    ):
        assert "lead" not in [each.role for each in other.settled(allow, obliged=False).requirements]


@pytest.mark.parametrize(
    ("expect", "lines"),
    [
        (Expected(verdict="require_approval", by=("large",)), ()),
        (Expected(verdict="deny"), ("expected deny, was require_approval by large (it is large)",)),
        (Expected(by=("small",)), ("expected by `small`, was by `large`",)),
        (Expected(not_by=("large",)), ("`large` decided, and was expected not to",)),
        (Expected(reasons=("it is large",)), ()),
        (Expected(reasons=()), ("expected reasons nothing, was `it is large`",)),
        (Expected(obligations=("log",)), ("expected obligations `log`, was nothing",)),
        (Expected(requirements=(Asked(role="lead", quorum=2),)), ()),
        (Expected(requirements=(Asked(role="lead"),)), ("expected requirements `1 of lead`, was `2 of lead`",)),
        (Expected(candidates=("new",)), ("expected candidates `new`, was nothing",)),
    ],
)
def test_a_difference_is_told_in_words(expect: Expected, lines: tuple[str, ...]) -> None:
    """Each thing that is otherwise than expected is one line; what is not said is not looked at."""
    assert differences(expect, HELD) == lines


def test_a_policy_that_does_not_exist_is_told_with_its_nearest_spelling() -> None:
    """A case that names no policy would pass for the wrong reason; rules of ours are known without being policies."""
    expect = Expected(by=("larg", "interlock.default-deny"), not_by=("strange",))

    assert unknown_names(expect, ["large", "small"]) == (
        "there is no policy `larg`; did you mean `large`?",
        "there is no policy `strange`",
    )
