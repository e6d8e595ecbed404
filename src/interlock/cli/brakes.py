"""`stop` and `resume`: brakes, and which of them hold."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import moment, run, shown, worded
from interlock.domain.action import Action
from interlock.domain.brakes import STOPPED, Brake, standing
from interlock.domain.control import StopScope
from interlock.domain.errors import ContractError
from interlock.services.plane import ControlPlane
from interlock.workbench.finding import find_release

ERASED: Final = "its words were erased"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(stop)
    app.command()(resume)


def stop(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="`all`, `agent:NAME`, `release:LABEL` or `contract:NAME`; without it all that is stopped is listed."
        ),
    ] = "",
    why: Annotated[str, typer.Option(help="Why; kept with the brake.", callback=worded)] = "",
) -> None:
    """Pull a brake: nothing in its scope is decided or dispatched, by any process, until `resume`. Anybody may."""
    here = context_of(context)

    async def listing() -> None:
        async with here.reading() as plane:
            control, found = (await plane.orders.refresh()).control, await plane.registry.brakes()

        def show(console: Console) -> None:
            if not found:
                console.print("[dim]nothing is stopped[/dim]")
            print_brakes(console, found)

        here.output.value({"stops": rows(found), "epoch": control.revision}, show)

    async def work() -> None:
        async with here.plane() as plane:
            scope, name = await _scope(plane, what)
            before = standing((await plane.orders.refresh()).control, scope, name)
            control = await plane.registry.stop(scope, name, by=here.who(), why=why)
            found = await plane.registry.brakes()

        def show(console: Console) -> None:
            already = f" [dim]since {moment(before.since_at)} UTC already[/dim]" if before is not None else ""
            console.print(f"[red]stopped[/red] {shown(what)}{already}")
            print_brakes(console, found)

        here.output.value({"stops": rows(found), "epoch": control.revision, "already": before is not None}, show)

    run(here.output, work if what else listing)


def resume(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="What was stopped, in the same words; `interlock stop` lists them.")],
) -> None:
    """Lift a brake."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            scope, name = await _scope(plane, what)
            control = await plane.registry.resume(scope, name, by=here.who())
            found = await plane.registry.brakes()

        def show(console: Console) -> None:
            console.print(f"[green]resumed[/green] {shown(what)}")
            print_brakes(console, found)

        here.output.value({"stops": rows(found), "epoch": control.revision}, show)

    run(here.output, work)


def print_brakes(console: Console, found: Sequence[Brake]) -> None:
    """The brakes that hold, one a line, and how one is lifted."""
    for each in found:
        until = f" until {moment(each.stop.until_at)} UTC" if each.stop.until_at is not None else ""
        console.print(
            f"  stopped: {shown(each.words)}{until}  [dim]by {shown(each.by or '-')} at {moment(each.stop.since_at)} UTC: "
            f"{shown(each.why or ERASED)}[/dim]"
        )
    if found:
        console.print(f"[dim]`interlock resume {shown(found[0].words)} --as NAME` lifts it[/dim]")


def rows(found: Sequence[Brake]) -> list[dict[str, object]]:
    """The brakes that hold, for programs: the words that name each, and what is known of it."""
    return [
        {
            "what": each.words,
            **{name: getattr(each.stop, name) for name in each.stop.__struct_fields__ if name != "words"},
            "why": each.why,
            "by": each.by,
        }
        for each in found
    ]


async def lifting(plane: ControlPlane, action: Action) -> str:
    """What to do about the brake that refused `action` or holds it back, or nothing where none does."""
    refused = action.state == "refused" and any(reason.startswith(STOPPED) for reason in action.reasons)
    if action.undoes is not None or not (refused or action.state == "ready"):
        return ""
    control = (await plane.orders.refresh()).control
    held_by = control.stopped(
        agent=action.agent, release=action.release, contract=action.contract, now=plane.means.clock.now()
    )
    for each in await plane.registry.brakes():
        if each.stop == held_by:
            return f"interlock resume {each.words} --as NAME    (lifts the brake)"
    return "propose it again: the brake was lifted since" if refused else ""


async def _scope(plane: ControlPlane, what: str) -> tuple[StopScope, str]:
    """The brake that `what` names."""
    scope, _, name = what.partition(":")
    match scope:
        case "all" if not name:
            return "all", ""
        case "agent" | "contract" if name:
            return scope, name
        case "release" if name:
            return "release", (await find_release(plane, name)).digest
        case _:
            raise ContractError(
                f"`{what}` does not say what is meant",
                next_step="write `all`, `agent:NAME`, `release:LABEL` or `contract:NAME`",
            )
