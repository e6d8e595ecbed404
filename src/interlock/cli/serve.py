"""`interlock serve`: the console, the API and a worker in one process."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Final

import typer
from rich.console import Console

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
        at = address_of(here.folder, address)
        here.output.value(_said(at, welcomed), lambda console: _tell(console, at, welcomed))

    def begun() -> AbstractAsyncContextManager[Any]:
        found: AbstractAsyncContextManager[Any] = serving.serving(
            here.folder, host=host, work=not no_worker, person=here.person, welcome=welcomed.append
        )
        return found

    served(here, begun, host, port, started, most=MOST_AT_ONCE)


def _link(address: str, each: Welcome) -> str:
    return f"{address}/sign-in/link/{each.token}"


def _said(address: str, welcomed: list[Welcome]) -> dict[str, str]:
    """For programs: the address, and where there is one the link, for whom it is and what people.yaml lacks."""
    said = {"address": address}
    for each in welcomed:
        if each.lacking:
            said["lacking"] = each.lacking
        if each.person is not None:
            said |= {"person": each.person, "link": _link(address, each)}
    return said


def _tell(console: Console, address: str, welcomed: list[Welcome]) -> None:
    console.print(f"the console is at {shown(address)}", soft_wrap=True)
    for each in welcomed:
        if each.lacking:
            console.print(f"[yellow]{shown(each.lacking)}[/yellow]", soft_wrap=True)
        if each.person is not None:
            console.print(f"sign in as {shown(each.person)}, once and within ten minutes:", soft_wrap=True)
            console.print(f"  {shown(_link(address, each))}", soft_wrap=True)
