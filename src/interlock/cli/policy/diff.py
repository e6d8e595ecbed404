"""What would change if other policies were in force."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.moments import span_of
from interlock.cli.output import Exit, UsageError, counted, moment, run, short, shown, table
from interlock.cli.policy.witness import show_proof
from interlock.domain.duration import parse, words
from interlock.domain.whatif import Comparison, Direction
from interlock.services.proving import TIMEOUT_MS
from interlock.workbench.comparing import Compared, compared
from interlock.workbench.sides import FILES, IN_FORCE

_SINCE = "30d"
_COLOURS: dict[Direction, str] = {"loosened": "red", "tightened": "green", "other": "dim"}


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    policy.command()(diff)


def diff(
    context: typer.Context,
    old: Annotated[
        str, typer.Argument(help="`in-force`, `files`, a folder, or the beginning of a bundle's digest.")
    ] = IN_FORCE,
    new: Annotated[str, typer.Argument(help="The same.")] = FILES,
    since: Annotated[str, typer.Option(help="How far back decisions are asked again: `30d`, `12h`.")] = _SINCE,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the newest so many.")] = None,
    proofs: Annotated[
        bool, typer.Option("--proofs", help="Search among all requests, too, not only those that were made.")
    ] = False,
    timeout: Annotated[
        str, typer.Option(help="With `--proofs`: how long a single search may take: `10s`, `500ms`.")
    ] = words(TIMEOUT_MS),
    fail_on_loosening: Annotated[
        bool, typer.Option("--fail-on-loosening", help="End with 1 if anything is treated more loosely.")
    ] = False,
) -> None:
    """What other policies would have decided of what was done, and with --proofs of anything. Changes nothing."""
    here = context_of(context)
    try:
        back = parse(since)
    except ValueError as error:
        raise typer.Exit(here.output.fail(UsageError(str(error), next_step=f"write `--since {_SINCE}`"))) from None

    async def work() -> int:
        found = await compared(
            here.folder, old, new, since_ms=back, limit=limit, proofs=proofs, timeout_ms=span_of(timeout, "--timeout")
        )
        value: dict[str, object] = {
            "old": found.old.label,
            "new": found.new.label,
            "decisions": found.decisions,
            "consents": found.consents,
        }
        if found.searches is not None:
            value["searches"] = found.searches
        here.output.value(value, lambda console: _show(console, found))
        return Exit.YOURS if fail_on_loosening and found.loosened else Exit.OK

    raise typer.Exit(run(here.output, work))


def _show(console: Console, found: Compared) -> None:
    was, now = found.old, found.new
    console.print(f"policies {shown(was.label)} -> {shown(now.label)}")
    if was.bundle.digest == now.bundle.digest:
        console.print("[dim]they are the same[/dim]")
    _replayed(console, found.decisions)
    if found.searches is not None:
        console.print("\n[bold]among all requests there could be[/bold]")
        for each in found.searches:
            show_proof(console, each, sought="looser")
        if not found.searches and now.agents:
            console.print("  no policy changed on what any agent may use: nothing is looser")
        if not now.agents:
            console.print("  there is no agent whose requests could be searched")
    if found.consents:
        console.print("\n[bold]needs consent[/bold] [dim](irreversible, or of high or critical risk)[/dim]")
        for consent in found.consents:
            owner = shown(consent.owner) if consent.owner else "[red]nobody owns it[/red]"
            console.print(f"  {shown(consent.contract)}: {owner}  [dim]{shown(_plain(consent.why))}[/dim]")


def _replayed(console: Console, found: Comparison) -> None:
    counts = ", ".join(f"{found.count(each)} {each}" for each in ("loosened", "tightened", "other"))
    console.print(
        f"{counted(found.asked, 'decisions')} since {moment(found.since_at)} UTC asked again: {counts}, {found.same} as before"
    )
    if found.stopped:
        console.print("[dim]there are older ones: `--limit` asked for no more[/dim]")
    if found.groups:
        listed = table("", "contract", "was", "would be", "by", "decisions", "such as")
        for group in found.groups:
            listed.add_row(
                f"[{_COLOURS[group.direction]}]{group.direction}[/{_COLOURS[group.direction]}]",
                shown(group.contract),
                _plain(group.old),
                _plain(group.new),
                shown(_by(group.old_policies, group.new_policies)),
                str(group.count),
                shown(f"{short(group.example)} of {group.agent}: {group.arguments or 'no arguments'}"),
            )
        console.print(listed)
    for each in found.unasked:
        console.print(f"[yellow]{each.count} not asked[/yellow]: {shown(each.why)}, such as {short(each.example)}")


def _by(old: Sequence[str], new: Sequence[str]) -> str:
    was, now = ", ".join(old), ", ".join(new)
    return was if was == now else f"{was} -> {now}"


def _plain(text: str) -> str:
    return text.replace("_", " ")
