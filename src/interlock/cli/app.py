"""The program: its global options, its commands, and the one place where an error becomes an exit code."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli import actions, audit, people, system, workspace
from interlock.cli.context import Context
from interlock.cli.output import Output
from interlock.domain.ids import Person
from interlock.settings import from_environment

app = typer.Typer(
    name="interlock",
    help="The control plane between AI agents that act and the systems they act on.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 done · 1 cannot be done as asked · 2 usage · 3 the installation needs somebody · "
    "4 the log does not verify · 5 nothing happened (refused, denied, failed) · 6 waiting (held, pending, unknown)",
)


@app.callback()
def options(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="The workspace folder. [env: INTERLOCK_WORKSPACE]")
    ] = None,
    person: Annotated[
        str, typer.Option("--as", help="Who you are, for what a person decides. [env: INTERLOCK_PERSON]")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON value, for programs.")] = False,
) -> None:
    """Options of every command."""
    settings = from_environment(os.environ)
    context.obj = Context(
        folder=folder or settings.workspace,
        person=Person(person) if person else settings.person,
        output=Output(json=json),
    )


for module in (workspace, actions, people, audit, system):
    module.register(app)


def main() -> None:
    """Run the command line."""
    # `--json` and `--as` may stand anywhere: people write them last.
    app(args=_global_first(sys.argv[1:]), prog_name="interlock")


def _global_first(arguments: list[str]) -> list[str]:
    """Move the global options to the front, up to a `--`."""
    moved, kept = list[str](), list[str]()
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            kept.extend((word, *rest))
        elif word == "--json":
            moved.append(word)
        elif word in ("--as", "--workspace", "-w"):
            moved.extend((word, next(rest, "")))
        elif word.startswith(("--as=", "--workspace=")):
            moved.append(word)
        else:
            kept.append(word)
    return moved + kept
