"""`/v1/servers`: MCP servers, and how each of their tools stands beside what was accepted of it."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from interlock.api.parts import SEE
from interlock.domain.server_seen import SeenServer
from interlock.web.once import kept
from interlock.web.parts import Asked, Plane


@get("/v1/servers", opt=SEE)
async def servers(request: Asked, plane: Plane) -> Response[list[SeenServer]]:
    """The MCP servers that the workspace names, with their tools."""
    return kept(request, await plane.servers.all())


@get("/v1/servers/{server:str}", opt=SEE)
async def server_of(request: Asked, plane: Plane, server: FromPath[str]) -> Response[SeenServer]:
    """One server. Of a tool that is other than what was accepted, both definitions."""
    return kept(request, await plane.servers.get(server))


ROUTES: list[HTTPRouteHandler] = [servers, server_of]
