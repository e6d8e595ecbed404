"""`interlock witness`: somebody else's process, which cosigns what it has seen a log continue."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap import witnesses
from interlock.bootstrap.keeping import SilentSteps
from interlock.cli.context import context_of
from interlock.cli.key_given import WHOSE, key_given, keys_given
from interlock.cli.output import counted, moment, shown
from interlock.cli.serving import ALONE, Port, served
from interlock.domain.errors import InterlockError

PORT = 8472

Folder = Annotated[Path, typer.Argument(help="The witness's own folder: its key, its memory.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    witness = typer.Typer(
        name="witness", help="Be a witness of logs: cosign what continues what was seen.", no_args_is_help=True
    )
    for command in (init, trust, distrust, serve, show):
        witness.command()(command)
    app.add_typer(witness)


def init(
    context: typer.Context,
    folder: Folder,
    name: Annotated[str, typer.Option(help="What the witness is called in its cosignatures: witness.example/w1.")],
    log: Annotated[list[str] | None, typer.Option(help=f"A log's public key: {WHOSE}. May be given again.")] = None,
) -> None:
    """Make a witness: a key and a memory of its own, apart from the logs it watches."""
    here = context_of(context)
    try:
        vkey = witnesses.begin(folder, name, keys_given(log or (), "--log", "log"))
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None

    def show_it(console: Console) -> None:
        console.print(f"[green]made[/green] {shown(str(folder))}; its public key, for logs and verifiers:")
        console.print(shown(vkey), soft_wrap=True)

    here.output.value({"folder": str(folder), "vkey": vkey}, show_it)


def trust(
    context: typer.Context, folder: Folder, log: Annotated[str, typer.Argument(help=f"A log's public key: {WHOSE}.")]
) -> None:
    """Cosign for another log, or for one whose key was rotated: under its new key, too."""
    here = context_of(context)
    try:
        key = key_given(log, "LOG", "log")
        witnesses.trust(folder, key)
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None

    line = key.vkey()
    here.output.value(
        {"log": line}, lambda console: console.print(f"[green]trusted[/green] {shown(line)}", soft_wrap=True)
    )


def distrust(
    context: typer.Context, folder: Folder, log: Annotated[str, typer.Argument(help=f"A log's public key: {WHOSE}.")]
) -> None:
    """Cosign nothing more under a key: one that was replaced, or stolen. What was seen of the log stays."""
    here = context_of(context)
    try:
        # Any key: whoever trusted one by mistake must be able to take that back.
        key = key_given(log, "LOG", "any")
        witnesses.distrust(folder, key)
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None
    line = key.vkey()
    here.output.value({"log": line}, lambda console: console.print(f"no longer trusted: {shown(line)}", soft_wrap=True))


def serve(
    context: typer.Context,
    folder: Folder,
    host: Annotated[str, typer.Option(help="Where to listen.")] = ALONE[0],
    port: Port = PORT,
) -> None:
    """Cosign over HTTP (C2SP tlog-witness) until told to end."""
    here = context_of(context)

    def started(address: str) -> None:
        here.output.say(f"the witness is at {shown(address)}")

    served(here, lambda: witnesses.at_work(folder, SilentSteps()), host, port, started)


def show(
    context: typer.Context,
    folder: Folder,
    evidence: Annotated[
        Path | None, typer.Option(help="Write what a log signed and cannot be true there, two notes a file.")
    ] = None,
) -> None:
    """Which logs it knows, what it cosigned last of each, and what it keeps as evidence against them."""
    here = context_of(context)
    try:
        vkey, logs, kept = witnesses.seen(folder)
        if evidence is not None:
            evidence.mkdir(parents=True, exist_ok=True)
            for number, each in enumerate(kept):
                (evidence / f"{number:04}-note.txt").write_bytes(each.note)
                (evidence / f"{number:04}-beside.txt").write_bytes(each.beside)
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None

    def show_it(console: Console) -> None:
        console.print(shown(vkey), soft_wrap=True)
        for each in logs:
            last = "nothing was cosigned yet"
            if each.size is not None:
                last = f"{counted(each.size, 'entries')}, root {each.root[:16]}, {moment(each.at_s * 1000)} UTC"
            console.print(f"{shown(each.origin)}: {last}")
            if each.evidence:
                console.print(
                    f"  [bold red]it forked: {counted(each.evidence, 'signed checkpoints')} prove it[/bold red]"
                )
            if each.unproven:
                console.print(
                    f"  {counted(each.unproven, 'signed checkpoints')} came without proof that they continue it: another "
                    "log, or a bad request"
                )

    said = [{"origin": k.origin, "why": k.why, "note": k.note.decode(), "beside": k.beside.decode()} for k in kept]
    here.output.value({"vkey": vkey, "logs": [each._asdict() for each in logs], "evidence": said}, show_it)
