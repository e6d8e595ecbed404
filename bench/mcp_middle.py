"""What stands at both ends of the gateway's figures: a server whose one tool costs nothing, and the least that passes calls on.

`python bench/mcp_middle.py server|passing stdio|http [UPSTREAM]`: over standard input and output, or over HTTP on a port of this
machine that is printed. Both are written with the protocol's own package, as most servers are.
"""

import json
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
import mcp_types as types
import uvicorn
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

PROGRAM: Final = (sys.executable, str(Path(__file__).resolve()))
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"sku": {"type": "string"}, "n": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["sku", "n"],
}
TOOLS: Final = [
    types.Tool(name="put", description="Puts so many of something on a shelf.", input_schema=SCHEMA),
    types.Tool(name="take", description="Takes so many of something off a shelf.", input_schema=SCHEMA),
]


async def _lists(ctx: Any, params: Any) -> types.ListToolsResult:
    del ctx, params
    return types.ListToolsResult(tools=TOOLS)


async def _puts(ctx: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    del ctx
    sku = (params.arguments or {}).get("sku")
    return types.CallToolResult(content=[types.TextContent(text=f"put {sku}")])


def server() -> Server[Any]:
    """The server."""
    return Server("shelf", on_list_tools=_lists, on_call_tool=_puts)


@asynccontextmanager
async def passing(upstream: str) -> AsyncGenerator[Server[Any]]:
    """What passes everything on to the server at `upstream`, or to one that it begins."""
    async with AsyncExitStack() as stack:
        own = StdioServerParameters(command=PROGRAM[0], args=[*PROGRAM[1:], "server", "stdio"])
        way = streamable_http_client(upstream) if upstream else stdio_client(own)
        client = await stack.enter_async_context(Client(way, mode="legacy"))

        async def lists(ctx: Any, params: Any) -> types.ListToolsResult:
            del ctx, params
            return await client.list_tools()

        async def calls(ctx: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
            del ctx
            return await client.call_tool(params.name, params.arguments)

        yield Server("passing", on_list_tools=lists, on_call_tool=calls)


async def over_stdio(found: Server[Any]) -> None:
    """Serve one client."""
    async with stdio_server() as (incoming, outgoing):
        await found.run(incoming, outgoing, found.create_initialization_options())


async def over_http(found: Server[Any]) -> None:
    """Serve any, and print where."""
    manager = StreamableHTTPSessionManager(app=found)
    config = uvicorn.Config(
        manager.handle_request, host="127.0.0.1", port=0, log_level="error", lifespan="off", interface="asgi3"
    )
    told = _Telling(config)
    async with manager.run():
        await told.serve()


class _Telling(uvicorn.Server):
    async def startup(self, sockets: Any = None) -> None:
        """Begin, and say where."""
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        print(json.dumps({"address": f"http://127.0.0.1:{port}/mcp"}), flush=True)


async def main(what: str, way: str, upstream: str = "") -> None:
    """Be one of the two."""
    serve = over_http if way == "http" else over_stdio
    if what == "server":
        await serve(server())
        return
    async with passing(upstream) as found:
        await serve(found)


if __name__ == "__main__":
    anyio.run(partial(main, *sys.argv[1:]))
