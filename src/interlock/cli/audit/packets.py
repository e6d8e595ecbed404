"""`packet` and `verify`: the evidence."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from interlock.bootstrap.anchors import trusted
from interlock.cli.audit.telling import show_telling
from interlock.cli.context import context_of
from interlock.cli.given import brought
from interlock.cli.moments import span_of
from interlock.cli.output import Exit, UsageError, counted, moment, run, short, shown, table
from interlock.cli.writing import write_file
from interlock.domain.errors import ContractError
from interlock.domain.evidence import Packet, Verification, at
from interlock.domain.note import NoteError, parse_checkpoint, parse_note
from interlock.domain.packet import verify_packet
from interlock.domain.telling import tell
from interlock.workbench.finding import find_action

MAX_PACKET_BYTES = 64 * 1024 * 1024


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(packet)
    app.command()(verify)


def packet(
    context: typer.Context,
    action: Annotated[str, typer.Argument(help="The action's id, or the end of it.")],
    out: Annotated[Path | None, typer.Option(help="Write the packet there, to be verified elsewhere.")] = None,
) -> None:
    """One action's whole story as it stands in the log, each entry with its proof."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            found = await find_action(plane, action)
            made = await plane.audit.packet(found.id)
            now = at(plane.means.clock.now())
            since = await plane.audit.erased_since(found)
        if out is not None:
            write_file(out, msgspec.json.format(msgspec.json.encode(made)) + b"\n")
        here.output.value(made, lambda console: _story(console, made, now, out))
        if since:
            here.output.say(f"[yellow]{since}[/yellow]")

    run(here.output, work)


def verify(
    context: typer.Context,
    packet_file: Annotated[
        Path | None, typer.Option("--packet", help="Verify this packet alone, with the workspace's public keys.")
    ] = None,
    retained: Annotated[
        list[Path] | None, typer.Option("--retained", help="A checkpoint kept earlier: the log must continue it.")
    ] = None,
    keep: Annotated[Path | None, typer.Option("--keep", help="Write the verified checkpoint there, to keep.")] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", help="A C2SP tlog-policy file: whose cosignatures the log must have.")
    ] = None,
    certificates: Annotated[
        Path | None,
        typer.Option("--timestamps", help="PEM of a time-stamping authority: its own first, its root last."),
    ] = None,
    second: Annotated[
        Path | None, typer.Option("--second", help="The log's ML-DSA-44 key, second.pub: its head must bear that, too.")
    ] = None,
    max_age: Annotated[
        str, typer.Option("--max-age", help="How old the latest anchor may be at most: `1h`, `90s`.")
    ] = "",
    skew: Annotated[str, typer.Option(help="How far the machine's clock may be from the anchors' times.")] = "60s",
    accept_suspect: Annotated[
        bool, typer.Option("--accept-suspect", help="End with 0 though a key that signed was declared compromised.")
    ] = False,
) -> None:
    """Recompute the log from its entries, offline, and name the first thing that is wrong."""
    here = context_of(context)

    async def work() -> int:
        if packet_file is not None:
            _alone(context)
            keys = here.verifying()
            found = verify_packet(_packet(packet_file), keys.log_key, keys.gate_keys, keys.verify)
            what = "packet"
        else:
            with brought("--retained"):
                kept = [_checkpoint(each) for each in retained or ()]
            with brought("--second" if policy is None else "--policy"):
                trust = trusted(
                    here.folder,
                    policy=policy,
                    certificates=certificates,
                    second=second,
                    max_age_ms=span_of(max_age, "--max-age") if max_age else None,
                    skew_ms=span_of(skew, "--skew"),
                )
            if max_age and (trust is None or (trust.policy is None and trust.check_stamp is None)):
                raise UsageError(
                    "`--max-age` is about the age of anchors, and nobody is named whose anchors count",
                    next_step="add `--policy` or `--timestamps`, or name witnesses in interlock.yaml",
                )
            async with here.reading() as plane:
                found = await plane.audit.verify(kept, trust=trust)
                head = await plane.audit.head()
            what = "log"
            if keep is not None and not found.findings:
                if head is None:
                    raise ContractError(
                        "the log is empty: there is no checkpoint to keep", next_step="bring something into force first"
                    )
                write_file(keep, head.encode())
        here.output.value(_summary(found), lambda console: _verdict(console, found, what))
        return Exit.EVIDENCE if found.findings or (found.suspicions and not accept_suspect) else Exit.OK

    raise typer.Exit(run(here.output, work))


def _alone(context: typer.Context) -> None:
    """Raises UsageError where `--packet` stands beside what is only asked of a whole log, and would be left unasked."""
    for name in ("retained", "keep", "policy", "certificates", "second", "max_age", "skew"):
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = {"certificates": "timestamps"}.get(name, name).replace("_", "-")
            raise UsageError(
                f"a packet is checked by itself, and `--{option}` is about a whole log",
                next_step="leave one of the two out",
            )


def _packet(path: Path) -> Packet:
    try:
        return msgspec.json.decode(_read(path), type=Packet)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"`{path}` is not a packet: {error}", next_step=_NEXT) from None


def _checkpoint(path: Path) -> str:
    """Any checkpoint as text, whoever signed it: what it says is for the verification to judge."""
    data = _read(path)
    try:
        parse_checkpoint(parse_note(data).text)
    except NoteError as error:
        raise ContractError(f"`{path}` is not a checkpoint: {error}", next_step=_NEXT) from None
    return data.decode()


