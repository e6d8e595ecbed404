"""Looking at a client's configuration, a program, or a whole project: what servers and tools there are. Nothing is run."""

from pathlib import Path
from typing import Final

from interlock.adapters.adopting.clients import Unfit, is_configuration, server_of, servers_in
from interlock.adapters.adopting.python_tools import Project, servers_named, unknown_decorators
from interlock.adapters.adopting.reading import Reading
from interlock.adapters.adopting.source import Source
from interlock.domain.adoption import Found, FoundServer
from interlock.domain.errors import FileError
from interlock.domain.hiding import Hiding

MAX_TOOLS: Final = 500


def look(path: Path) -> Found:
    """All that is found at `path`, a file or a folder. Raises FileError where there is nothing to look at."""
    return look_closely(path)[0]


def look_closely(path: Path) -> tuple[Found, dict[str, str]]:
    """The same, and what each variable stands for that was put in a secret's place."""
    if path.is_dir():
        reading = Reading(path)
        files, named = list(reading.files()), False
    elif path.exists():
        reading = Reading(path.parent)
        files, named = [path], True
    else:
        raise FileError(f"there is no `{path}`", next_step="name a client's configuration, or the folder of a program")
    hiding = Hiding()
    servers, sources = list[FoundServer](), list[Source]()
    for file in files:
        if file.suffix == ".py":
            text = reading.text(file, named=named)
            if text is not None:
                _read(reading, file, text, hiding, servers, sources)
        elif named or is_configuration(file):
            text = reading.text(file, named=named)
            servers += servers_in(reading, file, text, hiding, named=named) if text is not None else []
    project = Project(sources)
    tools = list(project.tools())
    for place, line, name in project.ready_made():
        why = f"`{name[:80]}` is handed to an agent and comes ready-made: write its contract"
        reading.overlook(reading.root / place, why, line)
    if len(tools) > MAX_TOOLS:
        reading.overlook(path, f"holds more than {MAX_TOOLS} tools: the others were left out")
    found = Found(servers=tuple(_once(servers)), tools=tuple(tools[:MAX_TOOLS]), overlooked=tuple(reading.overlooked))
    return found, hiding.values()


def _read(
    reading: Reading, file: Path, text: str, hiding: Hiding, servers: list[FoundServer], sources: list[Source]
) -> None:
    try:
        source = Source(reading.name(file), text)
    except ValueError as error:
        reading.overlook(file, str(error))
        return
    sources.append(source)
    for line in unknown_decorators(source):
        reading.overlook(file, "has a tool of a framework that we do not know", line)
    for name, entry, line in servers_named(source):
        try:
            servers.append(server_of(name, entry, hiding, file=source.file, line=line))
        except Unfit as error:
            reading.overlook(file, f"the server `{name[:80]}` was left out: {error}", line)


def _once(servers: list[FoundServer]) -> list[FoundServer]:
    """Each server once, where several files say the same of it."""
    seen = dict[tuple[object, ...], FoundServer]()
    for each in servers:
        seen.setdefault((each.name, each.command, each.arguments, each.url), each)
    return list(seen.values())
