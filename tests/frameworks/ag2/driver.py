"""An AG2 agent that follows a script."""

import json
from typing import Any

from ag2 import Agent
from ag2.events import Input, TextInput, ToolCallEvent, ToolResultsEvent
from ag2.testing import TestConfig

from interlock.frameworks.ag2 import InterlockMiddleware
from interlock.sdk.task import Handle
from tests.frameworks.battery import Act, Saw, Script


async def drive(
    task: Handle | None,
    script: Script,
    act: Act,
    *,
    tools: list[Any] | None = None,
    more: list[Any] | None = None,
    **options: Any,
) -> Saw:
    """Run; AG2 has nothing to resume."""

    async def refund(order: str, cents: int) -> str:
        """Pay back."""
        return str(await act(order, cents))

    async def keyed(order: str, cents: int) -> str:
        """Pay back under a key."""
        return str(await act(order, cents))

    async def wipe(order: str, cents: int) -> str:
        """Has no contract."""
        return str(await act(order, cents))

    turns = [
        [ToolCallEvent(name=ask.tool, arguments=json.dumps(ask.arguments), id=ask.id) for ask in turn]
        for turn in script
    ]
    agent = Agent(
        "support",
        "Help.",
        config=TestConfig(*turns, "done", raise_tool_errors=False),
        tools=[*(tools or (refund, keyed, wipe))],
        middleware=[*(more or []), InterlockMiddleware(task, **options)],
    )
    reply = await agent.ask("do it")
    saw = Saw(final=reply.body or "")
    for event in await reply.history.get_events():
        if isinstance(event, ToolResultsEvent):
            saw.results += ["".join(_words(part) for part in each.result.parts) for each in event.results]
    return saw


def _words(part: Input) -> str:
    return part.content if isinstance(part, TextInput) else str(getattr(part, "data", part))
