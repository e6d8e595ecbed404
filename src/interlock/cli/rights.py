"""`rights`: what whoever a task is for may lend to its agent, as it is in force; and what the files would refuse."""

from typing import Annotated, Final

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.moments import when
from interlock.cli.output import UsageError, counted, run, short, shown, table
from interlock.domain.grant import Grant
from interlock.domain.moment_given import WHEN
from interlock.services.lending import Held
from interlock.workbench.lending import tried_rights

WhoArgument = Annotated[
    str, typer.Argument(help="Only of one: `user:ana`, `system:nightly`; a name alone is a user's.", show_default=False)
]
SHOWN: Final = 20
_ALL: Final = "no rights are in force: whoever a task is for lends all that its agent may"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rights)


def rights(
    context: typer.Context,
    who: WhoArgument = "",
    files: Annotated[
        bool, typer.Option("--files", help="Which decisions the rights in the files would have refused.")
    ] = False,
    since: Annotated[str, typer.Option(help=f"With `--files`: only decisions since then; {WHEN}.")] = "",
) -> None:
    """What initiators may lend, by name, role and kind; or what one of them may, and why. Changes nothing."""
    here = context_of(context)

    async def trying() -> None:
        if who:
            raise UsageError("`--files` is about everybody", next_step="leave the name away, or `--files`")
        found = await tried_rights(here.folder, since_at=when(since, "--since"))
        here.output.value(found, lambda console: _tried(console, found))

    async def work() -> None:
        if since:
            raise UsageError("`--since` goes with `--files`", next_step="add `--files`, or leave it away")
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

    run(here.output, trying if files else work)


def _tried(console: Console, found: Held) -> None:
    refused = sum(each.count for each in found.refused)
    console.print(f"of {counted(found.asked, 'decisions')} these rights would have refused {refused}")
    if found.refused:
        rows = table("whose rights", "contract", "how many", "why", "for instance")
        for each in found.refused[:SHOWN]:
            whose = shown(each.who) if each.named else f"{shown(each.who)} [dim](nobody names them)[/dim]"
            rows.add_row(whose, shown(each.contract), str(each.count), shown(each.why), short(each.example))
        console.print(rows)
    if len(found.refused) > SHOWN:
        console.print(f"[dim]and {len(found.refused) - SHOWN} groups more; `--json` says all[/dim]")
    if found.unread:
        console.print(f"[dim]{counted(found.unread, 'decisions')} more cannot be read: erased, or sealed[/dim]")


def _all(console: Console, everybody: dict[str, Grant]) -> None:
    for who, grant in everybody.items():
        _one(console, shown(who), grant)
    if not everybody:
        console.print("[dim]nobody is named, so nobody may lend anything[/dim]")


def _one(console: Console, title: str, grant: Grant) -> None:
    console.print(title)
    for each in grant.words() or ("nothing",):
        console.print(f"  {shown(each)}")
