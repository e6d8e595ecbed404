"""Where a control plane is, as a person writes it: https, or http on this very machine."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from interlock.domain.errors import NotAllowed
from interlock.domain.hosting import NEAR

_NEXT: Final = "give it as `interlock.open('https://interlock.example.com')`"
SCHEMES: Final = ("https://", "http://")


def is_address(location: str) -> bool:
    """Whether `location` means a server, not a folder."""
    return location.lower().startswith(SCHEMES)


def address_of(location: str) -> str:
    """The origin that `location` names, without a slash at its end.

    Raises NotAllowed for one in the clear that is not this machine, and for one that says more than an origin: a password in an
    address ends up in logs.
    """
    try:
        parts = urlsplit(location)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotAllowed(f"`{location[:200]}` is no address", next_step=_NEXT) from None
    if parts.username is not None or parts.password is not None:
        raise NotAllowed("an address holds no name and no password", next_step=_NEXT)
    if not host or not parts.netloc.isascii() or not parts.netloc.isprintable() or " " in parts.netloc:
        raise NotAllowed("the address names no host", next_step=_NEXT)
    if parts.path not in ("", "/") or parts.query or parts.fragment or "?" in location or "#" in location:
        raise NotAllowed(f"the address of a control plane ends with its host: `{_origin(parts, host, port)}`")
    if parts.scheme == "http" and not _near(host):
        raise NotAllowed(
            f"`{host}` is another machine, and what is sent there in the clear anybody on the way can read and change",
            next_step="put a proxy that ends TLS in front of `interlock serve`, and give its `https://` address",
        )
    return _origin(parts, host, port)


def _origin(parts: SplitResult, host: str, port: int | None) -> str:
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}" + ("" if port is None else f":{port}")


def _near(host: str) -> bool:
    if host in NEAR:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
