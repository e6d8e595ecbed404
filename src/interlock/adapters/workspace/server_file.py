"""`server` in `interlock.yaml`: where people open the console.

server: {public_url: "https://interlock.example.org", live: 2000}
"""

from typing import Final
from urllib.parse import urlsplit

from interlock.adapters.workspace.fields import Section
from interlock.domain.hosting import NEAR, Hosting

MOST_LIVE: Final = 20_000


def read_hosting(section: Section | None) -> Hosting:
    """What it says; a server for this machine alone where nothing is said."""
    if section is None:
        return Hosting()
    url = section.text("public_url").rstrip("/")
    host, problem = _host(url) if url else ("", "")
    if problem:
        section.wrong(f"`public_url` {problem}", section.take("public_url"))
    live = section.integer("live", Hosting().live_most, least=1)
    if live > MOST_LIVE:
        section.wrong(f"`live` is at most {MOST_LIVE}", section.take("live"))
    section.close()
    return Hosting(public_url=url if host else "", host=host, live_most=min(live, MOST_LIVE))


def _host(url: str) -> tuple[str, str]:
    """The host of the console's address, or what is wrong with that."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "", "is no address"
    if parts.scheme not in ("http", "https") or not host:
        return "", "must begin with https:// and name a host"
    if parts.scheme == "http" and host not in NEAR:
        return "", "must begin with https://; http:// is for this machine alone"
    if parts.username or parts.password or parts.query or parts.fragment or parts.path:
        return "", "is scheme, host and port, and nothing behind them"
    return host, ""
