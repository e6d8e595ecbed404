"""A server whose tools act, write down that they did, and answer once nobody holds them up. `python slow_server.py BOOK`.

`BOOK` has a line for each call that came, with its key; `BOOK.held` holds answers up. What honours a key acts once under it.
"""

import sys
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server

Context = ServerRequestContext[Any, Any]
BOOK = Path(sys.argv[1] if __name__ == "__main__" else "book")
HELD = BOOK.with_suffix(".held")
TOOLS = ("blind", "keyed", "asked")
KEY = "io.interlock/idempotencyKey"


async def list_tools(ctx: Context, params: Any) -> types.ListToolsResult:
    """All of them."""
    schema: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    return types.ListToolsResult(tools=[types.Tool(name=each, input_schema=schema) for each in TOOLS])


async def call_tool(ctx: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    """Act, and answer when one may."""
    booked(params.name, f"{params.name} {(ctx.meta or {}).get(KEY)} {(params.arguments or {}).get('n')}")
    while HELD.exists():  # noqa: ASYNC110  another process takes it away
        await anyio.sleep(0.02)
    return types.CallToolResult(content=[types.TextContent(text=f"{params.name} is done")])


def booked(name: str, effect: str) -> None:
    """Write down what is done; of what honours a key, once."""
    done = BOOK.read_text().splitlines() if BOOK.exists() else []
    with BOOK.open("a") as book:
        book.write("again\n" if name == "keyed" and effect in done else f"{effect}\n")


async def main() -> None:
    """Serve."""
    server: Server[Any] = Server("slow", version="1", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main)
