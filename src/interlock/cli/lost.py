"""`lost`: what is lost for good, and the word of two persons that they know of it."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import Exit, UsageError, counted, moment, run, short, shown, table, worded
from interlock.domain.losing import REASONS, Loss


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(lost)


def lost(
    context: typer.Context,
    propose: Annotated[
        bool, typer.Option("--propose", help="Propose to acknowledge everything that is lost now.")
    ] = False,
    accept: Annotated[str, typer.Option(help="Agree to a proposal: it is recorded for good.", callback=worded)] = "",
    withdraw: Annotated[str, typer.Option(help="Take a proposal back.", callback=worded)] = "",
    listing: Annotated[bool, typer.Option("--list", help="What was proposed, and what became of it.")] = False,
    reason: Annotated[str, typer.Option(help=f"With `--propose`: {', '.join(REASONS)}.")] = "",
    why: Annotated[str, typer.Option(help="With `--propose`: why, in words.", callback=worded)] = "",
) -> None:
    """Clear texts that are gone without an erasure, as after an older vault was restored: which, and that it is known.

    Reads the whole log. What two persons acknowledged is told as lost and acknowledged from then on, and never hidden.
    """
    here = context_of(context)
    if propose + bool(accept) + bool(withdraw) + listing > 1:
        raise UsageError("one thing at a time: `--propose`, `--accept`, `--withdraw` or `--list`")

    async def looking() -> int:
        async with here.reading() as plane:
            found = await plane.losing.missing()

        def show(console: Console) -> None:
            if not found.entries:
                console.print("[green]nothing is lost[/green] that was not acknowledged")
                return
            console.print(
                f"[yellow]lost[/yellow]: the clear texts of {counted(len(found.entries), 'entries')}, about "
                f"{counted(len(found.actions), 'actions')}"
            )
            console.print("[dim]restore the vault that has their keys; if there is none, say so with `--propose`[/dim]")

        value = {"entries": sorted(found.entries), "actions": sorted(found.actions)}
        here.output.value(value, show)
        return Exit.EVIDENCE if found.entries else Exit.OK

    async def moving() -> int:
        async with here.plane() as plane:
            if accept:
                after = await plane.losing.accept(accept, here.who())
            elif withdraw:
                after = await plane.losing.withdraw(withdraw, here.who())
            else:
                after = await plane.losing.propose(here.who(), reason=reason, why=why)
        here.output.value(after, lambda console: _show(console, after))
        return Exit.WAITING if after.state == "open" else Exit.OK

    async def telling() -> int:
        async with here.reading() as plane:
            found = await plane.losing.losses()
        here.output.value([msgspec.to_builtins(each) for each in found], lambda console: _show_all(console, found))
        return Exit.OK

    raise typer.Exit(run(here.output, telling if listing else moving if propose or accept or withdraw else looking))


def _show(console: Console, loss: Loss) -> None:
    what = f"the clear texts of {counted(loss.entries, 'entries')}, about {counted(loss.actions, 'actions')}"
    match loss.state:
        case "open":
            console.print(f"[yellow]proposed[/yellow] to acknowledge {short(loss.id)}: lost are {what}")
            console.print(f"[dim]somebody else agrees: `interlock lost --accept {short(loss.id)} --as NAME`[/dim]")
        case "acknowledged":
            console.print(f"[yellow]acknowledged[/yellow] {short(loss.id)}: lost for good are {what}")
        case "withdrawn":
            console.print(f"[green]withdrawn[/green] {short(loss.id)}")


def _show_all(console: Console, found: list[Loss]) -> None:
    rows = table("loss", "state", "reason", "entries", "actions", "proposed", "by", "ended", "agreed")
    for each in found:
        rows.add_row(
            short(each.id),
            each.state,
            each.reason,
            str(each.entries),
            str(each.actions),
            moment(each.proposed_at),
            shown(each.proposed_by) or "-",
            moment(each.ended_at),
            shown(each.accepted_by) or "-",
        )
    console.print(rows if found else "[dim]nothing was ever acknowledged[/dim]")
