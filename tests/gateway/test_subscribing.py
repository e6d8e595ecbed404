"""Hearing of resources through the gateway: clients of either era before servers of either era."""

from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated

from tests.gateway.kit import client, text, until
from tests.gateway.upstreams import notes, with_server
from tests.workspaces import Place

pytestmark = pytest.mark.anyio
OLDER, NEWEST = "2025-11-25", "2026-07-28"
SERVERS = [pytest.param(OLDER, marks=pytest.mark.slow), NEWEST]
LISTENED = [OLDER, pytest.param(NEWEST, marks=pytest.mark.slow)]


@pytest.mark.proves("gateway.subscribed")
@pytest.mark.parametrize("server", SERVERS)
async def test_who_subscribed_hears_of_it(place: Place, server: str) -> None:
    """A client of the older versions hears that a resource it may read is another, until it does not want to; of one it may not
    read it cannot."""
    up = await with_server(place, server)
    heard: list[str] = []

    async def hear(message: Any) -> None:
        if isinstance(message, types.ResourceUpdatedNotification):
            heard.append(str(message.params.uri))

    async with client(up, mode="legacy", agent="up", message_handler=hear) as mcp:
        for _ in range(2):
            await _ask(mcp, types.SubscribeRequest(params=types.SubscribeRequestParams(uri="notes://one")))
        with pytest.raises(MCPError, match="Resource not found"):
            await _ask(mcp, types.SubscribeRequest(params=types.SubscribeRequestParams(uri="notes://secret/keys")))
        await _touch(mcp, "notes://one")
        await until(lambda: heard)
        await _ask(mcp, types.UnsubscribeRequest(params=types.UnsubscribeRequestParams(uri="notes://one")))
        await until(lambda: len(notes(up)) == 2)
        await _touch(mcp, "notes://one")
    assert heard == ["notes://one"]
    word = ("subscribe", "unsubscribe") if server == OLDER else ("listen", "deaf")
    assert notes(up)[:2] == [f"{each} notes://one" for each in word]


@pytest.mark.proves("gateway.subscribed")
@pytest.mark.parametrize("server", LISTENED)
async def test_who_listens_hears_of_it(place: Place, server: str) -> None:
    """A client of the newest version hears on each of its streams of what it may read of what that names. The end of one takes
    nothing from another, and with the last the server is told so."""
    up = await with_server(place, server)
    word, over = ("subscribe", "unsubscribe") if server == OLDER else ("listen", "deaf")
    async with client(up, agent="up") as mcp:
        async with mcp.listen(resource_subscriptions=["notes://one"]) as staying:
            async with mcp.listen(resource_subscriptions=["notes://one", "notes://secret/keys"]) as other:
                assert other.honored.resource_subscriptions == ["notes://one"]
                await _touch(mcp, "notes://one")
                for each in (staying, other):
                    assert await _next(each) == ResourceUpdated(uri="notes://one")
            await _touch(mcp, "notes://one")
            assert await _next(staying) == ResourceUpdated(uri="notes://one")
            assert notes(up) == [f"{word} notes://one"]
        await until(lambda: f"{over} notes://one" in notes(up))


async def test_a_stream_names_no_more_than_anybody_hears_of(place: Place) -> None:
    """More resources than fit, or an address beyond all measure, and nothing is listened to; the session goes on."""
    up = await with_server(place)
    async with client(up, agent="up") as mcp:
        for many in ([f"notes://other/{each}" for each in range(257)], ["notes://other/" + "x" * 8_192]):
            with pytest.raises(MCPError, match="256 resources at most"):
                async with mcp.listen(resource_subscriptions=many):
                    pass
        assert (await mcp.list_resources()).resources
    assert notes(up) == []


async def _ask(mcp: Client, request: Any) -> None:
    await mcp.session.send_request(request, types.EmptyResult)


async def _next(events: Any) -> Any:
    with anyio.fail_after(10):
        return await anext(events)


async def _touch(mcp: Client, uri: str) -> None:
    assert text(await mcp.call_tool("up__note", {"text": f"touch {uri}"})) == "touched"
