"""Which tests of the battery say what: each framework's file runs them in its environment, by these names."""

from typing import Final

GOVERNED: Final = (
    "test_a_call_that_is_allowed_runs_once_inside_the_gate",
    "test_a_no_never_reaches_the_tool",
    "test_a_budget_ends_the_calls",
    "test_a_stopped_agent_touches_nothing",
    "test_a_held_call_waits_and_runs_when_it_is_approved",
    "test_a_reviewer_changes_the_arguments",
    "test_a_rejected_call_never_runs",
    "test_a_call_that_nobody_answers_expires",
    "test_a_told_model_asks_again",
    "test_calls_at_once_run_each_once",
    "test_a_synchronous_program_is_governed_alike",
)
"""Nothing reaches a tool but through the gate."""
ONCE: Final = (
    "test_a_tool_that_raises_is_not_run_again",
    "test_a_run_that_is_made_anew_under_its_name_repeats_nothing",
    "test_what_touched_nothing_is_judged_anew",
    "test_a_cancelled_run_leaves_nothing_unseen",
    "test_a_killed_run_repeats_no_effect",
)
"""Whatever ends or repeats a run, its effects are there once."""
PAUSE: Final = (
    "test_a_paused_run_goes_on_in_another_process",
    "test_resuming_a_paused_run_agrees_to_nothing",
)
"""The framework's own pause, where it has one, is ours."""
STEPS: Final = ("test_a_run_killed_at_any_step_repeats_no_effect",)
"""The same at each step: what takes a while."""


def of(suite: str, *names: str) -> tuple[str, ...]:
    """The tests `names` of a class."""
    return tuple(f"{suite}::{each}" for each in names)
