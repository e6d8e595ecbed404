"""`demo` and `version`."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.context import context_of
from interlock.cli.optional import optional_part
from interlock.cli.output import Output


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(demo)
    app.command("version")(show_version)


def demo(
    context: typer.Context,
    keep: Annotated[
        Path | None, typer.Option(help="Leave the whole shop, its log and its workspace in this folder.")
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Instead: the shop at work behind the console, until you end it.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Of the console; 0 takes any that is free.")] = 8600,
) -> None:
    """A day of a shop: agents act through the gate, are stopped, killed, undone and proven. A broken promise ends non-zero."""
    name = "interlock_demo.live.shop" if serve else "interlock_demo.day"
    told = optional_part(context_of(context), name, what="what the shop's assistant speaks", extra="demo")
    code: int = told.run(keep, port=port) if serve else told.run(keep)
    sys.stdout.flush()
    raise typer.Exit(code)


def show_version(context: typer.Context) -> None:
    """Which version this is."""
    print_version(context_of(context).output)


def print_version(output: Output) -> None:
    """The version, in words or for programs."""
    number = version("interlock")
    output.value({"version": number}, lambda console: console.print(f"interlock {number}"))
