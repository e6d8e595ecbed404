"""The API's handlers, gathered, and its description."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from interlock.api import (
    actions,
    agent,
    agent_keys,
    approvals,
    brakes,
    exceptions,
    looking,
    notifications,
    policies,
    registry,
    servers,
)
from interlock.api.describing import schema

OF_PEOPLE: Sequence[HTTPRouteHandler] = (
    *approvals.ROUTES,
    *exceptions.ROUTES,
    *actions.ROUTES,
    *registry.ROUTES,
    *servers.ROUTES,
    *agent_keys.ROUTES,
    *brakes.ROUTES,
    *policies.ROUTES,
    *notifications.ROUTES,
    *looking.ROUTES,
)


@get("/v1/openapi.json", opt={"needs": "nobody"}, include_in_schema=False)
async def openapi() -> Response[bytes]:
    """What the API is, in OpenAPI 3.1. It is the same for everybody and holds nothing of a workspace."""
    return Response(description(), media_type="application/json", headers={"Cache-Control": "no-cache"})


@cache
def description() -> bytes:
    """The description as it is served."""
    return msgspec.json.encode(schema([*OF_PEOPLE, *agent.ROUTES]))


def schema_of_people() -> dict[str, Any]:
    """What people may ask."""
    return schema(OF_PEOPLE)


ROUTES: list[HTTPRouteHandler] = [openapi, *OF_PEOPLE, *agent.ROUTES]
