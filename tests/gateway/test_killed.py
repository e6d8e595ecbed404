"""A gateway that is killed while a server is at work: what the next one says and does when the client asks again."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

import interlock
from interlock.adapters.mcp.reach import Reach
from interlock.adapters.mcp.upstreams import McpUpstreams
from interlock.adapters.workspace.pinned_file import pinned_text
from interlock.domain.action import Action
from interlock.domain.upstream import Pinned, Server, Stdio
from tests.gateway.kit import PROGRAM, actions, client, house, said, stateless, text, until, words
from tests.gateway.slow_server import TOOLS
from tests.workspaces import AGENT, Place

pytestmark = pytest.mark.anyio
SLOW = Path(__file__).with_name("slow_server.py")
SERVER = """\
stdio: {{command: ["{python}", "{program}", "{book}"]}}
owner: platform
tools:
  blind: {{effect: write, risk: low, timeout: 3s, reversal: {{contract: slow.keyed, arguments: {{n: 0}}}}}}
  keyed:
    effect: write
    risk: low
    timeout: 3s
    reversal: {{contract: slow.keyed, arguments: {{n: 0}}}}
    idempotency: {{keyed: {{retention: 1d}}}}
  asked:
    effect: write
    risk: low
    timeout: 3s
    reversal: {{contract: slow.keyed, arguments: {{n: 0}}}}
    idempotency: {{lookup: {{quarantine: 1s}}}}
    lookup: {{python: "{module}:found"}}
"""
FOUND = '''

def found(call: interlock.Call) -> interlock.Landed | None:
    """What the book says of this action."""
    book = (HERE / "book.txt").read_text()
    if f"asked {call.idempotency_key} " not in book:
        return None
    return interlock.Landed({"content": [{"type": "text", "text": "it is in the book"}]})
'''


@pytest.fixture
async def slow(place: Place) -> Place:
    """A workspace with the server, whose answers are held up."""
    book = place.folder / "book.txt"
    command = (sys.executable, str(SLOW), str(book))
    reached = McpUpstreams(
        Reach({"slow": Server(name="slow", way=Stdio(command=command))}, lambda _: None, place.folder)
    )
    try:
        tools = await reached.definitions("slow")
    finally:
        await reached.close()
    place.change(f"{place.module}.py", lambda old: old + FOUND)
    said_of_it = SERVER.format(python=sys.executable, program=SLOW, book=book, module=place.module)
    place.write("servers/slow.yaml", said_of_it)
    place.write("servers/slow.pinned.json", pinned_text(Pinned(server="slow 1", protocol="2025-11-25", tools=tools)))
    named = ", ".join(f"slow.{each}" for each in TOOLS)
    place.write("agents/ag.yaml", AGENT.format(name="ag", stage="partial", capabilities=named))
    (await asyncio.to_thread(interlock.open, place.folder, apply=True)).close()
    book.with_suffix(".held").touch()
    return place


def book_of(place: Place) -> list[str]:
    """The calls that came to the server."""
    book = place.folder / "book.txt"
    return book.read_text().splitlines() if book.exists() else []


async def all_at_once(mcp: Client) -> dict[str, Any]:
    """Call every tool, each under a key of its own, once the server is begun, and give the results."""
    await mcp.list_tools()
    found: dict[str, Any] = {}

    async def one(name: str) -> None:
        meta: Any = {"interlock/idempotency-key": f"key-{name}", "interlock/wait-ms": 30_000}
        found[name] = await mcp.call_tool(f"slow__{name}", {"n": 1}, meta=meta)

    await asyncio.gather(*(one(name) for name in TOOLS))
    if found["asked"].is_error:
        # It is not asked about before the first attempt can no longer land.
        asked = {"ticket": said(found["asked"])["ticket"], "wait_ms": 30_000}
        found["asked"] = await mcp.call_tool("interlock_ticket", asked)
    return found


async def killed(calls: Coroutine[Any, Any, Any], place: Place, kill: Any) -> None:
    """Make the calls, and kill the gateway once all three tools are at work."""
    calling = asyncio.create_task(calls)
    await until(lambda: len(book_of(place)) == len(TOOLS))
    kill()
    (place.folder / "book.held").unlink()
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)


async def _gathered(posts: Iterable[Coroutine[Any, Any, Any]]) -> None:
    await asyncio.gather(*posts, return_exceptions=True)


@asynccontextmanager
async def _own_process(place: Place) -> AsyncGenerator[tuple[Client, Any]]:
    """A client over standard input and output, and what kills its gateway."""
    number = place.folder / "gateway.pid"
    shell = ["-c", 'echo $$ > "$0"; exec "$@"', str(number), PROGRAM, *words(place)]
    server = StdioServerParameters(command="sh", args=shell, env=dict(os.environ))
    async with Client(stdio_client(server)) as mcp:
        yield mcp, lambda: os.kill(int(number.read_text()), 9)


async def _settled(place: Place, contract: str) -> Action:
    [found] = [each for each in await actions(place) if each.contract == contract]
    return found


def _is_true(place: Place, found: dict[str, Any], states: dict[str, Action]) -> None:
    """What the client was told, what is on record and what the server did are one."""
    assert (states["blind"].state, found["blind"].is_error, said(found["blind"])["state"]) == (
        "unknown",
        True,
        "unknown",
    )
    assert (states["keyed"].state, text(found["keyed"])) == ("done", "keyed is done")
    assert (states["asked"].state, text(found["asked"])) == ("done", "it is in the book")
    assert states["asked"].outcome is not None
    assert states["asked"].outcome.by == "lookup"
    did = Counter(each.partition(" ")[0] for each in book_of(place))
    assert did == Counter(blind=1, keyed=1, asked=1, again=1)


@pytest.mark.slow  # a gateway killed in a call of its own program's tool is the short version: tests/gateway/test_stdio.py
@pytest.mark.proves("gateway.killed")
async def test_a_gateway_killed_in_a_servers_call_repeats_nothing_that_may_not_be(slow: Place) -> None:
    """Three tools of a server are at work when the gateway is killed. Asked again under the same keys the next one repeats what
    honours its key, asks about what can be asked about, and says of the third that nobody knows."""
    async with _own_process(slow) as (mcp, kill):
        await killed(all_at_once(mcp), slow, kill)
    async with client(slow) as mcp:
        found = await all_at_once(mcp)
    _is_true(slow, found, {name: await _settled(slow, f"slow.{name}") for name in TOOLS})


@pytest.mark.slow
@pytest.mark.proves("gateway.killed")
async def test_a_gateway_over_http_that_is_killed_in_a_servers_call_neither(slow: Place) -> None:
    """The same over HTTP, where the client comes back with its key to another process."""
    first = house(slow)
    key = first.key()
    async with first.client(key) as mcp:
        await mcp.list_tools()
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=30) as http:
        asked = [
            stateless(1, f"slow__{each}", {"n": 1}, **{"interlock/idempotency-key": f"key-{each}"}) for each in TOOLS
        ]
        posts = (http.post(first.url, json=body, headers=headers) for body, headers in asked)
        await killed(_gathered(posts), slow, first.kill)
    second = house(slow)
    try:
        async with second.client(key) as mcp:
            found = await all_at_once(mcp)
    finally:
        second.kill()
    _is_true(slow, found, {name: await _settled(slow, f"slow.{name}") for name in TOOLS})
