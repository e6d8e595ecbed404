"""MCP servers: which there are, and one with its tools, each beside what was accepted of it. Nothing is changed from here."""

import json
from typing import Final, NamedTuple

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from interlock.console.render import page
from interlock.domain.server_seen import SeenTool, Standing
from interlock.domain.upstream import Definition
from interlock.web.parts import Asked, Plane

AROUND: Final = 160
"""So much of what two texts have in common is shown before and after what differs."""

DRIFTED: Final[tuple[Standing, ...]] = ("changed", "gone", "new")
"""What is to be looked at, the gravest first."""
STANDS: Final[dict[Standing, tuple[str, str, str]]] = {
    "in_force": ("in force", "good", "it says what was accepted"),
    "accepted": ("accepted", "wait", "it comes into force with the next interlock apply"),
    "changed": ("changed, held", "bad", "it says something else than what was accepted, and is not called"),
    "gone": ("gone", "bad", "the server has it no more"),
    "new": ("not accepted", "wait", "nobody accepted it, and it is not called"),
}
"""How a tool stands: in a word, how that sounds, and what it means."""


class Beside(NamedTuple):
    """One member of a tool as it was accepted and as it was found: what both have in common around what differs."""

    name: str
    head: str
    before: str
    after: str
    tail: str
    more_before: int
    more_after: int
    """How many characters of what both have in common are left out at either end."""


@get("/servers", opt={"needs": "see"}, include_in_schema=False)
async def servers(request: Asked, plane: Plane) -> Response[str]:
    """Every server that the workspace names."""
    return page(request, "server_list.html", servers=await plane.servers.all())


@get("/servers/{name:str}", opt={"needs": "see"}, include_in_schema=False)
async def server(request: Asked, plane: Plane, name: FromPath[str]) -> Response[str]:
    """One server with its tools. Raises NotFound."""
    found = await plane.servers.get(name)
    drifted = [(each, beside(each)) for kind in DRIFTED for each in found.tools if each.standing == kind]
    return page(request, "server.html", it=found, drifted=drifted, stands=STANDS)


def beside(tool: SeenTool) -> list[Beside]:
    """What differs, member by member; of a tool that nobody accepted, or that is gone, all there is to read."""
    fields = tool.fields or ("title", "description", "input_schema", "output_schema", "annotations")
    found: list[Beside] = []
    for field in fields:
        before, after = _text(tool.accepted, field), _text(tool.present, field)
        if before or after:
            found.append(_beside(field.replace("_", " "), before, after))
    return found


def _beside(name: str, before: str, after: str) -> Beside:
    if not before or not after:
        return Beside(name, "", before, after, "", 0, 0)
    shorter = min(len(before), len(after))
    head = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    rest = shorter - head
    tail = next((at for at in range(rest) if before[-1 - at] != after[-1 - at]), rest)
    end = len(before) - tail
    return Beside(
        name=name,
        head=before[max(head - AROUND, 0) : head],
        before=before[head:end],
        after=after[head : len(after) - tail],
        tail=before[end : end + AROUND],
        more_before=max(head - AROUND, 0),
        more_after=max(tail - AROUND, 0),
    )


def _text(tool: Definition | None, field: str) -> str:
    value = None if tool is None else getattr(tool, field, None)
    if not value:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)


ROUTES: list[HTTPRouteHandler] = [servers, server]
