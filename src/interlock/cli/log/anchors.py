"""`interlock log anchor` and `fork`: the head cosigned by witnesses and written back; and what two checkpoints prove."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap import witnesses
from interlock.cli.context import context_of
from interlock.cli.key_given import WHOSE, key_given
from interlock.cli.log.files import read_file
from interlock.cli.output import Exit, counted, run, shown
from interlock.cli.writing import write_file
from interlock.domain.errors import ContractError, NotFound
from interlock.domain.note import NoteError, SignedNote, parse_note
from interlock.services.anchoring import Anchored


def register(log: typer.Typer) -> None:
    """Add the commands."""
    log.command()(anchor)
    log.command()(fork)


def anchor(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Write the cosigned checkpoint there, to keep.")] = None,
) -> None:
    """Have the log's head cosigned by the witnesses of interlock.yaml, and time-stamped, and record that as an anchor."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            anchoring = plane.means.anchoring
            if anchoring is None:
                raise NotFound(
                    "nobody is asked to cosign this log",
                    next_step="name `witnesses` or `timestamps` in interlock.yaml",
                )
            made = await anchoring.anchor()
        if made is not None and out is not None:
            write_file(out, made.note.encode())
        here.output.value(made, lambda console: _show(console, made))

    run(here.output, work)


def fork(
    context: typer.Context,
    one: Annotated[Path, typer.Argument(help="A checkpoint.")],
    other: Annotated[Path, typer.Argument(help="Another one of the same log.")],
    key: Annotated[str, typer.Option(help=f"The log's public key: {WHOSE}. The workspace's unless said.")] = "",
) -> None:
    """Whether two checkpoints prove that the log shows different people different histories: then it ends with 4."""
    here = context_of(context)

    async def work() -> int:
        known = key_given(key, "--key", "log") if key else here.verifying().log_key
        notes = [_note(path) for path in (one, other)]
        proven = witnesses.forked(notes[0], notes[1], known)
        said = "[bold red]the log has forked[/bold red]: it signed both, of one size, over different entries"
        if not proven:
            said = (
                "nothing is proven: they are not two checkpoints of one size and different roots that this key signed"
            )
        here.output.value({"forked": proven}, lambda console: console.print(said))
        return Exit.EVIDENCE if proven else Exit.OK

    raise typer.Exit(run(here.output, work))


def _note(path: Path) -> SignedNote:
    try:
        return parse_note(read_file(path))
    except NoteError as error:
        raise ContractError(f"`{path}` is no checkpoint: {error}", next_step="name a signed checkpoint") from None


def _show(console: Console, made: Anchored | None) -> None:
    if made is None:
        console.print("nothing came since the last anchor")
        return
    by = ", ".join(map(shown, made.cosigners)) or "no witness"
    stamped = ", time-stamped" if made.stamped else ""
    console.print(f"[green]anchored[/green]: {counted(made.size, 'entries')}, root {made.root[:16]}, by {by}{stamped}")
    for each in made.failed:
        console.print(f"  [yellow]not by[/yellow] {shown(each)}")
