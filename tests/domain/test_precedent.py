"""How cases like this one went."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.action import Action, State
from interlock.domain.approval import Approval, Hold
from interlock.domain.canonical import JsonValue
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, Person, TaskId
from interlock.domain.policy import Decision
from interlock.domain.precedent import likeness, precedents, ruling_of
from interlock.testing.world import contract

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda each: st.lists(each, max_size=3)
)


def case(number: int, state: State, *, n: int = 50, modified: bool = False, verdict: str = "approve") -> Action:
    """A decided action."""
    word = Approval(
        person=Person("rita"),
        roles=("reviewer",),
        verdict="reject" if verdict == "reject" else "approve",
        binding=Digest("b"),
        decided_at=number,
    )
    asked = Hold(
        requirements=(),
        expires_at=99,
        view=Digest("v"),
        binding=Digest("b"),
        approvals=() if verdict == "none" else (word,),
        requested={"n": 0} if modified else None,
    )
    return Action(
        id=ActionId(f"a{number}"),
        task=TaskId("t"),
        agent=AgentName("ag"),
        release=Digest("r"),
        contract=ContractName("thing.put"),
        contract_digest=Digest("c"),
        arguments={"n": n},
        nonce="x",
        digest=Digest("d"),
        idempotency_key="k",
        proposed_at=number,
        state=state,
        decision=Decision(verdict="require_approval", because=("ask",)),
        hold=asked,
    )


def about(number: int, **arguments: JsonValue) -> Action:
    """A case with these arguments, done."""
    return msgspec.structs.replace(case(number, "done"), arguments=arguments)


def test_which_record_a_case_was_about_makes_no_case_unlike() -> None:
    """A refund of another return is like this one: what the contract names as the record it touches is left aside."""
    refund = msgspec.structs.replace(contract(), touches={"return": "$args.return_id"})
    asked, other = about(1, return_id="RET-1", n=50), about(2, return_id="RET-2", n=50)

    assert [each.likeness for each in precedents(asked, refund, [other]).cases] == [1000]
    assert [each.likeness for each in precedents(asked, contract(), [other]).cases] == [500]
    only = about(3, return_id="RET-1"), about(4, return_id="RET-2")
    assert [each.likeness for each in precedents(only[0], refund, [only[1]]).cases] == [0]


def test_texts_are_near_by_the_words_they_share() -> None:
    """Two letters after one pattern are near, and two about different things are not."""
    assert likeness({"body": "dear Ana we paid you back"}, {"body": "dear Eva we paid you back"}) > 600
    assert likeness({"body": "dear Ana"}, {"body": "buy now"}) == 0


def test_the_nearest_come_first_and_all_that_are_like_it_are_counted() -> None:
    """Verdict and outcome of every like case are counted, and the nearest are shown with what differs."""
    decided = [
        case(1, "done"),
        case(2, "done", n=48),
        case(3, "undone", n=51),
        case(4, "failed", n=55),
        case(5, "rejected", n=52, verdict="reject"),
        case(6, "expired", n=50, verdict="none"),
        case(7, "done", n=60, modified=True),
        case(8, "done", n=5000),
    ]

    found = precedents(case(9, "held"), contract(), decided)

    assert (found.like, found.looked) == (7, 8)
    assert (found.approved, found.modified, found.rejected, found.expired) == (4, 1, 1, 1)
    assert (found.failed, found.reversed) == (1, 1)
    assert found.cases[0].likeness == 1000
    assert [each.likeness for each in found.cases] == sorted((each.likeness for each in found.cases), reverse=True)
    assert found.words.startswith("4 of 7 like it were approved as proposed, 1 was modified")


@pytest.mark.parametrize("state", ["held", "denied", "voided"])
def test_what_nobody_decided_is_no_precedent(state: State) -> None:
    """Words that were voided or are not enough yet decided nothing."""
    assert ruling_of(case(1, state)) is None
    assert (
        precedents(case(2, "held"), contract(), [case(1, state)]).words == "nobody has decided on one of these before"
    )


def test_words_about_other_arguments_decided_nothing() -> None:
    """After a change by policy or person only words for what it then was count."""
    old = case(1, "done")
    assert old.hold is not None

    assert (
        ruling_of(msgspec.structs.replace(old, hold=msgspec.structs.replace(old.hold, binding=Digest("other")))) is None
    )


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=4), st.dictionaries(st.text(max_size=3), JSON, max_size=4))
def test_likeness_is_between_nothing_and_the_same(left: dict[str, JsonValue], right: dict[str, JsonValue]) -> None:
    """It is symmetric, from 0 to 1000, and 1000 for the very same."""
    assert 0 <= likeness(left, right) <= 1000
    assert likeness(left, right) == likeness(right, left)
    assert likeness(left, left) == 1000
