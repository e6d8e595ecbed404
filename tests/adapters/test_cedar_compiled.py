"""Compiled policies say what Cedar says, know nothing they were not taught, and are watched."""

import ast
from collections.abc import Callable
from typing import Any

import pytest
from cedarpy import pst
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz import fuzz
from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.compiled import Watched, compiled_judge
from interlock.adapters.cedar.compiling import Unsupported, refusal
from interlock.adapters.cedar.compiling import runtime as rt
from interlock.adapters.cedar.compiling.expressions import expression
from interlock.adapters.cedar.judge import CedarJudge
from interlock.adapters.cedar.loaded import Loaded
from interlock.domain.bundle import Bundle
from interlock.domain.errors import PolicyError
from tests.adapters.cedar_cases import ALL, CONTRACTS, forbid, judge_of, one_file, priced, question, satisfied


def loaded(*policies: str) -> Loaded:
    """Policies as every engine takes them."""
    language = CedarPolicies()
    return language.loaded(language.bundle(one_file("\n".join(policies)), CONTRACTS))


@pytest.mark.proves("policy.engines_agree")
def test_twenty_thousand_evaluations_by_chance_agree_with_the_oracle() -> None:
    """Well-typed policies and questions by chance: the same satisfied policies, the same errors."""
    found = fuzz(20_000, seed=1)

    assert not found.difference
    assert found.satisfied > 1_000
    assert found.failed > 100


def _wrapping(left: int, right: int) -> int:
    return (left + right + 2**63) % 2**64 - 2**63


def _unbounded_sum(left: int, right: int) -> int:
    return left + right


def _unbounded_difference(left: int, right: int) -> int:
    return left - right


def _unbounded_product(left: int, right: int) -> int:
    return left * right


def _unbounded_negative(value: int) -> int:
    return -value


def _only_itself(left: rt.Entity, right: object, _: object) -> bool:
    return left == right


def _always(*_: object) -> bool:
    return True


def _in_any_order(text: str, parts: tuple[str, ...]) -> bool:
    return all(part in text for part in parts)


def _stars_are_stars(text: str, parts: tuple[str, ...]) -> bool:
    return text == "*".join(parts)


def _only_the_first(items: tuple[object, ...]) -> frozenset[object]:
    return frozenset(items[:1])


def _empty(_: object) -> rt.Fields:
    return rt.Fields()


def _nothing(*_: int) -> int:
    return 0


def _crashing(*_: int) -> int:
    raise ZeroDivisionError


BROKEN: list[tuple[str, Callable[..., Any]]] = [
    ("_add", _unbounded_sum),
    ("_add", _wrapping),
    ("_sub", _unbounded_difference),
    ("_mul", _unbounded_product),
    ("_neg", _unbounded_negative),
    ("_within", _only_itself),
    ("_has", _always),
    ("_like", _in_any_order),
    ("_like", _stars_are_stars),
    ("_set", _only_the_first),
    ("_record", _empty),
]


