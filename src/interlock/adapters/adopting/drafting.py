"""The files of a workspace for what was found, as texts. What no contract can be made of is left out, and said."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from interlock.adapters.adopting.contract_text import contract_text
from interlock.adapters.adopting.naming import Names, fitted
from interlock.adapters.adopting.server_text import server_text
from interlock.adapters.adopting.workspace_text import IGNORED, agent_text, people_text, settings_text
from interlock.adapters.workspace.contract_file import read_contract
from interlock.adapters.workspace.fields import Section
from interlock.adapters.workspace.nodes import Table, parse
from interlock.adapters.workspace.problem import Problems
from interlock.domain.adoption import Found, FoundServer, FoundTool, Guessed, Overlooked
from interlock.domain.guess import Guess, guess

SETTINGS: Final = "interlock.yaml"
_ADDRESS: Final = "set it where the server is called from"


class Draft(NamedTuple):
    """Files by path below the workspace, and what they say."""

    files: dict[str, str]
    servers: tuple[FoundServer, ...]
    """By the names of their files."""
    tools: tuple[Guessed, ...]
    todo: tuple[str, ...]
    overlooked: tuple[Overlooked, ...]


class Wanted(NamedTuple):
    """What is decided by whoever adopts."""

    tenant: str
    agent: str
    person: str
    what: str
    """Where it was found, in words."""
    root: Path | None
    """The folder in which clients begin their programs."""


def draft(found: Found, wanted: Wanted) -> Draft:
    """Every file but keys and policies."""
    files: dict[str, str] = {}
    todo, overlooked = list[str](), list(found.overlooked)
    own = [each for each in found.tools if each.framework != "mcp"]
    tools = _contracts(own, files, todo, overlooked)
    capabilities = [each.contract for each in tools]
    servers, offered = _servers(found, wanted, files, todo)
    head = {
        SETTINGS: settings_text(wanted.tenant),
        "people.yaml": people_text(wanted.person),
        f"agents/{wanted.agent}.yaml": agent_text(wanted.agent, wanted.what, capabilities),
        ".gitignore": IGNORED,
    }
    return Draft({**head, **files}, tuple(servers), (*tools, *offered), tuple(todo), tuple(overlooked))


def guess_of(tool: FoundTool) -> Guess:
    """What a tool in a program's source probably does."""
    return guess(tool.name, description=tool.description, arguments=tool.arguments, hints=tool.hints, code=tool.signs)


def _contracts(
    tools: Sequence[FoundTool], files: dict[str, str], todo: list[str], overlooked: list[Overlooked]
) -> list[Guessed]:
    names, made = Names(), list[Guessed]()
    for tool in tools:
        guess, name = guess_of(tool), names.take(tool.name, "tool")
        written = contract_text(tool, name, guess)
        path = f"contracts/{name}.yaml"
        if why := _unfit(path, written.text):
            left = f"the tool `{tool.name[:80]}` was left out, no contract can be made of it: {why}"
            overlooked.append(Overlooked(file=tool.file, why=left, line=tool.line))
            continue
        files[path] = written.text
        if name != tool.name:
            todo.append(f"{path}: in the program it is `{tool.name[:80]}`; say so where its tools go through the gate")
        todo += [f"{path}: {each}" for each in written.todo]
        made.append(_guessed(tool, name, guess))
    return made


def _guessed(tool: FoundTool, contract: str, guess: Guess, server: str = "") -> Guessed:
    return Guessed(
        tool=tool.name,
        contract=contract,
        server=server,
        effect=guess.effect,
        risk=guess.risk,
        why=guess.why,
        sure=guess.sure,
        file=tool.file,
        line=tool.line,
        framework=tool.framework,
    )


def _unfit(path: str, text: str) -> str:
    """What the workspace's own reader has against a contract's file."""
    problems = Problems(path)
    node = parse(text.encode(errors="backslashreplace"), problems)
    if isinstance(node, Table):
        read_contract(Section(node, "a contract", problems), {})
    return problems.found[0].message if problems.wrong else ""


def _servers(
    found: Found, wanted: Wanted, files: dict[str, str], todo: list[str]
) -> tuple[list[FoundServer], list[Guessed]]:
    """The servers that a client is configured with, those whose source was found, and what the source says that they offer."""
    names, made, offered = Names(), list[FoundServer](), list[Guessed]()
    sources: dict[str, list[FoundTool]] = {}
    for tool in found.tools:
        if tool.framework == "mcp":
            sources.setdefault(tool.file, []).append(tool)
    for server in found.servers:
        name = names.take(server.name, "server")
        own = next((file for file in sources if _begins(server, file)), "")
        tools = sources.pop(own, [])
        files[f"servers/{name}.yaml"] = server_text(server, wanted.root, {each.name: guess_of(each) for each in tools})
        made.append(msgspec.structs.replace(server, name=name))
        if "${" in server.url:
            todo.append(f"servers/{name}.yaml: its address held a secret, which is a variable there now: {_ADDRESS}")
        offered += [_guessed(each, f"{name}.{fitted(each.name, 'tool')}", guess_of(each), name) for each in tools]
    for file, tools in sources.items():
        name = names.take(Path(file).stem, "server")
        server = FoundServer(name=name, file=file, line=tools[0].line, command="python", arguments=(file,))
        begun = "How it is begun is guessed; say yourself."
        text = server_text(server, wanted.root, {each.name: guess_of(each) for each in tools}, begun=begun)
        files[f"servers/{name}.yaml"] = text
        todo.append(f"servers/{name}.yaml: say how the server in {file} is begun, which is guessed")
        made.append(server)
        offered += [_guessed(each, f"{name}.{fitted(each.name, 'tool')}", guess_of(each), name) for each in tools]
    return made, offered


def _begins(server: FoundServer, file: str) -> bool:
    """Whether a server's command begins the program of this file."""
    return any(each == file or each.endswith(f"/{file}") for each in server.arguments)
