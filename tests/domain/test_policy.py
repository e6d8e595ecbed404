"""The combiner, exhaustively over one policy of each kind, and by property over any number of them."""

from collections.abc import Iterator
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.ids import Digest
from interlock.domain.policy import VERDICTS, Decision, Opinions, Policy, Requirement, Verdict, combine

BUNDLE = Digest("b" * 64)
ASKING = ("require_approval", "escalate")


def policy_for(name: str, verdict: Verdict) -> Policy:
    """A forbid with `verdict`, or a permit for `allow`, with everything that kind may carry."""
    return Policy(
        id=name,
        effect="permit" if verdict == "allow" else "forbid",
        owner="o",
        verdict="deny" if verdict == "allow" else verdict,
        reason=f"because of {name}",
        approver=f"{name}-lead" if verdict in ASKING else "",
        quorum=2 if verdict == "escalate" else 1,
        obligations=() if verdict == "deny" else ("log", f"tell:{name}"),
    )


KINDS = {name: policy_for(f"p.{name}", name) for name in VERDICTS}
POLICIES = {policy.id: policy for policy in KINDS.values()}
ORDERED = sorted(POLICIES)


def sequences() -> Iterator[tuple[str, ...]]:
    """Every order of every subset of one policy of each kind: 1,957 of them."""
    for size in range(len(ORDERED) + 1):
        yield from permutations(ORDERED, size)


def decide(satisfied: tuple[str, ...], policies: dict[str, Policy] = POLICIES) -> Decision:
    """Combine without errors."""
    return combine(Opinions(satisfied=satisfied), policies, BUNDLE)


def rank(decision: Decision) -> int:
    """How strict a decision is."""
    return VERDICTS.index(decision.verdict)


@pytest.mark.proves("policy.deny_overrides")
def test_denies_exactly_when_a_deny_fired_or_nothing_permits() -> None:
    """Over all orders of all subsets: deny if and only if a deny is among them or no permit is."""
    seen = 0
    for satisfied in sequences():
        seen += 1
        denied = "p.deny" in satisfied or "p.allow" not in satisfied
        assert (decide(satisfied).verdict == "deny") == denied, satisfied

    assert seen == 1957


def test_the_order_in_which_policies_fired_does_not_matter() -> None:
    """Every order of one subset gives one and the same decision."""
    for satisfied in sequences():
        assert decide(satisfied) == decide(tuple(sorted(satisfied)))


def test_a_policy_named_twice_counts_once() -> None:
    """Saying everything twice changes nothing, least of all how many people are asked."""
    for satisfied in sequences():
        assert decide(satisfied + satisfied) == decide(satisfied)


@pytest.mark.proves("policy.deny_overrides")
def test_another_forbid_never_loosens() -> None:
    """Adding any forbid to any set gives a decision at least as strict, and drops nobody who must agree."""
    for satisfied in sequences():
        before = decide(satisfied)
        for extra in KINDS.values():
            if extra.effect == "forbid":
                after = decide((*satisfied, extra.id))
                assert rank(after) >= rank(before)
                assert after.verdict == "deny" or set(before.requirements) <= set(after.requirements)


@pytest.mark.proves("policy.deny_overrides")
def test_another_permit_never_overrides_a_deny() -> None:
    """Where a deny fired, a permit more or less changes nothing at all."""
    for satisfied in sequences():
        if "p.deny" in satisfied:
            assert decide((*satisfied, "p.allow")) == decide(satisfied)


@pytest.mark.proves("policy.approval_needs_permit")
def test_an_approval_is_never_asked_for_what_nothing_permits() -> None:
    """Without a permit the decision is deny by default and asks nobody, whichever soft outcomes fired."""
    for satisfied in sequences():
        if "p.allow" not in satisfied and "p.deny" not in satisfied:
            decision = decide(satisfied)

            assert decision.because == ("interlock.default-deny",)
            assert decision.requirements == ()


def test_the_highest_outcome_decides_and_says_which_policy_it_was() -> None:
    """Among permitted actions the verdict is the strictest that fired, named with its reason."""
    for satisfied in sequences():
        if "p.allow" in satisfied:
            expected = next(verdict for verdict in reversed(VERDICTS) if f"p.{verdict}" in satisfied)
            decision = decide(satisfied)

            assert decision.verdict == expected
            assert decision.because == (f"p.{expected}",)
            assert decision.reasons == (f"because of p.{expected}",)
            assert decision.bundle == BUNDLE


