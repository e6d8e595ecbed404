"""The adapters, each proven in an environment of its own against the real package: the battery that is the same for all of them,
and what a framework has besides."""

import pytest

from tests.frameworks.environments import passes, well_typed
from tests.frameworks.facts import FRAMEWORKS

slow = pytest.mark.slow
"""Of one of them `make test` runs the longest group; all else stands in `make adapters`."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("langchain", marks=pytest.mark.proves("langchain.governed")),
        pytest.param("openai_agents", marks=[slow, pytest.mark.proves("openai-agents.governed")]),
        pytest.param("pydantic_ai", marks=[slow, pytest.mark.proves("pydantic-ai.governed")]),
        pytest.param("strands", marks=[slow, pytest.mark.proves("strands.governed")]),
        pytest.param("google_adk", marks=[slow, pytest.mark.proves("google-adk.governed")]),
        pytest.param("autogen", marks=[slow, pytest.mark.proves("autogen.governed")]),
        pytest.param("ag2", marks=[slow, pytest.mark.proves("ag2.governed")]),
        pytest.param("crewai", marks=[slow, pytest.mark.proves("crewai.governed")]),
    ],
)
def test_every_call_goes_through_the_gate(name: str) -> None:
    """One line governs an agent, in every way it is run: what is not agreed to touches nothing."""
    passes(name, "governed")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("langchain", marks=pytest.mark.proves("langchain.once")),
        pytest.param("openai_agents", marks=pytest.mark.proves("openai-agents.once")),
        pytest.param("pydantic_ai", marks=pytest.mark.proves("pydantic-ai.once")),
        pytest.param("strands", marks=pytest.mark.proves("strands.once")),
        pytest.param("google_adk", marks=pytest.mark.proves("google-adk.once")),
        pytest.param("autogen", marks=pytest.mark.proves("autogen.once")),
        pytest.param("ag2", marks=pytest.mark.proves("ag2.once")),
        pytest.param("crewai", marks=pytest.mark.proves("crewai.once")),
    ],
)
def test_no_crash_retry_or_cancellation_repeats_an_effect(name: str) -> None:
    """Cancelled, tried again or made anew, a run has each effect once at most."""
    passes(name, "once")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("langchain", marks=pytest.mark.proves("langchain.pause")),
        pytest.param("openai_agents", marks=pytest.mark.proves("openai-agents.pause")),
        pytest.param("pydantic_ai", marks=pytest.mark.proves("pydantic-ai.pause")),
        pytest.param("strands", marks=pytest.mark.proves("strands.pause")),
        pytest.param("google_adk", marks=pytest.mark.proves("google-adk.pause")),
        "autogen",
        "ag2",
        "crewai",
    ],
)
def test_our_pause_replaces_theirs(name: str) -> None:
    """Where a framework has a pause a held call ends its run, and resuming agrees to nothing; where it has none, none is
    pretended."""
    passes(name, "pause")


@pytest.mark.slow
@pytest.mark.proves("frameworks.hostile")
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_nothing_that_a_model_says_gets_past_the_gate(name: str) -> None:
    """Made up names, arguments that are none, ids that repeat, results too large, agents beside each other in other tasks."""
    passes(name, "hostile")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("langchain", marks=pytest.mark.proves("langchain.once")),
        pytest.param("openai_agents", marks=pytest.mark.proves("openai-agents.once")),
        pytest.param("pydantic_ai", marks=pytest.mark.proves("pydantic-ai.once")),
        pytest.param("strands", marks=pytest.mark.proves("strands.once")),
        pytest.param("google_adk", marks=pytest.mark.proves("google-adk.once")),
        pytest.param("autogen", marks=pytest.mark.proves("autogen.once")),
        pytest.param("ag2", marks=pytest.mark.proves("ag2.once")),
        pytest.param("crewai", marks=pytest.mark.proves("crewai.once")),
    ],
)
def test_no_step_is_one_at_which_a_crash_repeats_an_effect(name: str) -> None:
    """Killed in its second call, or at each step of the gate and of the tool, a run has each effect once at most."""
    passes(name, "steps")


@pytest.mark.slow
@pytest.mark.proves("crewai.retries")
def test_what_crewai_tries_again_is_not_done_again() -> None:
    """Guardrails, failing models and raising tools have bare CrewAI do the same thing twice and six times; under the gate it is
    done once."""
    passes("crewai", "retries")


@pytest.mark.slow
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_an_adapter_is_well_typed(name: str) -> None:
    """It is strictly typed, with the framework's own types."""
    well_typed(name)
