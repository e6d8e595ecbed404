"""`exceptions`: what agents put before people because they could not settle it, and the kinds that nobody declared."""

from typing import Annotated, Final

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import UsageError, moment, run, short, shown, table
from interlock.domain.exception_case import KINDS, OTHER
from interlock.domain.names import instead
from interlock.services.exceptions import Kinds, Raised, RaisedPage, Sifted

_ASKED: Final = (*KINDS, "other")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(exceptions)


def exceptions(
    context: typer.Context,
    kinds: Annotated[bool, typer.Option("--kinds", help="How often each kind was raised, and which are new.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Those that were answered or ended, too, newest first.")
    ] = False,
    kind: Annotated[str, typer.Option(help="Only of this kind; `other`: of those that nobody declared.")] = "",
    agent: Annotated[str, typer.Option(help="Only of this agent.")] = "",
    role: Annotated[str, typer.Option(help="Only what asks this role.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=200)] = 100,
) -> None:
    """List what agents could not settle and people are to answer, the most urgent first."""
    here = context_of(context)
    sifted = Sifted(kind=kind, agent=agent, role=role)

    async def counting() -> None:
        async with here.reading() as plane:
            found = await plane.exceptions.kinds()
        here.output.value(found, lambda console: _kinds(console, found))

    async def work() -> None:
        if kind and kind not in _ASKED and not kind.startswith(OTHER):
            raise UsageError(f"there is no kind `{kind}`", next_step=instead(kind, _ASKED, ""))
        async with here.reading() as plane:
            ask = plane.exceptions.all if everything else plane.exceptions.waiting
            found = await ask(sifted=sifted, limit=limit)
        here.output.value(found.rows, lambda console: _listed(console, found, everything=everything))

    run(here.output, counting if kinds else work)


def _listed(console: Console, found: RaisedPage, *, everything: bool) -> None:
    if not found.rows:
        other = f"; {found.waiting} wait in all" if found.waiting else ""
        console.print(f"[dim]no exception {'fits' if everything else 'waits'}{other}[/dim]")
        return
    rows = table("action", "kind", "what", "options", "agent", "asks", "until")
    for each in found.rows:
        rows.add_row(
            short(each.action),
            shown(each.kind),
            shown(each.summary),
            shown(", ".join(each.options)),
            shown(each.agent),
            shown(", ".join(each.roles)),
            _until(each),
        )
    console.print(rows)
    console.print(
        '[dim]answer: `interlock modify ACTION --args \'{"answer": "..."}\' --as NAME`; `approve` closes it[/dim]'
    )


def _until(each: Raised) -> str:
    if each.state != "held":
        return f"{each.state}: {shown(each.answer)}" if each.answer else each.state
    return f"{moment(each.deadline)}{' overdue' if each.overdue else ''}" if each.deadline is not None else ""


def _kinds(console: Console, found: Kinds) -> None:
    rows = table("kind", "raised", "means", "first", "last")
    for kind, count in found.declared.items():
        rows.add_row(kind, str(count), KINDS[kind], "", "")
    for each in found.new:
        # The latest of them, to be looked at, where there is nothing to say of other words.
        also = f"also: {', '.join(each.also[:3])}" if each.also else f"for example {short(each.example)}"
        rows.add_row(
            f"[yellow]new[/yellow] {shown(each.words)}",
            str(each.count),
            shown(also),
            moment(each.first_at),
            moment(each.last_at),
        )
    console.print(rows if found.declared or found.new else "[dim]no exception was raised yet[/dim]")
