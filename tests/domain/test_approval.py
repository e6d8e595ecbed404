"""What a word is bound to, and when enough have spoken."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.approval import Approval, Hold, hold, is_initiator, open_requirements, still_binding
from interlock.domain.ids import Digest, Person
from interlock.domain.policy import Requirement

PARTS = {
    "action": Digest("a"),
    "contract": Digest("c"),
    "release": Digest("r"),
    "bundle": Digest("b"),
    "view": Digest("v"),
}
NEEDS = (Requirement(role="reviewer", quorum=2, policy="p"), Requirement(role="lead", quorum=1, policy="q"))


def asked(**changes: object) -> Hold:
    """A hold, with changes."""
    parts: dict[str, object] = {**PARTS, "requirements": NEEDS, "expires_at": 10} | changes
    return hold(**parts)  # type: ignore[arg-type]


def word(person: str, *roles: str, binding: Digest, verdict: str = "approve") -> Approval:
    """A word."""
    return msgspec.convert(
        {"person": person, "roles": roles, "verdict": verdict, "binding": binding, "decided_at": 1}, Approval
    )


@pytest.mark.proves("approval.bound")
@pytest.mark.parametrize("part", [*PARTS, "requirements", "expires_at"])
def test_the_binding_covers_everything(part: str) -> None:
    """Action, contract, release, bundle, view, requirements, expiry: any of them different is another binding."""
    other: dict[str, object] = {"requirements": NEEDS[:1], "expires_at": 11}
    assert asked(**{part: other.get(part, Digest("x"))}).binding != asked().binding


@pytest.mark.proves("approval.quorum")
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["rita", "ria", "ana", "leo"]),
            st.sets(st.sampled_from(["reviewer", "lead", "cook"])),
            st.booleans(),
            st.sampled_from(["approve", "reject"]),
        )
    )
)
def test_only_different_entitled_people_count(words: list[tuple[str, set[str], bool, str]]) -> None:
    """Counted are people, not words; in the role asked for; on this binding; yes; and never the initiator."""
    base = asked()
    given_words = tuple(
        word(person, *sorted(roles), binding=base.binding if bound else Digest("old"), verdict=verdict)
        for person, roles, bound, verdict in words
    )
    spoken = msgspec.structs.replace(base, approvals=given_words)

    missing = open_requirements(spoken, initiator="user:ana")

    for need in NEEDS:
        people = {
            person
            for person, roles, bound, verdict in words
            if need.role in roles and bound and verdict == "approve" and person != "ana"
        }
        assert (need in missing) == (len(people) < need.quorum)


def test_who_the_initiator_is() -> None:
    """`user:ana` is the person `ana`; `system:ana` is nobody."""
    assert is_initiator(Person("ana"), "user:ana")
    for spelled in ("user:Ana", "User:ana", " user: ana ", "ANA"):
        assert is_initiator(Person("ana"), spelled)
    assert not is_initiator(Person("ana"), "system:ana")
    assert not is_initiator(Person("an"), "user:ana")


@pytest.mark.proves("approval.bound")
@given(st.lists(st.tuples(st.sampled_from("pqr"), st.sampled_from(["lead", "reviewer"]), st.integers(1, 3))))
def test_what_was_agreed_to_covers_no_more_than_was_asked(needs: list[tuple[str, str, int]]) -> None:
    """Decided again, a requirement is met only by one of the same policy and role with at least its quorum."""
    again = tuple(Requirement(policy=policy, role=role, quorum=quorum) for policy, role, quorum in needs)
    left = still_binding(asked(), again)

    for need in again:
        met = any((had.policy, had.role) == (need.policy, need.role) and had.quorum >= need.quorum for had in NEEDS)
        assert (need in left) != met
