"""The adapter for Pydantic AI, proven in its own environment against the real package."""

import pytest

from tests.frameworks.environments import passes, well_typed

NAME = "pydantic_ai"


@pytest.mark.proves("pydantic-ai.governed")
def test_every_call_goes_through_the_gate() -> None:
    """One capability governs all toolsets of an agent; tools get what was agreed to, as their own types."""
    passes(
        NAME,
        "test_one_line_governs_every_call",
        "test_synchronously_and_in_the_task_that_is_open",
        "test_what_reviewers_change_is_what_runs",
        "test_shadow_budget_and_brake",
        "test_silence_is_a_no",
        "test_ungoverned_are_those_that_are_named",
    )


@pytest.mark.slow
@pytest.mark.proves("pydantic-ai.pause")
def test_their_approval_agrees_to_nothing() -> None:
    """A held call is deferred; approving it in the framework agrees to nothing, the record in the control plane does."""
    passes(
        NAME,
        "test_their_approval_agrees_to_nothing",
        "test_a_rejected_one_is_told",
        "test_a_paused_run_outlives_its_process",
    )


@pytest.mark.slow
@pytest.mark.proves("pydantic-ai.once")
def test_no_crash_or_cancellation_repeats_an_effect() -> None:
    """Killed at each step and run again in its conversation, cancelled or raising, a call has its effect once at most."""
    passes(
        NAME,
        "test_a_killed_run_repeats_no_effect",
        "test_a_cancelled_run_leaves_its_call_where_it_was",
        "test_a_tool_that_raises_may_have_acted",
    )


@pytest.mark.slow
def test_the_adapter_is_well_typed() -> None:
    """It is strictly typed, with the framework's own types."""
    well_typed(NAME)
