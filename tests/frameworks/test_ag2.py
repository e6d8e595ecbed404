"""The adapter of AG2, proven in its own environment against the real package."""

import pytest

from tests.frameworks.environments import passes, well_typed
from tests.frameworks.promised import GOVERNED, ONCE, PAUSE, STEPS, of

NAME = "ag2"
SUITE = "TestAg2"


@pytest.mark.slow
@pytest.mark.proves("ag2.governed")
def test_every_call_goes_through_the_gate() -> None:
    """One middleware governs an agent; what other middleware makes of a call is judged, and a tool's own runs inside."""
    passes(
        NAME,
        *of(
            SUITE, *GOVERNED, "test_a_tools_own_middleware_runs_inside_the_gate", "test_agents_that_are_tools_are_named"
        ),
    )


@pytest.mark.slow
@pytest.mark.proves("ag2.once")
def test_no_crash_retry_or_cancellation_repeats_an_effect() -> None:
    """Killed, tried again by other middleware or run again under its name, a run has each effect once at most."""
    passes(
        NAME, *of(SUITE, *ONCE, "test_what_other_middleware_makes_of_a_call_is_judged_and_its_retries_repeat_nothing")
    )


@pytest.mark.slow
def test_a_pause_is_not_pretended() -> None:
    """It cannot be paused so that it could be resumed, and asking for that is an error."""
    passes(NAME, *of(SUITE, PAUSE[0]))


@pytest.mark.slow
def test_no_step_is_one_at_which_a_crash_repeats_an_effect() -> None:
    """Killed at each step of the gate and of the tool, a run has its effect once at most."""
    passes(NAME, *of(SUITE, *STEPS))


@pytest.mark.slow
def test_the_adapter_is_well_typed() -> None:
    """It is strictly typed, with the framework's own types."""
    well_typed(NAME)
