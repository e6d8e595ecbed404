"""The pages of the console, gathered."""

from litestar import MediaType, get
from litestar.handlers import HTTPRouteHandler

from interlock.console import sign_in


@get("/", opt={"needs": "see"}, media_type=MediaType.TEXT, include_in_schema=False)
async def first() -> str:
    """Where one begins."""
    return "Interlock"


ROUTES: list[HTTPRouteHandler] = [first, *sign_in.ROUTES]
