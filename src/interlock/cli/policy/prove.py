"""Whether what policies promise holds of every request there could be."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.moments import span_of
from interlock.cli.output import Exit, run, shown
from interlock.cli.policy.witness import show_proof
from interlock.domain.duration import words
from interlock.domain.proof import INVARIANTS, Kept
from interlock.services.proving import TIMEOUT_MS
from interlock.workbench.comparing import Proved, proved, written_in
from interlock.workbench.sides import FILES

_COLOURS = {"proved": "green", "refuted": "red", "unknown": "yellow"}


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    policy.command()(prove)


def prove(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help=f"Where the invariants are; else `{INVARIANTS}` in the workspace.")
    ] = None,
    bundle: Annotated[
        str, typer.Option(help="Of which policies: `files`, `in-force`, a folder, or a bundle's digest.")
    ] = FILES,
    timeout: Annotated[str, typer.Option(help="How long a single search may take: `10s`, `500ms`.")] = words(
        TIMEOUT_MS
    ),
) -> None:
    """Prove or refute invariants over all requests there could be. Ends with 1 unless each is proved."""
    here = context_of(context)
    path = file or here.folder / INVARIANTS

    async def work() -> int:
        longest = span_of(timeout, "--timeout")
        found = await proved(here.folder, written_in(path), bundle, timeout_ms=longest)
        invariants = [{"answer": each.answer, **_whole(each)} for each in found.invariants]
        value = {"policies": found.about.label, "invariants": invariants}
        here.output.value(value, lambda console: _show(console, found))
        return Exit.OK if all(each.answer == "proved" for each in found.invariants) else Exit.YOURS

    raise typer.Exit(run(here.output, work))


def _whole(kept: Kept) -> dict[str, object]:
    return {"invariant": kept.invariant, "proofs": kept.proofs}


def _show(console: Console, found: Proved) -> None:
    console.print(f"policies {shown(found.about.label)}")
    for kept in found.invariants:
        colour = _COLOURS[kept.answer]
        invariant = kept.invariant
        console.print(f"[{colour}]{kept.answer}[/{colour}] {shown(invariant.id)}  [dim]{shown(invariant.reason)}[/dim]")
        if not kept.proofs:
            console.print("  it is about no contract that any agent may use")
        for proof in kept.proofs:
            show_proof(console, proof, sought="a breach")
