"""Policies in shadow: what they would have done, and what becomes of them."""

from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console

from interlock.cli.context import Context, context_of
from interlock.cli.output import UsageError, moment, pairs, run, short, shown
from interlock.cli.policy.reasons import place_of
from interlock.cli.verdicts import coloured
from interlock.domain.duration import parse
from interlock.services.candidates import Candidate
from interlock.workbench.trials import ended, figures


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    policy.command()(candidates)
    policy.command()(promote)
    policy.command()(drop)


_SINCE = "Only decisions of this time: 7d, 12h; else all there are."
_Since = Annotated[str, typer.Option(help=_SINCE)]
_Id = Annotated[str, typer.Argument(help="The policy's `@id`.")]


def candidates(context: typer.Context, since: _Since = "") -> None:
    """Policies in shadow that are in force, and what was decided beside each. Changes nothing."""
    here = context_of(context)

    async def work() -> None:
        found = await figures(here.folder, since_ms=_lasts(since))

        def show(console: Console) -> None:
            if not found:
                console.print('[dim]no policy in force is in shadow: `@mode("shadow")` puts one there[/dim]')
            for each in found:
                show_candidate(console, each)

        here.output.value(found, show)

    run(here.output, work)


def promote(context: typer.Context, policy: _Id, since: _Since = "") -> None:
    """Take a policy out of shadow, in its file: its `@mode` goes, nothing else. Publishing it is the next step."""
    _change(context_of(context), policy, since, "promoted")


def drop(context: typer.Context, policy: _Id, since: _Since = "") -> None:
    """Take a policy in shadow out of its file, with its comments. Publishing that is the next step."""
    _change(context_of(context), policy, since, "dropped")


def _change(here: Context, policy: str, since: str, done: Literal["promoted", "dropped"]) -> None:
    async def work() -> None:
        found = await ended(here.folder, policy, done, since_ms=_lasts(since))
        following = ("interlock check", "interlock policy test", "interlock policy publish")

        def show(console: Console) -> None:
            if found.figures is None:
                console.print(
                    f"[dim]no figures: `{shown(policy)}` as it was is not in force, so nothing was decided beside it[/dim]"
                )
            else:
                show_candidate(console, found.figures)
            if found.changed_since:
                console.print("[yellow]note[/yellow]  the file said something else than what these figures are about")
            console.print(f"[green]{done}[/green] {shown(policy)} in {shown(f'{found.file}:{found.line}')}")
            console.print(f"next  {'; '.join(f'`{each}`' for each in following)}")

        here.output.value({**msgspec.structs.asdict(found), "next": following}, show)

    run(here.output, work)


def show_candidate(console: Console, found: Candidate) -> None:
    """One candidate with its figures."""
    place = f"{place_of(found.file, found.line)} of {found.owner}"
    console.print(f"[bold]{shown(found.policy)}[/bold]  {coloured(found.verdict)}  [dim]{shown(place)}[/dim]")
    table = pairs()
    if found.since_at is None:
        table.add_row("  decisions", "none beside it yet")
    else:
        table.add_row("  decisions", f"{found.decisions} beside it since {moment(found.since_at)} UTC")
        others = ", the others were about something else" if found.evaluated < found.decisions else ""
        table.add_row("  evaluated", f"{found.evaluated}{others}")
        failed = f", {found.failed} could not be evaluated" if found.failed else ""
        table.add_row("  satisfied", f"{found.satisfied}{failed}")
        allowed = f" ({found.allowed} of them happened without asking anybody)" if found.allowed else ""
        table.add_row("  if enforced", f"{found.tightened} would be tighter{allowed}, {found.loosened} looser")
        if found.otherwise:
            table.add_row("", f"{found.otherwise} decided alike, this policy among those that decide")
    console.print(table)
    for each in found.examples:
        console.print(
            f"    {short(each.action)}  {shown(each.contract)} by {shown(each.agent)}: "
            f"{coloured(each.was)}, would be {coloured(each.would_be)}"
        )
    if found.examples:
        console.print(f"    [dim]`interlock policy explain {short(found.examples[0].action)}` says why[/dim]")


def _lasts(since: str) -> int | None:
    if not since:
        return None
    try:
        return parse(since)
    except ValueError as error:
        raise UsageError(f"`--since`: {error}", next_step="write it as 7d, 12h or 90m") from None
