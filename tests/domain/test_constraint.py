"""Constraints: what each admits, what is never read, what is narrower, and what two have in common."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from interlock.domain.canonical import JsonValue
from interlock.domain.constraint import (
    MAX_DEPTH,
    MAX_PARTS,
    MAX_VALUES,
    Constraint,
    ConstraintError,
    Exact,
    Range,
    admits,
    holds,
    read_constraint,
    said,
    written,
)
from interlock.domain.narrowing import meet, narrower
from tests.domain.delegations import CONSTRAINTS, PAIRS, UNIVERSE


def form(kind: str, **members: Any) -> JsonValue:
    """A constraint as JSON says it."""
    return {"constraint_type": kind, **members}


@pytest.mark.parametrize(
    ("constraint", "yes", "no"),
    [
        (form("exact", value="EUR"), ["EUR"], ["eur", "", None]),
        (form("exact", value=1), [1], [True, "1", [1]]),
        (form("exact", value={"a": [1]}), [{"a": [1]}], [{"a": [True]}, {"a": [1], "b": 1}, {}]),
        (form("range", min=1, max=3), [1, 2, 3], [0, 4, True, "2", None]),
        (form("range", max=3), [-9, 3], [4]),
        (form("range", min=1), [1, 10**12], [0]),
        (form("one_of", values=[0, "a"]), [0, "a"], [False, "0", "b"]),
        (form("not_one_of", excluded=["root", 0]), ["ana", False, None], ["root", 0]),
        (form("subset", allowed=["a", "b"]), [[], ["a"], ["b", "a", "a"]], [["c"], "a", None, ["a", "c"]]),
        (form("contains", required=["a"]), [["a"], ["b", "a"]], [[], ["b"], "a"]),
        (form("wildcard"), [None, 1, "x", [], {}], []),
        (form("all", constraints=[form("range", min=1), form("not_one_of", excluded=[2])]), [1, 3], [2, 0]),
        (form("any", constraints=[form("exact", value=1), form("exact", value="a")]), [1, "a"], [True, "b"]),
    ],
)
def test_each_form_admits_what_it_says(constraint: JsonValue, yes: list[JsonValue], no: list[JsonValue]) -> None:
    """Each form admits what it says, by typed equality, and refuses everything else with what it should be."""
    read = read_constraint(constraint)

    assert [value for value in yes if not holds(read, value)] == []
    assert [value for value in no if holds(read, value)] == []
    assert all(admits(read, value) == f"must be {said(read)}" for value in no)


@pytest.mark.proves("tokens.unknown_denies")
@pytest.mark.parametrize(
    "bad",
    [
        form("regex", pattern=".*"),
        form("Exact", value=1),
        {"value": 1},
        {},
        None,
        "wildcard",
        [form("wildcard")],
        form("wildcard", pattern="x"),
        form("exact"),
        form("exact", value=1.5),
        form("exact", value=2**60),
        form("exact", value="x" * 5000),
        form("range"),
        form("range", min=None),
        form("range", min=3, max=1),
        form("range", min=True),
        form("range", max="3"),
        form("range", max=2**53),
        form("range", max=3, max_inclusive=False),
        form("one_of", values=[]),
        form("one_of", values="ab"),
        form("one_of", values=list(range(MAX_VALUES + 1))),
        form("not_one_of", excluded=[]),
        form("subset", allowed=[]),
        form("contains", required=[]),
        form("all", constraints=[]),
        form("any", constraints=[]),
        form("all", constraints=[form("wildcard"), form("cel", expression="true")]),
        form("any", constraints=[form("exact", value=n) for n in range(MAX_PARTS)]),
    ],
)
def test_what_is_not_known_is_not_read(bad: JsonValue) -> None:
    """A type or member that is not known, an empty form and one beyond the bounds is refused when it is read."""
    with pytest.raises(ConstraintError):
        read_constraint(bad)


def test_constraints_stand_only_so_deep_in_each_other() -> None:
    """One level more than allowed is refused, and a thousand are refused, not crashed upon."""
    nested: dict[str, JsonValue] = {"constraint_type": "wildcard"}
    for _ in range(MAX_DEPTH - 1):
        nested = {"constraint_type": "all", "constraints": [nested]}
    assert holds(read_constraint(nested), 1)

    for more in (1, 5_000):
        deep = nested
        for _ in range(more):
            deep = {"constraint_type": "any", "constraints": [deep]}
        with pytest.raises(ConstraintError):
            read_constraint(deep)


def test_no_bound_is_true() -> None:
    """In Python True is a number; as a bound it is refused there, too."""
    with pytest.raises(ConstraintError):
        Range(min=True)


@given(one=CONSTRAINTS)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read(one: Constraint) -> None:
    """A constraint comes back as it was, value by value and type by type."""
    again = read_constraint(msgspec.json.decode(msgspec.json.encode(written(one))))

    assert [holds(again, value) for value in UNIVERSE] == [holds(one, value) for value in UNIVERSE]
    assert msgspec.json.encode(again) == msgspec.json.encode(one)


@pytest.mark.proves("tokens.narrowing_sound")
@given(pair=PAIRS)
@settings(max_examples=150, deadline=None)
def test_what_is_narrower_admits_nothing_more(pair: tuple[Constraint, Constraint]) -> None:
    """Whatever a constraint that is called narrower admits, the other admits."""
    child, parent = pair
    if narrower(child, parent) is None:
        assert [value for value in UNIVERSE if holds(child, value) and not holds(parent, value)] == []


@given(one=CONSTRAINTS)
@settings(max_examples=60, deadline=None)
def test_everything_is_as_narrow_as_itself(one: Constraint) -> None:
    """Handing on what one has is no widening."""
    assert narrower(one, one) is None


@pytest.mark.proves("tokens.meet")
@given(pair=PAIRS)
@settings(max_examples=120, deadline=None)
def test_what_two_have_in_common_is_exactly_that(pair: tuple[Constraint, Constraint]) -> None:
    """The meet of two admits what both admit and nothing else, and is seen to be narrower than each."""
    one, other = pair
    try:
        both = meet(one, other)
    except ConstraintError:
        return

    expected = [holds(one, value) and holds(other, value) for value in UNIVERSE]
    assert [both is not None and holds(both, value) for value in UNIVERSE] == expected
    if both is not None:
        assert narrower(both, one) is None
        assert narrower(both, other) is None


@pytest.mark.parametrize(
    ("child", "parent", "is_narrower"),
    [
        (form("exact", value=2), form("range", min=1, max=3), True),
        (form("exact", value=True), form("exact", value=1), False),
        (form("exact", value=True), form("range", min=0), False),
        (form("range", min=1, max=3), form("one_of", values=[1, 2, 3]), True),
        (form("range", min=1, max=4), form("one_of", values=[1, 2, 3]), False),
        (form("range", max=3), form("range", min=0, max=3), False),
        (form("one_of", values=["a", "c"]), form("one_of", values=["a", "b"]), False),
        (form("wildcard"), form("not_one_of", excluded=["a"]), False),
        (form("subset", allowed=["a"]), form("not_one_of", excluded=["a"]), True),
        (form("contains", required=["a", "b"]), form("contains", required=["a"]), True),
        (form("contains", required=["a"]), form("contains", required=["a", "b"]), False),
        (form("subset", allowed=["a", "b"]), form("subset", allowed=["a"]), False),
        (
            form("all", constraints=[form("range", min=0), form("range", max=5)]),
            form("range", min=0, max=5),
            True,
        ),
        (form("range", min=0), form("all", constraints=[form("range", min=0), form("range", max=5)]), False),
        (
            form("any", constraints=[form("exact", value=1), form("exact", value="x")]),
            form("any", constraints=[form("range", min=0, max=5), form("exact", value="y")]),
            False,
        ),
    ],
)
def test_narrowing_form_by_form(child: JsonValue, parent: JsonValue, is_narrower: bool) -> None:
    """What each form is narrower than, as an author of tokens would expect it."""
    words = narrower(read_constraint(child), read_constraint(parent))

    assert (words is None) == is_narrower
    assert is_narrower or (words is not None and " is not within " in words)


def test_the_worst_that_fits_is_compared_at_once() -> None:
    """The most intricate constraints that are read at all are compared within a fraction of a second."""
    lists = form("one_of", values=list(range(MAX_VALUES)))
    alls = form("all", constraints=[form("contains", required=[n]) for n in range(10)] + [form("wildcard")] * 5)
    wide = form("any", constraints=[alls, form("all", constraints=[lists] * 10)])
    one, other = read_constraint(wide), read_constraint(form("all", constraints=[wide]))

    narrower(one, other)
    narrower(other, one)


def test_words_stay_short() -> None:
    """What a constraint says of itself is bounded, whatever it holds, and a text is told from what looks alike."""
    long = read_constraint(form("one_of", values=["x" * 4000] * 100))

    assert len(said(long)) < 700
    assert said(Exact(value="1")) == '`"1"`'
    assert said(Exact(value=1)) == "`1`"
    assert said(Exact(value="EUR")) == "`EUR`"
