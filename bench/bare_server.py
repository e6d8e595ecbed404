"""A bare Litestar handler that takes and gives what a call of the gate does, behind the same uvicorn: what HTTP itself costs."""

import asyncio
import json
import sys
from pathlib import Path

from litestar import Litestar, Response, post

from interlock.api.agent_calls import Call
from interlock.api.serving import serve


def app(answer: bytes) -> Litestar:
    """Answers every call with the same bytes."""

    @post("/v1/agent/actions", status_code=200)
    async def propose(data: Call) -> Response[bytes]:
        """Read it, and answer."""
        del data
        return Response(answer, media_type="application/json")

    return Litestar([propose], openapi_config=None)


def _started(address: str) -> None:
    print(json.dumps({"address": address}), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(app(Path(sys.argv[1]).read_bytes()), "127.0.0.1", 0, _started))
