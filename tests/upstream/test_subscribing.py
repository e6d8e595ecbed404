"""Hearing of a server's resources, for several tasks at once, in either era of the protocol."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from interlock.adapters.mcp.reach import Reach
from interlock.adapters.mcp.upstreams import McpUpstreams
from interlock.domain.errors import EffectorError, NotAllowed
from interlock.domain.upstream import Pinned, Server, Stdio
from tests.upstream.reaching import LEGACY, MODERN, Reaching, kit, reaching, written
from tests.upstream.test_kit import Follower

pytestmark = pytest.mark.anyio
PROGRAM = Path(__file__).parents[1] / "gateway" / "upstream_server.py"
BEGUN = {LEGACY: "subscribe", MODERN: "listen"}
OVER = {LEGACY: "unsubscribe", MODERN: "deaf"}
ERAS = pytest.mark.parametrize("protocol", [LEGACY, MODERN])
ONE, TWO = "notes://one", "notes://two"


@asynccontextmanager
async def up(folder: Path, protocol: str, **changes: Any) -> AsyncIterator[Reaching]:
    """A server with resources that change."""
    command = (sys.executable, str(PROGRAM), str(folder / "notes.txt"))
    server = Server(name="up", way=Stdio(command=command), resources=("notes://*",), **changes)
    async with reaching(server, folder, protocol) as found:
        yield found


async def touch(server: Reaching, uri: str, task: str = "t-1") -> None:
    """It is another by now."""
    contract = server.contract("note")
    await server.call(contract, {"text": f"touch {uri}"}, task=task)
    await asyncio.sleep(0.05)


def notes(folder: Path) -> list[str]:
    """What the server wrote down."""
    return written(folder / "notes.txt")


async def until(folder: Path, line: str) -> None:
    """Wait until the server wrote that down."""
    async with asyncio.timeout(10):
        while line not in notes(folder):  # noqa: ASYNC110  another process writes it
            await asyncio.sleep(0.02)


@ERAS
@pytest.mark.proves("gateway.subscribed")
async def test_one_who_lets_go_takes_nothing_from_others(tmp_path: Path, protocol: str) -> None:
    """Of a resource that several tasks want the server is asked once, and let go of with the last; that a task is left counts."""
    async with up(tmp_path, protocol) as server:
        mine, other, last = Follower(), Follower(), Follower()
        for task, follower in (("t-1", mine), ("t-2", other), ("t-3", last)):
            server.upstreams.follow(task, follower)
            await server.upstreams.subscribe("up", ONE, task=task)
        await server.upstreams.subscribe("up", ONE, task="t-1", on=False)
        await server.upstreams.subscribe("up", ONE, task="t-1", on=False)
        await touch(server, ONE)
        await server.upstreams.leave("t-2")
        await asyncio.sleep(0.1)
        await touch(server, ONE)
        assert last.heard == [("up", ONE)] * 2
        assert notes(tmp_path) == [f"{BEGUN[protocol]} {ONE}"]
        await server.upstreams.leave("t-3")
        await until(tmp_path, f"{OVER[protocol]} {ONE}")


@ERAS
async def test_another_resource_beside_it_leaves_no_gap(tmp_path: Path, protocol: str) -> None:
    """Hearing of one more, or of one less, goes on with the others."""
    async with up(tmp_path, protocol) as server:
        server.upstreams.follow("t-1", mine := Follower())
        await server.upstreams.subscribe("up", ONE, task="t-1")
        await server.upstreams.subscribe("up", TWO, task="t-1")
        await touch(server, ONE)
        await touch(server, TWO)
        await server.upstreams.subscribe("up", TWO, task="t-1", on=False)
        await touch(server, TWO)
        await touch(server, ONE)
    assert [uri for _, uri in mine.heard] == [ONE, TWO, ONE]


@ERAS
async def test_what_is_wanted_outlives_the_connection(tmp_path: Path, protocol: str) -> None:
    """A connection that is begun anew asks again for what was wanted, and tells that it may have changed meanwhile."""
    async with up(tmp_path, protocol) as server:
        server.upstreams.follow("t-1", mine := Follower())
        await server.upstreams.subscribe("up", ONE, task="t-1")
        await (await server.upstreams.connection("up")).close()
        await server.upstreams.connection("up")
        async with asyncio.timeout(10):
            while not mine.heard:  # noqa: ASYNC110  told once the server was asked
                await asyncio.sleep(0.02)
        await touch(server, ONE)
    assert mine.heard == [("up", ONE)] * 2
    assert notes(tmp_path).count(f"{BEGUN[protocol]} {ONE}") == 2


async def test_who_goes_on_in_another_task_hears_on(tmp_path: Path) -> None:
    """Where each task has a connection of its own, whoever follows the next one hears of what they wanted in the one before."""
    async with up(tmp_path, LEGACY, connections="each_task") as server:
        mine = Follower()
        server.upstreams.follow("t-1", mine)
        await server.upstreams.subscribe("up", ONE, task="t-1")
        await server.upstreams.leave("t-1")
        server.upstreams.follow("t-2", mine)
        async with asyncio.timeout(10):
            while notes(tmp_path).count(f"subscribe {ONE}") < 2:  # noqa: ASYNC110  another process writes it
                await asyncio.sleep(0.02)
        await touch(server, ONE, "t-2")
    assert mine.heard == [("up", ONE)]


@ERAS
async def test_what_nobody_lets_pass_is_not_asked_for(tmp_path: Path, protocol: str) -> None:
    """An address that the file does not name is refused, and a server that tells of nothing is no silence taken for peace."""
    async with up(tmp_path, protocol) as server:
        with pytest.raises(NotAllowed):
            await server.upstreams.subscribe("up", "file:///etc/passwd", task="t-1")
    assert notes(tmp_path) == []
    if protocol == LEGACY:
        silent = {"kit": kit(resources=("notes://*",))}
        reached = McpUpstreams(Reach(silent, lambda _: Pinned(server="?", protocol=protocol), tmp_path))
        with pytest.raises(EffectorError):
            await reached.subscribe("kit", ONE, task="t-1")
        await reached.close()
