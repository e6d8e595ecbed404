"""Calling a tool of an MCP server, and what its answer means.

Before anything is sent, what the server says of the tool now is held against what was accepted: another definition is not called.
What decides afterwards between *nothing* and *unsure* is whether the request left this machine, and whose word an error is: the
protocol's own refusals (no such tool, these arguments are none) say that nothing was begun; a tool that says it failed
(`isError`) may have done half of it before, unless its owner says otherwise. A tool that only reads has changed nothing
in any case.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import anyio
import jsonschema_rs
import mcp_types as types
import msgspec
from pydantic import ValidationError

from interlock.adapters.effectors.answers import not_called, one_line
from interlock.adapters.mcp.connection import Connection
from interlock.adapters.mcp.failing import FailedError
from interlock.adapters.mcp.upstreams import McpUpstreams
from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue, pointer
from interlock.domain.contract import Contract, McpTarget
from interlock.domain.errors import EffectorError
from interlock.domain.exact import InexactError, sent
from interlock.domain.tool_result import recorded, words_of_failure
from interlock.domain.upstream import Definition, Wire
from interlock.ports.effector import Role

MOST_ROUNDS: Final = 8
"""So often a tool may ask for something before it answers."""
KEY: Final = "io.interlock/idempotencyKey"
ACTION: Final = "io.interlock/action"


class McpEffectors:
    """Calls tools over the connections of `upstreams`."""

    def __init__(self, upstreams: McpUpstreams) -> None:
        self._upstreams = upstreams

    def missing(self, target: McpTarget) -> str:
        """Why this process cannot call it; empty: nothing is known against it."""
        return self._upstreams.reach.missing(target.server)

    async def invoke(
        self, contract: Contract, target: McpTarget, role: Role, arguments: dict[str, JsonValue], call: Call
    ) -> Answer:
        """Call it once. Raises EffectorError before anything was called: the server cannot be reached, or its tool is another."""
        if role != "run":
            raise EffectorError(f"`{target.tool}` of `{target.server}` is only ever run")
        if missing := self.missing(target):
            raise EffectorError(missing)
        begun = _Begun()
        limit = contract.timeout_ms / 1000
        with anyio.move_on_after(limit):
            definition = await self._as_accepted(target, call)
            try:
                given = _given(target, definition, arguments, call)
            except InexactError as error:
                return not_called(role, str(error))
            for _ in range(2):
                connection = await self._upstreams.connection(target.server, call.task)
                answer = await self._called(connection, contract, target, given, call, begun)
                if answer is not None:
                    return answer
                # Its session was gone, so nothing was done with the call: it is made in a new one, which says its tools anew.
                begun.sent = False
                await self._as_accepted(target, call)
            return Nothing("its session is forgotten as soon as it began")
        why = f"no answer within {contract.timeout_ms} ms"
        return Unsure(why) if begun.sent else not_called(role, f"nothing was sent: {why}")

    async def close(self) -> None:
        """Close the connections."""
        await self._upstreams.close()

    async def _as_accepted(self, target: McpTarget, call: Call) -> Definition:
        """What the server says of the tool now, where that is what was accepted. Raises EffectorError."""
        present = (await self._upstreams.tools(target.server, call.task)).get(target.tool)
        look = f"`interlock server diff {target.server}`"
        if present is None:
            raise EffectorError(
                f"`{target.server}` has no tool `{target.tool}` any more: see {look}", next_step=f"look at it: {look}"
            )
        if present.digest != target.pin:
            raise EffectorError(
                f"`{target.server}` says something else of `{target.tool}` than what was accepted: see {look}",
                next_step=f"look at what changed, {look}, and accept it or not",
            )
        return present

    async def _called(
        self,
        connection: Connection,
        contract: Contract,
        target: McpTarget,
        arguments: dict[str, Any],
        call: Call,
        begun: "_Begun",
    ) -> Answer | None:
        """The answer; None where the server knew our session no more."""
        meta: Any = {KEY: call.idempotency_key, ACTION: call.action_id}
        if call.traceparent:
            meta["traceparent"] = call.traceparent
        params = types.CallToolRequestParams(name=target.tool, arguments=arguments, _meta=meta)
        for rounds in range(MOST_ROUNDS):
            begun.sent = True
            try:
                result = await connection.call(
                    types.CallToolRequest(params=params),
                    progress=self._progress(target.server, call),
                    timeout_s=contract.timeout_ms / 1000,
                    within=call.action_id,
                )
            except FailedError as error:
                if rounds:
                    # It was at work when it asked: that this round was refused, or never sent, does not say that it did nothing.
                    return _later(error, contract, target)
                return None if error.kind == "expired" else _failure(error, contract, target)
            if result.get("resultType", "complete") != "input_required":
                return _meaning(result, contract, target)
            more = await self._answers(connection, call, result)
            if more is None:
                return _said_no(contract, target, "it asks for something that it is not given")
            params = params.model_copy(update=more)
        return _said_no(contract, target, f"it asked for something {MOST_ROUNDS} times")

    def _progress(self, server: str, call: Call) -> Callable[..., Any]:
        async def progress(done: float, total: float | None, message: str | None) -> None:
            news: Wire = {"progress": done}
            news |= {} if total is None else {"total": total}
            news |= {} if message is None else {"message": message}
            asking = self._upstreams.asking
            if call.task:
                asking.tell(call.task, lambda heard: heard.progressed(server, call.action_id, news))

        return progress

    async def _answers(self, connection: Connection, call: Call, result: Wire) -> dict[str, Any] | None:
        """What it asked for, as the protocol of 2026-07-28 has it brought to the repeated call; None: it is refused."""
        try:
            asked = types.InputRequiredResult.model_validate(result, by_name=False)
        except ValidationError:
            return None
        responses: dict[str, Any] = {}
        for name, request in (asked.input_requests or {}).items():
            said = request.model_dump(by_alias=True, mode="json", exclude_none=True)
            method = str(said["method"])
            asked_for: Wire = said.get("params") or {}
            answer = await self._upstreams.asking.asked(connection.server, call.task, call.action_id, method, asked_for)
            if answer is None:
                if method != "elicitation/create":
                    return None
                answer = {"action": "decline"}
            responses[name] = answer
        try:
            return {
                "input_responses": types.CallToolRequestParams.model_validate(
                    {"name": "x", "inputResponses": responses}, by_name=False
                ).input_responses,
                "request_state": asked.request_state,
            }
        except ValidationError:
            return None


class _Begun:
    """Whether the call was handed to the connection, from where on only what comes back says what became of it."""

    sent = False


def _given(target: McpTarget, definition: Definition, arguments: dict[str, JsonValue], call: Call) -> dict[str, Any]:
    """The arguments as the server takes them, held against its own schema first. Raises InexactError."""
    given = sent(arguments, target.forms)
    if target.key:
        given[target.key] = call.idempotency_key
    validator = _validator(msgspec.json.encode(definition.input_schema, order="sorted"))
    problem = next(iter(validator.iter_errors(given)), None) if validator is not None else None
    if problem is not None:
        place = "".join(pointer(step) for step in problem.instance_path)
        raise InexactError(place, f"is not what the server takes: {problem.message[:200]}")
    return given


@lru_cache(maxsize=512)
def _validator(schema: bytes) -> jsonschema_rs.Validator | None:
    """The server's own schema, where it is one: of what is none the server is the only judge."""
    try:
        return jsonschema_rs.validator_for(msgspec.json.decode(schema), mask="the value", offline=True)
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
        return None


