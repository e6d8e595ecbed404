"""The head of a request, before anything of it is believed: everybody who reads it reads the same, and it is meant for us."""

import re
from collections.abc import Collection, Mapping, Set
from typing import Any, Final
from urllib.parse import urlsplit

from interlock.domain.refusals import BadRequest, NoHost, TooLarge

_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")


def sound_head(scope: Mapping[str, Any], hosts: Set[str], *, most: int, once: Collection[bytes]) -> dict[bytes, bytes]:
    """The headers of a request for one of `hosts`, by their names in lower case. They have at most `most` bytes, and so has the
    query; those that are named `once` are not there twice. Raises TooLarge, BadRequest and NoHost."""
    headers: list[tuple[bytes, bytes]] = [(name.lower(), value) for name, value in scope["headers"]]
    # What arrived at once is parsed whole, however long: the server's own limit is for heads that come in pieces.
    if max(sum(len(name) + len(value) for name, value in headers), len(scope.get("query_string", b""))) > most:
        raise TooLarge(f"the head of a request has at most {most} bytes")
    names = [name for name, _ in headers]
    for name in once:
        if names.count(name) > 1:
            raise BadRequest(f"the header `{name.decode()}` is there twice")
    said = dict(headers)
    if b"transfer-encoding" in said and (b"content-length" in said or scope.get("http_version") == "1.0"):
        # Where one ends is read in two ways, by us and by what stands in front: the next request could hide in between.
        raise BadRequest("the length of the request is said in two ways")
    if host_name(said.get(b"host", b"")) not in hosts:
        raise NoHost("this server has another name than the one that was asked for")
    return said


def said_length(said: Mapping[bytes, bytes]) -> int | None:
    """How long the body is by its head, 0 where that says nothing; None for what is no length."""
    length = said.get(b"content-length", b"0")
    return int(length) if len(length) <= 18 and length.isdigit() else None


def host_name(host: bytes) -> str:
    """The name in a `Host` header, without its port; empty for what is no such header."""
    found = _HOST.fullmatch(host.decode("latin-1").lower())
    return "" if found is None else found[1].strip("[]")


def origin_name(origin: bytes) -> str:
    """The name in an `Origin` header, without scheme and port; empty for what is none, such as `null`."""
    try:
        return urlsplit(origin.decode("latin-1").lower()).hostname or ""
    except ValueError:
        return ""
