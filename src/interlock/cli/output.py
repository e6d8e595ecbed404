"""How the command line speaks: tables for people, JSON for programs, one shape for errors, documented exit codes."""

import sys
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, TypeVar, cast

import anyio
import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from interlock.domain.errors import Fault, IntegrityError, InterlockError
from interlock.domain.record import plain

T = TypeVar("T")


class Exit(IntEnum):
    """What the program ends with."""

    OK = 0
    YOURS = 1
    """What was asked cannot be done; the message says what to change."""
    USAGE = 2
    """The command line itself is wrong."""
    OPERATOR = 3
    """The installation needs somebody: store, keys, disk, a tool that cannot be found."""
    EVIDENCE = 4
    """The log does not verify."""
    NOT_DONE = 5
    """The action was refused, denied, shadowed or failed: nothing happened."""
    WAITING = 6
    """The action is held, waits for a worker, or is unknown."""
    OURS = 70
    """A defect of Interlock."""


_BY_FAULT: dict[Fault, Exit] = {"yours": Exit.YOURS, "operator": Exit.OPERATOR, "ours": Exit.OURS}

COLOURS = {
    "done": "green",
    "undone": "cyan",
    "held": "yellow",
    "ready": "yellow",
    "dispatching": "yellow",
    "unknown": "bold red",
    "undo_failed": "bold red",
    "failed": "red",
    "denied": "red",
    "refused": "red",
    "rejected": "red",
}


def whole(value: object) -> object:
    """`value` for programs: every field of every Struct, those at their default too, and a part's `kind`."""
    if isinstance(value, msgspec.Struct):
        fields = {name: whole(getattr(value, name)) for name in value.__struct_fields__}
        config = value.__struct_config__
        return {config.tag_field: config.tag, **fields} if config.tag_field is not None else fields
    if isinstance(value, dict):
        return {str(name): whole(item) for name, item in cast(dict[object, object], value).items()}
    if isinstance(value, list | tuple):
        return [whole(item) for item in cast(list[object], value)]
    return plain(value)


class Output:
    """Where a command writes. With `json` every command prints exactly one JSON value on standard output."""

    def __init__(self, *, json: bool) -> None:
        self.json = json
        self.console = Console(highlight=False, soft_wrap=False)
        self.errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def value(self, value: object, show: Callable[[Console], None]) -> None:
        """Print `value` as JSON, or let `show` print it for a person."""
        if self.json:
            sys.stdout.write(msgspec.json.format(msgspec.json.encode(whole(value))).decode() + "\n")
        else:
            show(self.console)

    def say(self, text: str) -> None:
        """A line for a person; programs do not get it."""
        if not self.json:
            self.console.print(text)

    def fail(self, error: InterlockError) -> int:
        """Print an error in the one shape and give the exit code."""
        code = Exit.EVIDENCE if isinstance(error, IntegrityError) else _BY_FAULT[error.fault]
        if self.json:
            sys.stdout.write(
                msgspec.json.format(msgspec.json.encode({"error": plain(error.problem())})).decode() + "\n"
            )
            return code
        self.errors.print(f"[red]error[/red] {escape(str(error))}")
        for other in _others(error):
            self.errors.print(f"      {escape(other)}")
        self.errors.print(f"[dim]next[/dim]  {escape(error.next_step)}")
        return code


def _others(error: InterlockError) -> Iterable[str]:
    """Further problems of the same kind, where the error found several at once."""
    problems = error.members.get("problems")
    if isinstance(problems, tuple | list):
        for problem in list[Any](problems)[1:]:
            yield str(problem)


def run(output: Output, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a command's coroutine. Errors of ours become a message and an exit code, never a traceback."""
    try:
        return anyio.run(work)
    except InterlockError as error:
        raise typer.Exit(output.fail(error)) from None
    except ExceptionGroup as group:
        found = group.subgroup(InterlockError)
        first = _first(found) if found is not None else None
        if first is None:
            raise
        raise typer.Exit(output.fail(first)) from None


def _first(group: BaseExceptionGroup[InterlockError]) -> InterlockError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def state(text: str) -> str:
    """A state in its colour."""
    colour = COLOURS.get(text)
    shown = text.replace("_", " ")
    return f"[{colour}]{shown}[/{colour}]" if colour else shown


def moment(at: int | None) -> str:
    """UTC ms as `2026-11-21 10:00:00`, or a dash."""
    if at is None:
        return "-"
    return datetime.fromtimestamp(at / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


def short(identifier: str) -> str:
    """The end of an identifier, enough to tell it from its neighbours."""
    return identifier[-12:]


def table(*columns: str) -> Table:
    """A plain table that a person can also grep."""
    made = Table(box=None, pad_edge=False, header_style="dim", show_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made
