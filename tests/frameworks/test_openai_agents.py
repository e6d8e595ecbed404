"""The adapter for the OpenAI Agents SDK, proven in its own environment against the real package."""

import pytest

from tests.frameworks.environments import passes, well_typed

NAME = "openai_agents"


@pytest.mark.proves("openai-agents.governed")
def test_every_call_goes_through_the_gate() -> None:
    """One line governs an agent, and those it hands over to; what cannot be governed is refused."""
    passes(
        NAME,
        "test_one_line_governs_every_call",
        "test_synchronous_streamed_and_in_the_task_that_is_open",
        "test_what_reviewers_change_is_what_runs",
        "test_shadow_budget_and_brake",
        "test_silence_is_a_no",
        "test_handoffs_are_governed_too",
        "test_what_cannot_be_governed_is_refused",
        "test_a_tools_own_context_reaches_it",
    )


@pytest.mark.slow
@pytest.mark.proves("openai-agents.pause")
def test_their_approval_agrees_to_nothing() -> None:
    """A held call is an interruption; approving it in the SDK agrees to nothing, the record in the control plane does."""
    passes(NAME, "test_their_approval_agrees_to_nothing", "test_a_rejected_one_is_told")


@pytest.mark.slow
@pytest.mark.proves("openai-agents.once")
def test_no_crash_or_cancellation_repeats_an_effect() -> None:
    """Killed at each step and resumed from JSON in another process, cancelled or raising, a call has its effect once at most."""
    passes(
        NAME,
        "test_a_killed_run_repeats_no_effect",
        "test_a_cancelled_run_leaves_its_call_where_it_was",
        "test_a_tool_that_raises_is_no_result",
    )


@pytest.mark.slow
def test_the_adapter_is_well_typed() -> None:
    """It is strictly typed, with the framework's own types."""
    well_typed(NAME)
