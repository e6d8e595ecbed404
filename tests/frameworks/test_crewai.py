"""The adapter of CrewAI, proven in its own environment against the real package."""

import pytest

from tests.frameworks.environments import passes, well_typed
from tests.frameworks.promised import GOVERNED, ONCE, PAUSE, of

NAME = "crewai"
SUITE = "TestCrew"


@pytest.mark.slow
@pytest.mark.proves("crewai.governed")
def test_every_call_goes_through_the_gate() -> None:
    """Governed tools touch nothing but through the gate, whether calls are values or text; a no is no final answer."""
    passes(
        NAME,
        *of(
            SUITE,
            *GOVERNED,
            "test_a_no_is_no_final_answer",
            "test_a_limit_that_the_tool_has_counts_on",
            "test_what_was_refused_is_asked_anew",
            "test_asynchronous_tools_are_run_once",
            "test_a_crew_that_is_awaited_is_governed",
        ),
    )


@pytest.mark.slow
@pytest.mark.proves("crewai.once")
def test_no_crash_retry_or_cancellation_repeats_an_effect() -> None:
    """Killed, cancelled or run again under its name, a crew has each effect once at most."""
    passes(NAME, *of(SUITE, *ONCE, "test_alike_calls_of_one_kickoff_are_one_and_of_two_are_two"))


@pytest.mark.slow
def test_a_pause_is_not_pretended() -> None:
    """It cannot be paused so that it could be resumed, and asking for that is an error."""
    passes(NAME, *of(SUITE, PAUSE[0]))


@pytest.mark.slow
@pytest.mark.proves("crewai.retries")
def test_what_crewai_tries_again_is_not_done_again() -> None:
    """Guardrails, failing models and raising tools have bare CrewAI do the same thing twice and six times; under the gate it
    is done once."""
    passes(
        NAME,
        *of(
            SUITE,
            "test_a_guardrail_that_has_a_task_tried_again_repeats_nothing",
            "test_a_task_that_is_tried_again_after_an_error_repeats_nothing",
            "test_a_tool_that_raises_is_run_once_where_crewai_runs_it_six_times",
        ),
    )


@pytest.mark.slow
def test_the_adapter_is_well_typed() -> None:
    """It is strictly typed, with the framework's own types."""
    well_typed(NAME)
