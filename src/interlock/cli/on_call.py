"""`on-call`: who is on call now, by the rota that is in force."""

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import moment, run, shown, table
from interlock.services.zones import on_call as running


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("on-call")(on_call)


def on_call(context: typer.Context) -> None:
    """Who is on call now, by role, and until when."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            control, now = (await plane.orders.refresh()).control, plane.means.clock.now()
        rotas = sorted(control.routing.on_call.items())
        holders = {role: sorted(who for who, held in control.people.items() if role in held) for role, _ in rotas}
        found = [
            {"role": role, "people": list(each.people) or holders[role], "until": each.ends_at}
            for role, rota in rotas
            for each in running(rota, now)
        ]
        idle = [role for role, rota in rotas if not running(rota, now)]

        def show(console: Console) -> None:
            if not rotas:
                console.print("[dim]no rota is in force: write on_call.yaml, then `interlock apply`[/dim]")
                return
            rows = table("role", "on call now", "until (UTC)")
            for role, rota in rotas:
                for each in running(rota, now):
                    people = ", ".join(each.people) or ", ".join(holders[role])
                    rows.add_row(shown(role), shown(people), moment(each.ends_at))
            for role in idle:
                rows.add_row(shown(role), "[dim]nobody[/dim]", "")
            console.print(rows)

        here.output.value({"onCall": found, "nobody": idle}, show)

    run(here.output, work)
