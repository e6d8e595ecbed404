"""Interlock under LangChain and LangGraph: every tool call of an agent or a `ToolNode` goes through the gate.

    agent = create_agent(model, tools, middleware=[InterlockMiddleware(task, hold="pause")], checkpointer=saver)

The tool runs once, when the gate dispatches it, with the arguments that were agreed to. With `hold="pause"` a held call
interrupts the graph; the record in the control plane decides, so that `Command(resume=...)` goes on and agrees to nothing.
"""

import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Unpack, cast

from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.errors import GraphBubbleUp
from langgraph.prebuilt.tool_node import ToolCallRequest, ToolRuntime
from langgraph.types import interrupt

from interlock.domain.canonical import JsonValue
from interlock.domain.errors import NotAllowed
from interlock.frameworks.langchain_results import Result, again, written
from interlock.sdk.framework_call import Came, FrameworkCall, Given, Paused
from interlock.sdk.framework_gate import FrameworkGate, Options
from interlock.sdk.lending import Own
from interlock.sdk.rendering import rendered
from interlock.sdk.task import Handle


class InterlockMiddleware(AgentMiddleware[AgentState[Any], Any, Any]):
    """Takes each tool call through the gate, in `task` or in the task that is open where the agent is run.

    Put it last in `middleware`, so that what tries calls again stands around it. A `ToolNode` takes its `wrap_tool_call` and
    `awrap_tool_call`.
    """

    def __init__(self, task: Handle | None = None, **options: Unpack[Options]) -> None:
        super().__init__()
        self._gate = FrameworkGate(task, **options)
        self._warned = False

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Result]) -> Result:
        """Take one call through the gate."""
        if request.tool_call["name"] in self._gate.through:
            return handler(request)
        self._look(request)

        def own(arguments: dict[str, JsonValue]) -> Result:
            return _acted(lambda: handler(_with(request, arguments)))

        call = _call_of(request, own)
        came = self._gate.call(call)
        while isinstance(came, Paused):
            _interrupted(came, call)
            came = self._gate.call(call)
        return _result(came, request)

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Result]]
    ) -> Result:
        """The same, awaited."""
        if request.tool_call["name"] in self._gate.through:
            return await handler(request)
        self._look(request)

        async def own(arguments: dict[str, JsonValue]) -> Result:
            try:
                return _unraised(await handler(_with(request, arguments)))
            except GraphBubbleUp as error:
                raise _itself(error) from error

        call = _call_of(request, own)
        came = await self._gate.acall(call)
        while isinstance(came, Paused):
            _interrupted(came, call)
            came = await self._gate.acall(call)
        return _result(came, request)

    def _look(self, request: ToolCallRequest) -> None:
        """Whether the graph keeps what a pause or a crash needs."""
        configurable = _runtime_of(request).config.get("configurable", {})
        if configurable.get("thread_id") is None:
            if self._gate.pauses:
                raise NotAllowed(
                    '`hold="pause"` interrupts the graph, and without a checkpointer nothing could resume it',
                    next_step='give the agent a checkpointer and a `thread_id`, or `hold="wait"`',
                )
        elif configurable.get("__pregel_durability") != "sync" and not self._warned:
            self._warned = True
            warnings.warn(
                "this graph writes its checkpoints beside its work: a crash may lose the model's word, and with it which call "
                'this was, and a model that is asked again makes another; run it with `durability="sync"`',
                RuntimeWarning,
                stacklevel=2,
            )


class _ToolSaid(Exception):
    """A tool's failure that the framework made a message of, in its words."""


def _call_of(request: ToolCallRequest, own: Own) -> FrameworkCall:
    """The call, named by its thread and the model's message, so that a node that runs again means the same one, in a fork,
    too."""
    call, info = request.tool_call, _runtime_of(request).execution_info
    said_in = _message_of(request.state, call["id"])
    run_id = "" if info is None else f"{info.thread_id or ''}/{said_in or info.checkpoint_ns}"
    return FrameworkCall(
        tool=call["name"],
        arguments=call["args"],
        call_id=str(call["id"] or ""),
        own=own,
        run_id=run_id,
        rendered=written,
    )


def _runtime_of(request: ToolCallRequest) -> ToolRuntime[Any, Any]:
    return cast(ToolRuntime[Any, Any], request.runtime)  # pyright: ignore[reportUnknownMemberType]  theirs leaves it open


def _message_of(state: Any, call_id: str | None) -> str:
    """The id of the message in which the model made the call; empty where none is known."""
    if isinstance(state, list):
        messages = cast(list[object], state)
    elif isinstance(state, Mapping):
        messages = cast(Mapping[str, list[object]], state).get("messages", [])
    else:
        messages = cast(list[object], getattr(state, "messages", []))
    for each in reversed(messages):
        if isinstance(each, AIMessage) and any(call["id"] == call_id for call in each.tool_calls):
            return each.id or ""
    return ""


def _with(request: ToolCallRequest, arguments: dict[str, JsonValue]) -> ToolCallRequest:
    """The request with what was agreed to."""
    return request.override(tool_call={**request.tool_call, "args": arguments})


def _acted(run: Callable[[], Result]) -> Result:
    try:
        return _unraised(run())
    except GraphBubbleUp as error:
        raise _itself(error) from error


def _unraised(result: Result) -> Result:
    """What the tool gave. A failure that the framework had made a message of is a failure again."""
    if isinstance(result, ToolMessage) and result.status == "error":
        raise _ToolSaid(str(result.content))
    return result


def _itself(error: GraphBubbleUp) -> _ToolSaid:
    said = "the tool interrupted the graph itself, and may have acted before; ask people by policy instead"
    return _ToolSaid(f"{said} ({type(error).__name__})")


def _interrupted(paused: Paused, call: FrameworkCall) -> None:
    """End this run of the graph; resumed, return. What it is resumed with decides nothing."""
    interrupt(
        {
            "waits_for": "interlock",
            "action_id": paused.action_id,
            "tool": call.tool,
            "arguments": rendered(call.arguments),
            "why": paused.text,
        }
    )


def _result(came: Came, request: ToolCallRequest) -> Result:
    if isinstance(came, Given):
        return cast(Result, came.raw) if came.is_raw else again(came.value, request)
    call = request.tool_call
    return ToolMessage(content=came.text, name=call["name"], tool_call_id=str(call["id"] or ""), status="error")
