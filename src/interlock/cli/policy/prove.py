"""Whether what policies promise holds of every request there could be."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap.tending import proving
from interlock.cli.context import context_of
from interlock.cli.output import Exit, run, shown
from interlock.cli.policy.sides import FILES, Side, plane_for, side
from interlock.cli.policy.witness import show_proof
from interlock.domain.errors import NotFound
from interlock.domain.proof import Kept
from interlock.services.proving import TIMEOUT_MS

INVARIANTS = "invariants.cedar"
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
    timeout: Annotated[int, typer.Option(min=1, help="How many ms a single search may take.")] = TIMEOUT_MS,
) -> None:
    """Prove or refute invariants over all requests there could be. Ends with 1 unless each is proved."""
    here = context_of(context)
    path = file or here.folder / INVARIANTS

    async def work() -> int:
        async with plane_for(here, bundle) as plane:
            about = await side(here, plane, bundle)
            tenant = plane.means.tenant
        contracts = tuple(about.contracts.values())
        written = _read(path)
        found = list(proving(tenant).invariants(written, about.bundle, contracts, about.agents, timeout_ms=timeout))
        value = {"policies": about.label, "invariants": [{"answer": each.answer, **_whole(each)} for each in found]}
        here.output.value(value, lambda console: _show(console, about, found))
        return Exit.OK if all(each.answer == "proved" for each in found) else Exit.YOURS

    raise typer.Exit(run(here.output, work))


def _read(path: Path) -> dict[str, str]:
    try:
        return {path.name: path.read_text("utf-8")}
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise NotFound(f"`{path}` cannot be read: {why}", next_step="name the file with the invariants") from None


def _whole(kept: Kept) -> dict[str, object]:
    return {"invariant": kept.invariant, "proofs": kept.proofs}


def _show(console: Console, about: Side, found: list[Kept]) -> None:
    console.print(f"policies {shown(about.label)}")
    for kept in found:
        colour = _COLOURS[kept.answer]
        invariant = kept.invariant
        console.print(f"[{colour}]{kept.answer}[/{colour}] {shown(invariant.id)}  [dim]{shown(invariant.reason)}[/dim]")
        if not kept.proofs:
            console.print("  it is about no contract that any agent may use")
        for proof in kept.proofs:
            show_proof(console, proof, sought="a breach")
