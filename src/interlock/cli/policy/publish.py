"""Bring policies into force, with as many people as that takes."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.bringing import alarm_line, bring
from interlock.cli.context import context_of
from interlock.cli.output import Exit, moment, run, short, shown, table, worded
from interlock.domain.errors import ContractError
from interlock.domain.ids import ContractName
from interlock.domain.policy import ENGINES, Engine
from interlock.domain.publication import Difference
from interlock.domain.whatif import Comparison
from interlock.services.reviewing import Review
from interlock.workbench import publications
from interlock.workbench.publications import Proposed

WhichArgument = Annotated[str, typer.Argument(help="The publication's id, or the end of it.")]
Note = Annotated[str, typer.Option(help="Why; kept with the word.", callback=worded)]


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    for command in (publish, pending, review, accept, withdraw, engine):
        policy.command()(command)


def publish(
    context: typer.Context, why: Annotated[str, typer.Option(help="Why; kept with it.", callback=worded)] = ""
) -> None:
    """Put the workspace in force as `interlock apply` does, or propose it where that takes more people than you."""
    bring(context, why)


def pending(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that ended, too.")] = False,
) -> None:
    """What is proposed and waits for somebody's word."""
    here = context_of(context)

    async def work() -> None:
        found = await publications.pending(here.folder, everything=everything)
        here.output.value(found, lambda console: _pending(console, found))

    run(here.output, work)


def review(
    context: typer.Context,
    publication: WhichArgument,
    newest: Annotated[
        int, typer.Option(min=0, help="How many recorded decisions to ask again.")
    ] = publications.REPLAYED,
) -> None:
    """What a publication would change: line by line, what it loosens, and what would have been decided otherwise."""
    here = context_of(context)

    async def work() -> None:
        made = await publications.reviewed(here.folder, publication, newest=newest)
        here.output.value(made, lambda console: _review(console, made))

    run(here.output, work)


def accept(context: typer.Context, publication: WhichArgument, note: Note = "") -> None:
    """Agree to a publication. With the last person it takes, it is in force in every process when this returns."""
    here = context_of(context)

    async def work() -> int:
        found = await publications.accepted(here.folder, publication, here.who(), note=note)
        after = found.publication

        def show(console: Console) -> None:
            if after.state == "published":
                console.print(f"[green]in force[/green] publication {short(after.id)}")
                console.print(f"  policies  {after.edition.bundle[:12]}")
            else:
                console.print(f"publication {short(after.id)} waits for {shown(found.waits_for)}")

        here.output.value(found, show)
        return Exit.OK if after.state == "published" else Exit.WAITING

    raise typer.Exit(run(here.output, work))


def withdraw(context: typer.Context, publication: WhichArgument) -> None:
    """Take a publication back: nobody can agree to it any more."""
    here = context_of(context)

    async def work() -> None:
        after = await publications.withdrawn(here.folder, publication, here.who())
        here.output.value(after, lambda console: console.print(f"publication {short(after.id)} is {after.state}"))

    run(here.output, work)


def engine(
    context: typer.Context,
    wanted: Annotated[
        str, typer.Argument(help="`compiled` or `cedarpy`; without it the engine in force is shown.")
    ] = "",
    why: Annotated[str, typer.Option(help="Why; kept with it.", callback=worded)] = "",
) -> None:
    """What answers for the policies, and whether an alarm stands; or have the other one answer, in every process."""
    here = context_of(context)

    async def work() -> None:
        found: Engine | None = next((each for each in ENGINES if each == wanted), None)
        if wanted and found is None:
            raise ContractError(f"there is no engine `{wanted}`", next_step="name one: `compiled` or `cedarpy`")
        if found is None:
            now = await publications.engine_in_force(here.folder)
        else:
            if not why:
                raise ContractError("say why: it is kept in the log", next_step="add `--why TEXT`")
            now = await publications.engine_used(here.folder, found, here.who(), why=why)

        def show(console: Console) -> None:
            console.print(f"engine  {now.engine}")
            if now.alarm is not None:
                console.print(alarm_line(now.alarm))

        here.output.value(now, show)

    run(here.output, work)


def _pending(console: Console, found: Sequence[Proposed]) -> None:
    if not found:
        console.print("[dim]nothing is proposed[/dim]")
        return
    listed = table("publication", "when (UTC)", "by", "state", "changes", "waits for")
    for proposed in found:
        each = proposed.publication
        changes = f"{len(each.changes)}: {each.changes[0]}" if each.changes else "-"
        listed.add_row(
            short(each.id),
            moment(each.proposed_at),
            shown(each.proposed_by),
            each.state,
            shown(changes + (" ..." if len(each.changes) > 1 else "")),
            shown(proposed.waits_for or "-"),
        )
    console.print(listed)


def _review(console: Console, made: Review) -> None:
    found = made.publication
    ended = f" since {moment(found.ended_at)} UTC" if found.ended_at is not None else ""
    console.print(
        f"publication {short(found.id)} is {found.state}{ended}: proposed by {shown(found.proposed_by)} "
        f"at {moment(found.proposed_at)} UTC"
    )
    if found.why:
        console.print(f"  why: {shown(found.why)}")
    for word in found.consents:
        if word.person != found.proposed_by:
            note = f": {word.note}" if word.note else ""
            console.print(f"  agreed: {shown(word.person)} at {moment(word.consented_at)} UTC{shown(note)}")
    if not made.known:
        console.print("[dim]what it was proposed against is not known any more; what it was about:[/dim]")
        for change in found.changes:
            console.print(f"  {shown(change)}")
    if made.stale and found.state == "open":
        console.print("[red]what is in force changed since: it must be proposed again[/red]")
    for each in made.differences:
        _difference(console, each)
    _loosened(console, made.loosened)
    if made.whatif is not None:
        _compared(console, made.whatif)
    if found.state == "open":
        console.print(f"it waits for {shown(made.missing.words)}")
        console.print(f"[dim]agree: `interlock policy accept {short(found.id)} --as NAME`[/dim]")


def _difference(console: Console, each: Difference) -> None:
    console.print(f"[bold]{shown(each.words)}[/bold]")
    for line in each.diff.splitlines():
        colour = {"+": "green", "-": "red"}.get(line[:1], "dim")
        console.print(f"  [{colour}]{shown(line)}[/{colour}]", soft_wrap=True)


def _loosened(console: Console, found: Mapping[ContractName, tuple[str, ...]]) -> None:
    if found:
        console.print("[yellow]it loosens, or may[/yellow]")
    for name, why in found.items():
        console.print(f"  {shown(name)}: {shown('; '.join(why))}")


def _compared(console: Console, found: Comparison) -> None:
    console.print(
        f"of {found.asked} recorded decisions {found.count('loosened')} would be looser, "
        f"{found.count('tightened')} tighter, {found.count('other')} otherwise, {found.same} the same"
    )
    for group in found.groups:
        if group.direction == "loosened":
            example = f"{group.agent} {group.contract} {group.arguments}"
            console.print(f"  {group.count} x {group.old} becomes {group.new}, such as {shown(example)}")
    left = sum(each.count for each in found.unasked)
    if left:
        console.print(f"  [dim]{left} could not be asked again: {shown(found.unasked[0].why)}[/dim]")
