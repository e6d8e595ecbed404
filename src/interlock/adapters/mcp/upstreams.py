"""The port to servers: connections when they are first needed, begun anew when they are over, and what they say passed on."""

import asyncio
import json
import logging
from collections.abc import Coroutine, Mapping
from typing import Any, Final, NamedTuple, cast
from weakref import WeakKeyDictionary

import mcp_types as types

from interlock.adapters.mcp.asking import Asking
from interlock.adapters.mcp.connection import MOST_PAGES, Connection, FailedError, speaks_handshake
from interlock.adapters.mcp.hiding import hiding
from interlock.adapters.mcp.pipe import pipe
from interlock.adapters.mcp.reach import Reach
from interlock.adapters.mcp.subscribed import Wanted
from interlock.adapters.mcp.web import web
from interlock.adapters.obtaining.tokens import Tokens
from interlock.domain.errors import EffectorError, InterlockError, NotAllowed
from interlock.domain.upstream import Definition, Http, Pinned, Server, Stdio, Wire
from interlock.domain.upstream_reads import passes
from interlock.ports.upstream import Heard, Kind, Watcher

_log = logging.getLogger("interlock.mcp")
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
"""A server that ended, or could not be begun, is begun again after a pause that doubles."""
MOST_CONNECTIONS: Final = 256
MOST_LISTED: Final = 10_000

_LISTS: Final[dict[Kind, tuple[Any, str, str]]] = {
    "resources": (types.ListResourcesRequest, "resources", "uri"),
    "templates": (types.ListResourceTemplatesRequest, "resourceTemplates", "uriTemplate"),
    "prompts": (types.ListPromptsRequest, "prompts", "name"),
}


class _Place(NamedTuple):
    """Whose connection it is: connections belong to the loop that opened them."""

    loop: int
    server: str
    task: str


