"""`replay`: what was decided, decided again."""

from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import Exit, counted, run, short, shown, table
from interlock.cli.verdicts import coloured
from interlock.domain.replay import Answer, Replay, Replayed
from interlock.workbench.replays import replayed


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)


def replay(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(help="An action, a task (the id, or the end of it), or a run by its whole id.")
    ],
) -> None:
    """Decide again what was decided: by the policies of then, and by those in force. Changes nothing.

    Ends with 4 where the policies of then do not come to what is recorded, or store and log differ.
    """
    here = context_of(context)

    async def work() -> int:
        found = await replayed(here.folder, what)
        value = {"about": found.about, "sound": found.sound, "replayed": found.replayed}
        here.output.value(value, lambda console: _show(console, found))
        return Exit.OK if found.sound else Exit.EVIDENCE

    raise typer.Exit(run(here.output, work))


def _show(console: Console, found: Replay) -> None:
    if len(found.replayed) == 1:
        _one(console, found.replayed[0])
        return
    listed = table("action", "contract", "recorded", "then", "now", "")
    for each in found.replayed:
        listed.add_row(
            short(each.action),
            shown(each.contract),
            _brief(each.recorded),
            _brief(each.then),
            _brief(each.now),
            shown(each.skipped or "; ".join((*each.evidence, *each.why))),
        )
    console.print(shown(found.about))
    console.print(listed)
    wrong = sum(1 for each in found.replayed if not each.sound)
    changed = sum(1 for each in found.replayed if each.changed)
    skipped = sum(1 for each in found.replayed if each.skipped)
    console.print(
        f"[dim]{counted(len(found.replayed), 'actions')}: {wrong} not as recorded, {changed} otherwise now, "
        f"{skipped} not asked again[/dim]"
    )


def _one(console: Console, found: Replayed) -> None:
    console.print(f"[bold]{shown(found.contract)}[/bold]  {shown(found.action)}")
    for problem in found.evidence:
        console.print(f"[bold red]store and log differ[/bold red]: {shown(problem)}")
    if found.skipped:
        console.print(f"[yellow]not decided again[/yellow]: {shown(found.skipped)}")
        return
    told = table("", "answer", "by", "policies")
    for name, answer in (("recorded", found.recorded), ("then", found.then), ("now", found.now)):
        if answer is not None:
            told.add_row(name, coloured(answer.verdict), shown(", ".join(answer.policies)), answer.bundle[:12])
    console.print(told)
    if found.reproduced and found.changed is False:
        console.print("[green]the same answer, then and now[/green]")
    elif found.reproduced:
        console.print("[green]the policies of then come to what is recorded[/green]")
    else:
        console.print("[bold red]the policies of then do not come to what is recorded[/bold red]")
    if found.direction is not None:
        console.print(f"those in force: {found.direction}")
    for sentence in found.why:
        console.print(f"  {shown(sentence)}")


def _brief(answer: Answer | None) -> str:
    return "-" if answer is None else coloured(answer.verdict)
