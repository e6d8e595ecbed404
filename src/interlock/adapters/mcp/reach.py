"""Which servers there are, what was accepted of each, and from where they are reached: what is known without reaching any."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from interlock.domain.errors import NotFound
from interlock.domain.names import instead
from interlock.domain.upstream import Pinned, Server


class Reach:
    """The servers of one workspace. `folder` is what their programs' folders are relative to."""

    def __init__(
        self,
        servers: Mapping[str, Server],
        pins: Callable[[str], Pinned | None],
        folder: Path,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._servers = servers
        self._pins = pins
        self.folder = folder
        self.environ = environ

    def servers(self) -> tuple[Server, ...]:
        """All of them."""
        return tuple(self._servers.values())

    def server(self, name: str) -> Server:
        """The server of that name. Raises NotFound."""
        found = self._servers.get(name)
        if found is None:
            raise NotFound(
                f"the workspace names no server `{name}`", next_step=instead(name, self._servers, "see `servers/`")
            )
        return found

    def pinned(self, name: str) -> Pinned | None:
        """What was accepted of the server of that name. Raises NotFound."""
        return self._pins(self.server(name).name)

    def missing(self, name: str) -> str:
        """Why this process cannot reach it at all; empty: nothing is known against it."""
        return "" if name in self._servers else f"no file in `servers/` says how `{name}` is reached"
