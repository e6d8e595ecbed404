"""`audit export` and `audit verify`: the evidence as one piece, made here and checked anywhere."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap.connecting import public_key_file
from interlock.cli.context import context_of
from interlock.cli.moments import between, span_of
from interlock.cli.output import Exit, UsageError, counted, run, shown
from interlock.domain.export import Exported, Selection, Wish
from interlock.domain.names import instead
from interlock.domain.requirement import PROFILES, ProfileName
from interlock.domain.whose import COMMITTED
from interlock.workbench.exports import BroughtError, Verdict, exported, verified
from interlock_verify import gone, words_for


def register(audit: typer.Typer) -> None:
    """Add the commands."""
    audit.command()(export)
    audit.command()(verify)


def export(
    context: typer.Context,
    place: Annotated[Path, typer.Argument(help="A folder, or a file that ends in `.zip`, which is not there yet.")],
    since: Annotated[str, typer.Option(help="Only what was recorded from then on: 2026-11-01, or 30d.")] = "",
    until: Annotated[str, typer.Option(help="Only what was recorded before: 2026-12-01, or 1d.")] = "",
    action: Annotated[list[str] | None, typer.Option(help="Only this action; may be given again.")] = None,
    agent: Annotated[str, typer.Option(help="Only actions of this agent.")] = "",
    disclose: Annotated[
        str, typer.Option(help="Clear texts that go along: `none`, `all`, or names such as `toolArgs,toolResult`.")
    ] = "none",
    profile: Annotated[
        list[str] | None, typer.Option(help=f"With lists of evidence for {' or '.join(PROFILES)}; may be given again.")
    ] = None,
    receipts: Annotated[
        bool,
        typer.Option(
            "--receipts",
            help="With a COSE receipt (RFC 9942) for each entry of these actions, and each as an audit record.",
        ),
    ] = False,
) -> None:
    """Write the evidence for somebody who has no Interlock: the whole log, readable lists, a verifier in one file.

    The log goes along whole, since nothing less could be verified; it holds digests and commitments. Options choose what
    the readable files are about, and which clear texts go along: without `--disclose` none do. The gate's key signs the export as
    a whole: where that key is not, there is no export.
    """
    here = context_of(context)

    async def work() -> int:
        first, last = between(since, until)
        wish = Wish(
            selection=Selection(since_at=first, until_at=last, agent=agent),
            disclosed=_disclosed(disclose),
            profiles=tuple(_profile(each) for each in profile or ()),
            receipts=receipts,
        )
        beside = place.parent
        new = not beside.exists()
        made = await exported(here.folder, place, wish, actions=action or ())
        public = public_key_file(here.folder)
        here.output.value(made, lambda console: _made(console, made, public, beside if new else None))
        return Exit.EVIDENCE if made.lost else Exit.OK

    raise typer.Exit(run(here.output, work))


def verify(
    context: typer.Context,
    place: Annotated[
        Path, typer.Argument(metavar="EXPORT", help="The folder or zip file that `interlock audit export` wrote.")
    ],
    key: Annotated[
        list[str] | None, typer.Option(help="A public key of the log or its gate, or a file of them; may be repeated.")
    ] = None,
    before: Annotated[
        list[str] | None,
        typer.Option(help="A key of the log, among those brought, that came after this export; may be repeated."),
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="Which witnesses must have cosigned (C2SP tlog-policy).")] = None,
    retained: Annotated[
        list[Path] | None, typer.Option("--retained", help="A checkpoint kept earlier: the log must continue it.")
    ] = None,
    max_age: Annotated[
        str, typer.Option("--max-age", help="How old the cosignatures may be: `1h`, `90s`. Needs `--policy`.")
    ] = "",
    skew: Annotated[str, typer.Option(help="How far clocks may differ.")] = "60s",
    accept_suspect: Annotated[
        bool, typer.Option("--accept-suspect", help="End with 0 though a key that signed was declared compromised.")
    ] = False,
) -> None:
    """Check an export as its own `verify.py` does: it is the same program. Needs no workspace.

    Bring the log's public key with `--key`: without it an export can only be shown to agree with itself (exit code 3).
    """
    here = context_of(context)

    async def work() -> int:
        try:
            found = verified(
                place,
                keys=key or (),
                policy=policy,
                retained=retained or (),
                max_age_ms=span_of(max_age, "--max-age") if max_age else None,
                skew_ms=span_of(skew, "--skew"),
                accept_suspect=accept_suspect,
                before=before or (),
            )
        except BroughtError as error:
            raise UsageError(error.detail, next_step=error.next) from None
        here.output.value(found.report.value(), lambda console: _verdict(console, found))
        return _EXITS[found.verdict]

    raise typer.Exit(run(here.output, work))


_EXITS = {
    "verified": Exit.OK,
    "unvouched": Exit.OPERATOR,
    "suspect": Exit.EVIDENCE,
    "failed": Exit.EVIDENCE,
}


def _disclosed(word: str) -> tuple[str, ...] | None:
    names = tuple(each.strip() for each in word.split(",") if each.strip())
    match names:
        case ("all",):
            return None
        case ("none",):
            return ()
        case ():
            raise UsageError(
                "`--disclose` says nothing", next_step="write `none`, `all`, or names: `toolArgs,toolResult`"
            )
        case _:
            for each in names:
                if each not in COMMITTED:
                    raise UsageError(f"no clear text is called `{each}`", next_step=instead(each, COMMITTED, ""))
            return names


def _profile(word: str) -> ProfileName:
    for each in PROFILES:
        if word == each:
            return each
    raise UsageError(f"there is no profile `{word}`", next_step=instead(word, PROFILES, ""))


def _made(console: Console, made: Exported, public: Path, new: Path | None) -> None:
    console.print(
        f"[green]exported[/green] {counted(made.size, 'entries')} under root {made.root[:16]}: "
        f"{counted(made.actions, 'actions')}, {counted(made.disclosures, 'clear texts')}"
    )
    console.print(f"to {shown(made.place)}")
    if made.lost:
        console.print(
            f"[bold red]the clear texts of {counted(made.lost, 'entries')} are lost[/bold red], and no erasure and no two "
            "persons say so: whoever checks it reads of tampering; see `interlock lost`"
        )
    if new is not None:
        console.print(f"the folder {shown(str(new))} was not there and was made")
    console.print(
        f"[dim]whoever checks it needs the log's public key from you, by another way: the file {shown(str(public))}[/dim]"
    )


def _verdict(console: Console, found: Verdict) -> None:
    for each in found.warnings:
        console.print(f"[yellow]warning[/yellow] {shown(each)}")
    report = found.report
    if found.findings:
        (place, problem), *others = found.findings
        console.print("[bold red]the export does not verify[/bold red]")
        console.print(f"first: {shown(place)}: {shown(problem)}")
        for place, problem in others[:9]:
            console.print(f"       {shown(place)}: {shown(problem)}")
        if len(others) > 9:
            console.print(f"       and {len(others) - 9} more")
    elif found.verdict == "verified":
        console.print(f"[green]the export verifies[/green]: log `{shown(report.origin)}`, root {report.root[:16]}")
    elif found.verdict == "suspect":
        console.print("[bold yellow]suspect[/bold yellow]: it stands on a key that was declared compromised")
    else:
        console.print("[yellow]the export agrees with itself, but nobody vouched for its keys[/yellow]")
    console.print(
        f"{counted(report.entries, 'entries')}, {counted(report.signatures, 'signatures')}, "
        f"{counted(report.actions, 'actions')}, {counted(report.disclosures, 'clear texts')} "
        f"({shown(report.disclosed) or 'none'} asked for), {gone(report)}"
        f"{counted(report.anchors, 'anchors')}, {counted(len(report.cosignatures), 'cosignatures')}"
    )
    for stamp in report.stamps:
        console.print(
            f"time stamp of entry {stamp['entry']}: {stamp['at']} by its own word; "
            f"`interlock verify --timestamps` or `openssl ts -verify` says who signed it"
        )
    for each in report.unchecked:
        console.print(f"[dim]not checked: the line of {shown(each)}[/dim]")
    for each in words_for(report):
        console.print(f"[dim]{shown(each)}[/dim]")
