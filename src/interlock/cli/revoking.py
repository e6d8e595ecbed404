"""`revoke`: taking back what was granted, for good, with everything that was handed on from it."""

from typing import Annotated, Final

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import counted, moment, run, short, shown, worded
from interlock.domain.control import BrakeWords
from interlock.domain.ids import Digest
from interlock.domain.revocation import AGAIN, Revocation
from interlock.services.plane import ControlPlane
from interlock.workbench.scopes import REVOCABLE, revocable

ERASED: Final = "its words were erased"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(revoke)


def revoke(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(help=f"{REVOCABLE}; without it all that is revoked and remembered is listed.")
    ] = "",
    why: Annotated[str, typer.Option(help="Why; whose calls it refuses is told.", callback=worded)] = "",
) -> None:
    """Take back what was granted until now: its calls are refused, its tasks closed, and what waits in them is voided.

    It takes everything along that was handed on from it, and is final: what is granted afterwards is granted anew. To keep
    somebody from that, `interlock stop`.
    """
    here = context_of(context)

    async def listing() -> None:
        async with here.reading() as plane:
            found = await plane.revoking.revocations()
            rows = [await _row(plane, each, words) for each, words in found]

        def show(console: Console) -> None:
            if not rows:
                console.print("[dim]nothing is revoked[/dim]")
            for (each, _), row in zip(found, rows, strict=True):
                console.print(
                    f"  {shown(str(row['what']))}  [dim]by {shown(str(row['by']) or '-')} at {moment(each.since_at)} UTC: "
                    f"{shown(str(row['why']) or ERASED)}[/dim]"
                )

        here.output.value({"revoked": rows}, show)

    async def work() -> None:
        async with here.plane() as plane:
            kind, name = await revocable(plane, what)
            taken = await plane.revoking.revoke(kind, name, by=here.who(), why=why)

        def show(console: Console) -> None:
            again = " [dim]once more[/dim]" if taken.already else ""
            console.print(f"[red]revoked[/red] {shown(what)}{again}")
            console.print(
                f"  {counted(taken.closed, 'tasks')} closed, with those inside; {counted(taken.voided, 'waiting actions')} voided"
            )
            if kind in AGAIN:
                console.print(
                    f"  [dim]what is granted from now on counts; `interlock stop {shown(what)}` holds that back[/dim]"
                )
            elif kind != "task" and not taken.closed:
                console.print("  [dim]no open task is of it; one that is misspelt would look the same[/dim]")

        value = {"what": what, "already": taken.already, "closed": taken.closed, "voided": taken.voided}
        here.output.value(value, show)

    run(here.output, work if what else listing)


async def _row(plane: ControlPlane, each: Revocation, words: BrakeWords | None) -> dict[str, object]:
    name = each.name
    if each.kind == "user":
        name = (words.who.removeprefix("user:") if words is not None else "") or "(erased)"
    elif each.kind == "task":
        name = short(each.name)
    elif each.kind == "release":
        name = (await plane.orders.release(Digest(each.name))).label
    return {
        "what": f"{each.kind}:{name}",
        "since_at": each.since_at,
        "until_at": each.until_at,
        "why": "" if words is None else words.why,
        "by": "" if words is None else words.by,
    }
