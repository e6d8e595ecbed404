"""The server as the protocol's own package knows it: both eras, one set of handlers, and who asks found for each request."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from interlock.domain.errors import InterlockError
from interlock.gateway.calls import Answer, Calls, Context
from interlock.gateway.news import News
from interlock.gateway.work import Work

_log = logging.getLogger("interlock.gateway")

WorkOf: TypeAlias = Callable[[Context], Awaitable[Work]]
"""Finds the work of whoever makes a request. Raises MCPError where there is none."""

NAME: Final = "interlock"
INSTRUCTIONS: Final = (
    "Every tool here is governed: a call may be refused, or wait for a person. A call that waits is answered with a ticket; "
    "give it to the tool `interlock_ticket` to hear what became of it, and do not call the tool again meanwhile. A call whose "
    "outcome is unknown must not be repeated: a person or a lookup settles it."
)


def server_of(calls: Calls, news: News, work_of: WorkOf, version: str) -> Server[dict[str, Any]]:
    """The server over `calls`, for callers that `work_of` knows."""

    async def list_tools(ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return await calls.list(await work_of(ctx), ctx, params)

    async def call_tool(ctx: Context, params: types.CallToolRequestParams) -> Answer:
        return await calls.call(await work_of(ctx), ctx, params)

    async def cancelled(ctx: Context, params: types.CancelledNotificationParams) -> None:
        if params.request_id is not None:
            calls.cancelled(await work_of(ctx), params.request_id)

    server: Server[dict[str, Any]] = Server(
        NAME,
        version=version,
        title="Interlock",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_subscriptions_listen=news.listen,
    )
    server.add_notification_handler("notifications/cancelled", types.CancelledNotificationParams, cancelled)
    # Spans of the control plane's own say what happened; a second tracer would cost every message.
    server.middleware[:] = [guarded]
    return server


async def guarded(ctx: Context, call_next: CallNext) -> HandlerResult:
    """What goes wrong is told in the protocol's words: of a user's mistake what to do, of a defect of ours nothing but that."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except InterlockError as error:
        code = types.INTERNAL_ERROR if error.fault == "ours" else types.INVALID_REQUEST
        raise MCPError(code, f"{error.detail}; next: {error.next_step}", error.problem()) from None
    except Exception:  # noqa: BLE001  the last place before the wire: a defect's own words are nobody's business there
        _log.exception("a defect of Interlock, in answering `%s`", ctx.method)
        raise MCPError(types.INTERNAL_ERROR, "a defect of Interlock: its log says more") from None
