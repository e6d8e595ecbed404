"""`interlock gateway`: the MCP server that an agent's client talks to."""

from importlib import import_module
from typing import Annotated, Any, Final

import typer

from interlock.cli.context import Context, context_of
from interlock.cli.output import run
from interlock.domain.errors import ContractError, EffectorError
from interlock.domain.ids import AgentName
from interlock.domain.patience import HOLD_MODES, Patience

_PURPOSE: Final = "work of an MCP client"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(gateway)


def gateway(
    context: typer.Context,
    agent: Annotated[str, typer.Option(help="The agent that the client is.")] = "",
    purpose: Annotated[str, typer.Option(help="What it works on.")] = _PURPOSE,
    on_behalf_of: Annotated[str, typer.Option(help="For whom: `user:ana`.")] = "",
    hold: Annotated[str, typer.Option(help="A call that waits for a person: `wait` for it, or give a `ticket`.")] = "",
    wait: Annotated[int | None, typer.Option(min=0, max=600, help="How many seconds a call waits at most.")] = None,
) -> None:
    """Serve an MCP client over standard input and output: every tool it calls is an action of the agent's."""
    here = context_of(context)
    if not agent:
        raise ContractError(
            "nobody said which agent the client is", path="/agent", next_step="say it: `interlock gateway --agent NAME`"
        )
    patience = _patience(hold, wait)
    found = _part(here, "interlock.bootstrap.gateway")
    works = import_module("interlock.gateway.work")
    caller = works.Caller(agent=AgentName(agent), purpose=purpose, initiator=on_behalf_of)

    async def serve() -> None:
        await found.serve_one(here.folder, caller, patience)

    run(here.output, serve)


def _patience(hold: str, wait: int | None) -> Patience:
    if hold and hold not in HOLD_MODES:
        raise ContractError(f"`{hold[:64]}` is no way to hold a call", path="/hold", next_step="`wait` or `ticket`")
    return Patience().asked(hold, None if wait is None else wait * 1000)


def _part(here: Context, name: str) -> Any:
    """A module that needs the protocol's package. Ends the command, and says what to install, where that is not there."""
    try:
        return import_module(name)
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise typer.Exit(
            here.output.fail(
                EffectorError(
                    "what speaks MCP is not installed", next_step="install it: `pip install 'interlock[mcp]'`"
                )
            )
        ) from None
