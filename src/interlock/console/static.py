"""Style and script, under names that change with what is in them: a browser keeps them for good and never has old ones.

Read once, when the console is loaded. Sent compressed: nothing in them is secret, as it is in pages, which are not compressed,
since the length of a compressed page tells of what it holds (https://www.breachattack.com).
"""

import gzip
from hashlib import sha256
from importlib.resources import files
from typing import Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from interlock.domain.errors import NotFound
from interlock.web.parts import Asked

_FOLDER: Final = files("interlock.console") / "static"
FOREVER: Final = "public, max-age=31536000, immutable"


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it is sent."""

    name: str
    kind: str
    data: bytes
    packed: bytes
    """The same by gzip."""

    @property
    def url(self) -> str:
        """Where it is to be had."""
        return f"/static/{sha256(self.data).hexdigest()[:16]}/{self.name}"


def _asset(name: str, kind: str, *parts: str) -> Asset:
    data = b"\n".join((_FOLDER / part).read_bytes() for part in parts)
    return Asset(name=name, kind=kind, data=data, packed=gzip.compress(data, 9, mtime=0))


STYLE: Final = _asset("console.css", "text/css; charset=utf-8", "console.css", "approvals.css")
# One script: two that are loaded with `defer` run one after the other, and htmx begins between them.
SCRIPT: Final = _asset("console.js", "text/javascript; charset=utf-8", "htmx.min.js", "console.js")
ICON: Final = _asset("icon.svg", "image/svg+xml", "icon.svg")
_ALL: Final = {each.url: each for each in (STYLE, SCRIPT, ICON)}


@get("/static/{digest:str}/{name:str}", opt={"needs": "nobody"}, include_in_schema=False, sync_to_thread=False)
def asset(request: Asked, digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A file of the console. What an older page asks for is not there any more."""
    found = _ALL.get(f"/static/{digest}/{name}")
    if found is None:
        raise NotFound("there is no such file", next_step="load the page again")
    packed = "gzip" in request.headers.get("accept-encoding", "")
    headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding", "Content-Type": found.kind}
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(found.packed if packed else found.data, headers=headers, media_type=found.kind)


ROUTES: list[HTTPRouteHandler] = [asset]