class McpUpstreams:
    """See `ports/upstream.py`."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self._connections: dict[_Place, Connection] = {}
        self._pauses: dict[_Place, tuple[float, float]] = {}
        """Until when nothing is begun, and how long that was."""
        self._accounts: dict[str, Tokens] = {}
        self._watcher: Watcher | None = None
        self._begun_here: set[asyncio.Task[None]] = set()
        """What is done beside, that nobody waits for."""
        self._wanted: dict[_Place, Wanted] = {}
        self._wants: WeakKeyDictionary[Heard, set[tuple[str, str]]] = WeakKeyDictionary()
        """Of which resources of which servers whoever follows a task hears, in whatever task that is."""
        self.asking = Asking()

    def servers(self) -> tuple[Server, ...]:
        """See the port."""
        return self.reach.servers()

    def pinned(self, server: str) -> Pinned | None:
        """See the port."""
        return self.reach.pinned(server)

    async def connection(self, server: str, task: str = "") -> Connection:
        """A connection that is open. Raises NotFound and EffectorError: then nothing was called."""
        which = self.reach.server(server)
        loop, place = asyncio.get_running_loop(), self._place(which, task)
        found = self._connections.get(place)
        if found is None or found.over:
            found = await self._begun(which, place, found)
        try:
            await found.opened()
        except EffectorError:
            self._failed(place, loop.time())
            raise
        self._pauses.pop(place, None)
        return found

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
        listed: dict[Kind, list[Wire]] = {kind: await self._listed(server, kind, task) for kind in _LISTS}
        names = {kind: {str(each.get(_LISTS[kind][2])) for each in found} for kind, found in listed.items()}
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
        which, name = self.reach.server(server), _LISTS[kind][2]
        found = await self._listed(server, kind, task)
        return tuple(each for each in found if self._passes(which, kind, str(each.get(name))))

    async def _listed(self, server: str, kind: Kind, task: str) -> list[Wire]:
        connection = await self.connection(server, task)
        request, member, _ = _LISTS[kind]
        found: list[Wire] = []
        held, cursor = 0, ""
        until = asyncio.get_running_loop().time() + connection.server.timeout_ms / 1000
        for _ in range(MOST_PAGES):
            params = types.PaginatedRequestParams(cursor=cursor) if cursor else None
            try:
                page = await connection.call(request(params=params))
            except FailedError as error:
                if error.code == types.METHOD_NOT_FOUND:
                    return found
                raise _error(server, error) from None
            listed, after = page.get(member, []), page.get("nextCursor") or ""
            if not isinstance(after, str) or not isinstance(listed, list):
                raise _error(server, FailedError("garbage", f"what it lists of {member} is no list"))
            # Whoever lists is a stranger: what is no object is nothing that is offered.
            found += [each for each in cast("list[object]", listed) if isinstance(each, dict)]
            try:
                held, cursor = held + len(json.dumps(page)), after
            except (ValueError, RecursionError) as problem:
                raise _error(server, FailedError("garbage", f"what it lists cannot be held: {problem}")) from None
            if not cursor:
                return found
            late = asyncio.get_running_loop().time() >= until
            if len(found) > MOST_LISTED or held > connection.server.most_bytes or late:
                break
        raise _error(server, FailedError("garbage", f"it lists more {member} than are taken, or without end"))

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
        for place in [each for each in self._connections if task and each.task == task]:
            # What is at work on it goes on to its end: who left it does not take back what was begun.
            self._begin(self._connections.pop(place).retire())
            self._wanted.pop(place, None)
        here = id(asyncio.get_running_loop())
        for place, wanted in self._wanted.items():
            if place.loop == here and (uris := wanted.of(task)):
                self._begin(self._let_go(place, task, uris))

    async def close(self) -> None:
        """See the port. Connections of a loop that is over ended with it."""
        self.asking.close()
        here = id(asyncio.get_running_loop())
        mine = [each for each in self._connections if each.loop == here]
        for each in self._begun_here:
            each.cancel()
        await asyncio.gather(*self._begun_here, return_exceptions=True)
        await asyncio.gather(*(self._connections.pop(each).close() for each in mine))
        for place in [each for each in self._wanted if each.loop == here]:
            del self._wanted[place]

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

    async def _begun(self, server: Server, place: _Place, before: Connection | None) -> Connection:
        """A new connection in `place`. Raises EffectorError where it is too early for another one."""
        now = asyncio.get_running_loop().time()
        if before is not None:
            if before.protocol and not before.stale:
                self._failed(place, now)
            self._connections.pop(place, None)
        until, _ = self._pauses.get(place, (0.0, 0.0))
        if now < until:
            raise EffectorError(
                f"the server `{server.name}` failed, and is begun again in {until - now:.1f} s",
                next_step=f"see what it says: `interlock server check {server.name}`",
            )
        if len(self._connections) >= MOST_CONNECTIONS:
            raise EffectorError(f"there are {MOST_CONNECTIONS} connections to servers already")
        pinned = self.reach.pinned(server.name)
        legacy = pinned is not None and speaks_handshake(pinned.protocol)
        wanted = self._wanted.setdefault(place, Wanted())
        made = Connection(server, lambda: self._way(server), self.asking, self, wanted, task=place.task, legacy=legacy)
        self._connections[place] = made
        if before is not None:
            self._begin(before.retire())
        return made

    def _place(self, server: Server, task: str) -> _Place:
        own = task if server.connections == "each_task" else ""
        return _Place(id(asyncio.get_running_loop()), server.name, own)

    async def _again(self, task: str, wants: tuple[tuple[str, str], ...]) -> None:
        for server, uri in wants:
            try:
                await self.subscribe(server, uri, task=task)
            except InterlockError as error:
                _log.warning("`%s` does not tell any more of %s: %s", server, uri[:200], error.detail)

    async def _let_go(self, place: _Place, task: str, uris: tuple[str, ...]) -> None:
        """A task was left that heard of these on a connection that others share."""
        connection = self._connections.get(place)
        for uri in uris:
            if connection is None or connection.over:
                self._wanted[place].drop(uri, task)
                continue
            try:
                await connection.subscribe(uri, task, on=False)
            except (InterlockError, FailedError) as error:
                _log.info("`%s` may go on telling of %s: %s", place.server, uri[:200], error)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._begun_here.add(task)
        task.add_done_callback(self._begun_here.discard)

    def _way(self, server: Server) -> Any:
        match server.way:
            case Stdio() as way:
                return pipe(server, way, self.reach.folder, self.reach.environ, hiding(way, self.reach.environ))
            case Http() as way:
                return web(
                    server, way, self.reach.environ, hiding(way, self.reach.environ), self._account(server.name, way)
                )

    def _account(self, name: str, way: Http) -> Tokens | None:
        """By what it is called: one account for all connections to it."""
        if way.auth is None:
            return None
        return self._accounts.setdefault(name, Tokens(way.auth, way.url, self.reach.folder, self.reach.environ))

    def _failed(self, place: _Place, now: float) -> None:
        _, before = self._pauses.get(place, (0.0, 0.0))
        pause = min(before * 2 or FIRST_PAUSE_S, LONGEST_PAUSE_S)
        self._pauses[place] = (now + pause, pause)

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
