"""`interlock serve`: the console, the API and a worker in one process."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Final

import typer

from interlock.bootstrap.addresses import PORT, address_of
from interlock.cli.context import context_of
from interlock.cli.output import shown
from interlock.cli.serving import ALONE, Port, served, server_part
from interlock.services.welcoming import Welcome

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

    welcomed = list[Welcome]()

    def started(address: str) -> None:
        here.output.say(f"the console is at {shown(address)}")
        for each in welcomed:
            if each.lacking:
                here.output.say(f"[yellow]{shown(each.lacking)}[/yellow]")
            if each.person is not None:
                here.output.say(f"sign in as {shown(each.person)}, once and within ten minutes:")
                here.output.say(f"  {shown(address_of(here.folder, address))}/sign-in/link/{each.token}")

    def begun() -> AbstractAsyncContextManager[Any]:
        found: AbstractAsyncContextManager[Any] = serving.serving(
            here.folder, host=host, work=not no_worker, person=here.person, welcome=welcomed.append
        )
        return found

    served(here, begun, host, port, started, most=MOST_AT_ONCE)
