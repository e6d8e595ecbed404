"""What is undone next, what blocks, and what an undo is called with."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.action import Action, Outcome, State
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import NoReversal, Reversal
from interlock.domain.errors import ContractError
from interlock.domain.ids import ContractName
from interlock.domain.unwind import (
    IN_FLIGHT,
    Blocked,
    Finished,
    Undo,
    Wait,
    irreversible_now,
    next_undo,
    resolve,
    undo_arguments,
)
from interlock.testing.world import contract
from tests.domain.actions import THING, action

READ = contract("thing.get", effect="read", reversal=None)
FINAL = contract("thing.burn", reversal=NoReversal(why="ashes"))
CONTRACTS = {each.digest: each for each in (THING, READ, FINAL)}
LANDED: list[State] = ["done", "undoing", "undo_failed", "unknown"]


def landed(number: int, state: State = "done", at: int | None = None, **changes: Any) -> Action:
    """An action that was dispatched at `number` and answered at `at`."""
    outcome = Outcome(observed_at=number if at is None else at, by="tool") if state != "unknown" else None
    known: dict[str, Any] = {"dispatched_at": number, "ended_at": at or number, "outcome": outcome}
    return action(id=f"a{number}", state=state, **known | changes)


@pytest.mark.proves("undo.reverse_order")
@given(st.permutations(range(1, 8)))
def test_the_last_one_first(order: list[int]) -> None:
    """Whatever order they are listed in, the next to be undone is the one that happened last."""
    standing = [landed(number) for number in order]
    undone: list[int] = []
    while not isinstance(step := next_undo(standing, CONTRACTS, 10), Finished):
        assert isinstance(step, Undo)
        undone.append(int(step.action.id[1:]))
        standing.remove(step.action)
    assert undone == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.proves("undo.in_flight", "undo.blocks")
@given(st.lists(st.tuples(st.sampled_from([*LANDED, *sorted(IN_FLIGHT)]), st.booleans()), max_size=6))
def test_nothing_is_passed_over(made: list[tuple[State, bool]]) -> None:
    """In flight is waited for; then the last that stands decides: undone if it can be, waited for, or blocking."""
    actions = [landed(number, state, due_at=5 if pending else None) for number, (state, pending) in enumerate(made, 1)]
    step = next_undo(actions, CONTRACTS, 10)

    flying = [each for each in actions if each.state in IN_FLIGHT or (each.state == "unknown" and each.due_at)]
    if flying:
        assert step == Wait(flying[0])
    elif not actions:
        assert step == Finished()
    else:
        last = actions[-1]
        wanted = {"done": Undo, "undoing": Wait, "undo_failed": Blocked, "unknown": Blocked}[last.state]
        assert isinstance(step, Undo | Wait | Blocked)
        assert (type(step), step.action) == (wanted, last)


@pytest.mark.proves("undo.in_flight", "undo.blocks")
def test_a_program_that_may_never_come_back_is_not_waited_for() -> None:
    """What only a program could repeat blocks what came before it; where a lookup will be asked, that is waited for."""
    left = landed(2, "unknown", due_at=5, place="own")
    step = next_undo([landed(1), left], CONTRACTS, 10)
    assert isinstance(step, Blocked)
    assert step.action == left
    asked = landed(2, "unknown", due_at=5)
    assert next_undo([landed(1), asked], CONTRACTS, 10) == Wait(asked)


@pytest.mark.proves("undo.reverse_order")
def test_a_late_word_does_not_make_a_late_effect() -> None:
    """What a person or a lookup settled long afterwards counts from when it was begun."""
    early = landed(1, outcome=Outcome(observed_at=99, by="person"), ended_at=99)
    step = next_undo([early, landed(2)], CONTRACTS, 100)
    assert isinstance(step, Undo)
    assert step.action.id == "a2"


def test_what_only_reads_is_left_alone() -> None:
    """A read has nothing to undo and blocks nothing, whatever became of it."""
    reads = [action(READ, id=f"r{n}", state=state, dispatched_at=n) for n, state in enumerate(LANDED)]
    assert next_undo(reads, CONTRACTS, 10) == Finished()


@pytest.mark.proves("undo.window")
@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 300))
def test_the_window_is_counted_from_the_end(ended: int, within: int, now: int) -> None:
    """Undone until the window's last millisecond, and not after it."""
    of = contract(reversal=Reversal(contract=ContractName("thing.take"), arguments={}, within_ms=within))
    assert (irreversible_now(action(of, ended_at=ended), of, now) is None) == (now <= ended + within)


def test_what_has_no_reversal_says_why() -> None:
    """The statement of the contract is the answer."""
    assert irreversible_now(action(FINAL), FINAL, 0) == "it cannot be undone: ashes"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("$args.n", 1),
        ("$result.was.minor", 5),
        ("$result", {"was": {"minor": 5}}),
        ("$$args.n", "$args.n"),
        ("plain", "plain"),
        (7, 7),
        (["$args.n"], ["$args.n"]),
    ],
)
def test_paths_lead_into_arguments_and_result(value: JsonValue, found: JsonValue) -> None:
    """`$args` and `$result` are where they say, `$$` is a dollar, anything else is itself."""
    reversal = Reversal(contract=ContractName("thing.take"), arguments={"x": value})
    given_action = action(outcome=Outcome(result={"was": {"minor": 5}}))
    assert undo_arguments(given_action, reversal) == {"x": found}


@pytest.mark.parametrize("path", ["$result.id", "$args.n.deeper", "$args.", "$other.n", "$"])
def test_a_path_that_leads_nowhere_is_an_error(path: str) -> None:
    """Nothing is made up for what is not there."""
    with pytest.raises(ContractError):
        resolve(path, {"$args": {"n": 1}, "$result": None})
