"""The API's handlers, gathered, and its description."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig

OF_PEOPLE: Sequence[HTTPRouteHandler] = ()


@get("/v1/openapi.json", opt={"needs": "nobody"}, include_in_schema=False)
async def openapi() -> Response[bytes]:
    """What the API is, in OpenAPI 3.1. It is the same for everybody and holds nothing of a workspace."""
    return Response(description(), media_type="application/json", headers={"Cache-Control": "no-cache"})


@cache
def description() -> bytes:
    """The description as it is served."""
    return msgspec.json.encode(schema())


def schema() -> dict[str, Any]:
    """OpenAPI 3.1 of everything under `/v1`. Litestar's own route for it would bring others that say nothing of who may."""
    described = Litestar(
        route_handlers=list(OF_PEOPLE),
        openapi_config=OpenAPIConfig(title="Interlock", version=version("interlock"), path="/schema"),
        logging_config=None,
    )
    return described.openapi_schema.to_schema()


ROUTES: list[HTTPRouteHandler] = [openapi, *OF_PEOPLE]
