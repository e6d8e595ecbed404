"""What the gateway's tests have in common: clients over standard input and output, and what was recorded."""

import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import anyio
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import CallToolResult

from interlock.bootstrap.connecting import looking
from interlock.domain.action import Action
from interlock.domain.task import Task
from interlock.ports.store import ActionQuery
from tests.workspaces import Place

PROGRAM = str(Path(sys.executable).parent / "interlock")
ERAS = ("legacy", "auto")


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
