"""`vigilance`: items known to be bad that are put before people, and what came of them."""

from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import moment, run, short, shown, table
from interlock.domain.access import permissions_of
from interlock.domain.duration import words
from interlock.domain.people import roles_of
from interlock.domain.vigilance import VigilanceTold


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(vigilance)


def vigilance(
    context: typer.Context,
    tried: Annotated[
        bool, typer.Option("--try", help="Say of each item whether it could be put before people.")
    ] = False,
) -> None:
    """List the items known to be bad that are put before people among the others, and what came of them.

    Whoever decides (`--as`) is told only of those that are over.
    """
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            roles = frozenset[str]()
            if here.person is not None:
                roles = roles_of(here.person, (await plane.orders.refresh()).control)
            found = await plane.seeding.told(whole="decide" not in permissions_of(roles), tried=tried)
        here.output.value(found, lambda console: _told(console, found))

    run(here.output, work)


def _told(console: Console, found: VigilanceTold) -> None:
    if found.items:
        rows = table("item", "contract", "what is wrong", "put", "caught", "missed", "unanswered", "now")
        for each in found.items:
            now = f"waits as {short(each.waits)}" if each.waits is not None else ""
            if each.why_not is not None:
                now = each.why_not or now or "could be put"
            rows.add_row(
                shown(each.item.name),
                shown(each.item.contract),
                shown(each.item.wrong),
                str(each.put),
                str(each.caught),
                str(each.missed),
                str(each.unanswered),
                shown(now),
            )
        console.print(rows)
    for over in found.ended[:20]:
        who = f" by {over.person}" if over.person else ""
        console.print(f"{moment(over.ended_at)}  {shown(over.item)} {short(over.action)}: {over.came}{shown(who)}")
    if not found.items and not found.ended:
        console.print("[dim]there is no item known to be bad: they stand in vigilance.yaml[/dim]")
    else:
        console.print(
            f"[dim]by chance one after {found.one_in} decisions, within {words(found.within_ms)}, the same one not again in "
            f"{words(found.again_ms)}[/dim]"
        )
