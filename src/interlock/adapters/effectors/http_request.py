"""From a contract's HTTP target and an action's arguments to the one request that means exactly them.

An argument can fill a place in the path or the query and nothing else: it is percent-encoded, and refused where even the
encoded form could lead a server elsewhere (an empty or dotted path segment, control characters). Host, scheme and headers
belong to whoever wrote the contract.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import msgspec

from interlock.domain.call import Call
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import HttpTarget
from interlock.domain.errors import EffectorError
from interlock.domain.record import plain
from interlock.ports.effector import Role

_PLACE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)\}")
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE: Final = re.compile(r"[!-~]([ \t!-~]*[!-~])?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_FRAMING: Final = frozenset({"connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class UnfitError(ValueError):
    """An argument that cannot stand where the contract puts it. Nothing was sent."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is about to be sent."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


def request_for(
    target: HttpTarget, role: Role, arguments: dict[str, JsonValue], call: Call, environ: Mapping[str, str]
) -> Request:
    """The request of one attempt.

    Places in the URL are arguments, by name or by path (`{order.id}`), or what the call carries (`{call.idempotency_key}`,
    `{call.prepared.id}`, `{call.precondition.etag}`); a postcondition's may also begin with `result.`. Arguments that fill
    no place go into the JSON body, or into the query of a GET. Raises UnfitError for an argument that does not fit and
    EffectorError for a target that never could.
    """
    parts = checked_url(target.url)
    named, known = _split(role, arguments, call)
    used: set[str] = set()
    path = _filled(parts.path, named, known, used, in_path=True)
    query = _filled(parts.query, named, known, used, in_path=False)
    rest = {name: value for name, value in named.items() if name not in used}
    body: bytes | None = None
    if target.method == "GET":
        query = "&".join(filter(None, (query, urlencode(list(_pairs(rest))))))
    elif role == "postcondition":
        body = msgspec.json.encode(arguments)
    elif rest or target.method in _WITH_BODY:
        body = msgspec.json.encode(rest)
    return Request(
        method=target.method,
        url=parts._replace(path=path, query=query).geturl(),
        headers=_headers(target, call, environ, with_body=body is not None),
        body=body,
    )


def checked_url(url: str) -> SplitResult:
    """The parts of a contract's URL, or EffectorError where no argument could make it one."""
    # urlsplit drops control characters without a word.
    if _CONTROL.search(url) or " " in url or not url.isascii():
        raise EffectorError("the target's URL holds characters that no URL has")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise EffectorError(f"`{url}` is no URL: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EffectorError(f"`{url}` does not begin with http:// or https:// and a host")
    if "{" in parts.netloc or parts.fragment:
        raise EffectorError(f"`{url}`: arguments fill places in path and query only, and a fragment is never sent")
    if re.search(r"[{}]", _PLACE.sub("", parts.path + parts.query)):
        raise EffectorError(f"`{url}`: a place for an argument reads `{{name}}`")
    return parts


def contract_headers(target: HttpTarget, environ: Mapping[str, str]) -> dict[str, str]:
    """The contract's own headers with its environment variables, whose values are never repeated in an error."""

    filled: dict[str, str] = {}
    for name, template in target.headers.items():
        for variable in _VARIABLE.findall(template):
            if not environ.get(variable):
                raise EffectorError(
                    f"the environment has no `{variable}`, which the header `{name}` needs",
                    next_step=f"set {variable} where the worker runs",
                )
        value = _VARIABLE.sub(lambda match: environ[match[1]], template)
        if not _TOKEN.fullmatch(name) or name.lower() in _FRAMING:
            raise EffectorError(f"`{name}` is not a header that a contract may set")
        if value and not _FIELD_VALUE.fullmatch(value):
            raise EffectorError(f"the value of the header `{name}` cannot be sent: it is not one line of ASCII text")
        filled[name] = value
    return filled


def _headers(target: HttpTarget, call: Call, environ: Mapping[str, str], *, with_body: bool) -> dict[str, str]:
    ours = {
        "Accept": "application/json",
        # A compressed answer could unfold to any size.
        "Accept-Encoding": "identity",
        "Interlock-Action": call.action_id,
        "Interlock-Attempt": str(call.attempt),
        "Interlock-Fence": str(call.fence),
        "Interlock-Deadline": str(call.deadline_at),
    }
    if target.key_header:
        if not _TOKEN.fullmatch(target.key_header):
            raise EffectorError(f"`{target.key_header}` is not the name of a header")
        if not _FIELD_VALUE.fullmatch(call.idempotency_key):
            raise UnfitError("the idempotency key cannot be sent in a header: use one line of ASCII text")
        ours[target.key_header] = call.idempotency_key
    if with_body:
        ours["Content-Type"] = "application/json"
    taken = {name.lower() for name in ours} - {"accept"}
    given = contract_headers(target, environ)
    for name in given:
        if name.lower() in taken:
            raise EffectorError(f"`{name}` is a header that the gate sets itself")
        if name.lower() == "accept":
            del ours["Accept"]
    return ours | given


def _split(
    role: Role, arguments: dict[str, JsonValue], call: Call
) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """The action's arguments, and what else a place may name. An argument comes before anything else of its name."""
    known: dict[str, JsonValue] = {"call": plain(call)}
    args = arguments.get("args")
    if role == "postcondition" and isinstance(args, dict):
        return args, {**known, "args": args, "result": arguments.get("result")}
    return arguments, {**known, "args": arguments}


def _filled(
    template: str, named: dict[str, JsonValue], known: dict[str, JsonValue], used: set[str], *, in_path: bool
) -> str:
    def value(match: re.Match[str]) -> str:
        steps = match[1].split(".")
        if steps[0] in named:
            used.add(steps[0])
        found: JsonValue = {**known, **named}
        for step in steps:
            if not isinstance(found, dict) or step not in found:
                raise UnfitError(f"there is no value for `{match[1]}` in the address")
            found = found[step]
        return _placed(match[1], found, in_path=in_path)

    return _PLACE.sub(value, template)


def _placed(name: str, value: JsonValue, *, in_path: bool) -> str:
    if value is None or isinstance(value, list | dict):
        raise UnfitError(f"`{name}` is no text, number or truth value, so it cannot stand in an address")
    text = _scalar(value)
    if _CONTROL.search(text):
        raise UnfitError(f"`{name}` holds control characters, so it cannot stand in an address")
    # Servers that decode before they split see `..` behind an encoded slash too.
    if in_path and (not text or any(piece in (".", "..") for piece in re.split(r"[/\\]", text))):
        raise UnfitError(f"`{name}` would lead to another address: it is empty, or one of its parts is dots")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise UnfitError(f"`{name}` holds a lone surrogate") from None


def _pairs(rest: dict[str, JsonValue]) -> Iterator[tuple[str, str]]:
    """Arguments as a query: a list of plain values is repeated, null is left out, anything else is JSON text."""
    for name, value in rest.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, list | dict):
                yield name, msgspec.json.encode(each).decode()
            elif each is not None:
                yield name, _scalar(each)


def _scalar(value: bool | int | str) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
