"""`notifications`: what each channel to people outside has still to tell, what it could not, and a way to try it."""

from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import counted, moment, run, shown, table
from interlock.domain.notification import Message, Outbox

notifications = typer.Typer(
    help="Messages to people outside: what waits, what could not be delivered.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(notifications, name="notifications")


@notifications.command("list")
def list_notifications(context: typer.Context) -> None:
    """Every channel with what waits in it, and every message that was given up."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            found = {each.channel: each for each in await plane.notifying.outboxes()}
            names = [each.name for each in plane.notifying.channels]

        def show(console: Console) -> None:
            if not names and not found:
                console.print("[dim]no channel: name one under `notifications` in interlock.yaml[/dim]")
                return
            rows = table("channel", "waiting", "sent", "last sent", "given up")
            for name in sorted({*names, *found}):
                box = found.get(name, Outbox(channel=name))
                gone = len(box.dead) + box.forgotten
                told = "-" if box.sent_at is None else moment(box.sent_at)
                named = shown(name) if name in names else f"{shown(name)} [dim](no longer named)[/dim]"
                rows.add_row(named, str(len(box.pending)), str(box.sent), told, str(gone))
            console.print(rows)
            _troubled(console, found)

        here.output.value([found.get(name, Outbox(channel=name)) for name in sorted({*names, *found})], show)

    run(here.output, work)


@notifications.command()
def resend(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="Which channel.")],
    message: Annotated[list[str] | None, typer.Argument(help="Ids of dead letters; all of them unless said.")] = None,
) -> None:
    """Put messages that were given up on their way again, under the ids they had. Workers send them."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            count = await plane.notifying.resend(channel, message or ())
        said = f"{counted(count, 'messages')} on their way again"
        here.output.value({"channel": channel, "resent": count}, lambda console: console.print(said))

    run(here.output, work)


@notifications.command()
def test(context: typer.Context, channel: Annotated[str, typer.Argument(help="Which channel.")]) -> None:
    """Send a message that says it is a test, at once."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            await plane.notifying.test(channel)
        said = f"[green]delivered[/green] on {shown(channel)}"
        here.output.value({"channel": channel, "delivered": True}, lambda console: console.print(said))

    run(here.output, work)


def _troubled(console: Console, found: dict[str, Outbox]) -> None:
    """What failed so far, and what was given up."""
    tried = [(box, each) for box in found.values() for each in box.pending if each.error]
    dead = [(box, each) for box in found.values() for each in box.dead]
    if not tried and not dead:
        return
    rows = table("channel", "message", "what", "attempts", "why", "then")
    for box, each in tried:
        rows.add_row(*_row(box, each), f"again at {moment(each.due_at)}")
    for box, each in dead:
        rows.add_row(*_row(box, each), "given up")
    console.print(rows)
    if dead:
        console.print("[dim]`interlock notifications resend CHANNEL` sends again what was given up[/dim]")


def _row(box: Outbox, message: Message) -> tuple[str, str, str, str, str]:
    what = f"{message.contract} {message.event}".strip()
    return shown(box.channel), shown(message.id), shown(what), str(message.attempts), shown(message.error)
