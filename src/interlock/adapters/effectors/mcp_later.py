"""Servers, reached when they are first needed: what speaks to them is slow to import, and most commands never do."""

from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from interlock.adapters.mcp.reach import Reach
from interlock.domain.call import Answer, Call
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, McpTarget
from interlock.domain.errors import EffectorError
from interlock.domain.upstream import Definition, Pinned, Server, Wire
from interlock.ports.effector import Role
from interlock.ports.upstream import Heard, Kind, Watcher

if TYPE_CHECKING:
    from interlock.adapters.effectors.mcp_call import McpEffectors
    from interlock.adapters.mcp.upstreams import McpUpstreams


class LaterMcp:
    """Both of what a process has to do with servers: their tools' effector, and the port to all else they offer."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._watcher: Watcher | None = None

    def missing(self, target: McpTarget) -> str:
        """See `McpEffectors`."""
        return self._reach.missing(target.server) or ("" if _installed() else _NEEDED)

    async def invoke(
        self, contract: Contract, target: McpTarget, role: Role, arguments: dict[str, JsonValue], call: Call
    ) -> Answer:
        """See `McpEffectors`."""
        return await self._effectors.invoke(contract, target, role, arguments, call)

    def servers(self) -> tuple[Server, ...]:
        """See `Upstreams`."""
        return self._reach.servers()

    def pinned(self, server: str) -> Pinned | None:
        """See `Upstreams`."""
        return self._reach.pinned(server)

    async def definitions(self, server: str, *, task: str = "") -> tuple[Definition, ...]:
        """See `Upstreams`."""
        return await self._upstreams.definitions(server, task=task)

    async def seen(self, server: str, *, task: str = "") -> Pinned:
        """See `Upstreams`."""
        return await self._upstreams.seen(server, task=task)

    async def offered(self, server: str, kind: Kind, *, task: str = "") -> tuple[Wire, ...]:
        """See `Upstreams`."""
        return await self._upstreams.offered(server, kind, task=task)

    async def read(self, server: str, uri: str, *, task: str = "") -> Wire:
        """See `Upstreams`."""
        return await self._upstreams.read(server, uri, task=task)

    async def prompt(self, server: str, name: str, arguments: dict[str, str], *, task: str = "") -> Wire:
        """See `Upstreams`."""
        return await self._upstreams.prompt(server, name, arguments, task=task)

    async def complete(self, server: str, params: Wire, *, task: str = "") -> Wire:
        """See `Upstreams`."""
        return await self._upstreams.complete(server, params, task=task)

    async def subscribe(self, server: str, uri: str, *, task: str = "", on: bool = True) -> None:
        """See `Upstreams`."""
        await self._upstreams.subscribe(server, uri, task=task, on=on)

    def watch(self, watcher: Watcher) -> None:
        """See `Upstreams`."""
        self._watcher = watcher
        if "_upstreams" in vars(self):
            self._upstreams.watch(watcher)

    def follow(self, task: str, heard: Heard) -> None:
        """See `Upstreams`."""
        self._upstreams.follow(task, heard)

    async def leave(self, task: str) -> None:
        """See `Upstreams`; what was never made has nothing to leave."""
        if "_upstreams" in vars(self):
            await self._upstreams.leave(task)

    async def close(self) -> None:
        """See `Upstreams`; what was never made has nothing to close."""
        if "_upstreams" in vars(self):
            await self._upstreams.close()

    @cached_property
    def _upstreams(self) -> "McpUpstreams":
        if not _installed():
            raise EffectorError(_NEEDED, next_step="install it: `python -m pip install 'interlock[mcp]'`")
        made: McpUpstreams = import_module("interlock.adapters.mcp.upstreams").McpUpstreams(self._reach)
        if self._watcher is not None:
            made.watch(self._watcher)
        return made

    @cached_property
    def _effectors(self) -> "McpEffectors":
        made: McpEffectors = import_module("interlock.adapters.effectors.mcp_call").McpEffectors(self._upstreams)
        return made


_NEEDED = "servers of the Model Context Protocol need the extra `mcp`, which is not installed"


def _installed() -> bool:
    return find_spec("mcp") is not None
