"""What will change, as a reviewer sees it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.changing import Changing
from interlock.domain.contract import Contract, Cost, Facts, NoReversal, PythonTarget
from interlock.domain.diff import between, rows_of
from interlock.domain.errors import ContractError
from interlock.domain.money import money
from interlock.testing.world import contract

SCHEMA = {
    "type": "object",
    "properties": {"order": {"type": "string"}, "minor": {"type": "integer"}, "currency": {"type": "string"}},
    "required": ["order", "minor"],
    "additionalProperties": False,
}
NONE = NoReversal(why="a test")
FACTS = Facts(
    source=PythonTarget(target="m:f"),
    schema={"type": "object", "properties": {"paid": {"type": "integer"}, "order": {"type": "string"}}},
)


def changing(**changes: Changing) -> Contract:
    """A contract that says so."""
    return contract(input_schema=SCHEMA, facts=FACTS, changes=changes, reversal=NONE)


def test_a_declared_change_is_told_with_its_money_and_share() -> None:
    """Before and after are read from facts and arguments, added up, and told in the currency with the share of the difference."""
    asked = changing(
        refunded=Changing(before="$facts.paid", after="$facts.paid + $args.minor - 100", money="$args.currency")
    )

    (row,) = rows_of(asked, {"order": "A", "minor": 350, "currency": "EUR"}, {"paid": 1000})

    assert (row.kind, row.before, row.after) == ("changed", 1000, 1250)
    assert (row.before_text, row.after_text, row.difference) == ("10.00 EUR", "12.50 EUR", "+2.50 EUR (+25 %)")


def test_what_cannot_be_found_out_is_not_made_up() -> None:
    """A fact that is not there leaves the row without a before, and never invents one; a text is not added to a number."""
    asked = changing(
        refunded=Changing(before="$facts.paid", after="$args.minor", unit="pieces"),
        odd=Changing(after="$args.order + $args.minor"),
    )

    first, odd = rows_of(asked, {"order": "A", "minor": 350}, {})

    assert (first.kind, first.before_text, first.after_text) == ("set", "", "350 pieces")
    assert odd.after is None


def test_without_a_word_of_the_contract_arguments_stand_against_facts_of_their_name() -> None:
    """Arguments with a fact of the same name show both, the others what they are; what the cost names is money."""
    plain = contract(input_schema=SCHEMA, facts=FACTS, reversal=NONE, cost=Cost(unit="EUR", amount="$args.minor"))

    order, minor = rows_of(plain, {"order": "B", "minor": 99}, {"order": "A"})

    assert (order.kind, order.before, order.after) == ("changed", "A", "B")
    assert (minor.kind, minor.after_text) == ("set", "0.99 EUR")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Changing(after="$args.nothing"), "names no argument"),
        (Changing(after="$facts.nothing"), "names no fact"),
        (Changing(after="$args.minor * 2"), "neither a path"),
        (Changing(after="$result.x"), "neither a path"),
        (Changing(after=1, money="euro"), "no currency"),
        (Changing(after=1, money="EUR", unit="pieces"), "not both"),
        (Changing(after=" + ".join(["$args.minor"] * 9)), "more than 8"),
    ],
)
def test_a_change_that_says_nothing_is_refused_with_the_contract(change: Changing, said: str) -> None:
    """What is declared is held against the schemas when the contract is checked."""
    with pytest.raises(ContractError, match=said) as refused:
        changing(refunded=change)

    assert refused.value.path == "/changes/refunded"


def test_a_change_of_facts_of_a_contract_without_any_is_refused() -> None:
    """Who reads no facts cannot say what was."""
    with pytest.raises(ContractError, match="reads none"):
        contract(changes={"n": Changing(before="$facts.n", after="$args.n")})


def test_a_contract_that_declares_no_change_keeps_its_digest() -> None:
    """The new field is left out where it is empty: what was held under an earlier version is still the same contract."""
    assert "changes" not in msgspec.json.decode(msgspec.json.encode(contract()))


def test_between_two_sets_of_arguments_only_what_differs_is_told() -> None:
    """A modification shows what was asked for, and what it became."""
    (row,) = between(contract(), {"n": 50, "text": "a"}, {"n": 40, "text": "a"})

    assert (row.name, row.before, row.after, row.difference) == ("n", 50, 40, "-10 (-20 %)")


@given(st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "JPY", "KWD", "not money"]))
def test_money_is_exact(minor: int, currency: str) -> None:
    """Whatever the currency's digits, the figures that are shown are those of the minor units: none is lost or rounded."""
    digits = money(minor, currency).removesuffix(f" {currency}")

    assert int("".join(each for each in digits if each.isdigit())) == abs(minor)
    assert digits.startswith("-") == (minor < 0)
