"""An AG2 agent that follows a script."""

from typing import Any

from ag2 import Agent
from ag2.events import Input, TextInput, ToolCallEvent, ToolResultsEvent
from ag2.testing import TestConfig

from interlock.frameworks.ag2 import InterlockMiddleware
from interlock.sdk.task import Handle
from tests.frameworks.driven import Act, Saw, Script, tools_of


async def drive(
    task: Handle | None,
    script: Script,
    act: Act,
    *,
    tools: list[Any] | None = None,
    more: list[Any] | None = None,
    way: str = "ask",
    **options: Any,
) -> Saw:
    """Run; AG2 has nothing to resume."""

    turns = [[ToolCallEvent(name=ask.tool, arguments=ask.words, id=ask.id) for ask in turn] for turn in script]
    agent = Agent(
        "support",
        "Help.",
        config=TestConfig(*turns, "done", raise_tool_errors=False),
        tools=[*(tools or tools_of(act))],
        middleware=[*(more or []), InterlockMiddleware(task, **options)],
    )
    if way == "ask":
        reply = await agent.ask("do it")
    else:
        async with agent.run("do it") as running:
            reply = await running.result()
    saw = Saw(final=reply.body or "")
    for event in await reply.history.get_events():
        if isinstance(event, ToolResultsEvent):
            saw.results += ["".join(_words(part) for part in each.result.parts) for each in event.results]
    return saw


def _words(part: Input) -> str:
    return part.content if isinstance(part, TextInput) else str(getattr(part, "data", part))
