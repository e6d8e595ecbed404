"""AG2: `Agent(..., middleware=[InterlockMiddleware(task)])`, and every tool call of the agent goes through the gate.

The tool itself, with the middleware it has of its own, runs inside the gate's dispatch. AG2 cannot resume a turn that a killed
process left, it asks the model anew: name the run (`run="refunds-of-monday"`), and a call that was made in it before gets the
answer it had.
"""

import json
from collections.abc import Collection, Mapping
from copy import copy
from typing import cast

from ag2 import Context
from ag2.events import (
    BaseEvent,
    ClientToolCallEvent,
    DataInput,
    Input,
    TextInput,
    ToolCallEvent,
    ToolErrorEvent,
    ToolResultEvent,
)
from ag2.middleware import BaseMiddleware, ToolExecution, ToolResultType

from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError
from interlock.sdk.framework_call import FrameworkCall, Given, Governor, Hold
from interlock.sdk.named_run import NamedRun
from interlock.sdk.rendering import rendered, words_of_value
from interlock.sdk.task import Handle


class InterlockMiddleware:
    """Takes an agent's tool calls through the gate, in `task` or in the task that is open where the agent is run. It stands last
    in `middleware`: what others make of a call is judged.

    While people decide the call waits; with `hold="tell"` the model is told, and may ask again. With `run` calls are told apart
    by what they do, and not by their ids; `repeats` are tools that may be called twice alike in one. `through` are tools that are
    not governed: agents that are called as tools, whose own calls are.
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
        if hold == "pause":
            raise ContractError(
                "AG2 cannot pause a turn so that it can be resumed",
                path="/hold",
                next_step="say `hold='wait'`, or `hold='tell'`",
            )
        self._governor = Governor(task, hold=hold, contracts=contracts, patience_ms=patience_ms)
        self._run = NamedRun(run, repeats)
        self._through = frozenset(through)

    def __call__(self, event: BaseEvent, context: Context) -> BaseMiddleware:
        """The middleware of one turn."""
        return _Turn(event, context, self._governor, self._run, self._through)


class _Turn(BaseMiddleware):
    """Around the tools of one turn."""

    def __init__(
        self, event: BaseEvent, context: Context, governor: Governor, run: NamedRun, through: frozenset[str]
    ) -> None:
        super().__init__(event, context)
        self._through = through
        self._governor = governor
        self._run = run

    async def on_tool_execution(
        self, call_next: ToolExecution, event: ToolCallEvent, context: Context
    ) -> ToolResultType:
        """The tool, once and if the gate lets it."""
        if event.name in self._through:
            return await call_next(event, context)

        async def own(agreed: dict[str, JsonValue]) -> ToolResultType:
            call = copy(event)
            call.arguments = json.dumps(agreed)
            call.serialized_arguments = dict(agreed)
            returned = await call_next(call, context)
            if isinstance(returned, ToolErrorEvent):
                raise returned.error
            return returned

        try:
            arguments = event.serialized_arguments
        except ValueError as error:
            return ToolResultEvent.from_call(event, f"Not done: the arguments are not JSON: {error}")
        named = self._run.named(event.name, arguments, str(context.stream.id), event.id)
        call = FrameworkCall(event.name, arguments, named.call_id, own, named.run_id, _written)
        came = await self._run.acall(self._governor, call)
        if isinstance(came, Given):
            if came.is_raw:
                return cast("ToolResultType", came.raw)
            return ToolResultEvent.from_call(event, words_of_value(came.value))
        return ToolResultEvent.from_call(event, came.text)


def _written(returned: object) -> JsonValue:
    """What a tool gave, as it is recorded: one part as that, all else as the list of its parts."""
    if isinstance(returned, ClientToolCallEvent):
        return {"handed_to_client": returned.name}
    parts = [_part(each) for each in cast("ToolResultEvent", returned).result.parts]
    return parts[0] if len(parts) == 1 else cast("JsonValue", parts)


def _part(part: Input) -> JsonValue:
    if isinstance(part, TextInput):
        return rendered(part.content)
    if isinstance(part, DataInput):
        return rendered(part.data)
    return f"({type(part).__name__}: not recorded)"
