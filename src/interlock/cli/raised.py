"""`exceptions`: what agents put before people because they could not settle it, and the kinds that nobody declared."""

from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import moment, run, short, shown, table
from interlock.domain.exception_case import KINDS
from interlock.services.exceptions import Kinds, Raised


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(exceptions)


def exceptions(
    context: typer.Context,
    kinds: Annotated[bool, typer.Option("--kinds", help="How often each kind was raised, and which are new.")] = False,
) -> None:
    """List what agents could not settle and people are to answer, the most urgent first."""
    here = context_of(context)

    async def counting() -> None:
        async with here.reading() as plane:
            found = await plane.exceptions.kinds()
        here.output.value(found, lambda console: _kinds(console, found))

    async def work() -> None:
        async with here.reading() as plane:
            found = (await plane.exceptions.waiting()).rows
        here.output.value(found, lambda console: _waiting(console, found))

    run(here.output, counting if kinds else work)


def _waiting(console: Console, found: tuple[Raised, ...]) -> None:
    if not found:
        console.print("[dim]no exception waits[/dim]")
        return
    rows = table("action", "kind", "what", "options", "agent", "asks", "until")
    for each in found:
        until = f"{moment(each.deadline)}{' overdue' if each.overdue else ''}"
        options, roles = ", ".join(each.options), ", ".join(each.roles)
        rows.add_row(
            short(each.action),
            shown(each.kind),
            shown(each.summary),
            shown(options),
            shown(each.agent),
            shown(roles),
            until,
        )
    console.print(rows)
    console.print(
        '[dim]answer: `interlock modify ACTION --args \'{"answer": "..."}\' --as NAME`; `approve` closes it[/dim]'
    )


def _kinds(console: Console, found: Kinds) -> None:
    rows = table("kind", "raised", "means")
    for kind, count in found.declared.items():
        rows.add_row(kind, str(count), KINDS[kind])
    for each in found.new:
        also = f"also: {', '.join(each.also[:3])}" if each.also else ""
        rows.add_row(f"[yellow]new[/yellow] {shown(each.words)}", str(each.count), shown(also))
    console.print(rows if found.declared or found.new else "[dim]no exception was raised yet[/dim]")
