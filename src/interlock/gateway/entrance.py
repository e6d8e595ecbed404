"""`/mcp` over HTTP, plain ASGI: nobody gets past it without a token that counts, asked at every request.

Before anything is read: the form of the request, the name of the server that was meant, whose page asks, and how much there is.
"""

import re
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

import anyio
import mcp_types as types
from anyio.abc import TaskStatus
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from interlock.domain.bearer import Bearer
from interlock.domain.errors import InterlockError
from interlock.domain.hosting import Hosting
from interlock.domain.ids import ContractName
from interlock.domain.through import CLIENT
from interlock.gateway.context import Context
from interlock.gateway.events import Shelves, speaking
from interlock.gateway.hearing import Answering, Message, Send, Unheard, Watch, answering_of, within
from interlock.gateway.meant import Meant
from interlock.gateway.rooms import IDLE_S, MOST_OF_ONE, MOST_SESSIONS, Rooms
from interlock.gateway.work import Work
from interlock.services.bearing import Bearing
from interlock.web.bearing import borne_of, refusal_answer, send_answer
from interlock.web.head import host_name, origin_name
from interlock.web.problems import headers_of, status_of

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]

PATH: Final = "/mcp"
LARGEST_BODY: Final = 4 * 1024 * 1024
LARGEST_HEAD: Final = 24 * 1024
BODY_S: Final = 20.0
"""How long a body may take to arrive."""
_METHODS: Final = ("GET", "POST", "DELETE")
_ONCE: Final = (b"host", b"content-type", b"content-length", b"origin", b"mcp-session-id", b"mcp-protocol-version")
_SESSION: Final = re.compile(r"[!-~]{1,128}")


