"""`stop`, `resume` and `brakes`: pulling and lifting them, and which of them hold what."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.drills import drilled, listed, supposed
from interlock.cli.held_back import held_back
from interlock.cli.moments import span_of
from interlock.cli.output import UsageError, moment, run, shown, worded
from interlock.domain.action import Action
from interlock.domain.brakes import BEGINS, Brake, HeldBack, standing
from interlock.domain.control import StopMode
from interlock.services.cases import instance_of
from interlock.services.plane import ControlPlane
from interlock.workbench.scopes import SCOPES, scope_of

ERASED: Final = "its words were erased"
WITHIN: Final = "30s"

_SAID: Final[Mapping[StopMode, str]] = {
    "stop": "[red]stopped[/red]",
    "pause": "[yellow]paused[/yellow]",
    "drain": "[yellow]draining[/yellow]",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(stop)
    app.command()(resume)
    app.command()(brakes)


def stop(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(help=f"{SCOPES}; without it all that is stopped is listed."),
    ] = "",
    why: Annotated[str, typer.Option(help="Why; kept with the brake.", callback=worded)] = "",
    pause: Annotated[
        bool, typer.Option("--pause", help="Dispatch nothing; what is proposed is decided and waits.")
    ] = False,
    drain: Annotated[bool, typer.Option("--drain", help="Take nothing new; what was accepted finishes.")] = False,
    drill: Annotated[
        bool, typer.Option("--drill", help="Stop for real, measure until nothing is dispatching, and lift it again.")
    ] = False,
    dry: Annotated[bool, typer.Option("--dry", help="Stop nothing: say what it would hold back.")] = False,
    within: Annotated[str, typer.Option(help="How long a drill waits for what is under way; 30s unless said.")] = "",
) -> None:
    """Pull a brake: nothing in its scope is decided or dispatched, by any process, until `resume`. Anybody may."""
    here = context_of(context)
    mode: StopMode = "pause" if pause else "drain" if drain else "stop"

    async def drilling() -> int:
        if pause or drain or not what:
            raise UsageError("a drill stops one scope", next_step=f"name it, without a mode: {SCOPES}")
        if dry:
            return await supposed(here, what)
        return await drilled(here, what, why, span_of(within or WITHIN, "--within"))

    if drill or dry:
        raise typer.Exit(run(here.output, drilling))

    async def listing() -> None:
        async with here.reading() as plane:
            control, found = (await plane.orders.refresh()).control, await plane.braking.brakes()

        def show(console: Console) -> None:
            if not found:
                console.print("[dim]nothing is stopped[/dim]")
            print_brakes(console, found)

        here.output.value({"stops": rows(found), "epoch": control.revision}, show)

    async def work() -> None:
        if pause and drain:
            raise UsageError("`--pause` and `--drain` are two modes", next_step="give one of them, or neither")
        if within:
            # Whoever means a drill is not to find everything stopped until somebody resumes it.
            raise UsageError(
                "`--within` is how long a drill waits, and no drill was asked for",
                next_step="add `--drill`, or leave it away",
            )
        async with here.plane() as plane:
            scope, name = await scope_of(plane, what)
            before = standing((await plane.orders.refresh()).control, scope, name)
            control = await plane.braking.stop(scope, name, by=here.who(), why=why, mode=mode)
            found = await plane.braking.brakes()
        already = before if before is not None and before.mode == mode else None

        def show(console: Console) -> None:
            since = f" [dim]since {moment(already.since_at)} UTC already[/dim]" if already is not None else ""
            console.print(f"{_SAID[mode]} {shown(what)}{since}")
            print_brakes(console, found)

        here.output.value({"stops": rows(found), "epoch": control.revision, "already": already is not None}, show)

    run(here.output, work if what else listing)


def resume(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="What was stopped, in the same words; `interlock brakes` lists them.")],
) -> None:
    """Lift a brake."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            scope, name = await scope_of(plane, what)
            control = await plane.braking.resume(scope, name, by=here.who())
            found = await plane.braking.brakes()

        def show(console: Console) -> None:
            console.print(f"[green]resumed[/green] {shown(what)}")
            print_brakes(console, found)

        here.output.value({"stops": rows(found), "epoch": control.revision}, show)

    run(here.output, work)


def brakes(
    context: typer.Context,
    drills: Annotated[bool, typer.Option("--drills", help="The drills there were, and what they measured.")] = False,
) -> None:
    """What is stopped, since when, by whom, and what it holds back right now."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            control, found = (await plane.orders.refresh()).control, await plane.braking.brakes()
            backs = [await plane.braking.held_back(each.stop) for each in found]

        def show(console: Console) -> None:
            if not found:
                console.print("[dim]nothing is stopped[/dim]")
            print_brakes(console, found, backs)

        together = zip(rows(found), backs, strict=True)
        here.output.value(
            {"stops": [{**row, "holds": back} for row, back in together], "epoch": control.revision}, show
        )

    run(here.output, (lambda: listed(here)) if drills else work)


def print_brakes(console: Console, found: Sequence[Brake], backs: Sequence[HeldBack] = ()) -> None:
    """The brakes that hold, one a line, what each holds back where that was counted, and how one is lifted."""
    for at, each in enumerate(found):
        until = f" until {moment(each.stop.until_at)} UTC" if each.stop.until_at is not None else ""
        if each.half_open:
            until = ", half open: one call is let through"
        drill = ", a drill" if each.stop.drill else ""
        console.print(
            f"  {BEGINS[each.stop.mode]}{shown(each.words)}{drill}{until}  "
            f"[dim]by {shown(each.by or '-')} at {moment(each.stop.since_at)} UTC: {shown(each.why or ERASED)}[/dim]"
        )
        if backs:
            console.print(f"    [dim]holds back {held_back(backs[at])}[/dim]")
    if found:
        console.print(f"[dim]`interlock resume {shown(found[0].words)} --as NAME` lifts it[/dim]")


def rows(found: Sequence[Brake]) -> list[dict[str, object]]:
    """The brakes that hold, for programs: the words that name each, and what is known of it."""
    hidden = ("words", "salt")
    return [
        {
            "what": each.words,
            **{name: getattr(each.stop, name) for name in each.stop.__struct_fields__ if name not in hidden},
            "why": each.why,
            "by": each.by,
            "half_open": each.half_open,
        }
        for each in found
    ]


async def lifting(plane: ControlPlane, action: Action) -> str:
    """What to do about the brake that refused `action` or holds it back, or nothing where none does."""
    begins = (BEGINS["stop"], BEGINS["drain"])
    refused = action.state == "refused" and any(reason.startswith(begins) for reason in action.reasons)
    if action.undoes is not None or not (refused or action.state in ("ready", "preparing", "prepared")):
        return ""
    if not action.contract_digest:
        return ""
    contract = await plane.orders.contract(action.contract_digest)
    each = await plane.braking.on(action.task, contract, instance_of(action), refused=refused)
    if each is not None:
        return f"interlock resume {each.words} --as NAME    (lifts the brake)"
    return "propose it again: the brake was lifted since" if refused else ""
