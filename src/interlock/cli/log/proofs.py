"""`interlock log proof`, `consistency` and `check`: that something is in the log, and that the log is still the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap.proofs import check_proof
from interlock.cli.context import context_of
from interlock.cli.given import brought
from interlock.cli.key_given import WHOSE, keys_given
from interlock.cli.log.files import note_given, read_file
from interlock.cli.output import Exit, UsageError, counted, run, shown, write
from interlock.cli.writing import write_file
from interlock.domain.dsse import DsseError
from interlock.domain.entry_proof import Continuation, EntryProof, parse_entry_proof
from interlock.domain.errors import ContractError
from interlock.domain.merkle import ProofError
from interlock.domain.note import Checkpoint, NoteError, parse_checkpoint, parse_note
from interlock.services.plane import ControlPlane
from interlock.workbench.finding import find_action

_NEXT = "name a file that `interlock log proof --out` or `client.proof(...)` wrote"
Under = Annotated[
    Path | None,
    typer.Option("--checkpoint", help="Prove it under this checkpoint, such as one with cosignatures, not the head."),
]


def register(log: typer.Typer) -> None:
    """Add the commands."""
    for command in (proof, consistency, check):
        log.command()(command)


def proof(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="ACTION|INDEX", help="An action's id or the end of it, or an entry.")],
    out: Annotated[Path | None, typer.Option(help="Write the proof there: a `.tlog-proof` file.")] = None,
    under: Under = None,
    anchored: Annotated[
        bool,
        typer.Option("--anchored", help="Prove it under the latest checkpoint that `interlock log anchor` brought."),
    ] = False,
) -> None:
    """What proves one entry offline, by itself (C2SP tlog-proof): the one of that index, or the last one of an action.

    An index is written as the log counts, from 0: `interlock packet ACTION` lists them. Without --out it is printed.
    """
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            made = await _made(plane, what, await note_given(plane, under, anchored=anchored))
        if out is None and not here.output.json:
            write(made.text)
            return
        if out is not None:
            write_file(out, made.text.encode())
        here.output.value(made, lambda console: _written(console, made, out))

    run(here.output, work)


async def _made(plane: ControlPlane, what: str, note: str | None) -> EntryProof:
    # No action's id is so short and all digits.
    if what.isascii() and what.isdigit() and len(what) < 12:
        return await plane.audit.proof_at(int(what), note=note)
    found = await find_action(plane, what)
    return await plane.audit.proof(found.id, note=note)


def consistency(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="A checkpoint that was kept, or a number of entries.")],
    new: Annotated[str, typer.Argument(help="A later one; without it the log as it is now.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Write it there as a witness is asked: old size, hashes, checkpoint.")
    ] = None,
) -> None:
    """Prove that the log still begins with what it was: nothing before OLD was changed, taken out or put in since."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading(private=False) as plane:
            first = await _place(plane, old)
            second = await _place(plane, new) if new else None
            made = await plane.audit.continuation(first, second)
            if out is not None:
                note = await plane.means.log.checkpoint_at(made.new)
                if note is None:
                    raise ContractError(
                        f"no checkpoint was signed at {made.new} entries", next_step="leave NEW out: the head is signed"
                    )
                lines = [f"old {made.old}", *made.hashes, "", note]
                write_file(out, "\n".join(lines).encode())
        here.output.value(made, lambda console: _continues(console, made))

    run(here.output, work)


async def _place(plane: ControlPlane, text: str) -> int | Checkpoint:
    """A size, or the checkpoint in a file, which must be one of this log."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    data = read_file(Path(text))
    try:
        parse_checkpoint(parse_note(data).text)
    except NoteError as error:
        raise ContractError(
            f"`{text}` is not a checkpoint: {error}", next_step="name a file that `interlock log head --out` wrote"
        ) from None
    return await plane.audit.opened(data.decode())


def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A proof of one entry.")],
    log_key: Annotated[
        list[str] | None, typer.Option(help=f"The log's public key: {WHOSE}. May be given again.")
    ] = None,
    gate_key: Annotated[list[str] | None, typer.Option(help="The gate's, likewise.")] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="A C2SP tlog-policy file: whose cosignatures its checkpoint must have."),
    ] = None,
) -> None:
    """Whether a proof holds, with public keys alone: those given, else the workspace's. Neither store nor log is asked."""
    here = context_of(context)

    async def work() -> int:
        log_keys = keys_given(log_key or (), "--log-key", "log")
        gate_keys = keys_given(gate_key or (), "--gate-key", "gate")
        if bool(log_keys) != bool(gate_keys):
            raise UsageError(
                "a proof is held against two public keys, the log's and the gate's",
                next_step="give both: they are log.pub and gate.pub in the key folder",
            )
        data = read_file(file)
        try:
            read = parse_entry_proof(data)
        except NoteError as error:
            raise ContractError(f"`{file}` is not a proof: {error}", next_step=_NEXT) from None
        problem, by = "", tuple[str, ...]()
        try:
            with brought("--policy"):
                by = check_proof(read, here.folder, log_keys=log_keys, gate_keys=gate_keys, policy=policy)
        except (NoteError, ProofError, DsseError) as error:
            problem = str(error)
        here.output.value(
            {"ok": not problem, "problem": problem, "cosigners": by, "proof": read},
            lambda console: _checked(console, read, problem, by),
        )
        return Exit.EVIDENCE if problem else Exit.OK

    raise typer.Exit(run(here.output, work))


def _written(console: Console, made: EntryProof, out: Path | None) -> None:
    console.print(f"{_what(made)}, proven under {counted(made.size, 'entries')} of [bold]{shown(made.origin)}[/bold]")
    if out is not None:
        console.print(f"written to {shown(str(out))}; `interlock log check {shown(str(out))}` checks it, anywhere")


def _continues(console: Console, made: Continuation) -> None:
    console.print(
        f"[green]the log continues[/green]: its {made.new} entries begin with the {made.old} of before, "
        f"proven by {counted(len(made.hashes), 'hashes')}"
    )
    console.print(f"[dim]{made.old:>10}  root {made.old_root}[/dim]")
    console.print(f"[dim]{made.new:>10}  root {made.new_root}[/dim]")


def _checked(console: Console, read: EntryProof, problem: str, by: Sequence[str]) -> None:
    if problem:
        console.print(f"[bold red]the proof does not hold[/bold red]: {shown(problem)}")
        if "signed by" in problem:
            console.print(
                "[dim]if the keys were rotated since or before, give those of then: `--log-key` and `--gate-key`; "
                "`.interlock/keys/retired/` has the old ones[/dim]"
            )
        return
    console.print(
        f"[green]the proof holds[/green]: {_what(read)}, is in the log [bold]{shown(read.origin)}[/bold] of "
        f"{counted(read.size, 'entries')}" + (f", cosigned by {', '.join(map(shown, by))}" if by else "")
    )


def _what(made: EntryProof) -> str:
    about = f" of action {shown(made.action_id)}" if made.action_id else ""
    return f"entry {made.index}, `{shown(made.phase)}`{about}"
