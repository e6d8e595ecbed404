"""What must always hold: proved over every request there could be, or refuted with one of them."""

import pytest

from interlock.adapters.cedar.invariants import invariant_findings
from interlock.domain.errors import PolicyError
from interlock.domain.policy import ENGINES
from interlock.domain.proof import Kept
from tests.adapters.cedar_cases import ALL, CONTRACTS, SET_PRICE, forbid, stored
from tests.adapters.symbolic_cases import decided, kept
from tests.adapters.test_cedar_planted import meant

CAP = """\
@id("cap") @invariant("never") @reason("never below the floor")
forbid(principal, action == Action::"pricing.set_price", resource)
when { context.args.price_minor < context.facts.floor_minor };
"""
ATTENDED = """\
@id("seen") @invariant("attended")
forbid(principal, action == Action::"pricing.set_price", resource) when { context.args.price_minor > 1000 };
"""
ASK = (
    '@id("ask") @owner("o") @outcome("require_approval") @approver("lead") @reason("r") '
    'forbid(principal, action == Action::"pricing.set_price", resource) when { context.args.price_minor > 500 };'
)
KEEPS = forbid("context.args.price_minor < context.facts.floor_minor")
FORGETS = forbid("context.args.price_minor < context.facts.floor_minor && !context.facts.flagship")


def only(found: Kept) -> tuple[str, bool]:
    """The answer, and whether its one proof is confirmed."""
    (proof,) = found.proofs
    return found.answer, proof.confirmed


@pytest.mark.proves("whatif.invariants")
def test_an_invariant_is_proved_on_one_bundle_and_refuted_on_another() -> None:
    """Never below the floor: proved where a policy says so, refuted with a flagship where it leaves those out; both engines
    let that very request happen."""
    assert only(kept(CAP, ALL, KEEPS)) == ("proved", False)

    found = kept(CAP, ALL, FORGETS)

    assert only(found) == ("refuted", True)
    asked = found.proofs[0].question
    assert asked is not None
    assert asked.facts["flagship"] is True
    assert (found.invariant.id, found.invariant.reason) == ("cap", "never below the floor")
    for engine in ENGINES:
        assert decided(stored(ALL, FORGETS), SET_PRICE, asked, engine).verdict == "allow"


@pytest.mark.proves("whatif.invariants")
def test_attended_is_less_than_never() -> None:
    """Where somebody is asked it may happen: `attended` is proved, `never` refuted, and neither without the policy."""
    never = ATTENDED.replace("attended", "never")

    assert [kept(each, ALL, ASK).answer for each in (ATTENDED, never)] == ["proved", "refuted"]
    assert kept(ATTENDED, ALL).answer == "refuted"


@pytest.mark.proves("whatif.invariants")
@pytest.mark.parametrize(
    ("lasting", "when", "answer"),
    [
        ("attended", "!context.undo", "proved"),
        ("attended", "true", "refuted"),
        ("never", 'context.stage == Stage::"bounded" && !context.undo', "proved"),
        ("never", 'context.stage == Stage::"shadow" && !context.undo', "proved"),
        ("never", 'context.stage == Stage::"partial" && !context.undo', "refuted"),
    ],
)
def test_our_own_rules_are_part_of_the_proof(lasting: str, when: str, answer: str) -> None:
    """A mail cannot be unsent: in no stage is it sent unseen, in shadow and bounded not at all, and an undo is exempt."""
    written = f"""@id("x") @invariant("{lasting}")
        forbid(principal, action == Action::"mail.send", resource) when {{ {when} }};"""

    assert kept(written, ALL).answer == answer


@pytest.mark.proves("whatif.invariants")
def test_every_agent_counts() -> None:
    """A forbid that names the agents it is about proves nothing of others; the witness is one of theirs."""
    named = forbid('principal in Agent::"alpha" && context.args.price_minor < context.facts.floor_minor')

    found = kept(CAP, ALL, named, agents=("alpha", "beta"))

    assert {proof.agents: proof.answer for proof in found.proofs} == {("alpha",): "none", ("beta",): "found"}
    assert found.answer == "refuted"
    assert kept(CAP, ALL, named, agents=("alpha",)).answer == "proved"


