"""What a browser brings and is given: the session's cookie, whose page a request came from, and where to go back to.

The cookie: https://www.rfc-editor.org/rfc/rfc6265bis, with the prefix `__Host-` behind TLS, so that no other host and no page
without TLS can set it. A browser says whose page asks in `Sec-Fetch-Site` and `Origin`, which no page can forge.
"""

from typing import Any, Final

from litestar.connection import ASGIConnection

from interlock.domain.hosting import Hosting
from interlock.domain.login import LASTS_MS

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_NEXT: Final = 1024
WAY_S: Final = 600
"""As long as the way to an identity provider and back may take."""

Connection = ASGIConnection[Any, Any, Any, Any]


def cookie_name(hosting: Hosting) -> str:
    """The name of the session's cookie."""
    return "__Host-interlock" if hosting.secure else "interlock"


def cookie_with(token: str, hosting: Hosting) -> str:
    """`Set-Cookie` for a session that begins."""
    return _cookie(token, LASTS_MS // 1000, hosting)


def no_cookie(hosting: Hosting) -> str:
    """`Set-Cookie` once it is over."""
    return _cookie("", 0, hosting)


def way_name(hosting: Hosting) -> str:
    """The name of the cookie that a browser carries to an identity provider and back."""
    return f"{cookie_name(hosting)}-way"


def way_with(carried: str, hosting: Hosting) -> str:
    """`Set-Cookie` for such a way; empty ends it."""
    return _cookie(carried, WAY_S if carried else 0, hosting, way_name(hosting))


def _cookie(token: str, lasts_s: int, hosting: Hosting, name: str = "") -> str:
    # Lax, not Strict: links in notifications open pages, and those change nothing.
    parts = [f"{name or cookie_name(hosting)}={token}", "Path=/", f"Max-Age={lasts_s}", "HttpOnly", "SameSite=Lax"]
    return "; ".join([*parts, "Secure"] if hosting.secure else parts)


def from_own_page(connection: Connection, hosting: Hosting) -> bool:
    """Whether a page of ours sent this. A request that does not say is not: every browser says it of what changes anything."""
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is None:
        return site is not None
    return origin in _own(connection, hosting)


def _own(connection: Connection, hosting: Hosting) -> frozenset[str]:
    """Our origins: the public one, and the one that was asked, whose host the server has looked at."""
    asked = f"{'https' if hosting.secure else 'http'}://{connection.headers.get('host', '')}"
    return frozenset({asked, hosting.public_url} if hosting.public_url else {asked})


def own_address(connection: Connection) -> str:
    """Where people open this server, without a slash at the end: as it is named, else as it was asked for."""
    hosting: Hosting = connection.app.state.hosting
    return hosting.public_url or f"http://{connection.headers.get('host', '')}"


def back_to(text: str) -> str:
    """Where to go after signing in: a path of ours and nothing else, `/` for all that could be more.

    Browsers read a backslash as a slash and skip tabs and line breaks, so `/\\evil` and `/<tab>/evil` are other hosts.
    """
    plain = len(text) <= LONGEST_NEXT and text.isascii() and text.isprintable() and not set(text) & set('\\ "<>')
    ours = text.startswith("/") and not text.startswith(("//", "/sign-in"))
    return text if plain and ours else "/"


def address_of(connection: Connection) -> str:
    """Where a request came from: who connected, or whom a proxy that the workspace names says."""
    hosting: Hosting = connection.app.state.hosting
    connected = connection.client.host if connection.client is not None else ""
    # Some add theirs to the header that came, some as one more after it.
    return hosting.sender(connected, ",".join(connection.headers.getall("x-forwarded-for", [])))
