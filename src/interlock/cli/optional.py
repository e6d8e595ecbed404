"""Parts of the program that need what an installation may lack."""

from importlib import import_module
from typing import Any

import typer

from interlock.cli.context import Context
from interlock.domain.errors import EffectorError


def optional_part(here: Context, name: str, *, what: str, extra: str) -> Any:
    """The module `name`, which needs the extra `extra`. Ends the command, and says what to install, where that is not there."""
    try:
        return import_module(name)
    except ImportError as error:
        if error.name != name and (error.name or "").partition(".")[0] in ("interlock", "interlock_demo"):
            raise  # a fault of ours, which nothing that is installed mends
        raise typer.Exit(
            here.output.fail(
                EffectorError(f"{what} is not installed", next_step=f"install it: `pip install 'interlock[{extra}]'`")
            )
        ) from None
