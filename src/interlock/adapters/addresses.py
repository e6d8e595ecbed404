"""Addresses that others name: where nobody on the way can read or change what goes there, or comes from there."""

from urllib.parse import urlsplit

from interlock.domain.hosting import NEAR


def is_safe(address: str) -> bool:
    """Whether it is behind TLS, or on this machine."""
    try:
        where = urlsplit(address)
        return where.scheme == "https" or (where.scheme == "http" and where.hostname in NEAR)
    except ValueError:
        return False


def unfit(address: str, *, path: bool = True) -> str:
    """What is wrong with an address that names somebody, or a place of theirs; nothing where it is fit."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in ("http", "https") or not host or not address.isascii() or not address.isprintable():
        return "must begin with https:// and name a host"
    if not is_safe(address):
        return "must begin with https://; http:// is for this machine alone"
    more = parts.username or parts.password or parts.query or parts.fragment or any(each in address for each in ' "#')
    if more or (parts.path and not path):
        return f"is scheme, host{',' if path else ' and'} port{' and path' if path else ''}, and nothing behind them"
    return ""
