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
from interlock.domain.refusals import BadRequest, TooLarge, TooSlow
from interlock.relay.delivering import Receive, Scope
from interlock.web.bearing import borne_of
from interlock.web.head import origin_name, said_length, sound_head

BODY_S: Final = 60.0
"""How long a question may take to arrive."""
TASK: Final = b"x-interlock-task"
KEY: Final = b"idempotency-key"
LARGEST_HEAD: Final = 24 * 1024
_ONCE: Final = (b"host", b"origin", b"content-length", b"content-type", TASK, KEY)


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says before its body."""

    method: str
    path: str
    head: Mapping[bytes, bytes]
    """Its headers, by name, lower case."""
    borne: Borne

    def __repr__(self) -> str:
        # A secret is in it.
        return f"Asking(method={self.method!r}, path={self.path!r})"

    def says(self, name: bytes) -> str:
        """What the header of that name says; empty where there is none."""
        return self.head.get(name, b"").decode("latin-1")


def asking_of(scope: Scope, hosting: Hosting) -> Asking:
    """The head of a request. Raises what `sound_head` does, and NotAllowed."""
    head = sound_head(scope, hosting.hosts, most=LARGEST_HEAD, once=_ONCE)
    origin = head.get(b"origin", b"")
    if origin and origin_name(origin) not in hosting.hosts:
        raise NotAllowed("pages of others may not ask here", next_step="ask from a program")
    if head.get(b"content-encoding", b"identity").lower() != b"identity":
        raise BadRequest("a packed body is not read here", next_step="send it as it is")
    return Asking(method=scope["method"], path=scope["path"], head=head, borne=borne_of(scope, hosting))


async def body_of(asking: Asking, receive: Receive, most: int) -> bytes:
    """All of the body. Raises TooLarge, before it is read where its length is said, and TooSlow."""
    length = said_length(asking.head)
    if length is None or length > most:
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
