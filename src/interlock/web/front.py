"""In front of everything: what no request gets past, and what no answer leaves without.

Plain ASGI, before anything is parsed: the host that was meant, the form of the path, the size of the body and the time it
takes to arrive. Each answer carries the headers that keep a browser from helping an attacker.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_to_bytes

import anyio
import anyio.lowlevel

from interlock.domain.errors import InterlockError
from interlock.domain.hosting import Hosting
from interlock.domain.refusals import BadRequest, NoSuchMethod, TooLarge, TooSlow
from interlock.web.app import LARGEST_BODY
from interlock.web.head import said_length, sound_head
from interlock.web.problems import PROBLEM, encoded, problem_of

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]

Answered: TypeAlias = Callable[[str, str, int, float], None]
"""Hears of each answer: the pattern of its path, its method, its status, and how many seconds it took."""

LONGEST_PATH: Final = 1024
LARGEST_HEAD: Final = 8 * 1024
BODY_S: Final = 20.0
"""How long a body may take to arrive."""

_PATH: Final = re.compile(rb"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_OURS: Final = frozenset({"GET", "POST"})
_HEADS: Final = frozenset({"/livez", "/readyz", "/readyz/gate"})
"""Where HEAD is answered, for whoever watches. Elsewhere it would leave a trace of what nobody was shown."""
_ONCE: Final = (
    b"host",
    b"authorization",
    b"content-type",
    b"content-length",
    b"if-match",
    b"idempotency-key",
    b"origin",
)
"""Headers of which two would let two readers read two things."""

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # Not `no-referrer`: then browsers send `Origin: null` with a form, and nobody could tell whose form it was.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_SECURE: Final = (b"strict-transport-security", b"max-age=31536000")


class Front:
    """An ASGI application around another."""

    def __init__(self, app: App, hosting: Hosting, *, end: Callable[[], None], answered: Answered) -> None:
        self._app = app
        self._answered = answered
        self.end = end
        """To be called when the server is about to end, so that what would never end by itself does."""
        self.finish: Callable[[], Awaitable[None]] = anyio.lowlevel.checkpoint
        """Waits until what was begun beside the answers is over."""
        self._hosts = hosting.hosts
        self._headers = (*_HEADERS, _SECURE) if hosting.secure else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer it here."""
        if scope["type"] != "http":
            return
        body = _Body(receive, chunked=any(name == b"transfer-encoding" for name, _ in scope["headers"]))
        answering = _Answering(send, self._headers, body)
        try:
            self._must_be_sound(scope)
        except InterlockError as error:
            await answering.refuse(error)
            return
        if scope["method"] == "HEAD":
            # Whoever sends the answer leaves its body out.
            scope = {**scope, "method": "GET"}
        began = anyio.current_time()
        try:
            await self._app(scope, body.next, answering.send)
        finally:
            # Of a path that is nobody's, what was written must not become a name.
            route = str(scope.get("path_template") or "-")
            self._answered(route, str(scope["method"]), answering.status, anyio.current_time() - began)

    def _must_be_sound(self, scope: Scope) -> None:
        if scope["method"] not in _OURS and not (scope["method"] == "HEAD" and scope["path"] in _HEADS):
            # Nobody else's page may ask, so no browser has to be told which methods it could use.
            raise NoSuchMethod("nothing is asked by that method here")
        length = said_length(sound_head(scope, self._hosts, most=LARGEST_HEAD, once=_ONCE))
        if length is None or length > LARGEST_BODY:
            raise TooLarge(f"a request has at most {LARGEST_BODY} bytes")
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        if not sound_path(raw):
            raise BadRequest("the path is not written as paths are here")


def sound_path(raw: bytes) -> bool:
    """Whether everybody who reads this path reads the same: no step back, no empty step, nothing hidden in escapes."""
    if raw == b"/":
        return True
    if len(raw) > LONGEST_PATH or not _PATH.fullmatch(raw):
        return False
    for step in raw[1:].split(b"/"):
        plain = unquote_to_bytes(step)
        try:
            text = plain.decode()
        except UnicodeDecodeError:
            return False
        # A name of ours may hold any letter; a slash, a backslash, an escape that is none or hides another, or what cannot be
        # printed is a trick. So is a step back that has a parameter.
        nowhere = not plain or plain.partition(b";")[0] in (b".", b"..")
        if nowhere or any(each in "/\\%" or not each.isprintable() for each in text):
            return False
    return True


class _Body:
    """A request's body as it arrives: no more than it may be, and not for longer."""

    def __init__(self, receive: Receive, *, chunked: bool) -> None:
        self._receive = receive
        self._chunked = chunked
        self._size = 0
        self._whole = False
        self._until = anyio.current_time() + BODY_S

    @property
    def endless(self) -> bool:
        """Whether nobody knows that it ends, and how soon."""
        return not self._whole and (self._chunked or self._size > LARGEST_BODY or anyio.current_time() >= self._until)

    async def next(self) -> Message:
        """What comes next. Raises TooLarge and TooSlow."""
        if self._whole:
            return await self._receive()
        try:
            with anyio.fail_after(max(self._until - anyio.current_time(), 0)):
                message = await self._receive()
        except TimeoutError:
            raise TooSlow("the request did not arrive in time") from None
        self._size += len(message.get("body", b""))
        if self._size > LARGEST_BODY:
            raise TooLarge(f"a request has at most {LARGEST_BODY} bytes")
        self._whole = not message.get("more_body", False)
        return message


class _Answering:
    """An answer on its way."""

    def __init__(self, send: Send, headers: tuple[tuple[bytes, bytes], ...], body: _Body) -> None:
        self._send = send
        self._headers = headers
        self._body = body
        self.status = 0
        """What was answered; 0 where nothing was."""

    async def send(self, message: Message) -> None:
        """One part of it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
            there = {name.lower() for name, _ in given}
            given += [each for each in self._headers if each[0] not in there]
            if b"cache-control" not in there:
                given.append((b"cache-control", b"no-store"))
            if self._body.endless and b"connection" not in there:
                # Or what is left of the request would be read on and on, for nobody.
                given.append((b"connection", b"close"))
            message = {**message, "headers": given}
        await self._send(message)

    async def refuse(self, error: InterlockError) -> None:
        """An answer of ours, after which the connection ends: what is left of the request is not read."""
        problem = problem_of(error)
        body = encoded(problem)
        headers = [
            (b"content-type", PROBLEM.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        if isinstance(error, NoSuchMethod):
            headers.append((b"allow", b"GET, POST"))
        await self.send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})
