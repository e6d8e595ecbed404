"""`interlock keys`: the keys that sign the log, replaced, recovered, backed up."""

import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from interlock.bootstrap import keeping
from interlock.bootstrap.keeping import Kept
from interlock.cli.context import Context, context_of
from interlock.cli.key_given import key_given
from interlock.cli.output import Exit, UsageError, run, shown, table, worded
from interlock.domain.errors import InterlockError
from interlock.domain.ids import Person
from interlock.domain.keyring import ROLES, Role, keyid

MAX_PASSPHRASE_BYTES = 4096

PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="Read the passphrase from this file; `-` is standard input.")
]
Why = Annotated[str, typer.Option(help="Why; kept with it.", callback=worded)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys = typer.Typer(name="keys", help="The keys that sign the log: replace, recover, back up.", no_args_is_help=True)
    keys.command()(status)
    keys.command()(rotate)
    keys.command()(recover)
    keys.command()(retire)
    keys.command()(second)
    keys.command()(backup)
    keys.command()(restore)
    app.add_typer(keys)


def status(context: typer.Context) -> None:
    """Which keys there were, for which entries, and how log and key folder stand to each other."""
    here = context_of(context)
    _report(here, lambda: keeping.status(here.folder))


def rotate(
    context: typer.Context,
    why: Why,
    role: Annotated[Literal["gate", "log", "identity", "all"], typer.Option(help="Whose key.")] = "all",
) -> None:
    """Replace keys by new ones, endorsed in the log by the old. Every running process must be started again."""
    here = context_of(context)
    roles: tuple[Role, ...] = ROLES if role == "all" else (role,)

    async def work() -> Kept:
        return await keeping.rotate(here.folder, roles, by=_who(here), why=why)

    _report(here, work)
    here.output.say(
        "[yellow]start every process that uses this workspace again[/yellow]: the old keys sign nothing more"
    )
    here.output.say("give the new public keys, and a new backup, to whoever had the old: `interlock keys backup FILE`")


def recover(context: typer.Context) -> None:
    """End a rotation that was interrupted, going by what the log says."""
    here = context_of(context)

    async def work() -> int:
        _who(here)
        found = await keeping.recover(here.folder)

        def show(console: Console) -> None:
            for role, what in found.items():
                console.print(f"{role}: {_RECOVERED[what]}")

        here.output.value(found, show)
        return Exit.OK

    raise typer.Exit(run(here.output, work))


_RECOVERED = {
    "in place": "nothing was left to be done",
    "promoted": "[green]the new key is in place[/green]: the log had handed over to it",
    "discarded": "[yellow]the new key is discarded[/yellow]: the log never heard of it",
}


def retire(
    context: typer.Context,
    key: Annotated[
        str,
        typer.Argument(
            help="A replaced key: its id, as `interlock keys status` shows it; its line; or the file that holds it."
        ),
    ],
    since: Annotated[
        str, typer.Option(help="From which entry on, or from when on, it may have been in somebody else's hands.")
    ],
    why: Why,
    compromised: Annotated[bool, typer.Option("--compromised", help="Say so: it is recorded for good.")] = False,
) -> None:
    """Record that a replaced key may have been lost before it was replaced: what it signed since is suspect for ever."""
    here = context_of(context)

    async def work() -> int:
        if not compromised:
            raise UsageError("a key is only retired as compromised", next_step="add `--compromised`, if it is so")
        place: int | str = int(since) if since.isdecimal() and len(since) < 16 else since
        window = await keeping.retire(here.folder, _named(key), place, by=_who(here), why=why)

        def show(console: Console) -> None:
            first = window.suspect_since
            console.print(f"[yellow]recorded[/yellow]: entries {first} to {window.last} are suspect from now on")
            if window.role == "identity":
                console.print("credentials it signed count no more; [yellow]start every process again[/yellow]")

        here.output.value({"key": keyid(window.key), "since": window.suspect_since, "last": window.last}, show)
        return Exit.OK

    raise typer.Exit(run(here.output, work))


def _named(key: str) -> str:
    """A key by its id as it stands; by its line or its file as its line."""
    return key_given(key, "KEY", "any").vkey() if key.count("+") > 1 or Path(key).is_file() else key


def second(context: typer.Context) -> None:
    """Make a key of a second algorithm, ML-DSA-44: checkpoints are signed under it, too, by every process started since."""
    here = context_of(context)

    async def work() -> None:
        _who(here)
        vkey = await keeping.second(here.folder)

        def show(console: Console) -> None:
            console.print(
                "[green]made[/green] second.key; give second.pub to whoever verifies: `interlock verify --second`"
            )

        here.output.value({"vkey": vkey}, show)

    run(here.output, work)


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that is not there yet.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Write the signing keys to one file, sealed under a passphrase."""
    here = context_of(context)
    phrase = _passphrase(here, passphrase_file, confirm=True)
    _report(here, lambda: keeping.backup(here.folder, file, phrase))


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `interlock keys backup` wrote.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make the key folder of a backup. Replaces nothing."""
    here = context_of(context)
    run(here.output, lambda: _asked(here))
    phrase = _passphrase(here, passphrase_file, confirm=False)
    _report(here, lambda: keeping.restore(here.folder, file, phrase))


def _who(here: Context) -> Person:
    """The person at the keyboard, who is one of the workspace's. Raises NotAllowed."""
    return keeping.known(here.folder, here.who())


async def _asked(here: Context) -> None:
    """Before anybody types a passphrase."""
    _who(here)


def _report(here: Context, work: Callable[[], Coroutine[Any, Any, Kept]]) -> None:
    """Do it, print how the keys stand, and end with 3 where somebody has to look."""

    async def all_of_it() -> int:
        kept = await work()
        value = {"keys": str(kept.path), "whole": kept.whole, "roles": kept.standings, "windows": kept.windows}
        here.output.value(value, lambda console: _show(console, kept))
        return Exit.OK if kept.whole else Exit.OPERATOR

    code = run(here.output, all_of_it)
    if code:
        raise typer.Exit(code)


def _show(console: Console, kept: Kept) -> None:
    listed = table("role", "key", "entries", "since (UTC)", "")
    for each in kept.windows:
        last = "" if each.last is None else str(each.last)
        doubt = "" if each.suspect_since is None else f"[red]suspect from entry {each.suspect_since}[/red]"
        listed.add_row(each.role, shown(keyid(each.key)), f"{each.first}-{last}", each.since_at[:19], doubt)
    if kept.windows:
        console.print(listed)
    else:
        console.print("[dim]the log says nothing of its keys yet[/dim]")
    for standing in kept.standings:
        console.print(f"{standing.role}: {_standing(standing)}")
    if not kept.signed:
        console.print(
            "[yellow]the new key has not signed the log's head yet[/yellow]: `interlock keys recover` does that"
        )


def _standing(each: keeping.Standing) -> str:
    if each.whole:
        return "[green]folder and log agree[/green]"
    if each.staged is not None:
        return "[yellow]a rotation was interrupted[/yellow]: `interlock keys recover` ends it"
    return f"[red]the log is at another key, {shown(each.log or '-')}[/red]: restore a backup made since"


def _passphrase(here: Context, file: Path | None, *, confirm: bool) -> str:
    """From a file, or from whoever is at the keyboard; never from the command line, where every process could read it."""
    if file is None:
        if not sys.stdin.isatty():
            wrong = UsageError(
                "a passphrase is needed, and nobody is at the keyboard", next_step="add `--passphrase-file`"
            )
            raise typer.Exit(here.output.fail(wrong))
        phrase: str = typer.prompt("passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
        return phrase
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(MAX_PASSPHRASE_BYTES + 1)
        else:
            with file.open("rb") as source:
                data = source.read(MAX_PASSPHRASE_BYTES + 1)
        phrase = data.decode().removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        unread: InterlockError = UsageError(f"the passphrase in `{file}` cannot be read: {said}")
        raise typer.Exit(here.output.fail(unread)) from None
    if len(data) > MAX_PASSPHRASE_BYTES:
        raise typer.Exit(here.output.fail(UsageError(f"`{file}` is longer than any passphrase")))
    return phrase
