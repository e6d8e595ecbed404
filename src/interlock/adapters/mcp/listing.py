"""All of a kind that a server offers besides tools, page by page, within bounds."""

import asyncio
import json
from typing import Any, Final, cast

import mcp_types as types

from interlock.adapters.mcp.connection import MOST_PAGES, Connection
from interlock.adapters.mcp.failing import FailedError
from interlock.domain.upstream import Wire
from interlock.ports.upstream import Kind

MOST_LISTED: Final = 10_000

LISTS: Final[dict[Kind, tuple[Any, str, str]]] = {
    "resources": (types.ListResourcesRequest, "resources", "uri"),
    "templates": (types.ListResourceTemplatesRequest, "resourceTemplates", "uriTemplate"),
    "prompts": (types.ListPromptsRequest, "prompts", "name"),
}
"""By kind what asks for a page, where the things stand in it, and by which member each is known."""


async def listed(connection: Connection, kind: Kind) -> list[Wire]:
    """All of it, just as it came; nothing of a server that knows no such list. Raises FailedError."""
    request, member, _ = LISTS[kind]
    found: list[Wire] = []
    held, cursor = 0, ""
    until = asyncio.get_running_loop().time() + connection.server.timeout_ms / 1000
    for _ in range(MOST_PAGES):
        params = types.PaginatedRequestParams(cursor=cursor) if cursor else None
        try:
            page = await connection.call(request(params=params))
        except FailedError as error:
            if error.code == types.METHOD_NOT_FOUND:
                return found
            raise
        items, after = page.get(member, []), page.get("nextCursor") or ""
        if not isinstance(after, str) or not isinstance(items, list):
            raise FailedError("garbage", f"what it lists of {member} is no list")
        # Whoever lists is a stranger: what is no object is nothing that is offered.
        found += [each for each in cast("list[object]", items) if isinstance(each, dict)]
        try:
            held, cursor = held + len(json.dumps(page)), after
        except (ValueError, RecursionError) as problem:
            raise FailedError("garbage", f"what it lists cannot be held: {problem}") from None
        if not cursor:
            return found
        late = asyncio.get_running_loop().time() >= until
        if len(found) > MOST_LISTED or held > connection.server.most_bytes or late:
            break
    raise FailedError("garbage", f"it lists more {member} than are taken, or without end")
