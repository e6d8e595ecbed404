"""The server as the protocol's own package knows it: both eras, one set of handlers, and who asks found for each request."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeAlias

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel.server import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from interlock.domain.errors import InterlockError
from interlock.gateway.beside import NOT_THERE, BesideTools
from interlock.gateway.calls import Calls
from interlock.gateway.context import Context
from interlock.gateway.ears import ears_of
from interlock.gateway.hearing import answering_of
from interlock.gateway.news import News
from interlock.gateway.waiting import Answer
from interlock.gateway.work import Work

_log = logging.getLogger("interlock.gateway")

WorkOf: TypeAlias = Callable[[Context], Awaitable[Work]]
"""Finds the work of whoever makes a request. Raises MCPError where there is none."""

NAME: Final = "interlock"
CHANGES: Final = NotificationOptions(tools_changed=True, resources_changed=True, prompts_changed=True)
INSTRUCTIONS: Final = (
    "Every tool here is governed: a call may be refused, or wait for a person. A call that waits is answered with a ticket; "
    "give it to the tool `interlock_ticket` to hear what became of it, and do not call the tool again meanwhile. A call whose "
    "outcome is unknown must not be repeated: a person or a lookup settles it."
)


class Handlers:
    """What answers requests, for callers that `work_of` knows."""

    def __init__(self, calls: Calls, beside: BesideTools, news: News, work_of: WorkOf) -> None:
        self._calls = calls
        self._beside = beside
        self._news = news
        self._work_of = work_of

    async def list_tools(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """What the caller may use."""
        return await self._calls.list(await self._work_of(ctx), ctx, params)

    async def call_tool(self, ctx: Context, params: types.CallToolRequestParams) -> Answer:
        """One call."""
        return await self._calls.call(await self._work_of(ctx), ctx, params)

    async def list_resources(
        self, ctx: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        """What may be read."""
        return await self._beside.resources(await self._heard(ctx), _cursor(params))

    async def list_templates(
        self, ctx: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        """What may be read by filling in an address."""
        return await self._beside.templates(await self._heard(ctx), _cursor(params))

    async def list_prompts(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        """What prompts there are."""
        return await self._beside.prompts(await self._heard(ctx), _cursor(params))

    async def read(self, ctx: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """A resource."""
        work = await self._heard(ctx)
        with self._calls.place(work):
            return await self._beside.read(work, params.uri)

    async def prompt(self, ctx: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        """A prompt."""
        work = await self._heard(ctx)
        with self._calls.place(work):
            return await self._beside.prompt(work, params.name, params.arguments or {})

    async def complete(self, ctx: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        """What may be written for an argument."""
        work = await self._heard(ctx)
        with self._calls.place(work):
            return await self._beside.complete(work, params)

    async def subscribe(self, ctx: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """Hear of a resource."""
        if not await self._beside.subscriptions.begin(await self._heard(ctx), params.uri):
            raise MCPError(NOT_THERE, "Resource not found", {"uri": params.uri[:1024]})
        return types.EmptyResult()

    async def unsubscribe(self, ctx: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        """Hear of it no longer."""
        await self._beside.subscriptions.end(await self._heard(ctx), params.uri)
        return types.EmptyResult()

    async def listen(
        self, ctx: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """A stream of news, as clients of the newest version ask for it."""
        work = await self._work_of(ctx)
        asked = params.notifications.resource_subscriptions or ()
        with self._news.stream(work):
            async with self._beside.subscriptions.listening(work, asked) as uris:
                wanted = params.notifications.model_copy(update={"resource_subscriptions": uris or None})
                return await self._news.listen(ctx, params.model_copy(update={"notifications": wanted}))

    async def set_level(self, ctx: Context, params: types.SetLevelRequestParams) -> types.EmptyResult:
        """From which level on it hears what servers log."""
        ears_of(await self._heard(ctx)).level = params.level
        return types.EmptyResult()

    async def cancelled(self, ctx: Context, params: types.CancelledNotificationParams) -> None:
        """An answer is wanted no more."""
        if params.request_id is not None:
            self._calls.cancelled(await self._work_of(ctx), params.request_id)

    async def _heard(self, ctx: Context) -> Work:
        work = await self._work_of(ctx)
        ears_of(work).session = ctx.session
        return work


def server_of(calls: Calls, beside: BesideTools, news: News, work_of: WorkOf, version: str) -> Server[dict[str, Any]]:
    """The server over `calls` and what there is beside tools."""
    of = Handlers(calls, beside, news, work_of)
    server = _Announcing(
        NAME,
        version=version,
        title="Interlock",
        instructions=INSTRUCTIONS,
        get_tool_input_schema=calls.schema_of,
        on_list_tools=of.list_tools,
        on_call_tool=of.call_tool,
        on_list_resources=of.list_resources,
        on_list_resource_templates=of.list_templates,
        on_read_resource=of.read,
        on_subscribe_resource=of.subscribe,
        on_unsubscribe_resource=of.unsubscribe,
        on_list_prompts=of.list_prompts,
        on_get_prompt=of.prompt,
        on_completion=of.complete,
        on_subscriptions_listen=of.listen,
    )
    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, of.set_level)
    server.add_notification_handler("notifications/cancelled", types.CancelledNotificationParams, of.cancelled)
    # Spans of the control plane's own say what happened; a second tracer would cost every message.
    server.middleware[:] = [guarded]
    return server


class _Announcing(Server[dict[str, Any]]):
    """Says in every handshake, over HTTP, too, that its lists change."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        """See the package."""
        return super().create_initialization_options(
            notification_options or CHANGES, experimental_capabilities, extensions
        )


async def guarded(ctx: Context, call_next: CallNext) -> HandlerResult:
    """What goes wrong is told in the protocol's words: of a user's mistake what to do, of a defect of ours nothing but that."""
    answering = answering_of(ctx)
    try:
        return await (call_next(ctx) if answering is None else answering.handled(partial(call_next, ctx)))
    except (MCPError, ValidationError):
        raise
    except InterlockError as error:
        code = types.INTERNAL_ERROR if error.fault == "ours" else types.INVALID_REQUEST
        raise MCPError(code, f"{error.detail}; next: {error.next_step}", error.problem()) from None
    except Exception:  # noqa: BLE001  the last place before the wire: a defect's own words are nobody's business there
        _log.exception("a defect of Interlock, in answering `%s`", ctx.method)
        raise MCPError(types.INTERNAL_ERROR, "a defect of Interlock: its log says more") from None


def _cursor(params: types.PaginatedRequestParams | None) -> str | None:
    return None if params is None else params.cursor