def test_requirements_and_obligations_are_the_union() -> None:
    """Whoever any satisfied forbid wants to agree must agree; whatever any satisfied policy obliges is obliged."""
    decision = decide(("p.escalate", "p.allow", "p.require_approval", "p.oblige"))

    assert decision.requirements == (
        Requirement(role="p.escalate-lead", quorum=2, policy="p.escalate"),
        Requirement(role="p.require_approval-lead", quorum=1, policy="p.require_approval"),
    )
    assert decision.obligations == (
        "log",
        "tell:p.allow",
        "tell:p.escalate",
        "tell:p.oblige",
        "tell:p.require_approval",
    )


def test_shadow_says_what_it_would_have_been() -> None:
    """A shadowed action records the strictest of the other outcomes."""
    assert decide(("p.allow", "p.shadow")).would_be == "allow"
    assert decide(("p.allow", "p.shadow", "p.oblige")).would_be == "oblige"
    assert decide(("p.allow", "p.shadow", "p.escalate")).would_be == "escalate"
    assert decide(("p.allow", "p.escalate")).would_be is None


@pytest.mark.proves("gate.errors_deny")
@pytest.mark.parametrize("satisfied", [(), ("p.allow",), ("p.allow", "p.oblige"), tuple(ORDERED)])
def test_any_error_denies(satisfied: tuple[str, ...]) -> None:
    """Whatever else was satisfied, an error while evaluating denies and is the reason."""
    decision = combine(Opinions(satisfied=satisfied, errors=("overflow",)), POLICIES, BUNDLE)

    assert (decision.verdict, decision.because, decision.reasons) == ("deny", ("interlock.error",), ("overflow",))
    assert decision.requirements == ()


def test_a_policy_that_is_not_in_the_bundle_denies() -> None:
    """An opinion about a policy nobody knows is an error, not something to leave out."""
    decision = decide(("p.allow", "p.ghost"))

    assert (decision.verdict, decision.because) == ("deny", ("interlock.error",))
    assert "p.ghost" in decision.reasons[0]


def test_no_bundle_denies() -> None:
    """Without a bundle a permit counts for nothing."""
    assert combine(Opinions(satisfied=("p.allow",)), POLICIES, Digest("")).verdict == "deny"


policies = st.dictionaries(
    st.sampled_from([f"n{number}" for number in range(8)]),
    st.tuples(st.sampled_from(VERDICTS), st.booleans()),
    max_size=8,
).map(
    lambda drawn: {
        name: Policy(
            id=name,
            effect="permit" if verdict == "allow" else "forbid",
            owner="o",
            verdict="deny" if verdict == "allow" else verdict,
            approver="lead" if verdict in ASKING else "",
            mode="shadow" if candidate else "enforce",
        )
        for name, (verdict, candidate) in drawn.items()
    }
)


@given(policies)
def test_a_candidate_is_reported_and_never_counts(drawn: dict[str, Policy]) -> None:
    """Dropping every policy in shadow mode changes nothing but the list of candidates that fired."""
    live = tuple(name for name, policy in drawn.items() if policy.mode == "enforce")
    decision, without = decide(tuple(drawn), drawn), decide(live, drawn)

    assert (decision.verdict, decision.because, decision.requirements) == (
        without.verdict,
        without.because,
        without.requirements,
    )
    assert without.candidates == ()
    assert decision.candidates == tuple(sorted(set(drawn) - set(live)))


@given(policies, st.data())
def test_taking_a_forbid_away_never_tightens(drawn: dict[str, Policy], data: st.DataObject) -> None:
    """With any number of policies of any kind and mode, one forbid fewer is never stricter."""
    forbids = [name for name, policy in drawn.items() if policy.effect == "forbid"]
    gone = data.draw(st.sampled_from(forbids)) if forbids else None
    rest = tuple(name for name in drawn if name != gone)

    assert rank(decide(rest, drawn)) <= rank(decide(tuple(drawn), drawn))
