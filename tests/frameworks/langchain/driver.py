"""An agent of LangChain that follows a script."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from interlock.frameworks.langchain import InterlockMiddleware
from interlock.sdk.task import Handle
from tests.frameworks.driven import Act, Saw, Script, synchronous, tools_of

HERE: Any = {"configurable": {"thread_id": "t1"}}


class Scripted(BaseChatModel):
    """Calls what the script says, by how many turns there were."""

    script: Any

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> "Scripted":
        """Its script knows them."""
        del tools, kwargs
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        del args, kwargs
        turn = sum(isinstance(each, AIMessage) for each in messages)
        asks = self.script[turn] if turn < len(self.script) else []
        said = AIMessage(
            content="" if asks else "done",
            tool_calls=[ToolCall(name=ask.tool, args=ask.arguments, id=ask.id) for ask in asks if ask.said is None],
            invalid_tool_calls=[
                {"name": ask.tool, "args": ask.said, "id": ask.id, "error": "no JSON", "type": "invalid_tool_call"}
                for ask in asks
                if ask.said is not None
            ],
        )
        return ChatResult(generations=[ChatGeneration(message=said)])


def both_ways(act: Act) -> list[StructuredTool]:
    """The tools of all tests, synchronous under `invoke` and asynchronous under `ainvoke`."""
    return [
        StructuredTool.from_function(synchronous(each), coroutine=each if iscoroutinefunction(each) else None)
        for each in tools_of(act)
    ]


async def drive(
    task: Handle | None,
    script: Script,
    act: Act,
    *,
    session: Path | None = None,
    way: str = "ainvoke",
    tools: Sequence[Any] = (),
    before: Sequence[Any] = (),
    **options: Any,
) -> Saw:
    """Run, or resume what is in the session."""
    async with AsyncExitStack() as stack:
        saver, kept = None, {}
        if session is not None:
            saver = await stack.enter_async_context(AsyncSqliteSaver.from_conn_string(f"{session}.db"))
            kept = {"config": HERE, "durability": "sync"}
        agent: Any = create_agent(
            Scripted(script=script),
            [*(tools or both_ways(act))],
            middleware=[*before, InterlockMiddleware(task, **options)],
            checkpointer=saver,
        )
        begun = saver is not None and (await agent.aget_state(HERE)).values
        given = None if begun else {"messages": [HumanMessage("do it")]}
        match way:
            case "ainvoke":
                state = await agent.ainvoke(given, **kept)
            case "invoke":
                state = await asyncio.to_thread(agent.invoke, given)
            case "astream":
                state = [each async for each in agent.astream(given, stream_mode="values")][-1]
            case _:
                state = (await asyncio.to_thread(lambda: list(agent.stream(given, stream_mode="values"))))[-1]
    told = [each for each in state["messages"] if isinstance(each, ToolMessage)]
    return Saw(
        results=[str(each.content) for each in told],
        paused="__interrupt__" in state,
        final=str(state["messages"][-1].content),
    )
