"""A Strands agent that follows a script."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from pathlib import Path
from typing import Any

from strands import Agent, tool
from strands.models.model import Model
from strands.session.file_session_manager import FileSessionManager

from interlock.frameworks.strands import InterlockPlugin
from interlock.sdk.task import Handle
from tests.frameworks.driven import Act, Saw, Script, tools_of


class Scripted(Model):
    """Calls what the script says, by how many results it was given."""

    def __init__(self, script: Script) -> None:
        self.script = script

    def update_config(self, **model_config: Any) -> None:
        """It has none."""

    def get_config(self) -> dict[str, Any]:
        """It has none."""
        return {}

    async def structured_output(self, *args: Any, **kwargs: Any) -> AsyncGenerator[dict[str, Any], None]:
        """It has none."""
        del args, kwargs
        raise NotImplementedError
        yield {}

    async def stream(self, messages: Any, *args: Any, **kwargs: Any) -> AsyncIterable[Any]:
        """The next turn of the script."""
        del args, kwargs
        turns = sum(any("toolResult" in block for block in message["content"]) for message in messages)
        yield {"messageStart": {"role": "assistant"}}
        if turns < len(self.script):
            for ask in self.script[turns]:
                yield {"contentBlockStart": {"start": {"toolUse": {"name": ask.tool, "toolUseId": ask.id}}}}
                yield {"contentBlockDelta": {"delta": {"toolUse": {"input": ask.words}}}}
                yield {"contentBlockStop": {}}
            yield {"messageStop": {"stopReason": "tool_use"}}
            return
        yield {"contentBlockStart": {"start": {}}}
        yield {"contentBlockDelta": {"delta": {"text": "done"}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}


async def drive(
    task: Handle | None,
    script: Script,
    act: Act,
    *,
    session: Path | None = None,
    hooks: Any = None,
    way: str = "invoke_async",
    **options: Any,
) -> Saw:
    """Run, or resume what is in the session."""

    agent = Agent(
        model=Scripted(script),
        tools=[*map(tool, tools_of(act))],
        plugins=[InterlockPlugin(task, **options)],
        session_manager=FileSessionManager(session_id="s", storage_dir=str(session)) if session else None,
        hooks=hooks or [],
        callback_handler=None,
    )
    prompt: Any = "do it"
    if agent.messages:
        waiting = agent._interrupt_state.interrupts
        prompt = [{"interruptResponse": {"interruptId": each, "response": "look"}} for each in waiting] or None
    match way:
        case "invoke_async":
            result: Any = await agent.invoke_async(prompt)
        case "__call__":
            result = await asyncio.to_thread(agent, prompt)
        case _:
            result = [each async for each in agent.stream_async(prompt)][-1]["result"]
    saw = Saw(paused=result.stop_reason == "interrupt")
    for message in agent.messages:
        saw.results += [
            "".join(each.get("text", "") for each in block["toolResult"]["content"])
            for block in message["content"]
            if "toolResult" in block
        ]
    saw.final = "".join(block.get("text", "") for block in result.message["content"])
    return saw
