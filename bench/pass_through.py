"""The least that passes questions to a model on: the same server and the same client as Interlock's, and nothing in between."""

import asyncio
import sys
from typing import Any

import httpx

from bench.model_server import started
from interlock.api.serving import serve

CLIENT = httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=None, max_keepalive_connections=64))


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Pass one on."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    url = f"{sys.argv[1]}{scope['path'].removeprefix('/v1')}"
    async with CLIENT.stream("POST", url, content=body, headers={"content-type": "application/json"}) as answer:
        head = [(name.encode(), answer.headers[name].encode()) for name in ("content-type",)]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": head})
        async for piece in answer.aiter_raw():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    asyncio.run(serve(app, "127.0.0.1", 0, started))
