"""openai-agents: a tool that needs approval, and the state of the run kept as a string by the program."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from agents import Agent, ModelResponse, Runner, RunState, Usage, function_tool, set_tracing_disabled
from agents.models.interface import Model
from common import die, effect, say, serve, versions
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

FOLDER = Path()
KILLED = False


class Scripted(Model):
    """A model in this process: it asks for the refund once, then says that it is done."""

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Its next turn."""
        asked = kwargs.get("input", args[1] if len(args) > 1 else [])
        answered = isinstance(asked, list) and any(
            isinstance(each, dict) and each.get("type") == "function_call_output" for each in asked
        )
        output: Any
        if answered:
            text = ResponseOutputText(type="output_text", text="done", annotations=[])
            output = ResponseOutputMessage(id="m", type="message", role="assistant", status="completed", content=[text])
        else:
            output = ResponseFunctionToolCall(
                id="f", call_id="c1", type="function_call", name="refund", arguments='{"order":"o1","amount":10}'
            )
        return ModelResponse(output=[output], usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Not asked for."""
        raise NotImplementedError


def _agent(*, ask: bool) -> Agent[Any]:
    @function_tool(needs_approval=ask)
    def refund(order: str, amount: int) -> str:
        """Refund an order."""
        effect(FOLDER, f"refund {order} {amount}")
        if KILLED:
            die()
        return "refunded"

    return Agent(name="agent", model=Scripted(), tools=[refund])


def about() -> None:
    """It keeps nothing itself; the program keeps `RunState.to_string()`."""
    say(
        versions=versions("openai-agents"),
        setup="`function_tool(needs_approval=True)`, `RunState.to_string()` in a file; it keeps no records and verifies none",
        store=None,
    )


def _begin(folder: Path) -> None:
    global FOLDER
    FOLDER = folder
    set_tracing_disabled(disabled=True)


def _keep(folder: Path, state: Any) -> None:
    (folder / "state.json").write_text(state.to_string())


def crash(folder: Path) -> None:
    """Approved and kept, then killed in the tool."""
    global KILLED
    _begin(folder)

    async def work() -> None:
        global KILLED
        agent = _agent(ask=True)
        found = await Runner.run(agent, "refund o1")
        state = found.to_state()
        for item in found.interruptions:
            state.approve(item)
        _keep(folder, state)
        KILLED = True
        await Runner.run(agent, state)

    asyncio.run(work())


def again(folder: Path) -> None:
    """Resumed from the kept state."""
    _begin(folder)

    async def work() -> None:
        agent = _agent(ask=True)
        await Runner.run(agent, await RunState.from_string(agent, (folder / "state.json").read_text()))

    asyncio.run(work())
    say(state="done")


def hold(folder: Path) -> None:
    """Interrupted and kept."""
    _begin(folder)

    async def work() -> None:
        found = await Runner.run(_agent(ask=True), "refund o1")
        _keep(folder, found.to_state())

    asyncio.run(work())
    die()


def edit(folder: Path) -> None:
    """The arguments, wherever the kept state has them."""
    text = (folder / "state.json").read_text()
    changed = text.replace('\\"amount\\":10', '\\"amount\\":127').replace('"amount":10', '"amount":127')
    (folder / "state.json").write_text(changed)
    json.loads(changed)
    say(changed=int(text != changed))


def approve(folder: Path) -> None:
    """The yes, in a new process."""
    _begin(folder)

    async def work() -> None:
        agent = _agent(ask=True)
        state = await RunState.from_string(agent, (folder / "state.json").read_text())
        for item in state.get_interruptions():
            state.approve(item)
        await Runner.run(agent, state)

    try:
        asyncio.run(work())
        say(state="done")
    except Exception as error:  # noqa: BLE001  whatever it raises is its answer
        say(state=f"{type(error).__name__}: {error}"[:120])


serve(
    {"about": about, "crash": crash, "again": again, "hold": hold, "edit": edit, "approve": approve, "twice": approve}
)
