"""Interlock under the OpenAI Agents SDK: every function tool of an agent, and of those it hands over to, goes through the gate.

    agent = governed(agent, task)

The tool runs once, when the gate dispatches it, with the arguments that were agreed to. With `hold="pause"` a held call is one of
`result.interruptions`; the record in the control plane decides: `await decided(state)` lets go on what was decided there, and
`state.approve(...)` agrees to nothing.
"""

import json
from dataclasses import replace
from typing import Any, TypeVar, Unpack, cast

from agents import Agent, FunctionTool, Handoff, RunContextWrapper, RunState, Tool
from agents.tool import set_function_tool_failure_error_function
from agents.tool_context import ToolContext

from interlock.domain.canonical import JsonValue
from interlock.domain.errors import NotAllowed
from interlock.sdk.framework_call import FrameworkCall, Given, Paused
from interlock.sdk.framework_gate import FrameworkGate, Options
from interlock.sdk.lending import Own
from interlock.sdk.task import Handle

C = TypeVar("C")


def governed(agent: Agent[C], task: Handle | None = None, *, run_id: str = "", **options: Unpack[Options]) -> Agent[C]:
    """The same agent, whose tools act through the gate: in `task`, or in the task that is open where it is run.

    `run_id` names the conversation or ticket, in which calls are told apart by the SDK's ids; without it it is the task's id. It
    is the same when a run is resumed in another process, so `hold="pause"` wants it, or a `run`. `through` are also hosted tools
    and MCP servers, by name. Raises NotAllowed for any other that is not this program's function."""
    gate = FrameworkGate(task, **options)
    if gate.pauses and not (run_id or options.get("run")):
        raise NotAllowed(
            '`hold="pause"` ends the run, and the SDK has no name for it by which a resumed one is known again',
            next_step='give one of yours: `governed(agent, task, hold="pause", run_id="ticket-17")`',
        )
    return _Governing(gate, run_id).agent(agent)


class _Governing:
    """Makes governed agents of agents, each once: they may hand over in circles."""

    def __init__(self, gate: FrameworkGate, run_id: str) -> None:
        self._gate = gate
        self._run_id = run_id
        self._made: dict[int, tuple[Agent[Any], Agent[Any]]] = {}

    def agent(self, agent: Agent[C]) -> Agent[C]:
        """The governed one. What it was made of is kept, so that no other takes its identity."""
        if id(agent) in self._made:
            return cast(Agent[C], self._made[id(agent)][1])
        for server in agent.mcp_servers:
            if server.name not in self._gate.through:
                raise _beyond(f"the MCP server `{server.name}`", server.name)
        made = agent.clone()
        self._made[id(agent)] = (agent, made)
        made.tools = [self._tool(each) for each in agent.tools]
        made.handoffs = [
            self.agent(each) if isinstance(each, Agent) else self._handoff(each) for each in agent.handoffs
        ]
        return made

    def _handoff(self, handoff: Handoff[Any, Agent[Any]]) -> Handoff[Any, Agent[Any]]:
        async def over(context: RunContextWrapper[Any], arguments: str) -> Agent[Any]:
            return self.agent(await handoff.on_invoke_handoff(context, arguments))

        return replace(handoff, on_invoke_handoff=over)

    def _tool(self, tool: Tool) -> Tool:
        if tool.name in self._gate.through:
            return tool
        if not isinstance(tool, FunctionTool):
            raise _beyond(f"`{tool.name}`, which is no function of this program", tool.name)
        # Its failures come as they are, not as words that look like a result.
        own = set_function_tool_failure_error_function(replace(tool), None)

        invoker = _Invoker(self._gate, own, self._run_id)
        # How long a call may take says its contract; people may take longer than a tool.
        if not self._gate.pauses:
            return replace(tool, on_invoke_tool=invoker, timeout_seconds=None)
        return replace(tool, on_invoke_tool=invoker, needs_approval=invoker.asks, timeout_seconds=None)


class _Invoker:
    """One tool, called through the gate."""

    def __init__(self, gate: FrameworkGate, own: FunctionTool, run_id: str) -> None:
        self._gate = gate
        self._own = own
        self._run_id = run_id

    async def __call__(self, context: ToolContext[Any], said: str) -> Any:
        """What the tool gave, or words for the model."""
        arguments = _object(said)
        if arguments is None:
            return f"Not done: the arguments of `{self._own.name}` are no JSON object. Nothing was touched."

        async def run(agreed: dict[str, JsonValue]) -> Any:
            return await self._own.on_invoke_tool(context, json.dumps(agreed))

        call = self._call(arguments, context.tool_call_id, run)
        came = await self._gate.acall(call)
        if isinstance(came, Given):
            return came.returned
        # It was let go on without the control plane's word: it cannot pause any more.
        return self._gate.tell(call, came) if isinstance(came, Paused) else came.text

    async def asks(self, context: RunContextWrapper[Any], arguments: dict[str, Any], call_id: str) -> bool:
        """Whether people are still to decide on a call. It proposes the very action that the call then is."""
        del context
        return await self._gate.aasks(self._call(arguments, call_id, _never)) is not None

    def _call(self, arguments: dict[str, Any], call_id: str, own: Own) -> FrameworkCall:
        return FrameworkCall(tool=self._own.name, arguments=arguments, call_id=call_id, own=own, run_id=self._run_id)


async def decided(state: RunState[Any, Agent[Any]]) -> bool:
    """Let those interruptions of `state` go on that people have decided upon in the control plane, whatever they decided. Gives
    whether there were any: then run it on, `await Runner.run(agent, state)`. What is nobody's but the SDK's is left as it is."""
    found = False
    for item in state.get_interruptions():
        tools = [each for each in item.agent.tools if isinstance(each, FunctionTool) and each.name == item.tool_name]
        invoker = tools[0].on_invoke_tool if tools else None
        if not isinstance(invoker, _Invoker):
            continue
        arguments = _object(item.arguments or "")
        if arguments is None or not await invoker.asks(RunContextWrapper(None), arguments, item.call_id or ""):
            state.approve(item)
            found = True
    return found


async def _never(arguments: dict[str, JsonValue]) -> Any:
    """Of a call that is only proposed: it is not lent."""
    del arguments
    raise NotAllowed("this call was only proposed")


def _object(said: str) -> dict[str, Any] | None:
    """What the model wrote, where it is a JSON object; nothing at all is an empty one."""
    try:
        found: object = json.loads(said or "{}")
    except (ValueError, RecursionError):
        return None
    return cast(dict[str, Any], found) if isinstance(found, dict) else None


def _beyond(what: str, name: str) -> NotAllowed:
    return NotAllowed(
        f"{what} cannot be governed here: it does not pass through this program, or past it",
        next_step=f"leave it out, put it behind `interlock gateway`, or let it through by its name: `through=[{name!r}]`",
    )
