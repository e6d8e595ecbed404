"""`interlock log head`, `publish` and `serve`: the log's files, for others to read."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from interlock.bootstrap.shelves import shelf_at
from interlock.cli.context import context_of
from interlock.cli.log.files import note_given
from interlock.cli.output import counted, run, shown
from interlock.cli.serving import ALONE, Port, served
from interlock.cli.writing import write_file
from interlock.domain.errors import NotFound
from interlock.services.offering import log_file
from interlock.services.showing import Shown

PORT = 8471


def register(log: typer.Typer) -> None:
    """Add the commands."""
    for command in (head, publish, serve):
        log.command()(command)


def head(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Write the checkpoint there, to keep.")] = None,
) -> None:
    """The latest checkpoint: the log's name, how many entries it has, their root, signed."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading(private=False) as plane:
            note = await plane.audit.head()
            if note is None:
                raise NotFound("the log is empty", next_step="bring something into force first")
            said = await plane.audit.opened(note)
        if out is not None:
            write_file(out, note.encode())
        value = {"origin": said.origin, "size": said.size, "root": said.root.hex(), "checkpoint": note}
        here.output.value(value, lambda console: _print(console, note))

    run(here.output, work)


def publish(
    context: typer.Context,
    place: Annotated[Path, typer.Argument(help="A folder; or a file that ends in `.zip` and does not exist yet.")],
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Show the log up to this checkpoint, such as one with cosignatures, instead of its head."),
    ] = None,
    anchored: Annotated[
        bool,
        typer.Option("--anchored", help="Show it up to the latest checkpoint that `interlock log anchor` brought."),
    ] = False,
) -> None:
    """Put the log's files there as anybody's tools read them (C2SP tlog-tiles): only what is new, the checkpoint last."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading(private=False) as plane:
            note = await note_given(plane, checkpoint, anchored=anchored)
            with shelf_at(place) as shelf:
                made = await plane.audit.publish(shelf, note=note)
        here.output.value(made, lambda console: _published(console, made))

    run(here.output, work)


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Where to listen; everybody who can reach it may read.")] = ALONE[0],
    port: Port = PORT,
) -> None:
    """Let others read the log's files over HTTP, as it grows; nothing else, and nothing can be written."""
    here = context_of(context)

    def started(address: str) -> None:
        here.output.say(f"the log is at {shown(address)}; its checkpoint at {shown(address)}checkpoint")
        if host not in ALONE:
            here.output.say("[yellow]everybody who can reach it may read it[/yellow]: names of agents, tools, times")

    @asynccontextmanager
    async def shown_log() -> AsyncGenerator[Any]:
        # Loaded when somebody serves: nobody else waits for it.
        server: Any = import_module("interlock.api.log").LogServer
        async with here.reading(private=False) as plane:
            yield server(partial(log_file, plane.means.log))

    served(here, shown_log, host, port, started)


def _print(console: Console, note: str) -> None:
    for line in note.splitlines():
        console.print(shown(line), soft_wrap=True)


def _published(console: Console, made: Shown) -> None:
    place = shown(made.place)
    if not made.files:
        console.print(f"{place} shows all {counted(made.size, 'entries')} already")
        return
    console.print(
        f"{place} shows the log [bold]{shown(made.origin)}[/bold] up to entry {made.size - 1}, root {made.root[:16]}"
    )
    console.print(
        f"[dim]{counted(made.size - made.before, 'entries')} more than before, {counted(made.files, 'files')}, "
        f"{made.bytes:,} bytes[/dim]"
    )
