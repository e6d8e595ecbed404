"""The program: its global options, its commands, and the last place where an error becomes an exit code."""

import io
import os
import sys
import threading
import traceback
from collections import deque
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from interlock.cli import (
    account,
    actions,
    adopt,
    agents,
    approvals,
    audit,
    brakes,
    budgets,
    doctor,
    erase,
    figures,
    gateway,
    identity,
    key,
    keys,
    log,
    lost,
    notifications,
    on_call,
    people,
    policy,
    raised,
    revoking,
    rights,
    serve,
    server,
    system,
    tasks,
    vigilance,
    witness,
    workspace,
)
from interlock.cli.context import Context
from interlock.cli.entry import Interrupted, interruptible, uninterruptible
from interlock.cli.output import Exit, Output, UsageError, safe
from interlock.domain.errors import FileError, InterlockError, StoreError
from interlock.domain.ids import Person
from interlock.settings import from_environment

app = typer.Typer(
    name="interlock",
    help="The control plane between AI agents that act and the systems they act on.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 done · 1 cannot be done as asked · 2 usage · 3 the installation needs somebody · "
    "4 the log does not verify, or a record cannot be read · 5 nothing happened (refused, denied, failed) · "
    "6 waiting (held, pending, unknown)",
)

GLOBAL = ("--as", "--workspace", "-w")
"""The global options that take a word."""
GRACE_S = 0.2
"""How long a thread is waited for that is only about to end."""


def _version(context: typer.Context, asked: bool) -> None:
    if asked:
        system.print_version(Output(json=bool(context.params.get("json"))))
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="The workspace folder, or INTERLOCK_WORKSPACE.")
    ] = None,
    person: Annotated[
        str, typer.Option("--as", help="Who you are, for what a person decides, or INTERLOCK_PERSON.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON value, for programs.", is_eager=True)] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Options of every command."""
    del version
    settings = from_environment(os.environ)
    _must_be_text(settings.person or "")
    context.obj = Context(
        folder=folder or settings.workspace,
        person=Person(person) if person else settings.person,
        output=Output(json=json),
    )


for module in (
    workspace,
    adopt,
    agents,
    policy,
    actions,
    tasks,
    budgets,
    people,
    raised,
    approvals,
    rights,
    brakes,
    revoking,
    audit,
    erase,
    figures,
    vigilance,
    lost,
    notifications,
    on_call,
    log,
    keys,
    identity,
    account,
    key,
    witness,
    doctor,
    serve,
    server,
    gateway,
    system,
):
    module.register(app)


def main() -> None:
    """Run the command line."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Closed by whoever started us (`>&-`): nobody wants to hear.
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  open to the program's end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # `--json` and `--as` may stand anywhere: people write them last.
    words = global_first(sys.argv[1:])
    try:
        interruptible()
        code = _code(words)
    except KeyboardInterrupt:
        code = Output(json="--json" in words).fail(Interrupted())
    uninterruptible()
    _leave(code)


def _code(words: list[str]) -> int:
    """Run the program on `words`. Whatever happens has an exit code and, with `--json`, one JSON value."""
    output = Output(json="--json" in words)
    try:
        for word in words:
            _must_be_text(word)
        code = app(args=words, prog_name="interlock", standalone_mode=not output.json)
    except SystemExit as ended:
        code = ended.code
    except InterlockError as error:
        return output.fail(error)
    except typer.TyperException as error:
        return output.fail(UsageError(error.format_message() or "a command is missing"))
    except OSError as error:
        return output.fail(_denied(error))
    except Exception as error:  # noqa: BLE001  a defect of ours has its exit code and its one JSON value, too
        traceback.print_exc()
        return output.fail(InterlockError(safe(f"a defect of Interlock: {type(error).__name__}: {error}")))
    if code == Exit.INTERRUPTED:
        return output.fail(Interrupted())
    return code if isinstance(code, int) else Exit.OK


def _denied(error: OSError) -> InterlockError:
    """What the system refused, where nobody nearer knew what it meant."""
    if isinstance(error, PermissionError) and error.filename:
        return FileError(f"permission to use `{error.filename}` is denied")
    return StoreError(f"`{error.filename}`: {error.strerror}" if error.filename else str(error))


def _leave(code: int) -> NoReturn:
    """End the program. The thread of a tool that does not return cannot be stopped, only left, as by a kill."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(GRACE_S)
            if thread.is_alive():
                sys.stdout.flush()
                os._exit(code)
    sys.exit(code)


def _must_be_text(word: str) -> None:
    """Words that are not UTF-8 reach us with what does not fit as surrogates, which no record and no JSON can hold."""
    try:
        word.encode()
    except UnicodeEncodeError:
        raise UsageError(f"`{safe(word)}` is not UTF-8") from None


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
