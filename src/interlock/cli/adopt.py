"""`adopt`: a workspace from what somebody has already."""

import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap.adopting import Adopting, Looked, looked, written
from interlock.cli.context import Context, context_of
from interlock.cli.output import UsageError, counted, run, shown, table
from interlock.domain.adoption import CALLED, Adopted, Configured, FoundServer, Overlooked
from interlock.domain.errors import InterlockError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="adopt")(adopting)


def adopting(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(help="An MCP client's configuration, or a program's file or folder.")
    ] = Path(),
    out: Annotated[
        Path | None, typer.Option(help="Where the workspace is written; nothing may be there yet, but for `--rewrite`.")
    ] = None,
    agent: Annotated[str, typer.Option(help="What the agent is called.")] = "",
    connect: Annotated[
        bool, typer.Option("--connect", help="Begin or reach the servers, after asking, and accept what they offer.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Reach them without asking.")] = False,
    rewrite: Annotated[
        bool,
        typer.Option(
            "--rewrite",
            help="Put the gateway into the clients' configurations, each kept as it was; of a workspace that is there, too.",
        ),
    ] = False,
) -> None:
    """Look at what you have, and write a workspace for it in shadow, every guess marked as one. Runs nothing but what
    `--connect` begins."""
    here = context_of(context)
    where = out or (path if path.is_dir() else Path()) / "interlock-workspace"
    asked = Adopting(path=path, out=where, agent=agent, person=str(here.person or ""), rewrite=rewrite)
    try:
        seen = looked(asked)
        if connect and seen.there:
            raise UsageError(
                f"`{where}` is there already, and `--connect` is for a new one",
                next_step=f"look at its servers one by one: `interlock -w {where} server pin NAME`",
            )
        if connect and not yes:
            _ask(here, seen)
        made = written(seen)
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None
    if connect:
        made = run(here.output, partial(import_module("interlock.bootstrap.adopting_servers").connect, seen, made))
    here.output.value(made, lambda console: _told(console, made))


def _ask(here: Context, seen: Looked) -> None:
    """Show what would be run or reached, and ask. Raises UsageError where nobody is there to say so."""
    servers = [each for each in seen.made.servers if not each.disabled]
    if here.output.json or not sys.stdin.isatty():
        raise UsageError(
            f"`--connect` runs or reaches {counted(len(servers), 'servers')}, and nobody is at the keyboard to say so",
            next_step="look at them without `--connect`; then say `--yes`",
        )
    for each in servers:
        here.output.say(f"  {shown(each.name)}: {shown(_way(each))}")
    if not typer.confirm("Begin and reach them, to see what they offer?"):
        raise UsageError("nothing was reached, and nothing was written", next_step="adopt without `--connect`")


def _way(server: FoundServer) -> str:
    return server.url or " ".join([server.command, *server.arguments])


def _told(console: Console, made: Adopted) -> None:
    _found(console, made)
    for path in made.files:
        console.print(f"  [green]+[/green] {shown(f'{made.folder}/{path}')}")
    _listed(console, "Left out", [_placed(each) for each in made.overlooked])
    _listed(console, "To be said", made.todo)
    _listed(console, "Wrong", made.wrong)
    for client in made.clients:
        _client(console, client)
    console.print("\nThe agent is in shadow: what reads happens, what acts is only recorded. Next:")
    for number, step in enumerate(made.steps, start=1):
        console.print(f"  {number}. {shown(step.words)}")
        for line in step.lines:
            console.print(f"       [bold]{shown(line)}[/bold]", soft_wrap=True)


def _listed(console: Console, heading: str, lines: Sequence[str]) -> None:
    if lines:
        console.print(f"\n[yellow]{heading}[/yellow]")
    for line in lines:
        console.print(f"  {shown(line)}")


def _placed(each: Overlooked) -> str:
    return f"{each.file}:{each.line}: {each.why}" if each.line else f"{each.file}: {each.why}"


def _client(console: Console, client: Configured) -> None:
    """What a client's configuration becomes."""
    if client.why:
        console.print(f"\nTo {shown(client.file)} by hand, in the place of its servers ({shown(client.why)}):")
    elif client.before:
        console.print(f"\n{shown(client.file)} is changed; as it was it is in {shown(client.before)}")
    else:
        console.print(f"\nFor {shown(client.file)}, in the place of {shown(', '.join(client.gone))}:")
    for line in client.shown.splitlines():
        console.print(f"  {shown(line)}", soft_wrap=True)
    if client.kept:
        console.print(f"[yellow]still reached by the client itself[/yellow]: {shown(', '.join(client.kept))}")


def _found(console: Console, made: Adopted) -> None:
    console.print(f"{counted(len(made.servers), 'servers')}, {counted(len(made.tools), 'tools')}\n")
    if made.servers:
        rows = table("server", "reached by", "found in", "kept back")
        for server in made.servers:
            hidden = ", ".join(dict.fromkeys(each.variable for each in server.hidden))
            rows.add_row(shown(server.name), shown(_way(server)), shown(f"{server.file}:{server.line}"), shown(hidden))
        console.print(rows)
        console.print()
    if made.tools:
        rows = table("tool", "effect", "risk", "guessed", "found in")
        for tool in made.tools:
            place = f"{tool.file}:{tool.line}"
            of = f", {CALLED[tool.framework]}" if tool.framework else ""
            rows.add_row(shown(tool.contract), tool.effect, tool.risk, shown(tool.why), shown(f"{place}{of}"))
        console.print(rows)
        console.print()
