"""`agent baseline`: what an agent normally touches, putting that in force, and what departed from it."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.audit.query import reading_told, show_found
from interlock.cli.bringing import print_proposed
from interlock.cli.context import Context, context_of
from interlock.cli.moments import when
from interlock.cli.output import Exit, UsageError, counted, moment, run, shown, worded
from interlock.cli.story import Line, print_lines
from interlock.domain.baseline import FAR, Backtest, Baseline
from interlock.domain.ids import AgentName
from interlock.domain.searched import question
from interlock.services.baselines import MOST, Looked
from interlock.services.publishing import Applied
from interlock.services.searching import Found
from interlock.workbench.searches import found


def baseline(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The agent's name.")],
    since: Annotated[str, typer.Option(help="From then on: 2026-11-01, or 30d.")] = "30d",
    learn: Annotated[bool, typer.Option("--learn", help="Put what it did since then in force as normal.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Have nothing in force as normal.")] = False,
    departures: Annotated[bool, typer.Option("--departures", help="List what departed from it since then.")] = False,
    why: Annotated[str, typer.Option(help="Why; kept with it.", callback=worded)] = "",
) -> None:
    """What an agent normally touches: contracts, kinds of records, hours, how much; and what departs from that.

    Without more it only looks. With `--learn` what it did becomes what is normal, by as many people as publishing takes; from
    then on whatever departs is flagged as it is decided. `--departures` lists it for review.
    """
    here, agent = context_of(context), AgentName(name)

    async def work() -> int:
        if learn + forget + departures > 1:
            raise UsageError("`--learn`, `--forget` and `--departures` are three things", next_step="name one of them")
        since_at = when(since, "--since") or 0
        if learn or forget:
            return await _bring(here, agent, since_at, why, forget=forget)
        if departures:
            return await _departures(here, agent, since_at)
        async with here.reading() as plane:
            looked = await plane.baselines.look(agent, since_at=since_at)
        here.output.value({**_plain(looked)}, lambda console: _looked(console, looked))
        return Exit.OK

    raise typer.Exit(run(here.output, work))


async def _bring(here: Context, agent: AgentName, since_at: int, why: str, *, forget: bool) -> int:
    async with here.plane() as plane:
        if forget:
            applied = await plane.baselines.forget(agent, by=here.who(), why=why)
        else:
            applied = await plane.baselines.learn(agent, since_at=since_at, by=here.who(), why=why)
        made = (await plane.orders.refresh()).baselines.get(agent)
    here.output.value(applied, lambda console: _brought(console, agent, applied, made, why))
    return Exit.OK if applied.publication is None else Exit.WAITING


async def _departures(here: Context, agent: AgentName, since_at: int) -> int:
    async with here.reading() as plane:
        looked = await plane.baselines.look(agent, since_at=since_at)
    wanted = question(agent=agent, unusual="any", since_at=since_at, limit=1_000)
    answer = await found(here.folder, wanted, reading_told(here))
    value = {"departed": answer, "rushes": looked.rushes}
    here.output.value(value, lambda console: _departed(console, looked, answer))
    return Exit.OK


def _plain(looked: Looked) -> dict[str, object]:
    said = {name: getattr(looked, name) for name in looked.__struct_fields__}
    now = looked.in_force
    return {**said, "new": looked.learned.new(), "unready": {} if now is None else now.unready()}


def _brought(console: Console, agent: AgentName, applied: Applied, made: Baseline | None, why: str) -> None:
    if applied.publication is not None:
        print_proposed(console, applied, why)
        return
    if made is None:
        console.print(f"nothing is in force as normal of {shown(agent)}: nothing of it is flagged")
        return
    console.print(f"[green]in force[/green] as normal of {shown(agent)}: {made.digest[:12]}")
    print_lines(console, [*_told(made), *_unready(made)])


def _looked(console: Console, looked: Looked) -> None:
    made, now = looked.learned, looked.in_force
    cut = f" (the newest {MOST})" if looked.cut else ""
    console.print(f"[bold]{shown(looked.agent)}[/bold]  what it did since {moment(made.since_at)} UTC{cut}")
    print_lines(console, [*_told(made), *_unready(made), *_wrong(looked.backtest)])
    if now is None:
        then = f"interlock agent baseline {shown(looked.agent)} --learn --as NAME"
        console.print(f"[dim]nothing is in force as normal of it, and nothing is flagged: `{then}`[/dim]")
        return
    console.print(f"[bold]in force as normal[/bold]  {now.digest[:12]}")
    span = f"{moment(now.since_at)} to {moment(now.until_at)} UTC"
    print_lines(console, [("learned", f"from {span}"), *_told(now), *_unready(now)])


def _told(made: Baseline) -> Iterator[Line]:
    yield "actions", f"{made.actions}, on {counted(made.days, 'days')}, in {counted(made.busy, 'hours')}"
    for name, count in made.contracts.items():
        most = ", ".join(f"{amount} {unit}" for unit, amount in made.amounts.get(name, {}).items())
        yield "contract", f"{name} {count}" + (f", at most {most}" if most else "")
    for kind, count in made.records.items():
        yield "records", f"{kind} {count}"
    awake = [f"{hour:02}" for hour, days in enumerate(made.hours) if days]
    yield "hours", f"{' '.join(awake) or '-'} (UTC)"
    yield "busiest", f"{made.busiest} in one hour: more than {FAR * made.busiest} is far above"


def _unready(made: Baseline) -> Iterator[Line]:
    for name, words in made.unready().items():
        yield "too little", f"{name}: {words}, so nothing is flagged for it"


def _wrong(made: Backtest) -> Iterator[Line]:
    by = ", ".join(f"{name} {count}" for name, count in made.by.items())
    silent = f"; nothing for {', '.join(made.unready)}, as it was too little" if made.unready else ""
    said = f"by its older half {made.flagged} of {made.actions} of the newer would be flagged"
    yield "held against itself", said + (f" ({by})" if by else "") + silent


def _departed(console: Console, looked: Looked, answer: Found) -> None:
    if looked.in_force is None:
        console.print(f"[dim]nothing is in force as normal of {shown(looked.agent)}[/dim]")
    show_found(console, answer)
    for began_at, many in looked.rushes.items():
        most = looked.in_force.busiest if looked.in_force is not None else 0
        console.print(f"{moment(began_at)} UTC  {many} in one hour, of all processes; its busiest had {most}")
