"""AG2: `Agent(..., middleware=[InterlockMiddleware(task)])`, and every tool call of the agent goes through the gate.

The tool itself, with the middleware it has of its own, runs inside the gate's dispatch. AG2 cannot resume a turn that a killed
process left, it asks the model anew: name the run (`run="refunds-of-monday"`), and a call that was made in it before gets the
answer it had.
"""

import json
from copy import copy
from typing import Unpack, cast

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
from interlock.sdk.framework_call import FrameworkCall, Given
from interlock.sdk.framework_gate import FrameworkGate, Options
from interlock.sdk.rendering import rendered, words_of_value
from interlock.sdk.task import Handle


class InterlockMiddleware:
    """Takes an agent's tool calls through the gate, in `task` or in the task that is open where the agent is run. It stands last
    in `middleware`: what others make of a call is judged. `hold="pause"` is an error."""

    def __init__(self, task: Handle | None = None, **options: Unpack[Options]) -> None:
        self._gate = FrameworkGate(task, cannot_pause="AG2 cannot pause a turn so that it can be resumed", **options)

    def __call__(self, event: BaseEvent, context: Context) -> BaseMiddleware:
        """The middleware of one turn."""
        return _Turn(event, context, self._gate)


class _Turn(BaseMiddleware):
    """Around the tools of one turn."""

    def __init__(self, event: BaseEvent, context: Context, gate: FrameworkGate) -> None:
        super().__init__(event, context)
        self._gate = gate

    async def on_tool_execution(
        self, call_next: ToolExecution, event: ToolCallEvent, context: Context
    ) -> ToolResultType:
        """The tool, once and if the gate lets it."""
        if event.name in self._gate.through:
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
        came = await self._gate.acall(
            FrameworkCall(event.name, arguments, event.id, own, str(context.stream.id), _written)
        )
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
