"""What the commands that serve over HTTP have in common: the optional server, the address, and an end that is no error."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Annotated, Any, Final, TypeAlias

import typer

from interlock.cli.context import Context
from interlock.cli.optional import optional_part
from interlock.cli.output import run
from interlock.domain.errors import ContractError

ALONE: Final = ("127.0.0.1", "::1", "localhost")
"""Where nobody but this machine can reach us."""

_WAYS: Final = {"ending": "end", "finishing": "finish"}
"""By parameter of `api.serving.serve`, the method of an application that has one."""

Port: TypeAlias = Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any that is free.")]


def served(
    here: Context,
    begun: Callable[[], AbstractAsyncContextManager[Any]],
    host: str,
    port: int,
    started: Callable[[str], None],
    **limits: Any,
) -> None:
    """Serve the ASGI application that `begun` gives until told to end. `started` hears its address once it answers.

    An application with a method `end` is told when the end begins, and waited for by its method `finish`; `limits` are those of
    `api.serving.serve`."""
    serving = server_part(here, "interlock.api.serving")

    async def loop() -> None:
        async with begun() as app:
            try:
                ways = {name: way for name, of in _WAYS.items() if (way := getattr(app, of, None)) is not None}
                await serving.serve(app, host, port, started, **ways, **limits)
            except OSError as error:
                raise ContractError(
                    f"nobody can listen on {host}:{port}: {error.strerror or error}",
                    next_step="give another `--host` or `--port`; port 0 takes any that is free",
                ) from None

    # Ending a server is no error.
    with suppress(KeyboardInterrupt):
        run(here.output, loop)
    here.output.say("stopped")


def server_part(here: Context, name: str) -> Any:
    """A module that needs the server. Ends the command, and says what to install, where that is not there."""
    return optional_part(here, name, what="the server", extra="server")
