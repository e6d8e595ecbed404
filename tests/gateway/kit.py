"""What the gateway's tests have in common: clients over standard input and output, and what was recorded."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import anyio
import httpx
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client  # as its own examples do: there is no public name
from mcp_types import CallToolResult

from interlock.bootstrap.connecting import looking
from interlock.domain.action import Action
from interlock.domain.task import Task
from interlock.ports.store import ActionQuery
from tests.standby import stands_by
from tests.workspaces import Place

INSTALLED = str(Path(sys.executable).parent / "interlock")
"""For tests of its start, its end and of kills."""
PROGRAM = str(stands_by() / "interlock")
"""A copy of one that is loaded: what a gateway loads when it begins takes longer than most tests of it."""
ERAS = ("legacy", "auto")
NEWEST = (pytest.param("legacy", marks=pytest.mark.slow), "auto")
OLDER = ("legacy", pytest.param("auto", marks=pytest.mark.slow))
"""Both, where the short version of a suite has one of them."""


def words(place: Place, *more: str, agent: str = "ag") -> list[str]:
    """How the gateway is begun for one client."""
    return ["-w", str(place.folder), "gateway", "--agent", agent, "--on-behalf-of", "user:ana", *more]


@asynccontextmanager
async def client(
    place: Place, *more: str, mode: Any = "auto", agent: str = "ag", **options: Any
) -> AsyncGenerator[Client]:
    """A client with a gateway of its own."""
    server = StdioServerParameters(command=PROGRAM, args=words(place, *more, agent=agent), env=dict(os.environ))
    async with Client(stdio_client(server), mode=mode, **options) as found:
        yield found


async def until(so: Callable[[], object]) -> None:
    """Wait until it is so."""
    with anyio.fail_after(20):
        while not so():  # noqa: ASYNC110  what is waited for is another process
            await anyio.sleep(0.02)


async def held(place: Place) -> Action:
    """The action that waits for people, once there is one."""
    with anyio.fail_after(20):
        while not (found := [each for each in await actions(place) if each.state == "held"]):  # noqa: ASYNC110  as above
            await anyio.sleep(0.05)
    return found[0]


def said(result: CallToolResult) -> dict[str, Any]:
    """The part of a result that is for programs."""
    return cast("dict[str, Any]", result.structured_content)


def text(result: CallToolResult) -> str:
    """The part that is for the model."""
    return "\n".join(each.text for each in result.content if each.type == "text")


async def actions(place: Place) -> list[Action]:
    """What was recorded, newest first."""
    plane = looking(place.folder)
    try:
        return await plane.means.store.actions(ActionQuery())
    finally:
        await plane.close()


async def tasks(place: Place) -> list[Task]:
    """The tasks there are."""
    plane = looking(place.folder)
    try:
        return await plane.means.store.all(Task)
    finally:
        await plane.close()


class House(NamedTuple):
    """A gateway over HTTP."""

    process: subprocess.Popen[bytes]
    url: str
    place: Place

    def key(self, agent: str = "ag", initiator: str = "user:ana", *more: str) -> str:
        """A key that lets in as `agent`."""
        ask = [PROGRAM, "-w", str(self.place.folder), "--as", "rita", "--json", "agent", "key", "new", agent]
        said = ["--purpose", "tests", "--on-behalf-of", initiator, *more]
        made = subprocess.run([*ask, *said], check=True, capture_output=True)
        return str(json.loads(made.stdout)["key"])

    @asynccontextmanager
    async def client(self, key: str, mode: Any = "auto", **options: Any) -> AsyncGenerator[Client]:
        """A client that bears `key`."""
        http = create_mcp_http_client(headers={"Authorization": f"Bearer {key}"})
        async with http, Client(streamable_http_client(self.url, http_client=http), mode=mode, **options) as found:
            yield found

    def ask(self, method: str = "POST", body: Any = None, **headers: str) -> httpx.Response:
        """One request as it is written here."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        given = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        written = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.request(method, self.url, content=content, headers={**given, **written}, timeout=20)

    def kill(self) -> None:
        """As the system does it, without a word."""
        self.process.kill()
        self.process.communicate()


def house(place: Place, *more: str) -> House:
    """Begin a gateway over HTTP."""
    process = subprocess.Popen(
        [PROGRAM, "-w", str(place.folder), "gateway", "--http", "127.0.0.1:0", *more], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    said = process.stdout.readline().decode().replace(",", " ").split()
    return House(process, next(each for each in said if each.endswith("/mcp")), place)


INITIALIZE: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


NEWEST_VERSION = "2026-07-28"


def stateless(request: object, tool: str, arguments: Any, **more: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A call of a tool in the version without sessions, as it is written: body and headers."""
    said = "io.modelcontextprotocol/"
    meta: dict[str, Any] = {f"{said}protocolVersion": NEWEST_VERSION, f"{said}clientCapabilities": {}, **more}
    params: dict[str, Any] = {"name": tool, "arguments": arguments, "_meta": meta}
    headers = {"mcp-protocol-version": NEWEST_VERSION, "mcp-method": "tools/call", "mcp-name": tool}
    accept = {"accept": "application/json, text/event-stream"}
    return {"jsonrpc": "2.0", "id": request, "method": "tools/call", "params": params}, {**headers, **accept}
