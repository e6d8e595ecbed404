"""A budget adds up, whatever is drawn from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.budget import Budget, Draw, budget_key, drawn, ended, returned, settled
from interlock.domain.errors import BudgetExceeded


@pytest.mark.proves("budget.never_over", "budget.exact")
@given(st.integers(0, 50), st.lists(st.tuples(st.integers(0, 20), st.booleans())))
def test_reserved_and_spent_are_exact_and_never_over(limit: int, made: list[tuple[int, bool]]) -> None:
    """What fits is reserved, what does not is refused with what is left; ended, nothing is reserved and the spent are spent."""
    budget, kept = Budget(scope="tenant", unit="EUR", limit=limit), list[tuple[Draw, bool]]()
    for amount, spent in made:
        draw = Draw(budget=budget.key, move="reserve", amount=amount)
        if amount <= limit - sum(each.amount for each, _ in kept):
            budget = drawn(budget, draw)
            kept.append((draw, spent))
        else:
            with pytest.raises(BudgetExceeded) as caught:
                drawn(budget, draw)
            assert caught.value.left == budget.left < amount
        assert budget.reserved <= limit
    for draw, spent in kept:
        for closing in ended((draw,), spent=spent):
            budget = drawn(budget, closing)
        assert budget.reserved + budget.spent <= limit
    assert (budget.reserved, budget.spent) == (0, sum(draw.amount for draw, spent in kept if spent))


def test_a_draw_is_never_negative() -> None:
    """Drawing less than nothing would be earning."""
    with pytest.raises(ValueError, match="negative"):
        drawn(Budget(scope="tenant", unit="EUR", limit=1), Draw(budget="tenant/EUR", move="reserve", amount=-1))


def test_its_key() -> None:
    """Scope and unit."""
    assert Budget(scope="agent:ag", unit="calls", limit=1).key == budget_key("agent:ag", "calls") == "agent:ag/calls"


AMOUNTS = st.lists(st.tuples(st.integers(1, 20), st.integers(0, 40), st.booleans()), max_size=6)


@pytest.mark.proves("use.more", "tree.exact")
@given(AMOUNTS)
def test_what_was_used_beyond_what_was_reserved_arrives_around_exactly_once(uses: list[tuple[int, int, bool]]) -> None:
    """Some uses of a child end before it is closed, others after: in the end nothing is reserved, neither in it nor around it,
    and around it is spent what was used, however much more than its limit that was. Closed again, nothing changes."""
    limit = sum(most for most, _, _ in uses)
    around = drawn(Budget(scope="task:top", unit="EUR", limit=1000), Draw(budget="", move="reserve", amount=limit))
    child = Budget(scope="task:part", unit="EUR", limit=limit, within=(around.key,))
    draws = [(Draw(budget=child.key, move="reserve", amount=most), used, late) for most, used, late in uses]
    for draw, _, _ in draws:
        child = drawn(child, draw)

    for turn in (False, True):
        for draw, used, late in draws:
            for closing in settled((draw,), {"EUR": used}) if late is turn else ():
                child = drawn(child, closing)
        for _ in range(2):
            child, passed = returned(child)
            for each in passed:
                around = drawn(around, each)
        assert around.reserved == child.reserved

    assert (around.reserved, around.spent) == (0, sum(used for _, used, _ in draws))
    assert child.left == 0
