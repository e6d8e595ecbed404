"""Interlock under Pydantic AI: every tool that an agent's toolsets call goes through the gate.

    agent = Agent(model, tools=[...], capabilities=[InterlockCapability(task)])

The tool runs once, when the gate dispatches it, with the arguments that were agreed to. With `hold="pause"` a held call is one of
`DeferredToolRequests.approvals`; the record in the control plane decides: `try_again(requests)` has the calls made again, and
agrees to nothing.
"""

from dataclasses import dataclass, field
from typing import Any, Unpack

from pydantic_ai import AbstractToolset, ModelRetry, RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.exceptions import ApprovalRequired, ToolFailed
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults
from pydantic_ai.toolsets import ToolsetTool, WrapperToolset

from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError
from interlock.sdk.framework_call import FrameworkCall, Given, Paused
from interlock.sdk.framework_gate import FrameworkGate, Options
from interlock.sdk.task import Handle
from interlock.sdk.tool import NoEffect
from interlock.sdk.values import to_plain


class InterlockCapability(AbstractCapability[Any]):
    """Takes each tool call through the gate, in `task` or in the task that is open where the agent is run."""

    def __init__(self, task: Handle | None = None, **options: Unpack[Options]) -> None:
        self._gate = FrameworkGate(task, **options)

    def get_wrapper_toolset(self, toolset: AbstractToolset[Any]) -> AbstractToolset[Any]:
        """All toolsets of the agent, governed."""
        return GovernedToolset(wrapped=toolset, gate=self._gate)


@dataclass
class GovernedToolset(WrapperToolset[Any]):
    """A toolset whose calls go through the gate: what the capability makes, for an agent that governs one toolset alone."""

    gate: FrameworkGate = field(default_factory=FrameworkGate)

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]
    ) -> Any:
        """Take one call through the gate. Raises ApprovalRequired for one that pauses, ToolFailed with words for the model."""
        if name in self.gate.through:
            return await super().call_tool(name, tool_args, ctx, tool)
        proposed = _plain(tool_args)

        async def own(agreed: dict[str, JsonValue]) -> Any:
            # Made anew of what was agreed to, where that is not what the model said: the tool gets its own types.
            same = agreed == proposed
            arguments = (
                tool_args if same else tool.args_validator.validate_python(agreed, context=ctx.validation_context)
            )
            try:
                return await super(GovernedToolset, self).call_tool(name, arguments, ctx, tool)
            except ModelRetry as error:
                # The tool itself asks for the call to be made again, so it did nothing.
                raise NoEffect(error.message) from error

        call = FrameworkCall(
            tool=name,
            arguments=tool_args if proposed is None else proposed,
            call_id=ctx.tool_call_id or "",
            own=own,
            run_id=ctx.conversation_id or ctx.run_id or "",
        )
        came = await self.gate.acall(call)
        if isinstance(came, Given):
            return came.returned
        if isinstance(came, Paused):
            raise ApprovalRequired({"waits_for": "interlock", "action_id": came.action_id, "why": came.text})
        raise ToolFailed(came.text)


def try_again(*calls: DeferredToolRequests | str) -> DeferredToolResults:
    """What lets deferred calls of ours be made again, in the next run of the conversation: all of a run's requests, or calls by
    their ids. What people decided in the control plane comes of it; what they have not is deferred again. Requests that are the
    program's own are left out."""
    wanted: list[str] = []
    for each in calls:
        if isinstance(each, str):
            wanted.append(each)
            continue
        asked = (call.tool_call_id for call in each.approvals)
        wanted += [call for call in asked if each.metadata.get(call, {}).get("waits_for") == "interlock"]
    return DeferredToolResults(approvals=dict.fromkeys(wanted, True))


def _plain(arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Arguments, which are of the tool's own types, as JSON; None where there is none, which the gate refuses."""
    try:
        return {name: to_plain(value, f"/{name}") for name, value in arguments.items()}
    except ContractError:
        return None
