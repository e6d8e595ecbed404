"""The adapter of Strands, proven in its own environment against the real package."""

import pytest

from tests.frameworks.environments import passes, well_typed
from tests.frameworks.promised import GOVERNED, ONCE, PAUSE, STEPS, of

NAME = "strands"
SUITE = "TestStrands"


@pytest.mark.proves("strands.governed")
def test_every_call_goes_through_the_gate() -> None:
    """One plugin governs an agent, awaited or simply called; what hooks make of a call is judged, and what a
    tool streams comes through."""
    passes(
        NAME,
        *of(
            SUITE,
            *GOVERNED,
            "test_what_a_tool_streams_is_streamed_while_it_runs",
            "test_an_agent_that_is_simply_called_is_governed",
            "test_calls_that_a_provider_gives_one_id_are_told_apart",
        ),
    )


@pytest.mark.slow
@pytest.mark.proves("strands.once")
def test_no_crash_retry_or_cancellation_repeats_an_effect() -> None:
    """Killed and resumed, tried again by a hook or cancelled and run again, a call has its effect once at most."""
    passes(
        NAME,
        *of(
            SUITE,
            *ONCE,
            "test_what_hooks_make_of_a_call_is_judged_and_their_retries_repeat_nothing",
            "test_a_tool_that_interrupts_by_itself_is_not_run_again",
        ),
    )


@pytest.mark.slow
@pytest.mark.proves("strands.pause")
def test_our_pause_replaces_theirs() -> None:
    """A held call ends the run with an interrupt; whatever it is resumed with agrees to nothing."""
    passes(NAME, *of(SUITE, *PAUSE))


@pytest.mark.slow
def test_no_step_is_one_at_which_a_crash_repeats_an_effect() -> None:
    """Killed at each step of the gate and of the tool, a run has its effect once at most."""
    passes(NAME, *of(SUITE, *STEPS))


@pytest.mark.slow
def test_the_adapter_is_well_typed() -> None:
    """It is strictly typed, with the framework's own types."""
    well_typed(NAME)
