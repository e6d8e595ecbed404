"""Servers of the Model Context Protocol: what they offer beside tools, and what they say of their tools now.

A tool's call goes through the gate and its effector, never through here. Everything is bounded in size and time by what the
server's file says. Every failure is an InterlockError with a code; whatever was given comes from a stranger.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

from interlock.domain.upstream import Definition, Pinned, Server, Wire

Changed = Literal["tools", "resources", "prompts"]
Kind = Literal["resources", "templates", "prompts"]


class Heard(Protocol):
    """Whoever follows a server for one task. What it does must not wait long: beyond a bound, news are dropped, oldest first."""

    async def changed(self, server: str, what: Changed) -> None:
        """One of its lists is another."""
        ...

    async def updated(self, server: str, uri: str) -> None:
        """A resource that was subscribed to is another."""
        ...

    async def logged(self, server: str, message: Wire) -> None:
        """A message for people (`level`, `logger`, `data`)."""
        ...

    async def progressed(self, server: str, action: str, news: Wire) -> None:
        """How far the call of this action is (`progress`, `total`, `message`)."""
        ...

    async def asked(self, server: str, action: str, method: str, params: Wire) -> Wire:
        """Answer what it asks back (`sampling/createMessage`, `elicitation/create`, `roots/list`) within a call of this action;
        empty: within none. Raises InterlockError to refuse. Only asked where the server's file says `ask`."""
        ...


class Watcher(Protocol):
    """Whoever is told what servers say of their tools."""

    async def saw(self, server: str, tools: Mapping[str, Definition]) -> None:
        """The tools of `server`, by name, as it has just listed them. Raises nothing: whatever was asked for goes on."""
        ...


class Upstreams(Protocol):
    """Reaches the servers that the workspace names. `task` picks the connection where each task has its own."""

    def servers(self) -> tuple[Server, ...]:
        """Those the workspace names, in order."""
        ...

    def pinned(self, server: str) -> Pinned | None:
        """What was accepted of it; None: nothing yet."""
        ...

    async def definitions(self, server: str, *, task: str = "") -> tuple[Definition, ...]:
        """Its tools in its own words, now: not older than it may be, anew once it said that they changed."""
        ...

    async def seen(self, server: str, *, task: str = "") -> Pinned:
        """All that it says of itself now, as somebody would accept it: whatever its file lets pass."""
        ...

    async def offered(self, server: str, kind: Kind, *, task: str = "") -> tuple[Wire, ...]:
        """Its resources, templates of resources, or prompts: those only that its file lets pass."""
        ...

    async def read(self, server: str, uri: str, *, task: str = "") -> Wire:
        """The result of `resources/read`. Refused where the file does not let it pass."""
        ...

    async def prompt(self, server: str, name: str, arguments: dict[str, str], *, task: str = "") -> Wire:
        """The result of `prompts/get`. Refused where the file does not let it pass."""
        ...

    async def complete(self, server: str, params: Wire, *, task: str = "") -> Wire:
        """The result of `completion/complete`, for what may be read or had."""
        ...

    async def subscribe(self, server: str, uri: str, *, task: str = "", on: bool = True) -> None:
        """Hear of a resource, or of it no longer."""
        ...

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of every list of tools as it comes, before anything is done by it. There is one in a process."""
        ...

    def follow(self, task: str, heard: Heard) -> None:
        """Tell `heard` what servers say for `task`, and ask it what they ask. One for a task; a later one takes its place."""
        ...

    async def leave(self, task: str) -> None:
        """Nobody follows `task` any more; connections of its own are closed."""
        ...

    async def close(self) -> None:
        """Close everything."""
        ...