_NEXT = "name a file that `interlock packet --out` or `interlock verify --keep` wrote"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PACKET_BYTES + 1)
    except OSError as error:
        raise ContractError(f"`{path}` cannot be read: {error.strerror}", next_step=_NEXT) from None
    if len(data) > MAX_PACKET_BYTES:
        raise ContractError(f"`{path}` is larger than any packet", next_step=_NEXT)
    return data


def _summary(found: Verification) -> dict[str, object]:
    size = found.checkpoint.size if found.checkpoint is not None else 0
    root = found.checkpoint.root.hex() if found.checkpoint is not None else None
    # Of a packet alone: what it was shown up to. No packet can show that the action has no later entries.
    shown_part = {"upTo": found.up_to, "state": found.state, "laterEntries": "unknown"}
    return {
        **({} if found.up_to is None else shown_part),
        "ok": not found.findings,
        "empty": found.checkpoint is None and not found.findings,
        "entries": found.size,
        "signatures": found.signatures,
        "streams": found.streams,
        "unclosed": found.unclosed,
        "erased": found.erased,
        "lost": found.lost,
        "sealed": found.sealed,
        "size": size,
        "root": root,
        "findings": found.findings,
        "anchors": found.anchors,
        "witnessed": found.witnessed,
        "witnessedAt": found.witnessed_at,
        "suspicions": [each._asdict() for each in found.suspicions],
    }


def _verdict(console: Console, found: Verification, what: str) -> None:
    if not found.findings and found.checkpoint is None and what == "log":
        console.print("[yellow]the log is empty[/yellow]: nothing was ever recorded in it, so nothing is proven")
        return
    if not found.findings:
        size = found.checkpoint.size if found.checkpoint is not None else 0
        root = found.checkpoint.root.hex()[:16] if found.checkpoint is not None else "-"
        console.print(
            f"[green]the {what} verifies[/green]: {counted(found.signatures, 'signatures')}, "
            f"{counted(size, 'entries')} under root {root}"
        )
        if found.up_to is not None:
            console.print(
                f"  up to entry {found.up_to}, where the action is {shown(found.state) or 'not decided'}; later entries of it "
                "may exist: a packet cannot show that it was not cut short, the log can"
            )
        if found.erased:
            console.print(f"  the clear texts of {counted(found.erased, 'entries')} were erased, as the log says")
        if found.lost:
            console.print(
                f"  [bold yellow]lost[/bold yellow]: the clear texts of {counted(found.lost, 'entries')} are gone without an "
                "erasure, as two persons acknowledged in the log"
            )
        if found.sealed:
            console.print(
                f"  [yellow]the clear texts of {counted(found.sealed, 'entries')} are sealed[/yellow] with keys that are "
                "not here: they were not compared with what was committed to"
            )
        if found.anchors:
            behind = f", {counted(size - found.witnessed, 'entries')} behind it" if size > found.witnessed else ""
            console.print(
                f"witnessed up to entry {found.witnessed - 1}, {moment(found.witnessed_at)} UTC{behind}; "
                f"{counted(found.anchors, 'anchors')} hold the times"
            )
        for doubt in found.suspicions:
            if doubt.role == "identity":
                console.print(
                    f"[bold yellow]suspect[/bold yellow]: who acted in entries {doubt.first} to {doubt.last} showed credentials "
                    f"by {shown(doubt.key)}, which was declared compromised: whoever held it could have been any agent"
                )
                continue
            things = "entries" if doubt.role == "gate" else "checkpoints over entries"
            console.print(
                f"[bold yellow]suspect[/bold yellow]: {things} {doubt.first} to {doubt.last} are signed by "
                f"{shown(doubt.key)}, which was declared compromised: whoever held it could have written them"
            )
        if found.unclosed:
            console.print(
                f"[dim]{len(found.unclosed)} of {counted(found.streams, 'streams')} (the entries of one run of a program) "
                "without an end: still written, or its process died; what is here of them is complete so far[/dim]"
            )
        return
    first, *others = found.findings
    console.print(f"[bold red]the {what} does not verify[/bold red]")
    console.print(f"first: {shown(first.place)}: {shown(first.problem)}")
    for each in others[:9]:
        console.print(f"       {shown(each.place)}: {shown(each.problem)}")
    if len(others) > 9:
        console.print(f"       and {len(others) - 9} more")


def _story(console: Console, made: Packet, now: str, out: Path | None) -> None:
    told = tell(made.entries)
    console.print(f"[bold]proof of action[/bold] {made.action}")
    show_telling(console, told, now)
    listed = table("entry", "what", "state", "recorded at")
    for each in told.moments:
        state = f"cannot be read: {each.problem}" if each.problem else each.state
        listed.add_row(str(each.entry), shown(each.phase), shown(state), shown(each.at))
    console.print(listed)
    size = made.checkpoint.split("\n")[1]
    console.print(f"[dim]each entry is proven to be in the log of {counted(int(size), 'entries')}, signed:[/dim]")
    console.print(shown(made.checkpoint.splitlines()[-1]), style="dim", soft_wrap=True)
    if out is not None:
        console.print(f"written to {shown(str(out))}; verify it with `interlock verify --packet {shown(str(out))}`")
    else:
        console.print(
            f"[dim]`interlock packet {short(made.action)} --out FILE` writes it for somebody else to verify[/dim]"
        )
