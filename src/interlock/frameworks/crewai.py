"""CrewAI: `Agent(..., tools=governed(task, tools))`, and every call of those tools goes through the gate.

CrewAI's hooks before a tool can stop it or change its arguments, and no more: the tool would still run outside of the gate,
where CrewAI runs it again when it raises, and again when a task is tried anew. So the tools themselves are wrapped. CrewAI gives
calls no names: in one kickoff, calls of one tool with the same arguments are one call, done once.
"""

from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import Any, Self, Unpack

from crewai.execution import get_execution_uuid
from crewai.tools import BaseTool
from crewai.tools.base_tool import Tool
from crewai.tools.tool_failure import ToolFailure, ToolFailureReason
from pydantic import BaseModel, PrivateAttr

from interlock.domain.canonical import JsonValue
from interlock.sdk.framework_call import Came, FrameworkCall, Given
from interlock.sdk.framework_gate import FrameworkGate, Options
from interlock.sdk.rendering import rendered
from interlock.sdk.task import Handle


def governed(task: Handle | None, tools: Sequence[BaseTool], **options: Unpack[Options]) -> list[BaseTool]:
    """`tools`, called through the gate: in `task`, or, where that is None, in the task that is open where the crew is run.

    Calls of one tool with the same arguments are one call in a run, however often CrewAI or the model makes it; `repeats` are
    tools of which each call is one of its own. A run is a kickoff, or what `run` names: then also one of another process.
    `hold="pause"` is an error.
    """
    gate = FrameworkGate(task, cannot_pause="CrewAI cannot pause a crew so that it can be resumed", **options)
    return [each if each.name in gate.through else _wrapped(each, gate) for each in tools]


class GovernedTool(BaseTool):
    """A tool that runs once the gate dispatches it, or not at all. Nothing is raised for a no, nor by a tool that fails: CrewAI
    would run it again."""

    _inner: BaseTool = PrivateAttr()
    _gate: FrameworkGate = PrivateAttr()

    def around(self, inner: BaseTool, gate: FrameworkGate) -> Self:
        """Stand around `inner`."""
        self._inner, self._gate = inner, gate
        return self

    def _run(self, **kwargs: Any) -> Any:
        return _given(self._gate.call(self._call(kwargs, self._inner._run)))  # noqa: SLF001  what it calls its work

    async def _arun(self, **kwargs: Any) -> Any:
        inner = self._inner
        # What is asynchronous by its function gives something to be awaited where it is run.
        plain = isinstance(inner, Tool) or type(inner)._arun is BaseTool._arun  # noqa: SLF001  as above
        function = inner._run if plain else inner._arun  # noqa: SLF001  as above
        return _given(await self._gate.acall(self._call(kwargs, function)))

    def _call(self, arguments: dict[str, Any], function: Callable[..., Any]) -> FrameworkCall:
        """What CrewAI asks for, in the kickoff that it is part of. It gives calls no ids."""
        inner = self._inner

        def own(agreed: dict[str, JsonValue]) -> Any:
            schema = inner.args_schema
            values = schema.model_validate(agreed).model_dump() if schema.model_fields else agreed
            return function(**values)

        return FrameworkCall(inner.name, arguments, "", own, get_execution_uuid() or token_hex(16), self._written)

    def _written(self, returned: Any) -> JsonValue:
        return rendered(returned.model_dump() if isinstance(returned, BaseModel) else returned)


def _wrapped(tool: BaseTool, gate: FrameworkGate) -> GovernedTool:
    wrapped = GovernedTool(
        name=tool.name,
        description=tool.description,
        args_schema=tool.args_schema,
        result_schema=tool.result_schema,
        env_vars=tool.env_vars,
        # An answer that is kept would be given without asking the gate: also a no that is none any more.
        cache_function=_never,
        result_as_answer=tool.result_as_answer,
        max_usage_count=tool.max_usage_count,
        tool_failure_policy=tool.tool_failure_policy,
    )
    return wrapped.around(tool, gate)


def _never(_arguments: Any = None, _result: Any = None) -> bool:
    return False


def _given(came: Came) -> Any:
    if isinstance(came, Given):
        return came.returned
    return ToolFailure(message=came.text, reason=ToolFailureReason.TOOL_REPORTED)
