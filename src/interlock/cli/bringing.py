"""What `interlock apply` and `interlock policy publish` do alike, and how a standing alarm is told."""

import msgspec
import typer
from rich.console import Console

from interlock.cli.brakes import print_brakes, rows
from interlock.cli.context import Context, context_of
from interlock.cli.output import Exit, moment, run, short, shown
from interlock.domain.control import Alarm, Control
from interlock.domain.errors import InterlockError
from interlock.services.publishing import Applied
from interlock.workbench.publications import published


def bring(context: typer.Context, why: str) -> None:
    """Put what the workspace says in force, or where that takes somebody else's word, propose it."""
    here = context_of(context)

    async def work() -> int:
        brought = await published(here.folder, by=here.person, why=why)
        applied = brought.applied

        def show(console: Console) -> None:
            if applied.publication is not None:
                print_proposed(console, applied, why)
                return
            console.print("[green]in force[/green]" if applied.changed else "in force already, nothing changed")
            console.print(f"  policies  {applied.bundle[:12]}")
            for label in applied.releases.values():
                console.print(f"  release   {label}")
            if brought.began is not None:
                console.print(f"  log       a new one begins in {shown(str(brought.began))}")
            print_brakes(console, brought.brakes)
            if brought.alarm is not None:
                console.print(alarm_line(brought.alarm))

        more = {"began": brought.began is not None, "stops": rows(brought.brakes), "alarm": brought.alarm}
        here.output.value({**msgspec.to_builtins(applied), **more}, show)
        return Exit.OK if applied.publication is None else Exit.WAITING

    raise typer.Exit(run(here.output, work))


async def standing_alarm(here: Context) -> Alarm | None:
    """The alarm in force, for a command that has other things to say; None too where nobody can tell."""
    try:
        async with here.reading() as plane:
            control = await plane.means.store.get(Control, "control")
    except InterlockError:
        return None
    return control.alarm if control is not None else None


def alarm_line(alarm: Alarm) -> str:
    """One line for a person, in markup."""
    since = f"since {moment(alarm.since_at)} UTC, by {shown(alarm.by)}"
    return (
        f"[bold red]alarm[/bold red] the library answers instead of compiled policies: {shown(alarm.why)} "
        f"[dim]({since}; look at it, then `interlock policy engine compiled --why ... --as NAME`)[/dim]"
    )


def print_proposed(console: Console, applied: Applied, why: str) -> None:
    """What was proposed, and whose word it waits for."""
    name = short(applied.publication or "")
    if applied.proposed_before:
        before = shown(applied.proposed_before)
        console.print(
            f"[yellow]proposed already[/yellow] by {before}: publication {name}; nothing in force has changed"
        )
        if why:
            console.print(f"  your reason is not kept; say it when you agree: `interlock policy accept {name} --note`")
    else:
        console.print(f"[yellow]proposed[/yellow] publication {name}; nothing in force has changed")
    console.print(f"  waits for {shown(applied.waits_for)}")
    console.print(f"[dim]they look at it: `interlock policy review {name}`[/dim]")
