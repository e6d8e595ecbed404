"""What looser means, and how differences are counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.agent import STAGES, Stage
from interlock.domain.contract import Contract, NoReversal, Reversal
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest
from interlock.domain.oversight import oversee
from interlock.domain.policy import Decision, Opinions, Policy, Requirement, Verdict, combine
from interlock.domain.tally import Tally
from interlock.domain.whatif import Consent, Decided, at_least_as_strict, direction, in_words, of_consequence
from interlock.testing.world import contract

BUNDLE = Digest("b" * 64)
ASKING: tuple[Verdict, ...] = ("require_approval", "escalate")
ROLES = ("reviewer", "lead", "auditor")
WORDS = ("tell.finance", "two_phase_commit")


def policies() -> dict[str, Policy]:
    """Of each kind some: enough to be combined in every way that matters."""
    found = [Policy(id="permit", effect="permit", owner="o"), Policy(id="deny", effect="forbid", owner="o")]
    found += [Policy(id=f"permit.{word}", effect="permit", owner="o", obligations=(word,)) for word in WORDS]
    found += [
        Policy(id=f"oblige.{word}", effect="forbid", owner="o", verdict="oblige", obligations=(word,)) for word in WORDS
    ]
    found += [
        Policy(
            id=f"{verdict}.{role}.{quorum}", effect="forbid", owner="o", verdict=verdict, approver=role, quorum=quorum
        )
        for verdict in ASKING
        for role in ROLES
        for quorum in (1, 2)
    ]
    found.append(Policy(id="shadow", effect="forbid", owner="o", verdict="shadow"))
    return {each.id: each for each in found}


POLICIES = policies()
FORBIDS = [name for name, policy in POLICIES.items() if policy.effect == "forbid"]
PERMITS = [name for name, policy in POLICIES.items() if policy.effect == "permit"]
SATISFIED = st.sets(st.sampled_from(sorted(POLICIES)), max_size=6)


def decided(satisfied: set[str]) -> Decision:
    """The decision that follows."""
    return combine(Opinions(satisfied=tuple(sorted(satisfied))), POLICIES, BUNDLE)


DECISIONS = SATISFIED.map(decided)


def permitted(name: str, others: set[str]) -> Decision:
    """The decision where a permit is satisfied, too."""
    return decided({name, *others})


PERMITTED = st.builds(permitted, st.sampled_from(PERMITS), SATISFIED)
ANY = st.one_of(DECISIONS, PERMITTED)


@given(ANY)
@pytest.mark.proves("whatif.looser_exactly")
def test_identical_decisions_differ_nowhere(decision: Decision) -> None:
    """A decision is neither looser nor stricter than itself."""
    assert direction(decision, decision) is None
    assert at_least_as_strict(decision, decision)


@given(ANY, ANY)
@pytest.mark.proves("whatif.looser_exactly")
def test_a_difference_reads_the_other_way_round(one: Decision, other: Decision) -> None:
    """What is tightened one way is loosened the other way; what only reads otherwise does so both ways."""
    there, back = direction(one, other), direction(other, one)

    if there == "tightened":
        assert back == "loosened"
    if there in (None, "other"):
        assert back == there
    if there == back == "loosened":
        assert not at_least_as_strict(one, other)
        assert not at_least_as_strict(other, one)


@given(ANY, ANY, ANY)
def test_strictness_carries_over(one: Decision, two: Decision, three: Decision) -> None:
    """What is as strict as something that is as strict as a third is as strict as the third."""
    if at_least_as_strict(one, two) and at_least_as_strict(two, three):
        assert at_least_as_strict(one, three)


@given(SATISFIED, st.sampled_from(FORBIDS))
@pytest.mark.proves("whatif.looser_exactly")
def test_one_more_forbid_is_never_a_loosening(satisfied: set[str], forbid: str) -> None:
    """Whatever a forbid says, where it is satisfied too nothing is looser; and without it nothing is tighter."""
    fewer, more = decided(satisfied - {forbid}), decided(satisfied | {forbid})

    assert direction(fewer, more) != "loosened"
    assert direction(more, fewer) != "tightened"


@given(st.sampled_from(ROLES), st.integers(1, 9), st.integers(1, 9))
def test_fewer_people_are_looser(role: str, was: int, now: int) -> None:
    """The same role with a lower quorum is looser, with a higher one tighter."""
    found = direction(_asking((role, was)), _asking((role, now)))

    assert found == ("loosened" if now < was else "tightened" if now > was else None)


def used_as(risk: str, effect: str, undone: bool) -> Contract:
    """A contract of some consequence or none."""
    reversal = Reversal(contract=ContractName("thing.take"), arguments={}) if undone else NoReversal(why="it is gone")
    return contract("thing.put", risk=risk, effect=effect, reversal=reversal)


CONTRACTS = st.builds(
    used_as,
    st.sampled_from(["low", "medium", "high", "critical"]),
    st.sampled_from(["read", "write", "external"]),
    st.booleans(),
)


@given(ANY, ANY, CONTRACTS, st.sampled_from(STAGES))
@pytest.mark.proves("whatif.looser_exactly")
def test_our_own_rules_keep_the_order(one: Decision, other: Decision, used: Contract, stage: Stage) -> None:
    """A policy that is at least as strict stays so under the rules that no policy can loosen: asking a role by name is no
    loosening where before any reviewer was asked."""
    if at_least_as_strict(one, other):
        assert at_least_as_strict(oversee(one, used, stage), oversee(other, used, stage))


@pytest.mark.proves("whatif.looser_exactly")
def test_naming_a_role_is_no_loosening() -> None:
    """What cannot be undone asks any reviewer by itself; a policy that asks a lead instead is tighter, and back is looser."""
    gone = contract(reversal=NoReversal(why="it is gone"))
    anybody, lead = (
        oversee(each, gone, "partial") for each in (Decision(verdict="allow", because=("p",)), _asking(("lead", 1)))
    )

    assert direction(anybody, lead) == "tightened"
    assert direction(lead, anybody) == "loosened"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (Decision(verdict="deny", because=("a",)), Decision(verdict="deny", because=("b",)), "other"),
        (Decision(verdict="shadow", would_be="deny"), Decision(verdict="shadow", would_be="allow"), "other"),
        (
            Decision(verdict="oblige", obligations=("x", "y")),
            Decision(verdict="oblige", obligations=("x",)),
            "loosened",
        ),
        (Decision(verdict="allow", obligations=("x",)), Decision(verdict="oblige", obligations=("x",)), "tightened"),
        (Decision(verdict="allow", reasons=("old words",)), Decision(verdict="allow", reasons=("new words",)), None),
        (Decision(verdict="shadow"), Decision(verdict="escalate"), "loosened"),
    ],
)
def test_by_example(old: Decision, new: Decision, expected: str | None) -> None:
    """The edges of the definition."""
    assert direction(old, new) == expected


def test_an_exchange_is_a_loosening() -> None:
    """Two leads less and one auditor more is looser, whichever way it is looked at: somebody is asked no more."""
    leads, auditor = _asking(("lead", 2)), _asking(("auditor", 1))

    assert direction(leads, auditor) == "loosened"
    assert direction(auditor, leads) == "loosened"


def test_differences_are_counted_in_groups() -> None:
    """Each way to differ is one group with its count and the first example; what asks nobody's consent is not listed."""
    tally = Tally()
    deny, allow = Decision(verdict="deny", because=("cap",)), Decision(verdict="allow", because=("all",))
    held = _asking(("lead", 1))
    harmless, grave = contract("mail.draft"), contract("mail.send", owner="post", risk="high")
    for number in range(3):
        tally.differ("loosened", deny, allow, _action(number, "mail.send"), grave, owner="post", grave=True)
    tally.differ("loosened", held, allow, _action(3, "mail.draft"), harmless, owner="", grave=False)
    tally.differ("tightened", allow, deny, _action(4, "mail.send"), grave, owner="post", grave=True)
    tally.agree()
    tally.skip("no question", _action(5, "mail.send"))

    found = tally.result(old=BUNDLE, new=BUNDLE, since_at=7, stopped=False)

    assert [(each.direction, each.count, each.example) for each in found.groups] == [
        ("loosened", 3, "a0"),
        ("loosened", 1, "a3"),
        ("tightened", 1, "a4"),
    ]
    assert (found.asked, found.same, found.count("loosened"), found.count("other")) == (6, 1, 4, 0)
    assert [(each.contract, each.owner, each.count) for each in found.loosenings] == [("mail.send", "post", 3)]
    assert found.consents == (
        Consent(contract=ContractName("mail.send"), owner="post", why="deny becomes allow (3 recorded)"),
    )
    assert [(each.why, each.count) for each in found.unasked] == [("no question", 1)]


def test_calling_it_harmless_does_not_help() -> None:
    """A contract is of consequence if it was or if it becomes so."""
    harmless, grave = contract(risk="low"), contract(risk="critical")

    assert of_consequence(grave, harmless)
    assert of_consequence(harmless, grave)
    assert of_consequence(contract(reversal=NoReversal(why="sent")), None)
    assert not of_consequence(harmless, harmless)


def test_words_keep_personal_data_back() -> None:
    """An argument in a data class is named and not told; a long one is cut."""
    words = in_words({"to": "ana@example.com", "n": 3, "text": "x" * 500}, {"to": "personal"})

    assert words.startswith("to (personal), n 3, text ")
    assert len(words) < 200


def _asking(*needs: tuple[str, int]) -> Decision:
    asked = tuple(Requirement(role=role, quorum=quorum, policy="p") for role, quorum in needs)
    return Decision(verdict="require_approval", because=("p",), requirements=asked)


def _action(number: int, name: str) -> Decided:
    return Decided(
        id=ActionId(f"a{number}"),
        agent=AgentName("post"),
        release=Digest(""),
        contract=ContractName(name),
        contract_digest=Digest(""),
        arguments={"n": number},
        proposed_at=0,
    )
