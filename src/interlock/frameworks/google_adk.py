"""Google ADK: with `App(..., plugins=[InterlockPlugin(task)])` every tool call of its agents goes through the gate.

The plugin answers `before_tool_callback` with the tool's result: the tool runs there, inside the gate's dispatch. ADK keeps
invocations and calls in its sessions: one that a killed process left is resumed under the same ids, and its calls get the answers
they had. ADK promises at-least-once for tools of resumed invocations; the gate makes it once.
"""

import inspect
from collections.abc import Collection, Mapping
from typing import Any, Final, cast

from google.adk.agents import LlmAgent
from google.adk.plugins.base_plugin import BasePlugin
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.exit_loop_tool import exit_loop
from google.adk.tools.set_model_response_tool import SetModelResponseTool
from google.adk.tools.tool_context import ToolContext
from google.adk.tools.transfer_to_agent_tool import TransferToAgentTool, transfer_to_agent

from interlock.domain.canonical import JsonValue
from interlock.sdk.framework_call import FrameworkCall, Given, Governor, Hold, Paused
from interlock.sdk.named_run import NamedRun
from interlock.sdk.rendering import rendered
from interlock.sdk.task import Handle

_OF_ADK: Final = (AgentTool, SetModelResponseTool, TransferToAgentTool)
"""Tools by which ADK hands the word on among agents: what those do goes through the gate, they themselves touch nothing."""
_FUNCTIONS: Final = (exit_loop, transfer_to_agent)


class InterlockPlugin(BasePlugin):
    """Takes the tool calls of all agents of a runner through the gate, in `task` or in the task that is open where they are run.
    It stands last in `plugins`: what others make of a call is judged, and those after it would not be asked.

    With `hold="pause"` the run ends where people must decide, with ADK's request for a confirmation; confirmed, it goes on from
    what they said, and waits for that. `"wait"` waits right there, `"tell"` tells the model, which may ask again. With `run`
    calls are told apart by what they do, and not by ADK's ids; `repeats` are tools that may be called twice alike in one.
    `through` are tools that are not governed; those by which ADK's agents hand the word to one another never are.
    """

    def __init__(
        self,
        task: Handle | None = None,
        *,
        hold: Hold = "wait",
        run: str = "",
        repeats: Collection[str] = (),
        contracts: Mapping[str, str] | None = None,
        patience_ms: int | None = None,
        through: Collection[str] = (),
    ) -> None:
        super().__init__(name="interlock")
        self._governor = Governor(task, hold=hold, contracts=contracts, patience_ms=patience_ms)
        self._decided = Governor(task, contracts=contracts, patience_ms=patience_ms)
        self._run = NamedRun(run, repeats)
        self._through = frozenset(through)

    async def before_tool_callback(
        self, *, tool: BaseTool, tool_args: dict[str, Any], tool_context: ToolContext
    ) -> dict[str, Any] | None:
        """What the tool gave, or why it did not run."""
        if tool.name in self._through or _is_of_adk(tool):
            return None
        answered = await _answered(tool, tool_args, tool_context)
        if answered is not None:
            return answered
        confirmed = tool_context.tool_confirmation
        if confirmed is not None and not confirmed.confirmed:
            return {"error": f"Not done: whoever was asked did not confirm `{tool.name}`. Nothing was touched."}
        if confirmed is None and await tool.check_require_confirmation(tool_args, tool_context) is True:
            return _asking(tool_context, f"Please confirm or reject the call of `{tool.name}`.", {})
        governor = self._governor if confirmed is None else self._decided
        came = await self._run.acall(governor, self._call(tool, tool_args, tool_context))
        match came:
            case Given():
                return _given(tool, came.raw if came.is_raw else came.value)
            case Paused():
                return _asking(tool_context, came.text, {"action": came.action_id})
            case _:
                return {"error": came.text}

    def _call(self, tool: BaseTool, arguments: dict[str, Any], context: ToolContext) -> FrameworkCall:
        async def own(agreed: dict[str, JsonValue]) -> object:
            return await tool.run_async(args=dict(agreed), tool_context=context)

        invocation = context.get_invocation_context()
        named = self._run.named(
            tool.name, arguments, f"{invocation.session.id}/{invocation.invocation_id}", context.function_call_id or ""
        )
        return FrameworkCall(tool.name, arguments, named.call_id, own, named.run_id, rendered)


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
