"""`doctor`: everything an installation stands on, looked at, with the command that mends each thing that is wrong."""

from typing import Final

import typer
from rich.console import Console

from interlock.bootstrap import doctoring
from interlock.cli.context import context_of
from interlock.cli.output import Exit, run, shown, table
from interlock.domain.checkup import Checkup, Health

_SAID: Final[dict[Health, str]] = {
    "good": "[green]good[/green]",
    "doubtful": "[yellow]doubtful[/yellow]",
    "wrong": "[bold red]wrong[/bold red]",
    "unasked": "[dim]not known[/dim]",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(context: typer.Context) -> None:
    """Look at everything this installation stands on, and say what mends what is wrong. Changes nothing.

    Ends with 0 where nothing is wrong, 1 where a file of the workspace is, 3 where the installation needs somebody.
    """
    here = context_of(context)

    async def work() -> int:
        checkup = await doctoring.examined(here.folder)
        value = {"health": checkup.health, "at": checkup.at, "checks": checkup.checks}
        here.output.value(value, lambda console: _show(console, checkup))
        if any(each.fault != "yours" for each in checkup.wrong):
            return Exit.OPERATOR
        return Exit.YOURS if checkup.wrong else Exit.OK

    raise typer.Exit(run(here.output, work))


def _show(console: Console, checkup: Checkup) -> None:
    rows = table("what", "health", "found")
    for each in checkup.checks:
        mend = f"\n[dim]→[/dim] {shown(each.repair)}" if each.repair else ""
        rows.add_row(shown(each.what), _SAID[each.health], f"{shown(each.said)}{mend}")
    console.print(rows)
    wrong, doubtful = len(checkup.wrong), len(checkup.doubtful)
    if wrong or doubtful:
        console.print(f"\n[bold]{wrong} wrong[/bold], {doubtful} doubtful")
    else:
        console.print("\n[green]nothing is wrong[/green]")
