"""How the command line speaks: tables for people, JSON for programs, one shape for errors, documented exit codes."""

import os
import re
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, TypeVar, cast

import anyio
import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from interlock.cli.entry import INTERRUPTED, Interrupted
from interlock.domain.errors import Fault, IntegrityError, InterlockError, PolicyError
from interlock.domain.record import plain
from interlock.workbench.finding import LISTED

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
    """The log does not verify, or a record cannot be read."""
    NOT_DONE = 5
    """The action was refused, denied, shadowed or failed: nothing happened."""
    WAITING = 6
    """The action is held, waits for a worker, or is unknown."""
    OURS = 70
    """A defect of Interlock."""
    INTERRUPTED = INTERRUPTED
    """Somebody pressed Ctrl-C. What was begun is taken up by whoever works next."""


class UsageError(InterlockError):
    """The command line cannot be understood."""

    code = "usage"
    fault = "yours"
    next = "look at `interlock --help`, or at `interlock COMMAND --help`"


class OutputError(InterlockError):
    """What a command has to say does not fit where it is sent. What it did is done."""

    code = "output"
    fault = "operator"
    next = "what was asked for is done, and only not told; send it where there is room: `> FILE`"


_BY_CODE = {UsageError.code: Exit.USAGE, Interrupted.code: Exit.INTERRUPTED, IntegrityError.code: Exit.EVIDENCE}
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

WHOLE = frozenset({"action", "request", "when (UTC)", "state", "undone"})
"""Columns that a narrow terminal does not break."""
UNBOUND = 1_000_000
"""Where nobody looks at a terminal, no line is broken: it may be read by `grep`."""


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


class _Paper(Console):
    """A console that goes on quietly when whoever read it has gone (`interlock actions | head -1`), and that makes no
    pictures of words: `notes.cedar:100:16` is a place."""

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=soft_wrap, highlight=False, emoji=False)

    def on_broken_pipe(self) -> None:
        """Read no more: what was asked for is done all the same."""
        self.quiet = True
        unread()


class Output:
    """Where a command writes. With `json` every command prints exactly one JSON value on standard output."""

    def __init__(self, *, json: bool) -> None:
        self.json = json
        self.console = _Paper()
        self.errors = _Paper(stderr=True, soft_wrap=True)
        if not self.console.is_terminal:
            self.console.width = UNBOUND

    def value(self, value: object, show: Callable[[Console], None]) -> None:
        """Print `value` as JSON, or let `show` print it for a person."""
        if self.json:
            print_json(value)
            return
        with printing():
            if self.console.is_terminal:
                show(self.console)
                return
            with self.console.capture() as caught:
                show(self.console)
        # Tables fill up their columns, which no file needs.
        lines = [line.rstrip() for line in caught.get().splitlines()]
        write("".join(f"{line}\n" for line in lines))

    def say(self, text: str) -> None:
        """A line for a person, in rich's markup; programs do not get it."""
        if not self.json:
            with printing():
                self.console.print(text, soft_wrap=True)

    def fail(self, error: InterlockError) -> int:
        """Print an error in the one shape and give the exit code."""
        code = _BY_CODE.get(error.code, _BY_FAULT[error.fault])
        if self.json:
            print_json({"error": error.problem()})
            return code
        self.errors.print(f"[red]error[/red] {shown(clipped(str(error)))}")
        for other in error.problems[1:] if isinstance(error, PolicyError) else ():
            self.errors.print(f"      {shown(clipped(other))}")
        self.errors.print(f"[dim]next[/dim]  {shown(clipped(error.next_step))}")
        return code


def print_json(value: object) -> None:
    """One JSON value, indented, always in UTF-8."""
    write(msgspec.json.format(msgspec.json.encode(whole(value))).decode() + "\n")


def write(text: str) -> None:
    """Put text on standard output. Raises OutputError where it does not fit."""
    with printing():
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.flush()


@contextmanager
def printing() -> Generator[None]:
    """While something is printed: a reader who has gone does not mind. Raises OutputError where it does not fit."""
    try:
        yield
    except BrokenPipeError:
        unread()
    except OSError as error:
        unread()
        raise OutputError(f"what was asked for cannot be printed: {error.strerror}") from None


def unread() -> None:
    """Nobody reads standard output any more: let nothing fail on it, at the program's end neither."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


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


def safe(text: str) -> str:
    """`text` on one line without anything that moves a cursor, colours or reorders: an agent chose it, a person decides
    by it."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def shown(text: str) -> str:
    """Somebody's words for rich, which would take brackets for its markup."""
    return escape(safe(text))


def clipped(text: str) -> str:
    """A message in which what somebody gave us, which stands in backticks, is only quoted as far as it is read."""
    return _QUOTED.sub(r"`\1...`", text)


_QUOTED = re.compile(r"`([^`]{200})[^`]{20,}`")


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


def counted(count: int, many: str) -> str:
    """`many` of something, or one of it."""
    one = _ONE.get(many, many.removesuffix("s"))
    return f"{count} {one if count == 1 else many}"


_ONE = {"people": "person", "entries": "entry", "hashes": "hash"}


def worded(context: typer.Context, option: typer.CallbackParam, value: str) -> str:
    """Words as they were given. Raises BadParameter for those that were given and say nothing."""
    source = context.get_parameter_source(option.name or "")
    if not value.strip() and source is not None and source.name != "DEFAULT":
        raise typer.BadParameter("it is empty; say it" if option.required else "it is empty; say it, or leave it out")
    return value


def short(identifier: str) -> str:
    """The end of an identifier, enough to tell it from its neighbours."""
    return identifier[-LISTED:]


def table(*columns: str) -> Table:
    """A plain table that a person can also grep."""
    made = Table(box=None, pad_edge=False, header_style="dim", show_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold", no_wrap=column in WHOLE)
    return made


def pairs() -> Table:
    """A list of names and what they are, the latter broken under itself."""
    made = Table.grid(padding=(0, 1, 0, 0), pad_edge=True)
    made.add_column(no_wrap=True, style="dim", min_width=13)
    made.add_column(overflow="fold")
    return made
