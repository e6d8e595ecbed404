"""The promises of the adapter of the OpenAI Agents SDK, asked of the SDK itself, in its environment."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from agents import RunContextWrapper, Runner, RunState, WebSearchTool, function_tool, handoff
from agents.testing import ScriptedModel, function_call

import interlock
from interlock.frameworks.openai_agents import decided, governed
from tests.frameworks.battery import Battery
from tests.frameworks.battery_once import Stepwise
from tests.frameworks.driven import Ask, Drive, acting
from tests.frameworks.kit import KillAt, Place, in_a_process, opened, place_in
from tests.frameworks.openai_agents.driver import agent_of, said_by
from tests.frameworks.openai_agents.driver import drive as driven

RESUMED = (
    "dispatch.claimed",
    "dispatch.checked",
    "dispatch.recorded",
    "tool.begun",
    "tool.acted",
    "execute.called",
    "execute.verified",
    "outcome.recorded",
)
"""Where a resumed run is killed."""


class TestOpenAiAgents(Battery):
    """What holds for all frameworks, and what the SDK has besides."""

    drive: ClassVar[Drive] = staticmethod(driven)
    folder: ClassVar[str] = "openai_agents"

    @pytest.mark.governed
    def test_handoffs_are_governed_too(self, place: Place) -> None:
        """Whoever an agent hands over to is governed alike, also in circles and through `handoff(...)`."""
        other = agent_of([[Ask(cents=1001)]], acting(place), name="other")
        third = agent_of([], acting(place), name="third")
        first = agent_of([], acting(place), name="first")
        first.model = ScriptedModel([[function_call("transfer_to_other", {}, call_id="h1")]])
        first.handoffs, other.handoffs, third.handoffs = [handoff(other), third], [first], [first]

        with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test"):
            result = asyncio.run(Runner.run(governed(first), "go"))

        assert result.last_agent.name == "other"
        assert "more than a thousand" in said_by(result)[-1]
        assert not place.effects()

    @pytest.mark.governed
    def test_what_cannot_be_governed_is_refused(self, place: Place) -> None:
        """A hosted tool runs at the provider's, past this program: it is refused unless it is let through by name."""
        agent = agent_of([], acting(place))
        agent.tools = [*agent.tools, WebSearchTool()]
        with pytest.raises(interlock.NotAllowed, match="web_search"):
            governed(agent)
        assert governed(agent, through=["web_search"]).tools[-1] is agent.tools[-1]
        with pytest.raises(interlock.NotAllowed, match="run_id"):
            governed(agent_of([], acting(place)), hold="pause")

    @pytest.mark.governed
    def test_a_tools_own_context_reaches_it(self, place: Place) -> None:
        """What the program gives to its run is there in the tool, and never a part of the action."""

        @function_tool
        def look(context: RunContextWrapper[dict[str, str]], order: str) -> str:
            """Look."""
            return f"{context.context['who']} {order}"

        saw = self.run(place, [[Ask(tool="look")]], tools=[look], context={"who": "ana"})

        assert saw.results == ["ana o1"]

    @pytest.mark.pause
    def test_their_approval_agrees_to_nothing(self, place: Place) -> None:
        """A held call is an interruption. Approved there it is still held here; the word in the control plane is the one that
        counts, and each call is one action with one decision."""
        turn = [Ask(order="a", cents=500, id="c1"), Ask(order="b", cents=600, id="c2"), Ask(tool="look", id="c3")]
        again = [Ask(order="a", cents=500, id="c4")]

        async def program() -> tuple[Any, Any, list[Any]]:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                rita = client.person("rita").aio
                agent = governed(agent_of([turn, again], acting(place)), task, hold="pause", run_id="t1")
                first = await Runner.run(agent, "go")
                state = first.to_state()
                assert len(first.interruptions) == 2
                assert not await decided(state)
                waits = {each.arguments["order"]: each for each in await rita.waiting()}
                await rita.modify(waits["b"].id, {"order": "b", "cents": 70})
                assert await decided(state)
                second = await Runner.run(agent, state)
                (still,) = second.interruptions
                assert place.effects() == {"b 70": 1}
                last = second.to_state()
                last.approve(still)
                third = await Runner.run(agent, last)
                return second, third, await rita.waiting()

        second, third, waiting = asyncio.run(program())

        assert said_by(second) == ["saw o1", "ok b"]
        assert "waits until a person agrees" in said_by(third)[-1]
        assert [each.arguments["order"] for each in waiting] == ["a"], (
            "asked again with the same arguments it is the same action"
        )
        assert place.effects() == {"b 70": 1}

    @pytest.mark.steps
    @pytest.mark.parametrize("tool", ["refund", "keyed"])
    def test_a_resumed_run_killed_at_any_step_repeats_no_effect(self, tmp_path: Path, tool: str) -> None:
        """Paused in one process, agreed to, resumed from JSON in another that is killed at each step, and resumed from the same
        JSON in a third: the effect happened once, or nobody can know and the model is told."""
        ends: dict[str, bool] = {}
        for step in RESUMED:
            place = place_in(tmp_path / step, timeout="500ms", asks=("refund", "keyed"))
            with interlock.open(place.folder, apply=True):
                pass
            assert in_a_process(lambda: asyncio.run(_begun(place, tool))) == 0  # noqa: B023  it ends before the next
            with interlock.open(place.folder, apply=True) as client:
                (held,) = client.person("rita").waiting()
                client.person("rita").modify(held.id, {"order": "o1", "cents": 90})
            assert in_a_process(lambda: asyncio.run(_resumed(place, tool, step))) == -signal.SIGKILL, step  # noqa: B023
            assert in_a_process(lambda: asyncio.run(_resumed(place, tool, ""))) == 0, step  # noqa: B023
            told, effects = (place.folder / "told.txt").read_text(), sum(place.effects().values())
            ends[step] = "not known whether" in told
            assert effects <= 1, step
            assert ends[step] or effects == 1, (step, told)

        lost = {"dispatch.recorded", "tool.begun", "tool.acted", "execute.called", "execute.verified"}
        assert {step for step, unknown in ends.items() if unknown} == (lost if tool == "refund" else set())


async def _begun(place: Place, tool: str) -> None:
    """One process: the run up to its interruption, kept as JSON."""
    with opened(place.folder, KillAt()) as client:
        async with client.task("ag", purpose="test") as task:
            agent = agent_of([[Ask(tool=tool, cents=500)]], Stepwise(place, tool, KillAt()).act)
            result = await Runner.run(governed(agent, task, hold="pause", run_id="t1"), "go")
            assert result.interruptions
            place.write("state.json", json.dumps(result.to_state().to_json()))


async def _resumed(place: Place, tool: str, step: str) -> None:
    """Another process: the run from that JSON on, killed at a step."""
    kill = KillAt(step)
    with opened(place.folder, kill) as client:
        async with client.task("ag", purpose="test") as task:
            agent = governed(agent_of([], Stepwise(place, tool, kill).act), task, hold="pause", run_id="t1")
            state = await RunState.from_json(agent, json.loads((place.folder / "state.json").read_text()))
            assert await decided(state)
            place.write("told.txt", said_by(await Runner.run(agent, state))[0])
