"""What servers say and ask on their own, for one caller: passed to its client, or put before the gate first.

What a server asks back is an action of the agent's: only where the server's file says so, the agent may, policy agrees and the
client offers it is anybody asked. Whatever is missing is a no.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

import mcp_types as types
from mcp.server.session import ServerSession
from mcp.server.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, SubscriptionBus
from pydantic import ValidationError

from interlock.domain.asked_back import QUESTIONS, agreed, shown
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import NotAllowed
from interlock.domain.filtering import filtered
from interlock.domain.output import MASKING
from interlock.domain.upstream import Wire
from interlock.domain.upstream_reads import as_it_came, beside_name, recorded
from interlock.gateway.bridge import Bridge
from interlock.gateway.work import Work
from interlock.ports.upstream import Changed
from interlock.sdk.framework_call import FrameworkCall, Given

_LEVELS: Final = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
MOST_LOGGED: Final = 16 * 1024
"""Bytes of one message of a server's that are passed on."""


class Wanted(NamedTuple):
    """A resource of which a caller wants to hear."""

    server: str
    by: set[object]
    """Its session, and the streams it opened; none: it is let go of."""


class Ears:
    """`ports.upstream.Heard` for one caller."""

    def __init__(self, work: Work, bus: SubscriptionBus, patience_ms: int) -> None:
        self._work = work
        self._bus = bus
        self._patience_ms = patience_ms
        self.session: ServerSession | None = None
        """Where a client of the older versions hears; None before it asked for anything."""
        self.level = ""
        """From which level on it hears messages; empty: it did not say, and hears none."""
        self.bridges: dict[str, Bridge] = {}
        """The calls under way, by their idempotency keys."""
        self.wanted: dict[str, Wanted] = {}
        """The resources of which it wants to hear."""
        self.wanting = asyncio.Lock()
        """Held by whoever adds to them, or takes away."""

    async def changed(self, server: str, what: Changed) -> None:
        """One of a server's lists is another."""
        del server
        if what == "resources":
            await self._bus.publish(ResourcesListChanged())
        elif what == "prompts":
            await self._bus.publish(PromptsListChanged())
        if self.session is None:
            return
        if what == "tools":
            await self.session.send_tool_list_changed()
        elif what == "resources":
            await self.session.send_resource_list_changed()
        else:
            await self.session.send_prompt_list_changed()

    async def updated(self, server: str, uri: str) -> None:
        """A resource is another."""
        wanted = self.wanted.get(uri)
        if wanted is not None and wanted.server == server:
            await self._bus.publish(ResourceUpdated(uri=uri))
            if self.session is not None:
                await self.session.send_resource_updated(uri)

    async def logged(self, server: str, message: Wire) -> None:
        """A message of the server's, as its own: without secrets, and under the server's name."""
        level = message.get("level")
        if self.session is None or self.level not in _LEVELS or level not in _LEVELS:
            return
        if _LEVELS.index(level) < _LEVELS.index(self.level) or len(json.dumps(message)) > MOST_LOGGED:
            return
        logger = f"{server}/{message.get('logger', '')}".rstrip("/")
        kept = filtered({"level": level, "logger": logger, "data": message.get("data")}, MASKING)
        if kept.withheld:
            return
        said = cast("dict[str, Any]", kept.result)
        try:
            params = types.LoggingMessageNotificationParams.model_validate(said, by_name=False)
        except ValidationError:
            return
        await self.session.send_notification(types.LoggingMessageNotification(params=params))

    async def progressed(self, server: str, action: str, news: Wire) -> None:
        """How far a call is."""
        del server
        bridge = await self._bridge(action)
        kept = filtered({**news}, MASKING)
        if bridge is not None and not kept.withheld:
            await bridge.progressed(cast(Wire, kept.result))

    async def asked(self, server: str, action: str, method: str, params: Wire) -> Wire:
        """Put what a server asks before the gate, and then before the client. Raises NotAllowed for every no."""
        bridge, what = await self._bridge(action), QUESTIONS.get(method)
        if bridge is None or what is None:
            raise NotAllowed("it is not known which call that is asked for", next_step="nothing; it is refused")

        async def own(arguments: Mapping[str, JsonValue]) -> Wire:
            return await bridge.ask(method, agreed(what, arguments))

        call = FrameworkCall(
            tool=beside_name(server, what),
            arguments=shown(what, params),
            call_id=self._work.new(),
            own=own,
            rendered=recorded,
        )
        task = await self._work.task()
        came = await self._work.governor(task, self._patience_ms).acall(call)
        if not isinstance(came, Given):
            raise NotAllowed(came.text, next_step="nothing; the server is refused")
        return as_it_came(came.value)

    async def _bridge(self, action: str) -> Bridge | None:
        """The call that an action is. Without the action's name none: what was asked in no call is nobody's."""
        found = await self._work.stored(action) if action else None
        return None if found is None else self.bridges.get(found.idempotency_key)


def ears_of(work: Work) -> Ears:
    """What hears servers for `work`. Raises TypeError for a work that somebody else made."""
    if not isinstance(work.heard, Ears):
        raise TypeError("nobody hears servers for this work")
    return work.heard
