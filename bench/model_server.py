"""A model that says the same at once, whole or in pieces: what stands behind all that is measured of asking models."""

import asyncio
import json
from typing import Any

from bench.relayed import ANSWER, EVENTS
from interlock.api.serving import serve

WHOLE = json.dumps(ANSWER).encode()
PIECE = (
    b"data: "
    + json.dumps({"choices": [{"index": 0, "delta": {"content": "word "}}], "model": "small-1"}).encode()
    + b"\n\n"
)
LAST = b"data: " + json.dumps({"choices": [], "usage": ANSWER["usage"]}).encode() + b"\n\ndata: [DONE]\n\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if not json.loads(body).get("stream"):
        head = [(b"content-type", b"application/json"), (b"content-length", str(len(WHOLE)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": WHOLE})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for _ in range(EVENTS):
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": LAST})


def started(address: str) -> None:
    """Say where."""
    print(json.dumps({"address": address}), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(app, "127.0.0.1", 0, started))
