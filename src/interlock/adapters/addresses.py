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