@pytest.mark.parametrize(("operation", "broken"), BROKEN)
def test_the_comparison_notices_an_operation_that_is_wrong(
    operation: str, broken: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each operation of the engine, done wrong, makes the two differ: the comparison can fail."""
    monkeypatch.setitem(rt.GLOBALS, operation, broken)

    assert fuzz(600_000, seed=1).difference


@pytest.mark.proves("policy.unknown_nodes_refused")
@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ('decimal("1.0").lessThan(decimal("2.0"))', "decimal"),
        ('ip("10.0.0.1").isLoopback()', "is_loopback"),
        ('datetime("2026-01-01") < datetime("2026-01-02")', "datetime"),
        ('duration("1h") < duration("2h")', "duration"),
    ],
)
def test_what_the_engine_does_not_know_is_refused_when_policies_are_loaded(condition: str, named: str) -> None:
    """Cedar has it, compiled policies do not: the bundle is refused, and the message names it."""
    with pytest.raises(PolicyError, match=named):
        loaded(ALL, forbid(condition))


class _Newer:
    """A node of some later version."""


@pytest.mark.proves("policy.unknown_nodes_refused")
@pytest.mark.parametrize(
    "node",
    [
        _Newer(),
        pst.UnaryOp("newer", pst.BoolLit(True)),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  that is the point
        pst.BinaryOp("newer", pst.BoolLit(True), pst.BoolLit(True)),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  that is the point
        pst.Var("newer"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  that is the point
        pst.Slot("principal"),
        pst.GetAttr(pst.Var("principal"), "stage"),
        pst.HasAttr(pst.Var("resource"), ("env",)),
        pst.BinaryOp("get_tag", pst.Var("principal"), pst.StringLit("x")),
        pst.Like(pst.StringLit("x"), (_Newer(),)),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  that is the point
    ],
)
def test_a_node_that_is_not_known_is_refused(node: object) -> None:
    """By exact type and name, wherever it stands."""
    with pytest.raises(Unsupported):
        expression(pst.UnaryOp("not", node))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  that is the point


def test_a_tree_made_too_deep_is_refused_before_any_stack_is() -> None:
    """cedarpy gives none deeper than 100, but trees can be made otherwise."""
    node: pst.Expr = pst.BoolLit(True)
    for _ in range(100_000):
        node = pst.UnaryOp("not", node)

    with pytest.raises(Unsupported, match="deep"):
        expression(node)


def test_a_clause_that_is_not_known_is_refused() -> None:
    """Neither `when` nor `unless`."""
    template = next(iter(loaded(ALL).templates.values()))
    object.__setattr__(template, "clauses", (_Newer(),))

    assert "_Newer" in (refusal(template) or "")


def test_nothing_but_the_operations_is_within_reach() -> None:
    """A compiled policy has no builtins, and every name it uses is one of ours or an argument."""
    tree = expression(next(iter(loaded(forbid("context.args.price_minor + 1 > 2")).templates.values())).clauses[0].expr)

    assert rt.GLOBALS["__builtins__"] == {}
    assert {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)} <= {"c", "p", "r", "a", "up", *rt.GLOBALS}


texts = st.text(alphabet="ab*", max_size=12)


@given(text=texts, parts=st.lists(st.text(alphabet="ab", max_size=3), min_size=1, max_size=5))
def test_patterns_match_as_a_simple_search_would(text: str, parts: list[str]) -> None:
    """The one pass finds what trying every place finds."""

    def tried(rest: str, left: list[str]) -> bool:
        if len(left) == 1:
            return rest == left[0]
        if not rest.startswith(left[0]):
            return False
        rest = rest[len(left[0]) :]
        return any(tried(rest[place:], left[1:]) for place in range(len(rest) + 1))

    assert rt.like(text, tuple(parts)) == tried(text, parts)


def test_a_hostile_pattern_takes_no_longer_than_the_text() -> None:
    """Where a regular expression would try every combination of forty wildcards, each part is looked for once."""
    assert not rt.like("a" * 200_000, ("",) + ("a",) * 40 + ("b",))


def test_an_error_names_its_policy_and_the_others_are_still_answered() -> None:
    """Two policies overflow, one does not: who failed is said one by one."""
    rules = (
        forbid(f"context.nowMs * context.nowMs > {number}", name=name) for number, name in ((1, "one"), (2, "two"))
    )
    bundle = CedarPolicies().bundle(one_file(ALL), CONTRACTS)
    # Stored as it is: forming one would refuse what may overflow.
    stored = Bundle(sources=dict(one_file("\n".join((ALL, *rules)))), schema=bundle.schema)
    judge = compiled_judge(CedarPolicies().loaded(stored))

    opinions = judge.opinions(question(asked_at=2**40))

    assert opinions.satisfied == ("all",)
    assert [error.split("`")[1] for error in opinions.errors] == ["one", "two"]


def test_records_equal_whatever_their_order_and_may_be_elements_of_sets() -> None:
    """As Cedar has it."""
    one, other = rt.Fields(a=1, b="x"), rt.Fields(b="x", a=1)

    assert one == other
    assert {one} == {other}


@pytest.mark.proves("policy.engine_watched")
def test_a_disagreement_is_answered_by_the_library_told_once_and_ends_the_trust(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An engine that is wrong is found out by the first question put to both, and answers nothing from then on."""
    watched = Watched(loaded(ALL, forbid("context.args.price_minor + 0 > 5", name="dear")), every=1)
    judge = CedarJudge(loaded(ALL, forbid("context.args.price_minor + 0 > 5", name="dear")), watched.prepare)
    assert satisfied(judge, priced(price_minor=10)) == ("all", "dear")
    monkeypatch.setitem(rt.GLOBALS, "_add", _nothing)

    first, second = judge.opinions(priced(price_minor=10)), judge.opinions(priced(price_minor=10))

    assert (first.satisfied, first.errors) == (("all", "dear"), ())
    assert "`dear`" in first.alarm
    assert (second.satisfied, second.alarm) == (("all", "dear"), "")
    assert not watched.trusted


@pytest.mark.proves("policy.engine_watched")
def test_an_engine_that_fails_where_the_library_answers_is_found_out_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the engine's own is a disagreement, not a denial."""
    judge = judge_of(ALL, forbid("context.args.price_minor + 0 > 5", name="dear"))
    monkeypatch.setitem(rt.GLOBALS, "_add", _crashing)

    opinions = judge.opinions(priced(price_minor=10))

    assert (opinions.satisfied, opinions.errors) == (("all", "dear"), ())
    assert opinions.alarm


def test_the_first_question_to_a_slice_and_every_so_manyth_is_put_to_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two comparisons nothing is compared; the next one finds what became wrong."""
    found = loaded(ALL, forbid("context.args.price_minor + 0 > 5", name="dear"))
    watched = Watched(found, every=4)
    judge = CedarJudge(found, watched.prepare)
    assert satisfied(judge, priced(price_minor=10)) == ("all", "dear")
    monkeypatch.setitem(rt.GLOBALS, "_add", _nothing)

    alarms = [bool(judge.opinions(priced(price_minor=10)).alarm) for _ in range(4)]

    assert alarms == [False, False, False, True]
