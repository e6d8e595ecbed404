"""Tools of servers as a client sees them: listed by what was accepted of them while they still say the same, and their results in
the protocol's own words, exactly as they came."""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, cast

import mcp_types as types
from mcp_types import methods
from pydantic import ValidationError

from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, McpTarget
from interlock.domain.errors import InterlockError
from interlock.domain.ids import Digest
from interlock.domain.label import source_of
from interlock.domain.tool_result import as_it_came
from interlock.domain.upstream import Definition, Wire
from interlock.gateway.answers import ACTION, SOURCE, STATE
from interlock.gateway.schemas import given
from interlock.ports.upstream import Upstreams
from interlock.sdk.outcomes import Done

ASKED_S: Final = 5.0
"""For so long servers are waited for when tools are listed. Of one that does not answer what was accepted is listed: each call
holds it against what is said then."""
_log = logging.getLogger("interlock.gateway")


class Accepted:
    """What was accepted of servers' tools, held against what they say now."""

    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams
        self._known: dict[Digest, Definition] = {}
        self.schemas: dict[str, dict[str, Any]] = {}
        """Of arguments, as they were last listed, by the name of the tool."""
        self._told: set[tuple[str, str, Digest]] = set()

    async def drifted(self, contracts: Iterable[Contract], task: str) -> set[str]:
        """The names of those contracts whose tools are another by now, or not there any more: they are not offered."""
        by_server: dict[str, list[Contract]] = defaultdict(list)
        for each in contracts:
            if isinstance(each.target, McpTarget):
                by_server[each.target.server].append(each)
        said = await asyncio.gather(*(self._now(server, task) for server in by_server))
        found: set[str] = set()
        for (server, mine), present in zip(by_server.items(), said, strict=True):
            for contract in mine if present is not None else ():
                target = cast(McpTarget, contract.target)
                definition = (present or {}).get(target.tool)
                if definition is None or definition.digest != target.pin:
                    found.add(contract.name)
                    self._tell(server, target)
                else:
                    self._known[target.pin] = definition
        return found

    def definition(self, target: McpTarget) -> Definition | None:
        """What was accepted of a tool, in its server's words."""
        known = self._known.get(target.pin)
        if known is None:
            pinned = self._upstreams.pinned(target.server)
            known = None if pinned is None else pinned.tool(target.tool)
            if known is None or known.digest != target.pin:
                return None
            self._known[target.pin] = known
        return known

    async def _now(self, server: str, task: str) -> dict[str, Definition] | None:
        try:
            async with asyncio.timeout(ASKED_S):
                return {each.name: each for each in await self._upstreams.definitions(server, task=task)}
        except (InterlockError, TimeoutError) as error:
            _log.warning("`%s` does not say now what tools it has: %s", server, error)
            return None

    def _tell(self, server: str, target: McpTarget) -> None:
        which = (server, target.tool, target.pin)
        if which not in self._told:
            self._told.add(which)
            _log.warning(
                "`%s` says something else of `%s` than what was accepted: it is not offered; see `interlock server diff %s`",
                server,
                target.tool,
                server,
            )


def shown(definition: Definition, target: McpTarget) -> dict[str, Any]:
    """The schema of a tool's arguments in its server's own words, without what the gateway says in the client's place."""
    schema = dict(definition.input_schema)
    schema.setdefault("type", "object")
    if target.key:
        named = cast("dict[str, Any]", schema.get("properties") or {})
        schema["properties"] = {name: each for name, each in named.items() if name != target.key}
        schema["required"] = [each for each in schema.get("required", []) if each != target.key]
    return schema


def promised(definition: Definition) -> dict[str, Any] | None:
    """The schema of its results, or of what is said instead."""
    return None if definition.output_schema is None else given(cast("dict[str, JsonValue]", definition.output_schema))


def came(done: Done, contract: Contract, definition: Definition | None, version: str) -> types.CallToolResult:
    """The result of a server's tool, as it came. What was masked, or is nothing the client's version has words for, is given so
    that it can be read all the same."""
    wire: Wire = as_it_came(cast(JsonValue, done.result))
    source = source_of(contract)
    label = {} if source is None else {SOURCE: {"kind": source.kind, "name": source.name, "trusted": source.trusted}}
    own = wire.get("_meta")
    meta: dict[str, Any] = {
        **(cast(Wire, own) if isinstance(own, dict) else {}),
        ACTION: done.action_id,
        STATE: "done",
        **label,
    }
    promises = definition is not None and promised(definition) is not None
    if promises and (done.masked or not isinstance(wire.get("structuredContent"), dict)):
        said = wire.get("structuredContent")
        wire = {**wire, "structuredContent": {"ticket": done.action_id, "state": "done", "result": said}}
    try:
        whole = {**wire, "_meta": meta}
        methods.serialize_server_result("tools/call", version, {"resultType": "complete", **whole})
        return types.CallToolResult.model_validate(whole, by_name=False)
    except (ValidationError, KeyError):
        text = types.TextContent(text=json.dumps(wire, ensure_ascii=False))
        return types.CallToolResult(content=[text], _meta=meta)
