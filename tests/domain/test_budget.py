"""A budget adds up, whatever is drawn from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.budget import Budget, Draw, budget_key, drawn, ended
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
