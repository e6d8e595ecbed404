"""Drills: `stop SCOPE --drill`, and `brakes --drills`."""

from collections.abc import Mapping
from typing import Final

from rich.console import Console

from interlock.cli.context import Context
from interlock.cli.held_back import held_back
from interlock.cli.output import Exit, moment, shown, table
from interlock.domain.brakes import BEGINS, standing
from interlock.domain.drill import Drill, DrillState
from interlock.workbench.scopes import scope_of

_SAID: Final[Mapping[DrillState, str]] = {
    "running": "[yellow]running[/yellow]",
    "done": "[green]done[/green]",
    "late": "[red]late[/red]",
    "cut short": "[red]cut short[/red]",
}


async def drilled(here: Context, what: str, why: str, within_ms: int) -> int:
    """Pull the brake for real, wait, lift it, and say how long it took."""
    async with here.plane() as plane:
        scope, name = await scope_of(plane, what)
        drill = await plane.drills.run(scope, name, by=here.who(), why=why, within_ms=within_ms)
        left = standing((await plane.orders.refresh()).control, scope, name)

    def show(console: Console) -> None:
        holds = f"; it is {BEGINS[left.mode].rstrip(': ')} still, as before" if left is not None else ""
        console.print(f"drill {_SAID[drill.state]}  {shown(what)}, lifted again{holds}")
        console.print(f"  last dispatch began  {drill.began_ms} ms after the brake's commit")
        ended = f"{drill.ended_ms} ms after it" if drill.ended_ms is not None else f"{drill.still} are under way still"
        console.print(f"  last one ended       {ended}")
        late = f", {drill.unanswered} never answered" if drill.unanswered else ""
        console.print(f"  [dim]{drill.in_flight} were under way{late}; {drill.waiting} cleared ones waited[/dim]")

    here.output.value(row(drill, what), show)
    return Exit.OK if drill.state == "done" else Exit.NOT_DONE


async def supposed(here: Context, what: str) -> int:
    """What a brake would hold back now."""
    async with here.reading() as plane:
        scope, name = await scope_of(plane, what)
        found = await plane.drills.dry(scope, name)
    here.output.value(
        {"what": what, "holds": found},
        lambda console: console.print(f"{shown(what)} would hold back {held_back(found)}; nothing was stopped"),
    )
    return Exit.OK


async def listed(here: Context) -> None:
    """Past drills, newest first."""
    async with here.reading() as plane:
        found = [(each, await plane.braking.brake(each.stop)) for each in await plane.drills.past()]

    def show(console: Console) -> None:
        if not found:
            console.print("[dim]there was no drill[/dim]")
            return
        rows = table("pulled (UTC)", "what", "by", "state", "last began", "last ended", "under way", "why")
        for each, brake in found:
            rows.add_row(
                moment(each.stop.since_at),
                shown(brake.words),
                shown(brake.by or "-"),
                _SAID[each.state],
                f"{each.began_ms} ms",
                f"{each.ended_ms} ms" if each.ended_ms is not None else "-",
                str(each.in_flight),
                shown(brake.why),
            )
        console.print(rows)

    here.output.value(
        [{**row(each, brake.words), "why": brake.why, "by": brake.by} for each, brake in found],
        show,
    )


def row(drill: Drill, what: str) -> dict[str, object]:
    """A drill, for programs."""
    names = (name for name in drill.__struct_fields__ if name not in ("stop", "revision"))
    return {"what": what, "since_at": drill.stop.since_at, **{name: getattr(drill, name) for name in names}}
