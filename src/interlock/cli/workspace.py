"""`init`, `check`, `apply`: the workspace as files, and bringing it into force."""

import shlex
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap.beginning import initialise
from interlock.bootstrap.site import read_site
from interlock.cli.bringing import alarm_line, bring, standing_alarm
from interlock.cli.context import context_of
from interlock.cli.output import Exit, counted, run, shown, worded
from interlock.cli.places import placed
from interlock.domain.errors import InterlockError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(init)
    app.command()(check)
    app.command()(apply)


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where to make it.")] = Path(),
    name: Annotated[str, typer.Option(help="What the tenant is called.")] = "default",
) -> None:
    """Make a small workspace that works, and the keys of its log. Overwrites nothing."""
    here = context_of(context)
    try:
        made = initialise(folder, name)
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None

    def show(console: Console) -> None:
        for path in made:
            console.print(f"  [green]+[/green] {shown(path)}")
        there = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
        console.print(f"\nNext: [bold]{shown(there)}interlock check && interlock apply[/bold]")

    here.output.value({"folder": str(folder), "files": made}, show)


def check(context: typer.Context) -> None:
    """Hold every file of the workspace, and all of them together, against the rules. Changes nothing."""
    here = context_of(context)
    try:
        site = read_site(here.folder)
        problems = site.problems
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None
    wrong = [each for each in problems if each.severity == "error"]
    alarm = run(here.output, partial(standing_alarm, here)) if site.workspace.settings.store.exists() else None

    def show(console: Console) -> None:
        for each in problems:
            console.print(placed(each))
        counts = site.counts()
        said = ", ".join(counted(count, word) for word, count in counts.items())
        if site.workspace.rights is None:
            said = f"{said}; no rights.yaml, so anybody lends anything"
        console.print(f"[red]{len(wrong)} wrong[/red], {said}" if wrong else f"[green]all good[/green]: {said}")
        if alarm is not None:
            console.print(alarm_line(alarm))

    here.output.value({"ok": not wrong, "problems": problems, "counts": site.counts(), "alarm": alarm}, show)
    if wrong:
        raise typer.Exit(Exit.YOURS)


def apply(
    context: typer.Context, why: Annotated[str, typer.Option(help="Why; kept with it.", callback=worded)] = ""
) -> None:
    """Store this version of everything by its digest, form the releases, and put them in force; or propose it, where the
    workspace says that this takes more people than you."""
    bring(context, why)
