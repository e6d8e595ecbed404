"""The adapter of Google ADK, proven in its own environment against the real package."""

import pytest

from tests.frameworks.environments import passes, well_typed
from tests.frameworks.promised import GOVERNED, ONCE, PAUSE, STEPS, of

NAME = "google_adk"
SUITE = "TestAdk"


@pytest.mark.slow
@pytest.mark.proves("google-adk.governed")
def test_every_call_goes_through_the_gate() -> None:
    """One plugin governs all agents of a runner, those below them and those that are tools; what other plugins and callbacks
    make of a call is judged."""
    passes(
        NAME,
        *of(
            SUITE,
            *GOVERNED,
            "test_what_other_plugins_and_callbacks_make_of_a_call_is_judged",
            "test_agents_under_agents_are_governed",
            "test_a_tool_that_does_not_exist_is_adks_business",
            "test_nothing_is_given_for_a_result_that_is_none",
            "test_a_long_running_tool_answers_later",
        ),
    )


@pytest.mark.slow
@pytest.mark.proves("google-adk.once")
def test_no_crash_retry_or_cancellation_repeats_an_effect() -> None:
    """Killed and resumed, tried again or cancelled and run again, a call has its effect once at most."""
    passes(NAME, *of(SUITE, *ONCE, "test_adks_own_retries_repeat_nothing"))


@pytest.mark.slow
@pytest.mark.proves("google-adk.pause")
def test_our_pause_replaces_theirs() -> None:
    """A held call ends the run with a request for a confirmation; confirming agrees to nothing, not confirming runs nothing."""
    passes(
        NAME,
        *of(
            SUITE,
            *PAUSE,
            "test_a_confirmation_that_the_tool_itself_wants_is_still_asked_for",
            "test_who_does_not_confirm_a_paused_run_stops_it",
        ),
    )


@pytest.mark.slow
def test_no_step_is_one_at_which_a_crash_repeats_an_effect() -> None:
    """Killed at each step of the gate and of the tool, a run has its effect once at most."""
    passes(NAME, *of(SUITE, *STEPS))


@pytest.mark.slow
def test_the_adapter_is_well_typed() -> None:
    """It is strictly typed, with the framework's own types."""
    well_typed(NAME)
