"""`rights`: what whoever a task is for may lend to its agent, as it is in force."""

from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import run, shown
from interlock.domain.grant import Grant

WhoArgument = Annotated[
    str, typer.Argument(help="Only of one: `user:ana`, `system:nightly`; a name alone is a user's.", show_default=False)
]
_ALL = "no rights are in force: whoever a task is for lends all that its agent may"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rights)


def rights(context: typer.Context, who: WhoArgument = "") -> None:
    """What initiators may lend, by name, role and kind; or what one of them may, and why."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            lending = (await plane.orders.refresh()).lending
        if lending is None:
            here.output.value({"inForce": False, "who": who}, lambda console: console.print(f"[dim]{_ALL}[/dim]"))
            return
        if not who:
            everybody = dict(lending.rights.all())
            here.output.value({"inForce": True, "rights": everybody}, lambda console: _all(console, everybody))
            return
        by, grant = lending.counting(who), lending.of(who)

        def show(console: Console) -> None:
            said = f"as {', '.join(by)}" if by else "nobody in rights.yaml"
            _one(console, f"{shown(who)}  [dim]{shown(said)}[/dim]", grant)

        here.output.value({"inForce": True, "who": who, "as": by, "tools": grant.tools}, show)

    run(here.output, work)


def _all(console: Console, everybody: dict[str, Grant]) -> None:
    for who, grant in everybody.items():
        _one(console, shown(who), grant)
    if not everybody:
        console.print("[dim]nobody is named, so nobody may lend anything[/dim]")


def _one(console: Console, title: str, grant: Grant) -> None:
    console.print(title)
    for each in grant.words() or ("nothing",):
        console.print(f"  {shown(each)}")
