"""What somebody has already, as it was found by looking: servers that an agent's client knows, and tools in a program's source.

Nothing here was run or reached. Every text in it was written by somebody else; whoever shows or writes it cleans it first.
"""

from typing import Final, Literal

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Effect, Risk

Framework = Literal[
    "langchain", "openai-agents", "pydantic-ai", "google-adk", "strands", "autogen", "ag2", "crewai", "mcp", "plain"
]

CALLED: Final[dict[Framework, str]] = {
    "langchain": "LangChain",
    "openai-agents": "OpenAI Agents SDK",
    "pydantic-ai": "Pydantic AI",
    "google-adk": "Google ADK",
    "strands": "Strands",
    "autogen": "AutoGen",
    "ag2": "AG2",
    "crewai": "CrewAI",
    "mcp": "an MCP server of its own",
    "plain": "no framework we know",
}
"""What people call them."""


class FoundTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool in a program's source. `unclear` says of which arguments (empty: of all) nobody could tell what they are."""

    name: str
    framework: Framework
    file: str
    line: int
    description: str = ""
    arguments: dict[str, JsonValue] = {}
    """JSON Schema of each, by name."""
    optional: tuple[str, ...] = ()
    """Those that may be left out."""
    unclear: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    """What in its code suggests that it acts."""
    hints: dict[str, JsonValue] = {}
    """What it says of itself."""


class Hidden(msgspec.Struct, frozen=True, kw_only=True):
    """A value that was not copied: `what` it was (`env GITHUB_TOKEN`), and the variable that stands for it now."""

    what: str
    variable: str


class FoundServer(msgspec.Struct, frozen=True, kw_only=True):
    """An MCP server that a client is configured with. A `command` is begun with its arguments, or a `url` is spoken to.

    What was or may have been a secret is `${NAME}`; `hidden` says which.
    """

    name: str
    file: str
    line: int = 0
    command: str = ""
    arguments: tuple[str, ...] = ()
    env: dict[str, str] = {}
    folder: str = ""
    url: str = ""
    headers: dict[str, str] = {}
    hidden: tuple[Hidden, ...] = ()
    disabled: bool = False


class Overlooked(msgspec.Struct, frozen=True, kw_only=True):
    """What was not read, or not understood, and why."""

    file: str
    why: str
    line: int = 0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found."""

    servers: tuple[FoundServer, ...] = ()
    tools: tuple[FoundTool, ...] = ()
    overlooked: tuple[Overlooked, ...] = ()


class Guessed(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that was found, under the contract that was written for it, with what was guessed of it."""

    tool: str
    contract: str
    server: str = ""
    """Whose tool it is; empty: the agent's program's own."""
    effect: Effect
    risk: Risk
    why: str
    sure: bool = True
    file: str
    line: int = 0
    framework: Framework | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What comes next: in words, and as commands or lines to put somewhere."""

    words: str
    lines: tuple[str, ...] = ()


class Configured(msgspec.Struct, frozen=True, kw_only=True):
    """A client's configuration, with the gateway in the place of the servers that were `gone` through it."""

    file: str
    shown: str = ""
    """What to put there; no secret is in it."""
    gone: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """Servers that the client still reaches by itself: nothing governs them."""
    before: str = ""
    """Where it was kept as it was, once it was changed."""
    why: str = ""
    """Why a person has to change it."""


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """What was written to begin with, and what was found for it."""

    folder: str
    agent: str
    files: tuple[str, ...]
    servers: tuple[FoundServer, ...]
    tools: tuple[Guessed, ...]
    pinned: tuple[str, ...] = ()
    """Servers that were reached, and what they offer accepted."""
    todo: tuple[str, ...] = ()
    """What is left to a person, file by file."""
    overlooked: tuple[Overlooked, ...] = ()
    wrong: tuple[str, ...] = ()
    clients: tuple[Configured, ...] = ()
    """What `check` has against it."""
    steps: tuple[Step, ...] = ()
