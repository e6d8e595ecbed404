"""What would change if other policies were in force."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap.tending import proving
from interlock.cli.context import context_of
from interlock.cli.output import Exit, UsageError, moment, run, short, shown, table
from interlock.cli.policy.sides import FILES, IN_FORCE, Side, plane_for, side
from interlock.cli.policy.witness import show_proof
from interlock.domain.duration import DAY, parse
from interlock.domain.proof import Proof
from interlock.domain.whatif import Comparison, Consent, Direction, consents
from interlock.services.proving import TIMEOUT_MS, grave
from interlock.services.whatif import WhatIf

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
    timeout: Annotated[int, typer.Option(min=1, help="With `--proofs`: ms a single search may take.")] = TIMEOUT_MS,
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
        async with plane_for(here, old, new) as plane:
            was, now = await side(here, plane, old), await side(here, plane, new)
            at = max(plane.means.clock.now() - min(back, 100_000 * DAY), 0)
            means = plane.means
            whatif = WhatIf(means.store, means.policies, means.tenant)
            found = await whatif.replay(was.bundle, now.bundle, now.contracts.values(), since_at=at, limit=limit)
            searched: list[Proof] = []
            if proofs:
                contracts = tuple(now.contracts.values())
                prover = proving(means.tenant)
                searched = list(prover.loosenings(was.bundle, now.bundle, contracts, now.agents, timeout_ms=timeout))
        needed = consents((*found.loosenings, *grave(searched, now.contracts, was.contracts)))
        value: dict[str, object] = {"old": was.label, "new": now.label, "decisions": found, "consents": needed}
        if proofs:
            value["searches"] = searched
        here.output.value(
            value, lambda console: _show(console, (was, now), found, searched if proofs else None, needed)
        )
        looser = found.count("loosened") > 0 or any(each.answer != "none" for each in searched)
        return Exit.YOURS if fail_on_loosening and looser else Exit.OK

    raise typer.Exit(run(here.output, work))


def _show(
    console: Console,
    sides: tuple[Side, Side],
    found: Comparison,
    searched: Sequence[Proof] | None,
    needed: Sequence[Consent],
) -> None:
    was, now = sides
    console.print(f"policies {shown(was.label)} -> {shown(now.label)}")
    if was.bundle.digest == now.bundle.digest:
        console.print("[dim]they are the same[/dim]")
    _replayed(console, found)
    if searched is not None:
        console.print("\n[bold]among all requests there could be[/bold]")
        for each in searched:
            show_proof(console, each, sought="looser")
        if not searched:
            console.print("  no contract's policies changed: nothing is looser")
    if needed:
        console.print("\n[bold]needs consent[/bold] [dim](irreversible, or of high or critical risk)[/dim]")
        for consent in needed:
            owner = shown(consent.owner) if consent.owner else "[red]nobody owns it[/red]"
            console.print(f"  {shown(consent.contract)}: {owner}  [dim]{shown(_plain(consent.why))}[/dim]")


def _replayed(console: Console, found: Comparison) -> None:
    counts = ", ".join(f"{found.count(each)} {each}" for each in ("loosened", "tightened", "other"))
    console.print(
        f"{found.asked} decisions since {moment(found.since_at)} UTC asked again: {counts}, {found.same} as before"
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
