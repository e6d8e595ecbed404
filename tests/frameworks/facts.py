"""What each framework has and has not: the battery asks it, and the table of the reference is drawn from it. No framework is
imported here."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

NO_PAUSE: Final = dict.fromkeys(
    (
        "test_a_paused_run_goes_on_in_another_process",
        "test_a_paused_call_that_is_rejected_is_told",
        "test_resuming_a_paused_run_agrees_to_nothing",
    ),
    "no pause that could be resumed; `wait`, or `tell`",
)


@dataclass(frozen=True, kw_only=True)
class Framework:
    """One of them. `cannot` says why a test of the battery is not asked of it."""

    title: str
    package: str
    page: str
    line: str
    ways: tuple[str, ...]
    """How an agent of it can be run, by the names of its own methods."""
    pause: str = ""
    """What a pause is there; empty where there is none."""
    resumes: bool = False
    """Whether it resumes a run that was killed; else the run is made anew, under a name."""
    ends: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where a run of it ends by an error of the framework's own, with Interlock or without: tests of the battery, and why."""
    tidies: str = ""
    """What it makes of a call that is nearly one, before anybody is asked; empty: nothing."""
    cannot: Mapping[str, str] = field(default_factory=dict[str, str])


FRAMEWORKS: Final[Mapping[str, Framework]] = {
    "langchain": Framework(
        title="LangChain, LangGraph",
        package="langchain",
        page="put-it-under-langchain.md",
        line="middleware=[InterlockMiddleware(task)]",
        ways=("ainvoke", "invoke", "astream", "stream"),
        pause="an interrupt",
        resumes=True,
    ),
    "openai_agents": Framework(
        title="OpenAI Agents SDK",
        package="openai-agents",
        page="put-it-under-openai-agents.md",
        line="agent = governed(agent, task)",
        ways=("run", "run_sync", "run_streamed"),
        pause="an interruption",
        ends={
            "test_a_name_that_the_model_made_up_runs_nothing": "the SDK ends a run whose model calls what is no tool",
            "test_arguments_that_fit_no_contract_touch_nothing": "the SDK ends a run whose model writes half a letter",
            "test_words_that_nest_without_end_touch_nothing": "the SDK ends a run whose model nests without end",
            "test_ids_that_repeat_confuse_nobody": "the SDK ends a run whose model gives an id twice",
            "test_ids_that_repeat_in_one_turn_do_nothing_twice": "the SDK ends a run whose model gives an id twice",
        },
        cannot={
            "test_the_same_id_in_another_run_is_another_call": "has no name for a run: in one task, or under one "
            "`run_id`, an id is one call, as providers promise",
        },
    ),
    "pydantic_ai": Framework(
        title="Pydantic AI",
        package="pydantic-ai-slim",
        page="put-it-under-pydantic-ai.md",
        line="capabilities=[InterlockCapability(task)]",
        ways=("run", "run_sync", "run_stream"),
        pause="a deferred call",
        ends={
            "test_arguments_that_fit_no_contract_touch_nothing": "Pydantic AI ends a run whose model writes half a letter",
            "test_ids_that_repeat_in_one_turn_do_nothing_twice": "Pydantic AI ends a run whose model gives an id twice",
        },
    ),
    "google_adk": Framework(
        title="Google ADK",
        package="google-adk",
        page="put-it-under-google-adk.md",
        line="plugins=[InterlockPlugin(task)]",
        ways=("run_async", "run"),
        pause="a request for a confirmation",
        resumes=True,
        cannot=dict.fromkeys(
            ("test_words_that_are_no_json_touch_nothing", "test_words_that_nest_without_end_touch_nothing"),
            "models give arguments as values",
        ),
    ),
    "strands": Framework(
        title="Strands",
        package="strands-agents",
        page="put-it-under-strands.md",
        line="plugins=[InterlockPlugin(task)]",
        ways=("invoke_async", "__call__", "stream_async"),
        ends={"test_words_that_nest_without_end_touch_nothing": "Strands ends a run whose model nests without end"},
        pause="an interrupt",
        resumes=True,
    ),
    "autogen": Framework(
        title="AutoGen",
        package="autogen-agentchat",
        page="put-it-under-autogen.md",
        line="workbench=governed(task, tools)",
        ways=("run", "run_stream"),
        cannot={
            **NO_PAUSE,
            "test_words_that_nest_without_end_touch_nothing": "waits for ever for such a call, with Interlock or without",
        },
    ),
    "ag2": Framework(
        title="AG2",
        package="ag2",
        page="put-it-under-ag2.md",
        line="middleware=[InterlockMiddleware(task)]",
        ways=("ask", "run"),
        cannot=NO_PAUSE,
    ),
    "crewai": Framework(
        title="CrewAI",
        package="crewai",
        page="put-it-under-crewai.md",
        line="tools=governed(task, tools)",
        ways=("kickoff", "kickoff_async", "akickoff"),
        tidies="a name that is nearly a tool's is that tool, arguments that it has not are left out, and that is what is judged",
        cannot=NO_PAUSE,
    ),
}


def locked(name: str) -> str:
    """The version that a framework is tested in."""
    lock = tomllib.loads((Path(__file__).parent / name / "uv.lock").read_text(encoding="utf-8"))
    (found,) = (each["version"] for each in lock["package"] if each["name"] == FRAMEWORKS[name].package)
    return str(found)
