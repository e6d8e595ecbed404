"""Pages of what is offered."""

import base64
import binascii
from typing import Any, Final

import mcp_types as types
from mcp.shared.exceptions import MCPError

from interlock.domain.contract import Contract, McpTarget
from interlock.domain.label import source_of
from interlock.domain.tool_name import TICKET
from interlock.gateway.answers import SOURCE
from interlock.gateway.offers import Offered
from interlock.gateway.questions import TOOL as ANSWERING
from interlock.gateway.schemas import given, hints, taken
from interlock.gateway.upstream import Accepted, promised, shown

PAGE: Final = 100
ASK: Final = types.Tool(
    name=TICKET,
    title="Ask about a call that waits",
    description=(
        "A call that needs a person's word, or takes long, is answered with a ticket. Give that ticket here to hear what became "
        "of the call. `wait_ms` waits for news for so long; without it the answer is what is known now."
    ),
    input_schema={
        "type": "object",
        "properties": {
            "ticket": {"type": "string", "maxLength": 64},
            "wait_ms": {"type": "integer", "minimum": 0, "maximum": 600_000},
        },
        "required": ["ticket"],
    },
    annotations=types.ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    ),
)


def page(offered: Offered, cursor: str | None, accepted: Accepted) -> types.ListToolsResult:
    """The tools whose names sort after `cursor`. Raises MCPError for a text that is no cursor of ours."""
    after = _after(cursor)
    names = [name for name in offered.tools if name > after]
    tools = [_tool(name, offered.tools[name], accepted) for name in names[:PAGE]]
    accepted.schemas.update({each.name: each.input_schema for each in tools})
    if not after:
        tools[:0] = [ASK, ANSWERING]
    more = len(names) > PAGE
    return types.ListToolsResult(tools=tools, next_cursor=_cursor(names[PAGE - 1]) if more else None)


def _tool(name: str, contract: Contract, accepted: Accepted) -> types.Tool:
    target = contract.target
    definition = accepted.definition(target) if isinstance(target, McpTarget) else None
    meta: dict[str, Any] = {
        "interlock/contract": contract.name,
        "interlock/digest": contract.digest,
        "interlock/risk": contract.risk,
    }
    source = source_of(contract)
    if source is not None:
        meta[SOURCE] = {"kind": source.kind, "name": source.name, "trusted": source.trusted}
    if definition is None or not isinstance(target, McpTarget):
        return types.Tool(
            name=name,
            title=contract.name,
            description=contract.description or None,
            input_schema=taken(contract),
            output_schema=given(contract.output_schema) if source is None else None,
            annotations=hints(contract),
            _meta=meta,
        )
    return types.Tool(
        name=name,
        title=definition.title or contract.name,
        description=definition.description or None,
        input_schema=shown(definition, target),
        output_schema=promised(definition),
        annotations=hints(contract),
        _meta=meta,
    )


def _cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _after(cursor: str | None) -> str:
    if cursor is None:
        return ""
    try:
        found = base64.b64decode(cursor[:256], altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        found = ""
    if not found:
        raise MCPError(types.INVALID_PARAMS, "that is no cursor of this list")
    return found
