"""`interlock gateway`: the MCP server that an agent's client talks to."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Final

import typer

from interlock.cli.context import Context, context_of
from interlock.cli.optional import optional_part
from interlock.cli.output import run, shown
from interlock.cli.serving import served
from interlock.domain.errors import ContractError
from interlock.domain.ids import AgentName
from interlock.domain.patience import HOLD_MODES, Wish
from interlock.domain.task import Opening

_PURPOSE: Final = "work of an MCP client"
MOST_AT_ONCE: Final = 2_048
"""Connections: streams of many sessions among them."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(gateway)


def gateway(
    context: typer.Context,
    agent: Annotated[str, typer.Option(help="The agent that the client on standard input and output is.")] = "",
    purpose: Annotated[str, typer.Option(help="What it works on.")] = _PURPOSE,
    on_behalf_of: Annotated[str, typer.Option(help="For whom: `user:ana`.")] = "",
    hold: Annotated[str, typer.Option(help="A call that waits for a person: `wait` for it, or give a `ticket`.")] = "",
    http: Annotated[
        str, typer.Option(help="Serve clients that bear tokens over HTTP instead, at HOST:PORT; port 0 is any.")
    ] = "",
    wait: Annotated[int | None, typer.Option(min=0, max=600, help="How many seconds a call waits at most.")] = None,
) -> None:
    """Serve MCP clients, one over standard input and output or many over HTTP: what they call is an action of an agent's."""
    here = context_of(context)
    if bool(agent) == bool(http):
        raise ContractError(
            "the gateway serves one client as an agent, or any that bear tokens over HTTP",
            path="/agent",
            next_step="say which: `interlock gateway --agent NAME`, or `interlock gateway --http 127.0.0.1:8787`",
        )
    wish = _wish(hold, wait)
    if http:
        if on_behalf_of or purpose != _PURPOSE:
            raise ContractError(
                "over HTTP the token says for whom and for what, not the command line", path="/on_behalf_of"
            )
        needs = "what serves MCP over HTTP"
        _listen(here, optional_part(here, "interlock.bootstrap.house", what=needs, extra="mcp,server"), http, wish)
        return
    found = optional_part(here, "interlock.bootstrap.gateway", what="what speaks MCP", extra="mcp")
    opening = Opening(agent=AgentName(agent), purpose=purpose, initiator=on_behalf_of)

    async def serve() -> None:
        await found.serve_one(here.folder, opening, wish)

    run(here.output, serve)


def _listen(here: Context, found: Any, address: str, wish: Wish) -> None:
    host, port = _address(address)

    def started(at: str) -> None:
        base = at.rstrip("/")
        address, models = f"{base}/mcp", f"{base}/v1"
        here.output.value(
            {"address": address, "models": models},
            lambda console: console.print(f"models are at {shown(models)}, the gateway is at {shown(address)}"),
        )

    def begun() -> AbstractAsyncContextManager[Any]:
        house: AbstractAsyncContextManager[Any] = found.house(here.folder, wish, host)
        return house

    served(here, begun, host, port, started, most=MOST_AT_ONCE)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535 or not host:
        raise ContractError(
            f"`{text[:64]}` is no address to listen at", path="/http", next_step="`127.0.0.1:8787`, or `127.0.0.1:0`"
        )
    return host.strip("[]"), int(port)


def _wish(hold: str, wait: int | None) -> Wish:
    if hold and hold not in HOLD_MODES:
        raise ContractError(f"`{hold[:64]}` is no way to hold a call", path="/hold", next_step="`wait` or `ticket`")
    return Wish(hold, None if wait is None else wait * 1000)
