"""A request of ASGI as far as it concerns the relay: what it asks for, and its body, no more of it than may be.

Before anything of it is looked up: its form, the name of the server that was meant, whose page asks, and how much there is.
"""

from collections.abc import Mapping
from typing import Final

import anyio
import msgspec

from interlock.domain.borne import Borne
from interlock.domain.errors import NotAllowed
from interlock.domain.hosting import Hosting
from interlock.domain.refusals import BadRequest, NoHost, TooLarge, TooSlow
from interlock.relay.delivering import Receive, Scope
from interlock.web.bearing import borne_of
from interlock.web.front import host_name, origin_name

BODY_S: Final = 60.0
"""How long a question may take to arrive."""
TASK: Final = "x-interlock-task"
KEY: Final = "idempotency-key"
LARGEST_HEAD: Final = 24 * 1024
_ONCE: Final = ("host", "origin", "content-length", "content-type", TASK, KEY)


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says before its body."""

    method: str
    path: str
    said: Mapping[str, str]
    """Its headers, lower case, by name."""
    borne: Borne

    def __repr__(self) -> str:
        # A secret is in it.
        return f"Asking(method={self.method!r}, path={self.path!r})"


def asking_of(scope: Scope, hosting: Hosting) -> Asking:
    """The head of a request. Raises BadRequest, NoHost and NotAllowed."""
    headers: list[tuple[str, str]] = [
        (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    query = scope.get("query_string", b"").decode("latin-1")
    if sum(len(name) + len(value) for name, value in headers) + len(query) > LARGEST_HEAD:
        raise TooLarge(f"the head of a request has at most {LARGEST_HEAD} bytes")
    names = [name for name, _ in headers]
    for name in _ONCE:
        if names.count(name) > 1:
            raise BadRequest(f"the header `{name}` is there twice")
    said = dict(headers)
    if "transfer-encoding" in said and "content-length" in said:
        raise BadRequest("the length of the request is said in two ways")
    if host_name(said.get("host", "").encode("latin-1")) not in hosting.hosts:
        raise NoHost("this server has another name than the one that was asked for")
    origin = said.get("origin", "").encode("latin-1")
    if origin and origin_name(origin) not in hosting.hosts:
        raise NotAllowed("pages of others may not ask here", next_step="ask from a program")
    if said.get("content-encoding", "identity").lower() != "identity":
        raise BadRequest("a packed body is not read here", next_step="send it as it is")
    return Asking(method=scope["method"], path=scope["path"], said=said, borne=borne_of(scope, hosting))


async def body_of(asking: Asking, receive: Receive, most: int) -> bytes:
    """All of the body. Raises TooLarge, before it is read where its length is said, and TooSlow."""
    length = asking.said.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or int(length[:12]) > most:
        raise _too_large(most)
    body = bytearray()
    with anyio.move_on_after(BODY_S):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("the request broke off")
            body += message.get("body", b"")
            if len(body) > most:
                raise _too_large(most)
            if not message.get("more_body", False):
                return bytes(body)
    raise TooSlow("the question did not arrive in time")


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"a question has at most {most} bytes here", next_step="send less; `most_bytes` of `models` bounds it"
    )
