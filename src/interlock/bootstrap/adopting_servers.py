"""Reaching the servers that were adopted, where whoever adopts says so: what they offer is accepted, guessed, and given to the
agent, which is in shadow."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from interlock.adapters.adopting.rewriting import put
from interlock.adapters.adopting.server_text import server_text
from interlock.adapters.adopting.shapes import table_of
from interlock.adapters.adopting.workspace_text import agent_text
from interlock.bootstrap.adopting import Looked, next_steps
from interlock.bootstrap.site import read_site
from interlock.bootstrap.upstreams import accept, known_servers, look
from interlock.domain.adoption import Adopted, FoundServer, Guessed
from interlock.domain.contract import McpTarget
from interlock.domain.errors import FileError, InterlockError
from interlock.domain.guess import Guess, guess
from interlock.domain.ids import Person
from interlock.domain.upstream import Definition, Pinned


async def connect(seen: Looked, adopted: Adopted) -> Adopted:
    """Begin or reach each server that is not switched off, and accept what it says of its tools. One that cannot be reached is
    left to a person, with the reason. Raises FileError where what was learnt cannot be written."""
    folder = Path(adopted.folder)
    by = Person(seen.asked.person) if seen.asked.person else None
    pinned: dict[str, Pinned] = {}
    todo = list(adopted.todo)
    with _lent(seen.values):
        for server in adopted.servers:
            if server.disabled:
                continue
            try:
                found = await look(folder, server.name)
                pinned[server.name] = (await accept(folder, found, by=by)).pinned
            except InterlockError as error:
                todo.append(f"servers/{server.name}.yaml: it was not reached: {error.detail}; {error.next_step}")
    try:
        offered = _offered(seen, folder, adopted.servers, pinned)
        own = [each for each in adopted.tools if not each.server]
        others = [each for each in adopted.tools if each.server and each.server not in pinned]
        usable = [each.contract for each in (*own, *offered)]
        text = agent_text(seen.wanted.agent, seen.wanted.what, usable)
        put(folder / "agents" / f"{seen.wanted.agent}.yaml", text)
    except OSError as error:
        raise FileError(f"`{folder}` cannot be written: {error.strerror}") from None
    return msgspec.structs.replace(
        adopted,
        tools=(*own, *offered, *others),
        pinned=tuple(pinned),
        files=(*adopted.files, *(f"servers/{name}.pinned.json" for name in pinned)),
        todo=tuple(todo),
        wrong=tuple(
            f"{each.file}:{each.line}: {each.message}"
            for each in read_site(folder).problems
            if each.severity == "error"
        ),
        steps=next_steps(seen, pinned),
    )


def guess_of(tool: Definition) -> Guess:
    """What a tool of a server probably does. Its hints can only make the guess graver."""
    named = list(table_of(tool.input_schema.get("properties")) or {})
    words = f"{tool.title}. {tool.description}" if tool.title else tool.description
    return guess(tool.name, description=words, arguments=named, hints=tool.annotations)


def _offered(
    seen: Looked, folder: Path, servers: tuple[FoundServer, ...], pinned: Mapping[str, Pinned]
) -> list[Guessed]:
    """Write the guesses into the servers' files, and give them by the contracts that came of it."""
    for server in servers:
        if server.name in pinned:
            guesses = {each.name: guess_of(each) for each in pinned[server.name].tools}
            put(folder / "servers" / f"{server.name}.yaml", server_text(server, seen.wanted.root, guesses))
    places = {each.name: each for each in servers}
    found = list[Guessed]()
    for known in known_servers(folder):
        for contract in known.contracts:
            target = contract.target
            if known.pinned is None or not isinstance(target, McpTarget):
                continue
            tool = known.pinned.tool(target.tool)
            if tool is None:
                continue
            guessed, where = guess_of(tool), places[known.server.name]
            found.append(
                Guessed(
                    tool=target.tool,
                    contract=contract.name,
                    server=known.server.name,
                    effect=guessed.effect,
                    risk=guessed.risk,
                    why=guessed.why,
                    sure=guessed.sure,
                    file=where.file,
                    line=where.line,
                )
            )
    return found


@contextmanager
def _lent(values: Mapping[str, str]) -> Generator[None]:
    """While servers are reached, the variables that stand for what was in the configuration. One that is set already stays."""
    lent = {name: value for name, value in values.items() if name not in os.environ and "${" not in value}
    os.environ.update(lent)
    try:
        yield
    finally:
        for name in lent:
            os.environ.pop(name, None)
