"""What stands between the conformance suite and the gateway, for the suite can bear no token and calls tools by fixed names.

It adds `Authorization`, and the server's name to those of tools and prompts; it passes everything else as it came, `Host` and
streams too.
"""

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

_HOPS: Final = frozenset({"content-length", "transfer-encoding", "connection", "content-encoding"})
_NAMED: Final = frozenset({"tools/call", "prompts/get"})


def front(url: str, key: str, prefix: str) -> Starlette:
    """The program in between. `url` is the gateway's `/mcp`."""
    client = httpx.AsyncClient(timeout=60)

    async def passed(request: Request) -> Response:
        body = renamed(await request.body(), prefix)
        headers = [(name, value) for name, value in request.headers.items() if name not in _HOPS]
        asked = client.build_request(
            request.method, url, headers=[*headers, ("authorization", f"Bearer {key}")], content=body
        )
        answered = await client.send(asked, stream=True)
        given = {name: value for name, value in answered.headers.items() if name not in _HOPS}

        async def parts() -> AsyncIterator[bytes]:
            try:
                async for each in answered.aiter_bytes():
                    yield each.replace(f'"{prefix}'.encode(), b'"')
            except httpx.HTTPError:
                return
            finally:
                await answered.aclose()

        return StreamingResponse(parts(), answered.status_code, given)

    return Starlette(routes=[Route("/mcp", passed, methods=["GET", "POST", "DELETE"])])


def renamed(body: bytes, prefix: str) -> bytes:
    """A request for a tool or a prompt by the name under which the gateway has it."""
    try:
        message: Any = json.loads(body)
    except ValueError:
        return body
    if not isinstance(message, dict):
        return body
    params = message.get("params")
    if not isinstance(params, dict):
        return body
    reference = params.get("ref")
    if message.get("method") in _NAMED and isinstance(params.get("name"), str):
        params["name"] = prefix + params["name"]
    elif isinstance(reference, dict) and isinstance(reference.get("name"), str):
        reference["name"] = prefix + reference["name"]
    else:
        return body
    return json.dumps(message).encode()


def serve(url: str, key: str, prefix: str, port: int) -> None:
    """Serve until somebody ends it."""
    uvicorn.run(front(url, key, prefix), host="127.0.0.1", port=port, log_level="error")
