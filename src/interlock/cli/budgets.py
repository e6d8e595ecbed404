"""`budgets`, `uses`: what may still be spent and when it renews, what was noticed, and what models took."""

from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import moment, run, short, shown, table
from interlock.domain.budget import written
from interlock.domain.use import Use
from interlock.services.budget_list import LOOKED_AT, Budgets, Stood, Used, budgets_there, used
from interlock.workbench.finding import find_task, must_be_there


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(budgets)
    app.command()(uses)


def budgets(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=LOOKED_AT, help="How many notices.")] = 10,
) -> None:
    """Show the budgets of the tenant and of agents: what is left, when it renews, and which soft shares were reached."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            found = await budgets_there(plane, limit=limit)
        here.output.value(found, lambda console: _listed(console, found))

    run(here.output, work)


def uses(
    context: typer.Context,
    agent: Annotated[str, typer.Option(help="Of this agent alone.")] = "",
    task: Annotated[str, typer.Option(help="In this task alone: its id, or the end of it.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=LOOKED_AT)] = 20,
) -> None:
    """List uses of models, newest first, and what each agent's took together."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            within = (await find_task(plane, task)).id if task else None
            await must_be_there(plane, agent)
            found = await used(plane, agent=agent, task=within, limit=limit)
        here.output.value(found, lambda console: _used(console, found))

    run(here.output, work)


def _listed(console: Console, found: Budgets) -> None:
    if not found.budgets:
        console.print("[dim]no budget limits the tenant or an agent; a task's own are shown by `interlock tasks`[/dim]")
        return
    rows = table("of", "unit", "limit", "left", "reserved", "spent", "renews (UTC)", "noticed")
    for each in found.budgets:
        rows.add_row(
            shown(each.scope),
            shown(written(each.unit, each.per)),
            str(each.limit),
            f"[red]{each.left}[/red]" if each.left == 0 else str(each.left),
            str(each.reserved),
            str(each.spent),
            _renews(each),
            f"[yellow]from {each.soft} per mille[/yellow]" if each.noticed else "",
        )
    console.print(rows)
    if found.notices:
        console.print("\nsoft shares that were reached, newest first:")
    for notice in found.notices:
        console.print(f"  {moment(notice.reached_at)} UTC  {shown(str(notice))}", soft_wrap=True)


def _renews(budget: Stood) -> str:
    if budget.renews_at is not None:
        return moment(budget.renews_at)
    return "with a new release" if budget.per == "release" else "never"


def _used(console: Console, found: Used) -> None:
    if not found.uses:
        console.print("[dim]no model was used[/dim]")
        return
    rows = table("use", "when (UTC)", "agent", "model", "task", "asked", "input", "output", "USD", "state")
    for each in found.uses:
        tokens = each.most if each.used is None else each.used
        rows.add_row(
            short(each.id),
            moment(each.begun_at),
            shown(each.agent),
            shown(each.model),
            short(each.task),
            shown(_asked(each)),
            str(tokens.input),
            str(tokens.output),
            _dollars(each.cost),
            _state(each),
        )
    console.print(rows)
    if found.more:
        console.print(f"[dim]{len(found.uses)} of {len(found.uses) + found.more}; `--limit` shows more[/dim]")
    console.print()
    sums = table("agent", "model", "uses", "input", "cached", "output", "USD", "open", "lost")
    for took in found.took:
        counts = (took.uses, took.input, took.cached, took.output)
        sums.add_row(
            shown(took.agent),
            shown(took.model),
            *map(str, counts),
            _dollars(took.cost),
            str(took.open),
            str(took.lost),
        )
    console.print(sums)
    if found.older:
        console.print(f"[yellow]only the newest {LOOKED_AT:,} uses were looked at[/yellow]")


def _asked(use: Use) -> str:
    """Who was asked, and as the how manieth; nothing where the program asked itself."""
    if use.route is None:
        return ""
    return use.route.provider if use.route.attempt == 1 else f"{use.route.provider} ({use.route.attempt}.)"


def _dollars(micro: int | None) -> str:
    """Exactly: millionths have six places."""
    return "?" if micro is None else f"{micro // 1_000_000}.{micro % 1_000_000:06d}"


def _state(use: Use) -> str:
    said = {"open": "open: at most", "settled": "settled", "lost": "[yellow]lost: all of it[/yellow]"}[use.state]
    why = "" if use.reply is None else use.reply.why
    return f"{said} ({why})" if why else said
