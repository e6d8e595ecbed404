"""Servers of these tests, reached as a process of ours reaches them."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from interlock.adapters.effectors.mcp_call import McpEffectors
from interlock.adapters.mcp.reach import Reach
from interlock.adapters.mcp.upstreams import McpUpstreams
from interlock.domain.call import Answer, Call
from interlock.domain.contract import Contract
from interlock.domain.ids import ActionId, TaskId
from interlock.domain.upstream import Definition, Http, Pinned, Server, Stdio
from interlock.domain.upstream_contract import Words, upstream_contract

HERE = Path(__file__).parent
KIT = (sys.executable, str(HERE / "kit_server.py"))
LEGACY = "2025-11-25"
MODERN = "2026-07-28"
READ: dict[str, Any] = {"effect": "read", "risk": "low", "reversal": None}


def kit(notes: Path | None = None, **changes: Any) -> Server:
    """The well-behaved one, over stdio."""
    env = {} if notes is None else {"NOTES": str(notes)}
    return msgspec.structs.replace(Server(name="kit", way=Stdio(command=KIT, env=env)), **changes)


def hostile(how: str, notes: Path | None = None, *, env: dict[str, str] | None = None, **changes: Any) -> Server:
    """One that misbehaves."""
    given = {**(env or {}), **({} if notes is None else {"NOTES": str(notes)})}
    way = Stdio(command=(sys.executable, str(HERE / "hostile_server.py"), how), env=given)
    return msgspec.structs.replace(Server(name="bad", way=way), **changes)


def written(notes: Path) -> list[str]:
    """What a server wrote down of what it did."""
    return notes.read_text().splitlines() if notes.exists() else []


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def over_http(notes: Path | None = None, port: int = 0, code: Path | None = None) -> Iterator[Server]:
    """The well-behaved one, over streamable HTTP; `code` is another one, where there is one."""
    port = port or free_port()
    env = {"PATH": "/usr/bin:/bin", **({} if notes is None else {"NOTES": str(notes)})}
    program = subprocess.Popen([KIT[0], str(code or KIT[1]), "--http", str(port)], env=env, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield Server(name="kit", way=Http(url=f"http://127.0.0.1:{port}/mcp"))
    finally:
        program.kill()
        program.wait()


class Reaching:
    """One process's way to one server."""

    def __init__(self, server: Server, protocol: str, folder: Path) -> None:
        self.server = server
        self.pinned = Pinned(server="?", protocol=protocol)
        self.upstreams = McpUpstreams(Reach({server.name: server}, lambda _: self.pinned, folder))
        self.effectors = McpEffectors(self.upstreams)
        self.accepted: dict[str, Definition] = {}

    async def accept(self) -> None:
        """Somebody looked at its tools, and accepted them."""
        self.accepted = {each.name: each for each in await self.upstreams.definitions(self.server.name)}

    def contract(self, tool: str, words: Words = Words(), **promises: Any) -> Contract:  # noqa: B008  a frozen value
        """The contract of a tool as it was accepted."""
        return upstream_contract(
            self.server, self.accepted[tool], msgspec.structs.replace(words, promises={**words.promises, **promises})
        )

    async def call(self, contract: Contract, arguments: dict[str, Any], **changes: Any) -> Answer:
        """Call it once."""
        call = Call(action_id=ActionId("a-1"), idempotency_key="key-1", task=TaskId("t-1"))
        call = msgspec.structs.replace(call, **changes)
        return await self.effectors.invoke(contract, contract.target, "run", arguments, call)  # type: ignore[arg-type]  # a server's


@asynccontextmanager
async def reaching(server: Server, folder: Path, protocol: str = LEGACY) -> AsyncIterator[Reaching]:
    """A way that is closed in the end, and leaves nobody behind."""
    way = Reaching(server, protocol, folder)
    try:
        await way.accept()
        yield way
    finally:
        async with asyncio.timeout(20):
            await way.upstreams.close()
