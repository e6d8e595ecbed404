"""What a request to a gateway bears, and what answers it where nobody is let in: for any ASGI application, of whatever framework.

answer = metadata_answer(resource, scope)          # RFC 9728: whose tokens count
bearer = await bearing.admit(borne_of(scope, hosting), "mcp")
except InterlockError as error: await send_answer(refusal_answer(error), send)
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, NamedTuple

import msgspec

from interlock.domain.access_token import WELL_KNOWN, Resource, metadata_of
from interlock.domain.borne import Borne
from interlock.domain.errors import InterlockError, NotFound, RateExceeded
from interlock.domain.hosting import Hosting
from interlock.web.problems import PROBLEM, encoded, headers_of, problem_of

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Answer(NamedTuple):
    """An answer, whole."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


def borne_of(scope: Mapping[str, Any], hosting: Hosting) -> Borne:
    """What the request in an ASGI `scope` bears, and from where it comes."""
    headers: list[tuple[bytes, bytes]] = list(scope.get("headers", ()))
    connected = (scope.get("client") or ("",))[0]
    raw = scope.get("raw_path") or str(scope.get("path", "")).encode()
    return Borne(
        authorization=_all(headers, b"authorization"),
        dpop=_all(headers, b"dpop"),
        method=str(scope.get("method", "")),
        path=bytes(raw).partition(b"?")[0].decode("latin-1"),
        query=bytes(scope.get("query_string", b"")).decode("latin-1"),
        address=hosting.sender(connected, ", ".join(_all(headers, b"x-forwarded-for"))),
    )


def metadata_answer(resource: Resource, scope: Mapping[str, Any]) -> Answer | None:
    """The answer to who asks whose tokens count; None where something else is asked for, or none counts."""
    path = str(scope.get("path", ""))
    if not resource.issuers or path not in (WELL_KNOWN, f"{WELL_KNOWN}/mcp", f"{WELL_KNOWN}{resource.path}"):
        return None
    if scope.get("method") not in ("GET", "HEAD"):
        return Answer(405, ((b"allow", b"GET, HEAD"), (b"content-length", b"0")), b"")
    body = msgspec.json.encode(metadata_of(resource))
    headers = (
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        # Browsers' clients read it from their own pages; there is nothing of anybody's in it.
        (b"access-control-allow-origin", b"*"),
        (b"cache-control", b"public, max-age=300"),
    )
    return Answer(200, headers, body if scope.get("method") == "GET" else b"")


def refusal_answer(error: InterlockError, status: int = 0, headers: Mapping[str, str] = {}) -> Answer:
    """The answer to who is not let in, with its challenge, and nothing of what was borne. `status`, where it is not that of its
    kind, and more `headers` are for who knows more of the request."""
    problem = problem_of(error)
    if status:
        problem = msgspec.structs.replace(problem, status=status)
    body = encoded(problem)
    said = {
        "content-type": PROBLEM,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        **({"retry-after": "60"} if isinstance(error, RateExceeded) else headers_of(error)),
        **headers,
    }
    return Answer(
        problem.status, tuple((name.encode(), each.encode("latin-1", "replace")) for name, each in said.items()), body
    )


async def send_answer(answer: Answer, send: Send) -> None:
    """Send it."""
    await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
    await send({"type": "http.response.body", "body": answer.body})


def _all(headers: list[tuple[bytes, bytes]], name: bytes) -> tuple[str, ...]:
    return tuple(value.decode("latin-1") for each, value in headers if each.lower() == name)


class Metadata:
    """The application that answers who asks whose tokens count, at `WELL_KNOWN` and below it."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        """One request. What is nobody's is not there."""
        del receive
        await send_answer(metadata_answer(self._resource, scope) or _NOT_THERE, send)


_NOT_THERE: Final = refusal_answer(NotFound("there is nothing here", next_step="ask for `/mcp` with a token"))
