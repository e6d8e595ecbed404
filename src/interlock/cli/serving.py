"""What the commands that serve over HTTP have in common: the optional server, the address, and an end that is no error."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Annotated, Any, Final, TypeAlias

import typer

from interlock.cli.context import Context
from interlock.cli.output import run
from interlock.domain.errors import ContractError, EffectorError

ALONE: Final = ("127.0.0.1", "::1", "localhost")
"""Where nobody but this machine can reach us."""

Port: TypeAlias = Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any that is free.")]


def served(
    here: Context,
    begun: Callable[[], AbstractAsyncContextManager[Any]],
    host: str,
    port: int,
    started: Callable[[str], None],
) -> None:
    """Serve the ASGI application that `begun` gives until told to end. `started` hears its address once it answers."""
    try:
        serving: Any = import_module("interlock.api.serving")
    except ImportError:
        raise typer.Exit(
            here.output.fail(
                EffectorError("the server is not installed", next_step="install it: `pip install 'interlock[server]'`")
            )
        ) from None

    async def loop() -> None:
        async with begun() as app:
            try:
                await serving.serve(app, host, port, started)
            except OSError as error:
                raise ContractError(
                    f"nobody can listen on {host}:{port}: {error.strerror or error}",
                    next_step="give another `--host` or `--port`; port 0 takes any that is free",
                ) from None

    try:
        run(here.output, loop)
    except KeyboardInterrupt:
        # Ending a server is no error.
        here.output.say("stopped")
