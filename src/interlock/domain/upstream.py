"""A server of the Model Context Protocol that this installation calls, and what it was seen to say of its tools.

A `Server` is what the workspace says of it. A `Definition` is one tool in the server's own words, exactly as they came; its
digest is the pin that a contract carries, so that another description, another schema or another hint is another tool until
somebody has looked at it. None of what a server says of itself is believed: it is shown, compared, and bound.
"""

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar, Final, Literal

import msgspec

from interlock.domain.duration import MINUTE, SECOND
from interlock.domain.ids import Digest
from interlock.domain.upstream_auth import ClientCredentials

Wire = dict[str, Any]
"""JSON as the protocol writes it, fractions included. It is kept apart from what is canonical."""

Connections = Literal["shared", "each_task"]
"""`shared`: one connection of this process for all tasks. `each_task`: every task has its own, closed when the task is left; only
there a server may ask back, for only there it is certain whom."""
Reverse = Literal["deny", "ask"]
"""What becomes of a request of the server's: refused, or put before whoever follows the task."""

MOST_BYTES: Final = 4 * 1024 * 1024
"""Of one message, unless its file says otherwise: longer, and it is not read."""


class _Way(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """How a server is reached."""


class Stdio(_Way, frozen=True, kw_only=True, tag="stdio"):
    """A program of our own, spoken to over its standard input and output."""

    command: tuple[str, ...]
    env: dict[str, str] = {}
    """What its environment has beside the few names every program needs; `${NAME}` is a variable of ours."""
    cwd: str = ""
    """Its folder; relative to the workspace."""


class Http(_Way, frozen=True, kw_only=True, tag="http"):
    """Streamable HTTP."""

    url: str
    headers: dict[str, str] = {}
    """`${NAME}` is an environment variable of the process that calls, never stored."""
    auth: ClientCredentials | None = None
    """By what account of ours it is called; None: by the headers alone."""


Way = Stdio | Http


class Server(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `servers/NAME.yaml` says of the connection. What it says of tools is in their contracts."""

    name: str
    way: Way
    trusted: bool = False
    connections: Connections = "shared"
    timeout_ms: int = 30 * SECOND
    """Of beginning a connection, and of everything asked that is no tool's call."""
    most_bytes: int = MOST_BYTES
    refresh_ms: int = MINUTE
    """What it says of its tools is asked again after so long, at the latest."""
    sampling: Reverse = "deny"
    elicitation: Reverse = "deny"
    roots: Reverse = "deny"
    resources: tuple[str, ...] = ()
    """Patterns of the URIs that may be read; `*` stands for anything. None: none."""
    prompts: tuple[str, ...] = ()
    """Patterns of the names of prompts that may be had."""


class Definition(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, dict=True):
    """One tool in its server's words."""

    name: str
    title: str = ""
    description: str = ""
    input_schema: Wire = {}
    output_schema: Wire | None = None
    annotations: Wire = {}
    """Hints by a stranger: shown to whoever reviews, never read."""

    @cached_property
    def digest(self) -> Digest:
        """SHA-256 over all of it, the names of its members in order. Raises ValueError for what is no Unicode text."""
        try:
            return Digest(sha256(_in_order(self)).hexdigest())
        except UnicodeEncodeError:
            raise ValueError("it holds half of a character") from None


_in_order: Final = msgspec.json.Encoder(order="sorted").encode


class Pinned(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a server said when somebody looked at it and accepted it: `servers/NAME.pinned.json`."""

    version: ClassVar[int] = 1

    server: str
    """The name and version it gave itself."""
    protocol: str
    """The protocol revision spoken."""
    instructions: str = ""
    tools: tuple[Definition, ...] = ()
    prompts: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    """URIs of resources, and templates of them."""

    def tool(self, name: str) -> Definition | None:
        """The tool of that name, as it was accepted."""
        return next((each for each in self.tools if each.name == name), None)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """How one tool differs from the one that was accepted."""

    tool: str
    kind: Literal["new", "gone", "changed"]
    fields: tuple[str, ...] = ()
    """Of what changed: which of its members."""


def changes(pinned: Mapping[str, Definition], present: Mapping[str, Definition]) -> tuple[Change, ...]:
    """What differs, by the names of the tools in order."""
    found: list[Change] = []
    for name in sorted({*pinned, *present}):
        before, after = pinned.get(name), present.get(name)
        if before is None:
            found.append(Change(tool=name, kind="new"))
        elif after is None:
            found.append(Change(tool=name, kind="gone"))
        elif before.digest != after.digest:
            fields = tuple(
                each for each in Definition.__struct_fields__ if getattr(before, each) != getattr(after, each)
            )
            found.append(Change(tool=name, kind="changed", fields=fields))
    return tuple(found)
