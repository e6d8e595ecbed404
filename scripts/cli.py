"""The command line as a page: every command's real `--help`, in plain text, and the exit codes."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from interlock.cli.app import app
from interlock.cli.output import Exit
from scripts.fields import sentences
from scripts.markdown import table

WIDTH = 100


def commands() -> str:
    """The help of the program, then of every command below a heading of its own."""
    return "\n\n".join(f"## {name}\n\n```text\n{text}\n```" for name, text in _helps("interlock", get_command(app)))


def exit_codes() -> str:
    """What the program ends with."""
    said = {"OK": "It is done."} | sentences(Exit)
    return table(["code", "meaning"], [[str(code.value), said[code.name]] for code in Exit])


def _helps(name: str, command: Any, parent: Any = None) -> Iterator[tuple[str, str]]:
    """Names and help texts. `Any`, because Typer carries its own copy of click, whose types are not for others."""
    command.rich_markup_mode = None  # boxes and colours are for terminals
    word = name.rpartition(" ")[2]
    context = command.make_context(
        word, [], parent=parent, resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    )
    text = "\n".join(line.rstrip() for line in context.get_help().splitlines())
    yield name, text
    for below, each in getattr(command, "commands", {}).items():
        if not each.hidden:
            yield from _helps(f"{name} {below}", each, context)
