"""AutoGen: `AssistantAgent(..., workbench=governed(task, tools))`, and every tool call of the agent goes through the gate.

AutoGen has no hook around its tools; a workbench is where it calls them. It saves state between runs and not inside them, so a
killed run is made anew: name it (`run="refunds-of-monday"`), and a call that was made in it before gets the answer it had.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from secrets import token_hex
from typing import Any, TypeAlias, Unpack, cast

from autogen_core import CancellationToken
from autogen_core.tools import (
    BaseTool,
    FunctionTool,
    StaticStreamWorkbench,
    TextResultContent,
    ToolResult,
    ToolSchema,
    Workbench,
)
from pydantic import BaseModel

from interlock.domain.canonical import JsonValue
from interlock.domain.errors import InterlockError
from interlock.sdk.framework_call import FrameworkCall, Given
from interlock.sdk.framework_gate import FrameworkGate, Options
from interlock.sdk.rendering import rendered, words_of_value
from interlock.sdk.task import Handle

AnyTool: TypeAlias = BaseTool[Any, Any] | Callable[..., Any]


class ToolFailed(Exception):
    """A workbench said that its tool failed, and nothing else."""


def governed(
    task: Handle | None, tools: Sequence[AnyTool] | Workbench, **options: Unpack[Options]
) -> "GovernedWorkbench":
    """`tools`, as `AssistantAgent` takes them, or the tools of a workbench, called through the gate: in `task`, or, where that is
    None, in the task that is open where the agent is run. Without `run` each run of the program is one of its own. `hold="pause"`
    is an error."""
    gate = FrameworkGate(task, cannot_pause="AutoGen cannot pause a run so that it can be resumed", **options)
    if isinstance(tools, Workbench):
        return GovernedWorkbench(tools, {}, gate)
    known = [_tool(each) for each in tools]
    return GovernedWorkbench(StaticStreamWorkbench(known), {each.name: each for each in known}, gate)


class GovernedWorkbench(Workbench):
    """A workbench whose tools run once the gate dispatches them, or not at all. What a tool streams is not streamed on."""

    component_type = "workbench"

    def __init__(self, inner: Workbench, tools: Mapping[str, BaseTool[Any, Any]], gate: FrameworkGate) -> None:
        self._inner = inner
        self._tools = tools
        self._gate = gate
        self._here = token_hex(16)

    async def list_tools(self) -> list[ToolSchema]:
        """As the workbench inside lists them."""
        return await self._inner.list_tools()

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Through the gate. Nothing is raised for a no, nor for a tool that fails: an agent that waits for its tools would wait
        for ever."""
        if name in self._gate.through:
            return await self._inner.call_tool(name, arguments, cancellation_token, call_id)
        # What a model wrote is only by word of the types a mapping.
        if not isinstance(cast("object", arguments or {}), Mapping):
            text = f"Not done: the arguments of `{name}` are no JSON object. Nothing was touched."
            return _result(name, text, is_error=True)
        token = cancellation_token or CancellationToken()
        # A program that calls a tool by itself gives it no id: that is a call of its own. An agent's have one.
        known_as = token_hex(16) if call_id is None else call_id
        own = self._own(name, token, call_id)
        call = FrameworkCall(name, dict(arguments or {}), known_as, own, self._here, self._written(name))
        asked = asyncio.ensure_future(self._gate.acall(call))
        token.link_future(asked)
        try:
            came = await asked
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not token.is_cancelled() or (task is not None and task.cancelling()):
                raise
            return _result(name, f"`{name}` was cancelled; the control plane knows what became of it.", is_error=True)
        except InterlockError as error:
            return _result(name, f"Not known to be done: {error}", is_error=True)
        if not isinstance(came, Given):
            return _result(name, came.text, is_error=True)
        if came.is_raw and isinstance(came.raw, ToolResult):
            return came.raw
        return _result(name, words_of_value(came.value), is_error=False)

    def _own(
        self, name: str, token: CancellationToken, call_id: str | None
    ) -> Callable[[dict[str, JsonValue]], Awaitable[object]]:
        tool = self._tools.get(name)

        async def known(agreed: dict[str, JsonValue]) -> object:
            running = asyncio.ensure_future(cast("Any", tool).run_json(agreed, token, call_id=call_id))
            token.link_future(running)
            return await running

        async def inside(agreed: dict[str, JsonValue]) -> object:
            result = await self._inner.call_tool(name, agreed, token, call_id)
            if result.is_error:
                raise ToolFailed(result.to_text())
            return result

        return inside if tool is None else known

    def _written(self, name: str) -> Callable[[Any], JsonValue]:
        """What the model would see of a result."""
        tool = self._tools.get(name)
        return _text_of if tool is None else lambda returned: rendered(tool.return_value_as_string(returned))

    async def start(self) -> None:
        """Start the workbench inside."""
        await self._inner.start()

    async def stop(self) -> None:
        """Stop it."""
        await self._inner.stop()

    async def reset(self) -> None:
        """Reset it."""
        await self._inner.reset()

    async def save_state(self) -> Mapping[str, Any]:
        """Its state."""
        return await self._inner.save_state()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Its state, from before."""
        await self._inner.load_state(state)

    def _to_config(self) -> BaseModel:
        raise NotImplementedError(
            "what is governed in a task cannot be written down: write down the tools, and govern them anew"
        )


def _tool(tool: AnyTool) -> BaseTool[Any, Any]:
    """A tool as it is, and a function as `AssistantAgent` makes a tool of it."""
    if isinstance(tool, BaseTool):
        return tool  # pyright: ignore[reportUnknownVariableType]  it loses what it is a tool of
    return FunctionTool(tool, description=tool.__doc__ or "")


def _text_of(result: ToolResult) -> JsonValue:
    return rendered(result.to_text("[image]"))


def _result(name: str, text: str, *, is_error: bool) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=is_error)
