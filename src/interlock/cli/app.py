"""The program: its global options, its commands, and the last place where an error becomes an exit code."""

import io
import os
import sys
import traceback
from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli import actions, audit, people, system, workspace
from interlock.cli.context import Context
from interlock.cli.output import Exit, Interrupted, Output, UsageError
from interlock.domain.errors import InterlockError, StoreError
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

GLOBAL = ("--as", "--workspace", "-w")
"""The global options that take a word."""


@app.callback()
def options(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="The workspace folder, or INTERLOCK_WORKSPACE.")
    ] = None,
    person: Annotated[
        str, typer.Option("--as", help="Who you are, for what a person decides, or INTERLOCK_PERSON.")
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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # `--json` and `--as` may stand anywhere: people write them last.
    sys.exit(_code(global_first(sys.argv[1:])))


def _code(words: list[str]) -> int:
    """Run the program on `words`. Whatever happens has an exit code and, with `--json`, one JSON value."""
    output = Output(json="--json" in words)
    try:
        for word in words:
            if not word.isascii() and word.encode(errors="replace") != word.encode(errors="surrogateescape"):
                raise UsageError(f"`{word}` is not UTF-8")
        code = app(args=words, prog_name="interlock", standalone_mode=not output.json)
    except InterlockError as error:
        return output.fail(error)
    except typer.TyperException as error:
        return output.fail(UsageError(error.format_message() or "a command is missing"))
    except OSError as error:
        return output.fail(StoreError(f"`{error.filename}`: {error.strerror}" if error.filename else str(error)))
    except Exception as error:  # noqa: BLE001  a defect of ours has its exit code and its one JSON value, too
        traceback.print_exc()
        return output.fail(InterlockError(f"a defect of Interlock: {type(error).__name__}: {error}"))
    if code == Exit.INTERRUPTED:
        return output.fail(Interrupted("stopped by Ctrl-C"))
    return code if isinstance(code, int) else Exit.OK


def global_first(words: list[str]) -> list[str]:
    """Move the global options to the front, up to a `--`."""
    moved, kept, lacking = list[str](), list[str](), list[str]()
    rest = deque(words)
    while rest:
        word = rest.popleft()
        if word == "--":
            kept += (word, *rest)
            break
        if word == "--json" or word.startswith(("--as=", "--workspace=")):
            moved.append(word)
        elif word not in GLOBAL:
            kept.append(word)
        elif rest and rest[0] not in ("--", "--json", *GLOBAL):
            moved += (word, rest.popleft())
        else:
            lacking = [word]
    # An option without its word would take one of the command's: alone and last, it is what is complained about.
    return [*moved, *(lacking or kept)]
