"""The adapter of AutoGen, proven in its own environment against the real package."""

import pytest

from tests.frameworks.environments import passes, well_typed
from tests.frameworks.promised import GOVERNED, ONCE, PAUSE, STEPS, of

NAME = "autogen"
SUITE = "TestAutoGen"


@pytest.mark.slow
@pytest.mark.proves("autogen.governed")
def test_every_call_goes_through_the_gate() -> None:
    """A governed workbench, of functions, tools or another one, governs an agent and never leaves it waiting for ever."""
    passes(
        NAME,
        *of(
            SUITE,
            *GOVERNED,
            "test_the_tools_of_a_workbench_are_governed",
            "test_tools_and_state_are_those_inside",
            "test_a_gate_that_is_closed_is_told_and_hangs_nobody",
        ),
    )


@pytest.mark.slow
@pytest.mark.proves("autogen.once")
def test_no_crash_retry_or_cancellation_repeats_an_effect() -> None:
    """Killed, cancelled or run again under its name, a run has each effect once at most."""
    passes(NAME, *of(SUITE, *ONCE, "test_a_cancelled_token_ends_a_call_that_waits"))


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