@pytest.mark.proves("whatif.invariants")
def test_an_invariant_that_names_an_agent_in_a_clause_is_tried_on_that_agent() -> None:
    """Not on the first whom the same policies concern."""
    written = CAP.replace("when {", 'when { principal in Agent::"beta" &&')

    assert kept(written, ALL, agents=("alpha", "beta")).answer == "refuted"


@pytest.mark.proves("whatif.invariants")
def test_an_invariant_that_cannot_be_evaluated_is_not_proved() -> None:
    """Where its own sum overflows nobody can say that it holds of what happens."""
    written = CAP.replace("context.args.price_minor <", "context.args.price_minor * 9007199254740991 <")
    keeps = forbid(
        "context.args.price_minor <= 1024 && context.args.price_minor * 9007199254740991 < context.facts.floor_minor"
    )

    found = kept(written, ALL, keeps)

    assert only(found) == ("refuted", True)
    assert found.proofs[0].question is not None
    price = found.proofs[0].question.arguments["price_minor"]
    assert isinstance(price, int)
    assert price > 1024


@pytest.mark.proves("whatif.invariants")
def test_what_nobody_knows_is_not_proved() -> None:
    """Out of time, about no contract, for no agent, or resting on a guess: unknown, with the reason."""
    hard = CAP.replace("<", "* context.args.price_minor * context.facts.floor_minor * context.facts.floor_minor ==")
    assert kept(hard, ALL, timeout_ms=1).answer in ("unknown", "refuted")
    assert kept(CAP, ALL, KEEPS, agents=()).answer == "unknown"
    assert kept(CAP.replace("principal,", 'principal in Agent::"nobody",'), ALL, KEEPS).answer == "unknown"


@pytest.mark.proves("whatif.invariants")
@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "there is no invariant"),
        ("forbid(principal", "unexpected"),
        (CAP.replace('"never"', '"always"'), "says what it promises"),
        (CAP.replace("forbid", "permit"), "an invariant is a forbid"),
        (CAP.replace('@id("cap")', ""), "`@id` must be given"),
        (CAP.replace("price_minor", "prize_minor"), "prize_minor"),
        (CAP + CAP, "is taken by the invariant at"),
        (CAP.replace("@reason", '@outcome("deny") @reason'), "`@outcome` means nothing"),
        (CAP.replace("context.args.price_minor <", 'decimal("1.0") == decimal("1.0") && 1 <'), "not supported"),
        ("x" * 3_000_000, "longer than 1 MiB"),
    ],
)
def test_a_mistake_in_an_invariant_is_refused(written: str, said: str) -> None:
    """Before anything is searched, with what is wrong."""
    with pytest.raises(PolicyError) as caught:
        kept(written, ALL, KEEPS)

    assert said in str(caught.value)


@pytest.mark.proves("policy.planted_faults")
@pytest.mark.parametrize(
    ("old", "new", "line", "letters", "says"),
    [
        ('"pricing.set_price"', '"pricing.set_prize"', 2, 'Action::"pricing.set_prize"', "did you mean `pricing.set_price`?"),
        ("args.price_minor", "args.prize_minor", 3, "prize_minor", "did you mean `price_minor`?"),
        ("context.args", "contxt.args", 3, "contxt", "did you mean `context`?"),
        ("@reason", "@reasn", 1, "reasn", "`@reasn` means nothing on an invariant"),
        ('"never"', '"ever"', 1, '"ever"', "an invariant says what it promises"),
        ("(principal,", '(principal == Agent::"alpha",', 2, 'principal == Agent::"alpha"', "write `principal in"),
        ("(principal,", '(principal in Agent::"alhpa",', 2, 'Agent::"alhpa"', "did you mean `alpha`?"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_invariant_is_told_at_its_word(old: str, new: str, line: int, letters: str, says: str) -> None:
    """As one in a policy is: the place, the letters underlined, and the nearest name."""
    [found] = invariant_findings({"i.cedar": CAP.replace(old, new)}, CONTRACTS, ["alpha", "beta"])

    assert (found.file, found.line, meant(found)) == ("i.cedar", line, letters)
    assert says in found.message
    assert invariant_findings({"i.cedar": CAP}, CONTRACTS, ["alpha", "beta"]) == ()
