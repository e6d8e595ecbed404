"""A client's configuration with the gateway in the place of its servers: kept beside as it was, then put in place at once.

The values that were secret stay where they were, in the client's own file: they become the environment of the gateway, which
hands each to the server that it is for. They are never shown.
"""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from interlock.adapters.adopting.reading import Reading
from interlock.adapters.adopting.shapes import Entry, table_of
from interlock.domain.adoption import FoundServer
from interlock.domain.errors import FileError, WorkspaceError

KEYS: Final = ("mcpServers", "servers", "context_servers")
GATEWAY: Final = "interlock"
BY_HAND: Final = "change it by hand: take these servers out, and put the gateway in"
ENDING: Final = ".before-interlock"
_VS_CODE: Final = ".vscode"
"""What is kept there wants to be told how each server is spoken to."""
AS_IT_WAS: Final = "(as it was)"
"""Stands where a secret is not shown."""


class Rewritten(NamedTuple):
    """A configuration as it would be. `shown` is what may be printed: no value of an environment is in it."""

    text: str
    shown: str
    gone: tuple[str, ...]
    """The servers that are no longer in it."""
    kept: tuple[str, ...]
    """Those that still are, which the workspace does not have."""


def rewritten(path: Path, words: Sequence[str], servers: Sequence[FoundServer], values: Mapping[str, str]) -> Rewritten:
    """The configuration at `path` with the gateway in the place of `servers`, as they were found in it; `values` are what their
    variables stand for. Raises WorkspaceError where none of them is in it, or where it is not plain JSON: what else is in it
    would be lost."""
    try:
        whole = table_of(json.loads(_text(path)))
    except (ValueError, RecursionError):
        raise WorkspaceError(
            f"`{path}` is not plain JSON, so writing it anew would lose what else is in it", next_step=BY_HAND
        ) from None
    place = next((key for key in KEYS if table_of((whole or {}).get(key))), "")
    there = table_of((whole or {}).get(place)) or {}
    if whole is None or not place:
        raise WorkspaceError(f"`{path}` has no servers where we know to look", next_step=BY_HAND)
    if GATEWAY in there:
        again = "begin the client anew, if it does not see it"
        raise WorkspaceError(f"`{path}` has the gateway in it already", next_step=again)
    gone = {each.name: each for each in servers if each.name in there}
    if not gone:
        raise WorkspaceError(f"`{path}` has none of the workspace's servers", next_step=BY_HAND)
    kept = {name: entry for name, entry in there.items() if name not in gone}
    hidden = {each.variable: values.get(each.variable, "") for server in gone.values() for each in server.hidden}
    gateway: Entry = {"type": "stdio"} if place == "servers" else {}
    gateway |= {"command": words[0], "args": list(words[1:])}
    made = {**whole, place: {**kept, GATEWAY: {**gateway, **({"env": hidden} if hidden else {})}}}
    quiet = {place: {GATEWAY: {**gateway, **({"env": dict.fromkeys(hidden, AS_IT_WAS)} if hidden else {})}}}
    return Rewritten(_dumped(made), _dumped(quiet), tuple(gone), tuple(kept))


def by_hand(file: str, words: Sequence[str], servers: Sequence[FoundServer]) -> str:
    """What a person puts into a configuration that is not written anew, in its own language."""
    hidden = dict.fromkeys((each.variable for server in servers for each in server.hidden), AS_IT_WAS)
    if file.endswith(".toml"):
        lines = [
            f"[mcp_servers.{GATEWAY}]",
            f"command = {json.dumps(words[0])}",
            f"args = {json.dumps(list(words[1:]))}",
        ]
        if hidden:
            inner = ", ".join(f"{name} = {json.dumps(value)}" for name, value in hidden.items())
            lines.append(f"env = {{ {inner} }}")
        return "\n".join(lines) + "\n"
    typed: Entry = {"type": "stdio"} if _VS_CODE in Path(file).parts else {}
    env: Entry = {"env": hidden} if hidden else {}
    return _dumped({GATEWAY: {**typed, "command": words[0], "args": list(words[1:]), **env}})


def replace(path: Path, text: str) -> Path:
    """Put `text` in the place of the file, which is kept beside it as it was. Gives where.

    Raises FileError; then nothing is lost.
    """
    target = path.resolve()
    beside = target.with_name(target.name + ENDING)
    try:
        before, mode = target.read_bytes(), target.stat().st_mode & 0o777
        with beside.open("xb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(before)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise FileError(
            f"`{beside}` is there already, and nothing is overwritten", next_step="move it out of the way"
        ) from None
    except OSError as error:
        raise FileError(f"`{beside}` cannot be written: {error.strerror}") from None
    try:
        put(target, text, mode)
    except OSError as error:
        if _is(target, before):
            beside.unlink(missing_ok=True)
        raise FileError(f"`{path}` cannot be written: {error.strerror}") from None
    return beside


def put(target: Path, text: str, mode: int = 0o644) -> None:
    """Write all of it or nothing: who reads meanwhile finds what was there before. Raises OSError."""
    opened, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(opened, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _is(path: Path, data: bytes) -> bool:
    """Whether the file holds this, as far as can be seen."""
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def _text(path: Path) -> str:
    reading = Reading(path.parent)
    text = reading.text(path, named=True)
    if text is None:
        why = reading.overlooked[0].why if reading.overlooked else "cannot be read"
        raise FileError(f"`{path}` {why}")
    return text


def _dumped(value: Entry) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
