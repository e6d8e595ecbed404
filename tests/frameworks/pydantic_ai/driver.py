"""An agent of Pydantic AI that follows a script."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelResponse,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel
from pydantic_ai.tools import DeferredToolRequests

from interlock.frameworks.pydantic_ai import InterlockCapability, try_again
from interlock.sdk.task import Handle
from tests.frameworks.driven import Act, Ask, Saw, Script, on_a_loop, tools_of


def scripted(script: Script) -> FunctionModel:
    """Calls what the script says, by how many turns there were."""

    def asks(messages: list[ModelMessage]) -> Sequence[Ask]:
        turn = sum(isinstance(each, ModelResponse) for each in messages)
        return script[turn] if turn < len(script) else ()

    def said(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        del info
        calls = [
            ToolCallPart(ask.tool, ask.arguments if ask.said is None else ask.said, tool_call_id=ask.id)
            for ask in asks(messages)
        ]
        return ModelResponse(parts=calls or [TextPart("done")])

    async def streamed(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
        del info
        found = asks(messages)
        for number, ask in enumerate(found):
            yield {number: DeltaToolCall(name=ask.tool, json_args=ask.words, tool_call_id=ask.id)}
        if not found:
            yield "done"

    return FunctionModel(said, stream_function=streamed)


async def drive(
    task: Handle | None,
    script: Script,
    act: Act,
    *,
    session: Path | None = None,
    way: str = "run",
    tools: Sequence[Any] = (),
    **options: Any,
) -> Saw:
    """Run, or go on from the messages that are in the session."""
    agent: Agent[Any, Any] = Agent(
        scripted(script),
        tools=[*(tools or tools_of(act))],
        output_type=[str, DeferredToolRequests],
        capabilities=[InterlockCapability(task, **options)],
        retries=3,
    )
    given: dict[str, Any] = {"user_prompt": "do it"}
    kept = Path() if session is None else session.with_suffix(".json")
    if kept.is_file():
        messages = ModelMessagesTypeAdapter.validate_json(kept.read_bytes())
        answered = {part.tool_call_id for each in messages for part in each.parts if isinstance(part, ToolReturnPart)}
        calls = [part.tool_call_id for part in messages[-1].parts if isinstance(part, ToolCallPart)]
        if not calls:
            calls = [p.tool_call_id for each in messages for p in each.parts if isinstance(p, ToolCallPart)]
        waiting = [each for each in calls if each not in answered]
        given = {"message_history": messages, "deferred_tool_results": try_again(*waiting)}
    match way:
        case "run":
            result: Any = await agent.run(**given)
            output = result.output
        case "run_sync":
            result = await asyncio.to_thread(on_a_loop, lambda: agent.run_sync(**given))
            output = result.output
        case _:
            async with agent.run_stream(**given) as result:
                output = await result.get_output()
    if session is not None:
        kept.write_bytes(result.all_messages_json())
    return Saw(
        results=[
            part.model_response_str() if isinstance(part, ToolReturnPart) else part.model_response()
            for each in result.all_messages()
            for part in each.parts
            if isinstance(part, ToolReturnPart | RetryPromptPart)
        ],
        paused=isinstance(output, DeferredToolRequests),
        final=str(output),
    )
