"""`interlock log anchor`: the head cosigned by witnesses, and written back."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.log.files import write_file
from interlock.cli.output import counted, run, shown
from interlock.domain.errors import NotFound
from interlock.services.anchoring import Anchored


def register(log: typer.Typer) -> None:
    """Add the command."""
    log.command()(anchor)


def anchor(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Write the cosigned checkpoint there, to keep.")] = None,
) -> None:
    """Have the log's head cosigned by the witnesses of interlock.yaml, and time-stamped, and record that as an anchor."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            anchoring = plane.means.anchoring
            if anchoring is None:
                raise NotFound(
                    "nobody is asked to cosign this log",
                    next_step="name `witnesses` or `timestamps` in interlock.yaml",
                )
            made = await anchoring.anchor()
        if made is not None and out is not None:
            write_file(out, made.note.encode())
        here.output.value(made, lambda console: _show(console, made))

    run(here.output, work)


def _show(console: Console, made: Anchored | None) -> None:
    if made is None:
        console.print("nothing came since the last anchor")
        return
    by = ", ".join(map(shown, made.cosigners)) or "no witness"
    stamped = ", time-stamped" if made.stamped else ""
    console.print(f"[green]anchored[/green]: {counted(made.size, 'entries')}, root {made.root[:16]}, by {by}{stamped}")
    for each in made.failed:
        console.print(f"  [yellow]not by[/yellow] {shown(each)}")
