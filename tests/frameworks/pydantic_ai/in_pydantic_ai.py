"""The promises of the adapter of Pydantic AI, asked of it, in its environment."""

import asyncio
from datetime import date
from typing import Any, ClassVar

import pytest
from pydantic_ai import Agent, ModelRetry, RunContext
from pydantic_ai.exceptions import ApprovalRequired, CallDeferred
from pydantic_ai.messages import ToolReturnPart
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults, ToolApproved

import interlock
from interlock.frameworks.pydantic_ai import InterlockCapability, try_again
from tests.frameworks.battery import Battery
from tests.frameworks.driven import Ask, Drive, acting, tools_of
from tests.frameworks.kit import Place, held_in
from tests.frameworks.pydantic_ai.driver import drive as driven
from tests.frameworks.pydantic_ai.driver import scripted


def agent_of(place: Place, governed: InterlockCapability, *asks: Ask) -> Agent[Any, Any]:
    """An agent as its developer wrote it, but for the capability."""
    return Agent(
        scripted([asks]),
        tools=tools_of(acting(place)),
        output_type=[str, DeferredToolRequests],
        capabilities=[governed],
    )


def said_by(result: Any) -> dict[str, tuple[str, Any]]:
    """What the model was told of its calls, by their ids."""
    return {
        part.tool_call_id: (part.outcome, part.content)
        for message in result.all_messages()
        for part in message.parts
        if isinstance(part, ToolReturnPart)
    }


class TestPydanticAi(Battery):
    """What holds for all frameworks, and what Pydantic AI has besides."""

    drive: ClassVar[Drive] = staticmethod(driven)
    folder: ClassVar[str] = "pydantic_ai"

    @pytest.mark.governed
    def test_tools_keep_their_own_types_and_context(self, place: Place) -> None:
        """A tool has the run's dependencies, which are no part of the action, and gives what it gave; a no is a failure."""

        async def refund(ctx: RunContext[str], order: str, cents: int) -> dict[str, Any]:
            """Pay."""
            return {"for": ctx.deps, "share": 0.5}

        async def program() -> Any:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                model = scripted([[Ask(), Ask(cents=2000, id="c2")]])
                agent = Agent(model, deps_type=str, tools=[refund], capabilities=[InterlockCapability(task)])
                return await agent.run("go", deps="ana")

        told = said_by(asyncio.run(program()))
        assert told["c1"] == ("success", {"for": "ana", "share": 0.5})
        assert told["c2"][0] == "failed"

    @pytest.mark.once
    @pytest.mark.parametrize("raises", [ApprovalRequired, CallDeferred])
    def test_a_tool_that_defers_itself_is_not_run_again(self, place: Place, raises: type[Exception]) -> None:
        """A tool that defers its call, or wants it approved, in the middle of its work may have acted: the run does not end for
        it, and the tool does not run again."""

        async def refund(order: str, cents: int) -> str:
            """Pay, and ask."""
            place.effect(f"{order} {cents}")
            raise raises

        saw = self.run(place, [[Ask()]], tools=[refund])

        assert "Do not call it again" in saw.results[0]
        assert not saw.paused
        assert place.effects() == {"o1 5": 1}

    @pytest.mark.once
    def test_a_tool_that_wants_another_try_has_done_nothing(self, place: Place) -> None:
        """`ModelRetry` is how a tool says that it did nothing, and why."""

        async def refund(order: str, cents: int) -> str:
            """Pay."""
            raise ModelRetry("another order")

        saw = self.run(place, [[Ask()]], tools=[refund])

        assert "another order" in saw.results[0]
        assert "Nothing happened" in saw.results[0]

    @pytest.mark.governed
    def test_what_reviewers_change_is_what_runs(self, place: Place) -> None:
        """A held call waits, and runs with the arguments that the reviewer gave, as the tool's own types."""
        got: list[object] = []

        def note(text: date) -> str:
            """Note a day."""
            got.append(text)
            return "noted"

        def refund(order: str, cents: int) -> str:
            """Pay."""
            got.append((order, cents))
            return "paid"

        async def program() -> Any:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                model = scripted([[Ask(tool="note", given={"text": "2026-01-02"}, id="c0"), Ask(cents=500)]])
                agent = Agent(model, tools=[note, refund], capabilities=[InterlockCapability(task)])
                running = asyncio.create_task(agent.run("go"))
                await client.person("rita").aio.modify(await held_in(client), {"order": "o1", "cents": 90})
                return await running

        asyncio.run(program())

        assert got == [date(2026, 1, 2), ("o1", 90)]

    @pytest.mark.pause
    def test_their_approval_agrees_to_nothing(self, place: Place) -> None:
        """A held call is deferred. Approved there, with other arguments even, it is still held here; the word in the control
        plane counts."""

        async def program() -> tuple[Any, list[Any]]:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                rita = client.person("rita").aio
                agent = agent_of(
                    place,
                    InterlockCapability(task, hold="pause"),
                    *(Ask(order=o, cents=c, id=o) for o, c in (("a", 500), ("b", 600), ("c", 7))),
                )
                first = await agent.run("go")
                assert isinstance(first.output, DeferredToolRequests)
                assert place.effects() == {"c 7": 1}
                again = try_again(first.output)
                assert set(again.approvals) == {"a", "b"}
                changed = DeferredToolResults(
                    approvals={"a": ToolApproved(override_args={"order": "a", "cents": 1}), "b": True}
                )
                second = await agent.run(message_history=first.all_messages(), deferred_tool_results=changed)
                assert place.effects() == {"c 7": 1}
                waits = {each.arguments["order"]: each.id for each in await rita.waiting()}
                await rita.modify(waits["b"], {"order": "b", "cents": 70})
                assert isinstance(second.output, DeferredToolRequests)
                third = await agent.run(
                    message_history=second.all_messages(), deferred_tool_results=try_again(second.output)
                )
                return third, await rita.waiting()

        third, waiting = asyncio.run(program())
        told = said_by(third)

        assert "other arguments" in told["a"][1]
        assert told["b"] == ("success", "ok b")
        assert third.output == "done"
        assert [each.arguments["order"] for each in waiting] == ["a"]
        assert place.effects() == {"c 7": 1, "b 70": 1}

    @pytest.mark.once
    def test_a_cancelled_run_leaves_its_call_where_it_was(self, place: Place) -> None:
        """Cancelled while people decide, the same call of the same conversation is the same action."""

        async def program() -> None:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                agent = agent_of(place, InterlockCapability(task), Ask(cents=500))
                running = asyncio.create_task(agent.run("go", conversation_id="t1"))
                held = await held_in(client)
                running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running
                await client.person("rita").aio.approve(held)
                assert not place.effects()
                await agent.run("go", conversation_id="t1")

        asyncio.run(program())

        assert place.effects() == {"o1 500": 1}
