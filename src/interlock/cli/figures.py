"""`figures` and `measures`: what there was, and how people and agents work together."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.audit.query import reading_told
from interlock.cli.context import context_of
from interlock.cli.moments import span_of
from interlock.cli.output import UsageError, moment, run, shown, table
from interlock.domain.duration import words
from interlock.domain.figure import BY, By, Figure, Measures, Overview
from interlock.domain.names import instead

BARS = " ▁▂▃▄▅▆▇█"
MARKS = {"low": "[yellow]low[/yellow]", "high": "[yellow]high[/yellow]", "healthy": "[green]healthy[/green]"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(figures)
    app.command()(measures)


def figures(
    context: typer.Context,
    span: Annotated[
        str, typer.Option("--last", help="Over the last so long: `24h`, `30d`; hour by hour up to two days.")
    ] = "24h",
) -> None:
    """An overview: tasks, errors, escalation, policy blocks, latency and cost, and a row for each agent.

    They are read from the log, which is read on to its head first. What happened to an action counts in the hour it was proposed
    in.
    """
    here = context_of(context)

    async def work() -> None:
        wanted = span_of(span, "--last")
        async with here.reading() as plane:
            await plane.figures.catch_up(reading_told(here))
            found = await plane.figures.overview(wanted)
        here.output.value(found, lambda console: _overview(console, found))

    run(here.output, work)


def measures(
    context: typer.Context,
    by: Annotated[str, typer.Option(help=f"For each of these: {', '.join(BY)}.")] = "all",
    span: Annotated[str, typer.Option("--last", help="Over the last so long, in whole days: `30d`.")] = "30d",
) -> None:
    """How people and agents work together: how often people are asked, what they say, how long it takes, what goes wrong.

    Each ratio comes with its 95 % interval and the range we take for healthy to begin with.
    """
    here = context_of(context)

    async def work() -> None:
        kept, wanted = _by(by), span_of(span, "--last")
        async with here.reading() as plane:
            await plane.figures.catch_up(reading_told(here))
            found = await plane.figures.measures(kept, wanted)
        here.output.value(found, lambda console: _measures(console, found))

    run(here.output, work)


def _by(word: str) -> By:
    for each in BY:
        if word == each:
            return each
    raise UsageError(f"measures are not kept by `{word}`", next_step=instead(word, BY, ""))


def _overview(console: Console, found: Overview) -> None:
    listed = table("figure", "value", "of", "95 %", "healthy", "course")
    for each in found.tiles:
        listed.add_row(*_cells(each), _bars(each.series))
    console.print(listed)
    if found.agents:
        console.print()
        listed = table("agent", "tasks", "proposed", "done", "failed", "unknown", "asked", "blocked", "p95", "cost")
        for row in found.agents:
            listed.add_row(
                shown(row.agent),
                str(row.tasks),
                str(row.proposed),
                str(row.done),
                str(row.failed),
                str(row.unknown),
                str(row.asked),
                str(row.denied + row.refused),
                "" if row.p95_ms is None else words(row.p95_ms),
                _money(row.cost),
            )
        console.print(listed)
    _reasons(console, "asked people for", found.asks)
    _reasons(console, "blocked by", found.blocks)
    console.print(
        f"[dim]{moment(found.since_at)} to {moment(found.until_at)} (UTC), as of entry {found.size}; "
        f"waiting for people now: {found.waiting}, unknown: {found.unknown}[/dim]"
    )


def _reasons(console: Console, words_: str, found: Mapping[str, int]) -> None:
    if found:
        said = ", ".join(f"{shown(name)} ({n})" for name, n in list(found.items())[:8])
        console.print(f"{words_}: {said}")


def _measures(console: Console, found: Measures) -> None:
    if not found.rows or not any(row.asked for row in found.rows):
        console.print("[dim]nobody was asked anything in that time[/dim]")
        return
    for row in found.rows:
        name = "" if found.by == "all" else f" {shown(row.name) or 'nobody known any more'}"
        spoke = f"spoke {row.asked} times" if found.by == "reviewer" else f"people were asked {row.asked} times"
        console.print(f"[bold]{found.by}{name}[/bold]: {spoke}, {row.waiting} still waiting")
        listed = table("figure", "value", "of", "95 %", "healthy")
        for each in row.figures:
            listed.add_row(*_cells(each))
        console.print(listed)
        if row.confidence:
            console.print("[dim]of what the agent was so sure, right: approved as it was, and gone well[/dim]")
            listed = table("sure", "right", "of", "95 %")
            for sure in row.confidence:
                listed.add_row(f"{sure.least // 10} to {sure.most // 10} %", *_cells(sure.right)[1:4])
            console.print(listed)
        if row.warning:
            console.print(f"[yellow]{shown(row.warning)}[/yellow]")
    console.print(f"[dim]{moment(found.since_at)} to {moment(found.until_at)} (UTC), as of entry {found.size}[/dim]")


def _cells(figure: Figure) -> tuple[str, str, str, str, str]:
    sure = (
        f"{_share(figure.low)} to {_share(figure.high)}" if figure.low is not None and figure.high is not None else ""
    )
    standing = MARKS.get(figure.standing, f"[dim]{figure.standing}[/dim]" if figure.standing else "")
    range_ = "" if figure.healthy is None else figure.healthy.words(partial(_value, figure))
    return (
        figure.name.replace("_", " "),
        _value(figure, figure.value),
        str(figure.of),
        sure,
        f"{standing} [dim]{range_}[/dim]" if range_ else "",
    )


def _value(figure: Figure, value: int | None) -> str:
    if value is None:
        return "-"
    match figure.unit:
        case "count":
            return str(value)
        case "per_mille":
            return _share(value)
        case "ms":
            return words(value)
        case "usd_micro":
            return _money(value)


def _share(per_mille: int | None) -> str:
    return "" if per_mille is None else f"{per_mille / 10:.1f} %"


def _money(micro: int) -> str:
    return f"{micro / 1_000_000:.4f} USD" if micro else "0"


def _bars(series: tuple[int | None, ...]) -> str:
    """One character for each: a blank where there was nothing."""
    most = max((each for each in series if each is not None), default=0)
    steps = len(BARS) - 2
    return "".join(" " if each is None else BARS[1 + (each * steps // most if most else 0)] for each in series)
