"""Servers of the Model Context Protocol as their owner deals with them: adding one, looking at it, accepting what it says."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec
import yaml

from interlock.adapters.system import SystemClock
from interlock.adapters.upstream_addresses import wrong_with
from interlock.adapters.workspace.fields import NAME
from interlock.adapters.workspace.pinned_file import pinned_path, pinned_text
from interlock.adapters.workspace.starters import write_new
from interlock.bootstrap.connecting import connect, upstreams_of
from interlock.bootstrap.site import settled
from interlock.domain.contract import Contract, McpTarget
from interlock.domain.errors import FileError, NotFound, WorkspaceError
from interlock.domain.ids import Person
from interlock.domain.names import instead
from interlock.domain.people import UNNAMED, must_be_known
from interlock.domain.upstream import Change, Definition, Pinned, Server, changes

_FILE = """\
{way}
# owner: TEAM                   # who answers for its tools
trusted: no                     # what it gives is the word of a stranger
tools: {{}}                       # what its tools may do, by name; of one that is not named the most careful is said
"""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A server that the workspace names."""

    server: Server
    pinned: Pinned | None
    contracts: tuple[Contract, ...]
    unused: tuple[str, ...] = ()
    """The names of those that no agent names among its capabilities."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A server as it is now, beside what was accepted of it."""

    server: Server
    pinned: Pinned | None
    present: Pinned
    changes: tuple[Change, ...]
    took_ms: int

    @property
    def words_changed(self) -> bool:
        """Whether it says something else of itself as a whole."""
        return self.pinned is not None and self.pinned.instructions != self.present.instructions


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody accepted."""

    pinned: Pinned
    began: Path | None
    """Where a log was begun to write it in, since there was none."""


def add_server(
    folder: Path, name: str, command: Sequence[str], url: str, env: Mapping[str, str], headers: Mapping[str, str]
) -> str:
    """Write `servers/NAME.yaml`, and give its path. Overwrites nothing. Raises WorkspaceError."""
    if not NAME.fullmatch(name):
        raise WorkspaceError(
            f"`{name[:64]}` is no name for a server", next_step="give it a word of letters, digits, `_` and `-`"
        )
    if bool(command) == bool(url):
        raise WorkspaceError(
            "a server is a command or an address",
            next_step=f"`interlock server add {name} -- COMMAND ...`, or `interlock server add {name} --url URL`",
        )
    if problem := wrong_with(url):
        raise WorkspaceError(f"the address of `{name}` {problem}", next_step="nothing was written; say it so")
    settled(folder)
    way: dict[str, object] = {"http": {"url": url, **({"headers": dict(headers)} if headers else {})}}
    if command:
        way = {"stdio": {"command": list(command), **({"env": dict(env)} if env else {})}}
    text = _FILE.format(way=yaml.safe_dump(way, sort_keys=False, allow_unicode=True).rstrip())
    [path] = write_new(folder, {f"servers/{name}.yaml": text})
    return path


def known_servers(folder: Path) -> tuple[Known, ...]:
    """Those that the workspace names and whose files are right."""
    workspace = settled(folder)
    named = {name for agent in workspace.agents for name in agent.capabilities}
    found: list[Known] = []
    for each in workspace.servers:
        contracts = tuple(
            contract
            for contract in workspace.contracts
            if isinstance(contract.target, McpTarget) and contract.target.server == each.name
        )
        unused = tuple(sorted(contract.name for contract in contracts if contract.name not in named))
        found.append(Known(server=each, pinned=workspace.pins.get(each.name), contracts=contracts, unused=unused))
    return tuple(found)


async def look(folder: Path, name: str) -> Look:
    """Reach the server, and hold what it says against what was accepted. Raises NotFound, WorkspaceError and EffectorError."""
    workspace = settled(folder)
    server = next((each for each in workspace.servers if each.name == name), None)
    if server is None:
        file = f"servers/{name}.yaml"
        wrong = [each for each in workspace.problems if each.file == file and each.severity == "error"]
        if wrong:
            raise WorkspaceError(wrong[0].message, file=file, line=wrong[0].line, column=wrong[0].column)
        there = [each.name for each in workspace.servers]
        raise NotFound(
            f"the workspace names no server `{name}`",
            next_step=instead(name, there, f"add it: `interlock server add {name} -- COMMAND ...`"),
        )
    pinned = workspace.pins.get(name)
    clock, upstreams = SystemClock(), upstreams_of(workspace)
    began = clock.now()
    try:
        present = await upstreams.seen(name)
    finally:
        await upstreams.close()
    before = {} if pinned is None else by_name(pinned)
    return Look(
        server=server,
        pinned=pinned,
        present=present,
        changes=changes(before, by_name(present)),
        took_ms=clock.now() - began,
    )


async def accept(folder: Path, found: Look, *, by: Person | None, tools: Collection[str] | None = None) -> Accepted:
    """Write down as accepted what was looked at: all of it, or of `tools` alone. What is not accepted stays as it was: pinned
    as before, or not at all. It stands in the log before it stands in the file, by the person that `by` names.

    Raises NotFound, NotAllowed where people are in force and `by` names none of them, FileError and StoreErrors."""
    before = {} if found.pinned is None else by_name(found.pinned)
    present = by_name(found.present)
    taken = {*before, *present} if tools is None else set(tools)
    for each in sorted(taken - {*before, *present}):
        raise NotFound(f"`{found.server.name}` has no tool `{each}`", next_step=instead(each, present, "it has none"))
    kept = {name: tool for name, tool in before.items() if name not in taken}
    accepted = {name: tool for name, tool in present.items() if name in taken}
    tools_now = {**kept, **accepted}
    whole = tools is None or found.pinned is None
    base = found.present if whole or found.pinned is None else found.pinned
    pinned = msgspec.structs.replace(base, tools=tuple(tools_now[each] for each in sorted(tools_now)))
    began = await _recorded(folder, found.server.name, before, by_name(pinned), by)
    _write(pinned_path(folder, found.server.name), pinned_text(pinned))
    return Accepted(pinned=pinned, began=began)


def by_name(pinned: Pinned) -> dict[str, Definition]:
    """Its tools by name."""
    return {each.name: each for each in pinned.tools}


async def _recorded(
    folder: Path, server: str, before: Mapping[str, Definition], after: Mapping[str, Definition], by: Person | None
) -> Path | None:
    """That `by` accepted it, in the log. A workspace that has neither keys nor a log is a copy: its own has what is applied."""
    settings = settled(folder).settings
    if not settings.keys.exists() and not settings.store.exists():
        return None
    began = None if settings.store.exists() else settings.store
    plane = connect(folder, begin=True)
    try:
        if by is not None:
            must_be_known(by, (await plane.orders.refresh()).control)
        await plane.drifts.accepted(server, before, after, by or UNNAMED)
    finally:
        await plane.close()
    return began


def _write(path: Path, text: str) -> None:
    """All of it or nothing: who reads it meanwhile finds what was there before."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False, encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    except OSError as error:
        raise FileError(f"`{path}` cannot be written: {error.strerror}") from None
