"""The promises of the adapter of Strands, asked of Strands itself, in its environment."""

import asyncio
import time
from typing import Any, ClassVar

import pytest
from strands import Agent, ToolContext, tool
from strands.hooks import AfterToolCallEvent, BeforeToolCallEvent, HookProvider, HookRegistry

import interlock
from interlock.frameworks.strands import InterlockPlugin
from tests.frameworks.battery import Battery
from tests.frameworks.driven import Ask, Drive
from tests.frameworks.kit import Place
from tests.frameworks.strands.driver import Scripted
from tests.frameworks.strands.driver import drive as driven


class Meddles(HookProvider):
    """Makes something else of what the model said, and wants everything tried again once."""

    def __init__(self) -> None:
        self.again = 2

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        """Around every tool."""
        del kwargs
        registry.add_callback(BeforeToolCallEvent, self.before)
        registry.add_callback(AfterToolCallEvent, self.after)

    def before(self, event: BeforeToolCallEvent) -> None:
        """One less."""
        event.tool_use = {**event.tool_use, "input": {**event.tool_use["input"], "cents": 4}}

    def after(self, event: AfterToolCallEvent) -> None:
        """Once more."""
        self.again -= 1
        event.retry = self.again > 0


class TestStrands(Battery):
    """What holds for all frameworks, and what Strands has besides."""

    drive: ClassVar[Drive] = staticmethod(driven)
    folder: ClassVar[str] = "strands"

    @pytest.mark.once
    def test_what_hooks_make_of_a_call_is_judged_and_their_retries_repeat_nothing(self, place: Place) -> None:
        """A hook that changes the arguments changes what is decided on; one that has the tool tried again gets the answer that
        there is."""
        saw = self.run(place, [[Ask()], [Ask(order="bad", id="c2")]], hooks=[Meddles()])

        assert saw.results[0] == "ok o1"
        assert "Do not call it again" in saw.results[1]
        assert place.effects() == {"o1 4": 1, "bad 4": 1}

    @pytest.mark.governed
    def test_calls_that_a_provider_gives_one_id_are_told_apart(self, place: Place) -> None:
        """Some providers give all calls of a tool the same id: calls of two messages are two calls."""
        saw = self.run(place, [[Ask(order="o1")], [Ask(order="o1")], [Ask(order="o2")]])

        assert saw.results == ["ok o1", "ok o1", "ok o2"]
        assert place.effects() == {"o1 5": 2, "o2 5": 1}

    @pytest.mark.governed
    def test_what_a_tool_streams_is_streamed_while_it_runs(self, place: Place) -> None:
        """Events that a tool gives on its way come through before it is over."""

        @tool
        async def refund(order: str, cents: int) -> Any:
            """Pay back."""
            yield "half"
            await asyncio.sleep(0.2)
            place.effect(f"{order} {cents}")
            yield "all"

        async def program() -> list[float]:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                agent = Agent(
                    model=Scripted([[Ask()]]), tools=[refund], plugins=[InterlockPlugin(task)], callback_handler=None
                )
                return [
                    time.monotonic()
                    async for event in agent.stream_async("do it")
                    if event.get("tool_stream_event", {}).get("data") == "half" and not place.effects()
                ]

        assert len(asyncio.run(program())) == 1
        assert place.effects() == {"o1 5": 1}

    @pytest.mark.once
    def test_a_tool_that_interrupts_by_itself_is_not_run_again(self, place: Place) -> None:
        """A tool that asks for an interrupt of its own, in the middle of its work, may have acted: nobody knows, and it is not
        run again."""

        @tool(context=True)
        def refund(order: str, cents: int, tool_context: ToolContext) -> str:
            """Pay back."""
            place.effect(f"{order} {cents}")
            return str(tool_context.interrupt("sure", reason="?"))

        async def program() -> list[Any]:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                agent = Agent(
                    model=Scripted([[Ask()]]), tools=[refund], plugins=[InterlockPlugin(task)], callback_handler=None
                )
                result = await agent.invoke_async("do it")
                assert result.stop_reason == "end_turn"
                return agent.messages

        assert "interrupt of its own" in str(asyncio.run(program()))
        assert place.effects() == {"o1 5": 1}

    @pytest.mark.governed
    def test_an_agent_that_is_simply_called_is_governed(self, place: Place) -> None:
        """`agent("...")` in a synchronous program, which Strands runs on a loop and thread of its own, goes through the gate; so
        does a tool that the program itself calls."""

        @tool
        def refund(order: str, cents: int) -> str:
            """Pay back."""
            place.effect(f"{order} {cents}")
            return "ok"

        with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
            agent = Agent(
                model=Scripted([[Ask()]]), tools=[refund], plugins=[InterlockPlugin(task)], callback_handler=None
            )
            agent("do it")
            denied = agent.tool.refund(order="o2", cents=2000)

        assert "denied" in denied["content"][0]["text"]
        assert place.effects() == {"o1 5": 1}
