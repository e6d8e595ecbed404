"""Strands: `Agent(..., plugins=[InterlockPlugin(task)])`, and every tool call of the agent goes through the gate.

The tool itself runs inside the gate's dispatch, from the innermost of Strands' middleware: whatever hooks and other middleware
made of the call is what is judged. A session manager keeps the ids of messages and calls, so a conversation that a killed process
left is resumed with `agent(None)`, and its calls get the answers they had.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping
from typing import Any, TypeAlias, Unpack, cast

from strands import Agent
from strands.middleware import ExecuteToolContext, ExecuteToolStage, MiddlewareNext
from strands.plugins import Plugin
from strands.types.agent import LocalAgent
from strands.types.events import ToolResultEvent, TypedEvent
from strands.types.tools import ToolResult, ToolResultContent, ToolUse

from interlock.domain.canonical import JsonValue
from interlock.sdk.framework_call import Came, FrameworkCall, Given, Paused
from interlock.sdk.framework_gate import FrameworkGate, Options
from interlock.sdk.rendering import rendered, words_of_value
from interlock.sdk.task import Handle

Next: TypeAlias = MiddlewareNext[ExecuteToolContext, TypedEvent]

INTERRUPT = "interlock"
"""The name of the interrupts by which a run pauses until people decided."""


class ToolInterrupted(Exception):
    """The tool asked for an interrupt of its own, in the middle of its work."""


class InterlockPlugin(Plugin):
    """Takes an agent's tool calls through the gate, in `task` or in the task that is open where the agent is run. With
    `hold="pause"` the run ends with an interrupt where people must decide; resumed with any response it goes on from what they
    said, and waits for that."""

    def __init__(self, task: Handle | None = None, **options: Unpack[Options]) -> None:
        super().__init__()
        self._gate = FrameworkGate(task, **options)

    @property
    def name(self) -> str:
        """As Strands lists it."""
        return "interlock"

    def init_agent(self, agent: Agent) -> None:
        """Stand around every tool that this agent runs."""
        agent.add_middleware(ExecuteToolStage, self._execute)

    async def _execute(self, context: ExecuteToolContext, run: Next) -> AsyncGenerator[TypedEvent, None]:
        # Where there is no such tool nothing could run, and Strands tells the model so.
        if context.tool is None or context.tool_use["name"] in self._gate.through:
            async for event in run(context):
                yield event
            return
        tool = _Tool(context, run)
        call = _call(context.agent, context.tool_use, tool)
        async for event in tool.asking(self._gate.acall(call)):
            yield event
        if isinstance(tool.came, Paused):
            # Raises, until somebody resumes the run.
            context.interrupt(INTERRUPT, reason={"action": tool.came.action_id, "text": tool.came.text})
            async for event in tool.asking(self._gate.aresumed(call)):
                yield event
        if tool.came is not None:
            yield ToolResultEvent(_result(context.tool_use, tool.came))


class _Tool:
    """One tool on its way: `own` runs it as Strands would, while `asking` streams what it streams. Then `came` is there."""

    def __init__(self, context: ExecuteToolContext, run: Next) -> None:
        self._context = context
        self._run = run
        self._streamed: asyncio.Queue[TypedEvent | None] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()
        self.came: Came | None = None

    async def asking(self, coming: Coroutine[Any, Any, Came]) -> AsyncIterator[TypedEvent]:
        """Take the call through the gate."""
        asked = asyncio.ensure_future(coming)
        asked.add_done_callback(lambda _: self._streamed.put_nowait(None))
        try:
            while (event := await self._streamed.get()) is not None:
                yield event
            self.came = await asked
        finally:
            # Left before it was over, as by a cancelled agent: Strands closes what it streams from, which must not be running.
            if asked.cancel():
                await asyncio.wait([asked])
            await self._idle.wait()

    async def own(self, agreed: dict[str, JsonValue]) -> ToolResult:
        """The tool, with the arguments that were agreed to."""
        self._idle.clear()
        try:
            return await self._result(cast("ToolUse", {**self._context.tool_use, "input": agreed}))
        finally:
            self._idle.set()

    async def _result(self, use: ToolUse) -> ToolResult:
        found: ToolResultEvent | None = None
        async for event in self._run(self._context.replace(tool_use=use)):
            if isinstance(event, ToolResultEvent):
                found = event
            elif type(event).__name__ == "ToolInterruptEvent":
                raise ToolInterrupted("the tool asked for an interrupt of its own: what it did before is not known")
            else:
                self._streamed.put_nowait(event)
        if found is None:
            raise RuntimeError("no result came from the tool")
        if found.exception is not None:
            raise found.exception
        return found.tool_result


def _call(agent: LocalAgent, use: ToolUse, tool: _Tool) -> FrameworkCall:
    # Models of some providers give all calls of one tool the same id; messages have ids of Strands' own.
    message = str(agent.messages[-1].get("tracking_id", "")) if agent.messages else ""
    arguments = cast("Mapping[str, object]", use["input"] or {})
    return FrameworkCall(use["name"], arguments, use["toolUseId"], tool.own, message, _written)


def _written(returned: object) -> JsonValue:
    """What a tool gave, as it is recorded: one text or one JSON value as that, all else as the list of its blocks."""
    result = cast("ToolResult", returned)
    blocks = [_block(each) for each in result["content"]]
    value = blocks[0] if len(blocks) == 1 else cast("JsonValue", blocks)
    return {"error": value} if result["status"] == "error" else value


def _block(content: ToolResultContent) -> JsonValue:
    if "text" in content:
        return rendered(content["text"])
    if "json" in content:
        return rendered(content["json"])
    return f"({', '.join(content)}: not recorded)"


def _result(use: ToolUse, came: Came) -> ToolResult:
    """What the agent is given."""
    if isinstance(came, Given):
        if came.is_raw:
            return cast("ToolResult", came.raw)
        return _said(use, words_of_value(came.value), "success")
    return _said(use, came.text, "error")


def _said(use: ToolUse, text: str, status: Any) -> ToolResult:
    return {"toolUseId": use["toolUseId"], "status": status, "content": [{"text": text}]}