def _meaning(result: Wire, contract: Contract, target: McpTarget) -> Answer:
    """What came back. It happened, whatever it gave, unless the tool says that it failed."""
    if result.get("isError") is True:
        return _said_no(contract, target, words_of_failure(result))
    try:
        return Landed(recorded(result))
    except InexactError as error:
        return _open(contract, f"its answer cannot be recorded: {error}")


def _failure(error: FailedError, contract: Contract, target: McpTarget) -> Answer:
    """A call that brought no result."""
    match error.kind:
        case "unsent" | "refused":
            return Nothing(one_line(error.why))
        case "answered" if error.code in (types.METHOD_NOT_FOUND, types.INVALID_PARAMS):
            return Nothing(one_line(f"{target.server} refused the call ({error.code}): {error.why}"))
        case "answered":
            return _said_no(contract, target, f"{error.why} ({error.code})")
        case "lost":
            return Unsure(one_line(error.why))
        case _:
            return _open(contract, error.why)


def _later(error: FailedError, contract: Contract, target: McpTarget) -> Answer:
    """A call that brought no result once the tool had asked for something."""
    found = _failure(error, contract, target)
    return _said_no(contract, target, error.why) if isinstance(found, Nothing) else found


def _said_no(contract: Contract, target: McpTarget, why: str) -> Answer:
    """The tool's own word that it failed."""
    nothing = target.errors == "nothing" or not contract.acts
    return Nothing(one_line(why)) if nothing else Unsure(one_line(why))


def _open(contract: Contract, why: str) -> Answer:
    """Something came back that says nothing. A read that is repeated would get the same again."""
    return Unsure(one_line(why)) if contract.acts else Nothing(one_line(why))
