"""The MCP servers in a client's configuration.

Claude Desktop, Claude Code, Cursor, Windsurf, Gemini CLI and others keep them under `mcpServers`; VS Code under `servers`, or
in its settings under `mcp`; Zed under `context_servers`; Codex in TOML under `mcp_servers`; Claude Code's own file by project.
What they say of one server differs in a few names. What is written for a server and not understood is not guessed.
"""

import json
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path, PurePath
from typing import Final, NamedTuple

from interlock.adapters.adopting.jsonc import jsonc
from interlock.adapters.adopting.reading import CONFIGURED, Reading
from interlock.adapters.adopting.shapes import Entry, list_of, table_of
from interlock.domain.adoption import FoundServer
from interlock.domain.hiding import Hiding, OfServer

_NAMES: Final = frozenset(
    {".mcp.json", "mcp.json", "mcp_config.json", "claude_desktop_config.json", "cline_mcp_settings.json"}
)
_SETTINGS: Final = frozenset({"settings.json", "config.toml"})
_REACHED: Final = frozenset({"command", "url", "serverUrl", "httpUrl"})
MAX_SERVERS: Final = 200


class Unfit(Exception):
    """What is said of a server is not understood; the sentence says what."""


class Way(NamedTuple):
    """How a server is reached, in the words of its client."""

    command: str
    arguments: tuple[str, ...]
    env: Entry
    url: str
    headers: Entry


def is_configuration(path: Path) -> bool:
    """Whether a file of a project is one in which a client keeps its servers."""
    return path.name in _NAMES or (path.name in _SETTINGS and path.parent.name in CONFIGURED)


def servers_in(reading: Reading, path: Path, text: str, hiding: Hiding, *, named: bool = False) -> list[FoundServer]:
    """The servers that the configuration `text` names. `named`: a person named this file, so a bare table of servers is one."""
    try:
        whole = tomllib.loads(text) if path.suffix == ".toml" else jsonc(text)
    except (ValueError, RecursionError) as error:
        reading.overlook(path, f"cannot be read: {str(error)[:200] or 'it is nested too deep'}")
        return []
    found = list[FoundServer]()
    for name, entry in _entries(whole, bare=named):
        if len(found) >= MAX_SERVERS:
            reading.overlook(path, f"names more than {MAX_SERVERS} servers: the others were left out")
            break
        line = _line(text, name)
        try:
            found.append(server_of(name, entry, hiding, file=reading.name(path), line=line))
        except Unfit as error:
            reading.overlook(path, f"the server `{name[:80]}` was left out: {error}", line)
    if named and not found and not reading.overlooked:
        reading.overlook(path, "names no MCP server that we know how to read")
    return found


def is_gateway(command: str, arguments: tuple[str, ...]) -> bool:
    """Whether a client begins our own gateway by this: adopted once more, it would stand behind itself."""
    program = PurePath(command).name.lower() in ("interlock", "interlock.exe") or ("-m", "interlock") in pairwise(
        arguments
    )
    return program and "gateway" in arguments


def server_of(name: str, entry: object, hiding: Hiding, *, file: str, line: int) -> FoundServer:
    """One server, with nothing secret in it. Raises Unfit."""
    said = table_of(entry)
    if said is None:
        raise Unfit("it is no table")
    way = _way(said)
    if not way.command and not way.url:
        raise Unfit("it has neither a command nor an address")
    if way.url and not way.url.startswith(("http://", "https://")):
        raise Unfit("its address is none of the web")
    if is_gateway(way.command, way.arguments):
        raise Unfit("it is the gateway already")
    kind = str(said.get("type") or said.get("transport") or "").lower()
    if kind == "sse":
        raise Unfit("it speaks SSE, which the protocol gave up; ask its maker for streamable HTTP")
    here = hiding.server(name)
    folder = said.get("cwd")
    return FoundServer(
        name=name,
        file=file,
        line=line,
        command=here.known(way.command) if not way.url else "",
        arguments=here.words(way.arguments) if not way.url else (),
        env={key: here.env(key, _text(value, "its environment")) for key, value in way.env.items()}
        if not way.url
        else {},
        folder=here.known(folder) if isinstance(folder, str) and not way.url else "",
        url=here.url(here.known(way.url)) if way.url else "",
        headers=_headers(said, way, here) if way.url else {},
        hidden=tuple(here.hidden),
        disabled=said.get("disabled") is True or said.get("enabled") is False,
    )


def _way(said: Entry) -> Way:
    inner = table_of(said.get("command"))
    if inner is not None:
        # Zed, until 2025.
        said = {"command": inner.get("path"), "args": inner.get("args"), "env": inner.get("env")}
    command, words, env = said.get("command"), said.get("args"), said.get("env", said.get("environment"))
    if (whole := list_of(command)) and words is None:
        # OpenCode.
        command, words = whole[0], whole[1:]
    url = next((said[key] for key in ("url", "serverUrl", "httpUrl", "uri") if isinstance(said.get(key), str)), "")
    given = list_of(words if words is not None else [])
    if not isinstance(command, str | None) or given is None:
        raise Unfit("its command is no text with a list of words")
    return Way(
        command or "",
        tuple(_text(each, "its command") for each in given),
        _table(env, "its environment"),
        str(url),
        _table(said.get("headers", said.get("http_headers")), "its headers"),
    )


def _headers(said: Entry, way: Way, here: OfServer) -> dict[str, str]:
    headers = {key: here.header(key, _text(value, "its headers")) for key, value in way.headers.items()}
    for key, variable in _table(said.get("env_http_headers"), "its headers").items():
        headers[key] = here.known("${" + _text(variable, "its headers") + "}")
    bearer = said.get("bearer_token_env_var")
    if isinstance(bearer, str) and bearer:
        headers["Authorization"] = "Bearer ${" + bearer + "}"
    return headers


def _table(value: object, what: str) -> Entry:
    found = table_of(value if value is not None else {})
    if found is None:
        raise Unfit(f"{what} is no table")
    return found


def _text(value: object, what: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Unfit(f"something in {what} is no text")


def _entries(whole: object, *, bare: bool) -> Iterator[tuple[str, object]]:
    """Every server by its name, wherever clients keep them; the first of a name counts."""
    top = table_of(whole) or {}
    mcp = table_of(top.get("mcp")) or {}
    places = [table_of(top.get(key)) for key in ("mcpServers", "servers", "context_servers", "mcp_servers")]
    projects = (table_of(top.get("projects")) or {}).values()
    places += [table_of((table_of(each) or {}).get("mcpServers")) for each in projects]
    places += [table_of(mcp.get("servers")), _looking_like(mcp)]
    if bare and not any(places):
        places = [_looking_like(top)]
    seen = set[str]()
    for place in places:
        for name, entry in (place or {}).items():
            if name not in seen:
                seen.add(name)
                yield name, entry


def _looking_like(table: Entry) -> Entry:
    """What in a table looks like a server: it has a command, or an address."""
    return {name: entry for name, entry in table.items() if (table_of(entry) or {}).keys() & _REACHED}


def _line(text: str, name: str) -> int:
    """Where a name is written first, as far as that can be told."""
    for written in (json.dumps(name), json.dumps(name, ensure_ascii=False), f"[mcp_servers.{name}]"):
        if (place := text.find(written)) >= 0:
            return text.count("\n", 0, place) + 1
    return 0
