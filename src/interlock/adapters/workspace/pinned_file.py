"""`servers/NAME.pinned.json`: what a server said of its tools when somebody accepted it. Written by `interlock server pin`.

It is evidence of a review, so it is read strictly: nothing unknown, nothing twice, and each tool's digest is that of the tool.
"""

from pathlib import Path
from typing import Any, Final

import msgspec

from interlock.adapters.workspace.problem import Problems
from interlock.domain.canonical import JsonValue
from interlock.domain.ids import Digest
from interlock.domain.upstream import Definition, Pinned

ENDING: Final = ".pinned.json"
MAX_BYTES: Final = 8 * 1024 * 1024
_AGAIN: Final = "have it written anew: `interlock server pin {name}`"


class _Tool(Definition, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """A tool as the file has it, with its digest."""

    pin: Digest


class _File(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """The file."""

    version: int
    server: str
    protocol: str
    instructions: str = ""
    tools: tuple[_Tool, ...] = ()
    prompts: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


def pinned_path(folder: Path, server: str) -> Path:
    """Where in the workspace it lies."""
    return folder / "servers" / f"{server}{ENDING}"


def read_pinned(path: Path, problems: Problems) -> Pinned | None:
    """What was accepted; None where nothing was, or where the file is not what was written."""
    name = path.name.removesuffix(ENDING)
    again = _AGAIN.format(name=name)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        problems.add(f"the file cannot be read: {error.strerror}")
        return None
    if len(data) > MAX_BYTES:
        problems.add(f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB; {again}")
        return None
    try:
        found = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problems.add(f"it is not as it was written ({str(error)[:200]}); {again}")
        return None
    if found.version != Pinned.version:
        problems.add(f"it is of version {found.version}, and this program knows version {Pinned.version}; {again}")
        return None
    tools: dict[str, Definition] = {}
    for each in found.tools:
        tool = Definition(**{field: getattr(each, field) for field in Definition.__struct_fields__})
        if tool.digest != each.pin:
            problems.add(f"the tool `{each.name[:64]}` is not as it was accepted; {again}")
            return None
        if tools.setdefault(tool.name, tool) is not tool:
            problems.add(f"the tool `{each.name[:64]}` is there twice; {again}")
            return None
    return Pinned(
        server=found.server,
        protocol=found.protocol,
        instructions=found.instructions,
        tools=tuple(tools.values()),
        prompts=found.prompts,
        resources=found.resources,
    )


def pinned_text(pinned: Pinned) -> str:
    """The file that says this: one form, so that a review reads what changed."""
    tools: list[JsonValue] = [
        {**_builtins(each), "pin": each.digest} for each in sorted(pinned.tools, key=lambda tool: tool.name)
    ]
    said = {
        "version": Pinned.version,
        **_builtins(msgspec.structs.replace(pinned, tools=())),
        "tools": tools,
        "prompts": sorted(pinned.prompts),
        "resources": sorted(pinned.resources),
    }
    return msgspec.json.format(msgspec.json.encode(said), indent=1).decode() + "\n"


def _builtins(value: Any) -> dict[str, Any]:
    return dict(msgspec.to_builtins(value))
