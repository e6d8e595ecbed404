"""An agent of the OpenAI Agents SDK that follows a script."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents import Agent, Runner, RunState, function_tool
from agents.items import ToolCallOutputItem
from agents.testing import ScriptedModel, assistant_message, function_call

from interlock.frameworks.openai_agents import decided, governed
from interlock.sdk.task import Handle
from tests.frameworks.driven import Act, Saw, Script, on_a_loop, tools_of


def agent_of(script: Script, act: Act, *, tools: Sequence[Any] = (), name: str = "shop", done: int = 0) -> Agent[Any]:
    """An agent as its developer wrote it; of the script the first `done` turns were said before."""
    steps = [[function_call(ask.tool, ask.words, call_id=ask.id) for ask in turn] for turn in script[done:]]
    model = ScriptedModel([*steps, [assistant_message("done")]])
    return Agent(name=name, model=model, tools=[*(tools or map(function_tool, tools_of(act)))])


def said_by(result: Any) -> list[str]:
    """What the model was told of its calls."""
    return [str(each.output) for each in result.new_items if isinstance(each, ToolCallOutputItem)]


async def drive(
    task: Handle | None,
    script: Script,
    act: Act,
    *,
    session: Path | None = None,
    way: str = "run",
    tools: Sequence[Any] = (),
    context: Any = None,
    **options: Any,
) -> Saw:
    """Run, or resume the interrupted run that is in the session."""
    given: Any = "do it"
    more = {} if session is None else {"run_id": "t1"}
    state = Path() if session is None else session.with_suffix(".json")
    agent = governed(agent_of(script, act, tools=tools, done=int(state.is_file())), task, **more, **options)
    if state.is_file():
        given = await RunState.from_json(agent, json.loads(state.read_text()))
        if not await decided(given):
            return Saw(paused=True)
    match way:
        case "run":
            result: Any = await Runner.run(agent, given, context=context)
        case "run_sync":
            result = await asyncio.to_thread(on_a_loop, lambda: Runner.run_sync(agent, given))
        case _:
            result = Runner.run_streamed(agent, given)
            async for _ in result.stream_events():
                pass
    if session is not None and result.interruptions:
        state.write_text(json.dumps(result.to_state().to_json()))
    return Saw(
        results=said_by(result),
        paused=bool(result.interruptions),
        final=str(result.final_output),
    )
