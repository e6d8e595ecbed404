"""The port to servers: connections when they are first needed, begun anew when they are over, and what they say passed on."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any, cast
from weakref import WeakKeyDictionary

import mcp_types as types

from interlock.adapters.mcp.asking import Asking
from interlock.adapters.mcp.connection import Connection
from interlock.adapters.mcp.failing import FailedError
from interlock.adapters.mcp.listing import LISTS, listed
from interlock.adapters.mcp.pool import Place, Pool
from interlock.adapters.mcp.reach import Reach
from interlock.domain.errors import EffectorError, InterlockError, NotAllowed
from interlock.domain.upstream import Definition, Pinned, Server, Wire
from interlock.domain.upstream_reads import passes
from interlock.ports.upstream import Heard, Kind, Watcher

_log = logging.getLogger("interlock.servers")


class McpUpstreams:
    """See `ports/upstream.py`."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self._watcher: Watcher | None = None
        self._begun_here: set[asyncio.Task[None]] = set()
        """What is done beside, that nobody waits for."""
        self._wants: WeakKeyDictionary[Heard, set[tuple[str, str]]] = WeakKeyDictionary()
        """Of which resources of which servers whoever follows a task hears, in whatever task that is."""
        self.asking = Asking()
        self._pool = Pool(reach, self.asking, self, self._begin)

    def servers(self) -> tuple[Server, ...]:
        """See the port."""
        return self.reach.servers()

    def pinned(self, server: str) -> Pinned | None:
        """See the port."""
        return self.reach.pinned(server)

    async def connection(self, server: str, task: str = "") -> Connection:
        """A connection that is open. Raises NotFound and EffectorError: then nothing was called."""
        return await self._pool.open(server, task)

    async def definitions(self, server: str, *, task: str = "") -> tuple[Definition, ...]:
        """See the port."""
        return tuple((await self.tools(server, task)).values())

    async def tools(self, server: str, task: str = "") -> Mapping[str, Definition]:
        """The same by name."""
        connection = await self.connection(server, task)
        age = asyncio.get_running_loop().time() - connection.listed_at
        if connection.tools is not None and age * 1000 < connection.server.refresh_ms:
            return connection.tools
        found = await self._tools_now(connection)
        if self._watcher is not None:
            await self._watcher.saw(server, found)
        return found

    async def _tools_now(self, connection: Connection) -> Mapping[str, Definition]:
        server = connection.server.name
        try:
            return await connection.list_tools()
        except FailedError as error:
            if error.kind != "expired":
                raise _error(server, error) from None
        try:
            return await (await self.connection(server, connection.task)).list_tools()
        except FailedError as error:
            raise _error(server, error) from None

    async def seen(self, server: str, *, task: str = "") -> Pinned:
        """See the port."""
        connection = await self.connection(server, task)
        tools = await self.tools(server, task)
        session = await connection.opened()
        info = session.server_info
        listed: dict[Kind, list[Wire]] = {kind: await self._listed(server, kind, task) for kind in LISTS}
        names = {kind: {str(each.get(LISTS[kind][2])) for each in found} for kind, found in listed.items()}
        return Pinned(
            server="" if info is None else f"{info.name} {info.version}",
            protocol=connection.protocol,
            instructions=session.instructions or "",
            tools=tuple(tools[each] for each in sorted(tools)),
            prompts=tuple(sorted(names["prompts"])),
            resources=tuple(sorted(names["resources"] | names["templates"])),
        )

    async def offered(self, server: str, kind: Kind, *, task: str = "") -> tuple[Wire, ...]:
        """See the port."""
        which, name = self.reach.server(server), LISTS[kind][2]
        found = await self._listed(server, kind, task)
        return tuple(each for each in found if self._passes(which, kind, str(each.get(name))))

    async def _listed(self, server: str, kind: Kind, task: str) -> list[Wire]:
        try:
            return await listed(await self.connection(server, task), kind)
        except FailedError as error:
            raise _error(server, error) from None

    async def read(self, server: str, uri: str, *, task: str = "") -> Wire:
        """See the port."""
        self._may(server, "resources", uri)
        params = types.ReadResourceRequestParams(uri=uri)
        return await self._asked(server, task, types.ReadResourceRequest(params=params))

    async def prompt(self, server: str, name: str, arguments: dict[str, str], *, task: str = "") -> Wire:
        """See the port."""
        self._may(server, "prompts", name)
        params = types.GetPromptRequestParams(name=name, arguments=arguments)
        return await self._asked(server, task, types.GetPromptRequest(params=params))

    async def complete(self, server: str, params: Wire, *, task: str = "") -> Wire:
        """See the port."""
        reference = params.get("ref")
        named = cast(Wire, reference) if isinstance(reference, dict) else {}
        if named.get("type") == "ref/prompt":
            self._may(server, "prompts", str(named.get("name")))
        else:
            self._may(server, "resources", str(named.get("uri")))
        wanted = types.CompleteRequestParams.model_validate(params)
        return await self._asked(server, task, types.CompleteRequest(params=wanted))

    async def subscribe(self, server: str, uri: str, *, task: str = "", on: bool = True) -> None:
        """See the port."""
        if on:
            self._may(server, "resources", uri)
        heard = self.asking.follower(task)
        if heard is not None:
            wants = self._wants.setdefault(heard, set())
            (wants.add if on else wants.discard)((server, uri))
        try:
            try:
                await (await self.connection(server, task)).subscribe(uri, task, on=on)
            except FailedError as error:
                if error.kind != "expired":
                    raise
                await (await self.connection(server, task)).subscribe(uri, task, on=on)
        except (FailedError, InterlockError) as error:
            if heard is not None:
                self._wants.get(heard, set()).discard((server, uri))
            if isinstance(error, FailedError):
                raise _error(server, error) from None
            raise

    def watch(self, watcher: Watcher) -> None:
        """See the port."""
        self._watcher = watcher

    def follow(self, task: str, heard: Heard) -> None:
        """See the port."""
        self.asking.follow(task, heard)
        if wants := self._wants.get(heard):
            # Whoever goes on in another task goes on hearing of what they wanted.
            self._begin(self._again(task, tuple(wants)))

    async def leave(self, task: str) -> None:
        """See the port."""
        self.asking.leave(task)
        self._pool.leave(task)
        here = id(asyncio.get_running_loop())
        for place, wanted in self._pool.wanted.items():
            if place.loop == here and (uris := wanted.of(task)):
                self._begin(self._let_go(place, task, uris))

    async def close(self) -> None:
        """See the port."""
        self.asking.close()
        for each in self._begun_here:
            each.cancel()
        await asyncio.gather(*self._begun_here, return_exceptions=True)
        await self._pool.close()

    def heard(self, connection: Connection, news: types.ServerNotification) -> None:
        """Pass on what a server said unasked."""
        name, task = connection.server.name, connection.task
        match news:
            case types.ToolListChangedNotification():
                connection.tools = None
                self.asking.tell(task, lambda heard: heard.changed(name, "tools"))
            case types.ResourceListChangedNotification():
                self.asking.tell(task, lambda heard: heard.changed(name, "resources"))
            case types.PromptListChangedNotification():
                self.asking.tell(task, lambda heard: heard.changed(name, "prompts"))
            case types.ResourceUpdatedNotification():
                uri = str(news.params.uri)
                self.asking.tell(task, lambda heard: heard.updated(name, uri))
            case types.LoggingMessageNotification() if task:
                # On a shared connection nobody knows for whom it is said, and it may say what another task did.
                said = news.params.model_dump(by_alias=True, mode="json", exclude_none=True)
                self.asking.tell(task, lambda heard: heard.logged(name, said))
            case _:
                pass

    async def _again(self, task: str, wants: tuple[tuple[str, str], ...]) -> None:
        for server, uri in wants:
            try:
                await self.subscribe(server, uri, task=task)
            except InterlockError as error:
                _log.warning("`%s` does not tell any more of %s: %s", server, uri[:200], error.detail)

    async def _let_go(self, place: Place, task: str, uris: tuple[str, ...]) -> None:
        """A task was left that heard of these on a connection that others share."""
        for uri in uris:
            connection = self._pool.at(place)
            if connection is None:
                self._pool.wanted[place].drop(uri, task)
                continue
            try:
                await connection.subscribe(uri, task, on=False)
            except (InterlockError, FailedError) as error:
                _log.info("`%s` may go on telling of %s: %s", place.server, uri[:200], error)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._begun_here.add(task)
        task.add_done_callback(self._begun_here.discard)

    async def _asked(self, server: str, task: str, request: types.Request[Any, Any]) -> Wire:
        try:
            try:
                return await (await self.connection(server, task)).call(request)
            except FailedError as error:
                if error.kind != "expired":
                    raise
                return await (await self.connection(server, task)).call(request)
        except FailedError as error:
            raise _error(server, error) from None

    def _may(self, server: str, kind: Kind, name: str) -> None:
        which = self.reach.server(server)
        if not self._passes(which, kind, name):
            field = "prompts" if kind == "prompts" else "resources"
            raise NotAllowed(
                f"`{name[:200]}` of `{server}` is not let pass",
                next_step=f"name it in `{field}` of servers/{server}.yaml",
            )

    def _passes(self, server: Server, kind: Kind, name: str) -> bool:
        """Whether its file lets it pass."""
        return passes(name, server.prompts if kind == "prompts" else server.resources)


def _error(server: str, error: FailedError) -> InterlockError:
    return EffectorError(
        f"the server `{server}` failed: {' '.join(error.why.split())[:300]}",
        next_step=f"see what it says: `interlock server check {server}`",
    )
