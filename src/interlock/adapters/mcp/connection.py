"""One connection to one server: a session of the official SDK on a bounded way, kept by a task of its own.

The task begins the way, agrees on a revision of the protocol, and stays until the connection is closed or has ended by itself.
Calls come from any task of the same loop.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

import anyio
import mcp_types as types
from mcp.client._transport import WriteStream
from mcp.client.session import ClientSession
from mcp.shared.exceptions import MCPError
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp.shared.message import SessionMessage
from pydantic import RootModel, ValidationError

from interlock.adapters.mcp.asking import Asking
from interlock.adapters.mcp.beginning import agree, listening
from interlock.adapters.mcp.failing import FailedError, failed, unreachable
from interlock.adapters.mcp.streams import CLOSED, WITHIN, Incoming
from interlock.adapters.mcp.subscribed import (
    ByRequest,
    ByStream,
    Telling,
    Wanted,
    renewed,
)
from interlock.domain.errors import EffectorError
from interlock.domain.upstream import Definition, Server, Wire

RETIRING_S: Final = 600
MOST_TOLD: Final = 1_000
"""Characters of what a server said last, in the log of whoever runs this."""
MOST_PAGES: Final = 100
MOST_LISTED: Final = 2_000
"""Things of a kind that a server may have."""
CLIENT: Final = types.Implementation(name="interlock", version="0.1.0")

_log = logging.getLogger("interlock.servers")
Way = Callable[[], AbstractAsyncContextManager[tuple[Incoming, WriteStream[SessionMessage]]]]


class _AsIs(RootModel[dict[str, Any]]):
    """A result of which nothing is taken and nothing is made."""


class News(Protocol):
    """Who is told what a server says unasked."""

    def heard(self, connection: "Connection", news: types.ServerNotification) -> None:
        """Take note, without waiting."""
        ...


class Connection:
    """A session that is being held."""

    def __init__(
        self, server: Server, way: Way, asking: Asking, news: News, wanted: Wanted, *, task: str, legacy: bool
    ) -> None:
        self.server = server
        self.task = task
        self._way = way
        self._asking = asking
        self._news = news
        self._wanted = wanted
        self._before = wanted.uris
        """What was wanted when it was begun: nobody asked this connection for it yet."""
        self._telling: Telling | None = None
        self._legacy = legacy
        self._closing = asyncio.Event()
        self._ready: asyncio.Future[ClientSession] = asyncio.get_running_loop().create_future()
        self._incoming: Incoming | None = None
        self._keeper = asyncio.create_task(self._keep())
        self.stale = False
        """Nobody begins anything on it any more."""
        self._open: list[str] = []
        """The requests under way, by the actions they are made for; empty for what is no action's."""
        self.tools: dict[str, Definition] | None = None
        self.listed_at = 0.0

    @property
    def over(self) -> bool:
        """Whether it has ended, or is to be used no more."""
        return self._keeper.done() or self.stale or (self._incoming is not None and self._incoming.ended)

    @property
    def protocol(self) -> str:
        """The revision agreed on; empty before that."""
        session = self._ready.result() if self._ready.done() and not self._ready.exception() else None
        return (session.protocol_version or "") if session is not None else ""

    async def opened(self) -> ClientSession:
        """The session, once there is one. Raises EffectorError where none could be begun in time."""
        try:
            async with asyncio.timeout(self.server.timeout_ms / 1000):
                return await asyncio.shield(self._ready)
        except TimeoutError:
            if not self.stale:
                self._tell(f"did not answer within {self.server.timeout_ms} ms")
            self.stale = True
            raise EffectorError(
                f"the server `{self.server.name}` did not answer within {self.server.timeout_ms} ms",
                next_step=f"see what it says: `interlock server check {self.server.name}`",
            ) from None

    async def call(
        self,
        request: types.Request[Any, Any],
        *,
        progress: Any = None,
        timeout_s: float | None = None,
        within: str = "",
    ) -> Wire:
        """One request and its result, just as it came; `within` is the action it is made for. Raises FailedError."""
        self._open.append(within)
        token = WITHIN.set(within)
        try:
            return await self._called(request, progress, timeout_s)
        finally:
            WITHIN.reset(token)
            self._open.remove(within)

    def asked_within(self) -> str:
        """The action within whose call something is being asked; empty where that cannot be known. Where the way does not tell it
        is the only request there is, if it is the only one."""
        found = WITHIN.get()
        if found is None:
            return self._open[0] if len(self._open) == 1 else ""
        return found if found in self._open else ""

    async def _called(self, request: types.Request[Any, Any], progress: Any, timeout_s: float | None) -> Wire:
        session = await self.opened()
        limit = self.server.timeout_ms / 1000 if timeout_s is None else timeout_s
        try:
            with anyio.fail_after(limit):
                found = await session.send_request(request, _AsIs, progress_callback=progress)
                return found.root
        except TimeoutError:
            raise FailedError("lost", f"no answer within {round(limit * 1000)} ms") from None
        except MCPError as error:
            raise self._failed(error) from None
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = "/".join(str(step) for step in first["loc"])
            raise FailedError(
                "garbage", f"its answer is none that the protocol has ({place}: {first['msg']})"
            ) from None
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise FailedError("unsent", "nothing was sent: the connection is closed") from None

    async def list_tools(self) -> dict[str, Definition]:
        """Its tools in its own words, by name. Raises FailedError."""
        session, found = await self.opened(), dict[str, Definition]()
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            params = None if cursor is None else types.PaginatedRequestParams(cursor=cursor)
            page = await self._listed(session, params)
            for tool in page.tools:
                found[tool.name] = definition_of(tool)
            cursor = page.next_cursor
            if cursor is None or len(found) > MOST_LISTED:
                break
        if cursor is not None:
            raise FailedError("garbage", f"it lists more than {MOST_LISTED} tools, or without end")
        self.tools, self.listed_at = found, asyncio.get_running_loop().time()
        return found

    async def subscribe(self, uri: str, task: str, *, on: bool) -> None:
        """Have `task` hear of a resource, or no longer. Raises FailedError and EffectorError; then it does not."""
        await self.opened()
        async with self._wanted.lock:
            if not (self._wanted.add(uri, task) if on else self._wanted.drop(uri, task)) or self._telling is None:
                return
            try:
                with anyio.fail_after(self.server.timeout_ms / 1000):
                    await (self._telling.begin(uri) if on else self._telling.end(uri))
            except BaseException as error:
                if on:
                    self._wanted.drop(uri, task)
                if isinstance(error, MCPError):
                    raise self._failed(error) from None
                if isinstance(error, TimeoutError | RuntimeError):
                    raise FailedError("lost", f"it did not answer: {error}".removesuffix(": ")) from None
                raise

    async def close(self) -> None:
        """End it, and what it began."""
        self.stale = True
        self._closing.set()
        if not self._ready.done():
            self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)

    async def retire(self) -> None:
        """Nobody begins anything on it; what is at work is let finish, as long as it may take at all."""
        self.stale = True
        try:
            for _ in range(RETIRING_S * 10):
                if not self._open or self._keeper.done():
                    break
                await asyncio.sleep(0.1)
        finally:
            await self.close()

    async def _listed(
        self, session: ClientSession, params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        try:
            with anyio.fail_after(self.server.timeout_ms / 1000):
                return await session.list_tools(params=params)
        except TimeoutError:
            raise FailedError("lost", f"it did not list its tools within {self.server.timeout_ms} ms") from None
        except MCPError as error:
            raise self._failed(error) from None
        except ValidationError:
            raise FailedError("garbage", "its list of tools is none that the protocol has") from None

    def _failed(self, error: MCPError) -> FailedError:
        found = failed(error, self.server, self._incoming)
        # A session that the server has forgotten is no use to anybody.
        self.stale = self.stale or found.kind == "expired"
        return found

    def _tell(self, what: str) -> None:
        """Tell whoever runs this, with the server's last words. They may be of anybody's call, so that no caller reads them."""
        incoming = self._incoming
        said = "" if incoming is None else incoming.hiding.text(incoming.aside)
        plain = " ".join("".join(each if each.isprintable() else " " for each in said).split())[-MOST_TOLD:]
        _log.warning("the server `%s`: %s%s", self.server.name, what, f"; it says: {plain}" if plain else "")

    async def _keep(self) -> None:
        WITHIN.set(None)  # whoever needed the connection first is not who everything on it is said for
        try:
            async with self._way() as (incoming, outgoing):
                self._incoming = incoming
                dispatcher = JSONRPCDispatcher(incoming, outgoing)
                async with ClientSession(dispatcher=dispatcher, client_info=CLIENT, **self._callbacks()) as session:
                    await agree(session, incoming, legacy=self._legacy)
                    modern = session.discover_result is not None
                    self._telling = ByStream(session, self._missed) if modern else ByRequest(session)
                    if not self._ready.done():
                        self._ready.set_result(session)
                    await self._until_over(incoming, session)
        except EffectorError as error:
            self._fail(error)
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001  whatever ends a connection is told to who waits for it
            self._fail(unreachable(self.server, error, self._incoming))
        finally:
            self.stale = True
            if self._incoming is not None and self._incoming.why not in ("", CLOSED):
                self._tell(self._incoming.why)
            self._fail(EffectorError(f"the connection to `{self.server.name}` was closed"))

    def _fail(self, error: EffectorError) -> None:
        if not self._ready.done():
            self._ready.set_exception(error)
            # Perhaps nobody waits any more; then nobody is told.
            self._ready.exception()

    async def _until_over(self, incoming: Incoming, session: ClientSession) -> None:
        closing = asyncio.create_task(self._closing.wait())
        ended = asyncio.create_task(incoming.finished.wait())
        telling = self._telling or ByRequest(session)
        hearing = asyncio.create_task(listening(session, self._forget_tools))
        renewing = asyncio.create_task(renewed(telling, self._wanted, self._before, self.server.name, self._missed))
        try:
            await asyncio.wait((closing, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (closing, ended, hearing, renewing):
                each.cancel()
            await asyncio.gather(hearing, renewing, telling.close(), return_exceptions=True)

    def _forget_tools(self) -> None:
        self.tools = None

    def _missed(self, uri: str) -> None:
        """A resource may have changed while nobody could be told."""
        params = types.ResourceUpdatedNotificationParams(uri=uri)
        self._news.heard(self, types.ResourceUpdatedNotification(params=params))

    def _callbacks(self) -> Mapping[str, Any]:
        async def message(news: types.ServerNotification | Exception) -> None:
            if not isinstance(news, Exception):
                self._news.heard(self, news)

        return {"message_handler": message, **self._asking.callbacks(self.server, self.task, self.asked_within)}


def definition_of(tool: types.Tool) -> Definition:
    """A tool, in its server's words and no others."""
    hints = tool.annotations
    return Definition(
        name=tool.name,
        title=tool.title or "",
        description=tool.description or "",
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations={} if hints is None else hints.model_dump(by_alias=True, exclude_none=True, mode="json"),
    )
