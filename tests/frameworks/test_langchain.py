"""The adapter for LangChain and LangGraph, proven in its own environment against the real packages."""

import pytest

from tests.frameworks.environments import passes, well_typed

NAME = "langchain"


@pytest.mark.proves("langchain.governed")
def test_every_call_goes_through_the_gate() -> None:
    """One line of middleware, or of a `ToolNode`, governs agents that run synchronously, asynchronously and in parallel."""
    passes(
        NAME,
        "test_one_line_governs_every_call",
        "test_the_same_synchronously_and_in_the_task_that_is_open",
        "test_a_tool_node_is_governed_alike",
        "test_what_reviewers_change_is_what_runs",
        "test_shadow_budget_and_brake",
        "test_silence_is_a_no",
        "test_ungoverned_are_those_that_are_named",
    )


@pytest.mark.slow
@pytest.mark.proves("langchain.pause")
def test_our_pause_replaces_theirs() -> None:
    """A held call interrupts the graph; no way of resuming it agrees to anything; the record in the control plane does."""
    passes(
        NAME,
        "test_our_pause_replaces_theirs",
        "test_a_paused_run_outlives_its_process",
        "test_a_pause_wants_a_checkpointer",
        "test_checkpoints_written_beside_the_work_are_warned_of",
    )


@pytest.mark.slow
@pytest.mark.proves("langchain.once")
def test_no_crash_retry_fork_or_cancellation_repeats_an_effect() -> None:
    """Killed at each step, tried again, forked or cancelled and run again, a call has its effect once at most."""
    passes(
        NAME,
        "test_a_killed_run_repeats_no_effect",
        "test_a_tool_that_raises_is_not_tried_again",
        "test_a_handoff_is_made_again_from_the_record",
        "test_a_cancelled_run_leaves_its_call_where_it_was",
    )


@pytest.mark.slow
def test_the_adapter_is_well_typed() -> None:
    """It is strictly typed, with the framework's own types."""
    well_typed(NAME)