class Entrance:
    """The application. It answers `/mcp` alone; who composes it with others says what else there is."""

    def __init__(
        self, server: Server[Any], bearing: Bearing, hosting: Hosting, rooms: Rooms, shelves: Shelves, meant: Meant
    ) -> None:
        self._bearing = bearing
        self._meant = meant
        self._hosting = hosting
        self._rooms = rooms
        self._watch = Watch(bearing.must_stand)
        self._until = anyio.CancelScope()
        self._manager = StreamableHTTPSessionManager(
            app=server,
            event_store=shelves,
            session_idle_timeout=IDLE_S,
            max_request_body_size=LARGEST_BODY,
            max_sessions=MOST_SESSIONS,
        )

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """For as long as requests may come: until cancelled, or told to `end`. Streams end with it."""
        with self._until:
            async with self._manager.run(), anyio.create_task_group() as group:
                group.start_soon(self._watch.run)
                task_status.started()
                await self._rooms.run()

    def end(self) -> None:
        """No more requests, and no more streams."""
        self._until.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            headers = sound(scope, self._hosting)
            bearer = await self._bearing.admit(borne_of(scope, self._hosting), "mcp")
            if self._until.cancel_called:
                raise Unread("this server is about to end", 503)
            await self._passed(scope, headers, bearer, receive, send)
        except InterlockError as error:
            await refuse(error, send)

    async def _passed(
        self, scope: Scope, headers: dict[bytes, bytes], bearer: Bearer, receive: Receive, send: Send
    ) -> None:
        session = headers.get(b"mcp-session-id", b"").decode("latin-1")
        in_session = bool(session) or _is_newest(headers)
        found = self._rooms.of(session, bearer) if in_session else self._rooms.new(bearer)
        if found is None and in_session and not session:
            raise Unread("too many programs ask here: come again later", 503)
        if found is None and in_session:
            raise Unread("Session not found", 404)
        if found is None:
            raise Unread(f"{MOST_OF_ONE} sessions are open with this token: end some of them", 429)
        room, ended, body = found, False, _Body(receive)
        if scope["method"] == "POST" and bearer.bounds.tools is not None and bearer.through.startswith(CLIENT):
            self._must_open(bearer, await self._meant.contracts(await body.looked_at(), bearer.agent))
        answering = Answering(bearer, room.work, send, refuse)

        async def told(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start" and message["status"] < 400:
                given = dict(message.get("headers", ())).get(b"mcp-session-id", b"").decode("latin-1")
                ended = scope["method"] == "DELETE"
                if given and not session:
                    self._rooms.begun(given, room)
            await answering.say(message)

        # Sessions of the package's own are bound to who began them, too: by a name that tells it nothing else.
        user = AuthenticatedUser(AccessToken(token="", client_id=bearer.same, scopes=[]))
        inside = within({**scope, "user": user}, answering)
        room.busy += 1
        try:
            with self._watch.over(answering), answering.lasting(), speaking(room.shelf):
                await self._manager.handle_request(inside, body.next, told)
            await answering.finish()
        finally:
            room.busy -= 1
            room.used_at = anyio.current_time()
            if ended and session:
                await self._rooms.over(session)

    def _must_open(self, bearer: Bearer, asked: tuple[ContractName, ...]) -> None:
        """Raises NotAdmitted where none of what would do is opened by the token, and other scopes of its issuer open it."""
        tools = bearer.bounds.tools
        if tools is None or not tools.tools.keys() & set(asked):
            for each in asked:
                self._bearing.must_open(bearer, each)


async def work_in_room(ctx: Context) -> Work:
    """The work of whoever made the request. Raises MCPError where nobody did."""
    answering = answering_of(ctx)
    if answering is None:
        raise MCPError(types.INVALID_REQUEST, "nobody made this request")
    return answering.work


class Unread(InterlockError):
    """A request that nothing here reads."""

    code = "unread"
    fault = "yours"
    next = "look at how the request is written"

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status


def sound(scope: Scope, hosting: Hosting) -> dict[bytes, bytes]:
    """The headers of a request that everybody reads alike, meant for us and not sent by a stranger's page. Raises Unread."""
    if scope["method"] not in _METHODS:
        raise Unread("nothing is asked by that method here", 405)
    given: list[tuple[bytes, bytes]] = scope["headers"]
    if sum(len(name) + len(value) for name, value in given) + len(scope["query_string"]) > LARGEST_HEAD:
        raise Unread(f"the head of a request has at most {LARGEST_HEAD} bytes", 431)
    names = [name for name, _ in given]
    for name in _ONCE:
        if names.count(name) > 1:
            raise Unread(f"the header `{name.decode()}` is there twice", 400)
    headers = dict(given)
    if b"transfer-encoding" in headers and b"content-length" in headers:
        raise Unread("the length of the request is said in two ways", 400)
    if host_name(headers.get(b"host", b"")) not in hosting.hosts:
        raise Unread("this server has another name than the one that was asked for", 421)
    origin = headers.get(b"origin", b"")
    if origin and origin_name(origin) not in hosting.hosts:
        raise Unread("pages of others may not ask here", 403)
    if b"mcp-session-id" in headers and not _SESSION.fullmatch(headers[b"mcp-session-id"].decode("latin-1")):
        raise Unread("Session not found", 404)
    return headers


async def refuse(error: InterlockError, send: Send) -> None:
    """A request that gets no further: why, as a problem that nobody has to be admitted to read."""
    if isinstance(error, Unheard):
        await send_answer(refusal_answer(error, status_of(error.why), headers_of(error.why)), send)
        return
    status = error.status if isinstance(error, Unread) else 0
    allow = {"allow": ", ".join(_METHODS)} if status == 405 else {}
    await send_answer(refusal_answer(error, status, allow), send)


def _is_newest(headers: dict[bytes, bytes]) -> bool:
    """Whether the request belongs to no session, as those of 2026-07-28: the header alone decides, as it does in the package."""
    said = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
    return bool(said) and said not in HANDSHAKE_PROTOCOL_VERSIONS


class _Body:
    """A body that does not arrive for ever."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._whole = False
        self._until = anyio.current_time() + BODY_S
        self._seen: deque[Message] = deque()

    async def next(self) -> Message:
        """What comes next. Raises Unread."""
        return self._seen.popleft() if self._seen else await self._come()

    async def looked_at(self) -> bytes:
        """All of it, which comes next all the same; of one that is too long the beginning. Raises Unread."""
        size = 0
        while not self._whole and size <= LARGEST_BODY:
            self._seen.append(await self._come())
            size += len(self._seen[-1].get("body", b""))
        return b"".join(each.get("body", b"") for each in self._seen)

    async def _come(self) -> Message:
        if self._whole:
            return await self._receive()
        try:
            with anyio.fail_after(max(self._until - anyio.current_time(), 0)):
                message = await self._receive()
        except TimeoutError:
            raise Unread("the request did not arrive in time", 408) from None
        self._whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message
