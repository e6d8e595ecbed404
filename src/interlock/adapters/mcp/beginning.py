"""How a session begins: a revision that both sides know, and, from 2026-07-28 on, listening to what changes."""

import asyncio
from collections.abc import Callable

import mcp_types as types
from mcp.client.session import ClientSession
from mcp.client.subscriptions import listen
from mcp.shared.exceptions import MCPError
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError

from interlock.adapters.mcp.streams import Incoming
from interlock.adapters.mcp.subscribed import LISTEN_AGAIN_S, LONGEST_PAUSE_S


async def agree(session: ClientSession, incoming: Incoming, *, legacy: bool) -> None:
    """Agree on a revision: the newest that both know; first the one that was seen at its review (`legacy`: with a handshake)."""
    if legacy:
        try:
            await session.initialize()
        except MCPError as error:
            if error.code != types.UNSUPPORTED_PROTOCOL_VERSION:
                raise
            await session.discover()
        return
    try:
        await session.discover()
    except (MCPError, RuntimeError, ValidationError):
        if incoming.ended:
            raise
        await session.initialize()


async def listening(session: ClientSession, changed: Callable[[], None]) -> None:
    """Hear what a server tells only to whoever listens, for as long as this runs; nothing where it tells anybody. `changed` is
    called whenever something may have been missed."""
    able = session.server_capabilities
    if session.discover_result is None or able is None:
        return
    tools = able.tools is not None and bool(able.tools.list_changed)
    prompts = able.prompts is not None and bool(able.prompts.list_changed)
    resources = able.resources is not None and bool(able.resources.list_changed)
    pause = LISTEN_AGAIN_S
    while tools or prompts or resources:
        try:
            async with listen(
                session,
                tools_list_changed=tools,
                prompts_list_changed=prompts,
                resources_list_changed=resources,
            ) as events:
                changed()
                async for _ in events:
                    pass  # each is told as any news is
        except (MCPError, RuntimeError):
            pause = min(2 * pause, LONGEST_PAUSE_S)
        changed()
        await asyncio.sleep(pause)


def speaks_handshake(protocol: str) -> bool:
    """Whether this revision begins with a handshake."""
    return protocol in HANDSHAKE_PROTOCOL_VERSIONS
