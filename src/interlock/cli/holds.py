"""`hold`: what may not be erased."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import moment, run, short, shown, table, worded
from interlock.domain.erasing import LegalHold
from interlock.domain.ids import HoldId
from interlock.services.erasing import NEXT_KIND, Target

holding = typer.Typer(help="Legal holds: what they name is not erased while they stand.", no_args_is_help=True)

_UNSET = HoldId("")

Subject = Annotated[str, typer.Option(help="Whose data: `customer:c-17`, or an initiator.", callback=worded)]
DataClass = Annotated[str, typer.Option("--class", help="Which class of data, as contracts name it.", callback=worded)]


@holding.command()
def place(
    context: typer.Context,
    why: Annotated[str, typer.Option(help="Why; kept with the hold.", callback=worded)],
    subject: Subject = "",
    data_class: DataClass = "",
    action: Annotated[str, typer.Option(help="One action, by its whole id.", callback=worded)] = "",
) -> None:
    """Forbid to erase what is about a subject, of a class, or one action."""
    here = context_of(context)
    wanted = LegalHold(
        id=_UNSET, subject=subject, data_class=data_class, action=action, why=why, placed_by="", placed_at=0
    )

    async def work() -> None:
        async with here.plane() as plane:
            made = await plane.erasing.place(wanted, here.who())
            unknown = bool(subject) and (await plane.erasing.plan(Target(subject=subject))).nothing

        def show(console: Console) -> None:
            console.print(f"[green]held[/green] {shown(made.words)}: {short(made.id)}")
            console.print(f"[dim]`interlock hold lift {short(made.id)} --as NAME` lifts it[/dim]")
            if unknown:
                console.print(f"[yellow]nothing here is about {shown(subject)} yet[/yellow]; {NEXT_KIND}")

        here.output.value(made, show)

    run(here.output, work)


@holding.command()
def lift(context: typer.Context, hold: Annotated[str, typer.Argument(help="The hold's id, or the end of it.")]) -> None:
    """Lift a hold. What it named may be erased again."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            found = [each for each in await plane.erasing.holds() if each.id.endswith(hold)]
            after = await plane.erasing.lift(found[0].id if len(found) == 1 else HoldId(hold), here.who())
        here.output.value(after, lambda console: console.print(f"[green]lifted[/green] {short(after.id)}"))

    run(here.output, work)


@holding.command("list")
def list_holds(context: typer.Context) -> None:
    """Every hold, lifted ones too."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            found = await plane.erasing.holds()

        def show(console: Console) -> None:
            rows = table("hold", "names", "placed", "lifted", "why")
            for each in found:
                names = shown(each.words) if not each.withheld else f"[dim]{each.withheld}[/dim]"
                rows.add_row(short(each.id), names, moment(each.placed_at), moment(each.lifted_at), shown(each.why))
            console.print(rows if found else "[dim]there is no hold[/dim]")

        here.output.value([msgspec.to_builtins(each) for each in found], show)

    run(here.output, work)
