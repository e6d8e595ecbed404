"""Where one begins: what waits, and what is stopped."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from interlock.console.render import page
from interlock.web.parts import Asked


@get("/", opt={"needs": "see"}, include_in_schema=False, sync_to_thread=False)
def overview(request: Asked) -> Response[str]:
    """The first page."""
    return page(request, "overview.html")


ROUTES: list[HTTPRouteHandler] = [overview]
