"""The table of moves, and what an action is after each."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.action import ENDS, MEANING, MOVES, NEW, SETTLED, WAITING, Action, Move, State, first, intent
from interlock.domain.errors import IllegalMove
from interlock.domain.ids import WorkerId
from interlock.domain.unwind import IN_FLIGHT, OPEN
from tests.domain.actions import action

STATES: tuple[State, ...] = get_args(State)
MOVE_NAMES: tuple[Move, ...] = get_args(Move)


@pytest.mark.proves("action.moves")
def test_the_table_is_complete() -> None:
    """Every state has a row and a meaning, every move is used, and every state can be come to."""
    assert set(MOVES) == {*STATES, NEW}
    assert set(MEANING) == set(STATES)
    assert {move for ways in MOVES.values() for move in ways} == set(MOVE_NAMES)
    assert {to for ways in MOVES.values() for to in ways.values()} == set(STATES)


@pytest.mark.proves("action.moves")
@given(st.sampled_from(STATES), st.sampled_from(MOVE_NAMES))
def test_only_what_the_table_says_is_possible(state: State, move: Move) -> None:
    """A move leads where the table says, and any other raises and says from where."""
    before = action(state=state)
    target = MOVES[state].get(move)
    if target is None:
        with pytest.raises(IllegalMove) as caught:
            before.after(move)
        assert caught.value.members["state"] == state
    else:
        assert before.after(move) == msgspec.structs.replace(before, state=target)


@pytest.mark.proves("action.moves")
@given(st.sampled_from(MOVE_NAMES))
def test_how_an_action_is_born(move: Move) -> None:
    """An action begins in no other way than those of the table."""
    if move in MOVES[NEW]:
        assert first(move) == MOVES[NEW][move]
    else:
        with pytest.raises(IllegalMove):
            first(move)


@pytest.mark.proves("action.moves")
def test_every_way_ends() -> None:
    """From every state an end, or `done`, can be reached; an end is left by nothing."""
    good: set[str] = {*ENDS, "done"}
    for _ in STATES:
        good |= {state for state, ways in MOVES.items() if set(ways.values()) & good}
    assert good == {*STATES, NEW}
    assert all(not MOVES[state] for state in ENDS)


@pytest.mark.proves("action.intent_first")
def test_nothing_is_done_without_dispatching() -> None:
    """The only ways to `done` lead through `dispatching`, or through `unknown`, to which only `dispatching` leads."""
    to_done = {state for state, ways in MOVES.items() if "done" in ways.values()}
    to_unknown = {state for state, ways in MOVES.items() if "unknown" in ways.values()}
    assert to_done == {"dispatching", "unknown"}
    assert to_unknown == {"dispatching"}


def test_the_groups_of_states_fit() -> None:
    """Who has an answer does not wait for one, and what an unwind looks at is what has not ended."""
    assert not SETTLED & WAITING
    assert set(STATES) - SETTLED - WAITING == {"unknown", "aborting"}
    assert not (OPEN | IN_FLIGHT) & SETTLED


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 10**6))
def test_an_intent_is_a_lease_and_one_more_attempt(fence: int, attempt: int, now: int) -> None:
    """The fence and the attempt rise by one, the intent carries the new fence, and the first time is kept."""
    before = action(state="ready", fence=fence, attempt=attempt)
    worker = WorkerId("w")

    once = intent(before, owner=worker, until=now + 5, now=now)
    twice = intent(once, owner=worker, until=now + 9, now=now + 4)

    assert (once.fence, once.attempt, once.dispatched_fence) == (fence + 1, attempt + 1, fence + 1)
    assert (once.owner, once.lease_until, once.due_at, once.dispatched_at) == ("w", now + 5, now + 5, now)
    assert (twice.first_dispatched_at, twice.dispatched_at) == (now, now + 4)
    assert twice.with_lease(owner=worker, until=1).dispatched_fence != twice.fence + 1
    assert isinstance(twice, Action)
