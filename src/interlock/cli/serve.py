"""`interlock serve`: the console, the API and a worker in one process."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Final

import typer

from interlock.cli.context import context_of
from interlock.cli.output import shown
from interlock.cli.serving import ALONE, Port, served, server_part

PORT: Final = 8600
MOST_AT_ONCE: Final = 4_096
"""Connections: streams of news of a few thousand pages among them."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Where to listen; beyond this machine only behind TLS.")] = ALONE[0],
    port: Port = PORT,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Only answer; others work: `interlock work`.")] = False,
) -> None:
    """Serve the console and the API to people, and work on what is due, in one process."""
    here = context_of(context)
    serving = server_part(here, "interlock.bootstrap.serving")

    def started(address: str) -> None:
        here.output.say(f"the console is at {shown(address)}")

    def begun() -> AbstractAsyncContextManager[Any]:
        found: AbstractAsyncContextManager[Any] = serving.serving(here.folder, host=host, work=not no_worker)
        return found

    served(here, begun, host, port, started, most=MOST_AT_ONCE)
