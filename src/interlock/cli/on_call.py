"""`on-call`: who is on call now and next, by the rota that is in force."""

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import moment, run, shown, table
from interlock.services.rotas import Duties, duties


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("on-call")(on_call)


def on_call(context: typer.Context) -> None:
    """Who is on call now, by role, until when, and who is next."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            found = await duties(plane.orders, plane.means.clock.now())
        here.output.value(found, lambda console: _show(console, found))

    run(here.output, work)


def _show(console: Console, found: Duties) -> None:
    if not found.duties:
        console.print("[dim]no rota is in force: write on_call.yaml, then `interlock apply`[/dim]")
    else:
        rows = table("role", "on call now", "until (UTC)", "next", "from (UTC)")
        for each in found.duties:
            rows.add_row(
                shown(each.role),
                shown(", ".join(each.people)) or "[dim]nobody[/dim]",
                "" if each.until is None else moment(each.until),
                shown(", ".join(each.next_people)),
                "" if each.next_at is None else moment(each.next_at),
            )
        console.print(rows)
    for each in found.duties:
        if each.problem:
            console.print(
                f"[yellow]warning[/yellow] {shown(each.role)}: {shown(each.problem)}; its hours pass by the clock"
            )
    for lack in found.lacking:
        names = ", ".join(lack.policies)
        console.print(
            f"[yellow]warning[/yellow] {shown(names)} counts hours on call of {shown(lack.role)}, who has no rota: they pass "
            "by the clock"
        )
