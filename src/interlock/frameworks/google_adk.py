"""Google ADK: with `App(..., plugins=[InterlockPlugin(task)])` every tool call of its agents goes through the gate.

The plugin answers `before_tool_callback` with the tool's result: the tool runs there, inside the gate's dispatch. ADK keeps
invocations and calls in its sessions: one that a killed process left is resumed under the same ids, and its calls get the answers
they had. ADK promises at-least-once for tools of resumed invocations; the gate makes it once.
"""

import inspect
from typing import Any, Final, Unpack, cast

from google.adk.agents import LlmAgent
from google.adk.plugins.base_plugin import BasePlugin
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.exit_loop_tool import exit_loop
from google.adk.tools.set_model_response_tool import SetModelResponseTool
from google.adk.tools.tool_context import ToolContext
from google.adk.tools.transfer_to_agent_tool import TransferToAgentTool, transfer_to_agent

from interlock.domain.canonical import JsonValue
from interlock.sdk.framework_call import FrameworkCall, Given, Paused
from interlock.sdk.framework_gate import FrameworkGate, Options
from interlock.sdk.task import Handle

_OF_ADK: Final = (AgentTool, SetModelResponseTool, TransferToAgentTool)
"""Tools by which ADK hands the word on among agents: what those do goes through the gate, they themselves touch nothing."""
_FUNCTIONS: Final = (exit_loop, transfer_to_agent)


class InterlockPlugin(BasePlugin):
    """Takes the tool calls of all agents of a runner through the gate, in `task` or in the task that is open where they are run.
    It stands last in `plugins`: what others make of a call is judged, and those after it would not be asked.

    With `hold="pause"` the run ends where people must decide, with ADK's request for a confirmation; confirmed, it goes on from
    what they said, and waits for that. The tools by which ADK's agents hand the word to one another are not governed.
    """

    def __init__(self, task: Handle | None = None, **options: Unpack[Options]) -> None:
        super().__init__(name="interlock")
        self._gate = FrameworkGate(task, **options)

    async def before_tool_callback(
        self, *, tool: BaseTool, tool_args: dict[str, Any], tool_context: ToolContext
    ) -> dict[str, Any] | None:
        """What the tool gave, or why it did not run."""
        if tool.name in self._gate.through or _is_of_adk(tool):
            return None
        answered = await _answered(tool, tool_args, tool_context)
        if answered is not None:
            return answered
        confirmed = tool_context.tool_confirmation
        if confirmed is not None and not confirmed.confirmed:
            return {"error": f"Not done: whoever was asked did not confirm `{tool.name}`. Nothing was touched."}
        if confirmed is None and await tool.check_require_confirmation(tool_args, tool_context) is True:
            return _asking(tool_context, f"Please confirm or reject the call of `{tool.name}`.", {})
        call = _call(tool, tool_args, tool_context)
        came = await (self._gate.acall(call) if confirmed is None else self._gate.aresumed(call))
        match came:
            case Given():
                return _given(tool, came.returned)
            case Paused():
                return _asking(tool_context, came.text, {"action": came.action_id})
            case _:
                return {"error": came.text}


def _call(tool: BaseTool, arguments: dict[str, Any], context: ToolContext) -> FrameworkCall:
    async def own(agreed: dict[str, JsonValue]) -> object:
        return await tool.run_async(args=dict(agreed), tool_context=context)

    invocation = context.get_invocation_context()
    run_id = f"{invocation.session.id}/{invocation.invocation_id}"
    return FrameworkCall(tool.name, arguments, context.function_call_id or "", own, run_id)


def _is_of_adk(tool: BaseTool) -> bool:
    """Whether it touches nothing. A tool that nobody has is a bare BaseTool: ADK tells the model so."""
    return type(tool) is BaseTool or isinstance(tool, _OF_ADK) or getattr(tool, "func", None) in _FUNCTIONS


async def _answered(tool: BaseTool, arguments: dict[str, Any], context: ToolContext) -> dict[str, Any] | None:
    """What the agent's own callbacks say before the tool: ADK asks them no more once a plugin answered."""
    agent = context.get_invocation_context().agent
    if not isinstance(agent, LlmAgent):
        return None
    for callback in agent.canonical_before_tool_callbacks:
        said = cast(Any, callback)(tool=tool, args=arguments, tool_context=context)
        answer = await said if inspect.isawaitable(said) else said
        if answer is not None:
            return cast("dict[str, Any]", answer)
    return None


def _asking(context: ToolContext, hint: str, payload: dict[str, str]) -> dict[str, Any]:
    """End the run until somebody confirms that it may go on."""
    context.request_confirmation(hint=hint, payload=payload)
    context.actions.skip_summarization = True
    return {"error": hint}


def _given(tool: BaseTool, value: object) -> dict[str, Any]:
    """A result as ADK has them. None would mean that the tool is still to be run; nothing at all, that a long-running one answers
    later."""
    if value is None and tool.is_long_running:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"result": value}
